"""What a file is, told from its content; its name helps where that leaves a choice, and to word the error."""

import io
import re
import zipfile
from pathlib import PurePath
from typing import Literal

from app.documents.charsets import looks_like_text
from model.errors import DocumentError, Message

Kind = Literal[
    "picture", "text", "csv", "html", "rtf", "mail", "docx", "pptx", "xlsx", "odf", "flat-odf", "zip",
    "pdf", "epub", "xps", "cbz", "svg", "fb2", "mobi",
]  # fmt: skip

READABLE = "PDF, Office files, pictures, web pages, mail and text"
EXTENSIONS = (
    ".pdf", ".docx", ".docm", ".dotx", ".pptx", ".pptm", ".potx", ".ppsx", ".xlsx", ".xlsm", ".xltx", ".odt", ".ott",
    ".ods", ".odp", ".fodt", ".fods", ".rtf", ".csv", ".tsv", ".html", ".htm", ".xhtml", ".mht", ".mhtml", ".eml",
    ".epub", ".xps", ".oxps", ".fb2", ".mobi", ".cbz", ".svg", ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff",
    ".gif", ".bmp", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".txt", ".md", ".zip",
)  # fmt: skip
HEAD = 4096  # bytes that are looked at
END = 2048
_TEXT_NAMES = (".txt", ".md")
_PDF_ENDS = (b"startxref", b"trailer", b"%%EOF")
_PDF_OBJECT = re.compile(rb"\b\d+\s+\d+\s+obj\b")

_PICTURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF....WEBP|II[*+]\x00|MM\x00[*+]|GIF8[79]a|BM.{4}\x00{4}"
    rb"|\x00\x00\x00\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51"  # JPEG 2000, as a file and as a bare stream
    rb"|.{4}ftyp(?:avi[fs]|hei[cxms]|hev[cx]|mif1|msf1)",
    re.S,
)
_FOREIGN = {
    b"\x7fELF": "a Linux program",
    b"MZ": "a Windows program",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
    b"ID3": "a sound file",
    b"OggS": "a sound file",
    b"SQLite format 3": "a database",
}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_KINDS = {  # a stream that only such a file has -> what it is, and what to do
    "WordDocument": ("an old Word file (.doc)", "save it as .docx or PDF"),
    "PowerPoint Document": ("an old PowerPoint file (.ppt)", "save it as .pptx or PDF"),
    "Workbook": ("an old Excel file (.xls)", "save it as .xlsx"),
    "Book": ("an old Excel file (.xls)", "save it as .xlsx"),
    "__properties_version1.0": ("an Outlook message (.msg)", "save it as .eml or PDF"),
    "VisioDocument": ("a Visio drawing", "save it as PDF"),
}
_IWORK = {
    ".pages": "an Apple Pages file",
    ".numbers": "an Apple Numbers file",
    ".key": "an Apple Keynote file",
}
_FONT_SCRAMBLING = (b"http://www.idpf.org/2008/embedding", b"http://ns.adobe.com/pdf/enc#RC")
_ALGORITHM = re.compile(rb'EncryptionMethod[^>]*Algorithm\s*=\s*["\']([^"\']*)')
_FIELD = re.compile(rb"[\x21-\x39\x3b-\x7e]+:")
_MAIL_FIELDS = (
    b"from:",
    b"to:",
    b"subject:",
    b"date:",
    b"message-id:",
    b"mime-version:",
    b"received:",
    b"return-path:",
)
_HTML = re.compile(
    rb"(?:<\?xml[^>]*>\s*|<!--.*?-->\s*|<\?[^>]*>\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S
)
_TAG = re.compile(
    rb"</?(?:p|div|span|table|tr|td|br|h[1-6]|ul|ol|li|a|b|i|font|meta|title|section|article)\b[^>]*>", re.I
)
_BINARY_NAMES = {
    ".pdf", ".epub", ".xps", ".oxps", ".cbz", ".mobi", ".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".docx",
    ".pptx", ".xlsx", ".odt", ".ods", ".odp", ".avif", ".heic", ".zip",
}  # fmt: skip


def sniff(data: bytes, name: str) -> Kind:
    """The kind of a file. Raises DocumentError for one that cannot be a document."""
    head = data[:HEAD]
    may_be_pdf = PurePath(name).suffix.lower() not in _TEXT_NAMES  # where a text tells of PDFs, it is still a text
    if _PICTURE.match(head):
        return "picture"
    if head.startswith(b"PK"):  # which may begin with a PDF, as it is
        return _sniff_archive(data, name)
    if head.startswith(b"%PDF-") or (may_be_pdf and b"%PDF-" in head[:1024]):
        return "pdf"
    check_beginning(data, name)
    if head[60:68] in (b"BOOKMOBI", b"TEXtREAd"):
        return "mobi"
    if may_be_pdf and _is_pdf_without_header(data):
        return "pdf"
    return _sniff_text(name, data)


def check_beginning(data: bytes, name: str) -> None:
    """Raise DocumentError for a file whose first bytes say that it is no document.

    It opens nothing, so it may be asked before a worker has the file.
    """
    head = data[:HEAD]
    if b"%PDF-" in head[:1024]:
        return
    if head.startswith(_OLE):
        raise _old_office_file(data, name)
    foreign = next((what for mark, what in _FOREIGN.items() if head.startswith(mark)), None)
    if foreign is not None:
        raise _wrong_type(name, foreign)


def _is_pdf_without_header(data: bytes) -> bool:
    """Whether a PDF's first line was lost, or something else was put before it: it ends like one and holds objects."""
    end = data[-END:]
    return any(mark in end for mark in _PDF_ENDS) and _PDF_OBJECT.search(data) is not None


def _sniff_archive(data: bytes, name: str) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.namelist()
            mimetype = _small(archive, "mimetype").strip()
            encryption = _small(archive, "META-INF/encryption.xml")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise _wrong_type(name, "a damaged ZIP archive") from error
    if mimetype == b"application/epub+zip" or "META-INF/container.xml" in members:
        _check_rights(name, members, encryption)
        return "epub"
    if mimetype.startswith(b"application/vnd.oasis.opendocument"):
        return "odf"
    if any(member.lower().endswith((".fdseq", "fixeddocseq.fdseq")) for member in members):
        return "xps"
    return _sniff_members(name, {member.lower().lstrip("/") for member in members})


def _sniff_members(name: str, members: set[str]) -> Kind:
    folders = {member.partition("/")[0] for member in members if "/" in member}
    if "xl" in folders and "xl/workbook.bin" in members:
        raise _convertible(name, "a binary Excel file (.xlsb)", "save it as .xlsx")
    if "[content_types].xml" in members or "_rels/.rels" in members:
        kinds: dict[str, Kind] = {"word": "docx", "ppt": "pptx", "xl": "xlsx"}
        found = next((kind for folder, kind in kinds.items() if folder in folders), None)
        if found is not None:
            return found
    if any(member.endswith(".iwa") for member in members) or "index.zip" in members:
        kind = _IWORK.get(PurePath(name).suffix.lower(), "an Apple iWork file")
        raise _convertible(name, kind, "export it as PDF, or as a Word, Excel or PowerPoint file")
    files = {member for member in members if not member.endswith("/") and not member.startswith("__macosx")}
    if files and all(member.endswith((".png", ".jpg", ".jpeg", ".webp", ".gif", ".xml")) for member in files):
        return "cbz"
    if any(member.endswith(EXTENSIONS) for member in files):
        return "zip"
    raise _wrong_type(name, Message("a ZIP archive of {number} files with no document in it", number=len(members)))


def _sniff_text(name: str, data: bytes) -> Kind:
    head = data[:HEAD]
    if head.startswith(b"{\\rtf"):
        return "rtf"
    if not looks_like_text(data):
        raise DocumentError(
            "{name!r} is no document that can be read here: {readable} can.", name=name, readable=Message(READABLE)
        )
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe\r\n\t ")
    suffix = PurePath(name).suffix.lower()
    if suffix in _BINARY_NAMES:
        what = "a web page" if _HTML.match(start) else "plain text"
        raise DocumentError(
            "{name!r} is named {suffix} but holds {kind}: the download may have failed; get the file again, "
            "or rename it to .txt to read it as text.",
            name=name,
            suffix=suffix,
            kind=Message(what),
        )
    if suffix in _TEXT_NAMES:
        return "text"
    if suffix in (".csv", ".tsv"):
        return "csv"
    return _sniff_markup(start, suffix)


def _sniff_markup(start: bytes, suffix: str) -> Kind:
    lower = start.lower()
    if b"<fictionbook" in lower:
        return "fb2"
    if lower.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in lower:
        return "svg"
    if lower.startswith(b"<?xml") and b"<office:document" in lower:
        return "flat-odf"
    if _HTML.match(start) or (suffix in (".html", ".htm", ".xhtml", ".xls") and _TAG.search(start)):
        return "html"
    return "mail" if _is_mail(lower, is_named_so=suffix in (".eml", ".mht", ".mhtml")) else "text"


def _is_mail(start: bytes, *, is_named_so: bool) -> bool:
    """Whether the text begins with the header of a message: fields, among them two that messages have."""
    known = 0
    for line in start.splitlines()[:40]:
        if not line.strip():
            break
        if not line.startswith((b" ", b"\t", b"from ")) and not _FIELD.match(line):
            return False
        known += line.startswith(_MAIL_FIELDS)
    return known >= (1 if is_named_so else 3)


def _small(archive: zipfile.ZipFile, member: str) -> bytes:
    """The beginning of a member; empty where there is none."""
    if member not in archive.namelist():
        return b""
    with archive.open(member) as file:
        return file.read(1 << 20)


def _check_rights(name: str, members: list[str], encryption: bytes) -> None:
    """Raise DocumentError for a book whose chapters are encrypted; where only fonts are, it can be read."""
    algorithms = _ALGORITHM.findall(encryption)
    if "META-INF/sinf.xml" in members or any(algorithm not in _FONT_SCRAMBLING for algorithm in algorithms):
        raise DocumentError(
            "{name!r} is protected by digital rights management (DRM): its chapters are encrypted and cannot be read "
            "here. Get it without DRM, or read it in the seller's program.",
            name=name,
        )


def _old_office_file(data: bytes, name: str) -> DocumentError:
    """What to do with a file of the kind that office programs wrote until 2007; newer ones with a password are, too."""
    if _has_stream(data, "EncryptedPackage"):
        return password_error(name)
    for stream, (kind, fix) in _OLE_KINDS.items():
        if _has_stream(data, stream):
            return _convertible(name, kind, fix)
    return _convertible(name, "an old Microsoft Office file", "save it as .docx, .pptx, .xlsx or PDF")


def _has_stream(data: bytes, name: str) -> bool:
    return name.encode("utf-16-le") + b"\0\0" in data


def password_error(name: str) -> DocumentError:
    """The error for an office file that only its own program can open."""
    return DocumentError(
        "{name!r} is protected by a password: remove it in the program that made the file, then drop it again.",
        name=name,
    )


def damaged_error(name: str, kind: str) -> DocumentError:
    """The error for a file of a kind that was told from its beginning, and that cannot be read."""
    return DocumentError(
        "{name!r} is a damaged {kind} file: save it again, or get it again.", name=name, kind=Message(kind)
    )


def _convertible(name: str, kind: str, fix: str) -> DocumentError:
    return DocumentError("{name!r} is {kind}: {fix}.", name=name, kind=Message(kind), fix=Message(fix))


def _wrong_type(name: str, what: str) -> DocumentError:
    return DocumentError(
        "{name!r} is {kind}, not a document. These can be read: {readable}.",
        name=name,
        kind=Message(what),
        readable=Message(READABLE),
    )
