"""What a panel says about its event: its control's data attributes, as text."""

from typing import Final

import gradio as gr

from app.overview.search import Hit
from app.sessions.session import Shown
from model.types import Evidence

MOST_DIGITS: Final = 15


def text_of(event: gr.EventData, field: str) -> str:
    """A field as text; empty where the event has none."""
    return str(event._data.get(field, "")) if isinstance(event._data, dict) else ""


def number_of(event: gr.EventData, field: str) -> int | None:
    """A field as a whole number; None where it is none, or one that numbers nothing here."""
    text = text_of(event, field)
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def shown_place(event: gr.EventData) -> Shown:
    """A page with one place of it marked."""
    key, page = text_of(event, "document"), number_of(event, "page") or 1
    start, end = number_of(event, "start") or 0, number_of(event, "end") or 0
    return Shown(key=key, page=page, places=(_place(page, start, end),))


def place_of(hit: Hit) -> Evidence:
    """Where words were found."""
    return _place(hit.page, hit.start, hit.end)


def _place(page: int, start: int, end: int) -> Evidence:
    return Evidence(document="", document_index=0, page=page, start=start, end=end, quote="", score=1.0, verbatim=True)
