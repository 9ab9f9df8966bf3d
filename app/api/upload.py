"""Files of other programs: uploaded first, never fetched from a URL, never named by a path of this computer."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import gradio as gr
from gradio.components.api_component import Api
from gradio_client.utils import is_http_url_like, python_type_to_json_schema

SERVED = "/gradio_api/file="  # where this server gives back what was uploaded to it


def upload(name: str) -> Api:
    """A parameter that takes an uploaded file. Gradio itself would fetch a URL and hand over what it found there."""
    parameter = Api(None, python_type_to_json_schema(gr.FileData), name)
    into_cache = parameter.async_move_resource_to_block_cache

    async def only_uploads(url_or_file_path: str | Path | None) -> str | None:
        given = str(url_or_file_path or "")
        if is_http_url_like(given):
            return str(_uploaded_here(given, Path(parameter.GRADIO_CACHE)))
        return await into_cache(url_or_file_path)

    parameter.async_move_resource_to_block_cache = only_uploads  # type: ignore[method-assign]
    return parameter


def _uploaded_here(url: str, uploads: Path) -> Path:
    """The file behind a URL that this server gave for an upload: so MCP clients name it. Only the path is looked at."""
    _, served, path = urlsplit(url).path.partition(SERVED)
    file = Path(unquote(path)).resolve()
    if served and file.is_relative_to(uploads.resolve()) and file.is_file():
        return file
    raise gr.Error(
        f"{url[:200]!r} is not a file that was uploaded here. URLs are not fetched: upload the file first.",
        print_exception=False,
    )


def uploaded(file: Any) -> tuple[str, bytes]:
    """The name and the bytes of an upload that Gradio has found in its folder for uploads."""
    path = Path(file["path"])
    return Path(file.get("orig_name") or path.name).name, path.read_bytes()
