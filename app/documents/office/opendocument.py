"""OpenDocument files (.odt, .ods, .odp, and the flat forms): text, sheets and slides."""

from collections.abc import Iterator
from typing import Self

from app.documents.flow.blocks import Block, Cell, Figure, Heading, PageBreak, Paragraph, Section, Table
from app.documents.formats import damaged_error, password_error
from app.documents.office.package import Element, Package, attribute, child, children, descendants, local, number
from app.documents.office.sheets import MOST_CELLS, Sheet, too_many_cells
from app.documents.office.word_styles import BULLET

MOST_SPACES = 100
MOST_REPEATED = 1_000  # times that a cell or row with content may stand again
_POINTS = {"cm": 28.35, "mm": 2.835, "in": 72.0, "pt": 1.0, "px": 0.75}
_CONTAINERS = (
    "section",
    "index-body",
    "text-box",
    "table-of-content",
    "illustration-index",
    "user-index",
    "alphabetical-index",
)
_LEFT_OUT = (
    "tracked-changes",
    "forms",
    "sequence-decls",
    "variable-decls",
    "user-field-decls",
    "annotation-end",
    "ruby-text",
)


class OpenDocument:
    """An open file: its content as XML, its pictures by name."""

    def __init__(self, content: Element, package: Package | None, name: str) -> None:
        self._content = content
        self._package = package
        self._name = name
        self._styles = {attribute(style, "name"): style for style in descendants(content, "style")}
        self._lists = {attribute(style, "name"): style for style in descendants(content, "list-style")}
        self._behind: list[Block] = []
        self._notes: list[Block] = []

    @classmethod
    def of(cls, package: Package, name: str) -> Self:
        """Raises DocumentError for a file that is protected, or has no content."""
        if any(True for _ in descendants(package.xml("META-INF/manifest.xml"), "encryption-data")):
            raise password_error(name)
        content = package.xml("content.xml")
        if content is None:
            raise damaged_error(name, "OpenDocument")
        return cls(content, package, name)

    def sections(self) -> list[Section]:
        """A section for each sheet or slide; a text is one."""
        body = child(self._content, "body")
        if (book := child(body, "spreadsheet")) is not None:
            return list(self._sheets(book))
        show = child(body, "presentation")
        show = show if show is not None else child(body, "drawing")
        if show is not None:
            return [
                Section(label=f"Slide {number}", blocks=tuple(self._slide(page)), is_one_page=True)
                for number, page in enumerate(children(show, "page"), start=1)
            ]
        return [Section(blocks=(*self.blocks(child(body, "text")), *self._take_notes()))]

    def blocks(self, container: Element | None, depth: int = 0) -> Iterator[Block]:
        """The blocks of a text, a frame, a cell, an item."""
        for element in container if container is not None else ():
            name = local(element)
            if name in ("p", "h"):
                yield from self._paragraph(element, depth)
            elif name == "list":
                yield from self._list(element, attribute(element, "style-name"), depth)
            elif name == "table":
                yield self._table(element)
                yield from self._take_behind()
            elif name in _CONTAINERS:
                yield from self.blocks(element, depth)
            elif name == "frame" or (element.prefix == "draw" and name not in ("image", "page-thumbnail")):
                yield from self._frame(element)

    def _paragraph(self, element: Element, depth: int, marker: str = "") -> Iterator[Block]:
        outer, self._behind = self._behind, []
        text = "".join(self._text(element))
        behind, self._behind = self._behind, outer
        if self._begins_page(element):
            yield PageBreak()
        if text.strip():
            if local(element) == "h":
                yield Heading(text=f"{marker} {text}".strip(), level=number(attribute(element, "outline-level"), 1))
            else:
                yield Paragraph(text=text, marker=marker, indent=depth)
        yield from behind

    def _begins_page(self, element: Element) -> bool:
        properties = child(self._styles.get(attribute(element, "style-name")), "paragraph-properties")
        return properties is not None and attribute(properties, "break-before") == "page"

    def _text(self, element: Element) -> Iterator[str]:
        """The text of a paragraph; what is anchored in it waits until it ends."""
        yield element.text or ""
        for part in element:
            name = local(part)
            if name == "s":
                yield " " * min(number(attribute(part, "c"), 1), MOST_SPACES)
            elif name in ("tab", "line-break"):
                yield {"tab": "\t", "line-break": "\n"}[name]
            elif name == "note":
                yield self._note(part)
            elif name == "annotation":
                text = " ".join("".join(self._text(p)) for p in descendants(part, "p"))
                author = "".join(one.text or "" for one in children(part, "creator"))
                self._behind.append(
                    Paragraph(text=text, marker=f"Comment by {author}:" if author else "Comment:", indent=1)
                )
            elif name == "frame" or part.prefix == "draw":
                self._behind += self._frame(part)
            elif name not in _LEFT_OUT:
                yield from self._text(part)
            yield part.tail or ""

    def _note(self, note: Element) -> str:
        mark = "[" + "".join(citation.text or "" for citation in children(note, "note-citation")).strip() + "]"
        text = " ".join("".join(self._text(p)) for p in descendants(child(note, "note-body"), "p"))
        self._notes.append(Paragraph(text=text, marker=mark))
        return mark

    def _list(self, element: Element, style: str, depth: int) -> Iterator[Block]:
        level = next((one for one in self._lists.get(style, ()) if attribute(one, "level") == str(depth + 1)), None)
        is_numbered = (
            level is not None and local(level) == "list-level-style-number" and attribute(level, "num-format") != ""
        )
        count = number(attribute(level, "start-value"), 1) if level is not None else 1
        for item in children(element, "list-item", "list-header"):
            marker = f"{count}." if is_numbered else BULLET
            for block in item:
                if local(block) == "list":
                    yield from self._list(block, attribute(block, "style-name") or style, depth + 1)
                elif local(block) in ("p", "h"):
                    is_heading = local(block) == "h" and not is_numbered
                    yield from self._paragraph(block, depth, "" if is_heading else marker)
                    marker = ""
            count += local(item) == "list-item"

    def _frame(self, frame: Element) -> Iterator[Block]:
        """A text box, a table, a picture: whichever the frame has first, others being replacements."""
        name = local(frame)
        if name == "g":
            for part in frame:
                yield from self._frame(part)
        elif name != "frame":
            yield from self.blocks(frame)  # a shape with text
        for part in frame if name == "frame" else ():
            if local(part) == "text-box":
                yield from self.blocks(part)
                return
            if local(part) == "table":
                yield self._table(part)
                return
            if local(part) == "object" and (chart := self._chart(part)) is not None:
                yield chart
                return
            if local(part) == "image" and (data := self._picture(part)):
                width, height = _points(attribute(frame, "width")), _points(attribute(frame, "height"))
                title = "".join(one.text or "" for one in children(frame, "title", "desc"))
                yield Figure(data=data, width=width, height=height, description=title if " " in title.strip() else "")
                return

    def _chart(self, part: Element) -> Table | None:
        """The table that a chart was drawn from; None for other embedded files."""
        name = attribute(part, "href").removeprefix("./")
        content = self._package.xml(f"{name}/content.xml") if self._package is not None and name else None
        tables = [table for chart in descendants(content, "chart") for table in children(chart, "table")]
        return self._table(tables[0]) if tables else None

    def _picture(self, image: Element) -> bytes:
        name = attribute(image, "href")
        return self._package.bytes(name.removeprefix("./")) if self._package is not None and name else b""

    def _table(self, table: Element) -> Table:
        rows: list[tuple[Cell, ...]] = []
        for row, is_header in _rows(table):
            cells = tuple(
                Cell(
                    text=self._cell_text(cell),
                    columns=max(number(attribute(cell, "number-columns-spanned"), 1), 1),
                    rows=max(number(attribute(cell, "number-rows-spanned"), 1), 1),
                    is_header=is_header,
                )
                for cell in children(row, "table-cell")
                for _ in range(_repeated(cell, "number-columns-repeated"))
            )
            rows += [cells] * (_repeated(row, "number-rows-repeated") if any(cell.text for cell in cells) else 1)
        return Table(rows=tuple(rows))

    def _cell_text(self, cell: Element) -> str:
        outer, self._behind = self._behind, []
        blocks = [block for block in self.blocks(cell) if isinstance(block, Paragraph | Heading | Table)]
        said: list[str] = []
        for block in blocks:
            if isinstance(block, Table):  # a table in a table: a line for each of its rows
                said += [", ".join(inner.text for inner in row if inner.text) for row in block.rows]
            else:
                marker = block.marker if isinstance(block, Paragraph) and len(blocks) > 1 else ""
                said.append(f"{marker} {block.text}".strip())
        self._behind = outer + [block for block in self._behind if isinstance(block, Figure)]
        return "\n".join(said)

    def _slide(self, page: Element) -> Iterator[Block]:
        """The title first, then the other shapes in their order, then the notes."""
        shapes = [element for element in page if local(element) not in ("notes", "forms", "animations")]
        for shape in sorted(shapes, key=lambda one: attribute(one, "class") not in ("title", "header")):
            blocks = list(self._frame(shape))
            if attribute(shape, "class") == "title":
                text = " ".join(block.text for block in blocks if isinstance(block, Paragraph | Heading))
                blocks = [Heading(text=text)] if text else []
            yield from blocks
        yield from self._take_behind()
        notes = [block for frame in children(child(page, "notes"), "frame") for block in self._frame(frame)]
        notes = [
            block for block in notes if isinstance(block, Paragraph) and block.text.strip() not in ("", "<number>")
        ]
        if notes:
            yield Heading(text="Notes", level=4)
            yield from notes

    def _sheets(self, book: Element) -> Iterator[Section]:
        cell_count = 0
        for table in children(book, "table"):
            sheet = self._sheet(table)
            cell_count += sum(map(len, sheet.cells.values()))
            if cell_count > MOST_CELLS:
                raise too_many_cells(self._name)
            if blocks := (*sheet.blocks(), *self._take_behind()):
                yield Section(label=f"Sheet '{attribute(table, 'name')}'", blocks=blocks)

    def _sheet(self, table: Element) -> Sheet:
        sheet = Sheet()
        place = 0
        for row, _ in _rows(table):
            repeated = max(number(attribute(row, "number-rows-repeated"), 1), 1)
            cells: dict[int, str] = {}
            column = 0
            for cell in children(row, "table-cell", "covered-table-cell"):
                again = max(number(attribute(cell, "number-columns-repeated"), 1), 1)
                if text := self._cell_text(cell).strip() if len(cell) else "":
                    cells.update(dict.fromkeys(range(column, column + min(again, MOST_REPEATED)), text))
                    spans = tuple(number(attribute(cell, f"number-{way}-spanned"), 1) for way in ("rows", "columns"))
                    if spans != (1, 1):
                        sheet.merged[place, column] = (spans[0], spans[1])
                column += again
            if cells:
                sheet.cells.update({place + step: cells for step in range(min(repeated, MOST_REPEATED))})
            place += repeated
        return sheet

    def _take_behind(self) -> Iterator[Block]:
        behind, self._behind = self._behind, []
        yield from behind

    def _take_notes(self) -> Iterator[Block]:
        notes, self._notes = self._notes, []
        yield from notes


def _rows(table: Element) -> Iterator[tuple[Element, bool]]:
    """The rows, those in groups too, and whether each is marked as a header."""
    for element in table:
        name = local(element)
        if name == "table-row":
            yield element, False
        elif name == "table-header-rows":
            yield from ((row, True) for row in children(element, "table-row"))
        elif name in ("table-rows", "table-row-group"):
            yield from _rows(element)


def _repeated(element: Element, name: str) -> int:
    return min(max(number(attribute(element, name), 1), 1), MOST_REPEATED)


def _points(length: str) -> float | None:
    """A length such as 17cm in points."""
    for unit, points in _POINTS.items():
        if length.endswith(unit):
            try:
                return float(length.removesuffix(unit)) * points
            except ValueError:
                return None
    return None
