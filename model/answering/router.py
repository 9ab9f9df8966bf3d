"""The router: what kind of question it is, told by a linear classifier on the question's own encoder states.

Most questions ask for a fact, which stands in a passage. "What is this about?" and "Who wrote it?" ask about the whole
document, and "Translate this" asks for what no small model can do. The encoder brings many languages near each other,
so a classifier that learnt a few thousand phrasings needs no word list of any language.

A fact that is taken for something else is a lost answer. So a question is a fact unless the classifier is sure; it may
be less sure of what is answered by the decoder, too.
Shapes: Q question tokens, H hidden size, F = 2 H features, C intents.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from model.answering.whole_document import LEAD_INTENTS
from model.types import Intent, RouterWeights

_LEAST_OF_LEAD = 0.4  # probability from which the decoder is shown the beginning


class Router:
    """Tells the intent of questions with one checkpoint's encoder."""

    def __init__(self, weights: RouterWeights, encode_question: Callable[[str], torch.Tensor]) -> None:
        """`encode_question`: a question's encoder states (Q, H), without `<bos>`."""
        self._weights = weights
        self._encode_question = encode_question

    @torch.inference_mode()
    def intent(self, question: str) -> Intent:
        """What a question wants: "fact" where the classifier is less sure than its weights demand."""
        found = question_features(self._encode_question(question))
        return decided(self._weights, torch.softmax(self._weights.matrix @ found + self._weights.bias, dim=0))


def decided(weights: RouterWeights, chances: torch.Tensor) -> Intent:
    """The likeliest intent by the probabilities (C,) of all; "fact" where it is not likely enough."""
    best = int(chances.argmax())
    intent = weights.intents[best]
    least = min(weights.least, _LEAST_OF_LEAD) if intent in LEAD_INTENTS else weights.least
    return intent if float(chances[best]) >= least else "fact"


def question_features(states: torch.Tensor) -> torch.Tensor:
    """(F,) float32 of a question's states (Q, H): their mean, and the last token's."""
    if not len(states):
        return torch.zeros(2 * states.shape[1])
    states = states.float().cpu()
    return torch.cat([states.mean(0), states[-1]])
