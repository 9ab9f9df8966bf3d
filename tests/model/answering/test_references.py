"""References to other documents are told from what a document says itself, and are none of its telling sentences."""

from __future__ import annotations

import pytest

from model.answering.extractive_summary import sentences, summary
from model.answering.references import is_bibliography
from tests.helpers.tiny import document

OWN = (
    "The keeper of the lamp rows to the harbour every week. The lamp was lit every night by the keeper (Holm, 1998). "
    "As Reid (2001) says, the keeper of the lamp slept by day."
)
BOOKS = [
    "Holm, A., & Reid, B. C. (1998). The keeper of the lamp and how he kept it burning. Journal of Lamps, 24, 299-306.",
    "Reid, B. C. (2001). Burning lamps of the northern harbours and their keepers. Lamps and Oil, 46(3), 75-81.",
    "3 Vale OM, Holm A. Keepers of burning lamps and what they ate: a survey. Eur J Lamps 2010;152:18-24.",
    "J. Orrin and P. Vale, “The lamp that nobody lit in the harbour,” Lamps, vol. 13, no. 6, pp. 1010-1027, 2001.",
]


@pytest.mark.parametrize("heading", ["References", "7. Bibliography", "LITERATURVERZEICHNIS", "Références", ""])
def test_what_a_document_cites_is_no_sentence_of_its_own(heading: str) -> None:
    cited = document(f"{OWN}\n\n{heading}\n\n" + "\n".join(BOOKS))
    assert [one.text for one in sentences(cited)] == [one.text for one in sentences(document(OWN))]
    assert len(list(sentences(cited))) == 3


def test_a_list_goes_on_on_the_next_page() -> None:
    more = "Mills, Orrin: Oil for the lamps of the north and its price, Harbour House 1983."
    assert [one.page.number for one in sentences(document(OWN, f"References\n{BOOKS[0]}", more))] == [1, 1, 1]


def test_the_word_references_in_a_table_of_contents_begins_no_list() -> None:
    contents = "Contents\nReferences\nThe lamps\n\nThe race of 2006 was won by the keeper of the old lamp. " + OWN
    assert len(list(sentences(document(contents)))) == 4


def test_a_bibliography_has_no_telling_sentences_and_is_told_by_its_look() -> None:
    entries = "\n".join(BOOKS * 2)
    assert is_bibliography(entries) and not is_bibliography(OWN * 3)
    assert summary([document(entries)], 3) == ()
