"""The passages of documents and their words, from which full-text search (FTS5) proposes some to a question.

A passage is numbered by its document and its place in it, so that those of one document are one range of numbers. The
first number of a document has the words of its name.
"""

import re
from collections.abc import Iterator

from app.library.database import Database
from app.library.values import NewDocument
from model.answering.passages import passages_of
from model.answering.words import UNSPACED, character_pairs, plain_letters

PASSAGES_OF_A_DOCUMENT = 2**20
_WORD = re.compile(r"[^\W_]+")


def add_passages(database: Database, document: int, new: NewDocument) -> None:
    """Note the passages of a document, as the answering cuts them."""
    first, tokens = document * PASSAGES_OF_A_DOCUMENT, new.encoded.tokens
    pages, starts, ends = tokens.pages.tolist(), tokens.starts.tolist(), tokens.ends.tolist()
    found = passages_of(new.encoded)[: PASSAGES_OF_A_DOCUMENT - 1]
    database.many(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?)",
        [
            (
                first + index,
                pages[passage.start],
                starts[passage.start],
                pages[passage.end - 1],
                ends[passage.end - 1],
            )
            for index, passage in enumerate(found, start=1)
        ],
    )
    texts = [plain_letters(new.place.name), *(passage.text for passage in found)]
    database.many(
        "INSERT INTO words (rowid, text) VALUES (?, ?)",
        [(first + index, " ".join(index_words(text))) for index, text in enumerate(texts)],
    )


def delete_passages(database: Database, document: int) -> None:
    first = document * PASSAGES_OF_A_DOCUMENT
    for table, number in (("passages", "id"), ("words", "rowid")):
        database.rows(
            f"DELETE FROM {table} WHERE {number} BETWEEN ? AND ?", (first, first + PASSAGES_OF_A_DOCUMENT - 1)
        )


def index_words(text: str) -> Iterator[str]:
    """The words of a text in plain letters; of scripts without spaces, each pair of characters."""
    for word in _WORD.findall(text):
        if UNSPACED.search(word):
            yield from character_pairs(word)
        else:
            yield word
