"""What a training document is made of: kinds of passages by their weights, put together until the window is full."""

import random
from collections.abc import Sequence
from dataclasses import replace

from model.answering.prompts import NOT_IN_DOCUMENT
from model.training.data import Tokens, TrainingPassage
from model.training.facts import Split
from model.training.packing import Batch, Layout, Shape, collate, lay_out

RECORDS, TEXT = "records", "text"  # kinds of documents that are made, not read: generated ones, and UL2's
NOT_PROSE = (RECORDS, TEXT, "papers")
SHORTEST_TEXT = 40  # tokens that are worth taking apart


class Mixture:
    """Draws batches: a kind of passage by its weight, then others that fill the document."""

    def __init__(
        self,
        sources: dict[str, list[TrainingPassage]],
        weights: dict[str, float],
        tokens: Tokens,
        split: Split,
        *,
        unanswerable: float = 1.0,
        whole: float = 0.0,
    ) -> None:
        self.sources, self.tokens, self.split = sources, tokens, split
        self.unanswerable, self.whole = unanswerable, whole
        self.refusal = tokens.pairs([("", NOT_IN_DOCUMENT)])[0].answer
        self.names = [name for name in weights if name in (RECORDS, TEXT) or sources.get(name)]
        self.weights = weights
        self.prose = [name for name in self.names if name not in NOT_PROSE and not name.startswith("forms")]

    def _choose(self, names: list[str], rng: random.Random) -> str:
        return rng.choices(names, [self.weights[name] for name in names])[0]

    def _draw(self, name: str, room: int, rng: random.Random) -> TrainingPassage | None:
        for _ in range(20):
            passage = self.tokens.record(rng, self.split) if name == RECORDS else rng.choice(self.sources[name])
            if len(passage.ids) <= room:
                return self._thinned(passage, rng)
        return None

    def _thinned(self, passage: TrainingPassage, rng: random.Random) -> TrainingPassage:
        """The passage with only a share of its unanswerable questions, and some that may look at all of it."""
        pairs = [pair for pair in passage.pairs if pair.answer != self.refusal or rng.random() < self.unanswerable]
        pairs = [replace(pair, shown=()) if rng.random() < self.whole else pair for pair in pairs or passage.pairs[:1]]
        return replace(passage, pairs=pairs)

    def _denoised(self, shape: Shape, rng: random.Random) -> TrainingPassage:
        text = self.tokens.separator
        while len(text) < SHORTEST_TEXT:
            text = rng.choice(self.sources[self._choose(self.prose, rng)]).ids
        return self.tokens.denoised(text, min(shape.length, shape.answers), rng)

    def document(self, shape: Shape, rng: random.Random) -> Layout:
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

    def batch(self, shapes: Sequence[Shape], rng: random.Random) -> Batch:
        """A document of each shape."""
        return collate([self.document(shape, rng) for shape in shapes], [shape.answers for shape in shapes])
