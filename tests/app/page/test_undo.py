"""What a person lets go can be had back for ten seconds: documents, and conversations."""

from __future__ import annotations

from tests.helpers.awaited import wait_until
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab

LETTER = pdf("Dear Clara, the lamp of the lighthouse will be lit on Friday.", "Yours, Peter Holm")


def test_a_document_that_was_let_go_can_be_had_back_and_then_no_longer(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    key = tab.session.documents[0].key
    tab.handlers.forget(tab.session.id, tab.event(document=key))
    assert "letter.pdf" in str(tab.screen.everything(tab.session).documents)
    assert tab.session.ticked == () and tab.sessions.used_bytes > 0
    tab.handlers.undo_forget(tab.session.id, tab.event(document=key))
    assert [one.key for one in tab.session.ticked] == [key]
    tab.handlers.forget(tab.session.id, tab.event(document=key))
    wait_until(lambda: not tab.session.busy)  # the ten seconds are over
    tab.handlers.undo_forget(tab.session.id, tab.event(document=key))
    assert tab.session.documents == () and tab.sessions.used_bytes == 0


def test_a_document_that_was_had_back_and_let_go_once_more_has_ten_seconds_anew(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    key = tab.session.documents[0].key
    first = tab.session.put_aside(key)
    tab.session.bring_back(key)
    second = tab.session.put_aside(key)
    assert first is not None and second is not None
    tab.handlers.end_undoing(tab.session, first)  # the ten seconds of the first time are over
    assert tab.session.aside == (second,)
    tab.handlers.end_undoing(tab.session, second)
    assert not tab.session.aside and tab.sessions.used_bytes == 0


def test_a_conversation_that_was_had_back_and_cleared_once_more_has_ten_seconds_anew(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.ask("Who wrote?")
    conversation, before = tab.session.conversation, tab.session.conversation.exchanges
    first = conversation.put_aside()
    conversation.bring_back()
    second = conversation.put_aside()
    conversation.drop_aside(first)
    conversation.bring_back()
    assert conversation.exchanges == before and second is not first


def test_a_new_conversation_can_be_taken_back(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.ask("Who wrote?")
    before = tab.session.conversation.exchanges
    tab.handlers.clear(tab.session.id)
    assert tab.session.conversation.exchanges == ()
    tab.handlers.undo_clear(tab.session.id)
    assert tab.session.conversation.exchanges == before
