"""Excel files (.xlsx): a sheet is a section, its cells as they are shown."""

import io
import re
from collections.abc import Iterator

from lxml import etree

from app.documents.flow.blocks import Block, Paragraph, Section
from app.documents.messages import SheetRows
from app.documents.office.drawings import Drawings
from app.documents.office.number_formats import BUILT_IN, shown_number
from app.documents.office.package import Element, Package, attribute, child, children, descendants, local, number
from app.documents.office.sheets import MOST_CELLS, Sheet, too_many_cells
from model.errors import DocumentError

MOST_LISTED = 1_000_000  # cells of a sheet of questions, empty ones included

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_CODE = re.compile("_x([0-9A-F]{4})_", re.I)  # how a control character is written
_REPLIED = re.compile(r"\[Threaded comment\].*?Comment:\s*", re.S)  # what Excel tells its older versions


def excel_sections(package: Package, name: str) -> list[Section]:
    """A section for each sheet that holds something. Raises DocumentError for more cells than can be read."""
    return list(_Workbook(package, name).sections())


def first_rows(package: Package, name: str) -> SheetRows:
    """The cells of the first sheet that is shown and holds something, from its first row on; empty where none does.

    Raises DocumentError for more cells than a list of questions has.
    """
    return _Workbook(package, name).first_rows()


class _Workbook:
    def __init__(self, package: Package, name: str) -> None:
        self._package = package
        self._name = name
        self._part = package.main_part("xl/workbook.xml")
        self._root = package.xml(self._part)
        relations = package.relations(self._part)
        self._targets = {key: target for key, (_, target) in relations.items()}
        named = dict(relations.values())
        self._strings = _shared_strings(package.xml(named.get("sharedStrings", "xl/sharedStrings.xml")))
        self._formats = _formats(package.xml(named.get("styles", "xl/styles.xml")))
        properties = child(self._root, "workbookPr")
        self._from_1904 = properties is not None and attribute(properties, "date1904") in ("1", "true")
        self._cell_count = 0

    def sections(self) -> Iterator[Section]:
        for title, is_hidden, part in self._parts():
            blocks = tuple(self._blocks(part))
            if blocks:
                yield Section(label=f"Sheet '{title}'" + " (hidden)" * is_hidden, blocks=blocks)

    def first_rows(self) -> SheetRows:
        sheets = (self._sheet(part).cells for _, is_hidden, part in self._parts() if not is_hidden)
        cells = next((one for one in sheets if one), {})
        height = max(cells, default=-1) + 1
        width = max((column for row in cells.values() for column in row), default=-1) + 1
        if height * width > MOST_LISTED:
            raise DocumentError(
                "{name!r} has {rows:,} rows and {columns:,} columns on its first sheet, too many for a list of "
                "questions: keep only the questions.",
                name=self._name,
                rows=height,
                columns=width,
            )
        return tuple(tuple(cells.get(row, {}).get(column, "") for column in range(width)) for row in range(height))

    def _parts(self) -> Iterator[tuple[str, bool, str]]:
        """The sheets in their order: the title, whether it is hidden, and the part that holds it."""
        for sheet in children(child(self._root, "sheets"), "sheet"):
            title, is_hidden = attribute(sheet, "name"), attribute(sheet, "state") in ("hidden", "veryHidden")
            reference = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
            yield title, is_hidden, self._targets.get(reference, "")

    def _sheet(self, part: str) -> Sheet:
        sheet = Sheet()
        for element in _streamed(self._package.bytes(part), "row", "mergeCell"):
            if local(element) == "row":
                self._row(element, sheet)
            else:
                _merge(attribute(element, "ref"), sheet)
        return sheet

    def _blocks(self, part: str) -> Iterator[Block]:
        yield from self._sheet(part).blocks()
        for drawing in self._package.related(part, "drawing"):
            root = self._package.xml(drawing)
            for shape in descendants(root, "txBody"):
                if text := "\n".join(
                    "".join(t.text or "" for t in descendants(p, "t")) for p in children(shape, "p")
                ).strip():
                    yield Paragraph(text=text)
            yield from Drawings(self._package, drawing).blocks(root) if root is not None else ()
        for comments in self._package.related(part, "comments"):
            for comment in descendants(self._package.xml(comments), "comment"):
                text = "".join(part.text or "" for part in descendants(comment, "t")).strip()
                text = _REPLIED.sub("", text)
                yield Paragraph(text=text, marker=f"Comment at {attribute(comment, 'ref')}:")

    def _row(self, row: Element, sheet: Sheet) -> None:
        number_of_row = number(attribute(row, "r")) - 1 if attribute(row, "r") else max(sheet.cells, default=-1) + 1
        cells: dict[int, str] = {}
        column = -1
        for cell in children(row, "c"):
            match = _REFERENCE.match(attribute(cell, "r"))
            column = _column(match[1]) if match else column + 1
            if text := self._text(cell).strip():
                cells[column] = text
        self._cell_count += len(cells)
        if self._cell_count > MOST_CELLS:
            raise too_many_cells(self._name)
        if cells:
            sheet.cells[number_of_row] = cells

    def _text(self, cell: Element) -> str:
        kind = attribute(cell, "t", "n")
        if kind == "inlineStr":
            return _string(child(cell, "is"))
        element = child(cell, "v")
        value = (element.text or "") if element is not None else ""
        if not value:
            formula = child(cell, "f")
            return f"={formula.text}" if formula is not None and formula.text else ""
        if kind == "s":
            index = number(value, -1)
            return self._strings[index] if 0 <= index < len(self._strings) else ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind in ("str", "e", "d"):
            return value
        return self._number(value, number(attribute(cell, "s")))

    def _number(self, value: str, style: int) -> str:
        try:
            return shown_number(float(value), self._formats.get(style, "General"), from_1904=self._from_1904)
        except (ValueError, OverflowError):
            return value


def _streamed(data: bytes, *names: str) -> Iterator[Element]:
    """The elements of these names, one after the other, each let go of when the next is asked for."""
    if not data:
        return
    tags = [f"{{*}}{name}" for name in names]
    for _, element in etree.iterparse(
        io.BytesIO(data), tag=tags, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    ):
        yield element
        element.clear()
        while element.getprevious() is not None:
            del element.getparent()[0]


def _shared_strings(root: Element | None) -> list[str]:
    return [_string(item) for item in children(root, "si")]


def _string(item: Element | None) -> str:
    """The text of a string in parts, without how it is pronounced."""
    texts = (
        text.text or ""
        for part in (item if item is not None else ())
        for text in ([part] if local(part) == "t" else children(part, "t") if local(part) == "r" else ())
    )
    return _CODE.sub(lambda code: chr(int(code[1], 16)), "".join(texts))


def _formats(root: Element | None) -> dict[int, str]:
    """The format of each cell style."""
    own = {
        number(attribute(one, "numFmtId")): attribute(one, "formatCode")
        for one in children(child(root, "numFmts"), "numFmt")
    }
    ids = [number(attribute(style, "numFmtId")) for style in children(child(root, "cellXfs"), "xf")]
    return {index: own.get(one) or BUILT_IN.get(one, "General") for index, one in enumerate(ids)}


def _merge(reference: str, sheet: Sheet) -> None:
    corners = [(int(row) - 1, _column(letters)) for letters, row in _REFERENCE.findall(reference)]
    if len(corners) == 2:
        (top, left), (bottom, right) = corners
        sheet.merged[top, left] = (max(bottom - top, 0) + 1, max(right - left, 0) + 1)


def _column(letters: str) -> int:
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - ord("A") + 1
    return column - 1
