"""Other libraries' text of the same pages, to measure beside this app's own."""

import importlib
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pymupdf

from model.errors import DocumentError
from model.types import Page, Word

Reader = Callable[[Path, int], tuple[Page, float]]  # of a file's page, from 1: the page, and its CPU time in seconds

_MARKDOWN = re.compile(r"\*\*|~~|`|<br\s*/?>|^#+ |(?<!\w)_|_(?!\w)", re.M)


def other_reader(name: str) -> Reader:
    """The reader of that name. Raises DocumentError where its library is not installed."""
    text = _plain if name == "pymupdf" else _markdown()

    def read(path: Path, number: int) -> tuple[Page, float]:
        start = time.process_time()
        try:
            with pymupdf.open(path) as document:
                check_number(path, number, document.page_count)
                found, size = text(document, number), document[number - 1].rect
        except (RuntimeError, ValueError) as error:
            raise DocumentError(
                "{name} cannot be read by {reader} ({why}). Leave it out.", name=path.name, reader=name, why=error
            ) from error
        return _page(found, number, size), time.process_time() - start

    return read


def check_number(path: Path, number: int, count: int) -> None:
    """Raises DocumentError where a file of so many pages has no page of that number."""
    if number > count:
        raise DocumentError(
            "{name} has {count} pages, and no page {number}: name one of these.",
            name=path.name,
            count=count,
            number=number,
        )


def _plain(document: pymupdf.Document, number: int) -> str:
    return str(document[number - 1].get_text(sort=True))


def _markdown() -> Callable[[pymupdf.Document, int], str]:
    """Pages as pymupdf4llm writes them, without the signs of Markdown."""
    for module in ("pymupdf4llm", "pymupdf.layout"):
        if sys.modules.get(module, "") is None:  # what app/environment.py keeps from being loaded at every start
            del sys.modules[module]
    try:
        to_markdown = importlib.import_module("pymupdf4llm").to_markdown
    except ImportError as error:
        raise DocumentError("pymupdf4llm is not installed ({why}): pip install pymupdf4llm.", why=error) from error
    return lambda document, number: _MARKDOWN.sub(" ", str(to_markdown(document, pages=[number - 1])))


def _page(text: str, number: int, size: pymupdf.Rect) -> Page:
    nowhere = (0.0, 0.0, 0.0, 0.0)
    words = tuple(Word(start=word.start(), end=word.end(), box=nowhere) for word in re.finditer(r"\S+", text))
    return Page(number=number, text=text, words=words, width=size.width, height=size.height, source="text")
