"""How likely an answer is right: logistic regression over what decoding, retrieval and the place of the answer tell.

A decoder's own probability says how sure it is of its words, not whether they answer the question. Beside it count how
clearly it preferred them to the next answer and to refusing, whether they stand in the text, how near to the question's
words, whether a figure has its label beside it, and whether the question names the cell of a table that they stand in.
The weights are fitted on questions about documents that were not trained on (`python -m app.bench confidence`) and
belong to the checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from model.answering.evidence import Grounding
from model.answering.reranker import Features
from model.answering.tuning import FITTED, DoubtTuning
from model.types import Answer, CalibrationWeights

_NO_RIVAL = 6.0  # nats by which an answer leads that was the only one


class Calibration:
    """Tells with a checkpoint's weights how likely answers are right."""

    def __init__(self, weights: CalibrationWeights) -> None:
        self._weights = weights

    def confidence(self, features: Features) -> float:
        """The probability that the answer is right, in 0..1."""
        score = _dot(self._weights.weights, features | {"bias": 1.0})
        return (1 + math.tanh(score / 2)) / 2  # the logistic function, which does not overflow

    def is_doubtful(self, confidence: float) -> bool:
        """Whether a person should be warned."""
        return confidence < self._weights.doubt_below


def decoded_features(
    chosen: Features, others: Sequence[Features], answer: str, shown_tokens: int, grounding: Grounding
) -> Features:
    """The features of a decoded answer. chosen: those of the reranker; others: of the candidates that were not."""
    refusing = [one["log_probability"] for one in others if "refuses" in one]
    answering = [one["log_probability"] for one in others if "refuses" not in one]
    mine = chosen["log_probability"]
    is_figure = float(any(char.isdigit() for char in answer))
    beside_label = chosen.get("in_sentence", 0.0)
    return {
        "log_probability": max(mine, -_NO_RIVAL),
        "least_probability": math.exp(chosen["least_log_probability"]),
        "mean_probability": math.exp(chosen["mean_log_probability"]),
        "lead": min(mine - max(answering, default=-_NO_RIVAL), _NO_RIVAL),
        "lead_over_refusing": min(mine - max(refusing, default=-_NO_RIVAL), _NO_RIVAL),
        "verbatim": chosen.get("verbatim", 0.0),
        "whole_words": chosen.get("whole_words", 0.0),
        "in_sentence": beside_label,
        "near": chosen.get("near_60", 0.0),
        "repeats": chosen.get("repeats", 0.0),
        "length": chosen.get("length", 0.0),
        "cell": chosen.get("cell", 0.0),
        "best_cell": chosen.get("best_cell", 0.0),
        "no_cell": chosen.get("no_cell", 0.0),
        "figure": is_figure,
        "figure_without_label": is_figure * (1.0 - beside_label),
        "judgement": float(not chosen.get("verbatim", 0.0) and chosen.get("length", 0.0) <= 0.1),
        "shown": math.log1p(shown_tokens) / 10,
        "attended_page": max((page.share for page in grounding.attention), default=0.0),
        "first_attention_here": _first_attention_here(grounding),
    }


def quoted_features() -> Features:
    """The features of an answer that is quoted without the decoder."""
    return {"quoted": 1.0}


def seems_doubtful(answer: Answer, tuning: DoubtTuning = FITTED.doubt) -> bool:
    """Whether to warn of an answer of a checkpoint that is not calibrated.

    The decoder was unsure; or the answer's words stand nowhere and attention was spread over many pages; or they stand
    on another page than the one that the decoder attended to first.
    """
    grounding = Grounding(evidence=answer.evidence, attention=answer.attention)
    nowhere = bool(answer.evidence) and not any(place.verbatim for place in answer.evidence)
    most = max((page.share for page in answer.attention), default=0.0)
    is_spread = nowhere and most < tuning.least_attention
    return (
        answer.probability < tuning.least_probability
        or is_spread
        or _first_attention_here(grounding) < tuning.least_first_attention
    )


def _first_attention_here(grounding: Grounding) -> float:
    """Attention before the first token to the page of the first evidence, as a share of that to any page."""
    if not grounding.evidence or not grounding.attention:
        return 1.0
    first = grounding.evidence[0]
    first_attention = {(page.document_index, page.page): page.first_token_attention for page in grounding.attention}
    most = max(first_attention.values())
    return first_attention.get((first.document_index, first.page), 0.0) / most if most > 0 else 1.0


def _dot(weights: Mapping[str, float], features: Features) -> float:
    return sum(weights.get(name, 0.0) * value for name, value in features.items())
