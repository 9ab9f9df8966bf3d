"""Web pages -> blocks of a flowing document: what is hidden or serves the program is left out, nothing is fetched."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from itertools import chain, groupby
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes

from lxml import etree

from app.documents.flow.blocks import Block, Cell, Figure, Heading, Paragraph, Preformatted, Section, Table

Element = Any

MOST_DEPTH = 200  # of elements in each other; deeper ones are read as one text
MOST_SPAN = 200
LONGEST_CELL = 1_500  # characters; a table with more in a cell arranges the page
BULLETS = "•"
_UNSEEN = {
    "script", "style", "template", "noscript", "head", "svg", "canvas", "iframe", "object", "audio", "video", "select",
    "datalist", "dialog", "nav", "map",
}  # fmt: skip
_INLINE = {
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "label", "mark", "output", "q", "rp", "rt", "ruby", "s", "samp", "small", "span", "strike", "strong", "sub",
    "sup", "time", "tt", "u", "var", "wbr", "img", "br", "input", "button", "math", "meter", "progress", "picture",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_INVISIBLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|font-size\s*:\s*0(?![.\d])", re.I)
_RULE = re.compile(r"([^{}@;]+)\{([^{}]*)\}")
_SIMPLE = re.compile(r"\s*([.#][\w-]+)\s*")
_AT_RULE = re.compile(r"@[^{;]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}|@[^{;]*;|/\*.*?\*/", re.S)
_DATA = re.compile(r"data:image/[\w.+-]+(;base64)?,", re.I)
_SPACE = re.compile(r"[ \t\r\n\f]+")


def web_sections(text: str, resources: Mapping[str, bytes] = MappingProxyType({})) -> list[Section]:
    """A page as one section. resources: pictures that were saved with it, by their address."""
    return [Section(blocks=web_blocks(text, resources))]


def web_blocks(text: str, resources: Mapping[str, bytes] = MappingProxyType({})) -> tuple[Block, ...]:
    """The blocks of a page; its title comes first where it has no main heading."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    if root is None:
        return ()
    blocks = tuple(_Reader(root, resources).blocks())
    title = _flat("".join(text for one in root.iter("title") for text in one.itertext()))
    has_main = any(isinstance(block, Heading) and block.level == 1 for block in blocks)
    return blocks if has_main or not title or not blocks else (Heading(text=title), *blocks)


class _Reader:
    """Walks through a page. Inline text gathers until a block begins or ends."""

    def __init__(self, root: Element, resources: Mapping[str, bytes]) -> None:
        self._root = root
        self._resources = resources
        self._hidden = set(_hidden_names(root))
        self._gathered: list[str] = []
        self._figures: list[Block] = []

    def blocks(self) -> Iterator[Block]:
        """All blocks of the page."""
        body = _first(self._root, "body")
        yield from self._inside(body if body is not None else self._root, "", 0, 0)
        yield from self._end("", 0)

    def _inside(self, element: Element, marker: str, indent: int, depth: int) -> Iterator[Block]:
        """The content of a block; the marker goes to its first paragraph."""
        self._gathered.append(element.text or "")
        for child in element:
            for block in self._element(child, marker, indent, depth + 1):
                if isinstance(block, Paragraph) and block.marker == marker:
                    marker = ""
                yield block
            self._gathered.append(child.tail or "")
        yield from self._end(marker, indent)

    def _element(self, element: Element, marker: str, indent: int, depth: int) -> Iterator[Block]:
        name = _name(element)
        if not name or name in _UNSEEN or self._is_hidden(element):
            return
        if depth > MOST_DEPTH:
            self._gathered.append(" ".join(element.itertext()))
        elif name in _INLINE:
            yield from self._inline(element, name, marker, indent, depth)
        else:
            yield from self._end(marker, indent)
            yield from self._block(element, name, indent, depth)

    def _inline(self, element: Element, name: str, marker: str, indent: int, depth: int) -> Iterator[Block]:
        if name == "br":
            self._gathered.append("\v")
        elif name == "img":
            self._picture(element)
        elif name == "input":
            self._gathered.append(_input(element))
        elif name == "sup" and self._follows_digit() and _flat("".join(element.itertext())).isdigit():
            self._gathered.append(f" [{_flat(''.join(element.itertext()))}]")  # a note's number is not the amount's
        elif name not in ("rp", "rt"):
            self._gathered.append(element.text or "")
            for child in element:
                yield from self._element(child, marker, indent, depth + 1)
                self._gathered.append(child.tail or "")

    def _block(self, element: Element, name: str, indent: int, depth: int) -> Iterator[Block]:
        if name in _HEADINGS:
            text = _flat(self._text(element, depth))
            if text:
                yield Heading(text=text, level=_HEADINGS[name])
        elif name in ("pre", "textarea", "listing", "xmp"):
            if (text := "".join(element.itertext()).strip("\n")).strip():
                yield Preformatted(text=text)
        elif name in ("ul", "ol", "menu", "dir"):
            yield from self._list(element, name, indent, depth)
        elif name == "table":
            yield from self._table(element, indent, depth)
        else:
            deeper = indent + 1 if name in ("blockquote", "dd") else indent
            yield from self._inside(element, "", deeper, depth)
        yield from self._take_figures()

    def _list(self, element: Element, name: str, indent: int, depth: int) -> Iterator[Block]:
        count = _number(element.get("start"), 1)
        for child in element:
            if _name(child) == "li" and not self._is_hidden(child):
                count = _number(child.get("value"), count)
                yield from self._inside(child, f"{count}." if name == "ol" else BULLETS, indent, depth + 1)
                count += 1
            else:
                yield from self._element(child, "", indent + 1, depth + 1)

    def _table(self, element: Element, indent: int, depth: int) -> Iterator[Block]:
        """Rows of values as a table; rows that only put parts of the page side by side as what is in them."""
        caption = next((self._text(one, depth) for one in element if _name(one) == "caption"), "")
        rows = [
            [cell for cell in row if _name(cell) in ("td", "th") and not self._is_hidden(cell)]
            for row in _rows(element)
            if not self._is_hidden(row)
        ]
        is_layout = element.get("role") == "presentation" or max(map(len, rows), default=0) < 2 or len(rows) < 2
        for arranges, group in groupby(rows, key=lambda row: is_layout or _arranges_page(row)):
            if arranges:
                for cell in chain.from_iterable(group):
                    yield from self._inside(cell, "", indent, depth + 1)
                continue
            table = Table(
                rows=tuple(tuple(self._cell(cell, depth) for cell in row) for row in group), caption=_flat(caption)
            )
            caption = ""
            if any(cell.text for row in table.rows for cell in row):
                yield table

    def _cell(self, cell: Element, depth: int) -> Cell:
        return Cell(
            text=self._text(cell, depth),
            columns=min(max(_number(cell.get("colspan"), 1), 1), MOST_SPAN),
            rows=min(max(_number(cell.get("rowspan"), 1), 1), MOST_SPAN),
            is_header=_name(cell) == "th",
        )

    def _text(self, element: Element, depth: int) -> str:
        """The text of an element whose blocks are lines."""
        outer, self._gathered = self._gathered, []
        blocks = list(self._inside(element, "", 0, depth + 1))
        self._gathered = outer
        return "\n".join(
            f"{block.marker} {block.text}".strip() if isinstance(block, Paragraph) else block.text
            for block in blocks
            if isinstance(block, Paragraph | Heading | Preformatted)
        )

    def _end(self, marker: str, indent: int) -> Iterator[Block]:
        """The paragraph that has gathered, and the pictures in it."""
        text = _SPACE.sub(" ", "".join(self._gathered))
        self._gathered = []
        lines = [line.strip() for line in text.split("\v")]
        if text := "\n".join(line for line in lines if line):
            yield Paragraph(text=text, marker=marker, indent=indent)
        yield from self._take_figures()

    def _take_figures(self) -> Iterator[Block]:
        figures, self._figures = self._figures, []
        yield from figures

    def _picture(self, image: Element) -> None:
        address, description = image.get("src", ""), _flat(image.get("alt", ""))
        data = _embedded(address) or self._resources.get(address, b"")
        if data:
            self._figures.append(Figure(data=data, description=description if " " in description else ""))
        elif " " in description:
            self._gathered.append(f" [{description}] ")

    def _follows_digit(self) -> bool:
        before = next((text for text in reversed(self._gathered) if text), "")
        return before[-1:].isdigit()

    def _is_hidden(self, element: Element) -> bool:
        if (
            element.get("hidden") is not None
            or element.get("aria-hidden") == "true"
            or element.get("role") == "navigation"
        ):
            return True
        if _INVISIBLE.search(element.get("style", "")):
            return True
        names = [f".{name}" for name in element.get("class", "").split()] + [f"#{element.get('id', '')}"]
        return not self._hidden.isdisjoint(names)


def _hidden_names(root: Element) -> Iterator[str]:
    """The classes and ids that the page's own style sheets hide on every screen."""
    for style in root.iter("style"):
        for selectors, rule in _RULE.findall(_AT_RULE.sub("", style.text or "")):
            if _INVISIBLE.search(rule):
                yield from (match[1] for one in selectors.split(",") if (match := _SIMPLE.fullmatch(one)))


def _rows(table: Element) -> Iterator[Element]:
    for child in table:
        if _name(child) == "tr":
            yield child
        elif _name(child) in ("thead", "tbody", "tfoot"):
            yield from (row for row in child if _name(row) == "tr")


def _arranges_page(row: list[Element]) -> bool:
    """Whether a row of a table holds parts of the page, and not values."""
    return any(_name(part) in ("table", "h1", "h2", "h3", "form") for cell in row for part in cell.iter()) or any(
        len("".join(cell.itertext())) > LONGEST_CELL for cell in row
    )


def _input(element: Element) -> str:
    kind = element.get("type", "text").lower()
    if kind in ("checkbox", "radio"):
        return " ☑ " if element.get("checked") is not None else " ☐ "
    return f" {element.get('value', '')} " if kind in ("text", "number", "date", "email", "tel", "url") else ""


def _embedded(address: str) -> bytes:
    """The bytes of a picture that is written out in its address."""
    match = _DATA.match(address)
    if match is None:
        return b""
    data = unquote_to_bytes(address[match.end() :])
    try:
        return base64.b64decode(data) if match[1] else data
    except (binascii.Error, ValueError):
        return b""


def _first(root: Element, name: str) -> Element | None:
    return next(root.iter(name), None)


def _name(element: Element) -> str:
    tag = element.tag
    return tag.rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _flat(text: str) -> str:
    return " ".join(text.split())


def _number(text: str | None, default: int) -> int:
    try:
        return int(text or "")
    except ValueError:
        return default
