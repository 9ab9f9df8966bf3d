"""What a person has asked to see inside of their documents: one at a glance, and the places of some words."""

from dataclasses import replace

from app.overview.overview import Overview
from app.overview.search import Hits
from app.sessions.changes import Changes


class OverviewState:
    """The last of each. Forgetting a document takes what was seen of it along."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self.key = ""  # of the document at a glance
        self.overview: Overview | None = None
        self.questions: tuple[str, ...] = ()
        self.trying = False  # whether the model is still trying which questions it can answer
        self.hits = Hits()
        self.problem = ""

    def look(self, key: str, overview: Overview) -> None:
        self.key, self.overview, self.questions, self.trying = key, overview, (), True
        self._changes.notify()

    def tried(self, key: str, questions: tuple[str, ...]) -> None:
        """These can be answered, if it is still this document that is looked at."""
        if self.key == key:
            self.questions, self.trying = questions, False
        self._changes.notify()

    def found(self, hits: Hits) -> None:
        self.hits, self.problem = hits, ""
        self._changes.notify()

    def refuse(self, problem: str) -> None:
        self.problem = problem
        self._changes.notify()

    def forget(self, key: str) -> None:
        if self.key == key:
            self.key, self.overview, self.questions, self.trying = "", None, (), False
        left = tuple(hit for hit in self.hits.first if hit.key != key)
        if len(left) < len(self.hits.first):
            self.hits = replace(self.hits, first=left, total=len(left))
        self._changes.notify()
