"""An encoding that is mapped from the disk: of its tensors only what is used comes into memory.

For files that this program has written into a folder of its own. Nothing of the tensors is read to check them, so a
file from elsewhere goes through `file_format.py`. A mapped file must not be shortened: it is replaced or deleted whole.
"""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from model.encoding.file_format import FORMAT, VERSION, assembled
from model.encoding.header import Header
from model.encoding.tensors import PICTURE, check_shapes, memory_from, tokens_from
from model.errors import EncodingError
from model.types import EncodedDocument, Memory, TokenMap


def map_encoding(path: Path, *, size_bytes: int) -> EncodedDocument:
    """The encoding in a file of so many bytes. Raises EncodingError where it is not there, or not as it was written."""
    try:
        _check_size(path, size_bytes)
        with safe_open(path, framework="pt") as file:
            texts = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys() if not name.startswith(PICTURE)}  # noqa: SIM118
        if (texts.get("format"), texts.get("version")) != (FORMAT, str(VERSION)):
            raise ValueError(f"it has format version {texts.get('version')}, this program reads {VERSION}")
        header = Header.parse(texts.get("encoding", ""))
        check_shapes(tensors, header)
    except (OSError, ValueError, SafetensorError) as error:
        raise _damaged(path, error) from error
    return assembled(header, tensors)


def map_memory(path: Path, *, size_bytes: int) -> tuple[Memory, TokenMap]:
    """The same without the document, whose texts take longer to read than all else. Raises as `map_encoding`."""
    try:
        _check_size(path, size_bytes)
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(("memory.", "tokens."))]  # noqa: SIM118
            tensors = {name: file.get_tensor(name) for name in names}
        return memory_from(tensors), tokens_from(tensors)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise _damaged(path, error) from error


def _check_size(path: Path, size_bytes: int) -> None:
    if (found := path.stat().st_size) != size_bytes:
        raise ValueError(f"it has {found:,} bytes, not {size_bytes:,}")


def _damaged(path: Path, error: Exception) -> EncodingError:
    return EncodingError(
        "The encoding {name} is damaged or gone ({why}): read the document again.", name=path.name, why=error
    )
