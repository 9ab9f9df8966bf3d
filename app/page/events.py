"""What a panel says about its event: its control's data attributes, as text."""

from typing import Final

import gradio as gr

MOST_DIGITS: Final = 15


def text_of(event: gr.EventData, field: str) -> str:
    """A field as text; empty where the event has none."""
    return str(event._data.get(field, "")) if isinstance(event._data, dict) else ""


def number_of(event: gr.EventData, field: str) -> int | None:
    """A field as a whole number; None where it is none, or one that numbers nothing here."""
    text = text_of(event, field)
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None
