"""The router's weights: multinomial logistic regression on frozen encoder states of questions.

Phrasings of every intent are learnt beside questions that people ask of real documents, which are facts. Only the
encoder's states are used, so a new adapter that leaves the encoder as it is needs no new router.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional

from model.answering.router import decided, question_features
from model.answering.whole_document import LEAD_INTENTS
from model.checkpoints.checkpoint import Checkpoint
from model.encoding.token_map import encode_text
from model.training.short_texts import states_of
from model.types import Intent, RouterWeights

QUESTIONS_AT_ONCE = 512
_LONGEST = 100  # tokens of a question
# Intents that are answered as facts are: a fact that is taken for one of them loses nothing.
AS_FACTS: frozenset[Intent] = frozenset(("fact", "follow_up", "list_all", "count_all", "calculate", "compare"))
# Facts that are taken for one of these are still answered by the decoder, and often rightly: "When was it published?"
_HARMLESS = AS_FACTS | LEAD_INTENTS
_DECAY = 3e-3  # of the squared weights, per example
_STEPS = 120
_LEAST = 0.3  # probability below which nothing is anything but a fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """Questions with their features (N, F) and their intents."""

    features: torch.Tensor
    intents: Sequence[Intent]


@torch.inference_mode()
def features_of(checkpoint: Checkpoint, texts: Sequence[str], report: Callable[[int], None]) -> torch.Tensor:
    """The router's features of many questions (N, F); `report` gets how many are done. Long ones are cut."""
    ids = [encode_text(checkpoint.tokenizer, text)[0][:_LONGEST] for text in texts]
    order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
    rows: dict[int, torch.Tensor] = {}
    for first in range(0, len(order), QUESTIONS_AT_ONCE):
        report(first)
        part = order[first : first + QUESTIONS_AT_ONCE]
        states = states_of(checkpoint.model, [[checkpoint.bos, *ids[index]] for index in part])
        rows |= {index: question_features(one[1:]) for index, one in zip(part, states, strict=True)}
    return torch.stack([rows[index] for index in range(len(texts))])


def fit(learnt: Learnt) -> RouterWeights:
    """The classifier of largest likelihood, its standardisation folded into its weights."""
    intents = tuple(sorted(set(learnt.intents)))
    labels = torch.tensor([intents.index(one) for one in learnt.intents])
    mean, scale = learnt.features.mean(0), learnt.features.std(0).clamp(min=1e-4)
    inputs = (learnt.features - mean) / scale
    matrix = torch.zeros(len(intents), inputs.shape[1], requires_grad=True)
    bias = torch.zeros(len(intents), requires_grad=True)
    optimizer = torch.optim.LBFGS([matrix, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = functional.cross_entropy(inputs @ matrix.T + bias, labels) + _DECAY * matrix.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    folded = matrix.detach() / scale
    return RouterWeights(intents=intents, matrix=folded, bias=bias.detach() - folded @ mean, least=_LEAST)


def probabilities(weights: RouterWeights, features: torch.Tensor) -> torch.Tensor:
    """(N, C) of the features (N, F)."""
    return torch.softmax(features @ weights.matrix.T + weights.bias, dim=1)


def likeliest_among(weights: RouterWeights, features: torch.Tensor, intents: Sequence[Intent]) -> Intent:
    """Which of these intents the question with the features (F,) is most likely to have."""
    chances = probabilities(weights, features[None])[0]
    return max(intents, key=lambda intent: float(chances[weights.intents.index(intent)]))


def routed(weights: RouterWeights, features: torch.Tensor) -> list[Intent]:
    """What `Router.intent` says of the questions with these features (N, F)."""
    return [decided(weights, chances) for chances in probabilities(weights, features)]


def least_probability(weights: RouterWeights, facts: torch.Tensor, share: float) -> float:
    """The least probability at which at most this share of facts, (N, F), is lost to what is answered otherwise."""
    chances, best = probabilities(weights, facts).max(1)
    taken = torch.tensor([weights.intents[index] not in _HARMLESS for index in best.tolist()])
    alarms = torch.where(taken, chances, 0.0).sort(descending=True).values
    allowed = int(share * len(alarms))
    return max(_LEAST, float(alarms[allowed]) + 1e-3) if allowed < len(alarms) else _LEAST
