"""The next token from its logits: greedy, or drawn from the top-p nucleus."""

from __future__ import annotations

import torch

from model.network.topk import likeliest
from model.types import GenerationOptions


class Sampler:
    """Samples the tokens of one answer. The same seed gives the same answer."""

    def __init__(self, options: GenerationOptions, device: torch.device) -> None:
        self._options = options
        self._generator = torch.Generator(device=device).manual_seed(options.seed)

    def sample(self, logits: torch.Tensor) -> tuple[int, float]:
        """A token of `logits`, (vocabulary,), and the log-probability that the model gave it (before temperature)."""
        if self._options.temperature == 0:
            token = likeliest(logits)
        else:
            nucleus = self._nucleus(torch.softmax(logits / self._options.temperature, dim=-1))
            token = int(torch.multinomial(nucleus, 1, generator=self._generator))
        return token, float(logits[token] - logits.logsumexp(-1))

    def _nucleus(self, probabilities: torch.Tensor) -> torch.Tensor:
        """Keep the probability of the fewest likeliest tokens that reach `top_p` together; the others get 0."""
        ordered, index = probabilities.sort(descending=True)
        ordered[ordered.cumsum(-1) - ordered >= self._options.top_p] = 0
        return torch.zeros_like(probabilities).scatter_(0, index, ordered)
