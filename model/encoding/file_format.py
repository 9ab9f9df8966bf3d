"""An encoded document as a file: written once, dropped back in later, on any machine with the same checkpoint.

Safetensors, never pickle: tensors for the memory, the token map and the word boxes, and JSON in the header for the page
texts. Written to a temporary file, flushed and renamed; everything is checked on load, because a file is foreign input.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from model.encoding.memory import join_memories
from model.encoding.token_map import join
from model.errors import EncodingError
from model.types import Document, EncodedDocument, Memory, Page, TokenMap, Word

FORMAT = "readonce-encoding"
VERSION = 1
_PICTURE = "pictures."  # then the page's number
_TOKEN_FIELDS = ("ids", "pages", "starts", "ends")
_INT8_SCALES = ("hidden_scales", "channel_scales")
_DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "int8": torch.int8}


def save_encoding(encoded: EncodedDocument, path: Path, *, pictures: Mapping[int, bytes] | None = None) -> None:
    """Write an encoding; loading it gives the same tensors bit for bit. Raises EncodingError where it cannot.

    `pictures` are images of pages, by page number, for whoever wants to see the document without its file.
    """
    spans, boxes = _word_tensors(encoded.document)
    tensors = {
        "memory.hidden": encoded.memory.hidden,
        "memory.key_scales": encoded.memory.key_inv_rms,
        "words.spans": spans,
        "words.boxes": boxes,
    } | {f"tokens.{name}": getattr(encoded.tokens, name) for name in _TOKEN_FIELDS}
    for name in _INT8_SCALES:
        if (scales := getattr(encoded.memory, name)) is not None:
            tensors[f"memory.{name}"] = scales
    tensors |= {
        f"{_PICTURE}{number}": torch.frombuffer(bytearray(image), dtype=torch.uint8)
        for number, image in (pictures or {}).items()
    }
    header = {"format": FORMAT, "version": str(VERSION), "encoding": json.dumps(_header(encoded))}
    tensors = {name: value.detach().cpu().clone().contiguous() for name, value in tensors.items()}
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as part:
            save_file(tensors, part.name, header)
            part.flush()
            os.fsync(part.fileno())
        Path(part.name).replace(path)
    except OSError as error:
        raise EncodingError(f"{path} cannot be written ({error.strerror}): choose another folder.") from error


def load_encoding(path: Path, *, fingerprint: str | None = None) -> EncodedDocument:
    """Read an encoding and check all of it; with `fingerprint`, that it belongs to this checkpoint, too.

    Raises EncodingError for a file that is no encoding, of another version or checkpoint, or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            header = _checked_header(path, metadata, fingerprint)
            names = [name for name in file.keys() if not name.startswith(_PICTURE)]  # noqa: SIM118 - not a mapping
            tensors = {name: file.get_tensor(name) for name in names}
        return _assemble(header, tensors)
    except FileNotFoundError as error:
        raise EncodingError(f"{path} does not exist: name an encoding that `encode` wrote.") from error
    except (SafetensorError, OSError) as error:
        raise EncodingError(
            f"{path} is not a readable safetensors file ({error}): encode the document again."
        ) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EncodingError(f"{path} is damaged ({error}): encode the document again.") from error


def join_chunks(pieces: Sequence[EncodedDocument]) -> EncodedDocument:
    """One encoding of windows of the same document, in their order; their tensors are copied."""
    first = pieces[0]
    return replace(
        first,
        memory=join_memories([piece.memory for piece in pieces]),
        tokens=join([piece.tokens for piece in pieces]),
        chunks=sum(piece.chunks for piece in pieces),
        encode_seconds=sum(piece.encode_seconds for piece in pieces),
    )


def load_pictures(path: Path) -> dict[int, bytes]:
    """The page pictures that were saved with an encoding, by page number; foreign, so only a browser opens them."""
    try:
        with safe_open(path, framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(_PICTURE)]  # noqa: SIM118 - not a mapping
            return {int(name.removeprefix(_PICTURE)): file.get_tensor(name).numpy().tobytes() for name in names}
    except (SafetensorError, OSError, ValueError, AttributeError) as error:
        raise EncodingError(f"{path} is damaged ({error}): encode the document again.") from error


def _header(encoded: EncodedDocument) -> dict[str, Any]:
    pages = [
        {
            "number": page.number,
            "text": page.text,
            "width": page.width,
            "height": page.height,
            "source": page.source,
            "unread_boxes": page.unread_boxes,
            "figures": page.figures,
            "view": page.view,
            "words": len(page.words),
        }
        for page in encoded.document.pages
    ]
    return {
        "fingerprint": encoded.fingerprint,
        "precision": str(encoded.memory.hidden.dtype).removeprefix("torch."),
        "windows": encoded.chunks,
        "encode_seconds": encoded.encode_seconds,
        "document": {"name": encoded.document.name, "sha256": encoded.document.sha256, "pages": pages},
    }


def _word_tensors(document: Document) -> tuple[torch.Tensor, torch.Tensor]:
    """Start, end and hidden of every word of every page, (N, 3) int32, and their boxes, (N, 4) float32."""
    words = [word for page in document.pages for word in page.words]
    spans = torch.tensor([(word.start, word.end, int(word.hidden)) for word in words], dtype=torch.int32)
    boxes = torch.tensor([word.box for word in words], dtype=torch.float32)
    return spans.reshape(-1, 3), boxes.reshape(-1, 4)


def _checked_header(path: Path, metadata: dict[str, str], fingerprint: str | None) -> dict[str, Any]:
    if metadata.get("format") != FORMAT:
        raise EncodingError(f"{path} is a safetensors file, but no encoded document: name one that `encode` wrote.")
    if metadata.get("version") != str(VERSION):
        raise EncodingError(
            f"{path} has format version {metadata.get('version')}, this program reads {VERSION}: "
            "encode the document again."
        )
    header = json.loads(metadata["encoding"])
    if fingerprint is not None and header["fingerprint"] != fingerprint:
        raise EncodingError(
            f"{path} was read by another checkpoint ({header['fingerprint'][:12]}) than the one in use "
            f"({fingerprint[:12]}): start with that checkpoint, or encode the document again."
        )
    return header


def _assemble(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> EncodedDocument:
    document = _document(header["document"], tensors["words.spans"], tensors["words.boxes"])
    tokens = TokenMap(**{name: tensors[f"tokens.{name}"] for name in _TOKEN_FIELDS})
    memory = Memory(
        hidden=tensors["memory.hidden"],
        key_inv_rms=tensors["memory.key_scales"],
        **{name: tensors.get(f"memory.{name}") for name in _INT8_SCALES},
    )
    _check_tensors(memory, tokens, _DTYPES[header["precision"]])
    _check_places(tokens, document)
    return EncodedDocument(
        document=document,
        memory=memory,
        tokens=tokens,
        fingerprint=str(header["fingerprint"]),
        chunks=int(header["windows"]),
        encode_seconds=float(header["encode_seconds"]),
    )


def _document(header: dict[str, Any], spans: torch.Tensor, boxes: torch.Tensor) -> Document:
    rows = zip(spans.tolist(), boxes.tolist(), strict=True)
    pages = []
    for page in header["pages"]:
        words = tuple(
            Word(start=start, end=end, box=tuple(box), hidden=bool(hidden))
            for (start, end, hidden), box in (next(rows) for _ in range(page["words"]))
        )
        if any(not 0 <= word.start < word.end <= len(page["text"]) for word in words):
            raise ValueError(f"a word of page {page['number']} lies outside its text")
        pages.append(Page(**{**page, "words": words}))
    if next(rows, None) is not None:
        raise ValueError("there are more words than the pages hold")
    return Document(name=str(header["name"]), sha256=str(header["sha256"]), pages=tuple(pages))


def _check_tensors(memory: Memory, tokens: TokenMap, precision: torch.dtype) -> None:
    count = memory.hidden.shape[0]
    shapes_fit = memory.hidden.ndim == 2 and memory.key_inv_rms.ndim == 3 and memory.key_inv_rms.shape[-1] == count
    if not shapes_fit or any(getattr(tokens, name).shape != (count,) for name in _TOKEN_FIELDS):
        raise ValueError(f"the tensors' shapes do not fit {count} tokens")
    if memory.hidden.dtype != precision or memory.key_inv_rms.dtype != torch.float32:
        raise ValueError(f"the memory is {memory.hidden.dtype}, not {precision}")
    for scales, size in ((memory.hidden_scales, count), (memory.channel_scales, memory.hidden.shape[1])):
        if (scales is None) == (precision == torch.int8):
            raise ValueError("a memory in int8, and no other, has a scale for each token and each channel")
        if scales is not None and (scales.shape != (size,) or not (scales.isfinite() & (scales > 0)).all()):
            raise ValueError(f"the memory's scales are not {size} positive numbers")
    if any(getattr(tokens, name).dtype != torch.int32 for name in _TOKEN_FIELDS):
        raise ValueError("the token map is not int32")
    if not (memory.hidden.isfinite().all() and memory.key_inv_rms.isfinite().all()):
        raise ValueError("the memory holds numbers that are not finite")


def _check_places(tokens: TokenMap, document: Document) -> None:
    """Every token lies within the text of a page that is there, or on no page."""
    lengths = {0: 0} | {page.number: len(page.text) for page in document.pages}
    for number in tokens.pages.unique().tolist():
        on_page = tokens.pages == number
        if int(tokens.starts[on_page].min()) < 0 or int(tokens.ends[on_page].max()) > lengths[number]:
            raise ValueError(f"a token lies outside the text of page {number}")
