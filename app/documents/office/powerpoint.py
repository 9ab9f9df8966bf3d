"""PowerPoint files (.pptx): a slide is a page, with its tables, charts, diagrams, notes and comments."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from app.documents.flow.blocks import Block, Cell, Heading, Paragraph, Section, Table
from app.documents.office.drawings import Drawings
from app.documents.office.math_text import math_text
from app.documents.office.package import (
    Element,
    Package,
    attribute,
    child,
    children,
    descendants,
    local,
    number,
    resolved,
)
from app.documents.office.slide_colours import SlideColours
from app.documents.office.word_colours import HIDDEN, SHOWN, by_visibility
from app.documents.office.word_styles import BULLET

ROW = 400_000  # EMU (1.1 cm): shapes whose tops differ by less stand in one row
TITLES = ("title", "ctrTitle")
BODIES = ("body", "obj", "")  # kinds of placeholders whose paragraphs are items of a list
_NOT_CONTENT = ("dt", "ftr", "sldNum", "sldImg", "hdr")


def powerpoint_sections(package: Package) -> list[Section]:
    """A section for each slide, in the order of the show."""
    part = package.main_part("ppt/presentation.xml")
    relations = package.relations(part)
    slides = [relations.get(_id(slide), ("", ""))[1] for slide in descendants(package.xml(part), "sldId")]
    return [
        Section(label=f"Slide {number}", blocks=tuple(_Slide(package, slide).blocks()), is_one_page=True)
        for number, slide in enumerate(slides, start=1)
        if package.xml(slide) is not None
    ]


def _id(slide: Element) -> str:
    """The id of a slide's relation: the attribute with a namespace, beside the slide's own id."""
    return next((str(value) for key, value in slide.attrib.items() if key.endswith("}id")), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """A shape with where its top left corner stands, in EMU; placeholder: its kind, None for a shape of its own."""

    element: Element
    top: int
    left: int
    placeholder: str | None


class _Slide:
    def __init__(self, package: Package, part: str) -> None:
        self._package = package
        self._part = part
        self._drawings = Drawings(package, part)
        layout = next(package.related(part, "slideLayout"), "")
        master = next(package.related(layout, "slideMaster"), "") if layout else ""
        theme = next(package.related(master, "theme"), "") if master else ""
        roots = [package.xml(one) for one in (part, layout, master) if one]
        self._colours = SlideColours(roots, package.xml(theme) if theme else None)
        self._above = [package.xml(one) for one in (layout, master) if one]  # where placeholders get their places from

    def blocks(self) -> Iterator[Block]:
        """What is on the slide, from top to bottom, and what the speaker and others noted on it."""
        root = self._package.xml(self._part)
        if root is not None and attribute(root, "show", "1") in ("0", "false"):
            yield Paragraph(text="(This slide is hidden in the show.)")
        yield from self._tree(child(root, "cSld", "spTree"))
        yield from self._notes()
        for part in self._package.related(self._part, "comments"):
            yield from _comments(self._package.xml(part))

    def _tree(self, tree: Element | None) -> Iterator[Block]:
        shapes = [self._shape(element) for element in resolved(tree)]
        for shape in sorted(shapes, key=lambda one: (one.placeholder not in TITLES, one.top // ROW, one.left)):
            yield from self._content(shape)

    def _content(self, shape: _Shape) -> Iterator[Block]:
        name = local(shape.element)
        if name == "grpSp":
            yield from self._tree(shape.element)
        elif name == "sp" and shape.placeholder not in _NOT_CONTENT:
            body = child(shape.element, "txBody")
            is_unseen = partial(self._colours.is_unseen, shape=shape.element)
            if shape.placeholder in TITLES:
                paragraphs = list(_paragraphs(body, is_unseen, bullets=False))
                yield Heading(text=" ".join(paragraph.text for paragraph in paragraphs if not paragraph.is_hidden))
                yield from (paragraph for paragraph in paragraphs if paragraph.is_hidden)
            else:
                yield from _paragraphs(body, is_unseen, bullets=shape.placeholder in BODIES)
            yield from self._drawings.blocks(shape.element)  # a picture that fills the shape
        elif name == "graphicFrame":
            for table in descendants(shape.element, "tbl"):
                yield _table(table)
            yield from self._drawings.blocks(shape.element)
        elif name == "pic":
            yield from self._drawings.blocks(shape.element)

    def _shape(self, element: Element) -> _Shape:
        mark = next((one for one in descendants(element, "ph")), None) if local(element) != "grpSp" else None
        kind = attribute(mark, "type") if mark is not None else None
        place = _place(element)
        if place is None and mark is not None:
            place = self._inherited(kind or "", attribute(mark, "idx"))
        top, left = place or (0, 0)
        return _Shape(element=element, top=top, left=left, placeholder=kind)

    def _inherited(self, kind: str, index: str) -> tuple[int, int] | None:
        """Where the layout, else the master, puts a placeholder."""
        for root in self._above:
            for shape in descendants(root, "sp"):
                mark = next(descendants(shape, "ph"), None)
                if mark is None:
                    continue
                is_same = attribute(mark, "idx") == index if index else attribute(mark, "type") == kind
                if is_same and (place := _place(shape)) is not None:
                    return place
        return None

    def _notes(self) -> Iterator[Block]:
        for part in self._package.related(self._part, "notesSlide"):
            tree = child(self._package.xml(part), "cSld", "spTree")
            said = [
                paragraph
                for shape in children(tree, "sp")
                if attribute(next(descendants(shape, "ph"), shape), "type") not in _NOT_CONTENT
                for paragraph in _paragraphs(child(shape, "txBody"), bullets=False)
            ]
            if said:
                yield Heading(text="Notes", level=4)
                yield from said


def _place(element: Element) -> tuple[int, int] | None:
    """Top and left of a shape that says where it stands."""
    transform = next((one for one in descendants(element, "xfrm")), None)
    offset = child(transform, "off")
    return (number(attribute(offset, "y")), number(attribute(offset, "x"))) if offset is not None else None


def _paragraphs(
    body: Element | None, is_unseen: Callable[[Element], bool] | None = None, *, bullets: bool
) -> Iterator[Paragraph]:
    """The paragraphs of a text body that hold text; `bullets`: they are items of a list unless they say otherwise.

    is_unseen: whether a run of text is hidden by its colour or size, where that can be told; it becomes a paragraph of
    its own.
    """
    counts: dict[int, int] = {}
    for paragraph in children(body, "p"):
        text = "".join(_text(paragraph, is_unseen))
        properties = child(paragraph, "pPr")
        level = number(attribute(properties, "lvl")) if properties is not None else 0
        marker = BULLET if bullets else ""
        if child(properties, "buNone") is not None:
            marker = ""
        elif child(properties, "buChar") is not None:
            marker = BULLET
        elif (automatic := child(properties, "buAutoNum")) is not None:
            counts[level] = counts.get(level, number(attribute(automatic, "startAt"), 1) - 1) + 1
            marker = f"{counts[level]}."
        for stretch, is_hidden in by_visibility(text):
            yield Paragraph(text=stretch, marker=marker, indent=level, is_hidden=is_hidden)
            marker = ""


def _text(paragraph: Element, is_unseen: Callable[[Element], bool] | None) -> Iterator[str]:
    for element in resolved(paragraph):
        name = local(element)
        if name in ("r", "fld"):
            text = "".join(text.text or "" for text in children(element, "t"))
            yield f"{HIDDEN}{text}{SHOWN}" if is_unseen is not None and is_unseen(element) else text
        elif name == "br":
            yield "\n"
        elif name in ("m", "oMath", "oMathPara"):
            yield math_text(element)


def _table(table: Element) -> Table:
    has_header = (
        attribute(child(table, "tblPr"), "firstRow") in ("1", "true") if child(table, "tblPr") is not None else False
    )
    rows = []
    for index, row in enumerate(children(table, "tr")):
        cells = [cell for cell in children(row, "tc") if not _is_covered(cell)]
        rows.append(tuple(_cell(cell, is_header=has_header and index == 0) for cell in cells))
    return Table(rows=tuple(rows))


def _is_covered(cell: Element) -> bool:
    return any(attribute(cell, name) in ("1", "true") for name in ("hMerge", "vMerge"))


def _cell(cell: Element, *, is_header: bool) -> Cell:
    return Cell(
        text="\n".join(paragraph.text for paragraph in _paragraphs(child(cell, "txBody"), bullets=False)),
        columns=max(number(attribute(cell, "gridSpan"), 1), 1),
        rows=max(number(attribute(cell, "rowSpan"), 1), 1),
        is_header=is_header,
    )


def _comments(root: Element | None) -> Iterator[Block]:
    for comment in descendants(root, "cm"):
        texts: Iterable[str] = [text.text or "" for name in ("text", "t") for text in descendants(comment, name)]
        if text := " ".join(texts).strip():
            yield Paragraph(text=text, marker="Comment:", indent=1)
