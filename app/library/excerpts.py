"""From a question to the library to excerpts of its documents, which the engine answers from as from any encodings.

Of an encoding only the rows of the proposed passages are read from the disk, so a question costs what it is shown and
not what the library holds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.library.coarse import CoarseIndex
from app.library.library import Library
from app.library.search import Found, find_passages, of_few_documents
from app.library.values import Scope, StoredDocument
from model.answering.questions import words_of_last_turn
from model.encoding.excerpt import Span, excerpt
from model.encoding.mapped import map_memory
from model.engine import Engine
from model.errors import EncodingError, LibraryError, Message, QuestionError
from model.types import Document, EncodedDocument, Page, Precision, Turn

MOST_BY_MEANING = 128  # passages
WAIT_SECONDS = 1.0  # that a question waits for vectors that are missing, where words leave open what it is about
LONGER_SECONDS = 5.0  # the same, where no word of it stands in any document


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpts:
    """What of the library a question is put to: encodings of a few passages, and how many documents were searched."""

    encodings: tuple[EncodedDocument, ...]
    documents: tuple[StoredDocument, ...]  # in the order of the encodings
    searched: int
    tokens: int  # of all documents that were searched


def find_excerpts(
    library: Library,
    question: str,
    scope: Scope,
    *,
    engine: Engine,
    precision: Precision,
    history: Sequence[Turn] = (),
) -> Excerpts:
    """The passages that the question is put to; `history`: the turns that it refers to, whose last is searched, too.

    Raises QuestionError where there are none.
    """
    fingerprint = engine.checkpoint.fingerprint
    asked = library.readable(scope, fingerprint, precision)
    if not asked:
        raise _nothing_to_ask(scope, len(library.documents(scope)))
    passages: dict[int, list[int]] = {}
    for found in _proposed(
        library, question + words_of_last_turn(history), asked, CoarseIndex(library, engine, precision)
    ):
        passages.setdefault(found.document, []).append(found.passage)
    encodings, documents = [], []
    for number, numbers in passages.items():
        with contextlib.suppress(EncodingError, LibraryError):  # one that was removed meanwhile, or is damaged
            document = library.document(number)
            encodings.append(_excerpt(library, document, numbers, fingerprint, precision))
            documents.append(document)
    return Excerpts(
        encodings=tuple(encodings),
        documents=tuple(documents),
        searched=len(asked),
        tokens=sum(asked.values()),
    )


def _proposed(library: Library, question: str, asked: Mapping[int, int], index: CoarseIndex) -> list[Found]:
    """Passages by words and by meaning; where words say what the question is about, meaning looks only there.

    Raises QuestionError where there are none.
    """
    by_words = find_passages(library.database, question, list(asked))
    if not by_words.subjects:
        index.complete(WAIT_SECONDS if by_words.passages else LONGER_SECONDS)
    near = {number: asked[number] for number in by_words.subjects} or asked
    known = {one.passage for one in by_words.passages}
    by_meaning = [one for one in index.nearest(question, near, MOST_BY_MEANING) if one.passage not in known]
    if not known and not by_meaning:
        raise QuestionError(
            "No word of this question stands in the {n:,} documents that were searched: ask in their words.",
            n=len(asked),
        )
    return [*by_words.passages, *of_few_documents(by_meaning)]


def _nothing_to_ask(scope: Scope, documents: int) -> QuestionError:
    where = Message("in {folder}", folder=scope.folder) if scope.folder else Message("in the library")
    if documents:
        return QuestionError(
            "None of the {n:,} documents {where} was read by this checkpoint yet: add them once more.",
            n=documents,
            where=where,
        )
    return QuestionError("There are no documents {where}: add some first.", where=where)


def _excerpt(
    library: Library, document: StoredDocument, passages: Sequence[int], fingerprint: str, precision: Precision
) -> EncodedDocument:
    marks = ", ".join("?" * len(passages))
    spans = [
        Span(first_page=row["page"], start=row["start"], last_page=row["last_page"], end=row["end"])
        for row in library.database.rows(f"SELECT * FROM passages WHERE id IN ({marks})", passages)
    ]
    numbers = sorted({number for span in spans for number in (span.first_page, span.last_page)})
    pages = library.database.rows(
        f"SELECT number, label, text FROM pages WHERE document = ? AND number IN ({', '.join('?' * len(numbers))})"
        " ORDER BY number",
        (document.id, *numbers),
    )
    path, size = library.encoding_file(document, fingerprint, precision)
    memory, tokens = map_memory(path, size_bytes=size)
    whole = EncodedDocument(
        document=Document(
            name=document.name,
            sha256=document.sha256,
            pages=tuple(
                Page(number=row["number"], text=row["text"], label=row["label"], words=(), width=1.0, height=1.0)
                for row in pages
            ),
        ),
        memory=memory,
        tokens=tokens,
        fingerprint=fingerprint,
        chunks=1,
        encode_seconds=0.0,
    )
    return excerpt(whole, spans)
