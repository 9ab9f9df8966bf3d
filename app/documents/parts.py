"""A page is read part by part: what fails costs itself, and is said."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeVar

from model.types import Page, PagePart

LETTER = (612.0, 792.0)  # points: a page of which nothing is known

Item = TypeVar("Item")
Result = TypeVar("Result")
Otherwise = TypeVar("Otherwise")


class UnreadParts:
    """The parts of one page that could not be read so far."""

    def __init__(self) -> None:
        self._found: dict[PagePart, None] = {}

    def __iter__(self) -> Iterator[PagePart]:
        return iter(self._found)

    def add(self, *parts: PagePart) -> None:
        self._found.update(dict.fromkeys(parts))

    def attempt(self, part: PagePart, read: Callable[[], Result], otherwise: Otherwise) -> Result | Otherwise:
        """What `read` returns, or `otherwise` where it fails. Want of memory is the whole document's: MemoryError."""
        try:
            return read()
        except MemoryError:
            raise
        except Exception:  # MuPDF and the libraries of the OCR raise what they like on a damaged file
            self.add(part)
            return otherwise

    def each(self, part: PagePart, numbers: Iterable[int], read: Callable[[int], Item]) -> Iterator[Item]:
        """What `read` returns for each number, without those that fail."""
        for number in numbers:
            yield from self.attempt(part, partial(_alone, read, number), ())


def _alone(read: Callable[[int], Item], number: int) -> tuple[Item]:
    return (read(number),)


def lost_page(number: int, width: float = LETTER[0], height: float = LETTER[1]) -> Page:
    """A page that stands for one of which nothing can be read, for what is in order to keep its place."""
    return Page(number=number, text="", words=(), width=width, height=height, unread_parts=("the whole page",))
