"""A prefix cache: keys and values of the tokens that prompts over the same document begin with.

The decoder is causal: a token's keys and values depend on the document and on the tokens before it alone. Questions
that attend to a whole document have "Question:" in common at least, and in a conversation the turns before. A prefix
is restored only where that changes no bit of an answer, so the order of questions does not matter.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from threading import RLock

import torch

from model.decoder.backends import DecoderBackend
from model.decoder.forward import DecoderOutput, DecodeState
from model.types import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prefix:
    """A prompt's ids, and their keys and values (2, layers, 1, K, tokens, D). The document is not kept alive."""

    states: tuple[weakref.ref[torch.Tensor], ...]
    ids: tuple[int, ...]
    keys_and_values: torch.Tensor

    def is_of(self, memories: Sequence[Memory]) -> bool:
        """Whether the prompt was about these."""
        found = [state() for state in self.states]
        return len(found) == len(memories) and all(
            states is memory.hidden for states, memory in zip(found, memories, strict=True)
        )


class PrefixCache:
    """The prefixes that an engine knows. Safe to use from several threads."""

    def __init__(self, *, most: int = 4) -> None:
        """`most`: prefixes that are kept, of all documents together."""
        self._most = most
        self._prefixes: tuple[_Prefix, ...] = ()  # the last used last
        self._lock = RLock()  # a document may be freed, and call `_forget`, while this thread holds the lock

    @property
    def count(self) -> int:
        """How many prefixes are kept."""
        return len(self._prefixes)

    def longest(self, memories: Sequence[Memory], prompt: Sequence[int]) -> torch.Tensor | None:
        """Keys and values of as many of the prompt's first tokens as are known, (2, layers, 1, K, tokens, D)."""
        found = [(_common(one.ids, prompt), one.keys_and_values) for one in self._prefixes if one.is_of(memories)]
        tokens, known = max(found, key=lambda prefix: prefix[0], default=(0, None))
        return known[..., :tokens, :] if known is not None and tokens else None

    def keep(self, memories: Sequence[Memory], prompt: Sequence[int], keys_and_values: torch.Tensor) -> None:
        """Remember a prompt's keys and values in place of those of a prompt that it begins with."""
        states = tuple(weakref.ref(memory.hidden, self._forget) for memory in memories)
        new = _Prefix(states=states, ids=tuple(prompt), keys_and_values=keys_and_values.clone())
        with self._lock:
            others = [
                one for one in self._prefixes if not one.is_of(memories) or _common(one.ids, prompt) < len(one.ids)
            ]
            self._prefixes = (*others[1 - self._most :], new)

    def _forget(self, states: weakref.ref[torch.Tensor]) -> None:
        """Nothing is kept of a document that is gone."""
        with self._lock:
            self._prefixes = tuple(one for one in self._prefixes if states not in one.states)


class PrefixCachingBackend:
    """Runs the prompt of one question, whose beginning is restored from the cache where that is exact."""

    def __init__(self, backend: DecoderBackend, prefix_cache: PrefixCache, memories: Sequence[Memory]) -> None:
        self._backend = backend
        self._prefix_cache = prefix_cache
        self._memories = memories

    def padded_length(self, prompt_tokens: int) -> int:
        return self._backend.padded_length(prompt_tokens)

    def forward(self, state: DecodeState, tokens: torch.Tensor, *, return_attention: bool) -> DecoderOutput:
        if state.cache.length or not self.is_batch_invariant(tokens.shape[1]):
            return self._backend.forward(state, tokens, return_attention=return_attention)
        prompt = tokens[0].tolist()
        known = self._restore_prefix(state, prompt)
        output = self._backend.forward(state, tokens[:, known:], return_attention=return_attention)
        self._prefix_cache.keep(self._memories, prompt, state.cache.filled)
        return output

    def select(self, state: DecodeState, answers: torch.Tensor) -> DecodeState:
        return self._backend.select(state, answers)

    def is_batch_invariant(self, tokens: int) -> bool:
        return self._backend.is_batch_invariant(tokens)

    def _restore_prefix(self, state: DecodeState, prompt: Sequence[int]) -> int:
        """Write the known beginning of a prompt into the cache; returns how many tokens it has."""
        fewest = next(filter(self.is_batch_invariant, range(1, len(prompt) + 1)))  # the last tokens run in any case
        known = self._prefix_cache.longest(self._memories, prompt[:-fewest])
        if known is not None:
            state.cache.length = known.shape[-2]
            state.cache.filled.copy_(known)
        return state.cache.length


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many first numbers they have in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
