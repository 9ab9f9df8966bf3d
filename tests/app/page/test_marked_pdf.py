"""A copy of a PDF with the answers where they stand; what is no PDF, or has no answers, is told so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pymupdf
import pytest

from app.page import export
from app.page.viewing import ViewerHandlers
from app.sessions.conversation import Exchange
from model.types import Answer, Evidence
from tests.helpers.awaited import awaited
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab

QUIET = "Nothing is said here."
LAMP = "The lamp of Lindau was lit in 1871."


def taken(tab: Tab, name: str) -> Path | None:
    """The file that the browser gets, if it gets one."""
    loaded = next(one for one in tab.session.documents if one.name == name)
    handlers = ViewerHandlers(tab.sessions, tab.folder)
    update = awaited(handlers.save_marked(tab.session.id, tab.event(document=loaded.key)))
    return Path(update.download) if update.download else None


def answer(tab: Tab, name: str, page: int, words: str, said: str, *, verbatim: bool = True) -> None:
    """As if a question had been answered from these words."""
    loaded = next(one for one in tab.session.documents if one.name == name)
    start = next(one.text for one in loaded.document.pages if one.number == page).index(words)
    place = Evidence(
        document=name, document_index=0, page=page, start=start, end=start + len(words), quote=words, score=1.0,
        verbatim=verbatim,
    )  # fmt: skip
    tab.session.conversation.pose(f"What of {words}?")
    posed = tab.session.conversation.exchanges[-1]
    done = Answer(question=posed.question, text=said, finished=True, stop_reason="end", evidence=(place,))
    tab.session.conversation.update(replace(posed, answer=done, status="done", sources=(loaded.key,)))


def notes(path: Path, password: str = "") -> list[tuple[int, str, str]]:
    """Of each highlight its page, the words under it, and its note."""
    found = []
    with pymupdf.open(path) as document:
        assert not password or document.authenticate(password)
        for page in document:
            for mark in page.annots():
                assert mark.type[1] == "Highlight" and mark.info["title"] == "Readonce"
                words = [word[4] for word in page.get_text("words") if pymupdf.Rect(word[:4]) in mark.rect]
                found.append((page.number + 1, " ".join(words), mark.info["content"]))
    return found


@pytest.mark.parametrize("turns", [0, 90, 270])
def test_each_answer_is_a_highlight_with_question_and_answer_as_its_note(tab: Tab, turns: int) -> None:
    with pymupdf.open(stream=pdf(QUIET, LAMP)) as document:
        document[1].set_cropbox(pymupdf.Rect(20, 30, 560, 800))
        document[1].set_rotation(turns)
        tab.drop(("lamp.pdf", document.tobytes()))
    answer(tab, "lamp.pdf", 2, "1871", "In 1871.")
    answer(tab, "lamp.pdf", 2, "lamp of Lindau", "Größe 中", verbatim=False)
    path = taken(tab, "lamp.pdf")
    assert path is not None and path.name == "lamp marked.pdf"
    assert notes(path) == [
        (2, "1871.", "What of 1871?\n\nIn 1871."),
        (2, "lamp of Lindau", "What of lamp of Lindau?\n\nGröße 中"),
    ]
    tab.drop(("again.pdf", path.read_bytes()))  # the copy is a document like any other
    assert LAMP in tab.session.documents[-1].document.pages[1].text


def test_a_copy_of_a_protected_pdf_takes_the_same_password(tab: Tab) -> None:
    tab.drop(("lamp.pdf", pdf(LAMP, password="secret")))
    tab.handlers.unlock(tab.session.id, "secret")
    tab.settled()
    answer(tab, "lamp.pdf", 1, "1871", "In 1871.")
    path = taken(tab, "lamp.pdf")
    assert path is not None
    with pymupdf.open(path) as document:
        assert document.needs_pass
    assert [page for page, _, _ in notes(path, "secret")] == [1]


def test_what_is_no_pdf_or_has_no_answer_is_told_so(tab: Tab) -> None:
    tab.drop(("lamp.txt", LAMP.encode()), ("lamp.pdf", pdf(LAMP)))
    answer(tab, "lamp.txt", 1, "1871", "In 1871.")
    assert taken(tab, "lamp.txt") is None
    assert "'lamp.txt' is no PDF" in tab.session.messages[-1]
    assert taken(tab, "lamp.pdf") is None
    assert "No answer of this conversation stands in lamp.pdf" in tab.session.messages[-1]


def test_a_document_without_its_file_is_told_so(tab: Tab) -> None:
    tab.drop(("lamp.pdf", pdf(LAMP)))
    saved = export.save(tab.session.documents[0], tab.folder).read_bytes()
    tab.session.forget(tab.session.documents[0].key)
    tab.drop(("lamp.safetensors", saved))
    answer(tab, "lamp.pdf", 1, "1871", "In 1871.")
    assert taken(tab, "lamp.pdf") is None
    assert "came as an encoding, without its file" in tab.session.messages[-1]


def test_answers_that_fail_or_are_still_waited_for_are_not_marked(tab: Tab) -> None:
    tab.drop(("lamp.pdf", pdf(LAMP)))
    answer(tab, "lamp.pdf", 1, "1871", "In 1871.")
    done: Exchange = tab.session.conversation.exchanges[0]
    tab.session.conversation.update(replace(done, status="failed"))
    assert taken(tab, "lamp.pdf") is None
