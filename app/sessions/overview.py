"""What documents open with, and the places of the words that a person has looked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.overview.search import Hits
from app.sessions.changes import Changes
from app.sessions.finding import Finding
from model.errors import NO_MESSAGE, Message

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from app.overview.overview import Overview


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What stands in the conversation when a document has been read. `after`: the exchange that it follows, or 0."""

    key: str
    overview: Overview
    after: int
    questions: tuple[str, ...] = ()  # that it answers
    trying: bool = True  # whether the model is still trying which these are


class OverviewState:
    """Forgetting a document takes what was seen of it along."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._openings: dict[str, Opening] = {}
        self.hits = Hits()
        self.finding: Finding | None = None  # in the document that is shown
        self.problem = NO_MESSAGE

    @property
    def openings(self) -> tuple[Opening, ...]:
        return tuple(self._openings.values())

    @property
    def trying(self) -> bool:
        return any(opening.trying for opening in self.openings)

    def open(self, opening: Opening) -> None:
        self._openings = {**self._openings, opening.key: opening}
        self._changes.notify()

    def tried(self, key: str, questions: tuple[str, ...]) -> None:
        """These can be answered."""
        if opening := self._openings.get(key):
            self.open(replace(opening, questions=questions, trying=False))

    def found(self, hits: Hits) -> None:
        self.hits, self.problem = hits, NO_MESSAGE
        self._changes.notify()

    def refuse(self, problem: Message) -> None:
        self.problem = problem
        self._changes.notify()

    def forget(self, key: str) -> None:
        self._openings = {known: opening for known, opening in self._openings.items() if known != key}
        if self.finding and self.finding.key == key:
            self.finding = None
        left = tuple(hit for hit in self.hits.first if hit.key != key)
        if len(left) < len(self.hits.first):
            self.hits = replace(self.hits, first=left, total=len(left))
        self._changes.notify()
