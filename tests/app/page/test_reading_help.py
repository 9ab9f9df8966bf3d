"""Reading help without the model: a document at a glance, page search, and what the model saw."""

from __future__ import annotations

import pytest

from app.overview.overview import overview, possible_questions, sentences_of
from app.overview.search import MOST_HITS, search
from app.page import panels
from model.errors import QuestionError
from model.types import Document, Page, Word
from tests.helpers.stand_ins import a_document, a_page, loaded

REPORT = """The lighthouse keeps ships away from the rocks.
A new lamp for the lighthouse was bought on 3 May 2024 by the harbour office.
The lamp is lit at dusk. The weather was fine.

Supplier: Holm & Sons
Total: 1,084.50 euros"""


def typeset(*lines: tuple[str, float]) -> Document:
    """A page of one-word-high lines: text and height of type."""
    words, text = [], ""
    for row, (line, height) in enumerate(lines):
        top = 0.1 * (row + 1)
        words.append(Word(start=len(text), end=len(text) + len(line), box=(0.1, top, 0.9, top + height)))
        text += f"{line}\n"
    page = Page(number=1, text=text, words=tuple(words), width=595, height=842)
    return Document(name="a.pdf", sha256="a", pages=(page,))


def test_the_title_is_the_largest_type_on_all_its_lines() -> None:
    document = typeset(
        ("Harbour office", 0.01), ("Annual report", 0.04), ("of the lighthouse", 0.04), ("Dear all", 0.01)
    )
    assert overview(document).title == "Annual report of the lighthouse"


def test_plain_text_has_its_first_line_as_title() -> None:
    assert overview(a_document("a.md", a_page(1, "# Lighthouse\n\nThe lamp is lit."))).title == "Lighthouse"


def test_a_glance_holds_only_what_stands_in_the_document() -> None:
    document = a_document("a.pdf", a_page(1, REPORT))
    seen = overview(document)
    assert "lighthouse" in " ".join(seen.keywords)
    assert "lamp" in " ".join(seen.keywords)
    assert seen.sentences
    for sentence in seen.sentences:
        place = document.pages[sentence.page - 1].text[sentence.start : sentence.end]
        assert " ".join(place.split()) == sentence.text


def test_headings_and_tables_are_no_sentences() -> None:
    page = a_page(
        1, "Chapter one\n\n12 13 14\n\nThe lamp is lit every evening at dusk.\nIt burns until the morning comes."
    )
    assert [one.text for one in sentences_of(page)] == [
        "The lamp is lit every evening at dusk.",
        "It burns until the morning comes.",
    ]


def test_fields_and_dates_are_asked_about() -> None:
    asked = possible_questions(a_document("a.pdf", a_page(1, REPORT)))
    assert asked == ("What is the supplier?", "What is the total?", "What happened on 3 May 2024?")


def test_a_document_without_text_has_an_empty_glance() -> None:
    document = a_document("a.pdf", a_page(1, ""))
    assert (overview(document).title, overview(document).keywords, overview(document).sentences) == ("", (), ())
    assert possible_questions(document) == ()


def test_search_finds_every_place_whatever_case_and_line_breaks() -> None:
    found = search([a_document("a.pdf", a_page(1, "The new\nlamp"), a_page(2, "a NEW  LAMP (new)"))], " new lamp ")
    assert [(hit.page, hit.found) for hit in found.first] == [(1, "new\nlamp"), (2, "NEW  LAMP")]
    assert search([a_document("a.pdf", a_page(1, "price (net)"))], "(net)").total == 1


def test_search_shows_the_first_of_very_many_places() -> None:
    found = search([a_document("a.pdf", a_page(1, "lamp " * 500))], "lamp")
    assert (found.total, len(found.first)) == (500, MOST_HITS)
    assert "500 places with “lamp” · the first 100 are shown" in panels.hits(found)


@pytest.mark.parametrize(("words", "message"), [("  ", "0 words"), ("x" * 201, "201 characters; the limit is 200")])
def test_what_cannot_be_looked_for_says_why(words: str, message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        search([a_document("a.pdf")], words)


def test_what_the_model_saw_flags_ocr_and_hidden_words() -> None:
    hidden = Word(start=4, end=10, box=(0, 0, 0, 0), hidden=True)
    page = Page(number=3, text="The secret <b>", words=(hidden,), width=595, height=842, source="ocr", unread_boxes=2)
    shown = panels.page_text(loaded("a.pdf", page), 3)
    assert 'title="A reader of the page cannot see this">secret</mark>' in shown
    assert "&lt;b&gt;" in shown
    assert "read by OCR" in shown
    assert "2 places with writing could not be read" in shown
    assert "1 word that a reader of the page cannot see" in shown


def test_nothing_of_a_document_becomes_markup() -> None:
    evil = "<img src=x>. "
    of = loaded("<b>.pdf", a_page(1, f"{evil * 3}\n<i> lamp <i> lamp and <i> lamp again."))
    seen = overview(of.encoded.document)
    for shown in (
        panels.overview(of, seen, ("<u>?",), trying=False),
        panels.hits(search([of.encoded.document], "<i>")),
    ):
        assert not any(tag in shown for tag in ("<img src=x", "<b>", "<i>", "<u>"))
