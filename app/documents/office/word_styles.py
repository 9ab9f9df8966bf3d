"""What a paragraph of a Word file takes from its style and its list: whether it is a heading, and its number."""

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Self

from app.documents.office.package import Element, attribute, child, children, number

_HEADING = re.compile(r"heading (\d)", re.I)
_PLACE = re.compile(r"%(\d)")
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
BULLET = "•"
MOST_STYLES_ABOVE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A paragraph's level as a heading (None: it is none), its list and level in it, and whether it is hidden."""

    heading: int | None = None
    list_id: str = ""
    list_level: int = 0
    is_hidden: bool = False


class Styles:
    """The styles of a file, by id; a style has what the one that it is based on has."""

    def __init__(self, root: Element | None) -> None:
        self._elements = {attribute(style, "styleId"): style for style in children(root, "style")}

    def of(self, paragraph: Element) -> Style:
        """What holds for a paragraph: its own properties before those of its style."""
        own = child(paragraph, "pPr")
        chain = [own] if own is not None else []
        names = []
        style_id = attribute(style, "val") if (style := child(own, "pStyle")) is not None else ""
        for _ in range(MOST_STYLES_ABOVE):
            style = self._elements.get(style_id)
            if style is None:
                break
            chain += [part for part in (child(style, "pPr"), child(style, "rPr")) if part is not None]
            names.append(_value(style, "name"))
            style_id = _value(style, "basedOn")
        return Style(
            heading=_heading(chain, names),
            list_id=_first(chain, "numPr", "numId"),
            list_level=number(_first(chain, "numPr", "ilvl")),
            is_hidden=any(is_on(part, "vanish") for part in chain[own is not None :]),
        )


class Numbering:
    """Counts the items of each list while the paragraphs go by."""

    def __init__(self, root: Element | None) -> None:
        abstract = {attribute(one, "abstractNumId"): one for one in children(root, "abstractNum")}
        self._levels: dict[str, dict[int, _Level]] = {}
        self._counter: dict[str, str] = {}
        for one in children(root, "num"):
            list_id, base = attribute(one, "numId"), _value(one, "abstractNumId")
            levels = {level.depth: level for level in map(_Level.of, children(abstract.get(base), "lvl"))}
            overrides = {number(attribute(change, "ilvl")): change for change in children(one, "lvlOverride")}
            for depth, change in overrides.items():
                if (level := child(change, "lvl")) is not None:
                    levels[depth] = _Level.of(level)
            self._levels[list_id] = levels
            self._counter[list_id] = (
                list_id if any(child(o, "startOverride") is not None for o in overrides.values()) else base
            )
        self._counts: dict[str, dict[int, int]] = defaultdict(dict)

    def next_marker(self, list_id: str, depth: int) -> str:
        """The number or bullet of the next item; empty where the list gives none."""
        levels = self._levels.get(list_id, {})
        level = levels.get(depth)
        if level is None:
            return ""
        counts = self._counts[self._counter[list_id]]
        counts[depth] = counts.get(depth, level.start - 1) + 1
        for deeper in [one for one in counts if one > depth]:
            del counts[deeper]
        if level.form == "bullet":
            return BULLET
        if level.form == "none":
            return ""
        return _PLACE.sub(lambda place: _counted(counts, levels, int(place[1]) - 1), level.text).strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Level:
    depth: int
    form: str
    text: str
    start: int

    @classmethod
    def of(cls, element: Element) -> Self:
        return cls(
            depth=number(attribute(element, "ilvl")),
            form=_value(element, "numFmt") or "decimal",
            text=_value(element, "lvlText"),
            start=number(_value(element, "start"), 1),
        )


def is_on(element: Element | None, name: str) -> bool:
    """Whether a switch such as `vanish` is set in an element's properties."""
    switch = child(element, name)
    return switch is not None and attribute(switch, "val", "true") not in ("false", "0", "off")


def _counted(counts: dict[int, int], levels: dict[int, _Level], depth: int) -> str:
    level = levels.get(depth)
    count = counts.get(depth, level.start if level is not None else 1)
    form = level.form if level is not None else "decimal"
    if form in ("lowerLetter", "upperLetter"):
        text = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 % 9 + 1)
    elif form in ("lowerRoman", "upperRoman"):
        text = _roman(count)
    elif form == "decimalZero":
        text = f"{count:02}"
    else:
        text = str(count)
    return text.upper() if form.startswith("upper") else text


def _roman(count: int) -> str:
    text, rest = "", max(min(count, 5_000), 0)
    for value, letters in _ROMAN:
        text += letters * (rest // value)
        rest %= value
    return text


def _heading(chain: list[Element], names: list[str]) -> int | None:
    level = _first(chain, "outlineLvl")
    if level:
        return number(level, 9) + 1 if number(level, 9) < 9 else None
    for name in names:
        if match := _HEADING.match(name):
            return int(match[1])
        if name.lower() == "title":
            return 1
    return None


def _first(chain: list[Element], *names: str) -> str:
    """The value of the first properties that give it."""
    return next((attribute(found, "val") for part in chain if (found := child(part, *names)) is not None), "")


def _value(element: Element, name: str) -> str:
    found = child(element, name)
    return attribute(found, "val") if found is not None else ""
