"""What people wrote on top of a page: form fields and notes."""

import re
from collections.abc import Iterator

import pymupdf
from pymupdf import mupdf

from app.documents.characters import clean, word_spans
from app.documents.geometry import Rect, contains, turned_left
from app.documents.lines import Line, Piece
from app.documents.parts import UnreadParts
from app.documents.textlayer import turned
from app.documents.tick_boxes import TICKED, UNTICKED

_UNSEEN = mupdf.PDF_ANNOT_IS_HIDDEN | mupdf.PDF_ANNOT_IS_NO_VIEW
_SHOWN_IN_PLACE = {
    mupdf.PDF_ANNOT_FREE_TEXT,
    mupdf.PDF_ANNOT_WIDGET,
    mupdf.PDF_ANNOT_LINK,
    mupdf.PDF_ANNOT_POPUP,
}
_BUTTONS = {mupdf.PDF_WIDGET_TYPE_CHECKBOX, mupdf.PDF_WIDGET_TYPE_RADIOBUTTON}
_WRITTEN = {mupdf.PDF_WIDGET_TYPE_TEXT, mupdf.PDF_WIDGET_TYPE_COMBOBOX, mupdf.PDF_WIDGET_TYPE_LISTBOX}


def with_form_fields(page: pymupdf.Page, lines: list[Line], turns: int, unread: UnreadParts) -> list[Line]:
    """The lines with each field's value in place of what is drawn there: a tick is a letter of a symbol font.

    The lines were read after that many quarter turns of the page.
    """
    width, height = page.rect.width, page.rect.height
    fields = [(turned_left(box, turns, width, height), value) for box, value in _fields(page, unread)]
    boxes = [box for box, _ in fields]
    kept = [
        Line.of(pieces)
        for line in lines
        if (pieces := [piece for piece in line.pieces if not any(contains(box, piece.box) for box in boxes)])
    ]
    return kept + [line for box, value in fields for line in _spread(value, box)]


def notes(page: pymupdf.Page, unread: UnreadParts) -> Iterator[Line]:
    """Comments: sticky notes, and what was noted at a highlight or a drawing."""
    numbers = [number for number, kind, _ in page.annot_xrefs() if kind not in _SHOWN_IN_PLACE]
    for annotation in unread.each("notes", numbers, page.load_annot):
        content = clean(annotation.info.get("content", ""))
        if content.strip():
            box = turned(tuple(annotation.rect), page.rotation_matrix)
            hidden = bool(annotation.flags & _UNSEEN)
            yield _line(f"Note: {content}", box, hidden=hidden)


def _fields(page: pymupdf.Page, unread: UnreadParts) -> Iterator[tuple[Rect, str]]:
    """The box and the shown text of each field that a reader sees."""
    numbers = [number for number, kind, _ in page.annot_xrefs() if kind == mupdf.PDF_ANNOT_WIDGET]
    for field in unread.each("form fields", numbers, page.load_widget):
        box = turned(tuple(field.rect), page.rotation_matrix)
        if _flags(page, field.xref) & _UNSEEN:
            yield box, ""
        elif field.field_type in _BUTTONS:
            yield box, TICKED if _is_on(page, field) else UNTICKED
        elif field.field_type in _WRITTEN and not field.field_flags & mupdf.PDF_TX_FIELD_IS_PASSWORD:
            yield box, clean("\n".join(_shown(page, field)))


def _flags(page: pymupdf.Page, xref: int) -> int:
    kind, value = page.parent.xref_get_key(xref, "F")
    return int(value) if kind == "int" else 0


def _is_on(page: pymupdf.Page, field: pymupdf.Widget) -> bool:
    """Whether this button is on: several may share one field, and each has a state of its own."""
    kind, state = page.parent.xref_get_key(field.xref, "AS")
    if kind == "name":
        return bool(state != "/Off")
    return str(field.field_value or "Off") != "Off"


def _shown(page: pymupdf.Page, field: pymupdf.Widget) -> list[str]:
    """What the field shows: of a choice the text beside the value that is stored, of a list all that are chosen."""
    values = field.field_value if isinstance(field.field_value, (list, tuple)) else [field.field_value or ""]
    kind, chosen = page.parent.xref_get_key(field.xref, "V")
    if kind == "array" and field.field_type == mupdf.PDF_WIDGET_TYPE_LISTBOX:
        values = re.findall(r"\(((?:[^()\\]|\\.)*)\)", chosen) or values
    names = {
        str(choice[0]): str(choice[1]) for choice in field.choice_values or () if isinstance(choice, (list, tuple))
    }
    return [names.get(str(value), str(value)) for value in values]


def _spread(value: str, box: Rect) -> Iterator[Line]:
    """The lines of a field's value, one below the other in its box."""
    rows = [row for row in value.splitlines() if row.strip()]
    for index, row in enumerate(rows):
        height = (box[3] - box[1]) / len(rows)
        yield _line(row, (box[0], box[1] + index * height, box[2], box[1] + (index + 1) * height))


def _line(text: str, box: Rect, *, hidden: bool = False) -> Line:
    return Line.of(
        Piece(text=text[start:end], box=box, joined=start > 0 and not text[start - 1].isspace(), hidden=hidden)
        for start, end in word_spans(text)
    )
