"""The page's components get no file but the caller's own uploads, whatever route and whatever shape a value takes."""

import math
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component
from gradio.components.api_component import Api
from gradio.data_classes import FileData, ListFiles
from gradio_client.utils import python_type_to_json_schema
from starlette.requests import HTTPConnection

from app.languages import Language, Languages
from app.web.browsers import browser_of
from app.web.refusals import RequestRefused, language_of
from app.web.uploads import ANYONE, Caller, ServedFile, Uploads

Scalar = str | int | float | bool | None
MOST_NESTED = 2  # lists in each other: the pairs of earlier turns
_SHOWN = 120  # characters of a foreign value


class CheckedBlocks(gr.Blocks):
    """Blocks with one place where every value passes: the queue, direct calls and MCP tools all end here."""

    def __init__(self, uploads: Uploads, languages: Languages, **options: Any) -> None:
        super().__init__(**options)
        self.uploads = uploads
        self._languages = languages

    async def process_api(self, block_fn: Any, inputs: list[Any], *args: Any, **context: Any) -> dict[str, Any]:
        """As `gr.Blocks` does it, with checked inputs. What it hands out as a file is the caller's to fetch."""
        connection = _connection(context.get("request"))
        browser = browser_of(connection) if connection else ANYONE
        caller = Caller(browser=browser, session=context.get("session_hash") or "")
        function = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        try:
            if context.get("iterator") is None:  # a generator that goes on takes no inputs
                if function.fn is None:
                    raise RequestRefused("This event has nothing to do on the server.")
                if (got := len(inputs)) != (wanted := len(function.inputs)):
                    raise RequestRefused("This call has {got} values, and must have {n}.", got=got, n=wanted)
                pairs = zip(function.inputs, inputs, strict=True)
                inputs = [checked(component, value, self.uploads, caller) for component, value in pairs]
            output = await super().process_api(function, inputs, *args, **context)
            for path in _files_in(output["data"]):
                self.uploads.hand_out(Path(path), caller.browser)
        except RequestRefused as refusal:
            language = language_of(connection, self._languages) if connection else Language()
            raise gr.Error(language.message(refusal.message), print_exception=False) from refusal
        finally:
            if any(getattr(component, "data_model", None) in (FileData, ListFiles) for component in function.inputs):
                self.uploads.drop_loose()
        return output

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **options: Any) -> list[Any]:
        """As `gr.Blocks` does it; what a component cannot take is the caller's mistake, and no fault of the server."""
        try:
            return list(await super().preprocess_data(block_fn, inputs, *args, **options))
        except Exception as error:
            raise RequestRefused("A value of this call cannot be used: {text}", text=str(error)[:_SHOWN]) from error

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """As `gr.Blocks` does it, which would build every component anew that is to stay as it is, schema and all."""
        count = len(block_fn.outputs)
        if isinstance(predictions, dict) and predictions and all(isinstance(key, Block) for key in predictions):
            given = {component._id: value for component, value in predictions.items()}
            predictions = [given.get(block._id, gr.skip()) for block in block_fn.outputs]
            predictions = predictions[0] if count == 1 else predictions
        if not isinstance(predictions, list | tuple) or len(predictions) != count or count == 1:
            return list(await super().postprocess_data(block_fn, predictions, state))
        output: list[Any] = [None if block.stateful else gr.skip() for block in block_fn.outputs]
        changed = [place for place, value in enumerate(predictions) if not _is_skip(value)]
        if changed:
            part = copy(block_fn)
            part.outputs = [block_fn.outputs[place] for place in changed]
            values = [predictions[place] for place in changed]
            made = await super().postprocess_data(part, values[0] if len(values) == 1 else values, state)
            for place, value in zip(changed, made, strict=True):
                output[place] = value
        return output


def checked(component: Component, value: Any, uploads: Uploads, caller: Caller) -> Any:
    """A value as the component may have it.

    A component for files gets the caller's uploads, told anew from what the server knows of them; any other gets what
    it shows: a text, a finite number, a truth value, or texts. A parameter of an endpoint may be a list of these, or of
    such lists. Nothing else has a use for anything in which a file could be named.

    Raises RequestRefused for any other value.
    """
    if component.stateful:
        return None  # the server has it
    if value is None and not isinstance(component, Api):
        return None
    if component.data_model is FileData:
        return _told_anew(uploads.take(value, caller))
    if component.data_model is ListFiles:
        return [_told_anew(uploads.take(one, caller)) for one in (value if isinstance(value, list) else [value])]
    if _is_plain(value, depth=MOST_NESTED) and _fits(component, value):
        return value
    raise RequestRefused(
        "{component!r} got {value}: send a text, a number, or a list of these.",
        component=component.label or type(component).__name__,
        value=repr(value)[:_SHOWN],
    )


def _fits(component: Component, value: Any) -> bool:
    """Whether a value is of the kind that a component shows, so that what stands behind gets no other."""
    match component:
        case gr.Slider() | gr.Number():
            return type(value) in (int, float) and math.isfinite(value)
        case gr.Checkbox():
            return isinstance(value, bool)
        case gr.CheckboxGroup():
            return isinstance(value, list) and all(isinstance(one, str) for one in value)
        case Api():
            return component.api_info().get("type") != "string" or isinstance(value, str)
    return isinstance(value, str)


def _is_skip(value: Any) -> bool:
    return isinstance(value, dict) and value == gr.skip()


def _is_plain(value: Any, *, depth: int) -> bool:
    """Whether it is a scalar, or lists of scalars in each other, so deep at most."""
    if isinstance(value, list):
        return depth > 0 and all(_is_plain(one, depth=depth - 1) for one in value)
    return isinstance(value, Scalar)


def upload_parameter(name: str) -> Api:
    """A parameter of an endpoint that takes an uploaded file, and cannot be left out."""
    parameter = Api(None, python_type_to_json_schema(FileData), name)
    parameter.data_model = FileData
    return parameter


def _told_anew(file: ServedFile) -> dict[str, Any]:
    return FileData(path=str(file.path), orig_name=file.path.name, size=file.size).model_dump()


def _connection(request: Any) -> HTTPConnection | None:
    """Starlette's request, around which Gradio's stands; None where there is none."""
    connection = getattr(request, "request", request)
    return connection if isinstance(connection, HTTPConnection) else None


def _files_in(value: Any) -> Iterator[Any]:
    """The paths of the files in an output, however deep."""
    if isinstance(value, dict):
        meta = value.get("meta")
        if isinstance(meta, dict) and meta.get("_type") == "gradio.FileData":
            yield value["path"]
        for one in value.values():
            yield from _files_in(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _files_in(one)
