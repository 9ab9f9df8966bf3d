"""A file whose content decides how it is opened."""

from pathlib import Path

from lxml import etree

from app.documents.flow.blocks import Section
from app.documents.flow.source import FlowingSource
from app.documents.formats import Kind, sniff
from app.documents.limits import Limits
from app.documents.mupdf_source import open_mupdf
from app.documents.office.excel import excel_sections
from app.documents.office.opendocument import OpenDocument
from app.documents.office.package import Package, parse_xml
from app.documents.office.powerpoint import powerpoint_sections
from app.documents.office.word import word_sections
from app.documents.picture_source import open_picture
from app.documents.source import Source
from app.documents.text_source import open_text
from model.errors import DocumentError


def open_source(path: Path, *, name: str, password: str | None, limits: Limits) -> Source:
    """Open a file for reading and drawing. Raises DocumentError, PasswordNeeded."""
    return open_bytes(path.read_bytes(), name=name, password=password, limits=limits)


def open_bytes(data: bytes, *, name: str, password: str | None, limits: Limits) -> Source:
    """Open the content of a file for reading and drawing. Raises DocumentError, PasswordNeeded."""
    kind = sniff(data, name)
    if kind == "picture":
        return open_picture(data, name=name, max_pixels=limits.max_pixels)
    if kind == "text":
        return open_text(data, name)
    if kind in ("docx", "pptx", "xlsx", "odf", "flat-odf"):
        return _flowing(_office_sections(data, kind, name), name, limits)
    return open_mupdf(data, kind=kind, name=name, password=password)


def _office_sections(data: bytes, kind: Kind, name: str) -> list[Section]:
    if kind == "flat-odf":
        try:
            return OpenDocument(parse_xml(data), None, name).sections()
        except etree.XMLSyntaxError as error:
            raise DocumentError(f"{name!r} is a damaged OpenDocument file: save it again, or get it again.") from error
    package = Package(data, name)
    if kind == "docx":
        return word_sections(package)
    if kind == "pptx":
        return powerpoint_sections(package)
    if kind == "xlsx":
        return excel_sections(package, name)
    return OpenDocument.of(package, name).sections()


def _flowing(sections: list[Section], name: str, limits: Limits) -> Source:
    """A source of the sections. Raises DocumentError where they hold nothing."""
    source = FlowingSource(sections, max_pixels=limits.max_pixels)
    if source.page_count == 0:
        raise DocumentError(f"{name!r} holds no text and no pictures: choose a file with content, or save it again.")
    return source
