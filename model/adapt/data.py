"""Training data: rows of question answering -> documents of a fixed length with several questions each.

A document is encoded once and asked many questions in training, too: the encoder is most of the cost. Short passages
are put together until the window is full, and the questions of all of them are packed into one decoder sequence (each
sees itself and the document, not its neighbours). Shapes are few and fixed: CPU kernels are rebuilt for new ones.
"""

import gzip
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase

from model.adapt.facts import Split
from model.adapt.records import make_record
from model.adapt.tasks import pairs_by_context
from model.adapt.ul2 import choose_denoiser, denoise
from model.generation import NOT_IN_DOCUMENT, prompt_text
from model.windows import plan_windows

SEPARATOR = "\n\n"
IGNORED = -100
RECORDS, TEXT = "records", "text"  # kinds of documents that are made, not read: generated ones, and UL2's
NOT_PROSE = (RECORDS, TEXT, "papers")
SHORTEST_TEXT = 40  # tokens that are worth taking apart

Pair = tuple[list[int], list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of text (ids without `<bos>`) and its questions: pairs of prompt ids and answer ids with `<eos>`."""

    ids: list[int]
    pairs: list[Pair]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A bucket: `documents` of `windows` windows of `window` tokens, and `answers` decoder tokens for each.

    `filled`: passages are put together until the windows are full; otherwise a document is one passage.
    """

    documents: int
    windows: int
    window: int
    overlap: int
    answers: int
    filled: bool = True

    @property
    def length(self) -> int:
        """Document tokens, without the `<bos>` of each window."""
        return self.windows * (self.window - 1) - (self.windows - 1) * self.overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """D documents of k windows of W tokens; S decoder tokens for each document.

    window_ids (D * k, W), 0 where padded; answer_ids (D, S); positions (D, S) restart with each question;
    question (D, S) says which question a decoder token belongs to, -1 where padded; targets (D, S) or IGNORED.
    """

    window_ids: torch.Tensor
    answer_ids: torch.Tensor
    positions: torch.Tensor
    question: torch.Tensor
    targets: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def read_rows(file: Path) -> Iterator[dict]:
    """Rows of a JSON-lines file, gzipped or not."""
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


class Tokens:
    """Text to training tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self.tokenizer = tokenizer
        self.bos, self.eos = 2, 1
        self.separator: list[int] = self.encode([SEPARATOR])[0]

    def encode(self, texts: list[str]) -> list[list[int]]:
        return self.tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []

    def pairs(self, pairs: list[tuple[str, str]]) -> list[Pair]:
        """Prompts and answers as the decoder's tokens."""
        prompts = self.encode([prompt for prompt, _ in pairs])
        answers = self.encode([f" {answer.strip()}" for _, answer in pairs])
        return [([self.bos, *prompt], [*answer, self.eos]) for prompt, answer in zip(prompts, answers, strict=True)]

    def passages(self, rows: Iterable[dict], longest: int, most: int | None = None) -> list[Passage]:
        """One passage for each distinct context of up to `longest` tokens; of more than `most` a fixed sample."""
        by_context = pairs_by_context(rows)
        if most is not None and most < len(by_context):
            by_context = {context: by_context[context] for context in random.Random(0).sample(list(by_context), most)}
        contexts = self.encode(list(by_context))
        flat = iter(self.pairs([pair for pairs in by_context.values() for pair in pairs]))
        passages = [
            Passage(ids=ids, pairs=[next(flat) for _ in pairs])
            for ids, pairs in zip(contexts, by_context.values(), strict=True)
        ]
        return [passage for passage in passages if len(passage.ids) <= longest]

    def record(self, rng: random.Random, split: Split) -> Passage:
        """A generated record; now and then one question is about a field that another record has and this one lacks."""
        record = make_record(rng, split)
        questions = list(record.pairs)
        if rng.random() < 0.5:
            asked = {question for question, _ in questions}
            other = [question for question, _ in make_record(rng, split).pairs if question not in asked]
            missing = [q for q in other if q.split()[-1].strip("?").lower() not in record.text.lower()]
            questions += [(question, NOT_IN_DOCUMENT) for question in missing[:1]]
        asked_for = [(prompt_text(question), answer) for question, answer in questions]
        return Passage(ids=self.encode([record.text])[0], pairs=self.pairs(asked_for))

    def denoised(self, ids: list[int], room: int, rng: random.Random) -> Passage:
        """A piece of a text as a UL2 example: what stays is the document, what was taken out is the answer."""
        size = min(len(ids), room)
        start = rng.randint(0, len(ids) - size)
        denoising = denoise(ids[start : start + size], choose_denoiser(rng), rng)
        return Passage(ids=denoising.read, pairs=[([self.bos], [*denoising.written, self.eos])])


def lay_out(
    passages: list[Passage], shape: Shape, tokens: Tokens, rng: random.Random
) -> tuple[list[list[int]], list[Pair]]:
    """One document from passages that fit together: its windows' ids (each with `<bos>`) and shuffled questions."""
    ids: list[int] = []
    for index, passage in enumerate(passages):
        ids += (tokens.separator if index else []) + passage.ids
    pairs = [pair for passage in passages for pair in passage.pairs]
    rng.shuffle(pairs)
    ids = ids[: shape.length]
    windows = plan_windows(shape.length, shape.window - 1, shape.overlap)
    padded = [([tokens.bos, *ids[w.start : w.end]] if ids[w.start : w.end] else []) for w in windows]
    return [window + [0] * (shape.window - len(window)) for window in padded], pairs


def pack(pairs: list[Pair], size: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """As many questions as fit into `size` decoder tokens: ids, positions, question numbers and shifted targets."""
    ids: list[int] = []
    positions: list[int] = []
    question: list[int] = []
    targets: list[int] = []
    for number, (prompt, answer) in enumerate(pairs):
        sequence = [*prompt, *answer]
        if len(ids) + len(sequence) - 1 > size:
            continue
        ids += sequence[:-1]
        positions += range(len(sequence) - 1)
        question += [number] * (len(sequence) - 1)
        targets += [IGNORED] * (len(prompt) - 1) + answer
    rest = size - len(ids)
    return ids + [0] * rest, positions + [0] * rest, question + [-1] * rest, targets + [IGNORED] * rest


def collate(documents: list[tuple[list[list[int]], list[Pair]]], shape: Shape) -> Batch:
    """Documents of one shape as tensors."""
    packed = [pack(pairs, shape.answers) for _, pairs in documents]
    ids, positions, question, targets = (torch.tensor([row[i] for row in packed]) for i in range(4))
    windows = torch.tensor([window for windows, _ in documents for window in windows])
    if shape.windows == 1:
        windows = windows[:, : int((windows != 0).sum(1).max())]
    used = int((question >= 0).sum(1).max())
    return Batch(
        window_ids=windows,
        answer_ids=ids[:, :used],
        positions=positions[:, :used],
        question=question[:, :used],
        targets=targets[:, :used],
    )


class Mixture:
    """Draws batches: a kind of passage by its weight, then others that fill the document."""

    def __init__(
        self,
        sources: dict[str, list[Passage]],
        weights: dict[str, float],
        tokens: Tokens,
        split: Split,
        *,
        unanswerable: float = 1.0,
    ) -> None:
        self.sources, self.tokens, self.split, self.unanswerable = sources, tokens, split, unanswerable
        self.refusal = tokens.pairs([("", NOT_IN_DOCUMENT)])[0][1]
        self.names = [name for name in weights if name in (RECORDS, TEXT) or sources.get(name)]
        self.weights = weights
        self.prose = [name for name in self.names if name not in NOT_PROSE and not name.startswith("forms")]

    def _choose(self, names: list[str], rng: random.Random) -> str:
        return rng.choices(names, [self.weights[name] for name in names])[0]

    def _draw(self, name: str, room: int, rng: random.Random) -> Passage | None:
        for _ in range(20):
            passage = self.tokens.record(rng, self.split) if name == RECORDS else rng.choice(self.sources[name])
            if len(passage.ids) <= room:
                return self._thinned(passage, rng)
        return None

    def _thinned(self, passage: Passage, rng: random.Random) -> Passage:
        """The passage with only a share of its unanswerable questions."""
        pairs = [pair for pair in passage.pairs if pair[1] != self.refusal or rng.random() < self.unanswerable]
        return replace(passage, pairs=pairs or passage.pairs[:1])

    def _denoised(self, shape: Shape, rng: random.Random) -> Passage:
        text = self.tokens.separator
        while len(text) < SHORTEST_TEXT:
            text = rng.choice(self.sources[self._choose(self.prose, rng)]).ids
        return self.tokens.denoised(text, min(shape.length, shape.answers), rng)

    def document(self, shape: Shape, rng: random.Random) -> tuple[list[list[int]], list[Pair]]:
        """The first passage is drawn by weight, the rest are prose: two forms would answer the same question."""
        name = self._choose(self.names, rng)
        if name == TEXT:
            return lay_out([self._denoised(shape, rng)], shape, self.tokens, rng)
        room = shape.length
        passages = []
        passage = self._draw(name, room, rng)
        while passage is not None:
            passages.append(passage)
            room -= len(passage.ids) + len(self.tokens.separator)
            full = not shape.filled or room < 40 or not self.prose
            passage = None if full else self._draw(self._choose(self.prose, rng), room, rng)
        rng.shuffle(passages)
        return lay_out(passages, shape, self.tokens, rng)

    def batch(self, shape: Shape, rng: random.Random) -> Batch:
        return collate([self.document(shape, rng) for _ in range(shape.documents)], shape)
