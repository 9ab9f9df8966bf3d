"""Plain text and Markdown as pages: set in type here, so that the page viewer shows them and words have places."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymupdf
from PIL import Image

from app.documents.characters import clean, word_spans
from app.documents.geometry import Rect, fractions
from app.documents.plaintext import decode, split_pages
from app.documents.recognition import Recognizer
from model.errors import DocumentError
from model.types import Page, Word

WIDTH, LEAST_HEIGHT, MARGIN = 595.0, 842.0, 56.0  # points: A4, longer where a page of text needs it
SIZE, LINE_HEIGHT = 10.0, 14.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A word (or a part of one that is wider than the page) where it is printed."""

    start: int
    end: int
    box: Rect


class TextSource:
    """Pages of plain text."""

    def __init__(self, pages: list[str]) -> None:
        self._pages = pages
        self._font = pymupdf.Font("helv")
        self.page_count = len(pages)

    def read(self, number: int, recognizer: Recognizer) -> Page:  # noqa: ARG002 - the text is there already
        text = self._pages[number - 1]
        placed = list(self._typeset(text))
        height = _page_height(placed)
        words = tuple(Word(start=word.start, end=word.end, box=fractions(word.box, WIDTH, height)) for word in placed)
        return Page(number=number, text=text, words=words, width=WIDTH, height=height)

    def draw(self, number: int, width: int) -> Image.Image:
        text = self._pages[number - 1]
        placed = list(self._typeset(text))
        with pymupdf.open() as document:
            page = document.new_page(width=WIDTH, height=_page_height(placed))
            writer = pymupdf.TextWriter(page.rect)
            for word in placed:
                baseline = (word.box[0], word.box[1] + SIZE)
                writer.append(baseline, text[word.start : word.end], font=self._font, fontsize=SIZE)
            writer.write_text(page)
            scale = width / WIDTH
            pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale))
            return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)

    def close(self) -> None:
        self._pages = []

    def _typeset(self, text: str) -> Iterator[Placed]:
        """Place the words of a page line by line, keeping the indentation and breaking long lines."""
        top, offset = MARGIN, 0
        for line in text.split("\n"):
            x = MARGIN
            end = 0
            for start, stop in self._fitting(line):
                x += self._width(line[end:start])
                width = self._width(line[start:stop])
                if x + width > WIDTH - MARGIN and x > MARGIN:
                    x, top = MARGIN, top + LINE_HEIGHT
                yield Placed(start=offset + start, end=offset + stop, box=(x, top, x + width, top + LINE_HEIGHT))
                x, end = x + width, stop
            top += LINE_HEIGHT
            offset += len(line) + 1

    def _fitting(self, line: str) -> Iterator[tuple[int, int]]:
        """The words of a line, those wider than the page in parts."""
        longest = int((WIDTH - 2 * MARGIN) / SIZE)  # no character is wider than the type is high
        for start, end in word_spans(line):
            if self._width(line[start:end]) <= WIDTH - 2 * MARGIN:
                yield start, end
            else:
                yield from ((cut, min(cut + longest, end)) for cut in range(start, end, longest))

    def _width(self, text: str) -> float:
        return float(self._font.text_length(text.replace("\t", "    "), fontsize=SIZE))


def open_text(path: Path, name: str) -> TextSource:
    """Open a text file. Raises DocumentError where it holds no text."""
    text = decode(path.read_bytes())
    if text is None:
        raise DocumentError(f"{name!r} holds bytes that are no text: save it as UTF-8.")
    text = clean(text)
    if not text.strip():
        raise DocumentError(f"{name!r} holds nothing but white space: choose a file with content.")
    return TextSource(list(split_pages(text)))


def _page_height(placed: list[Placed]) -> float:
    return max([LEAST_HEIGHT, *(word.box[3] + MARGIN for word in placed)])
