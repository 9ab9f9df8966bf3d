"""What shall stand on the page."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeVar

import gradio as gr
from gradio.blocks import Block

CONTROLS: Final = ("locked", "busy", "table_busy")  # what shows and hides controls

T = TypeVar("T")
Values = dict[Block, Any]  # a new value for each component


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """New contents for some panels; None leaves a panel as it is."""

    documents: str | None = None
    reading: str | None = None
    messages: str | None = None
    locked: str | None = None  # why a file needs a password; empty: none does
    password: str | None = None  # what stands in the password box: emptied when it is taken, never while one types
    pages: str | None = None
    viewer: str | None = None  # the bar above the pages
    library: str | None = None
    conversation: str | None = None
    question: str | None = None  # what stands in the question box
    unsent: str | None = None  # a question that was taken back: it goes to the box, unless something is typed there
    download: str | None = None  # a file that the browser is to take
    problem: str | None = None  # under the question box
    busy: bool | None = None  # an answer is being waited for: it can be stopped
    list: str | None = None  # what stands in the list of many questions
    columns: tuple[str, ...] | None = None  # of the CSV file that was dropped
    table: str | None = None
    table_problem: str | None = None
    table_busy: bool | None = None
    contents: str | None = None  # of the document that is shown
    hits: str | None = None
    overview_problem: str | None = None
    page_text: str | None = None  # what the model saw of the page that is shown

    def since(self, before: "Update") -> "Update":
        """Of this update what differs from an earlier one; controls are always said.

        Gradio patches in place those updates of a component that still wait in a slow browser: one that leaves a
        property out would take it out of the one before, which nobody has seen yet.
        """
        same = [field.name for field in fields(self) if getattr(self, field.name) == getattr(before, field.name)]
        return replace(self, **{name: None for name in same if name not in CONTROLS})


def or_same(value: T | None, drawn: Callable[[T], Any] = lambda value: value) -> Any:
    """What a component gets of a field of an update: the value as it is `drawn`; for None, that it stays as it is."""
    return gr.skip() if value is None else drawn(value)
