"""Questions about real documents -> passages, as answering will see them.

The page texts are those of the app's reader (`python -m app.bench pages`), the sentences that a question is shown are
chosen by `model/answering/retrieval.py`, and the prompt is the app's. Where that misses the place of the answer, the
place is shown beside what was chosen: the decoder learns to find it among near misses, in the order of the document.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

from model.answering.passages import PageTokens, Passage, cut_pages
from model.answering.prompts import NOT_IN_DOCUMENT, prompt_text
from model.answering.questions import words_of_last_turn
from model.answering.retrieval import retrieve
from model.answering.whole_document import LEAD_TOKENS
from model.answering.word_index import WordIndex, relevance
from model.answering.words import plain_letters
from model.encoding.token_map import encode_text
from model.training.data import PASSAGE_TOKENS, Pair, Tokens, TrainingPassage, read_rows
from model.training.similarities import Similarities, TextSimilarities
from model.types import Turn

KEPT_OUT = (  # sources of documents that are measured with elsewhere
    "tracemonkey", "freeculture", "issue14297", "bigboundingbox", "chrome-text-selection-markedcontent",
    "federal-register-2020-17221", "chelsea_pdta", "warn-report", "issue-67-example",
    "redp5110_sampled", "old_newspaper", "qr_bill_example", "basecamp/policies", "debian", "readonce",
)  # fmt: skip
DEVELOPMENT = 16  # one in so many documents of `train` is for choosing settings, and not trained on

_JUDGED = "yes-no"
_OF_THE_WHOLE = ("whole-document", "instruction")  # kinds that the beginning of a document answers best
_YES_OR_NO = re.compile(
    r"(yes|no|ja|nein|oui|non|sí|si|tak|nie|sim|não|nee|ano|ne|jah|ei|evet|hayır|nej|áno|да|нет|是|不是|否|はい|いいえ)\b",
    re.IGNORECASE,
)
_PART = re.compile(r"\s*(?:\.\.\.|…|\||\n)\s*")
_WORD = re.compile(r"[^\W_]+")
_ENOUGH = 0.6  # of a quote's words that passages must have to be its place
_MORE = 0.15  # of them that a further passage must add
_MOST_PLACES = 5
_SHORTEST_ROOM = 80  # tokens for what was chosen, beside a place that takes all
_ROOM, _EXCERPT = 1200, 1270  # tokens that the questions of an excerpt are shown, and with what is around them
_LONGEST_ANSWER = 110  # tokens
_SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "sample.pdf"

Spans = tuple[tuple[int, int], ...]
"""Tokens [first, last) of a text, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PagedText:
    """A document's tokens, its pages joined as the engine joins them, and its passages.

    pages: the page that each passage stands on. similarities: None where words alone choose passages.
    """

    ids: list[int]
    passages: list[Passage]
    pages: list[int]
    words: WordIndex
    similarities: TextSimilarities | None = None

    @classmethod
    def of(cls, texts: Mapping[int, str], tokens: Tokens, similarities: Similarities | None = None) -> PagedText:
        """From page texts by their numbers."""
        ids: list[int] = []
        pages: list[PageTokens] = []
        numbers: list[int] = []
        for number, text in texts.items():
            page_ids, places = encode_text(tokens.tokenizer, text)
            if not page_ids:
                continue
            ids += tokens.separator if ids else []
            starts, ends = zip(*places, strict=True)
            pages.append(
                PageTokens(text=text, starts=starts, ends=ends, places=range(len(ids), len(ids) + len(places)))
            )
            numbers.append(number)
            ids += page_ids
        found = cut_pages(pages)
        passages = [passage for _, passage in found]
        return cls(
            ids=ids,
            passages=passages,
            words=WordIndex(passages),
            pages=[numbers[index] for index, _ in found],
            similarities=similarities.of(ids) if similarities and ids else None,
        )

    def chosen_for(self, question: str) -> list[int]:
        """Which passages answering would show a question, the best first."""
        spans = [(passage.start, passage.end) for passage in self.passages]
        by_meaning = self.similarities.scores(spans, question) if self.similarities else None
        by_words = relevance([self.words], question)
        numbers = {passage: number for number, passage in enumerate(self.passages)}
        return [numbers[one] for one in retrieve(self.passages, question, PASSAGE_TOKENS, by_words, by_meaning)]

    def place_of(self, row: Mapping, *, paged: bool) -> list[int]:
        """Which passages hold what a row rests on; none where its quote is not found.

        `paged`: whether the row's page numbers are the reader's.
        """
        answer = Counter(_words(" ".join(row["answers"][:1])))
        wanted = Counter(_words(row["quote"])) or answer
        among = [i for i, page in enumerate(self.pages) if not paged or page in row["pages"]]
        words = {i: Counter(_words(self.passages[i].text)) for i in among}

        def held(i: int) -> tuple[int, int, int]:
            return (missing & words[i]).total(), (answer & words[i]).total(), -words[i].total()

        chosen: list[int] = []
        missing = Counter(wanted)
        while among and len(chosen) < _MOST_PLACES:
            best = max(among, key=held)
            if held(best)[0] < max(1.0, _MORE * wanted.total()):
                break
            chosen.append(best)
            missing -= words[best]
        return sorted(chosen) if wanted and missing.total() <= (1 - _ENOUGH) * wanted.total() else []

    @property
    def lead(self) -> Spans:
        """The beginning of the document."""
        return ((0, min(LEAD_TOKENS, len(self.ids))),)

    def with_room(self, place: Sequence[int], chosen: Sequence[int]) -> Spans:
        """The tokens of a place, and of the passages that were chosen as far as there is room.

        Where none was chosen, all of a short document and the neighbours of the place in a long one.
        """
        if not chosen:
            return self.with_neighbours(place) if len(self.ids) > LEAD_TOKENS else self.lead
        kept = set(place)
        room = PASSAGE_TOKENS + _SHORTEST_ROOM - sum(self._size(i) for i in kept)
        for i in chosen:
            if i not in kept and (self._size(i) <= room or not kept):
                kept.add(i)
                room -= self._size(i)
        return self._spans(kept)

    def with_neighbours(self, place: Sequence[int]) -> Spans:
        """The tokens of a place and of the passages before and behind it on its page; of none, the beginning."""
        beside = {near + step for near in place for step in (-1, 0, 1) if 0 <= near + step < len(self.passages)}
        pages = {self.pages[near] for near in place}
        return self._spans({i for i in beside if self.pages[i] in pages}) if place else self.lead

    def _size(self, index: int) -> int:
        return self.passages[index].end - self.passages[index].start

    def _spans(self, indices: Iterable[int]) -> Spans:
        return _runs((self.passages[i].start, self.passages[i].end) for i in sorted(indices))


def real_passages(
    folder: Path,
    pages: Path,
    tokens: Tokens,
    similarities: Similarities | None = None,
    *,
    development: bool = False,
) -> list[TrainingPassage]:
    """What `train` of a folder of real documents asks, in excerpts; `development`: its documents for choosing."""
    sample = hashlib.sha256(_SAMPLE.read_bytes()).hexdigest()
    read = (row for row in read_rows(pages) if row["sha256"] != sample)  # the bundled sample is measured with
    texts = {row["document"]: {int(n): text for n, text in row["pages"].items()} for row in read}
    documents = {row["id"]: row for row in read_rows(folder / "documents.jsonl")}
    asked: dict[str, list[dict]] = {}
    for row in read_rows(folder / "questions.jsonl"):
        if may_be_learned(documents[row["doc"]], row, development=development):
            asked.setdefault(row["doc"], []).append(row)
    return [
        passage
        for name, rows in asked.items()
        if any(texts.get(name, {}).values())
        for passage in document_passages(
            texts[name], rows, tokens, similarities, paged=documents[name]["file"].endswith("pdf")
        )
    ]


def may_be_learned(document: Mapping, row: Mapping, *, development: bool = False) -> bool:
    """Whether a question may be trained on: of `train`, none of those kept out, and not for choosing settings."""
    source = f"{document['source']} {document['file']}".lower()
    return (
        row["split"] == document["split"] == "train"
        and not any(name in source for name in KEPT_OUT)
        and is_for_development(document["id"]) == development
    )


def is_for_development(document: str) -> bool:
    return crc32(document.encode()) % DEVELOPMENT == 0


def document_passages(
    texts: Mapping[int, str],
    rows: Sequence[Mapping],
    tokens: Tokens,
    similarities: Similarities | None = None,
    *,
    paged: bool,
) -> Iterator[TrainingPassage]:
    """Excerpts of a document, each with questions whose places stand near each other."""
    text = PagedText.of(texts, tokens, similarities)
    pairs = [pair for row in rows if (pair := _pair(text, row, tokens, paged=paged)) is not None]
    for group in _groups(sorted(pairs, key=lambda pair: pair.shown), _ROOM):
        yield _excerpt(text, group)


def learned_answer(row: Mapping) -> str:
    """What the decoder learns to say: the answer alone, of a judgement the one word."""
    if not row["answers"]:
        return NOT_IN_DOCUMENT
    best: str = row["answers"][0]
    if row["kind"] == _JUDGED and (judged := _YES_OR_NO.match(best)):
        return judged.group()
    return best


def _pair(text: PagedText, row: Mapping, tokens: Tokens, *, paged: bool) -> Pair | None:
    """A question with the tokens that it is shown; none where its answer is nowhere in the text that was read."""
    turns = tuple(Turn(question=turn["question"], answer=turn["answer"]) for turn in row.get("turns", ()))
    question, answer = row["question"].strip(), learned_answer(row)
    [pair] = tokens.pairs([(prompt_text(question, turns), answer)])
    if len(pair.answer) > _LONGEST_ANSWER:
        return None
    if row["kind"] in _OF_THE_WHOLE:
        return replace(pair, shown=text.lead)
    chosen = text.chosen_for(question + words_of_last_turn(turns))
    place = text.place_of(row, paged=paged) if row["answers"] else chosen[:1]
    if row["answers"] and not place:
        return None
    return replace(pair, shown=text.with_room(place if row["answers"] else [], chosen))


def _runs(spans: Iterable[tuple[int, int]]) -> Spans:
    """Spans in order, those that touch as one."""
    runs: list[tuple[int, int]] = []
    for first, last in spans:
        if runs and first <= runs[-1][1]:
            runs[-1] = runs[-1][0], max(last, runs[-1][1])
        else:
            runs.append((first, last))
    return tuple(runs)


def _groups(pairs: Sequence[Pair], room: int) -> Iterator[list[Pair]]:
    """Pairs in order of their places, so many that all their tokens fit into `room`; at least one."""
    group: list[Pair] = []
    tokens: set[int] = set()
    for pair in pairs:
        also = {token for first, last in pair.shown for token in range(first, last)}
        if group and len(tokens | also) > room:
            yield group
            group, tokens = [], set()
        group.append(pair)
        tokens |= also
    if group:
        yield group


def _excerpt(text: PagedText, group: Sequence[Pair], longest: int = _EXCERPT) -> TrainingPassage:
    """What the questions of a group are shown, with as much around it as there is room."""
    spans = _runs(sorted({span for pair in group for span in pair.shown}))
    room = max(0, longest - sum(last - first for first, last in spans)) // (2 * len(spans))
    kept = _runs((max(0, first - room), min(len(text.ids), last + room)) for first, last in spans)
    start: dict[int, int] = {}  # where each run begins in the excerpt
    ids: list[int] = []
    for first, last in kept:
        start[first] = len(ids)
        ids += text.ids[first:last]

    def moved(span: tuple[int, int]) -> tuple[int, int]:
        run = max(first for first, _ in kept if first <= span[0])
        return start[run] + span[0] - run, start[run] + span[1] - run

    return TrainingPassage(ids=ids, pairs=[replace(pair, shown=tuple(map(moved, pair.shown))) for pair in group])


def _words(text: str) -> list[str]:
    return _WORD.findall(plain_letters(_PART.sub(" ", text)))
