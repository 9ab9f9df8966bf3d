"""What full-text search proposes: by words of any script, and by what a document says elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.library.excerpts import find_excerpts
from app.library.library import Library
from app.library.search import documents_with, find_passages, search_terms
from app.library.values import Scope
from model.engine import Engine
from model.errors import QuestionError
from tests.helpers.libraries import a_library, a_new_document
from tests.helpers.tiny import tiny_checkpoint

DOCUMENTS = {
    "acme.txt": ("Annual report of Acme Widgets.", "Nothing here.", "Revenue came to 41 million."),
    "zenith.txt": ("Annual report of Zenith Clocks.", "Nothing here.", "Revenue came to 57 million."),
    "glaces.txt": ("Les crèmes glacées se vendent l'été.",),
    "図書館.txt": ("この図書館は1907年に設立されました。",),
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(tiny_checkpoint(), memory_precision="int8")


@pytest.fixture(scope="module")
def library(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    library = a_library(tmp_path_factory.mktemp("search"))
    for name, pages in DOCUMENTS.items():
        library.add(a_new_document(engine, *pages, name=name, folder="/" + name[:1]))
    yield library
    library.close()


def first(library: Library, question: str) -> str:
    """The document of the best passage."""
    documents = {one.id: one.name for one in library.documents()}
    found = find_passages(library.database, question, list(documents)).passages
    return documents[found[0].document] if found else ""


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What was the revenue of Acme Widgets?", "acme.txt"),  # the passage with the revenue does not name it
        ("What was the revenue of Zenith?", "zenith.txt"),
        ("Quand vend-on des cremes glacees ?", "glaces.txt"),
        ("図書館はいつ設立されましたか", "図書館.txt"),
        ("zenith", "zenith.txt"),
        ("quantum chromodynamics", ""),
    ],
)
def test_the_right_document_comes_first(library: Library, question: str, name: str) -> None:
    assert first(library, question) == name


@pytest.mark.parametrize(
    "question", ['"', "acme AND", "NEAR(acme", "acme*", "text:acme", "'; DROP TABLE words --", "^"]
)
def test_no_sign_of_a_question_is_a_command(library: Library, question: str) -> None:
    assert first(library, question) in ("acme.txt", "")
    assert library.database.number("SELECT count(*) FROM words") > 0


def test_a_question_of_stop_words_is_looked_for_nevertheless() -> None:
    assert search_terms("Who is it?") and not search_terms("?!")


def test_an_excerpt_holds_what_was_found_and_names_its_document(library: Library, engine: Engine) -> None:
    found = find_excerpts(library, "Revenue of Acme?", Scope(), engine=engine, precision="int8")
    assert found.searched == len(DOCUMENTS) and found.documents[0].name == "acme.txt"
    assert found.encodings[0].document.name == "acme.txt"
    assert sum(one.token_count for one in found.encodings) < found.tokens


def test_a_folder_is_asked_alone(library: Library, engine: Engine) -> None:
    found = find_excerpts(library, "revenue", Scope(folder="/z"), engine=engine, precision="int8")
    assert [one.name for one in found.documents] == ["zenith.txt"] and found.searched == 1


def test_what_another_checkpoint_has_read_cannot_be_asked(library: Library) -> None:
    another = Engine(tiny_checkpoint(seed=1), memory_precision="int8")
    with pytest.raises(QuestionError, match="None of the 4 documents in the library was read by this checkpoint"):
        find_excerpts(library, "revenue", Scope(), engine=another, precision="int8")
    with pytest.raises(QuestionError, match="There are no documents in /none"):
        find_excerpts(library, "revenue", Scope(folder="/none"), engine=another, precision="int8")


def test_documents_are_listed_by_all_of_their_words(library: Library) -> None:
    names = {one.id: one.name for one in library.documents()}
    assert {names[one] for one in documents_with(library.database, "annual revenue")} == {"acme.txt", "zenith.txt"}
    assert {names[one] for one in documents_with(library.database, "annual acme")} == {"acme.txt"}
    assert documents_with(library.database, "annual glaces") == set()
