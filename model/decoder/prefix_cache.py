"""What questions to a document begin with alike: their first tokens' keys and values, as an earlier question left them.

The decoder is causal: what a token leaves depends on the document and on the tokens before it alone. Questions that are
shown all of a document have "Question:" in common at least, and in a conversation the turns before. They are taken over
only where that changes no bit of an answer (`decoder.py`): the order of questions does not matter.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from threading import RLock

import torch

from model.types import Memory

_MOST = 4  # beginnings that are kept, of this document or of others


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beginning:
    """ids: a prompt's. rows: what they left, (2, layers, 1, K, tokens, D). It does not keep the document alive."""

    states: tuple[weakref.ref[torch.Tensor], ...]
    ids: tuple[int, ...]
    rows: torch.Tensor

    def is_of(self, memories: Sequence[Memory]) -> bool:
        """Whether it is a question about these."""
        found = [state() for state in self.states]
        return len(found) == len(memories) and all(
            states is memory.hidden for states, memory in zip(found, memories, strict=True)
        )


class Prefixes:
    """The beginnings that an engine knows. Safe to use from several threads."""

    def __init__(self) -> None:
        self._kept: tuple[_Beginning, ...] = ()  # the last used last
        self._lock = RLock()  # a document may go while it is held

    def longest(self, memories: Sequence[Memory], beginning: Sequence[int]) -> torch.Tensor | None:
        """What the first tokens of a prompt's beginning leave, as many as are known: (2, layers, 1, K, tokens, D)."""
        found = [(_alike(one.ids, beginning), one.rows) for one in self._kept if one.is_of(memories)]
        tokens, rows = max(found, key=lambda known: known[0], default=(0, None))
        return rows[..., :tokens, :] if rows is not None and tokens else None

    def keep(self, memories: Sequence[Memory], prompt: Sequence[int], rows: torch.Tensor) -> None:
        """What all its tokens left; in place of what a question left that it begins with."""
        states = tuple(weakref.ref(memory.hidden, self._forget) for memory in memories)
        new = _Beginning(states=states, ids=tuple(prompt), rows=rows.clone())
        with self._lock:
            others = [one for one in self._kept if not one.is_of(memories) or _alike(one.ids, prompt) < len(one.ids)]
            self._kept = (*others[1 - _MOST :], new)

    def _forget(self, states: weakref.ref[torch.Tensor]) -> None:
        """Nothing is kept of a document that is gone."""
        with self._lock:
            self._kept = tuple(one for one in self._kept if states not in one.states)


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    """How many first numbers they have in common."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
