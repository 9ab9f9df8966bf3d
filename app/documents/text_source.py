"""Text files as pages: plain text and Markdown, rows of values, web pages."""

import csv
from collections.abc import Iterator
from typing import Literal

from app.documents.characters import clean
from app.documents.charsets import Decoded, declared_encoding, decode
from app.documents.delimited import delimited_sections
from app.documents.flow.blocks import Preformatted, Section
from app.documents.flow.source import FlowingSource, open_flowing
from app.documents.html_text import web_sections
from app.documents.limits import Limits
from model.errors import DocumentError


def open_text(data: bytes, name: str, kind: Literal["text", "csv", "html"], limits: Limits) -> FlowingSource:
    """Open a text file. Raises DocumentError where it holds no text."""
    decoded = decode(data, declared_encoding(data) if kind == "html" else None)
    if decoded is None:
        raise DocumentError("{name!r} holds bytes that are no text: save it as UTF-8.", name=name)
    if not decoded.text.strip():
        raise DocumentError("{name!r} holds nothing but white space: choose a file with content.", name=name)
    return open_flowing(_sections(decoded, kind), name, limits, remark=decoded.remark)


def _sections(decoded: Decoded, kind: str) -> list[Section]:
    if kind == "html":
        return web_sections(decoded.text)
    if kind == "csv":
        try:
            return delimited_sections(decoded.text)
        except csv.Error:  # read it as it is
            return list(_plain(decoded.text))
    return list(_plain(decoded.text))


def _plain(text: str) -> Iterator[Section]:
    """A form feed ends a page."""
    for page in text.split("\f"):
        if page.strip():
            yield Section(blocks=(Preformatted(text=clean(page).strip("\n")),))
