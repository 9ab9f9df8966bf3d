"""What happens when a person asks, stops, retries, edits, takes back and likes, without a browser."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.documents import DocumentReader
from model.answering.questions import refers_back
from model.checkpoints.checkpoint import Checkpoint
from model.errors import Message
from model.types import EncodedDocument, Turn
from tests.helpers.awaited import PATIENCE, wait_until
from tests.helpers.jobs import a_job
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab, open_tab

LETTER = pdf("Dear Clara, the lamp of the lighthouse will be lit on Friday.", "Yours, Peter Holm")


@pytest.fixture
def read(tab: Tab) -> Tab:
    tab.drop(("letter.pdf", LETTER))
    return tab


def test_an_answer_streams_and_ends_with_its_receipt(read: Tab) -> None:
    assert read.handlers.pose(read.session.id, "Who wrote?").question == ""
    updates = [update for update in read.watch() if update.conversation]
    assert "read once: " not in str(updates[0].conversation)  # the question is shown before its answer is there
    assert "read once: 2 pages, " in str(updates[-1].conversation)
    assert "re-read: 0" in str(updates[-1].conversation)
    assert read.settled().busy is False


def test_ten_questions_to_three_documents_encode_nothing(read: Tab) -> None:
    read.drop(("note.txt", b"The ferry leaves at nine."), ("log.txt", b"Fog until noon. Two ships."))
    before = read.engine.encoder_tokens
    for number in range(10):
        assert "re-read: 0" in str(read.ask(f"Who wrote {number}?").conversation)
    assert [len(exchange.sources) for exchange in read.session.conversation.exchanges] == [3] * 10
    assert read.engine.encoder_tokens == before


@pytest.mark.parametrize(
    ("question", "words"),
    [("  ", "The question is empty"), ("x" * 10_000, "has 10,000 characters; the limit is 2,000")],
)
def test_a_question_that_cannot_be_asked_stays_in_the_box(read: Tab, question: str, words: str) -> None:
    assert read.handlers.pose(read.session.id, question).question is None
    assert words in str(read.settled().problem)
    assert read.session.conversation.exchanges == ()
    assert read.ask("Who wrote?").problem == ""


def test_a_question_is_answered_while_a_long_document_is_read(
    tiny_checkpoint: Checkpoint, page_reader: DocumentReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = open_tab(tiny_checkpoint, page_reader, tmp_path, patience_seconds=0.0)
    read.drop(("letter.pdf", LETTER))
    engine, go_on, piece = read.engine, threading.Event(), read.session.documents[0].encoded
    data = pdf("The ferry leaves at nine.", "It comes back at noon.")
    document = replace(piece.document, name="long.pdf", sha256=hashlib.sha256(data).hexdigest())

    def slow(*_: object, **__: object) -> Iterator[EncodedDocument]:
        yield replace(piece, document=document)
        assert go_on.wait(PATIENCE)

    monkeypatch.setattr(engine, "encode_chunks", slow)
    read.begin_to_drop(("long.pdf", data))
    wait_until(lambda: bool((arrival := read.session.inbox.arrival) and arrival.pieces))
    assert "you can ask already" in str(read.screen.everything(read.session).reading)
    read.handlers.pose(read.session.id, "When does it leave?")
    wait_until(lambda: not read.session.conversation.answering)
    (exchange,) = read.session.conversation.exchanges
    assert exchange.status == "done"
    assert exchange.note == "Answered from the first 2 pages of 2 of long.pdf."
    assert exchange.partial_source == document.sha256
    assert len(exchange.sources) == 2
    assert "The rest is still being read." in str(read.screen.everything(read.session).conversation)
    go_on.set()
    page = read.settled()
    assert "long.pdf" in str(page.documents)
    assert "The rest has been read since." in str(page.conversation)


def test_without_a_document_there_is_nothing_to_ask(tab: Tab) -> None:
    assert "no document" in str(tab.ask("Who wrote?").problem)


def test_stop_ends_the_answer_and_keeps_what_was_said(read: Tab) -> None:
    read.handlers.pose(read.session.id, "Who wrote?")
    wait_until(lambda: read.session.conversation.exchanges[0].answer.tokens > 0)
    read.handlers.stop(read.session.id)
    page = read.settled()
    assert read.session.conversation.exchanges[0].answer.stop_reason == "stopped"
    assert " · stopped" in str(page.conversation)


def test_a_question_that_waits_can_be_stopped(read: Tab) -> None:
    with read.scheduler.answering(a_job()):  # somebody else's answer
        read.handlers.pose(read.session.id, "Who wrote?")
        read.handlers.stop(read.session.id)
        assert "Stopped before" in str(read.settled().conversation)


def test_asking_again_replaces_the_last_answer(read: Tab) -> None:
    read.ask("Who wrote?")
    read.handlers.retry(read.session.id, read.event())
    read.settled()
    (exchange,) = read.session.conversation.exchanges
    assert (exchange.question, exchange.status) == ("Who wrote?", "done")


def test_what_was_asked_too_early_is_asked_again_in_its_place(read: Tab) -> None:
    for question in ("Who wrote?", "When?", "Where?"):
        read.ask(question)
    conversation, letter = read.session.conversation, read.session.documents[0]
    early = replace(conversation.exchanges[1], note=Message("Answered from a part."), partial_source=letter.key)
    conversation.update(early)
    shown = str(read.settled().conversation)
    assert shown.count("The rest has been read since.") == 1
    assert shown.count('data-event="retry" data-exchange="2"') == 1
    read.handlers.retry(read.session.id, read.event(exchange="2"))
    assert "The rest has been read since." not in str(read.settled().conversation)
    assert [one.question for one in conversation.exchanges] == ["Who wrote?", "When?", "Where?"]
    assert [one.number for one in conversation.exchanges] == [1, 2, 3]
    assert conversation.exchanges[1].partial_source == ""


def test_only_what_is_here_and_ticked_is_offered_to_be_asked_again(read: Tab) -> None:
    read.ask("Who wrote?")
    conversation, letter = read.session.conversation, read.session.documents[0]
    conversation.update(
        replace(conversation.exchanges[0], note=Message("Answered from a part."), partial_source=letter.key)
    )
    for tell in (
        lambda: read.session.tick(letter.key, False),
        lambda: read.session.add(replace(letter, is_whole=False)),  # its reading was cancelled
        lambda: read.session.forget(letter.key),
    ):
        tell()
        shown = str(read.settled().conversation)
        assert "Answered from a part." in shown and "The rest" not in shown
        assert shown.count('data-event="retry"') == 1  # that of the last question
        read.session.add(letter)


def test_a_document_whose_reading_was_cancelled_is_read_whole_when_it_is_dropped_again(read: Tab) -> None:
    read.session.add(replace(read.session.documents[0], is_whole=False))
    read.drop(("letter.pdf", LETTER))
    assert read.session.documents[0].is_whole
    assert "already here" in str(read.drop(("letter.pdf", LETTER)).messages)


def test_editing_asks_something_else_in_place_of_the_last_question(read: Tab) -> None:
    read.ask("Who wrote?")
    read.ask("When?")
    read.handlers.edit(read.session.id, read.event(question="  "))
    assert "The question is empty" in str(read.settled().problem)
    read.handlers.edit(read.session.id, read.event(question="Where?"))
    read.settled()
    assert [exchange.question for exchange in read.session.conversation.exchanges] == ["Who wrote?", "Where?"]


def test_undo_takes_the_last_question_back_into_the_box(read: Tab) -> None:
    read.ask("Who wrote?")
    assert read.handlers.undo(read.session.id).unsent == "Who wrote?"
    assert read.session.conversation.exchanges == ()


def test_a_like_is_kept_and_can_be_taken_back(read: Tab) -> None:
    read.ask("Who wrote?")
    like = read.event(exchange="1", liked="up")
    read.handlers.like(read.session.id, like)
    assert 'aria-pressed="true" aria-label="Good answer"' in str(read.settled().conversation)
    read.handlers.like(read.session.id, like)
    assert 'aria-pressed="true"' not in str(read.settled().conversation)


def test_follow_up_questions_know_the_turns_before(read: Tab) -> None:
    read.ask("Who wrote?")
    read.ask("When?")
    (first, second) = read.session.conversation.exchanges
    assert read.session.conversation.turns_before(second.number) == (
        Turn(question="Who wrote?", answer=first.answer.text),
    )
    read.handlers.clear(read.session.id)
    assert read.session.conversation.turns_before(99) == ()


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("When was she born?", True),
        ("And the seller?", True),
        ("Quand est-elle née ?", True),
        ("How many loaves were sold?", False),
        ("Wer ist der Kunde?", False),
    ],
)
def test_only_a_question_that_leans_on_the_turns_before_gets_them(question: str, leans: bool) -> None:
    assert refers_back(question) is leans


def test_a_question_that_fails_says_why_and_can_be_asked_again(read: Tab) -> None:
    with read.scheduler.answering(a_job()):
        read.handlers.pose(read.session.id, "Who wrote?")
        read.handlers.forget(read.session.id, read.event(document=read.session.documents[0].key))
    page = str(read.settled().conversation)
    assert "No document is ticked" in page
    assert 'data-event="retry"' in page


def test_the_page_that_an_answer_rests_on_is_opened(read: Tab) -> None:
    read.ask("Who wrote?")
    (exchange,) = read.session.conversation.exchanges
    place = exchange.answer.evidence[0]
    assert read.session.shown is not None
    assert (read.session.shown.page, read.session.shown.exchange) == (place.page, exchange.number)
    shares = [one.share for one in exchange.answer.attention]
    assert len(shares) == 2
    assert sum(shares) == pytest.approx(1)


def test_a_document_that_is_let_go_and_dropped_again_stays_and_is_not_read_again(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    (loaded,) = tab.session.documents
    tokens = tab.engine.encoder_tokens
    tab.handlers.forget(tab.session.id, tab.event(document=loaded.key))
    tab.drop(("letter.pdf", LETTER))
    assert tab.session.aside == ()  # nothing is left that goes when the ten seconds are over
    assert tab.session.documents == tab.session.ticked == (loaded,)
    assert tab.engine.encoder_tokens == tokens
