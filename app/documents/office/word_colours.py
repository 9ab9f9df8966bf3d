"""Text in Word files that no reader sees: white on the white page, or type too small to be read.

On a page the picture tells what is hidden; a Word file has none, so its own formatting has to.
"""

from collections.abc import Iterator

from app.documents.office.package import Element, attribute, child, number

HIDDEN, SHOWN = "\x0e", "\x0f"  # around unseen text while a paragraph is put together: XML cannot hold these
NEARLY_WHITE = 0xF0  # of each part of a colour
SMALLEST_TYPE = 4  # half points


def is_unseen(run: Element, paragraph: Element | None) -> bool:
    """Whether a run's own formatting hides it; on a shaded ground nothing is said of its colour."""
    properties = child(run, "rPr")
    size = child(properties, "sz")
    if size is not None and 0 < number(attribute(size, "val")) < SMALLEST_TYPE:
        return True
    shaded = (
        child(properties, "shd") is not None
        or child(properties, "highlight") is not None
        or child(paragraph, "pPr", "shd") is not None
    )
    colour = child(properties, "color")
    return not shaded and colour is not None and is_white(attribute(colour, "val"))


def is_white(colour: str) -> bool:
    """Whether a colour of six hexadecimal digits is white, or nearly so."""
    try:
        parts = bytes.fromhex(colour)
    except ValueError:  # "auto"
        return False
    return len(parts) == 3 and min(parts) >= NEARLY_WHITE


def by_visibility(text: str) -> Iterator[tuple[str, bool]]:
    """The stretches of a paragraph's text, and whether each is hidden; white space alone hides nothing."""
    for index, part in enumerate(text.split(HIDDEN)):
        hidden, _, shown = part.partition(SHOWN) if index else ("", "", part)
        for stretch, is_hidden in ((hidden, True), (shown, False)):
            if stretch.strip():
                yield stretch, is_hidden


def without_marks(text: str) -> str:
    """The text as it is where nothing is said of what is hidden: in cells and text boxes, which may be coloured."""
    return text.replace(HIDDEN, "").replace(SHOWN, "")
