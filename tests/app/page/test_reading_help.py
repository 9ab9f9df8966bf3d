"""Reading help without the model: a document at a glance, page search, and what the model saw."""

from __future__ import annotations

import pytest

from app.overview.contents import contents
from app.overview.overview import overview
from app.overview.questions import possible_questions
from app.overview.search import MOST_HITS, search
from app.page import panels
from app.sessions.overview import Opening
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


def test_a_document_opens_with_its_title_its_kind_and_sentences_that_stand_in_it() -> None:
    document = typeset(("Harbour office", 0.01), ("Annual report", 0.04), ("of the lighthouse", 0.04), ("All", 0.01))
    assert overview(document).title == "Annual report of the lighthouse"
    assert overview(document).kind == "Report"
    seen = overview(a_document("a.pdf", a_page(1, REPORT)))
    assert 1 <= len(seen.sentences) <= 3
    for sentence in seen.sentences:
        assert " ".join(sentence.page.text[sentence.start : sentence.end].split()) == sentence.text


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.pdf", "Rechnung Nr. 7\nSumme: 12 Euro", "Invoice"),
        ("b.txt", "Dear Ms Okafor,\nthe lamp has come.", "Letter"),
        ("c.eml", "The lamp has come.", "Message"),
        ("d.txt", "A reporter came to the lighthouse.", ""),
        ("e.pdf", "Jahresbericht 2024\nDie Lampe", "Report"),
    ],
)
def test_the_kind_of_a_document_is_told_by_its_head(name: str, text: str, kind: str) -> None:
    assert overview(a_document(name, a_page(1, text))).kind == kind


def test_contents_are_what_is_set_larger_or_numbered_and_else_how_pages_begin() -> None:
    document = typeset(("The lighthouse", 0.04), ("Its lamp is lit at dusk.", 0.01), ("Its keeper", 0.02), ("x", 0.01))
    assert [one.text for one in contents(document)] == ["The lighthouse", "Its keeper"]
    plain = a_document("a.txt", a_page(1, "Notes of a keeper.\n\nmore"), a_page(2, "Fog until noon."))
    assert [(one.page.number, one.text) for one in contents(plain)] == [
        (1, "Notes of a keeper."), (2, "Fog until noon.")
    ]  # fmt: skip
    assert [one.text for one in contents(a_document("a.md", a_page(1, "# The lamp\nlit\n## The oil\nold")))] == [
        "The lamp", "The oil"
    ]  # fmt: skip
    assert contents(a_document("a.pdf", a_page(1, ""))) == ()


def test_fields_rows_and_names_are_asked_about() -> None:
    asked = possible_questions(a_document("a.pdf", a_page(1, REPORT)))
    assert asked == ("Who is the supplier?", "What is the total?")
    named = a_document("a.pdf", a_page(1, "The accounts were checked by Ines Barros, director of the harbour office."))
    assert possible_questions(named) == ("Who is Ines Barros?",)


def test_a_document_without_text_opens_with_nothing() -> None:
    document = a_document("a.pdf", a_page(1, ""))
    assert (overview(document).title, overview(document).kind, overview(document).sentences) == ("", "", ())
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
    opened = panels.Opened(viewed=of, opening=Opening(key=of.key, overview=overview(of.document), after=0))
    for shown in (
        panels.conversation([], [opened], waiting_for=""),
        panels.contents(of),
        panels.hits(search([of.encoded.document], "<i>")),
    ):
        assert not any(tag in shown for tag in ("<img src=x", "<b>", "<i>", "<u>"))
