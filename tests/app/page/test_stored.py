"""The library on the page: nothing is read twice, conversations go on, what is removed can be had back."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.documents import DocumentReader
from app.library.library import Library
from model.checkpoints.checkpoint import Checkpoint
from model.errors import ReadonceError
from tests.helpers.awaited import wait_until
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab, open_tab
from tests.helpers.tiny import random_projection

LAMP = pdf("The lamp of Lindau was lit in 1871.", "Its keeper was Omar Haddad.")
HARBOUR = pdf("The harbour of Bregenz opened in 1920.")

Start = Callable[[], Tab]


@pytest.fixture
def start(tiny_checkpoint: Checkpoint, page_reader: DocumentReader, tmp_path: Path) -> Iterator[Start]:
    """Start the app, as often as one likes, on one library."""
    opened = []

    def start() -> Tab:
        opened.append(Library.open(tmp_path / "library", capacity_bytes=100_000_000))
        return open_tab(tiny_checkpoint, page_reader, tmp_path, opened[-1])

    yield start
    for library in opened:
        library.close()


def number_in(html: str | None, event: str) -> str:
    """The number of the first thing that this event is offered for."""
    found = re.search(rf'data-event="{event}" data-\w+="(\d+)"', html or "")
    assert found, html
    return found[1]


def test_what_was_dropped_before_is_not_read_again(start: Start) -> None:
    first = start()
    first.drop(("lamp.pdf", LAMP))
    first.ask("Who was the keeper?")
    tab = start()
    shown = tab.drop(("lamp.pdf", LAMP))
    assert tab.engine.encoder_tokens == 0 and "lamp.pdf" in (shown.documents or "")
    tab.ask("Who was the keeper?")
    before, after = (one.session.conversation.exchanges[0].answer for one in (first, tab))
    assert (after.text, after.confidence, after.evidence) == (before.text, before.confidence, before.evidence)
    assert '<div class="sheet"' in (tab.settled().pages or "")


def test_what_is_read_can_soon_be_found_by_its_meaning(
    tiny_checkpoint: Checkpoint, page_reader: DocumentReader, tmp_path: Path
) -> None:
    projection = random_projection(tiny_checkpoint.model.config.decoder.hidden_size)
    library = Library.open(tmp_path / "library", capacity_bytes=100_000_000)
    tab = open_tab(replace(tiny_checkpoint, retrieval=projection), page_reader, tmp_path, library)
    tab.drop(("lamp.pdf", LAMP), ("harbour.pdf", HARBOUR))
    wait_until(lambda: library.database.number("SELECT count(*) FROM vectors") == 2)
    library.database.rows("DELETE FROM vectors")  # as in a library that an earlier version has made
    tab.stored.choose_scope(tab.session.id, tab.event(scope="everything", folder=""))
    tab.ask("Who was the keeper of the lamp of Lindau?")
    tab.settled()
    wait_until(lambda: library.database.number("SELECT count(*) FROM vectors") == 2)
    library.close()


def test_past_documents_and_conversations_open_with_one_click(start: Start) -> None:
    first = start()
    first.drop(("lamp.pdf", LAMP))
    first.ask("Who was the keeper?")
    tab = start()
    panel = tab.settled().library
    assert "lamp.pdf" in (panel or "") and "Who was the keeper?" in (panel or "")
    tab.stored.open_conversation(tab.session.id, tab.event(conversation=number_in(panel, "open_conversation")))
    shown = tab.settled()
    assert [one.name for one in tab.session.documents] == ["lamp.pdf"] and tab.engine.encoder_tokens == 0
    conversation = shown.conversation or ""
    assert conversation.index("About this document") < conversation.index("Who was the keeper?")  # the answer is last
    tab.ask("And when?")
    assert [one.number for one in tab.session.conversation.exchanges] == [1, 2]
    assert (start().settled().library or "").count("open_conversation") == 1


def test_everything_is_asked_and_the_evidence_is_opened(start: Start) -> None:
    start().drop(("lamp.pdf", LAMP), ("harbour.pdf", HARBOUR))
    tab = start()
    tab.stored.choose_scope(tab.session.id, tab.event(scope="everything", folder=""))
    tab.ask("When did the harbour of Bregenz open?")
    wait_until(lambda: bool(tab.session.documents))
    (exchange,) = tab.session.conversation.exchanges
    assert exchange.status == "done" and "asked 2 documents of the library" in exchange.receipt
    assert tab.session.documents[0].name == exchange.answer.evidence[0].document
    assert tab.engine.encoder_tokens == 0 and '<div class="sheet"' in (tab.settled().pages or "")


def test_what_is_removed_can_be_had_back(start: Start) -> None:
    tab = start()
    tab.drop(("lamp.pdf", LAMP))
    number = number_in(tab.screen.everything(tab.session).library, "remove_stored")
    tab.stored.remove_stored(tab.session.id, tab.event(stored=number))
    panel = tab.screen.everything(tab.session).library
    assert number_in(panel, "undo_removal") == number and "remove_stored" not in (panel or "")
    tab.stored.undo_removal(tab.session.id, tab.event(stored=number))
    assert number_in(tab.settled().library, "remove_stored") == number


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("used", ["b.pdf", "a.pdf"]),
        ("name", ["a.pdf", "b.pdf"]),
        ("size", ["a.pdf", "b.pdf"]),
        ("?", ["b.pdf", "a.pdf"]),
    ],
)
def test_the_list_is_sorted_as_the_person_chooses(start: Start, order: str, names: list[str]) -> None:
    tab = start()
    tab.drop(("a.pdf", LAMP), ("b.pdf", HARBOUR))
    tab.stored.sort_library(tab.session.id, tab.event(value=order))
    panel = tab.settled().library or ""
    assert re.findall(r'data-event="open_stored" data-stored="\d+" title="([^"]+)"', panel) == names
    assert re.findall(r'<option value="(\w+)" selected>', panel) == [order if order != "?" else "used"]


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5_000, "-1", "1e3", "x", ""])
def test_a_number_that_numbers_nothing_is_refused_in_words(
    start: Start, number: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Events are requests, and anybody who reaches the page can send any."""
    tab = start()
    tab.drop(("lamp.pdf", LAMP))
    session, stored, event = tab.session.id, tab.stored, tab.event(stored=number, conversation=number, page=number)
    for happens in (stored.open_stored, stored.remove_stored, stored.undo_removal, stored.open_conversation,
                    stored.remove_conversation, tab.handlers.open, tab.handlers.like):  # fmt: skip
        with contextlib.suppress(ReadonceError):
            happens(session, event)
    tab.stored.search_library(session, tab.event(value="lamp " * 10_000))
    assert "lamp.pdf" in str(tab.settled().library)
    assert "A fault in Readonce" not in caplog.text


def test_forgetting_everything_is_asked_once(start: Start) -> None:
    tab = start()
    tab.drop(("lamp.pdf", LAMP))
    tab.stored.forget_library(tab.session.id)
    assert "forget_library_now" in (tab.settled().library or "")
    tab.stored.forget_library_now(tab.session.id)
    assert "not even tomorrow" in (tab.settled().library or "")


def test_an_edited_file_replaces_its_earlier_version_and_says_so(start: Start) -> None:
    tab = start()
    tab.drop(("lamp.pdf", LAMP))
    tab.ask("When?")
    shown = tab.drop(("lamp.pdf", pdf("The lamp was lit in 1900.")))
    assert "replaces its earlier version" in (shown.messages or "")
    later = start()
    number = number_in(later.settled().library, "open_conversation")
    later.stored.open_conversation(later.session.id, later.event(conversation=number))
    assert "changed since" in (later.settled().messages or "")


@pytest.mark.parametrize("keep", [False, True])
def test_a_protected_file_is_kept_only_if_the_person_says_so(start: Start, keep: bool) -> None:
    tab = start()
    tab.drop(("secret.pdf", pdf("The code is 4711.", password="sesame")))
    tab.handlers.unlock(tab.session.id, "sesame", keep)
    shown = tab.settled()
    assert len(tab.session.documents) == 1
    assert ("secret.pdf" in (shown.library or "")) is keep
    assert ("a password protects it" in (shown.messages or "")) is not keep


def test_a_full_library_is_said_and_the_document_can_be_asked(
    tiny_checkpoint: Checkpoint, page_reader: DocumentReader, tmp_path: Path
) -> None:
    library = Library.open(tmp_path / "library", capacity_bytes=1_000)
    tab = open_tab(tiny_checkpoint, page_reader, tmp_path, library)
    shown = tab.drop(("lamp.pdf", LAMP))
    assert "READONCE_LIBRARY_MB" in (shown.messages or "") and len(tab.session.documents) == 1
    tab.ask("When?")
    assert tab.session.conversation.exchanges[0].status == "done"
    library.close()


def test_conversations_of_an_earlier_version_are_still_read(start: Start) -> None:
    first = start()
    first.drop(("lamp.pdf", LAMP))
    first.ask("Who was the keeper?")
    library = first.stored._storage.library
    assert library is not None
    with library.database.writing():
        library.database.rows(
            "UPDATE exchanges SET exchange = json_remove(exchange, '$.partial_source', '$.answer.evidence[0].words')"
        )
    tab = start()
    number = number_in(tab.settled().library, "open_conversation")
    tab.stored.open_conversation(tab.session.id, tab.event(conversation=number))
    tab.settled()
    assert [one.question for one in tab.session.conversation.exchanges] == ["Who was the keeper?"]
