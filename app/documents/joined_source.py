"""Several files as one document: a mail and its attachments, the documents in a ZIP archive."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from PIL import Image

from app.documents.recognition import Recognizer
from app.documents.source import Source
from model.types import Page

BLANK = 595.0, 842.0  # points: a page that cannot be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """An open file and its name; the main one, whose pages need no name, has none."""

    source: Source
    name: str = ""


class JoinedSource:
    """The pages of all parts, one after the other, numbered through; labels say whose page one is."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        self.page_count = sum(part.source.page_count for part in parts)

    def read(self, number: int, recognizer: Recognizer) -> Page:
        """A page of one of the files; one that turns out to be damaged is empty and says so: the others are read."""
        part, own = self._find(number)
        try:
            page = part.source.read(own, recognizer)
        except MemoryError:
            raise
        except Exception as error:  # a library found the file damaged
            remark = f"{part.name} could not be read ({error})"
            page = Page(number=own, text="", words=(), width=BLANK[0], height=BLANK[1], remark=remark)
        return replace(page, number=number, label=_label(part, page))

    def draw(self, number: int, width: int) -> Image.Image:
        part, own = self._find(number)
        try:
            return part.source.draw(own, width)
        except MemoryError:
            raise
        except Exception:
            return Image.new("RGB", (width, round(width * BLANK[1] / BLANK[0])), "white")

    def close(self) -> None:
        for part in self._parts:
            part.source.close()

    def _find(self, number: int) -> tuple[Part, int]:
        """The part that has the page, and the page's number there."""
        for part in self._parts:
            if number <= part.source.page_count:
                return part, number
            number -= part.source.page_count
        raise IndexError(number)


def _label(part: Part, page: Page) -> str:
    if not part.name:
        return page.label
    if page.label:
        return f"{part.name}, {page.label}"
    return f"{part.name}, page {page.number}" if part.source.page_count > 1 else part.name
