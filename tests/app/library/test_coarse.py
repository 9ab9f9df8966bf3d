"""Laws of the coarse index: what lies nearest is proposed, for every library and at a bounded cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from app.library.coarse import MOST_TOKENS, CoarseIndex, _groups
from app.library.excerpts import find_excerpts
from app.library.exchange import export_documents, import_documents
from app.library.library import Library
from app.library.passages import PASSAGES_OF_A_DOCUMENT
from app.library.search import find_passages
from app.library.values import Scope
from model.answering.late_interaction import document_vectors
from model.engine import Engine
from model.errors import QuestionError
from tests.helpers.libraries import a_library, a_new_document
from tests.helpers.tiny import random_projection, tiny_checkpoint

DOCUMENTS = {
    "acme.txt": ("Annual report of Acme Widgets.\n\nIt was a good year for everybody who works here.", "Revenue: 41."),
    "zenith.txt": ("Annual report of Zenith Clocks.", "Nothing is said on this page.", "Revenue came to 57 million."),
    "lamp.txt": ("The lamp of Lindau was lit in 1871. Its keeper lived in the tower, with a dog and two goats.",),
}
UNSAID = "Quand a-t-on quitté Bregenz ?"  # no word of it stands in any of them


@pytest.fixture(scope="module")
def engine() -> Engine:
    plain = tiny_checkpoint()
    projection = random_projection(plain.model.config.decoder.hidden_size)
    return Engine(replace(plain, retrieval=projection), memory_precision="int8")


@pytest.fixture
def library(engine: Engine, tmp_path: Path) -> Iterator[Library]:
    library = a_library(tmp_path)
    for name, pages in DOCUMENTS.items():
        library.add(a_new_document(engine, *pages, name=name, folder="/" + name[:1]))
    yield library
    library.close()


@pytest.fixture
def index(library: Library, engine: Engine) -> CoarseIndex:
    return CoarseIndex(library, engine, "int8")


def blobs(library: Library) -> dict[str, bytes]:
    """The vectors of each document that has some."""
    rows = library.database.rows("SELECT name, passages FROM vectors JOIN documents ON id = document")
    return {row["name"]: bytes(row["passages"]) for row in rows}


def asked(library: Library, engine: Engine, scope: Scope = Scope()) -> dict[int, int]:  # noqa: B008 - frozen
    return library.readable(scope, engine.checkpoint.fingerprint, "int8")


def test_the_nearest_are_those_whose_mean_token_points_the_same_way(
    library: Library, index: CoarseIndex, engine: Engine
) -> None:
    index.complete(60)
    means: dict[int, torch.Tensor] = {}
    for stored in library.documents():
        encoded = library.encoding(stored, engine.checkpoint.fingerprint, "int8")
        assert encoded is not None and engine.checkpoint.retrieval is not None
        vectors = document_vectors(encoded.memory, engine.checkpoint.retrieval).float()
        for place, passage in enumerate(engine.answering.indexes.of(encoded).passages, start=1):
            has_text = (encoded.tokens.ends > encoded.tokens.starts)[passage.start : passage.end]
            mean = vectors[passage.start : passage.end][has_text].mean(0)
            means[stored.id * PASSAGES_OF_A_DOCUMENT + place] = functional.normalize(mean, dim=0)
    matrix = torch.stack(list(means.values()))
    question = engine.answering.indexes.question(UNSAID)
    assert question is not None
    meaning = functional.normalize(question.float().mean(0), dim=0)
    centre = matrix.mean(0)
    exact = dict(zip(means, (functional.normalize(matrix - centre, dim=1) @ meaning).tolist(), strict=True))
    found = index.nearest(UNSAID, asked(library, engine), 100)
    assert {one.passage for one in found} == set(means)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert one.score == pytest.approx(exact[one.passage], abs=0.02)


def test_a_question_that_shares_no_word_is_answered_and_without_a_projection_it_is_refused(
    library: Library, engine: Engine
) -> None:
    assert not find_passages(library.database, UNSAID, list(asked(library, engine))).passages
    found = find_excerpts(library, UNSAID, Scope(), engine=engine, precision="int8")
    assert {one.name for one in found.documents} == set(DOCUMENTS)
    plain = Engine(tiny_checkpoint(), memory_precision="int8")
    assert plain.checkpoint.fingerprint == engine.checkpoint.fingerprint
    with pytest.raises(QuestionError, match="No word of this question stands in the 3 documents"):
        find_excerpts(library, UNSAID, Scope(), engine=plain, precision="int8")


def test_what_words_say_a_question_is_about_is_not_left_for_what_is_only_like_it(
    library: Library, engine: Engine
) -> None:
    found = find_passages(library.database, "What was the revenue of Acme Widgets?", list(asked(library, engine)))
    names = {one.id: one.name for one in library.documents()}
    assert {names[number] for number in found.subjects} == {"acme.txt"}
    excerpts = find_excerpts(library, "What was the revenue of Acme Widgets?", Scope(), engine=engine, precision="int8")
    assert [one.name for one in excerpts.documents] == ["acme.txt"]
    about_none = find_passages(library.database, "Who has a yellow aeroplane and a dog?", list(names))
    assert about_none.passages and not about_none.subjects


def test_only_what_is_asked_is_gone_through(library: Library, index: CoarseIndex, engine: Engine) -> None:
    index.complete(60)
    (lamp,) = library.documents(Scope(folder="/l"))
    found = index.nearest(UNSAID, asked(library, engine, Scope(folder="/l")), 100)
    assert {one.document for one in found} == {lamp.id}
    assert len(index.nearest(UNSAID, asked(library, engine), 2)) == 2
    assert list(_groups({1: MOST_TOKENS, 2: 5})) == [[1]]  # what was used last goes first


def test_a_library_of_an_earlier_version_gets_vectors_when_it_is_asked_and_not_when_it_opens(
    engine: Engine, tmp_path: Path, library: Library
) -> None:
    library.database.rows("DROP TABLE vectors")
    again = a_library(tmp_path)
    again.sweep()
    assert blobs(again) == {}
    find_excerpts(again, UNSAID, Scope(), engine=engine, precision="int8")
    assert set(blobs(again)) == set(DOCUMENTS)
    again.close()


def test_time_is_bounded_by_a_document_and_the_latest_goes_first(library: Library, index: CoarseIndex) -> None:
    assert len(index.missing) == 3 and index.complete(0) == 1
    assert set(blobs(library)) == {"lamp.txt"} and len(index.missing) == 2
    assert index.complete(60) == 2 and index.complete(60) == 0


def test_what_was_removed_is_not_proposed_and_its_vectors_go_with_it(
    library: Library, index: CoarseIndex, engine: Engine
) -> None:
    index.complete(60)
    (lamp,) = library.documents(Scope(folder="/l"))
    library.remove([lamp.id])
    assert lamp.id not in {one.document for one in index.nearest(UNSAID, asked(library, engine), 100)}
    assert library.restore([lamp.id]) == 1 and index.missing == []
    library._delete([lamp.id])
    assert set(blobs(library)) == set(DOCUMENTS) - {"lamp.txt"}
    assert index._make(lamp.id) and "lamp.txt" not in blobs(library)  # it was gone when its turn came
    library.forget_everything()
    assert blobs(library) == {}


def test_an_edited_file_has_vectors_of_its_own(library: Library, index: CoarseIndex, engine: Engine) -> None:
    index.complete(60)
    before = blobs(library)["lamp.txt"]
    library.add(a_new_document(engine, "The lamp was put out in 1920.", name="lamp.txt", folder="/l"))
    index.complete(60)
    (lamp,) = library.documents(Scope(folder="/l"))
    rows = library.database.rows("SELECT passages FROM vectors WHERE document = ?", (lamp.id,))
    assert [len(row["passages"]) for row in rows] == [16] and rows[0]["passages"] != before[:16]


def test_what_was_imported_finds_the_same(library: Library, index: CoarseIndex, engine: Engine, tmp_path: Path) -> None:
    index.complete(60)
    export_documents(library, library.documents(), tmp_path / "all.zip")
    other = a_library(tmp_path / "other")
    import_documents(other, tmp_path / "all.zip")
    CoarseIndex(other, engine, "int8").complete(60)
    assert blobs(other) == blobs(library)
    other.close()


def test_two_processes_may_make_the_same_vectors(
    library: Library, index: CoarseIndex, engine: Engine, tmp_path: Path
) -> None:
    again = a_library(tmp_path)
    twin = CoarseIndex(again, engine, "int8")
    index.complete(0)
    assert len(twin.missing) == 2
    for number in asked(library, engine):
        assert index._make(number) and twin._make(number)
    assert library.database.number("SELECT count(*) FROM vectors") == 3 and index.missing == twin.missing == []
    again.close()


def test_a_damaged_encoding_is_tried_once(library: Library, index: CoarseIndex, engine: Engine) -> None:
    (lamp,) = library.documents(Scope(folder="/l"))
    library.encoding_file(lamp, engine.checkpoint.fingerprint, "int8")[0].write_bytes(b"nothing")
    assert index.complete(60) == 3 and index.missing == []
    assert lamp.id not in {one.document for one in index.nearest(UNSAID, asked(library, engine), 100)}


def test_a_library_that_cannot_be_written_is_asked_nevertheless(
    library: Library, index: CoarseIndex, engine: Engine
) -> None:
    index.complete(0)
    library.database.rows("PRAGMA query_only = ON")
    found = find_excerpts(library, UNSAID, Scope(), engine=engine, precision="int8")
    assert [one.name for one in found.documents] == ["lamp.txt"]
    library.database.rows("PRAGMA query_only = OFF")
