"""The middle: one page of a document, what an answer rests on drawn on it, and where else in the document to look."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.page.panels.citation import citation
from app.sessions.viewed import Viewed
from model.types import Box, Evidence, Page, PageAttention

PAGE_WIDTH = 1100
SMALL_WIDTH = 110
NEIGHBOURS = 3  # small pages on each side: a long document is never rendered all at once
MOST_CELLS = 120  # of the heat strip: beyond that a cell stands for several pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What an answer left in one document: the places that it rests on, and where the decoder looked."""

    exchange: int | None = None
    evidence: tuple[Evidence, ...] = ()
    attention: tuple[PageAttention, ...] = ()


def empty_pages() -> str:
    return (
        '<div class="empty"><p class="headline">Drop a document to begin.</p>'
        "<p>Its pages appear here,<br>with the places that an answer comes from.</p></div>"
    )


def problem(message: str) -> str:
    return f'<div class="empty"><p class="problem" role="alert">{escape(message)}</p></div>'


def pages(viewed: Viewed, number: int, traces: Traces) -> str:
    """This page of the document, with the places of the evidence marked."""
    document = viewed.document
    numbers = [page.number for page in document.pages]
    page = min(document.pages, key=lambda candidate: abs(candidate.number - number))
    alternative = escape(f"Page {page.number} of {document.name}")
    return (
        f'<figure class="pages" tabindex="0" data-keys aria-label="{alternative}">'
        f"{_bar(viewed, numbers, page, traces)}{_heat_strip(viewed, numbers, page.number, traces)}"
        f'<div class="sheet" style="aspect-ratio: {page.width:.0f} / {page.height:.0f}">'
        f'<img alt="{alternative}" src="{viewed.pictures.url(page.number, width=PAGE_WIDTH)}">'
        f"{_marks(page, traces)}</div>{_strip(viewed, numbers, page.number, traces)}</figure>"
    )


def _marks(page: Page, traces: Traces) -> str:
    """Found words and attended lines look different: one is proof, the other a hint."""
    found = [place for place in traces.evidence if place.verbatim]
    attended = [place for place in traces.evidence if not place.verbatim]
    return "".join(_mark(box, "found") for box in marked_boxes(page, found)) + "".join(
        _mark(box, "attended") for box in marked_boxes(page, attended)
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


def _mark(box: Box, kind: str) -> str:
    x0, y0, x1, y1 = box
    place = f"left:{x0:.2%};top:{y0:.2%};width:{x1 - x0:.2%};height:{y1 - y0:.2%}"
    return f'<span class="mark {kind}" style="{place}"></span>'


def _open(viewed: Viewed, page: int, traces: Traces) -> str:
    """The attributes of a control that opens a page, and keeps the marks of the answer that is looked at."""
    exchange = f' data-exchange="{traces.exchange}"' if traces.exchange is not None else ""
    return f'data-event="open" data-document="{escape(viewed.key)}" data-page="{page}"{exchange}'


def _bar(viewed: Viewed, numbers: Sequence[int], page: Page, traces: Traces) -> str:
    number = page.number
    at = numbers.index(number)
    label = f" · {citation(number, page.label)}" if page.label else ""
    previous = _open(viewed, numbers[at - 1], traces) if at else "disabled"
    following = _open(viewed, numbers[at + 1], traces) if at + 1 < len(numbers) else "disabled"
    return (
        f'<figcaption><span class="name" translate="no" title="{escape(viewed.name)}">{escape(viewed.name)}</span>'
        f'<button class="turn" {previous} data-focus="previous" aria-label="Previous page">‹</button>'
        f'<label>Page <input type="number" min="{numbers[0]}" max="{numbers[-1]}" value="{number}"'
        f' {_open(viewed, number, traces)} data-focus="page"> of {numbers[-1]}</label>{label}'
        f'<button class="turn" {following} data-focus="next" aria-label="Next page">›</button></figcaption>'
    )


def _heat_strip(viewed: Viewed, numbers: Sequence[int], number: int, traces: Traces) -> str:
    """All pages in one line, as warm as the answer's attention to them; where its words stand there is a mark."""
    if len(numbers) == 1:
        return ""
    shares = {one.page: one.share for one in traces.attention}
    found = {place.page for place in traces.evidence if place.verbatim}
    hottest = max(shares.values(), default=0.0) or 1.0
    size = -(-len(numbers) // MOST_CELLS)
    cells = []
    for first in range(0, len(numbers), size):
        group = numbers[first : first + size]
        page = max(group, key=lambda one: (one in found, shares.get(one, 0.0)))
        kind = f"{' found' if page in found else ''}{' current' if number in group else ''}"
        title = f"Page {page}" + (f": {shares[page]:.0%} of the attention" if page in shares else "")
        heat = shares.get(page, 0.0) / hottest
        cells.append(
            f'<button class="cell{kind}" {_open(viewed, page, traces)} style="--heat:{heat:.2f}"'
            f' title="{title}" aria-label="{title}" data-focus="cell-{page}"'
            f' tabindex="{0 if number in group else -1}"></button>'
        )
    return f'<nav class="heat" aria-label="All pages, by attention">{"".join(cells)}</nav>'


def _strip(viewed: Viewed, numbers: Sequence[int], number: int, traces: Traces) -> str:
    if len(numbers) == 1:
        return ""
    at = numbers.index(number)
    first = max(0, min(at - NEIGHBOURS, len(numbers) - 2 * NEIGHBOURS - 1))
    near = numbers[first : first + 2 * NEIGHBOURS + 1]
    small = "".join(
        f'<button {_open(viewed, one, traces)} aria-label="Page {one}"{" aria-current=page" if one == number else ""}>'
        f'<img alt="" src="{viewed.pictures.url(one, width=SMALL_WIDTH)}"><span>{one}</span></button>'
        for one in near
    )
    return f'<nav class="strip" aria-label="Nearby pages">{small}</nav>'
