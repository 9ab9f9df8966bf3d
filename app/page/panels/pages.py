"""The middle: one page of a document, the evidence drawn on it, and small neighbours to jump to."""

from collections.abc import Sequence
from html import escape

from app.sessions.session import Loaded
from model.types import Box, Evidence, Page

PAGE_WIDTH = 1100
SMALL_WIDTH = 110
NEIGHBOURS = 3  # small pages on each side: a long document is never rendered all at once


def empty_pages() -> str:
    return (
        '<div class="empty"><p class="headline">Nothing here yet.</p>'
        "<p>The pages of your documents appear here,<br>with the places that an answer comes from.</p></div>"
    )


def problem(message: str) -> str:
    return f'<div class="empty"><p class="problem" role="alert">{escape(message)}</p></div>'


def pages(loaded: Loaded, number: int, evidence: Sequence[Evidence]) -> str:
    """This page of the document, with the places of this evidence marked."""
    document = loaded.encoded.document
    numbers = [page.number for page in document.pages]
    page = min(document.pages, key=lambda candidate: abs(candidate.number - number))
    marks = "".join(_mark(box) for box in marked_boxes(page, evidence))
    alternative = escape(f"Page {page.number} of {document.name}")
    return (
        f'<figure class="pages" tabindex="0" data-keys aria-label="{alternative}">{_bar(loaded, numbers, page.number)}'
        f'<div class="sheet" style="aspect-ratio: {page.width:.0f} / {page.height:.0f}">'
        f'<img alt="{alternative}" src="{loaded.pictures.url(page.number, width=PAGE_WIDTH)}">{marks}</div>'
        f"{_strip(loaded, numbers, page.number)}</figure>"
    )


def marked_boxes(page: Page, evidence: Sequence[Evidence]) -> list[Box]:
    """The words of the evidence, with neighbours on one line joined to one box."""
    spans = [(place.start, place.end) for place in evidence if place.page == page.number]
    boxes: list[Box] = []
    for word in page.words:
        if any(start < word.end and word.start < end for start, end in spans):
            if boxes and _same_line(boxes[-1], word.box):
                boxes[-1] = _around(boxes[-1], word.box)
            else:
                boxes.append(word.box)
    return boxes


def _same_line(left: Box, right: Box) -> bool:
    middle = (right[1] + right[3]) / 2
    return left[1] < middle < left[3] and left[0] <= right[0] < left[2] + 0.03


def _around(left: Box, right: Box) -> Box:
    return min(left[0], right[0]), min(left[1], right[1]), max(left[2], right[2]), max(left[3], right[3])


def _mark(box: Box) -> str:
    x0, y0, x1, y1 = box
    return f'<span class="mark" style="left:{x0:.2%};top:{y0:.2%};width:{x1 - x0:.2%};height:{y1 - y0:.2%}"></span>'


def _bar(loaded: Loaded, numbers: Sequence[int], number: int) -> str:
    at = numbers.index(number)
    key = escape(loaded.key)
    return (
        f'<figcaption><span class="name" title="{escape(loaded.name)}">{escape(loaded.name)}</span>'
        f"{_turn(key, numbers[at - 1] if at else None, 'previous', '‹')}"
        f'<label>Page <input type="number" min="{numbers[0]}" max="{numbers[-1]}" value="{number}"'
        f' data-event="open" data-document="{key}" data-focus="page"> of {numbers[-1]}</label>'
        f"{_turn(key, numbers[at + 1] if at + 1 < len(numbers) else None, 'next', '›')}</figcaption>"
    )


def _turn(key: str, to: int | None, way: str, sign: str) -> str:
    target = f'data-event="open" data-document="{key}" data-page="{to}"' if to is not None else "disabled"
    return f'<button class="turn" {target} data-focus="{way}" aria-label="{way.capitalize()} page">{sign}</button>'


def _strip(loaded: Loaded, numbers: Sequence[int], number: int) -> str:
    if len(numbers) == 1:
        return ""
    at = numbers.index(number)
    first = max(0, min(at - NEIGHBOURS, len(numbers) - 2 * NEIGHBOURS - 1))
    return (
        '<nav class="strip" aria-label="Nearby pages">'
        + "".join(_small(loaded, near, near == number) for near in numbers[first : first + 2 * NEIGHBOURS + 1])
        + "</nav>"
    )


def _small(loaded: Loaded, number: int, current: bool) -> str:
    return (
        f'<button data-event="open" data-document="{escape(loaded.key)}" data-page="{number}"'
        f' aria-label="Page {number}"{" aria-current=page" if current else ""}>'
        f'<img alt="" src="{loaded.pictures.url(number, width=SMALL_WIDTH)}"><span>{number}</span></button>'
    )
