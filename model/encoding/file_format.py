"""An encoded document as a file: written once, dropped back in later, on any machine with the same checkpoint.

Safetensors, never pickle: tensors for the memory, the token map and the word boxes, and JSON in the header for the page
texts. A file is foreign input. It is read into memory of its own and never mapped, because a mapped file that somebody
shortens meanwhile ends the program by a signal; then its checksum, its header and its tensors are checked, in this
order, and whatever is wrong with it is an `EncodingError`.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import torch

from model.encoding import sealed
from model.encoding.header import Header
from model.encoding.memory import join_memories
from model.encoding.page_tensors import tables_from, words_from
from model.encoding.tensors import check_tensors, memory_from, pictures_from, tensors_of, tokens_from
from model.encoding.token_map import join
from model.errors import EncodingError
from model.storage.durable import write_durably
from model.types import EncodedDocument

FORMAT = "readonce-encoding"
VERSION = 2
_LONGEST_REASON = 200  # characters: a library's may quote the file


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedEncoding:
    """What a file holds: an encoding, and images of pages by page number (foreign: only a browser opens them)."""

    encoded: EncodedDocument
    pictures: Mapping[int, bytes]


def save_encoding(encoded: EncodedDocument, path: Path, *, pictures: Mapping[int, bytes] | None = None) -> None:
    """Write an encoding; loading it gives the same tensors bit for bit. Raises EncodingError where it cannot.

    `pictures` are images of pages, by page number, for whoever wants to see the document without its file.
    """
    data = _packed(encoded, pictures or {})
    try:
        if not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
        write_durably(path, lambda part: part.write_bytes(data))
    except OSError as error:
        raise EncodingError(
            "{name} cannot be written ({why}): choose another folder.", name=path, why=error.strerror
        ) from error


def load_encoding(path: Path, *, fingerprint: str | None = None) -> EncodedDocument:
    """Read an encoding and check all of it; with `fingerprint`, that it belongs to this checkpoint, too.

    Raises EncodingError for a file that is no encoding, of another version or checkpoint, or damaged.
    """
    if not path.exists():
        raise EncodingError("{name} does not exist: name an encoding that `encode` wrote.", name=path)
    if not path.is_file():
        raise EncodingError("{name} is not a file: name an encoding that `encode` wrote.", name=path)
    try:
        with path.open("rb") as file:
            return _read(file, str(path), fingerprint).encoded
    except OSError as error:
        raise _unreadable(str(path), error) from error


def parse_encoding(data: bytes, name: str) -> SavedEncoding:
    """An encoding from a file's bytes; errors call it by this name. Raises EncodingError as `load_encoding` does."""
    return _read(BytesIO(data), name)


def join_chunks(pieces: Sequence[EncodedDocument]) -> EncodedDocument:
    """One encoding of chunks of the same document, in their order; tensors of several are copied."""
    first = pieces[0]
    if len(pieces) == 1:
        return first
    return replace(
        first,
        memory=join_memories([piece.memory for piece in pieces]),
        tokens=join([piece.tokens for piece in pieces]),
        chunks=sum(piece.chunks for piece in pieces),
        encode_seconds=sum(piece.encode_seconds for piece in pieces),
    )


def _packed(encoded: EncodedDocument, pictures: Mapping[int, bytes]) -> bytes:
    """The bytes of the file. What could not be loaded again is not written."""
    try:
        tensors, header = tensors_of(encoded, pictures), Header.of(encoded).json()
        check_tensors(tensors, Header.parse(header))
        return sealed.pack(tensors, {"format": FORMAT, "version": str(VERSION), "encoding": header})
    except (ValueError, TypeError) as error:
        name = encoded.document.name
        raise EncodingError(
            "The encoding of {name} cannot be saved ({why}): read the document again.", name=name, why=error
        ) from error


def _read(file: BinaryIO, name: str, fingerprint: str | None = None) -> SavedEncoding:
    """The one place where a foreign file becomes an encoding, and whatever fails on the way an EncodingError."""
    try:
        beginning, texts = sealed.read_texts(file)
        _check_format(name, texts)
        tensors = sealed.unpack(beginning + file.read())
        header = Header.parse(texts.get("encoding", ""))
        _check_checkpoint(name, header.fingerprint, fingerprint)
        check_tensors(tensors, header)
        return SavedEncoding(encoded=assembled(header, tensors), pictures=pictures_from(tensors))
    except EncodingError:
        raise
    except OSError as error:
        raise _unreadable(name, error) from error
    except MemoryError as error:
        raise EncodingError(
            "{name} is larger than the memory that is free: encode fewer pages of it.", name=name
        ) from error
    except Exception as error:
        why = " ".join(str(error).split())[:_LONGEST_REASON]
        raise EncodingError(
            "{name} is not a readable encoding ({why}): encode the document again.", name=name, why=why
        ) from error


def _unreadable(name: str, error: OSError) -> EncodingError:
    return EncodingError(
        "{name} cannot be read ({why}): check its permissions and its disk.", name=name, why=error.strerror
    )


def _check_format(name: str, texts: Mapping[str, str]) -> None:
    if texts.get("format") != FORMAT:
        raise EncodingError(
            "{name} is a safetensors file, but no encoded document: name one that `encode` wrote.", name=name
        )
    if (version := texts.get("version", "")) != str(VERSION):
        raise EncodingError(
            "{name} has format version {theirs}, this program reads {ours}: read the document again.",
            name=name,
            theirs=version[:20],
            ours=VERSION,
        )


def _check_checkpoint(name: str, theirs: str, ours: str | None) -> None:
    if ours not in (None, theirs):
        raise EncodingError(
            "{name} was read by another checkpoint ({theirs}) than the one in use ({ours}): "
            "start with that checkpoint, or encode the document again.",
            name=name,
            theirs=theirs[:12],
            ours=ours[:12],
        )


def assembled(header: Header, tensors: Mapping[str, torch.Tensor]) -> EncodedDocument:
    """The encoding that a header and tensors describe, which were checked."""
    return EncodedDocument(
        document=header.to_document(words_from(tensors), tables_from(tensors)),
        memory=memory_from(tensors),
        tokens=tokens_from(tensors),
        fingerprint=header.fingerprint,
        chunks=header.chunks,
        encode_seconds=header.encode_seconds,
    )
