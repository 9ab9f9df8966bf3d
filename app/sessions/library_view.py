"""What of the library a session shows, and what of it questions go to."""

from dataclasses import dataclass

from app.library.values import Order, Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryView:
    """`removed` are documents that can still be had back."""

    scope: Scope | None = None  # None: questions go to the ticked documents
    words: str = ""  # that listed documents have in their name or text
    order: Order = "used"  # in which they are listed
    confirming: bool = False  # whether everything is to be forgotten, which is asked once
    removed: tuple[int, ...] = ()
