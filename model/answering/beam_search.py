"""Beam search: candidate answers to one question, decoded side by side; of width one, greedy decoding or sampling.

A small decoder often knows the right answer and gives another one a little more probability. So the likeliest few are
written out, all in the batch that reads the document for one, and `reranker.py` chooses among them. Beside them stand
proposals, such as the cell of a table that the question names: their tokens are given, and the decoder says how likely
they are.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import torch

from model.answering.sampler import Sampler
from model.answering.tuning import FITTED, BeamTuning
from model.network.topk import largest


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One answer, finished or still live.

    attention: (V,) float32, over the document's visible tokens, summed over the answer's. first_token_attention: (V,),
    that of the middle global layer before the first token. proposed: the tokens of a proposal that are still to come.
    """

    ids: tuple[int, ...] = ()
    log_probabilities: tuple[float, ...] = ()
    attention: torch.Tensor
    first_token_attention: torch.Tensor
    proposed: tuple[int, ...] = ()
    is_proposal: bool = False

    @property
    def log_probability(self) -> float:
        return sum(self.log_probabilities)

    @property
    def mean_probability(self) -> float:
        """Geometric mean probability of the tokens."""
        return math.exp(self.log_probability / max(1, len(self.ids)))

    def extended(
        self, token: int, log_probability: float, attention: torch.Tensor, middle_layer_attention: torch.Tensor
    ) -> Candidate:
        """The candidate with one more token, and what the decoder attended to for it: (V,) each."""
        return replace(
            self,
            ids=(*self.ids, token),
            log_probabilities=(*self.log_probabilities, log_probability),
            attention=self.attention + attention,
            first_token_attention=self.first_token_attention if self.ids else middle_layer_attention,
            proposed=self.proposed[1:],
        )


class BeamSearch:
    """The candidates for one question's answer: live ones, a sequence of the decoder each, and finished ones."""

    def __init__(
        self,
        width: int,
        sampler: Sampler,
        ends: Collection[int],
        no_attention: torch.Tensor,
        tuning: BeamTuning = FITTED.beam,
        proposals: Sequence[tuple[int, ...]] = (),
    ) -> None:
        """`width`: of this search, at most `tuning.width`. `ends`: ids that end an answer. no_attention: (V,) zeros.

        proposals: the tokens of answers that are written out whatever their likelihood, each with an end.
        """
        self._width = width
        self._sampler = sampler
        self._ends = ends
        self._tuning = tuning
        self._proposals = tuple(proposals)
        self.live = [Candidate(attention=no_attention, first_token_attention=no_attention)]
        self.finished: list[Candidate] = []

    @property
    def likeliest(self) -> Candidate:
        """What the answer would be if it had to end now."""
        return max(self._decoded(), key=lambda candidate: candidate.log_probability)

    def _decoded(self) -> list[Candidate]:
        return [one for one in (*self.finished, *self.live) if not one.is_proposal]

    def extend(self, logits: torch.Tensor, attention: torch.Tensor, middle_layer_attention: torch.Tensor) -> list[int]:
        """Append a token to the n live candidates. logits: (n, vocabulary); both kinds of attention: (n, V).

        Returns the places among the n of those that go on, in the order of `live`; one may go on in several ways.
        """
        searched = sum(not one.is_proposal for one in self.live)  # proposals stand behind them
        continuations = self._continuations(logits[:searched]) if searched else []
        extended: list[tuple[int, Candidate]] = []
        for row, token, log_probability in continuations:
            candidate = self.live[row].extended(token, log_probability, attention[row], middle_layer_attention[row])
            if token in self._ends:
                self._finish(candidate)
            elif len(extended) < self._width:
                extended.append((row, candidate))
        self._prune(extended)
        for row, one in self._proposing():
            log_probability = float(logits[row, one.proposed[0]] - logits[row].logsumexp(-1))
            candidate = one.extended(one.proposed[0], log_probability, attention[row], middle_layer_attention[row])
            if candidate.proposed:
                extended.append((row, candidate))
            else:
                self._finish(candidate)
        self.live = [candidate for _, candidate in extended]
        return [row for row, _ in extended]

    def _proposing(self) -> list[tuple[int, Candidate]]:
        """The proposals that go on, each with its place among the live candidates."""
        if self.live[0].ids:
            return [(row, one) for row, one in enumerate(self.live) if one.is_proposal]
        return [(0, replace(self.live[0], proposed=ids, is_proposal=True)) for ids in self._proposals]

    def _finish(self, candidate: Candidate) -> None:
        if all(candidate.ids != one.ids for one in self.finished):
            self.finished.append(candidate)

    def end(self) -> None:
        """End the search: if no decoded candidate is finished, the live ones count as finished."""
        if all(one.is_proposal for one in self.finished):
            self.finished += [one for one in self.live if not one.is_proposal]
        self.live = []

    def _continuations(self, logits: torch.Tensor) -> list[tuple[int, int, float]]:
        return self._drawn(logits) if self._width == 1 else self._likeliest(logits)

    def _drawn(self, logits: torch.Tensor) -> list[tuple[int, int, float]]:
        return [(0, *self._sampler.sample(logits[0]))]

    def _likeliest(self, logits: torch.Tensor) -> list[tuple[int, int, float]]:
        """(row, token, its log-probability) of the likeliest continuations, the likeliest whole first."""
        best = largest(logits, self._width + 1)
        values = (logits.gather(1, best) - logits.logsumexp(-1, keepdim=True)).tolist()
        ways = [
            (row, token, value)
            for row, (tokens, of_row) in enumerate(zip(best.tolist(), values, strict=True))
            for token, value in zip(tokens, of_row, strict=True)
        ]
        return sorted(ways, key=lambda way: -(self.live[way[0]].log_probability + way[2]))

    def _prune(self, extended: list[tuple[int, Candidate]]) -> None:
        """Give up what can no longer be chosen. extended: the decoded candidates that would go on."""
        best = max((one.log_probability for one in self.finished if not one.is_proposal), default=-math.inf)
        least = best - self._tuning.margin
        self.finished = [one for one in self.finished if one.is_proposal or one.log_probability >= least]
        if not extended:
            return
        likeliest = extended[0][1]
        least = max(best, likeliest.log_probability) - self._tuning.margin
        extended[:] = [way for way in extended if way[1].log_probability >= least]
        if sum(one.log_probability >= likeliest.log_probability for one in self.finished) >= self._tuning.enough:
            extended.clear()
        elif self._width > 1 and len(likeliest.ids) >= self._tuning.longest_choice:
            self._width = 1
            del extended[0 if best > likeliest.log_probability else 1 :]
