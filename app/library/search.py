"""Full-text search proposes passages of the library to a question; the answering then chooses among them.

A passage is proposed for its own words (BM25, by SQLite's FTS5), and for those that the rest of its document has: the
name of a company stands on the first page, its revenue on the ninth. Words are compared as in `word_index.py`, by their
beginnings. What is read is the index, not the documents.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.library.database import Database
from app.library.passages import PASSAGES_OF_A_DOCUMENT, index_words
from model.answering.stop_words import STOP_WORDS
from model.answering.word_index import SHORT_WORD
from model.answering.words import STEM, plain_letters

MOST_PASSAGES = 128  # that are proposed: some ten thousand tokens, which late interaction and BM25 then rank
MOST_DOCUMENTS = 24  # that they are from
_LEAST_SCORE = 0.6  # of the best passage's score, that a document's best one has
_MOST_FOUND = 400  # passages that are compared
_KNOWN_SHARE = 0.6  # of a question's words, by their rarity, in one document: then it is about that one
_AS_WELL = 0.9  # of the words that the best document has: another is what the question is about as well
_DOCUMENT_WEIGHT = 1.0  # of the words that a passage's document has, beside those of the passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A passage that was found: the numbers of its document and of itself, and how well it fits."""

    document: int
    passage: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundByWords:
    """The passages that words find, the best first, and the documents that the question is about.

    It is about some where one has most of its words: it names a company, or a law. Else `subjects` is empty.
    """

    passages: Sequence[Found] = ()
    subjects: frozenset[int] = frozenset()


def find_passages(database: Database, question: str, documents: Sequence[int]) -> FoundByWords:
    """The passages of these documents that fit the question best; none where no word is shared."""
    terms = search_terms(question)
    if not terms or not documents:
        return FoundByWords()
    allowed = json.dumps(list(documents))
    coverage, possible = _coverage(database, terms, allowed, len(documents))
    rows = database.rows(
        f"SELECT rowid, bm25(words) AS score FROM words WHERE words MATCH ? AND rowid / {PASSAGES_OF_A_DOCUMENT} IN"
        " (SELECT value FROM json_each(?)) ORDER BY score LIMIT ?",
        (" OR ".join(terms), allowed, _MOST_FOUND),
    )
    found = [
        Found(
            document=(document := row["rowid"] // PASSAGES_OF_A_DOCUMENT),
            passage=row["rowid"],
            score=-row["score"] + _DOCUMENT_WEIGHT * coverage.get(document, 0.0),
        )
        for row in rows
        if row["rowid"] % PASSAGES_OF_A_DOCUMENT
    ]
    chosen = _of_the_best_documents(sorted(found, key=lambda one: -one.score))[:MOST_PASSAGES]
    return FoundByWords(passages=chosen, subjects=_subjects(coverage, possible))


def _subjects(coverage: Mapping[int, float], possible: float) -> frozenset[int]:
    """The documents that a question is about, by how much of its words each has; `possible`: all of them."""
    best = max(coverage.values(), default=0.0)
    if best < _KNOWN_SHARE * possible:
        return frozenset()
    return frozenset(document for document, share in coverage.items() if share >= _AS_WELL * best)


def _of_the_best_documents(found: Sequence[Found]) -> list[Found]:
    """Without documents whose best passage fits far worse than the best of all: they would only distract."""
    best: dict[int, float] = {}
    for one in found:
        if len(best) < MOST_DOCUMENTS and one.score >= _LEAST_SCORE * found[0].score:
            best.setdefault(one.document, one.score)
    return [one for one in found if one.document in best]


def of_few_documents(found: Sequence[Found]) -> list[Found]:
    """Without passages of further documents than the first `MOST_DOCUMENTS`: each costs some milliseconds to open."""
    first = list(dict.fromkeys(one.document for one in found))[:MOST_DOCUMENTS]
    return [one for one in found if one.document in first]


def search_terms(question: str) -> list[str]:
    """The content words of a question as FTS5 looks for them; all its words where it has no other."""
    words = dict.fromkeys(index_words(plain_letters(question)))
    names = {word for word in index_words(question) if word.isupper()}
    telling = [word for word in words if word not in STOP_WORDS or word.upper() in names]
    return [_term(word) for word in telling or words]


def _term(word: str) -> str:
    if len(word) < SHORT_WORD or any(map(str.isdigit, word)):
        return f'"{word}"'
    return f'"{word[:STEM]}" *'


def _coverage(database: Database, terms: Sequence[str], allowed: str, count: int) -> tuple[Mapping[int, float], float]:
    """For each document, how rare those of the words are, among these documents, that it has anywhere.

    And how rare all of them are together.
    """
    coverage: dict[int, float] = {}
    possible = 0.0
    for term in terms:
        rows = database.rows(
            f"SELECT DISTINCT rowid / {PASSAGES_OF_A_DOCUMENT} AS document FROM words WHERE words MATCH ?"
            " AND document IN (SELECT value FROM json_each(?))",
            (term, allowed),
        )
        rarity = math.log(1 + (count - len(rows) + 0.5) / (len(rows) + 0.5))
        possible += rarity
        for row in rows:
            coverage[row["document"]] = coverage.get(row["document"], 0.0) + rarity
    return coverage, possible


def documents_with(database: Database, words: str) -> set[int]:
    """The documents that have all these words in their name or text."""
    found: set[int] | None = None
    for term in search_terms(words):
        rows = database.rows(
            f"SELECT DISTINCT rowid / {PASSAGES_OF_A_DOCUMENT} AS document FROM words WHERE words MATCH ?", (term,)
        )
        having = {row["document"] for row in rows}
        found = having if found is None else found & having
    return found or set()
