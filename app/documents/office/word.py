"""Word files (.docx): paragraphs with the numbers of their lists, tables, text boxes, notes, comments, pictures."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from app.documents.flow.blocks import Block, Cell, Figure, Heading, PageBreak, Paragraph, Section, Table
from app.documents.office.drawings import Drawings, shown_parts
from app.documents.office.math_text import math_text
from app.documents.office.package import Element, Package, attribute, child, children, local, number, resolved
from app.documents.office.word_colours import HIDDEN, SHOWN, by_visibility, is_unseen, without_marks
from app.documents.office.word_styles import BULLET, Numbering, Styles, is_on

_TRANSPARENT = {
    "sdt", "sdtContent", "customXml", "smartTag", "hyperlink", "ins", "moveTo", "fldSimple", "Choice", "dir", "bdo",
    "r",
}  # fmt: skip
_SIGNS = {"tab": "\t", "cr": "\n", "noBreakHyphen": "-", "softHyphen": "", "ptab": "\t"}
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
_NO_NOTE = ("separator", "continuationSeparator", "continuationNotice")


def word_sections(package: Package) -> list[Section]:
    """The document as one section."""
    part = package.main_part("word/document.xml")
    return [Section(blocks=tuple(_Reader(package, part).document()))]


class _Reader:
    """Walks through a document; what belongs behind a paragraph (boxes, pictures, notes) waits until it ends."""

    def __init__(self, package: Package, part: str) -> None:
        self._package = package
        self._part = part
        self._drawings = Drawings(package, part)
        relations = dict(package.relations(part).values())
        self._styles = Styles(self._xml(relations.get("styles")))
        self._numbering = Numbering(self._xml(relations.get("numbering")))
        self._remarks = {
            kind: {attribute(one, "id"): one for one in children(self._xml(relations.get(kind)), singular)}
            for kind, singular in (("footnotes", "footnote"), ("endnotes", "endnote"), ("comments", "comment"))
        }
        self._behind: list[Block] = []  # the paragraph that is being read
        self._notes: list[Block] = []  # at the end of the page
        self._note_count = 0
        self._on_white = (
            child(package.xml(part), "background") is None
        )  # not within cells and boxes, which have grounds

    def document(self) -> Iterator[Block]:
        """All blocks: what the pages' heads say, once, then the text, and what the feet say."""
        body = child(self._package.xml(self._part), "body")
        yield from self._margins("header")
        for block in self.blocks(body):
            if isinstance(block, PageBreak):
                yield from self._take_notes()
            yield block
        yield from self._take_notes()
        yield from self._margins("footer")

    def blocks(self, container: Element | None) -> Iterator[Block]:
        """The blocks of a body, a cell, a text box or a note."""
        for element in resolved(container):
            name = local(element)
            if name == "p":
                yield from self._paragraph(element)
            elif name == "tbl":
                yield from self._table(element)
            elif name in _TRANSPARENT:
                yield from self.blocks(element)

    def _xml(self, part: str | None) -> Element | None:
        return self._package.xml(part) if part else None

    def _paragraph(self, paragraph: Element) -> Iterator[Block]:
        style = self._styles.of(paragraph)
        marker = self._numbering.next_marker(style.list_id, style.list_level) if style.list_id else ""
        outer, self._behind = self._behind, []
        text = "" if style.is_hidden else "".join(self._inline(paragraph))
        behind, self._behind = self._behind, outer
        properties = child(paragraph, "pPr")
        if is_on(properties, "pageBreakBefore"):
            yield PageBreak()
        parts = text.split("\f")  # a page ends within the paragraph
        for index, part in enumerate(parts):
            if index:
                yield PageBreak(rendered=True)
            indent = style.list_level if style.list_id else 0
            for stretch, is_hidden in self._stretches(part):
                yield self._styled(stretch, None if is_hidden else style.heading, marker, indent, is_hidden)
                marker = ""
        yield from behind
        kind = child(properties, "sectPr", "type")
        if child(properties, "sectPr") is not None and (kind is None or attribute(kind, "val") != "continuous"):
            yield PageBreak()

    def _stretches(self, text: str) -> Iterator[tuple[str, bool]]:
        """The text in parts, each with whether it is hidden; in one where the ground may have any colour."""
        if not self._on_white:
            text = without_marks(text)
        yield from by_visibility(text)

    @staticmethod
    def _styled(text: str, heading: int | None, marker: str, indent: int, is_hidden: bool) -> Block:
        if heading is not None:
            return Heading(text=f"{marker} {text}".strip(), level=heading)
        return Paragraph(text=text, marker=marker, indent=indent, is_hidden=is_hidden)

    def _inline(self, container: Element) -> Iterator[str]:
        """The text in a paragraph, a form feed where a page ends."""
        for element in resolved(container):
            name = local(element)
            if name == "t":
                yield element.text or ""
            elif name == "r" and is_on(child(element, "rPr"), "vanish"):
                continue
            elif name == "r" and self._on_white and is_unseen(element, container):
                yield from (HIDDEN, *self._inline(element), SHOWN)
            elif name in _TRANSPARENT:
                yield from self._inline(element)
            elif name == "br":
                yield "\f" if attribute(element, "type") == "page" else "\n"
            elif name == "lastRenderedPageBreak":
                yield "\f"
            elif name in ("oMath", "oMathPara"):
                yield math_text(element)
            elif name in ("drawing", "pict", "object"):
                self._drawing(element)
            else:
                yield self._sign(name, element)

    def _sign(self, name: str, element: Element) -> str:
        if name == "sym":
            code = int(attribute(element, "char") or "0", 16)
            return chr(code) if 0x20 <= code < 0xD800 else BULLET  # the rest is a symbol font's own
        if name == "fldChar" and (box := child(element, "ffData", "checkBox")) is not None:
            return "☑" if is_on(box, "checked") or (child(box, "checked") is None and is_on(box, "default")) else "☐"
        if name in _NOTES:
            return self._note(self._remarks[_NOTES[name]].get(attribute(element, "id")))
        if name == "commentReference":
            self._comment(self._remarks["comments"].get(attribute(element, "id")))
        return _SIGNS.get(name, "")

    def _drawing(self, drawing: Element) -> None:
        boxes = [b for part in shown_parts(drawing) if local(part) == "txbxContent" for b in self._on_any_ground(part)]
        self._behind += [*boxes, *self._drawings.blocks(drawing)]

    def _on_any_ground(self, container: Element) -> list[Block]:
        """The blocks of a cell or a box, whose colour is not known."""
        outer, self._on_white = self._on_white, False
        found = list(self.blocks(container))
        self._on_white = outer
        return found

    def _note(self, note: Element | None) -> str:
        if note is None or attribute(note, "type") in _NO_NOTE:
            return ""
        self._note_count += 1
        mark = f"[{self._note_count}]"
        text = " ".join(_text(block) for block in self.blocks(note)).strip()
        self._notes.append(Paragraph(text=text, marker=mark))
        return mark

    def _comment(self, comment: Element | None) -> None:
        if comment is not None:
            author = attribute(comment, "author")
            text = " ".join(_text(block) for block in self.blocks(comment)).strip()
            self._behind.append(
                Paragraph(text=text, marker=f"Comment by {author}:" if author else "Comment:", indent=1)
            )

    def _take_notes(self) -> Iterator[Block]:
        notes, self._notes = self._notes, []
        yield from notes

    def _margins(self, kind: str) -> Iterator[Block]:
        """What stands above or below the text of all pages, each text once."""
        said: set[str] = set()
        for part in dict.fromkeys(self._package.related(self._part, kind)):
            for block in _Reader.margin(self._package, part):
                text = _text(block).strip()
                if not text.replace("/", "").strip().isdigit() and (text not in said or isinstance(block, Figure)):
                    said.add(text)
                    yield block

    @staticmethod
    def margin(package: Package, part: str) -> Iterator[Block]:
        """The blocks of a page head or foot, which has relations of its own."""
        yield from (
            block for block in _Reader(package, part).blocks(package.xml(part)) if not isinstance(block, PageBreak)
        )

    def _table(self, table: Element) -> Iterator[Block]:
        rows: list[list[Cell]] = []
        open_cells: dict[int, tuple[int, int]] = {}  # by column: where the cell stands that goes on downwards
        behind: list[Block] = []
        for row in _rows(table):
            is_header = is_on(child(row, "trPr"), "tblHeader")
            cells: list[Cell] = []
            column = number(_value(child(row, "trPr"), "gridBefore"))
            if column:
                cells.append(Cell(columns=column))
            for element in _cells(row):
                properties = child(element, "tcPr")
                columns = max(number(_value(properties, "gridSpan"), 1), 1)
                merge = child(properties, "vMerge")
                if merge is not None and attribute(merge, "val") != "restart" and column in open_cells:
                    above, index = open_cells[column]
                    rows[above][index] = replace(rows[above][index], rows=rows[above][index].rows + 1)
                else:
                    content = self._on_any_ground(element)
                    behind += [block for block in content if isinstance(block, Figure)]
                    cells.append(Cell(text=_joined(content), columns=columns, is_header=is_header))
                    open_cells[column] = len(rows), len(cells) - 1
                column += columns
            rows.append(cells)
        yield Table(rows=tuple(map(tuple, rows)))
        yield from behind


def _rows(table: Element) -> Iterator[Element]:
    for element in resolved(table):
        if local(element) == "tr":
            yield element
        elif local(element) in _TRANSPARENT:
            yield from _rows(element)


def _cells(row: Element) -> Iterator[Element]:
    for element in resolved(row):
        if local(element) == "tc":
            yield element
        elif local(element) in _TRANSPARENT:
            yield from _cells(element)


def _joined(blocks: Iterable[Block]) -> str:
    return "\n".join(filter(None, map(_text, blocks)))


def _text(block: Block) -> str:
    if isinstance(block, Table):
        return "\n".join("; ".join(cell.text for cell in row if cell.text) for row in block.rows)
    if isinstance(block, Paragraph) and block.marker:
        return f"{block.marker} {block.text}"
    return block.text if isinstance(block, Heading | Paragraph) else ""


def _value(element: Element | None, name: str) -> str:
    found = child(element, name)
    return attribute(found, "val") if found is not None else ""
