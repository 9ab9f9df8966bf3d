"""Which pages enter the encoder as text, as a picture, or as both.

A picture costs 256 tokens and a pass through the vision tower, and shows what a text layer cannot: figures, the lines
of a table, handwriting. `auto` spends that where the text says least, up to a budget.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

from model.types import Document, Page, PageView

ViewMode = Literal["text", "image", "both", "auto"]
VIEW_MODES: tuple[ViewMode, ...] = get_args(ViewMode)

MANY_FIGURES = 0.25  # share of the page under pictures and drawings from which `auto` looks at it
FEW_CHARACTERS = 20  # with less text on a page there is next to nothing to read
POOR = 0.2  # share of unread places among a page's lines from which its text is poor


def choose_views(document: Document, mode: ViewMode, *, most_pictures: int) -> Document:
    """The document with the view of each page set. `auto` looks at no more than `most_pictures` pages."""
    views = _auto(document, most_pictures) if mode == "auto" else {page.number: mode for page in document.pages}
    return replace(document, pages=tuple(replace(page, view=views[page.number]) for page in document.pages))


def _auto(document: Document, most: int) -> dict[int, PageView]:
    """The pages that gain most from being seen come first when the budget does not reach for all."""
    wanted = sorted((page for page in document.pages if _gain(page) > 0), key=_gain, reverse=True)[:most]
    seen: dict[int, PageView] = {page.number: _view(page) for page in wanted}
    return {page.number: seen.get(page.number, "text") for page in document.pages}


def _view(page: Page) -> PageView:
    return "both" if len(page.text.strip()) >= FEW_CHARACTERS else "image"


def _gain(page: Page) -> float:
    """How much a picture adds to the page's text: 0 nothing, and more the less of the page the text says."""
    if len(page.text.strip()) < FEW_CHARACTERS:
        return 3.0 if page.figures or page.unread_boxes or page.source == "ocr" else 0.0
    unread = page.unread_boxes / (page.unread_boxes + page.text.count("\n") + 1)
    if unread >= POOR:
        return 2.0 + unread
    if page.source == "ocr":
        return 1.0 + unread
    return page.figures if page.figures >= MANY_FIGURES else 0.0
