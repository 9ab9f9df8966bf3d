"""Training data: rows of question answering -> documents of a fixed length with several questions each.

A document is encoded once and asked many questions in training, too: the encoder is most of the cost. Short passages
are put together until the window is full, and the questions of all of them are packed into one decoder sequence (each
sees itself and the document, not its neighbours). Shapes are few and fixed: CPU kernels are rebuilt for new ones.
"""

import gzip
import json
import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from model.adapt.facts import Split
from model.adapt.records import make_record
from model.adapt.tasks import SUMMARY, TITLE, pairs_by_context
from model.adapt.ul2 import choose_denoiser, denoise
from model.passages import Passage as CutPassage
from model.passages import closest, cut
from model.prompts import NOT_IN_DOCUMENT, prompt_text
from model.tokens import encode_text
from model.windows import plan_windows

SEPARATOR = "\n\n"
IGNORED = -100
PASSAGE_TOKENS = 320  # that a question is shown at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Prompt ids and answer ids with `<eos>`; shown: tokens [first, last) that the question may look at, none: all."""

    prompt: list[int]
    answer: list[int]
    shown: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of text (ids without `<bos>`) and its questions."""

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
    question (D, S) says which question a decoder token belongs to, -1 where padded; targets (D, S) or IGNORED; shown
    (D, S, T) says which of the T rows of its document's memory it may look at.
    """

    window_ids: torch.Tensor
    answer_ids: torch.Tensor
    positions: torch.Tensor
    question: torch.Tensor
    targets: torch.Tensor
    shown: torch.Tensor

    def to(self, device: torch.device) -> "Batch":
        return Batch(**{field.name: getattr(self, field.name).to(device) for field in fields(self)})


def read_rows(file: Path) -> Iterator[dict]:
    """Rows of a JSON-lines file, gzipped or not."""
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


class Tokens:
    """Text to training tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.bos, self.eos = 2, 1
        self.separator: list[int] = self.encode([SEPARATOR])[0]

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> list[Pair]:
        """Prompts and answers as the decoder's tokens."""
        prompts = self.encode([prompt for prompt, _ in pairs])
        answers = self.encode([f" {answer.strip()}" for _, answer in pairs])
        return [
            Pair(prompt=[self.bos, *prompt], answer=[*answer, self.eos])
            for prompt, answer in zip(prompts, answers, strict=True)
        ]

    def passages(self, rows: Iterable[dict], longest: int, most: int | None = None) -> list[Passage]:
        """One passage for each distinct context of up to `longest` tokens; of more than `most` a fixed sample."""
        by_context = pairs_by_context(rows)
        if most is not None and most < len(by_context):
            by_context = {context: by_context[context] for context in random.Random(0).sample(list(by_context), most)}
        passages = [self.passage(context, pairs) for context, pairs in by_context.items()]
        return [passage for passage in passages if len(passage.ids) <= longest]

    def passage(self, context: str, pairs: Sequence[tuple[str, str]]) -> Passage:
        """A context and what is asked about it; each question is shown what the engine would show it."""
        ids, places = encode_text(self.tokenizer, context)
        starts, ends = zip(*places, strict=True) if places else ((), ())
        parts = list(cut(context, starts, ends))
        asked = [
            replace(pair, shown=_shown(parts, context, starts, question, answer))
            for pair, (question, answer) in zip(self.pairs(pairs), pairs, strict=True)
        ]
        return Passage(ids=ids, pairs=asked)

    def record(self, rng: random.Random, split: Split) -> Passage:
        """A generated record; now and then one question is about a field that another record has and this one lacks."""
        record = make_record(rng, split)
        questions = list(record.pairs)
        if rng.random() < 0.5:
            asked = {question for question, _ in questions}
            other = [question for question, _ in make_record(rng, split).pairs if question not in asked]
            missing = [q for q in other if q.split()[-1].strip("?").lower() not in record.text.lower()]
            questions += [(question, NOT_IN_DOCUMENT) for question in missing[:1]]
        return self.passage(record.text, [(prompt_text(question), answer) for question, answer in questions])

    def denoised(self, ids: list[int], room: int, rng: random.Random) -> Passage:
        """A piece of a text as a UL2 example: what stays is the document, what was taken out is the answer."""
        size = min(len(ids), room)
        start = rng.randint(0, len(ids) - size)
        denoising = denoise(ids[start : start + size], choose_denoiser(rng), rng)
        return Passage(ids=denoising.read, pairs=[Pair(prompt=[self.bos], answer=[*denoising.written, self.eos])])


def _shown(
    parts: Sequence[CutPassage], context: str, starts: Sequence[int], prompt: str, answer: str
) -> tuple[tuple[int, int], ...]:
    """The tokens that a question is shown: the closest passages, and the one that holds the answer."""
    if prompt in (SUMMARY, TITLE):
        return ()
    before, after = prompt_text("\0").split("\0")
    chosen = closest(parts, prompt.removeprefix(before).removesuffix(after), PASSAGE_TOKENS)
    if chosen and (place := context.find(answer)) >= 0:
        first, last = bisect_right(starts, place) - 1, bisect_left(starts, place + len(answer))
        chosen += [part for part in parts if part.first < last and first < part.last]
    return tuple(sorted({(part.first, part.last) for part in chosen}))


def lay_out(
    passages: list[Passage], shape: Shape, tokens: Tokens, rng: random.Random
) -> tuple[list[list[int]], list[Pair]]:
    """One document from passages that fit together: its windows' ids (each with `<bos>`) and shuffled questions."""
    ids: list[int] = []
    pairs: list[Pair] = []
    for index, passage in enumerate(passages):
        ids += tokens.separator if index else []
        start = len(ids)
        ids += passage.ids
        pairs += [
            replace(pair, shown=tuple((start + first, start + last) for first, last in pair.shown))
            for pair in passage.pairs
        ]
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
    for number, pair in enumerate(pairs):
        sequence = [*pair.prompt, *pair.answer]
        if len(ids) + len(sequence) - 1 > size:
            continue
        ids += sequence[:-1]
        positions += range(len(sequence) - 1)
        question += [number] * (len(sequence) - 1)
        targets += [IGNORED] * (len(pair.prompt) - 1) + pair.answer
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
    shown = [
        rows_shown(pairs, shape)[numbers] for (_, pairs), numbers in zip(documents, question[:, :used], strict=True)
    ]
    memory = windows.shape[1] if shape.windows == 1 else shape.length + shape.windows
    return Batch(
        window_ids=windows,
        answer_ids=ids[:, :used],
        positions=positions[:, :used],
        question=question[:, :used],
        targets=targets[:, :used],
        shown=torch.stack(shown)[..., :memory],
    )


def rows_shown(pairs: Sequence[Pair], shape: Shape) -> torch.Tensor:
    """Which rows of the joined memory each question may look at, (pairs, T) bool: `<bos>` and its passages."""
    kept = [window.keep_start for window in plan_windows(shape.length, shape.window - 1, shape.overlap)]
    rows = torch.ones(len(pairs), shape.length + shape.windows, dtype=torch.bool)
    row_of = torch.tensor([token + bisect_right(kept, token) for token in range(shape.length)])
    for row, pair in zip(rows, pairs, strict=True):
        if pair.shown:
            row[1:] = False
            for first, last in pair.shown:
                row[row_of[first:last]] = True
    return rows
