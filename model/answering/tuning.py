"""The numbers of answering that benchmarks fit, in one value: who wants to try others passes another one.

They were chosen on questions about documents that were not trained on: `python -m app.bench retrieval`, `ranking`,
`evidence` and `real`. What belongs to a checkpoint (weights of the reranker, of the router, of confidence) is not here.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageTuning:
    """Sizes of passages, in tokens. Training saw passages of these sizes: others need another checkpoint."""

    longest: int = 160  # a sentence, or some lines if no sentence ends among them
    shortest: int = 12

    @property
    def longest_sentence(self) -> int:
        """A sentence that no line of the longest passage ends with stays whole up to here."""
        return 2 * self.longest


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalTuning:
    """How passages are ranked, and which of them a question attends to."""

    saturation: float = 1.2  # BM25's k1
    length_share: float = 0.5  # BM25's b
    stop_word_weight: float = 0.5  # share of its weight that a stop word keeps
    misspelt_weight: float = 0.8  # likewise, a word that the text has in another spelling
    most: int = 8  # passages of a question
    least_relevance: float = 0.35  # of the best passage's score: a weaker passage distracts
    least_fused: float = 0.45  # likewise, of reciprocal ranks
    rank_offset: int = 10  # of reciprocal rank fusion: smaller lets the first ranks count more
    least_found: float = 0.5  # share of the question's words in the passages; below it all of a short text is used


@dataclass(frozen=True, slots=True, kw_only=True)
class BeamTuning:
    """How many candidate answers are decoded, and when one is given up."""

    width: int = 6  # candidates side by side, where the checkpoint knows how to choose among them
    margin: float = 3.0  # nats behind the likeliest: a less likely one is given up (4.5: no answer becomes better)
    enough: int = 10  # finished answers that are likelier than all live ones
    longest_choice: int = 24  # tokens: a longer answer is a text, and its likeliest beginning goes on alone
    proposals: int = 3  # cells of tables that the question names, decoded beside the candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceTuning:
    """Which places are named under an answer."""

    most_places: int = 3
    least_share: float = 0.25  # of the best place's attention: a weaker place is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtTuning:
    """When a person is warned of an answer of a checkpoint that is not calibrated."""

    least_probability: float = 0.75  # geometric mean of the answer's tokens
    least_attention: float = 0.3  # share of the page that was attended to most
    least_first_attention: float = 0.7  # of that before the first token to any page: to the page of the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """All of them. `Engine` takes one."""

    passages: PassageTuning = field(default_factory=PassageTuning)
    retrieval: RetrievalTuning = field(default_factory=RetrievalTuning)
    beam: BeamTuning = field(default_factory=BeamTuning)
    evidence: EvidenceTuning = field(default_factory=EvidenceTuning)
    doubt: DoubtTuning = field(default_factory=DoubtTuning)


FITTED = Tuning()
