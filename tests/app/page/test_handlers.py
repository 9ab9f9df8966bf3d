"""What happens when a person does something with documents, without a browser."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.faults import in_words
from app.page.update import Update
from app.sessions.inbox import Incoming
from app.sessions.pictures import media_type
from model.errors import ReadonceError
from tests.helpers.awaited import awaited, wait_until
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab

LETTER = pdf("Dear Clara, the lamp of the lighthouse will be lit on Friday.", "Yours, Peter Holm")
QUIET = Update(locked="", busy=False, table_busy=False)  # no panel
LONG = pdf(*["The lamp is lit. " * 20] * 30)


def test_a_dropped_file_is_read_and_shown_and_its_upload_removed(tab: Tab) -> None:
    page = tab.drop(("letter.pdf", LETTER))
    assert "letter.pdf" in str(page.documents)
    assert "2 pages" in str(page.documents)
    assert "Page 1 of letter.pdf" in str(page.pages)
    assert page.reading == ""
    assert list(tab.folder.iterdir()) == []


def test_progress_is_streamed_while_a_document_is_read(tab: Tab) -> None:
    tab.begin_to_drop(("long.pdf", LONG))
    bars = [update.reading for update in tab.watch() if update.reading]
    assert any("<progress" in bar and "long.pdf" in bar and "Cancel" in bar for bar in bars)


def test_only_what_changes_is_sent_and_last_no_panel(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    first, last = tab.watch()
    assert "letter.pdf" in str(first.documents)
    assert last == QUIET
    assert tab.watch() == [QUIET]


def test_the_end_of_work_is_shown_at_once_however_many_tabs_are_drawn(tab: Tab) -> None:
    """Each of many tabs is drawn seldom while work goes on."""
    tab.handlers._watches = 1_000_000
    tab.drop(("letter.pdf", LETTER))
    tab.handlers.pose(tab.session.id, "Who wrote?")
    *_, shown, last = tab.watch()
    assert "receipt" in str(shown.conversation) and last == QUIET


def test_a_newer_watch_of_a_tab_ends_the_older_one_which_takes_nothing_away(tab: Tab) -> None:
    """Gradio would empty every panel, and the texts of buttons, for a watch that ends without an update."""
    tab.drop(("letter.pdf", LETTER))

    async def overtaken() -> list[Update]:
        older, newer = (tab.handlers.watch(tab.session.id, "tab") for _ in range(2))
        first = asyncio.ensure_future(anext(older))
        await asyncio.sleep(0)  # the older one draws the page
        assert "letter.pdf" in str((await anext(newer)).documents)
        return [await first] + [update async for update in older]

    assert awaited(overtaken()) == [QUIET]


def test_how_the_pages_of_the_next_documents_enter_can_be_chosen(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.handlers.choose_views(tab.session.id, "image")
    tab.drop(("note.txt", b"The ferry leaves at nine."))
    assert [[page.view for page in one.document.pages] for one in tab.session.documents] == [["text"] * 2, ["image"]]


def test_several_files_are_all_read(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER), ("note.txt", b"The ferry leaves at nine."))
    assert [loaded.name for loaded in tab.session.ticked] == ["letter.pdf", "note.txt"]


def test_the_same_file_twice_is_one_document(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    encoded = tab.engine.encoder_tokens
    page = tab.drop(("copy.pdf", LETTER))
    assert len(tab.session.documents) == 1
    assert tab.engine.encoder_tokens == encoded
    assert "not read again" in str(page.messages)


def test_some_pages_of_a_file_can_be_chosen_and_others_later(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER), pages=" 2 ")
    assert [page.number for page in tab.session.documents[0].document.pages] == [2]
    tab.drop(("letter.pdf", LETTER))
    (both,) = tab.session.documents
    assert [page.number for page in both.document.pages] == [1, 2]
    assert "pages 1 to 2" in str(tab.drop(("letter.pdf", LETTER), pages="7-9").messages)


def test_one_bad_file_does_not_hinder_the_others(tab: Tab) -> None:
    page = tab.drop(("empty.pdf", b""), ("broken.pdf", b"%PDF-1.7 nothing"), ("letter.pdf", LETTER))
    assert [loaded.name for loaded in tab.session.documents] == ["letter.pdf"]
    assert "empty.pdf" in str(page.messages)
    assert "broken.pdf" in str(page.messages)
    tab.session.inbox.receive(Incoming(name="slow.pdf", data=LONG))
    assert "broken.pdf" in str(tab.drop(("b.pdf", LETTER)).messages)  # it came while others were read


def test_a_file_that_is_too_large_is_refused_with_size_and_limit(tab: Tab) -> None:
    message = str(tab.drop(("big.pdf", b"%PDF-" + bytes(6_000_000))).messages)
    assert "big.pdf" in message
    assert "too large" in message


def test_an_encrypted_file_asks_for_its_password_until_it_is_right(tab: Tab) -> None:
    assert "secret.pdf" in str(tab.drop(("secret.pdf", pdf("The code is 4711.", password="lamp"))).locked)
    tab.handlers.unlock(tab.session.id, "dark")
    assert "secret.pdf" in str(tab.settled().locked)
    tab.handlers.unlock(tab.session.id, "lamp")
    assert tab.settled().locked == ""
    assert [loaded.name for loaded in tab.session.documents] == ["secret.pdf"]


def test_a_password_that_comes_while_another_is_tried_is_tried_next(tab: Tab) -> None:
    tab.drop(("secret.pdf", pdf("The code is 4711.", password="lamp")))
    assert tab.handlers.unlock(tab.session.id, "dark").password == ""
    tab.handlers.unlock(tab.session.id, "lamp")
    assert tab.settled().locked == ""
    assert [loaded.name for loaded in tab.session.documents] == ["secret.pdf"]


def test_an_encrypted_file_can_be_left(tab: Tab) -> None:
    tab.drop(("secret.pdf", pdf("The code is 4711.", password="lamp")))
    tab.handlers.leave_locked(tab.session.id)
    assert tab.settled().locked == ""


def test_reading_can_be_cancelled(tab: Tab) -> None:
    tab.begin_to_drop(("long.pdf", LONG))
    wait_until(lambda: tab.session.inbox.arrival is not None)
    tab.handlers.cancel(tab.session.id)
    assert "cancelled" in str(tab.settled().messages)
    assert tab.session.documents == ()


def test_a_refresh_interrupts_no_reading(tab: Tab) -> None:
    tab.begin_to_drop(("long.pdf", LONG))
    tab.leave()
    assert tab.handlers.enter("tab 2", tab.session.id) == tab.session.id
    assert "long.pdf" in str(tab.settled().documents)


def test_only_ticked_documents_are_asked(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    key = tab.session.documents[0].key
    tab.handlers.tick(tab.session.id, tab.event(document=key, on="false"))
    assert "No document is ticked" in str(tab.ask("Who wrote?").problem)
    tab.handlers.tick(tab.session.id, tab.event(document=key, on="true"))
    assert "receipt" in str(tab.ask("Who wrote?").conversation)


def test_forgetting_everything_leaves_nothing(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.ask("Who wrote?")
    tab.handlers.forget_all(tab.session.id)
    page = tab.settled()
    assert tab.sessions.used_bytes == 0
    assert tab.session.conversation.exchanges == ()
    assert "letter" not in f"{page.documents}{page.pages}{page.conversation}"


def test_everything_is_forgotten_only_when_it_is_confirmed(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.handlers.ask_forget_all(tab.session.id)
    assert "forgotten for good" in str(tab.settled().documents)
    tab.handlers.cancel_forget_all(tab.session.id)
    assert "forgotten for good" not in str(tab.settled().documents)
    assert len(tab.session.documents) == 1


def test_a_new_document_does_not_take_the_view_from_the_one_that_is_read(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    key = tab.session.documents[0].key
    tab.handlers.open(tab.session.id, tab.event(document=key, page="2"))
    tab.drop(("long.pdf", LONG))
    assert tab.session.shown is not None and (tab.session.shown.key, tab.session.shown.page) == (key, 2)


def test_a_document_opens_with_itself(tab: Tab) -> None:
    shown = str(tab.drop(("letter.pdf", LETTER)).conversation)
    assert 'class="opening"' in shown and "Letter · 2 pages" in shown
    assert "the lamp of the lighthouse will be lit on Friday" in shown


def test_the_sample_is_one_click_away_with_questions(tab: Tab) -> None:
    tab.handlers.take_sample(tab.session.id)
    assert "When was the lamp lit?" in str(tab.settled().conversation)
    tab.handlers.suggest(tab.session.id, tab.event(question="When was the lamp lit?"))
    assert "receipt" in str(tab.settled().conversation)


def test_a_reload_shows_the_documents_and_the_conversation_again(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.ask("Who wrote?")
    tab.leave()
    assert tab.handlers.enter("tab 2", tab.session.id) == tab.session.id
    page, _ = tab.watch("tab 2")
    assert "letter.pdf" in str(page.documents)
    assert "Who wrote?" in str(page.conversation)


def test_after_a_change_of_checkpoint_a_document_can_be_read_again(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    (loaded,) = tab.session.documents
    tab.session.add(replace(loaded, encoded=replace(loaded.encoded, fingerprint="another")))
    assert "Read by another checkpoint" in str(tab.settled().documents)
    assert "read the document again" in str(tab.ask("Who wrote?").conversation)
    tab.handlers.reread(tab.session.id, tab.event(document=loaded.key))
    assert "another checkpoint" not in str(tab.settled().documents)
    tab.handlers.retry(tab.session.id, tab.event())
    tab.settled()
    assert tab.session.conversation.exchanges[-1].status == "done"


def test_an_encoding_is_saved_and_dropped_back_in_without_reading(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    (loaded,) = tab.session.documents
    path = Path(str(awaited(tab.handlers.save(tab.session.id, tab.event(document=loaded.key))).download))
    data = path.read_bytes()
    tab.handlers.handed_out(tab.session.id)
    assert not path.parent.exists()
    tab.handlers.forget_all(tab.session.id)
    before = tab.engine.encoder_tokens
    page = tab.drop(("letter.pdf.safetensors", data))
    assert "Page 1 of letter.pdf" in str(page.pages)
    (back,) = tab.session.documents
    assert media_type(back.pictures.picture(1, width=1_100)) == "image/jpeg"
    assert "re-read: 0" in str(tab.ask("Who wrote?").conversation)
    assert tab.engine.encoder_tokens == before
    message = str(tab.drop(("bad.safetensors", data[:-9])).messages)
    assert "bad.safetensors is not a readable encoding" in message


def test_the_conversation_is_exported_as_plain_markdown(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    tab.ask("Who wrote ![x](http://evil.example/y.png)?")
    path = Path(str(tab.handlers.export(tab.session.id).download))
    text = path.read_text("utf-8")
    tab.handlers.handed_out(tab.session.id)
    assert "## Who wrote \\!\\[x\\](http\\://evil.example/y.png)?" in text
    assert "letter.pdf, page " in text
    assert "re-read: 0" in text


def test_a_page_is_opened_by_its_number(tab: Tab) -> None:
    tab.drop(("letter.pdf", LETTER))
    key = tab.session.documents[0].key
    tab.handlers.open(tab.session.id, tab.event(document=key, page="2"))
    assert 'data-page="2" data-visit' in str(tab.settled().viewer)
    tab.handlers.open(tab.session.id, tab.event(document="other", page="x"))
    assert "Drop a document to begin" in str(tab.settled().pages)


def test_a_page_that_was_freed_asks_for_a_reload(tab: Tab) -> None:
    with pytest.raises(ReadonceError, match="reload the page"):
        tab.handlers.dismiss("unknown")


def test_a_full_memory_says_whose_it_is() -> None:
    assert "this computer" in in_words(MemoryError())
    assert "the graphics card" in in_words(torch.OutOfMemoryError())
