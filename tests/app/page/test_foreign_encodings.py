"""A crafted encoding is refused on the page in words; what cannot be drawn costs itself and nothing else."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.languages import Languages
from app.overview.overview import overview
from app.page import export, panels
from app.page.export import restore
from app.page.panels.pages import Traces
from app.sessions.overview import Opening
from app.sessions.viewed import Loaded
from model.errors import DocumentError, EncodingError
from model.types import Document, Page
from tests.helpers.awaited import awaited, wait_until
from tests.helpers.crafted import PICTURE, Change, crafted, saved, with_field, with_tensor
from tests.helpers.mutations import craft
from tests.helpers.stand_ins import a_page, loaded, pdf
from tests.helpers.tab import Tab

SECRET = "The lamp was lit in 1871."
LETTER = pdf(SECRET, "Nothing else is known.")


@pytest.fixture
def data(tab: Tab, tmp_path: Path) -> bytes:
    """A saved encoding of the checkpoint that runs."""
    tab.drop(("letter.pdf", LETTER))
    (document,) = tab.session.documents
    tab.handlers.forget_all(tab.session.id)
    return saved(document.encoded, tmp_path, {1: PICTURE})


def without_pages(tensors: dict[str, torch.Tensor], header: dict[str, Any]) -> None:
    """A document of no page, and of tokens that stand on none."""
    header["document"]["pages"] = []
    for name in ("pages", "starts", "ends"):
        tensors[f"tokens.{name}"] = torch.zeros_like(tensors[f"tokens.{name}"])
    for name in ("spans", "boxes"):
        tensors[f"words.{name}"] = tensors[f"words.{name}"][:0]


@pytest.mark.parametrize(
    "change",
    [
        without_pages,
        with_field("<b>", "document", "pages", 0, "number"),
        with_field("1;background:url(x)", "document", "pages", 0, "width"),
        with_field('"><img src=x>', "document", "sha256"),
        with_field("../../x", "document", "name"),
        with_field([1], "fingerprint"),
        with_tensor("memory.key_scales", lambda scales: scales[:, :0]),
        with_tensor("memory.hidden", lambda states: states * torch.nan),
    ],
)
def test_a_crafted_encoding_is_refused_and_the_session_goes_on(tab: Tab, data: bytes, change: Change) -> None:
    page = tab.drop(("crafted.safetensors", crafted(data, change)), ("letter.pdf", LETTER))
    assert "crafted.safetensors is not a readable encoding" in str(page.messages)
    assert [document.name for document in tab.session.documents] == ["letter.pdf"]
    assert "Page 1 of letter.pdf" in str(page.pages)


def test_one_that_does_not_fit_the_checkpoint_answers_in_words(tab: Tab, data: bytes) -> None:
    narrow = crafted(data, with_tensor("memory.hidden", lambda states: states[:, :16]))
    tab.drop(("narrow.safetensors", narrow))
    assert "but the checkpoint in use has" in str(tab.ask("When was the lamp lit?").conversation)


def test_a_name_from_an_encoding_leads_to_no_other_folder(tab: Tab, data: bytes) -> None:
    tab.drop(("odd.safetensors", crafted(data, with_field("..x<b>" + "é" * 200 + ".pdf", "document", "name"))))
    (document,) = tab.session.documents
    made = awaited(tab.handlers.save(tab.session.id, tab.event(document=document.key)))
    path = Path(str(made.download))
    assert path.is_file() and path.name.endswith("é.pdf.safetensors") and len(path.name) < 80
    assert restore(path.read_bytes(), path.name).name == document.name


def odd(*pages: Page) -> Loaded:
    """A document that got into a session in spite of everything and cannot be drawn."""
    good = loaded("odd.pdf")
    document = Document(name="odd.pdf", sha256="odd", pages=pages)
    return replace(good, document=document, encoded=replace(good.encoded, document=document))


@pytest.mark.parametrize(
    "document",
    [
        odd(),
        odd(replace(a_page(1, SECRET), number="<b>")),  # type: ignore[arg-type]
        odd(replace(a_page(1, SECRET), width=None)),  # type: ignore[arg-type]
    ],
)
def test_a_document_that_cannot_be_drawn_costs_itself(
    tab: Tab, document: Loaded, caplog: pytest.LogCaptureFixture
) -> None:
    """Also after a reload: the other document is seen and asked, and this one can be let go."""
    tab.drop(("letter.pdf", LETTER))
    (letter,) = tab.session.documents
    tab.session._documents[document.key] = document
    tab.handlers.open(tab.session.id, tab.event(document="odd", page="1"))
    for _ in range(2):
        *_, shown = tab.watch("a new tab")[:-1]
        assert "This failed through a fault" in f"{shown.documents}{shown.pages}{shown.page_text}"
        assert "letter.pdf" in str(shown.documents)
        assert 'data-event="forget" data-document="odd"' in str(shown.documents)
        tab.handlers.leave("a new tab")
    assert SECRET not in caplog.text
    tab.handlers.open(tab.session.id, tab.event(document=letter.key, page="2"))
    assert "Page 2 of letter.pdf" in str(tab.settled().pages)
    tab.handlers.forget(tab.session.id, tab.event(document="odd"))
    assert "fault" not in str(tab.settled().documents)
    assert tab.ask("When?").conversation


def test_a_fault_is_logged_without_what_it_says(tab: Tab, caplog: pytest.LogCaptureFixture) -> None:
    tab.session._documents["odd"] = odd(replace(a_page(1, SECRET), number=int))  # type: ignore[arg-type]
    tab.handlers.open(tab.session.id, tab.event(document="odd", page="1"))
    tab.settled()
    assert "A fault in Readonce: TypeError" in caplog.text and "panels" in caplog.text
    assert SECRET not in caplog.text and "unsupported operand" not in caplog.text


@given(drawn=st.data())
@settings(max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_whatever_is_loaded_can_be_drawn(data: bytes, drawn: st.DataObject) -> None:
    """A page without a picture says so."""

    def change(tensors: dict[str, torch.Tensor], header: dict[str, Any]) -> None:
        craft(drawn.draw, tensors, header)

    try:
        document = restore(crafted(data, change), "crafted.safetensors")
    except EncodingError:
        return
    say = Languages().accepted("de")
    for page in document.document.pages:
        shown = panels.documents([document], [document], "", fingerprint="x") + panels.page_text(document, page.number)
        card = Opening(key=document.key, overview=overview(document.document), after=0)
        shown += panels.conversation([], [panels.Opened(viewed=document, opening=card)], waiting_for="")
        shown += panels.contents(document)
        try:
            shown += panels.viewer(document, page.number, Traces()) + panels.page_words(page)
            shown += document.pictures.url(page.number, width=1100)
        except DocumentError as error:
            assert "picture of page" in str(error)
        assert "<script" not in say.html(shown)


def test_encodings_are_checked_one_at_a_time(tab: Tab, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each takes many times its size meanwhile, whoever drops it."""
    at_once = threading.Semaphore()
    second_is_in = threading.Event()
    overlaps: list[bool] = []

    def noting(data: bytes, name: str) -> Loaded:
        if not at_once.acquire(blocking=False):
            second_is_in.set()
            return restore(data, name)
        overlaps.append(second_is_in.wait(0.5))
        at_once.release()
        return restore(data, name)

    monkeypatch.setattr(export, "restore", noting)
    other = tab.sessions.session(tab.handlers.enter("another tab", ""))
    tab.begin_to_drop(("one.safetensors", data))
    (path := tab.folder / "two.safetensors").write_bytes(data)
    tab.handlers.receive(other.id, [str(path)], "")
    wait_until(lambda: bool(tab.session.documents) and bool(other.documents))
    assert overlaps == [False, False]
