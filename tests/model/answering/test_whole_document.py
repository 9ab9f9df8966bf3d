"""Questions about a document as a whole are answered by quoting it, each quote with its page."""

from __future__ import annotations

from dataclasses import replace

import pytest

from model.answering import title_page
from model.answering.extractive_summary import summary
from model.answering.messages import NOT_FOUND
from model.answering.whole_document import LEAD_TOKENS, instead_of_nothing, lead_tokens, quoted
from model.engine import Engine
from model.types import Answer, Document, EncodedDocument, Intent, Page, Word
from tests.helpers.tiny import document, tiny_checkpoint

LETTER = """Harbour of Tarn
Report on the lighthouse
by Ines Faro and Otto Berg
4 May 2021

The lighthouse of Tarn has been repaired for the third time in this century. The lamp of the lighthouse now shines
twice as far as the lamp of 1950. Some visitors brought their dogs. The repair of the lamp took nine weeks.

2 Costs of the repair
The town paid for the lamp and the tower. Nobody else was asked for money. The harbour lent its crane for a week.
It was returned in June.

3 Outlook
The tower is painted next year. A second keeper is looked for in the villages."""


@pytest.fixture(scope="module")
def encoded() -> EncodedDocument:
    return Engine(tiny_checkpoint()).encode(document(LETTER, "The keeper lives in the tower.\nTarn, 7 June 2021"))


def sized(*lines: tuple[str, float]) -> Document:
    """A page with a word a line, each so high (of 1,000 points)."""
    text, words = "", []
    for index, (line, height) in enumerate(lines):
        box = (0.1, index / 100, 0.5, index / 100 + height / 1000)
        words.append(Word(start=len(text), end=len(text) + len(line), box=box))
        text += line + "\n"
    page = Page(number=1, text=text, words=tuple(words), width=600, height=1000)
    return Document(name="sized.pdf", sha256="", pages=(page,))


def test_the_title_is_set_larger_than_the_rest_and_may_have_two_lines() -> None:
    found = title_page.title(
        sized(("Ministry", 9), ("Of Wells", 20), ("and Springs", 20), ("Water is deep.", 10), ("It is.", 10))
    )
    assert found is not None and found.text == "Of Wells and Springs"


def test_a_page_number_or_a_drop_cap_is_no_title() -> None:
    found = title_page.title(sized(("7", 40), ("W", 60), ("Deep wells", 20), ("Water is deep.", 10), ("It is.", 10)))
    assert found is not None and found.text == "Deep wells"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# Of Wells\n\nWater.", "Of Wells"),
        ("From: Ines Faro\nSubject: Two wells\n\nDear Otto,", "Two wells"),
        ("\n\nThe wells of Tarn\nThey are deep.", "The wells of Tarn"),
    ],
)
def test_a_text_without_sizes_is_named_by_its_heading_its_subject_or_its_first_line(text: str, title: str) -> None:
    found = title_page.title(document(text))
    assert found is not None and found.text == title


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Exhibit 99.1\n\nWELLS OF TARN REPORTS ITS SECOND QUARTER\n\nThe wells of Tarn report.", "WELLS OF"),
        ("Journal of Springs, Vol. 4, No. 2, 2021\n\nThe depth of wells\nin dry years\n\nInes Faro\n\nWe measure wells"
         " in dry years and compare their depth.", "The depth of wells in dry years"),
        ("www.tarn.example\n\nRegeln für die Benutzung der Brunnen\n\nDie Brunnen sind nachts geschlossen, und ihre"
         " Benutzung ist dann verboten.", "Regeln für die Benutzung der Brunnen"),
        ("Descargado de www.tarn.example\n\nManual de los pozos\n\nLos pozos se limpian. El manual explica los pozos.",
         "Manual de los pozos"),
    ],
)  # fmt: skip
def test_a_letterhead_is_no_title_and_lines_that_stand_together_are_one(text: str, title: str) -> None:
    found = title_page.title(document(text))
    assert found is not None and found.text.startswith(title)


def test_a_long_title_says_what_a_document_is_about_and_a_short_one_needs_a_sentence() -> None:
    said = "The wells of Tarn are cleaned by hand once in every year of drought."
    engine = Engine(tiny_checkpoint())
    short = quoted("about", "?", [engine.encode(document(f"Wells\n\n{said}"))])
    name = "Cleaning deep public wells by hand during years of drought"
    long = quoted("about", "?", [engine.encode(document(f"{name}\n\n{said}"))])
    assert short and long and (short.text, long.text) == (f"Wells. {said}", name)


def test_a_document_without_words_has_no_title() -> None:
    assert title_page.title(document("", "12 34")) is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Wells\nby Ines Faro and Otto Berg\nWater", "Ines Faro and Otto Berg"),
        ("Author: Ines van Faro, Otto Berg", "Ines van Faro, Otto Berg"),
        ("Absender: Inés Faro", "Inés Faro"),
        ("作者：王小明", "王小明"),
    ],
)
def test_authors_stand_behind_by_or_a_label(text: str, names: str) -> None:
    found = title_page.authors(document(text))
    assert found is not None and found.text == names


@pytest.mark.parametrize(
    "names",
    ["Ines van Faro ¹,² and Otto Berg ³", "Inés Faro, Otto Berg*", "J. M. Faro & O. Berg", "Inés Faro y Otto Berg"],
)
def test_names_below_the_title_are_its_authors(names: str) -> None:
    text = f"The depth of wells in dry years\n\n{names}\n\nUniversity of Tarn\n\nWe measure the depth of wells."
    found = title_page.authors(document(text))
    assert found is not None and found.text == names.rstrip("*")


@pytest.mark.parametrize(
    "below", ["University of Tarn", "Annual Report", "We measure wells.", "Tarn, May 2021", "TARN"]
)
def test_what_is_no_list_of_names_below_the_title_names_no_author(below: str) -> None:
    assert title_page.authors(document(f"The depth of wells in dry years\n\n{below}\n\nThe wells are deep.")) is None


@pytest.mark.parametrize(
    "text",
    [
        "participated in it",
        "by 2020 all wells",
        "parts: Two",
        "It was dug by Ines Faro",
        "Wells\nby Region",
        "By\nInes Faro",
    ],
)
def test_other_words_name_no_author(text: str) -> None:
    assert title_page.authors(document(text)) is None


@pytest.mark.parametrize(
    "date", ["4 May 2021", "May 4, 2021", "2021-05-04", "4. Mai 2021", "4 de mayo de 2021", "2021年5月4日", "May 2021"]
)
def test_dates_in_several_languages_are_found(date: str) -> None:
    found = title_page.date(document(f"Wells\n{date}, at Tarn"))
    assert found is not None and found.text == date


def test_a_letter_that_is_dated_at_its_end() -> None:
    found = title_page.date(document("Dear Otto,", "Tarn, 7 June 2021"))
    assert found is not None and (found.text, found.page.number) == ("7 June 2021", 2)


def test_a_summary_says_what_the_document_repeats_and_says_it_once() -> None:
    said = [one.text for one in summary([document(LETTER)], 2)]
    assert said[0].startswith("The lighthouse of Tarn has been repaired")
    assert not any("dogs" in one for one in said)
    assert len(said) == len(set(said)) == 2


def test_a_summary_ends_where_it_is_long_enough() -> None:
    whole = summary([document(LETTER)], 4)
    short = summary([document(LETTER)], 4, characters=100)
    assert len(whole) == 4 and 1 <= len(short) < 4
    assert sum(len(one.text) for one in short) <= 130 + max(len(one.text) for one in short[:1])


@pytest.mark.parametrize(
    "question",
    [
        "Summarise what the town and the harbour gave.",
        "Fasse zusammen, was über town und harbour drinsteht.",
        "Summarise the part on costs in two sentences.",  # a word of the heading alone
    ],
)
def test_a_summary_of_a_topic_takes_the_sentences_about_it(question: str, encoded: EncodedDocument) -> None:
    answer = quoted("summary", question, [encoded])
    assert answer and "The town paid for the lamp and the tower." in answer.text
    assert "century" not in answer.text and "villages" not in answer.text


@pytest.mark.parametrize(
    "question", ["Summarise the lighthouse.", "Sum up this report in two sentences, please.", "Summarise the unicorns."]
)
def test_what_only_names_the_document_is_no_topic_of_a_summary(question: str, encoded: EncodedDocument) -> None:
    answer, whole = (quoted("summary", text, [encoded]) for text in (question, "Summarise this."))
    assert answer and whole and answer.text == whole.text


def test_a_summary_of_a_form_is_empty() -> None:
    assert summary([document("Name: Ines\nTotal: 80.00\nTax: 16.00")], 3) == ()


def test_a_section_is_quoted_even_where_the_question_is_taken_for_a_fact() -> None:
    encoded = Engine(tiny_checkpoint()).encode(document(LETTER))
    answer = quoted("fact", "What does section 2 say?", [encoded])
    assert answer and answer.text.startswith("2 Costs of the repair. The town paid")
    assert quoted("fact", "Who paid for the lamp?", [encoded]) is None


def test_markup_is_no_sentence_of_a_summary() -> None:
    text = '<link rel="style" href="a.css"> The page has a style of its own.\nThe keeper lights the lamp every night.'
    assert [one.text for one in summary([document(text)], 3)] == ["The keeper lights the lamp every night."]


@pytest.mark.parametrize("intent", ["about", "summary", "key_points", "title"])
def test_what_is_quoted_stands_in_the_document_with_its_page(intent: Intent, encoded: EncodedDocument) -> None:
    answer = quoted(intent, "?", [encoded])
    assert answer is not None and answer.found and answer.finished and not answer.is_message
    pages = {page.number: page for page in encoded.document.pages}
    for place in answer.evidence:
        words = " ".join(pages[place.page].text[place.start : place.end].split())
        assert words in answer.text and words in " ".join(place.quote.split())
    assert sum(place.score for place in answer.evidence) == pytest.approx(1.0)


@pytest.mark.parametrize("intent", ["translate", "write", "chat"])
def test_what_cannot_be_done_is_said_and_nothing_is_quoted(intent: Intent, encoded: EncodedDocument) -> None:
    answer = quoted(intent, "?", [encoded])
    assert answer is not None and answer.is_message and not answer.found and not answer.evidence


def test_what_is_known_of_the_file_is_no_question_to_the_decoder(encoded: EncodedDocument) -> None:
    answer = quoted("about_file", "how long is it", [encoded])
    assert answer is not None and answer.found and "2 pages" in answer.text


@pytest.mark.parametrize("intent", ["fact", "authors", "date", "audience", "list_all", "calculate", "follow_up"])
def test_the_others_need_the_decoder(intent: Intent, encoded: EncodedDocument) -> None:
    assert quoted(intent, "?", [encoded]) is None


def test_where_the_decoder_finds_nothing_the_first_page_may_tell(encoded: EncodedDocument) -> None:
    nothing = Answer(question="?", text=NOT_FOUND, is_message=True, found=False, finished=True)
    told = instead_of_nothing("authors", nothing, [encoded])
    assert (told.text, told.found, told.is_message) == ("Ines Faro and Otto Berg", True, False)
    assert instead_of_nothing("date", nothing, [encoded]).text == "4 May 2021"
    assert instead_of_nothing("fact", nothing, [encoded]).text == NOT_FOUND
    assert "calculate" in instead_of_nothing("calculate", nothing, [encoded]).text


def test_the_beginnings_of_all_documents_are_shown(encoded: EncodedDocument) -> None:
    long = replace(encoded, tokens=encoded.tokens)
    shown = lead_tokens([encoded, long])
    assert len(shown) == 2 * encoded.token_count
    assert int(shown.sum()) == 2 * min(encoded.token_count, LEAD_TOKENS // 2)
    assert bool(shown[0]) and bool(shown[encoded.token_count])
