"""What a panel says about its event: its control's data attributes, as text."""

import gradio as gr


def text_of(event: gr.EventData, field: str) -> str:
    """A field as text; empty where the event has none."""
    return str(event._data.get(field, "")) if isinstance(event._data, dict) else ""


def number_of(event: gr.EventData, field: str) -> int | None:
    text = text_of(event, field)
    return int(text) if text.isdecimal() else None
