"""Documents that MuPDF opens: PDF, EPUB, XPS, FB2, MOBI, CBZ, SVG."""

from dataclasses import replace

import pymupdf
from PIL import Image

from app.documents.annotations import notes, with_form_fields
from app.documents.compose import compose
from app.documents.drawings import Drawn, read_drawings
from app.documents.figures import covered_by_figures, page_log
from app.documents.gaps import Gaps, find_gaps, is_suspect
from app.documents.geometry import Rect
from app.documents.layer_check import says_what_is_shown
from app.documents.layout import reading_order
from app.documents.parts import UnreadParts
from app.documents.picture import MAX_DRAWN_PIXELS, UNDRAWABLE, PagePicture
from app.documents.recognised_layer import with_gaps_read
from app.documents.recognition import Recognizer
from app.documents.textlayer import TextLayer, read_layer, turned_line
from app.documents.tick_boxes import with_tick_boxes
from model.errors import DocumentError, PasswordNeeded
from model.types import Page

RECOGNITION_SIDE = 2_000  # pixels: 170 dots an inch for a letter page
PROBED_PAGES = 5  # at least one of them shows something, or else the file was encrypted after all
NO_LAYER = TextLayer(lines=[], aside=[], turns=0)


class MupdfSource:
    """Reads and draws the pages of an open MuPDF document."""

    def __init__(self, document: pymupdf.Document) -> None:
        self._document = document
        self.page_count: int = document.page_count

    def read(self, number: int, recognizer: Recognizer) -> Page:
        """The page's text layer or, where that is of no use, what can be recognised in its picture.

        Each part has its own boundary: what cannot be read of the page is named in `unread_parts`.
        """
        unread = UnreadParts()
        page = self._load(number, unread)
        self._check_is_there(page)
        picture = unread.attempt("hidden words", lambda: PagePicture.of(page), UNDRAWABLE)
        layer = unread.attempt("the text layer", lambda: read_layer(page, picture), NO_LAYER)
        log: list[tuple[str, Rect]] = unread.attempt("figures", lambda: page_log(page), [])
        if not picture.is_blank:
            layer = unread.attempt(
                "writing in pictures", lambda: _with_recognition(page, layer, picture, log, recognizer), layer
            )
        found = self._compose(page, number, layer, unread)
        figures = unread.attempt("figures", lambda: covered_by_figures(page, log), 0.0)
        return replace(found, figures=figures, unread_parts=tuple(unread))

    def _compose(self, page: pymupdf.Page, number: int, layer: TextLayer, unread: UnreadParts) -> Page:
        width, height = page.rect.width, page.rect.height
        lines, remarks = layer.lines, []
        if self._document.is_pdf:
            lines = unread.attempt(
                "form fields", lambda: with_form_fields(page, layer.lines, layer.turns, unread), layer.lines
            )
            written = unread.attempt("notes", lambda: list(notes(page, unread)), [])
            remarks = [turned_line(line, layer.turns, width, height) for line in written]
        drawn = unread.attempt("figures", lambda: read_drawings(page, layer.turns), Drawn())
        lines = with_tick_boxes(lines, drawn.squares)
        unordered = [[[line]] for line in lines]
        blocks = unread.attempt("reading order", lambda: reading_order(lines, drawn.rules), unordered)
        heads = layer.heads
        others = [line for line in layer.aside if line not in heads]
        blocks = [*([[[line] for line in heads]] if heads else []), *blocks]
        blocks += [[[line] for line in block] for block in (others, remarks) if block]
        return compose(
            blocks, number=number, width=width, height=height, turns=layer.turns, slope=layer.slope,
            source="ocr" if layer.recognised else "text", unread_boxes=layer.unread_boxes,
        )  # fmt: skip

    def _load(self, number: int, unread: UnreadParts) -> pymupdf.Page:
        """The page, if need be without what was put on top of it. Raises what MuPDF does where that fails, too."""
        try:
            return self._document[number - 1]
        except Exception:  # a form field that is its own parent, for one, and the page is not loaded at all
            unread.add("form fields", "notes")
        self._document.xref_set_key(self._document.page_xref(number - 1), "Annots", "null")
        return self._document[number - 1]

    def _check_is_there(self, page: pymupdf.Page) -> None:
        """MuPDF shows a blank page in place of one that is missing. Raises ValueError for such a page of a PDF."""
        if self._document.is_pdf and not self._document.xref_get_keys(page.xref):
            raise ValueError("a page is missing")

    def draw(self, number: int, width: int) -> Image.Image:
        """The page at that width, or less where it would be too many pixels."""
        page = self._load(number, UnreadParts())
        scale = width / page.rect.width
        scale *= min(1.0, (MAX_DRAWN_PIXELS / (scale * scale * page.rect.width * page.rect.height)) ** 0.5)
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False)
        return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)

    def close(self) -> None:
        self._document.close()


def open_mupdf(data: bytes, *, kind: str, name: str, password: str | None) -> MupdfSource:
    """Open a file of the kind that its content showed. Raises DocumentError, PasswordNeeded."""
    return MupdfSource(open_document(data, kind=kind, name=name, password=password))


def open_document(data: bytes, *, kind: str, name: str, password: str | None) -> pymupdf.Document:
    """The same as MuPDF's own document. Raises DocumentError, PasswordNeeded."""
    document: pymupdf.Document | None
    try:
        # From memory: by its path, SVG could pull in files that lie beside it.
        document = pymupdf.open(stream=data, filetype=kind)
    except Exception as error:
        document = open_unencrypted(data) if kind == "pdf" else None
        if document is None:
            raise DocumentError(
                "{name!r} begins like a file of type {type} but is damaged: export or download it again.",
                name=name,
                type=kind.upper(),
            ) from error
    if kind == "pdf" and _encrypts_attachments_only(document):
        document = open_unencrypted(data) or document
    unlock(document, name=name, password=password)
    if document.page_count == 0:
        raise DocumentError(
            "{name!r} is damaged: none of its pages can be read; export or download it again.", name=name
        )
    if document.is_pdf:
        _refuse_wrappers(document, name)
    return document


def _refuse_wrappers(document: pymupdf.Document, name: str) -> None:
    """Raise DocumentError for a PDF whose pages are no more than a cover: XFA forms and portfolios."""
    catalog = document.pdf_catalog()
    if document.xref_get_key(catalog, "AcroForm/XFA")[0] != "null" and not document.is_form_pdf:
        raise DocumentError(
            "{name!r} is an XFA form, whose content only Adobe Reader shows: print it to a PDF there and open that.",
            name=name,
        )
    if document.xref_get_key(catalog, "Collection")[0] != "null" and document.embfile_count() > 0:
        raise DocumentError(
            "{name!r} is a PDF portfolio that holds {n} files: save them, and open each by itself.",
            name=name,
            n=document.embfile_count(),
        )


def open_unencrypted(data: bytes) -> pymupdf.Document | None:
    """A PDF without its password dictionary, which MuPDF could not make use of; None where its pages need it.

    Some programs leave a dictionary behind that says nothing, and encrypt nothing.
    """
    if b"/Encrypt" not in data:
        return None
    try:
        document = pymupdf.open(stream=data.replace(b"/Encrypt", b"/Ignored"), filetype="pdf")
        first = [document[number] for number in range(min(document.page_count, PROBED_PAGES))]
        return document if any(page.get_bboxlog() for page in first) else None
    except Exception:
        return None


def _encrypts_attachments_only(document: pymupdf.Document) -> bool:
    """Whether a PDF asks for a password only for the files that are attached to it (ISO 32000-2, 7.6.6)."""
    if not document.needs_pass or document.xref_get_key(-1, "Encrypt/V")[1] not in ("4", "5"):
        return False
    filters = (document.xref_get_key(-1, f"Encrypt/{name}")[1] for name in ("StmF", "StrF"))
    return all(name in ("/Identity", "null") for name in filters)


def unlock(document: pymupdf.Document, *, name: str, password: str | None) -> None:
    """Give an encrypted document its password. Raises PasswordNeeded."""
    if not document.needs_pass:
        return
    if password is None:
        raise PasswordNeeded("{name!r} needs a password: give it to open the file.", name=name)
    if not document.authenticate(password):
        raise PasswordNeeded(
            "The password given does not open {name!r}: check it, capital letters too, and try again.", name=name
        )


def _with_recognition(
    page: pymupdf.Page, layer: TextLayer, picture: PagePicture, log: list[tuple[str, Rect]], recognizer: Recognizer
) -> TextLayer:
    """The text layer, and by OCR what the page shows and the layer lacks."""
    size = page.rect.width, page.rect.height
    gaps = find_gaps(layer, picture, log, size)
    doubtful = not gaps.whole and layer.word_count > 0 and is_suspect(layer)
    if not gaps and not doubtful:
        return layer
    sharp = PagePicture.of(page, RECOGNITION_SIDE, annotations=False)
    if doubtful and not says_what_is_shown(layer, sharp, recognizer):
        gaps = Gaps(layer=layer.without_lines(), whole=True)
    if not gaps:
        return layer
    found = with_gaps_read(gaps, sharp, recognizer, size)
    return layer if found.word_count + found.unread_boxes < layer.word_count else found
