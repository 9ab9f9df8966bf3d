"""A search in the document that is shown: its places one after the other."""

from dataclasses import dataclass, replace

from app.overview.search import Hit


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`at`: the place that is shown, of the hits."""

    key: str
    words: str
    hits: tuple[Hit, ...] = ()
    at: int = 0

    @property
    def hit(self) -> Hit | None:
        return self.hits[self.at] if self.hits else None

    def step(self, by: int) -> "Finding":
        """The next place, or the one before; after the last comes the first."""
        return replace(self, at=(self.at + by) % len(self.hits)) if self.hits else self
