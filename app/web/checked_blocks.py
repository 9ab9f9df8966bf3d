"""The page's components get no file but the caller's own uploads, whatever route and whatever shape a value takes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
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
                pairs = zip(function.inputs, inputs, strict=False)
                inputs = [checked(component, value, self.uploads, caller) for component, value in pairs]
            output = await super().process_api(function, inputs, *args, **context)
            for path in _files_in(output["data"]):
                self.uploads.hand_out(Path(path), caller.browser)
        except RequestRefused as refusal:
            language = language_of(connection, self._languages) if connection else Language()
            raise gr.Error(language.text(str(refusal)), print_exception=False) from refusal
        finally:
            if any(getattr(component, "data_model", None) in (FileData, ListFiles) for component in function.inputs):
                self.uploads.drop_loose()
        return output


def checked(component: Component, value: Any, uploads: Uploads, caller: Caller) -> Any:
    """A value as the component may have it.

    A component for files gets the caller's uploads, told anew from what the server knows of them; any other gets a
    text, a number, a truth value, or a list of these: it has no use for anything in which a file could be named.

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
    if isinstance(value, Scalar) or (isinstance(value, list) and all(isinstance(one, Scalar) for one in value)):
        return value
    raise RequestRefused(
        f"{component.label or type(component).__name__!r} got {repr(value)[:120]}: send a text, a number, or a list of"
        " these."
    )


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
