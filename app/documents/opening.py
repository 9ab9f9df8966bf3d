"""A file whose content decides how it is opened."""

from pathlib import Path

from app.documents.formats import sniff
from app.documents.limits import Limits
from app.documents.mupdf_source import open_mupdf
from app.documents.picture_source import open_picture
from app.documents.source import Source
from app.documents.text_source import open_text


def open_source(path: Path, *, name: str, password: str | None, limits: Limits) -> Source:
    """Open a file for reading and drawing. Raises DocumentError, PasswordNeeded."""
    kind = sniff(path, name)
    if kind == "picture":
        return open_picture(path, name=name, max_pixels=limits.max_pixels)
    if kind == "text":
        return open_text(path, name)
    return open_mupdf(path, kind=kind, name=name, password=password)
