"""What the page's handlers give goes out as Gradio would send it, and what stays as it is costs nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from gradio.components import Component
from gradio.components.api_component import Api
from gradio.state_holder import SessionState

from app.languages import Languages
from app.web.checked_blocks import CheckedBlocks, checked
from app.web.hosts import Hosts
from app.web.refusals import RequestRefused
from app.web.uploads import ANYONE, Caller, Uploads
from tests.helpers.awaited import awaited

SKIP = gr.skip()


@pytest.fixture
def demo(tmp_path: Path) -> CheckedBlocks:
    """Blocks with a function of five outputs, and one of the first of them."""

    async def made() -> CheckedBlocks:  # where a loop runs: Gradio would leave one of its own open
        uploads = Uploads(tmp_path, hosts=Hosts.named(), capacity_bytes=1_000, keep_seconds=60)
        with CheckedBlocks(uploads, Languages(), analytics_enabled=False) as demo:
            outputs = [gr.HTML(), gr.Textbox(), gr.Button(), gr.Column(), gr.State()]
            demo.load(lambda: None, None, outputs)
            demo.load(lambda: None, None, outputs[0])
        return demo

    return awaited(made())


@pytest.mark.parametrize(
    "values",
    [
        [SKIP] * 5,
        ["<b>new</b>", SKIP, SKIP, SKIP, SKIP],
        [SKIP, "new", {"visible": False, "__type__": "update"}, SKIP, SKIP],
        ["", None, SKIP, {"visible": True, "__type__": "update"}, "kept"],
        [SKIP, SKIP, SKIP, SKIP, "kept"],
    ],
)
def test_values_go_out_as_gradio_sends_them(demo: CheckedBlocks, values: list[Any]) -> None:
    function, _ = demo.fns.values()
    ours, theirs = SessionState(demo), SessionState(demo)
    said = awaited(demo.postprocess_data(function, tuple(values), ours))
    would_say = awaited(gr.Blocks.postprocess_data(demo, function, list(values), theirs))
    for one in would_say:
        if isinstance(one, dict):
            one.pop("props", None)  # of an update that changes none, Gradio says for HTML that it is one
    assert said == would_say
    kept = function.outputs[-1]._id
    assert (kept in ours) == (kept in theirs) and (kept not in ours or ours[kept] == theirs[kept])


@pytest.mark.parametrize("changed", [{}, {0: "<b>new</b>"}, {2: {"visible": False, "__type__": "update"}, 1: "new"}])
def test_values_by_component_go_out_as_those_by_position(demo: CheckedBlocks, changed: dict[int, Any]) -> None:
    """Whatever their order; a component that is not named stays as it is."""
    function, _ = demo.fns.values()
    state, by_position = SessionState(demo), [changed.get(place, SKIP) for place in range(5)]
    by_component = {function.outputs[4]: SKIP, **{function.outputs[place]: value for place, value in changed.items()}}
    said = awaited(demo.postprocess_data(function, by_component, state))
    assert said == awaited(demo.postprocess_data(function, by_position, SessionState(demo)))


@pytest.mark.parametrize("value", [SKIP, "new"])
def test_one_output_too(demo: CheckedBlocks, value: Any) -> None:
    _, function = demo.fns.values()
    said = awaited(demo.postprocess_data(function, value, SessionState(demo)))
    assert said == awaited(gr.Blocks.postprocess_data(demo, function, value, SessionState(demo)))
    assert said == awaited(demo.postprocess_data(function, {function.outputs[0]: value}, SessionState(demo)))


@pytest.mark.parametrize("values", [["one"], [None, None]])
def test_a_call_with_too_few_or_too_many_values_is_refused_in_words(demo: CheckedBlocks, values: list[Any]) -> None:
    function, _ = demo.fns.values()
    with pytest.raises(gr.Error, match=f"has {len(values)} values, and must have 0") as refused:
        awaited(demo.process_api(function, values, state=SessionState(demo)))
    assert not refused.value.print_exception  # nobody fills the log with it


@pytest.mark.parametrize(
    ("component", "good", "bad"),
    [
        (gr.Textbox(), ["", "Who?"], [5, True, ["Who?"], {"text": "x"}]),
        (gr.Dropdown(["a"]), ["a"], [5, [], [["a"]]]),
        (gr.Radio(["a"]), ["a"], [0, [1, "a"]]),
        (gr.BrowserState(""), ["", "x"], [["x"], 7]),
        (gr.Slider(0, 1), [0, 0.5], [True, "0", [], math.nan, math.inf, -math.inf]),
        (gr.Number(), [5, -1.5], [False, "5", math.nan]),
        (gr.Checkbox(), [True, False], [1, "true", []]),
        (gr.CheckboxGroup(["a"]), [[], ["a"]], ["a", [1], [["a"]]]),
        (Api("", {"type": "string"}), ["", "x"], [5, ["x"], None, {}]),
        (Api([], {"type": "array"}), [["x"], [["x", "y"]]], [{}, [{}], [[["x"]]]]),
    ],
)
def test_a_component_gets_values_of_its_own_kind(
    component: Component, good: list[Any], bad: list[Any], tmp_path: Path
) -> None:
    uploads = Uploads(tmp_path, hosts=Hosts.named(), capacity_bytes=1_000, keep_seconds=60)
    caller = Caller(browser=ANYONE, session="")
    assert [checked(component, value, uploads, caller) for value in good] == good
    for value in bad:
        with pytest.raises(RequestRefused, match="send a text, a number, or a list"):
            checked(component, value, uploads, caller)


@pytest.mark.parametrize("value", ["c", 7.0])
def test_what_a_component_does_not_offer_is_refused_in_words(tmp_path: Path, value: Any) -> None:
    async def refused() -> gr.Error:
        uploads = Uploads(tmp_path, hosts=Hosts.named(), capacity_bytes=1_000, keep_seconds=60)
        with CheckedBlocks(uploads, Languages(), analytics_enabled=False) as demo:
            component: Any = gr.Dropdown(["a", "b"]) if isinstance(value, str) else gr.Slider(0, 1)
            demo.load(lambda _: None, component, None)
        (function,) = demo.fns.values()
        with pytest.raises(gr.Error, match="cannot be used") as error:
            await demo.process_api(function, [value], state=SessionState(demo))
        return error.value

    assert not awaited(refused()).print_exception


def test_what_stays_as_it_is_is_not_made_anew(demo: CheckedBlocks) -> None:
    function, _ = demo.fns.values()
    state = SessionState(demo)
    awaited(demo.postprocess_data(function, (SKIP, "new", SKIP, SKIP, SKIP), state))
    assert all(state[block._id] is block for block in function.outputs if not block.stateful)
