"""A scan whose later pages are still being recognised is looked at, asked and kept as far as it is read.

What is told of its first pages is what these pages alone would give (`tests/app/documents/test_partly_read.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from app.documents import DocumentReader, PartlyRead, ReadDocument
from app.library.library import Library
from app.page.page_views import PageViews
from model.checkpoints.checkpoint import Checkpoint
from model.encoding.file_format import join_chunks
from model.types import EncodedDocument
from tests.helpers.awaited import PATIENCE, wait_until
from tests.helpers.documents import pdf as printed
from tests.helpers.documents import scanned, written
from tests.helpers.jobs import a_job
from tests.helpers.metrics import samples
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab, open_tab

pytestmark = pytest.mark.slow

SCAN = scanned(
    printed(
        *(written("Harbour annals", f"{n} ships came in {1900 + n}", step=40, size=16) for n in range(1, 7)),
        width=300,
        height=300,
    )
)


class HeldReader(DocumentReader):
    """A reader that goes no further than a page until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 5
        self.may_go_on = threading.Event()
        self.told: list[PartlyRead] = []

    def read(self, *arguments: Any, so_far: Any = None, **options: Any) -> ReadDocument:
        def held(part: PartlyRead) -> None:
            if so_far is not None:
                so_far(part)
                self.told.append(part)
                if len(part.pages) == self.at:
                    assert self.may_go_on.wait(PATIENCE)

        return super().read(*arguments, so_far=held, **options)


@pytest.fixture
def held() -> Iterator[HeldReader]:
    with HeldReader() as reader:
        yield reader
        reader.may_go_on.set()


@pytest.fixture
def tab(tiny_checkpoint: Checkpoint, held: HeldReader, tmp_path: Path) -> Tab:
    tab = open_tab(tiny_checkpoint, held, tmp_path, patience_seconds=0.0)
    tab.session.views = "text"  # this checkpoint has eyes
    return tab


def begin(tab: Tab, held: HeldReader, data: bytes = SCAN) -> None:
    """Drop a file and wait until five of its pages are read, and what is encoded of them can be asked."""
    tab.begin_to_drop(("scan.pdf", data))
    wait_until(lambda: len(held.told) == held.at)
    wait_until(lambda: not tab.session.jobs.count("first pages"))


def pieces(tab: Tab) -> tuple[EncodedDocument, ...]:
    arrival = tab.session.inbox.arrival
    return arrival.pieces if arrival else ()


def same(one: EncodedDocument, other: EncodedDocument) -> bool:
    """Bit for bit: the document, the tokens and the states."""
    pairs = [
        (getattr(one.tokens, name), getattr(other.tokens, name)) for name in ("ids", "pages", "starts", "ends")
    ] + [(one.memory.hidden, other.memory.hidden), (one.memory.key_inv_rms, other.memory.key_inv_rms)]
    return (one.document, one.chunks) == (other.document, other.chunks) and all(torch.equal(*pair) for pair in pairs)


def test_its_first_pages_are_seen_and_asked_and_the_whole_takes_their_place(tab: Tab, held: HeldReader) -> None:
    begin(tab, held)
    page = tab.screen.everything(tab.session)
    assert "6 pages · 5 read · you can ask already" in str(page.reading)
    assert str(page.pages).count('class="sheet"') == 5
    arrival = tab.session.inbox.arrival
    assert arrival is not None
    assert PageViews(tab.sessions).picture(tab.session.id, arrival.key, 5, 1_100)

    assert same(join_chunks(pieces(tab)), tab.engine.encode(held.told[3].document, views="text"))

    tab.handlers.pose(tab.session.id, "How many ships came?")
    wait_until(lambda: not tab.session.conversation.answering)
    (exchange,) = tab.session.conversation.exchanges
    assert exchange.note == "Answered from the first 4 pages of 6 of scan.pdf."
    assert {one.page for one in exchange.answer.attention} == {1, 2, 3, 4}
    assert "The rest is still being read." in str(tab.screen.everything(tab.session).conversation)

    held.may_go_on.set()
    assert "The rest has been read since." in str(tab.settled().conversation)
    (loaded,) = tab.session.documents
    assert loaded.is_whole and len(loaded.document.pages) == 6
    assert same(loaded.encoded, tab.engine.encode(loaded.document, views="text"))
    tab.handlers.retry(tab.session.id, tab.event(exchange="1"))
    tab.settled()
    assert {one.page for one in tab.session.conversation.exchanges[0].answer.attention} == {1, 2, 3, 4, 5, 6}


def test_what_was_read_is_kept_when_it_is_cancelled(tab: Tab, held: HeldReader) -> None:
    begin(tab, held)
    tab.handlers.cancel(tab.session.id)
    held.may_go_on.set()
    page = tab.settled()
    assert "the first 5 of 6 pages of scan.pdf were read and can be asked" in str(page.messages)
    (loaded,) = tab.session.documents
    assert [one.number for one in loaded.document.pages] == [1, 2, 3, 4, 5]
    assert not loaded.is_whole
    five = held.told[4].document
    assert same(loaded.encoded, tab.engine.encode(five, views="text"))
    assert loaded.pictures.picture(5, width=1_100)
    assert "receipt" in str(tab.ask("How many ships came?").conversation)
    held.at = 0
    tab.drop(("scan.pdf", SCAN))
    assert [len(one.document.pages) for one in tab.session.documents if one.is_whole] == [6]


@pytest.mark.parametrize(("at", "kept"), [(0, 6), (4, 4), (5, 5)])  # read whole; cancelled where it was encoded; later
def test_it_is_counted_as_one_document_however_often_its_first_pages_were_encoded(
    tab: Tab, held: HeldReader, at: int, kept: int
) -> None:
    if at:
        held.at = at
    begin(tab, held)
    if at:
        tab.handlers.cancel(tab.session.id)
    held.may_go_on.set()
    tab.settled()
    (loaded,) = tab.session.documents
    counted = samples(tab.metrics.text().decode())
    assert counted["readonce_read_documents_total"] == counted["readonce_read_seconds_count"] == 1
    assert counted["readonce_read_pages_total"] == len(loaded.document.pages) == kept
    assert counted["readonce_read_tokens_total"] == loaded.encoded.token_count


def test_nothing_of_it_stays_when_everything_is_forgotten(tab: Tab, held: HeldReader) -> None:
    begin(tab, held)
    tab.handlers.forget_all(tab.session.id)
    held.may_go_on.set()
    wait_until(lambda: not tab.session.jobs.count("reading"))
    assert tab.session.documents == () and tab.sessions.used_bytes == 0


def test_a_document_with_a_text_of_its_own_is_read_whole_before_it_is_shown(tab: Tab, held: HeldReader) -> None:
    before = tab.engine.encoder_tokens
    begin(tab, held, pdf(*[f"In {1900 + number} {number} ships came." for number in range(6)]))
    arrival = tab.session.inbox.arrival
    assert arrival is not None and arrival.viewed is None and arrival.pieces == ()
    assert tab.engine.encoder_tokens == before
    held.may_go_on.set()
    tab.settled()
    assert tab.engine.encoder_tokens - before == tab.session.documents[0].encoded.token_count


def test_nothing_is_encoded_before_its_time_while_somebody_else_waits_for_the_encoder(
    tab: Tab, held: HeldReader
) -> None:
    with tab.scheduler.reading(a_job(), 1_000):
        begin(tab, held)
        assert str(tab.screen.everything(tab.session).pages).count('class="sheet"') == 5
        assert pieces(tab) == ()


def test_no_document_makes_room_for_pages_that_are_encoded_before_their_time(tab: Tab, held: HeldReader) -> None:
    tab.drop(("note.txt", b"The ferry leaves at nine."))
    tab.sessions.capacity_bytes = tab.sessions.used_bytes + len(SCAN) + 5_000
    begin(tab, held)
    assert pieces(tab) == () and len(tab.session.documents) == 1


def test_the_library_keeps_only_the_whole_document(
    tiny_checkpoint: Checkpoint, held: HeldReader, tmp_path: Path
) -> None:
    library = Library.open(tmp_path / "library", capacity_bytes=100_000_000)
    tab = open_tab(tiny_checkpoint, held, tmp_path, library)
    begin(tab, held)
    assert len(pieces(tab)) > 0 and list(library.documents()) == []
    held.may_go_on.set()
    tab.settled()
    (stored,) = library.documents()
    assert stored.pages == 6
    library.close()
