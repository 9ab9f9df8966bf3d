"""Text on slides that no reader sees: white on the white slide, or type too small to be read.

What stands on a ground of another colour is seen: a filled shape, a picture, or whatever lies where the text does.
"""

from collections.abc import Iterator, Sequence

from app.documents.geometry import overlaps
from app.documents.office.package import Element, attribute, child, children, descendants, local, number
from app.documents.office.word_colours import is_white

SMALLEST_TYPE = 200  # hundredths of a point
PLAIN_GROUND = "1001"  # the theme's first background: one colour, that of the reference
_FILLS = ("solidFill", "gradFill", "pattFill", "blipFill", "grpFill")

Box = tuple[int, int, int, int]  # left, top, right, bottom in EMU


class SlideColours:
    """The grounds of a slide. roots: the slide, its layout and its master; theme: that of the master."""

    def __init__(self, roots: Sequence[Element | None], theme: Element | None) -> None:
        self._map = child(roots[-1], "clrMap") if roots else None
        self._scheme = next(descendants(theme, "clrScheme"), None)
        self._is_white = self._has_white_ground(roots)
        self._grounds = [ground for root in roots for ground in _grounds(root)]

    def is_unseen(self, run: Element, shape: Element) -> bool:
        """Whether a run of a shape's text is too small, or white on white."""
        properties = child(run, "rPr")
        if properties is None:
            return False
        if 0 < number(attribute(properties, "sz")) < SMALLEST_TYPE:
            return True
        colour = child(properties, "solidFill")
        if not self._is_white or colour is None or child(properties, "highlight") is not None:
            return False
        return self._is_white_colour(colour) and not _is_filled(shape) and not self._lies_on_ground(shape)

    def _has_white_ground(self, roots: Sequence[Element | None]) -> bool:
        for root in roots:
            ground = child(root, "cSld", "bg")
            if ground is None:
                continue
            reference = child(ground, "bgRef")
            if reference is not None:
                return attribute(reference, "idx") == PLAIN_GROUND and self._is_white_colour(reference)
            fill = child(ground, "bgPr", "solidFill")
            return fill is not None and self._is_white_colour(fill)
        return True

    def _is_white_colour(self, holder: Element) -> bool:
        """Whether the colour within an element is white, as the theme says; shades of one are not told."""
        for colour in holder:
            name = local(colour)
            if len(colour) or name not in ("srgbClr", "sysClr", "schemeClr"):
                return False
            if name == "schemeClr":
                slot = attribute(colour, "val")
                slot = attribute(self._map, slot, slot) if self._map is not None else slot
                named = child(self._scheme, slot)
                return named is not None and named is not holder and self._is_white_colour(named)
            return is_white(attribute(colour, "lastClr") or attribute(colour, "val"))
        return False

    def _lies_on_ground(self, shape: Element) -> bool:
        """Whether a picture or a filled shape lies where a shape does; of one without a place any could."""
        own = _box(shape)
        others = [box for element, box in self._grounds if element is not shape]
        return any(own is None or box is None or overlaps(own, box) for box in others)


def _grounds(root: Element | None) -> Iterator[tuple[Element, Box | None]]:
    """What has a colour of its own on a slide: pictures, tables, charts, filled shapes."""
    for name in ("pic", "graphicFrame", "sp"):
        for element in descendants(child(root, "cSld", "spTree"), name):
            if name != "sp" or _is_filled(element):
                yield element, _box(element)


def _is_filled(shape: Element) -> bool:
    properties = child(shape, "spPr")
    if any(local(part) in _FILLS for part in (properties if properties is not None else ())):
        return True
    reference = child(shape, "style", "fillRef")
    bare = child(properties, "noFill") is not None or reference is None
    return not bare and attribute(reference, "idx") not in ("", "0")


def _box(element: Element) -> Box | None:
    transform = next(descendants(element, "xfrm"), None)
    start, size = next(children(transform, "off"), None), next(children(transform, "ext"), None)
    if start is None or size is None:
        return None
    left, top = number(attribute(start, "x")), number(attribute(start, "y"))
    return left, top, left + number(attribute(size, "cx")), top + number(attribute(size, "cy"))
