"""Small real values for tests of the page: files as bytes, and documents that are read already."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pymupdf
import torch
from PIL import Image

from app.documents.messages import Mark
from app.sessions.pictures import Pictures
from app.sessions.viewed import Loaded
from model.types import Document, EncodedDocument, Memory, Page, TokenMap, Word

JPEG = b"\xff\xd8\xff\xe0 not a whole picture"


class CountedImages:
    """Page images that count how often they are rendered, and whether they were closed."""

    def __init__(self) -> None:
        self.rendered: list[tuple[int, int]] = []
        self.closed = False

    def image(self, number: int, *, width: int) -> bytes:
        self.rendered.append((number, width))
        return JPEG

    def marked(self, marks: Sequence[Mark]) -> bytes:
        return repr(marks).encode()

    def close(self) -> None:
        self.closed = True


def a_page(number: int, text: str, **about: object) -> Page:
    """A page whose words stand on one line from left to right."""
    words, at = [], 0
    for position, word in enumerate(text.split(" ")):
        box = (0.1 + 0.08 * position, 0.1, 0.17 + 0.08 * position, 0.12)
        words.append(Word(start=at, end=at + len(word), box=box))
        at += len(word) + 1
    return Page(number=number, text=text, words=tuple(words), width=595, height=842, **about)  # type: ignore[arg-type]


def a_document(name: str, *pages: Page) -> Document:
    return Document(name=name, sha256=f"key-of-{name}", pages=pages or (a_page(1, "The lamp is lit"),))


def loaded(name: str = "a.pdf", *pages: Page, tokens: int = 10, images: CountedImages | None = None) -> Loaded:
    places = torch.zeros(tokens, dtype=torch.int32)
    encoded = EncodedDocument(
        document=a_document(name, *pages),
        memory=Memory(hidden=torch.zeros(tokens, 8, dtype=torch.bfloat16), key_inv_rms=torch.zeros(1, 1, tokens)),
        tokens=TokenMap(ids=places, pages=places, starts=places, ends=places),
        fingerprint="test",
        chunks=1,
        encode_seconds=12.3,
    )
    pictures = Pictures(images or CountedImages())
    return Loaded(document=encoded.document, encoded=encoded, pictures=pictures, file_bytes=0)


def picture(side: int) -> bytes:
    """A white square as PNG: small as a file, however many pixels it has."""
    data = io.BytesIO()
    Image.new("1", (side, side), 1).save(data, "PNG")
    return data.getvalue()


def pdf(*pages: str, password: str = "") -> bytes:
    """A PDF with one text on each page."""
    with pymupdf.open() as document:
        for text in pages:
            document.new_page().insert_textbox((60, 60, 540, 780), text, fontsize=12)
        if password:
            return bytes(document.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=password, owner_pw=password))
        return bytes(document.tobytes())


class Clock:
    """Time that stands still until a test moves it, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now
