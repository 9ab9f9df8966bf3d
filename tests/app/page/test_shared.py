"""People who sign in: each has a library of their own, and what one shares is there for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.documents import DocumentReader
from app.library.library import Library
from app.library.people import Libraries
from app.library.values import Scope
from app.page.library import LibraryScreen
from app.page.stored import Storage
from app.sessions.session import Session
from app.sessions.session_store import SessionStore
from model.checkpoints.checkpoint import Checkpoint
from model.engine import Engine
from model.errors import LibraryError, ReadonceError
from tests.helpers.libraries import a_new_document

TEXT = "The library of Lindau was founded in 1907 by Ada Keller."


@pytest.fixture
def engine(tiny_checkpoint: Checkpoint) -> Engine:
    return Engine(tiny_checkpoint, memory_precision="int8")


@pytest.fixture
def libraries(tmp_path: Path) -> Libraries:
    return Libraries(tmp_path / "library", capacity_bytes=100_000_000)


@pytest.fixture
def storage(libraries: Libraries) -> Iterator[Storage]:
    with DocumentReader() as reader:
        yield Storage(None, reader, precision="int8", libraries=libraries)


def library_of(storage: Storage, person: str) -> Library:
    library = storage.of(Session(f"of {person}", person=person)).library
    assert library is not None
    return library


def test_a_persons_library_is_their_own(storage: Storage, engine: Engine, tmp_path: Path) -> None:
    stored = library_of(storage, "ada").add(a_new_document(engine, TEXT, name="lindau.txt"))
    assert library_of(storage, "ada").with_file(stored.sha256) is not None
    assert library_of(storage, "bert").with_file(stored.sha256) is None
    assert storage.of(Session("of nobody")).library is None
    folder = tmp_path / "library" / "people" / "ada"
    assert folder.stat().st_mode & 0o077 == 0
    with pytest.raises(ReadonceError):
        storage.of(Session("x", person="../ada"))


def test_what_is_shared_can_be_taken_and_is_withdrawn_by_its_owner_alone(storage: Storage, engine: Engine) -> None:
    ada, bert, fingerprint = Session("a", person="ada"), Session("b", person="bert"), engine.checkpoint.fingerprint
    screen = LibraryScreen(storage)
    mine = library_of(storage, "ada").add(a_new_document(engine, TEXT, name="lindau.txt"))
    read = engine.encoder_tokens
    storage.of(ada).share(ada, mine.id, fingerprint)
    shared = storage.of(bert).shared
    assert shared is not None
    (offered,) = shared.documents()
    assert (offered.name, offered.folder) == ("lindau.txt", "ada")
    assert "take_shared" in screen.panel(bert) and "withdraw_shared" not in screen.panel(bert)
    assert "withdraw_shared" in screen.panel(ada)
    taken = storage.of(bert).take(offered.id, fingerprint)
    assert taken is not None and library_of(storage, "bert").readable(Scope(), fingerprint, "int8")
    assert engine.encoder_tokens == read
    storage.of(bert).withdraw(bert, offered.id)
    assert shared.documents()
    storage.of(ada).withdraw(ada, offered.id)
    assert not shared.documents() and "take_shared" not in screen.panel(bert)
    assert library_of(storage, "bert").with_file(mine.sha256) is not None


def test_what_was_not_shared_cannot_be_taken(storage: Storage, engine: Engine) -> None:
    mine = library_of(storage, "ada").add(a_new_document(engine, TEXT, name="lindau.txt"))
    bert = Session("b", person="bert")
    with pytest.raises(LibraryError, match="no longer in the library"):
        storage.of(bert).take(mine.id, engine.checkpoint.fingerprint)
    with pytest.raises(LibraryError, match="was not read by this checkpoint"):
        ada = Session("a", person="ada")
        storage.of(ada).share(ada, mine.id, "another checkpoint")


def test_a_browser_gets_no_session_of_another_person() -> None:
    sessions = SessionStore(capacity_bytes=1_000_000, linger_seconds=600)
    hers = sessions.enter("tab 1", person="ada")
    assert sessions.enter("tab 2", hers.id, person="ada") is hers
    for person in ("bert", ""):
        assert sessions.enter(f"tab of {person}", hers.id, person=person) is not hers
    assert sessions.enter("tab 1", hers.id, person="bert") is not hers
    assert (hers.person, hers.client) == ("ada", "person ada")
