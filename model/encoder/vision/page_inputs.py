"""Which pages enter the encoder as text, as a picture, or as both.

A picture costs 256 tokens and a pass through the vision tower, and shows what a text layer cannot: figures, the lines
of a table, handwriting. `auto` spends that where the text says least, up to a budget.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from model.errors import CheckpointError, Message
from model.types import Document, Page, PageView

if TYPE_CHECKING:  # the command line names the modes, and must start without torch
    from model.checkpoints.checkpoint import Checkpoint

ViewMode = Literal["text", "image", "both", "auto"]
VIEW_MODES: tuple[ViewMode, ...] = get_args(ViewMode)

FRAME = 4  # tokens around a picture's own: where it begins and ends, and the blank lines
MANY_FIGURES = 0.25  # share of the page under pictures and drawings from which `auto` takes its picture
FEW_CHARACTERS = 20  # with less text on a page there is next to nothing to read
POOR = 0.2  # share of unread places among a page's lines from which its text is poor


def views_for(checkpoint: Checkpoint, document: Document, mode: ViewMode) -> Document:
    """The document as this checkpoint reads it. `auto` spends one chunk's tokens on pictures at most.

    Raises CheckpointError if pictures are wanted from a checkpoint that does not support vision.
    """
    if not checkpoint.supports_vision:
        if mode in ("image", "both"):
            raise CheckpointError(no_vision_message(checkpoint.name))
        return choose_views(document, "text", most_pictures=0)
    seeing: Any = checkpoint.model
    picture = seeing.config.encoder.mm_tokens_per_image + FRAME
    return choose_views(document, mode, most_pictures=checkpoint.chunk_size // picture)


def no_vision_message(name: str) -> Message:
    """Why pictures cannot be seen, and what to do."""
    return Message(
        "{name} cannot see pictures: it has no trained vision tower. Read the pages as text (--pages text), or use a "
        "checkpoint that sees pictures, such as google/t5gemma-2-270m-270m.",
        name=name,
    )


def choose_views(document: Document, mode: ViewMode, *, most_pictures: int) -> Document:
    """The document with the view of each page set. `auto` uses at most `most_pictures` pictures."""
    views = _auto(document, most_pictures) if mode == "auto" else {page.number: mode for page in document.pages}
    return replace(document, pages=tuple(replace(page, view=views[page.number]) for page in document.pages))


def _auto(document: Document, most: int) -> dict[int, PageView]:
    """Pages that gain most from a picture come first if the budget does not suffice for all."""
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
