"""A file whose content decides how it is opened."""

from pathlib import Path

from lxml import etree

from app.documents.containers import open_archive, open_mail
from app.documents.flow.blocks import Section
from app.documents.flow.source import open_flowing
from app.documents.formats import Kind, damaged_error, sniff
from app.documents.limits import Limits
from app.documents.messages import SheetRows
from app.documents.mupdf_source import open_mupdf
from app.documents.office.excel import excel_sections, first_rows
from app.documents.office.opendocument import OpenDocument
from app.documents.office.package import Package, parse_xml
from app.documents.office.powerpoint import powerpoint_sections
from app.documents.office.word import word_sections
from app.documents.picture_source import open_picture
from app.documents.rich_text import rich_text_sections
from app.documents.source import Source
from app.documents.text_source import open_text
from model.errors import DocumentError

MOST_DEPTH = 3  # of files in files


def open_source(path: Path, *, name: str, password: str | None, limits: Limits) -> Source:
    """Open a file for reading and drawing. Raises DocumentError, PasswordNeeded."""
    return open_bytes(path.read_bytes(), name=name, password=password, limits=limits)


def open_bytes(data: bytes, *, name: str, password: str | None, limits: Limits, depth: int = 0) -> Source:
    """Open the content of a file, which lies in `depth` others. Raises DocumentError, PasswordNeeded."""
    kind = sniff(data, name)
    if kind == "picture":
        return open_picture(data, name=name, max_pixels=limits.max_pixels)
    if kind in ("mail", "zip"):
        if depth >= MOST_DEPTH:
            raise DocumentError(
                "{name!r} lies in {depth} other files: save it, and drop it by itself.", name=name, depth=depth
            )

        def opened(inner: bytes, inner_name: str) -> Source:
            return open_bytes(inner, name=inner_name, password=password, limits=limits, depth=depth + 1)

        return (open_mail if kind == "mail" else open_archive)(data, name, opened)
    if kind in ("docx", "pptx", "xlsx", "odf", "flat-odf"):
        return open_flowing(_office_sections(data, kind, name), name, limits)
    if kind == "rtf":
        return open_flowing(rich_text_sections(data, name), name, limits)
    if kind in ("text", "csv", "html"):
        return open_text(data, name, kind, limits)
    return open_mupdf(data, kind=kind, name=name, password=password)


def first_sheet(data: bytes, name: str) -> SheetRows:
    """The cells of an Excel workbook's first sheet. Raises DocumentError, PasswordNeeded."""
    if sniff(data, name) != "xlsx":
        raise DocumentError(
            "{name!r} is no Excel workbook: save the questions as .xlsx or .csv, and drop that.", name=name
        )
    return first_rows(Package(data, name), name)


def _office_sections(data: bytes, kind: Kind, name: str) -> list[Section]:
    if kind == "flat-odf":
        try:
            return OpenDocument(parse_xml(data), None, name).sections()
        except etree.XMLSyntaxError as error:
            raise damaged_error(name, "OpenDocument") from error
    package = Package(data, name)
    if kind == "docx":
        return word_sections(package)
    if kind == "pptx":
        return powerpoint_sections(package)
    if kind == "xlsx":
        return excel_sections(package, name)
    return OpenDocument.of(package, name).sections()
