"""A document at a glance, from its own words: title, keywords, telling sentences, and what one could ask.

Nothing here is written by the model: it was not taught to summarise. What it says is copied from the document.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from statistics import median

from model.types import Document, Page

KEYWORDS = 8
SENTENCES = 3
QUESTIONS = 12  # candidates: those that the model cannot answer are dropped
_COMMON = """
about above after again against also although among because been before being below between both cannot could does doing
down during each either even every from further have having here herself himself into itself just like made make many
more most much must near nor only other ours over same shall should since some such than that their them then there
these they this those through thus under until upon very were what when where which while whom will with within without
would your yours page pages document alle aber als auch auf aus bei beim bis dass dem den der des die dies diese dieser
doch durch ein eine einem einen einer eines für hat haben ihr ihre ist kann mit nach nicht noch nur oder ohne sein seine
sich sie sind über und unter vom von war waren wenn werden wird wurde wurden zum zur avec aussi autre aux cette ceux
comme dans des donc dont elle elles entre être fait ils leur leurs mais même nous ont par pas plus pour que qui sans ses
sont sous sur tous tout une vous como con cuando del desde donde ella ellos entre era esta este esto estos fue han hasta
las los más muy para pero por porque que ser sin sobre son sus también una uno
"""
COMMON = frozenset(_COMMON.split())  # words that every text has, in the page's European languages
_WORD = re.compile(r"[^\W\d_][\w'’-]*[^\W_]")
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]*[A-ZÀ-ÞА-Я])|(?<=[。！？])")
_FIELD = re.compile(r"^[ \t]*([A-ZÀ-Þ][^\W\d_]+(?: [^\W\d_]+){0,2}) ?: *(?=[^\W_])(?!\w+:)([^\n]{1,60})$", re.MULTILINE)
_DATE = re.compile(r"\b(?:on|am|le|el) (\d{1,2}\.? (?:de )?[^\W\d_]{3,10} (?:de )?\d{4})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of a page: `page.text[start:end]`."""

    page: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What stands out in a document. Each part may be empty: not every document has it."""

    title: str
    keywords: tuple[str, ...]
    sentences: tuple[Sentence, ...]


def overview(document: Document) -> Overview:
    counts = Counter(word for page in document.pages for word in content_words(page.text))
    return Overview(
        title=title(document), keywords=keywords(document, counts), sentences=telling_sentences(document, counts)
    )


def content_words(text: str) -> list[str]:
    """The words that say what a text is about, in lower case."""
    return [word for found in _WORD.findall(text) if len(word := found.lower()) > 3 and word not in COMMON]


def title(document: Document) -> str:
    """The largest type on the first page with text; in plain text the first line."""
    page = next((page for page in document.pages if page.text.strip()), None)
    if page is None:
        return ""
    lines = [line for line in _lines(page) if _WORD.search(page.text[line[0] : line[1]])]
    if not lines:
        return ""
    largest = max(height for *_, height in lines)
    stands_out = largest > 1.15 * median(height for *_, height in lines)
    first = next(index for index, line in enumerate(lines) if line[2] >= 0.92 * largest)
    last = first
    while stands_out and last + 1 < len(lines) and last - first < 3 and lines[last + 1][2] >= 0.92 * largest:
        last += 1
    found = " ".join(page.text[lines[first][0] : lines[last][1]].split()).lstrip("# ")
    return found if len(found) <= 160 else ""


def _lines(page: Page) -> list[tuple[int, int, float]]:
    """Start, end and height of type of each line; 0 where nothing is known of it."""
    found, start = [], 0
    for text in page.text.split("\n"):
        end = start + len(text)
        heights = [word.box[3] - word.box[1] for word in page.words if start <= word.start < end and not word.hidden]
        found.append((start, end, median(heights) if heights else 0.0))
        start = end + 1
    return found


def keywords(document: Document, counts: Counter[str]) -> tuple[str, ...]:
    """Words and pairs of words that come again and again."""
    pairs: Counter[str] = Counter()
    for page in document.pages:
        for line in page.text.split("\n"):
            words = [word.lower() for word in _WORD.findall(line)]
            pairs.update(f"{one} {two}" for one, two in itertools.pairwise(words) if one in counts and two in counts)
    scores = {pair: 2.0 * count for pair, count in pairs.items() if count > 1} | dict(counts)
    chosen: list[str] = []
    for phrase, score in sorted(scores.items(), key=lambda item: -item[1]):
        if score > 1 and not any(set(phrase.split()) & set(other.split()) for other in chosen):
            chosen.append(phrase)
    return tuple(chosen[:KEYWORDS])


def telling_sentences(document: Document, counts: Counter[str]) -> tuple[Sentence, ...]:
    """Sentences full of the document's frequent words, each telling something that the ones before do not."""
    sentences = [one for page in document.pages for one in sentences_of(page)]
    words = [set(content_words(one.text)) for one in sentences]
    told: set[str] = set()
    chosen: list[int] = []
    for _ in range(min(SENTENCES, len(sentences))):
        best = max(
            (index for index in range(len(sentences)) if index not in chosen),
            key=lambda index: _weight(words[index] - told, counts, index),
        )
        chosen.append(best)
        told |= words[best]
    return tuple(sentences[index] for index in sorted(chosen))


def _weight(words: set[str], counts: Counter[str], position: int) -> float:
    """More for frequent words and for what stands early, less for length."""
    if not words:
        return 0.0
    return sum(log(1 + counts[word]) for word in words) / len(words) ** 0.5 / (1 + position) ** 0.1


def sentences_of(page: Page) -> Iterator[Sentence]:
    """The sentences of running text: lines are joined, headings and tables left out by their shape."""
    for block in re.finditer(r"(?:[^\n]+\n?)+", page.text):
        start = block.start()
        for part in [*_SENTENCE_END.finditer(block.group()), None]:
            end = block.start() + (part.end() if part else len(block.group()))
            text = " ".join(page.text[start:end].split())
            if 6 <= len(text.split()) <= 45 and text.endswith((".", "!", "?", ".”", "。")):
                yield Sentence(page=page.number, start=start, end=start + len(page.text[start:end].rstrip()), text=text)
            start = end


def possible_questions(document: Document) -> tuple[str, ...]:
    """Questions after what stands in the document: fields with a label, and dates."""
    text = "\n".join(page.text for page in document.pages)
    fields = [label.lower() for label, value in _FIELD.findall(text) if len(value.split()) <= 8]
    found = [f"What is the {label}?" for label in fields if not COMMON & set(label.split())]
    found += [f"What happened on {date}?" for date in _DATE.findall(text)]
    return tuple(dict.fromkeys(found))[:QUESTIONS]
