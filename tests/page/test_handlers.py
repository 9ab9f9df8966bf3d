"""What happens when a person does something, without a browser."""

from __future__ import annotations

import pytest

from app.page.update import Update
from model.errors import ReadonceError
from tests.page.conftest import Tab
from tests.page.stand_ins import pdf

LETTER = pdf("Dear Clara, the lamp of the lighthouse will be lit on Friday.", "Yours, Peter Holm")


def last(updates: list[Update], panel: str) -> str:
    """What a panel shows in the end."""
    shown = [value for update in updates if (value := getattr(update, panel)) is not None]
    return str(shown[-1])


def test_a_dropped_file_is_read_and_shown_and_its_upload_removed(tab: Tab) -> None:
    updates = tab.drop(("letter.pdf", LETTER))
    assert "letter.pdf" in last(updates, "documents")
    assert "2 pages" in last(updates, "documents")
    assert "Page 1 of letter.pdf" in last(updates, "pages")
    assert last(updates, "reading") == ""
    assert list(tab.folder.iterdir()) == []


def test_progress_is_streamed_while_a_document_is_read(tab: Tab) -> None:
    updates = tab.drop(("long.pdf", pdf(*["The lamp is lit. " * 40] * 30)))
    bars = [update.reading for update in updates if update.reading]
    assert any("<progress" in bar and "long.pdf" in bar and "Cancel" in bar for bar in bars)


def test_several_files_are_all_read(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER), ("note.txt", b"The ferry leaves at nine."))
    assert [loaded.name for loaded in tab.session.ticked] == ["letter.pdf", "note.txt"]


def test_the_same_file_twice_is_one_document(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    encoded = tab.engine.encoder_tokens
    updates = tab.drop(("copy.pdf", LETTER))
    assert len(tab.session.documents) == 1
    assert tab.engine.encoder_tokens == encoded
    assert "not read again" in last(updates, "messages")


def test_one_bad_file_does_not_hinder_the_others(tab: Tab) -> None:
    updates = tab.drop(("empty.pdf", b""), ("broken.pdf", b"%PDF-1.7 nothing"), ("letter.pdf", LETTER))
    assert [loaded.name for loaded in tab.session.documents] == ["letter.pdf"]
    assert "empty.pdf" in last(updates, "messages")
    assert "broken.pdf" in last(updates, "messages")


def test_a_file_that_is_too_large_is_refused_with_size_and_limit(tab: Tab) -> None:
    message = last(tab.drop(("big.pdf", b"%PDF-" + bytes(6_000_000))), "messages")
    assert "big.pdf" in message
    assert "too large" in message


def test_an_encrypted_file_asks_for_its_password_until_it_is_right(tab: Tab) -> None:
    updates = tab.drop(("secret.pdf", pdf("The code is 4711.", password="lamp")))
    assert "secret.pdf" in last(updates, "locked")
    wrong = [tab.handlers.unlock(tab.session.id, "dark"), *tab.handlers.read(tab.session.id)]
    assert "secret.pdf" in last(wrong, "locked")
    right = [tab.handlers.unlock(tab.session.id, "lamp"), *tab.handlers.read(tab.session.id)]
    assert last(right, "locked") == ""
    assert [loaded.name for loaded in tab.session.documents] == ["secret.pdf"]


def test_an_encrypted_file_can_be_left(tab: Tab) -> None:
    tab.drop(("secret.pdf", pdf("The code is 4711.", password="lamp")))
    assert tab.handlers.leave_locked(tab.session.id).locked == ""


def test_reading_can_be_cancelled(tab: Tab) -> None:
    path = tab.folder / "long.pdf"
    path.write_bytes(pdf(*["The lamp is lit. " * 40] * 200))
    tab.handlers.receive(tab.session.id, [str(path)])
    updates = tab.handlers.read(tab.session.id)
    seen = [next(updates)]
    assert "Cancelling" in str(tab.handlers.cancel(tab.session.id).reading)
    seen += list(updates)
    assert tab.session.documents == ()
    assert "cancelled" in last(seen, "messages")


def test_an_answer_streams_and_ends_with_its_receipt(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    updates = tab.ask("Who wrote?")
    assert updates[0].question == ""
    assert updates[0].busy
    assert len(updates) > 2
    shown = last(updates, "conversation")
    assert "read once: 2 pages, " in shown
    assert "re-read: 0" in shown
    assert updates[-1].busy is False


def test_a_second_question_encodes_nothing(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER), ("note.txt", b"The ferry leaves at nine."))
    before = tab.engine.encoder_tokens
    for question in ("Who wrote?", "When?", "Which lamp?"):
        assert "re-read: 0" in last(tab.ask(question), "conversation")
    assert tab.engine.encoder_tokens == before


@pytest.mark.parametrize(
    ("question", "words"),
    [("  ", "The question is empty"), ("x" * 10_000, "has 10,000 characters; the limit is 2,000")],
)
def test_a_question_that_cannot_be_asked_stays_in_the_box(tab: Tab, question: str, words: str) -> None:
    tab.drop(("letter.pdf", LETTER))
    (update,) = tab.ask(question)
    assert words in str(update.problem)
    assert update.question is None
    assert tab.session.exchanges == ()


def test_without_a_document_there_is_nothing_to_ask(tab: Tab) -> None:
    (update,) = tab.ask("Who wrote?")
    assert "no document" in str(update.problem)


def test_only_ticked_documents_are_asked(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    key = tab.session.documents[0].key
    tab.handlers.tick(tab.session.id, tab.event(document=key, on="false"))
    (update,) = tab.ask("Who wrote?")
    assert "No document is ticked" in str(update.problem)
    tab.handlers.tick(tab.session.id, tab.event(document=key, on="true"))
    assert "receipt" in last(tab.ask("Who wrote?"), "conversation")


def test_stop_ends_the_answer_and_keeps_what_was_said(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.handlers.pose(tab.session.id, "Who wrote?")
    updates = tab.handlers.answer(tab.session.id)
    next(updates)
    tab.handlers.stop(tab.session.id)
    rest = list(updates)
    assert tab.session.exchanges[0].answer.stop_reason == "stopped"
    assert " - stopped" in last(rest, "conversation")


def test_a_question_that_waits_can_be_stopped(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.handlers.pose(tab.session.id, "Who wrote?")
    assert tab.handlers.stop(tab.session.id).busy is False
    assert list(tab.handlers.answer(tab.session.id)) == []
    assert "Stopped before" in tab.session.exchanges[0].problem


def test_asking_again_replaces_the_last_answer(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.ask("Who wrote?")
    tab.handlers.retry(tab.session.id)
    list(tab.handlers.answer(tab.session.id))
    (exchange,) = tab.session.exchanges
    assert (exchange.question, exchange.status) == ("Who wrote?", "done")


def test_a_question_that_fails_returns_to_the_box(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.handlers.pose(tab.session.id, "Who wrote?")
    tab.handlers.forget(tab.session.id, tab.event(document=tab.session.documents[0].key))
    *_, end = tab.handlers.answer(tab.session.id)
    assert end.unsent == "Who wrote?"
    assert "No document is ticked" in str(end.conversation)


def test_a_person_who_leaves_stops_the_computation(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.handlers.pose(tab.session.id, "Who wrote?")
    updates = tab.handlers.answer(tab.session.id)
    next(updates)
    tab.handlers.leave("tab")
    list(updates)
    assert tab.session.exchanges[0].answer.stop_reason == "stopped"


def test_forgetting_everything_leaves_nothing(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.ask("Who wrote?")
    update = tab.handlers.forget_all(tab.session.id)
    assert tab.library.used_bytes == 0
    assert tab.session.exchanges == ()
    assert "letter" not in f"{update.documents}{update.pages}{update.conversation}"


def test_the_sample_is_one_click_away_with_questions(tab: Tab) -> None:
    updates = [tab.handlers.take_sample(tab.session.id), *tab.handlers.read(tab.session.id)]
    assert "When was the lamp lit?" in last(updates, "conversation")
    suggested = tab.handlers.suggest(tab.session.id, tab.event(question="When was the lamp lit?"))
    assert suggested.busy


def test_a_reload_shows_the_documents_and_the_conversation_again(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.ask("Who wrote?")
    tab.handlers.leave("tab")
    session_id, update = tab.handlers.enter("tab 2", tab.session.id)
    assert session_id == tab.session.id
    assert "letter.pdf" in str(update.documents)
    assert "Who wrote?" in str(update.conversation)


def test_a_page_is_opened_by_its_number(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    key = tab.session.documents[0].key
    opened = tab.handlers.open(tab.session.id, tab.event(document=key, page="2"))
    assert "Page 2 of letter.pdf" in str(opened.pages)
    nonsense = tab.handlers.open(tab.session.id, tab.event(document="other", page="x"))
    assert "Nothing here yet" in str(nonsense.pages)


def test_a_page_that_was_freed_asks_for_a_reload(tab: Tab) -> None:
    with pytest.raises(ReadonceError, match="reload the page"):
        tab.handlers.dismiss("unknown")
