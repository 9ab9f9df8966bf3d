"""An update reaches the page's components by what they are, not by where they stand in a list."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import gradio as gr
import pytest

from app.languages import Languages
from app.page.layout import Layout
from app.page.sample import ASSETS
from app.page.update import Update
from tests.helpers.awaited import awaited

VALUES: dict[str, Any] = {"busy": True, "table_busy": True, "columns": ("one", "two")}
CONTROLS = {  # fields that change more than one component, or one by its properties
    "busy": {"ask", "stop"},
    "table_busy": {"ask-all", "stop-all"},
    "locked": {"lock", "lock-reason-panel"},
}


@pytest.fixture(scope="module")
def layout() -> Layout:
    async def made() -> Layout:  # where a loop runs: Gradio would leave one of its own open
        with gr.Blocks(analytics_enabled=False):
            say = gr.I18n(**Languages().fixed_texts())
            return Layout(ASSETS, say, banner="", checkpoint="embedded", may_change_checkpoint=False)

    return awaited(made())


def changed(layout: Layout, update: Update) -> dict[Any, Any]:
    return {block: value for block, value in layout.changes(update).items() if value != gr.skip()}


def test_no_news_leaves_every_component_as_it_is(layout: Layout) -> None:
    assert changed(layout, Update()) == {}
    assert set(layout.outputs) == set(layout.changes(Update(busy=False, locked="It is locked.")))


@pytest.mark.parametrize("name", [field.name for field in fields(Update)])
def test_each_field_reaches_its_components_and_no_other(layout: Layout, name: str) -> None:
    reached = changed(layout, Update(**{name: VALUES.get(name, "<b>new</b>")}))
    assert len(reached) == len(CONTROLS.get(name, {name}))
    if name in CONTROLS:
        assert {block.elem_id for block in reached} == CONTROLS[name]


@pytest.mark.parametrize("busy", [True, False])
def test_the_button_to_ask_makes_room_for_the_one_to_stop(layout: Layout, busy: bool) -> None:
    reached = changed(layout, Update(busy=busy))
    assert reached[layout.ask].visible is not busy and reached[layout.stop].visible is busy
    again = changed(layout, Update(table_busy=busy))
    assert again[layout.many.ask].visible is not busy and again[layout.many.stop].visible is busy


def test_columns_are_offered_where_there_are_several(layout: Layout) -> None:
    shown = [changed(layout, Update(columns=names))[layout.many.column] for names in ((), ("one",), ("one", "two"))]
    assert [menu.visible for menu in shown] == [False, False, True]
    assert [menu.value for menu in shown] == [None, "one", "one"]
