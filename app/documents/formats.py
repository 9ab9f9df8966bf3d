"""What a file is, told from its content; its name only helps to word the error."""

import re
import zipfile
from pathlib import Path, PurePath
from typing import Literal

from app.documents.plaintext import decode
from model.errors import DocumentError

Kind = Literal["picture", "text", "pdf", "epub", "xps", "cbz", "svg", "fb2", "mobi", "html"]

READABLE = "PDF, EPUB, XPS, FB2, MOBI, CBZ, SVG, HTML, PNG, JPEG, WebP, TIFF, plain text and Markdown"
HEAD = 4096  # bytes that are looked at
END = 2048
_TEXT_NAMES = (".txt", ".md")
_PDF_ENDS = (b"startxref", b"trailer", b"%%EOF")
_PDF_OBJECT = re.compile(rb"\b\d+\s+\d+\s+obj\b")

_PICTURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF....WEBP|II[*+]\x00|MM\x00[*+]|GIF8[79]a|BM.{4}\x00{4}", re.S
)
_OFFICE = {"word/": "Word", "xl/": "Excel", "ppt/": "PowerPoint"}
_FOREIGN = {
    b"\x7fELF": "a Linux program",
    b"MZ": "a Windows program",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"\xd0\xcf\x11\xe0": "an old Microsoft Office file",
    b"ID3": "a sound file",
    b"OggS": "a sound file",
    b"SQLite format 3": "a database",
}
_BINARY_NAMES = {
    ".pdf", ".epub", ".xps", ".oxps", ".cbz", ".mobi", ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".docx"
}  # fmt: skip


def sniff(path: Path, name: str) -> Kind:
    """The kind of a file. Raises DocumentError for one that cannot be a document."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if _PICTURE.match(head):
        return "picture"
    if head.startswith(b"PK"):
        return _sniff_archive(path, name)
    if head[60:68] in (b"BOOKMOBI", b"TEXtREAd"):
        return "mobi"
    foreign = next((what for mark, what in _FOREIGN.items() if head.startswith(mark)), None)
    if foreign is not None:
        raise _wrong_type(name, foreign)
    if PurePath(name).suffix.lower() not in _TEXT_NAMES and _is_pdf_without_header(path.read_bytes()):
        return "pdf"
    return _sniff_text(name, head)


def _is_pdf_without_header(data: bytes) -> bool:
    """Whether a PDF's first line was lost, or something else was put before it: it ends like one and holds objects."""
    end = data[-END:]
    return any(mark in end for mark in _PDF_ENDS) and _PDF_OBJECT.search(data) is not None


def _sniff_archive(path: Path, name: str) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            kind = archive.read("mimetype")[:100] if "mimetype" in members else b""
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise _wrong_type(name, "a damaged ZIP archive") from error
    if kind.strip() == b"application/epub+zip" or "META-INF/container.xml" in members:
        return "epub"
    if any(member.lower().endswith((".fdseq", "fixeddocseq.fdseq")) for member in members):
        return "xps"
    for folder, program in _OFFICE.items():
        if any(member.startswith(folder) for member in members):
            raise DocumentError(f"{name!r} is a {program} file, which cannot be read here: save it as PDF.")
    if any(member.lower().endswith((".png", ".jpg", ".jpeg")) for member in members):
        return "cbz"
    raise _wrong_type(name, f"a ZIP archive of {len(members)} files with no document in it")


def _sniff_text(name: str, head: bytes) -> Kind:
    if decode(head) is None:
        raise _wrong_type(name, f"of an unknown type (it begins with {head[:8].hex(' ')})")
    start = head.lstrip(b"\xef\xbb\xbf\r\n\t ").lower()
    suffix = PurePath(name).suffix.lower()
    if suffix in _BINARY_NAMES:
        what = "a web page" if start.startswith((b"<!doctype html", b"<html")) else "plain text"
        raise DocumentError(
            f"{name!r} is named {suffix} but holds {what}: the download may have failed; get the file again, "
            "or rename it to .txt to read it as text."
        )
    if suffix in _TEXT_NAMES:
        return "text"
    if b"<fictionbook" in start:
        return "fb2"
    if start.startswith((b"<svg", b"<?xml")) and b"<svg" in start:
        return "svg"
    return "html" if start.startswith((b"<!doctype html", b"<html")) else "text"


def _wrong_type(name: str, what: str) -> DocumentError:
    return DocumentError(f"{name!r} is {what}, not a document. These can be read: {READABLE}.")
