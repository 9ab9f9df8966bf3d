"""Laws of the library: what is added stays, what is removed goes, and nothing is read twice."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from app.library.catalogue import UNDO_SECONDS
from app.library.files import FileStore
from app.library.library import Library
from app.library.values import Place, ReadingOptions, Scope
from model.checkpoints.checkpoint import Checkpoint
from model.engine import Engine
from model.errors import EncodingError, LibraryError
from model.types import GenerationOptions
from tests.helpers.full_disk import files_of_at_most
from tests.helpers.libraries import a_library, a_new_document, files_of, named
from tests.helpers.stand_ins import Clock
from tests.helpers.tiny import last

TEXTS = ("The lamp of Lindau was lit in 1871.", "Its keeper was Omar Haddad.")
SHORT = GenerationOptions(max_new_tokens=8)


@pytest.fixture(scope="module")
def engine(tiny_checkpoint: Checkpoint) -> Engine:
    return Engine(tiny_checkpoint, memory_precision="int8")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = a_library(tmp_path)
    yield library
    library.close()


def test_a_document_is_there_after_a_restart_and_its_answers_are_the_same(engine: Engine, tmp_path: Path) -> None:
    new = a_new_document(engine, *TEXTS)
    first = a_library(tmp_path)
    first.add(new)
    first.close()
    read = engine.encoder_tokens
    library = a_library(tmp_path)
    (stored,) = library.documents()
    mapped = library.encoding(stored, engine.checkpoint.fingerprint, "int8")
    assert mapped is not None and mapped.document == new.encoded.document
    for name in ("hidden", "key_inv_rms", "hidden_scales", "channel_scales"):
        assert torch.equal(getattr(mapped.memory, name), getattr(new.encoded.memory, name))
    ours, theirs = (last(engine.answer(one, "Who?", options=SHORT)) for one in (mapped, new.encoded))
    assert (ours.text, ours.confidence, ours.evidence) == (theirs.text, theirs.confidence, theirs.evidence)
    assert engine.encoder_tokens == read
    assert library.original(stored).read_bytes() == new.data
    library.close()


def test_only_its_owner_may_enter(library: Library, engine: Engine, tmp_path: Path) -> None:
    library.add(a_new_document(engine, *TEXTS))
    for folder in (tmp_path / "library", tmp_path / "library" / "files", tmp_path / "library" / "encodings"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_same_file_in_two_places_is_one_document(library: Library, engine: Engine) -> None:
    new = a_new_document(engine, *TEXTS, folder="/one")
    library.add(new)
    library.add(replace(new, place=Place(folder="/two", name="b.txt")))
    assert len(library.documents()) == 1
    assert len(library.documents(Scope(folder="/two"))) == len(library.documents(Scope(folder="/one"))) == 1


def test_a_name_that_is_no_text_is_kept(library: Library, engine: Engine) -> None:
    new = a_new_document(engine, *TEXTS)
    assert library.add(replace(new, place=Place(folder="/a", name="caf\udce9.txt"))).name == "caf?.txt"
    assert library.at(Place(folder="/a", name="caf\udce9.txt")) is not None


def test_a_folder_is_that_folder_and_those_below(library: Library, engine: Engine) -> None:
    for folder, text in (("/a", "one"), ("/a/b", "two"), ("/ab", "three"), ("/A", "four"), ("/a_b", "five")):
        library.add(a_new_document(engine, text, folder=folder))
    assert {one.folder for one in library.documents(Scope(folder="/a/"))} == {"/a", "/a/b"}


def test_an_edited_file_replaces_its_earlier_version(library: Library, engine: Engine) -> None:
    before = library.add(a_new_document(engine, "The budget is 5."))
    after = library.add(a_new_document(engine, "The budget is 7."))
    assert [one.id for one in library.documents()] == [after.id]
    assert library.restore([before.id]) == 0
    assert [one.id for one in library.documents()] == [after.id]


def test_what_is_removed_can_be_had_back_for_ten_seconds(engine: Engine, tmp_path: Path) -> None:
    clock = Clock()
    opened = a_library(tmp_path)
    library = Library(opened.database, opened._files, capacity_bytes=opened.capacity_bytes, clock=clock)
    stored = library.add(a_new_document(engine, *TEXTS))
    library.remove([stored.id])
    clock.now += UNDO_SECONDS / 2
    library.sweep()
    assert library.documents() == [] and len(library.documents(removed=True)) == 1
    assert library.restore([stored.id]) == 1 and library.documents() == [stored]
    library.remove([stored.id])
    clock.now += UNDO_SECONDS + 1
    assert library.restore([stored.id]) == 0
    library.sweep()
    assert library.documents(removed=True) == [] and files_of(tmp_path / "library") == set()
    assert library.database.rows("SELECT * FROM words") == library.database.rows("SELECT * FROM passages") == []
    library.close()


def test_a_file_that_two_readings_share_goes_with_the_last(library: Library, engine: Engine, tmp_path: Path) -> None:
    new = a_new_document(engine, *TEXTS)
    whole, part = library.add(new), library.add(replace(named(new, "b.txt"), reading=ReadingOptions(range="1")))
    assert whole.id != part.id
    library._delete([whole.id])
    assert library.original(part).exists() and library.encoding(part, new.encoded.fingerprint, "int8")
    library._delete([part.id])
    assert files_of(tmp_path / "library") == set()


def test_forgetting_everything_leaves_no_word_in_any_file(library: Library, engine: Engine, tmp_path: Path) -> None:
    library.add(a_new_document(engine, "Zanzibarquark is the secret."))
    library.forget_everything()
    assert library.documents(removed=True) == [] and library.used_bytes == 0
    for path in (tmp_path / "library").rglob("*"):
        assert path.is_dir() or b"anzibarquark" not in path.read_bytes().lower()


def test_a_library_that_is_full_says_so_and_loses_nothing(engine: Engine, tmp_path: Path) -> None:
    new = a_new_document(engine, *TEXTS)
    library = a_library(tmp_path, capacity_bytes=new.size_bytes + 10)
    stored = library.add(new)
    with pytest.raises(LibraryError, match="READONCE_LIBRARY_MB"):
        library.add(a_new_document(engine, "Another text.", name="b.txt"))
    assert library.documents() == [stored]
    library.close()


def test_a_full_disk_is_said_in_words(library: Library, engine: Engine, tmp_path: Path) -> None:
    new = a_new_document(engine, *TEXTS)
    with files_of_at_most(10), pytest.raises(LibraryError, match="File too large"):
        library.add(new)
    assert library.documents() == [] and files_of(tmp_path / "library") == set()


def test_what_no_row_names_goes_with_the_sweep(library: Library, engine: Engine, tmp_path: Path) -> None:
    stored = library.add(a_new_document(engine, *TEXTS))
    there = files_of(tmp_path / "library")
    (tmp_path / "library" / "files" / "0123").write_bytes(b"nobody's")
    library.sweep()
    assert files_of(tmp_path / "library") == there and library.documents() == [stored]


def test_a_shortened_encoding_is_damaged_and_not_mapped(library: Library, engine: Engine) -> None:
    stored = library.add(a_new_document(engine, *TEXTS))
    path, _ = library.encoding_file(stored, engine.checkpoint.fingerprint, "int8")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(EncodingError, match="damaged or gone"):
        library.encoding(stored, engine.checkpoint.fingerprint, "int8")


def test_a_damaged_encoding_is_replaced_when_the_file_is_read_anew(library: Library, engine: Engine) -> None:
    new = a_new_document(engine, *TEXTS)
    stored = library.add(new)
    path, _ = library.encoding_file(stored, engine.checkpoint.fingerprint, "int8")
    path.write_bytes(b"damaged")
    mapped = library.encoding(library.add(new), engine.checkpoint.fingerprint, "int8")
    assert mapped is not None and torch.equal(mapped.memory.hidden, new.encoded.memory.hidden)


def test_forgetting_goes_on_where_it_was_interrupted(library: Library, engine: Engine, tmp_path: Path) -> None:
    library.add(a_new_document(engine, "Zanzibarquark is the secret."))

    def interrupt() -> float:  # everything is marked, and what is marked is looked for
        raise KeyboardInterrupt

    interrupted = Library(library.database, FileStore(tmp_path / "library"), capacity_bytes=0, clock=interrupt)
    with pytest.raises(KeyboardInterrupt):
        interrupted.forget_everything()
    assert library.documents(removed=True) == []
    library.sweep()
    assert files_of(tmp_path / "library") == set()
    assert b"anzibarquark" not in (tmp_path / "library" / "library.sqlite").read_bytes().lower()


def test_where_the_database_fails_no_file_is_left(library: Library, engine: Engine, tmp_path: Path) -> None:
    """Whichever of a document's rows finds no room: there is room for a page more each time, until all of it fits."""
    new = a_new_document(engine, "The lamp was lit. " * 300)
    pages, failures = library.database.number("PRAGMA page_count"), 0
    while not library.documents():
        library.database.rows(f"PRAGMA max_page_count = {pages + failures}")
        try:
            library.add(new)
        except LibraryError as error:
            assert "database or disk is full" in str(error)
            assert library.documents() == [] and files_of(tmp_path / "library") == set()
            failures += 1
    assert failures > 3 and len(files_of(tmp_path / "library")) == 2


def test_another_checkpoint_has_no_encoding_yet(library: Library, engine: Engine) -> None:
    stored = library.add(a_new_document(engine, *TEXTS))
    assert library.encoding(stored, "another", "int8") is None
    assert library.encoding(stored, engine.checkpoint.fingerprint, "bfloat16") is None


def test_two_libraries_on_one_folder_see_each_other(engine: Engine, tmp_path: Path) -> None:
    one, other = a_library(tmp_path), a_library(tmp_path)
    revision = other.database.revision
    one.add(a_new_document(engine, *TEXTS))
    assert len(other.documents()) == 1 and other.database.revision != revision
    one.close()
    other.close()
