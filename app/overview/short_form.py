"""Tickets, invoices, receipts: short documents whose dates, sums and fields tell more than their small print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Final

from app.overview.kinds import MESSAGE
from model.answering.extractive_summary import sentences
from model.answering.lines import Line, has_words, lines_of
from model.answering.quotes import Quote
from model.answering.sentences import BOXES, WHOLE_SENTENCE_ENDS, spans
from model.types import Document, Page

LINES: Final = 5
_SHORT: Final = frozenset({"Invoice", "Receipt", "Ticket"})  # kinds that are forms however much small print they have
_MOST_PAGES: Final = 2
_MOST_PROSE: Final = 0.4  # share of the characters of the first page that are whole sentences
_WORDS: Final = 8  # of such a sentence
_FEWEST: Final = 3  # different features that its lines have
_LONGEST: Final = 90  # characters of a line
_LARGER: Final = 1.12  # times the usual line's height
_SAID: Final = 0.5  # what remains of the weight of a feature that a chosen line has
_LEAST: Final = 0.5  # weight of a line that is worth showing
_FEATURES: Final = {
    "date": (
        2.0,
        r"\b\d{1,4}([./-])\d{1,2}\1\d{1,4}\b|\b\d{1,2}/\d{1,2}\b|\b\d{1,2}\.? [A-Z][^\W\d_]{2,8}\.? \d{4}\b"
        r"|\b[A-Z][a-z]{2,8} \d{1,2}, \d{4}\b",
    ),
    "time": (1.5, r"\b\d{1,2}[:h]\d{2}\b"),
    "total": (
        2.5,
        r"(?i:\b(?:grand )?total\b|amount due|balance due|gesamt|summe|zahlbetrag|montant|totaal|importe|razem|kokku"
        r"|合计|总计).*\d",
    ),
    "money": (1.0, r"[$€£¥]\s?\d|\d\s?(?:[$€£¥]|EUR\b|USD\b|CHF\b|GBP\b)|\d[.,]\d{2}\b"),
    "place": (
        1.5,
        r"(?i:\b(?:seat|coach|gate|platform|room|table|platz|wagen|gleis|voiture|place|siège|asiento)\b).*\d",
    ),
    "route": (1.5, r"[^\W\d_]{3,} (?:>|→|➜|-->) [^\W\d_]{3,}"),
    "number": (1.5, r"(?i:\b(?:invoice|order|receipt|booking|rechnung|facture|factuur|arve|faktura)\b).*\d"),
    "field": (1.0, r"^[^\W\d_][^:\n]{1,30}: ?\S"),
}
_PATTERNS: Final = {name: (weight, re.compile(pattern)) for name, (weight, pattern) in _FEATURES.items()}
_LARGE: Final = "large"
_WEIGHTS: Final = {**{name: weight for name, (weight, _) in _FEATURES.items()}, _LARGE: 1.5}
_WORDLESS: Final = frozenset({"date", "total"})  # that say something without a word beside them
_LABEL_ALONE: Final = (":", "：")
_BETWEEN_VALUES: Final = "; "  # of a table's row


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line(Quote):
    """A line, or a value of a table's row, with what it tells."""

    features: frozenset[str]


def telling_lines(document: Document, title: str, kind: str) -> tuple[Quote, ...]:
    """The lines that tell most of a short form, in its order; none where the document is another kind of text."""
    if not 0 < len(document.pages) <= _MOST_PAGES or not _is_form(document.pages[0], kind):
        return ()
    page = document.pages[0]
    lines = [line for line in _lines(page) if line.text not in title]
    if len(frozenset().union(*(line.features for line in lines)) - {_LARGE}) < _FEWEST:
        return ()
    weights, chosen = dict(_WEIGHTS), list[_Line]()
    while len(chosen) < LINES and lines:
        best = max(lines, key=lambda line: sum(weights[name] for name in line.features))  # the first among equals
        if sum(weights[name] for name in best.features) < _LEAST:
            break
        chosen.append(best)
        lines = [line for line in lines if best.text not in line.text]
        for name in best.features:
            weights[name] *= _SAID
    return tuple(sorted(chosen, key=lambda line: line.start))


def _is_form(page: Page, kind: str) -> bool:
    return kind in _SHORT or (kind != MESSAGE and not _is_prose(page))


def _is_prose(page: Page) -> bool:
    whole = (page.text[start:end] for start, end in spans(page.text))
    said = sum(len(one) for one in whole if one.endswith(WHOLE_SENTENCE_ENDS) and len(one.split()) >= _WORDS)
    return said > _MOST_PROSE * len(page.text)


def _lines(page: Page) -> Iterator[_Line]:
    lines = list(lines_of(page))
    usual = median([line.height for line in lines] or [0.0])
    told = [(one.start, one.end) for one in sentences(Document(name="", sha256="", pages=(page,)))]
    for line in lines:
        end = _said_first(page, line)
        text = page.text[line.start : end].strip()
        features = frozenset(name for name, (_, pattern) in _PATTERNS.items() if pattern.search(text))
        is_large = line.height > _LARGER * usual > 0 and has_words(text)
        in_sentence = any(first < end and line.start < last for first, last in told)
        if not in_sentence and (features & _WORDLESS or has_words(text)) and _says_something(text):
            yield _Line(
                document_index=0,
                page=page,
                start=line.start,
                end=end,
                features=features | {_LARGE} if is_large else features,
            )


def _says_something(text: str) -> bool:
    """No labels alone, no boxes to tick, and no more than can be read at a glance."""
    labels_alone = text.endswith(_LABEL_ALONE) or (text.count(": ") > 1 and not any(char.isdigit() for char in text))
    return len(text) <= _LONGEST and not labels_alone and not any(box in text for box in BOXES)


def _said_first(page: Page, line: Line) -> int:
    """Where a line ends; of a table's row, its first value, since a whole row says too much at once."""
    if any(table.start < line.end and line.start < table.end for table in page.tables):
        return line.start + len(page.text[line.start : line.end].partition(_BETWEEN_VALUES)[0])
    return line.end
