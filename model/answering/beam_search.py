"""Answers to one question that grow side by side: beam search; of width one, greedy decoding or a draw.

A small decoder often knows the right answer and gives another one a little more probability. So the likeliest few are
written out, all in the batch that reads the document for one, and `ranking.py` chooses among them.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

import torch

from model.answering.sampler import Sampler
from model.network.topk import largest

_MARGIN = 3.0  # nats behind the likeliest: what is less likely than that is given up (4.5: no answer becomes better)
_ENOUGH = 10  # finished answers that are likelier than all that grow
_LONGEST_CHOICE = 24  # tokens: an answer that is longer is a text, and its likeliest beginning goes on alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One answer, whole or still growing.

    attention: (T,) float32, of the rows looked at, summed over tokens. sought: the same, of the middle global layer
    before the first token.
    """

    ids: tuple[int, ...] = ()
    log_probabilities: tuple[float, ...] = ()
    attention: torch.Tensor
    sought: torch.Tensor

    @property
    def log_probability(self) -> float:
        return sum(self.log_probabilities)

    @property
    def confidence(self) -> float:
        """Geometric mean probability of the tokens."""
        return math.exp(self.log_probability / max(1, len(self.ids)))

    def longer(self, token: int, log_probability: float, attention: torch.Tensor, sought: torch.Tensor) -> Candidate:
        return replace(
            self,
            ids=(*self.ids, token),
            log_probabilities=(*self.log_probabilities, log_probability),
            attention=self.attention + attention,
            sought=self.sought if self.ids else sought,
        )


class Search:
    """The candidates for one question's answer: those that grow, a row of the decoder each, and the finished ones."""

    def __init__(self, width: int, sampler: Sampler, ends: Collection[int], nowhere: torch.Tensor) -> None:
        """`ends`: the ids that end an answer. nowhere: (T,) zeros."""
        self._width = width
        self._sampler = sampler
        self._ends = ends
        self.growing = [Candidate(attention=nowhere, sought=nowhere)]
        self.finished: list[Candidate] = []

    @property
    def likeliest(self) -> Candidate:
        """What the answer would be if it had to end now."""
        return max((*self.finished, *self.growing), key=lambda candidate: candidate.log_probability)

    def take(self, logits: torch.Tensor, attention: torch.Tensor, sought: torch.Tensor) -> list[int]:
        """One more token for what grows, from its rows of logits (n, vocabulary), attention and sought, each (n, T).

        Returns which of the n rows go on, in the order of `growing`; one may go on in several ways.
        """
        longer = self._drawn(logits) if self._width == 1 else self._likeliest(logits)
        grown: list[tuple[int, Candidate]] = []
        for row, token, log_probability in longer:
            candidate = self.growing[row].longer(token, log_probability, attention[row], sought[row])
            if token in self._ends:
                self.finished.append(candidate)
            elif len(grown) < self._width:
                grown.append((row, candidate))
        self._narrow(grown)
        self.growing = [candidate for _, candidate in grown]
        return [row for row, _ in grown]

    def end(self) -> None:
        """No more tokens: what still grows is finished as it is, if nothing else is."""
        self.finished = self.finished or self.growing
        self.growing = []

    def _drawn(self, logits: torch.Tensor) -> list[tuple[int, int, float]]:
        return [(0, *self._sampler.sample(logits[0]))]

    def _likeliest(self, logits: torch.Tensor) -> list[tuple[int, int, float]]:
        """(row, token, its log-probability) of the likeliest ways to go on, the likeliest whole first."""
        best = largest(logits, self._width + 1)
        values = (logits.gather(1, best) - logits.logsumexp(-1, keepdim=True)).tolist()
        ways = [
            (row, token, value)
            for row, (tokens, of_row) in enumerate(zip(best.tolist(), values, strict=True))
            for token, value in zip(tokens, of_row, strict=True)
        ]
        return sorted(ways, key=lambda way: -(self.growing[way[0]].log_probability + way[2]))

    def _narrow(self, grown: list[tuple[int, Candidate]]) -> None:
        """Give up what can no longer be chosen."""
        best = max((candidate.log_probability for candidate in self.finished), default=-math.inf)
        self.finished = [one for one in self.finished if one.log_probability >= best - _MARGIN]
        if not grown:
            return
        likeliest = grown[0][1]
        least = max(best, likeliest.log_probability) - _MARGIN
        grown[:] = [way for way in grown if way[1].log_probability >= least]
        if sum(one.log_probability >= likeliest.log_probability for one in self.finished) >= _ENOUGH:
            grown.clear()
        elif self._width > 1 and len(likeliest.ids) >= _LONGEST_CHOICE:
            self._width = 1
            del grown[0 if best > likeliest.log_probability else 1 :]
