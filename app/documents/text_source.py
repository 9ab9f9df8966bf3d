"""Plain text and Markdown as pages: a form feed ends one, else the amount of text does."""

from app.documents.charsets import decode
from app.documents.characters import clean
from app.documents.flow.blocks import Preformatted, Section
from app.documents.flow.source import FlowingSource
from model.errors import DocumentError


def open_text(data: bytes, name: str) -> FlowingSource:
    """Open a text file. Raises DocumentError where it holds no text."""
    decoded = decode(data)
    if decoded is None:
        raise DocumentError(f"{name!r} holds bytes that are no text: save it as UTF-8.")
    if not decoded.text.strip():
        raise DocumentError(f"{name!r} holds nothing but white space: choose a file with content.")
    sections = [Section(blocks=(Preformatted(text=clean(page).strip("\n")),)) for page in decoded.text.split("\f") if page.strip()]
    return FlowingSource(sections, remark=decoded.remark)
