"""What drawings in office files hold beside their text: pictures, charts as tables, and the words of diagrams."""

from collections.abc import Iterator

from app.documents.flow.blocks import Block, Cell, Figure, Paragraph, Table
from app.documents.office.package import Element, Package, attribute, child, descendants, local, number

POINTS_PER_EMU = 1 / 12_700
MOST_POINTS = 100_000


class Drawings:
    """Pictures, charts and diagrams that one part of an office file refers to."""

    def __init__(self, package: Package, part: str) -> None:
        self._package = package
        self._relations = package.relations(part)

    def blocks(self, drawing: Element) -> Iterator[Block]:
        """What stands in a drawing, its own text boxes apart."""
        for element in shown_parts(drawing):
            name = local(element)
            if name == "chart" and (target := self._target(element, "id")):
                yield from chart_blocks(self._package.xml(target))
            elif name == "relIds" and (target := self._target(element, "dm")):
                yield from diagram_blocks(self._package.xml(target))
            elif name in ("blip", "imagedata"):
                target = self._target(element, "embed") or self._target(element, "id")
                if data := self._package.bytes(target):
                    width, height = _size(drawing)
                    yield Figure(data=data, width=width, height=height, description=_description(drawing))

    def _target(self, element: Element, name: str) -> str:
        return self._relations.get(attribute(element, name), ("", ""))[1]


def shown_parts(drawing: Element) -> Iterator[Element]:
    """The parts of a drawing down to its text boxes, without what repeats them for older programs."""
    for element in drawing:
        name = local(element)
        if name != "Fallback":
            yield element
            if name != "txbxContent":
                yield from shown_parts(element)


def chart_blocks(root: Element | None) -> Iterator[Block]:
    """A chart as the table that it was drawn from: a row for each category, a column for each series."""
    title = child(root, "chart", "title")
    caption = "".join(text.text or "" for text in descendants(title, "t"))
    columns: dict[str, dict[int, str]] = {}
    categories: dict[int, str] = {}
    for index, series in enumerate(descendants(root, "ser"), start=1):
        name = " ".join(_points(child(series, "tx")).values()) or f"Series {index}"
        categories = _points(child(series, "cat")) or _points(child(series, "xVal")) or categories
        columns[name] = _points(child(series, "val")) or _points(child(series, "yVal"))
    places = sorted({place for values in columns.values() for place in values} | set(categories))
    rows = [
        [categories.get(place, str(place + 1)), *(values.get(place, "") for values in columns.values())]
        for place in places
    ]
    if rows:
        header = tuple(Cell(text=name, is_header=True) for name in ("", *columns))
        yield Table(rows=(header, *(tuple(Cell(text=text) for text in row) for row in rows)), caption=caption)
    elif caption:
        yield Paragraph(text=caption)


def diagram_blocks(root: Element | None) -> Iterator[Block]:
    """The words of a diagram (SmartArt), a paragraph for each shape."""
    for point in descendants(root, "pt"):
        text = "\n".join(
            "".join(t.text or "" for t in descendants(p, "t")) for p in descendants(child(point, "t"), "p")
        )
        if text.strip():
            yield Paragraph(text=text, marker="•")


def _points(data: Element | None) -> dict[int, str]:
    """The values that a chart keeps of its sheet, by their place."""
    points = {number(attribute(point, "idx")): point for point in descendants(data, "pt")}
    found = {place: _rounded(child(point, "v")) for place, point in points.items()}
    direct = child(data, "v")
    return found or ({0: _rounded(direct)} if direct is not None else {})


def _rounded(value: Element | None) -> str:
    """A value as text; numbers without the last binary digits, which nobody entered."""
    text = (value.text or "") if value is not None else ""
    try:
        return f"{float(text):.12g}" if "." in text else text
    except ValueError:
        return text


def _size(drawing: Element) -> tuple[float | None, float | None]:
    extent = next(
        (one for name in ("extent", "ext") for one in descendants(drawing, name) if attribute(one, "cx")), None
    )
    if extent is None:
        return None, None
    width, height = (number(attribute(extent, name)) * POINTS_PER_EMU for name in ("cx", "cy"))
    return (width, height) if 0 < width < MOST_POINTS and 0 < height < MOST_POINTS else (None, None)


def _description(drawing: Element) -> str:
    """What the author wrote of a picture for those who cannot see it."""
    for name in ("docPr", "cNvPr"):
        for properties in descendants(drawing, name):
            text = attribute(properties, "descr").strip()
            if " " in text:  # not just "Picture"
                return text
    return ""
