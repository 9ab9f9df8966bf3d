"""The middle: the pages of a document one below the other, and above them a bar: where one is, and what is marked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.page.panels.citation import citation
from app.sessions.finding import Finding
from app.sessions.viewed import Viewed
from model.types import Box, Evidence, Page, PageAttention

MOST_CELLS = 120  # of the heat strip: beyond that a cell stands for several pages
NO_SPACE_HEIGHT = 0.8  # of a word's box: how high its letters are set, so that the browser's selection covers it


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What an answer left in one document: the places that it rests on, and where the decoder attended."""

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


def sheets(viewed: Viewed, source: str) -> str:
    """All pages as empty sheets of their size; `assets/viewer.js` fetches what comes near from `source`."""
    name = escape(viewed.name)
    papers = "".join(
        f'<div class="sheet" data-page="{page.number}" style="aspect-ratio: {page.width:.0f} / {page.height:.0f}"'
        f' data-said="Page {page.number} of {name}"></div>'
        for page in viewed.document.pages
    )
    return (
        f'<figure class="pages" tabindex="0" aria-label="{name}" data-document="{escape(viewed.key)}"'
        f' data-source="{escape(source)}">{papers}</figure>'
    )


def page_words(page: Page) -> str:
    """The words of a page where they stand, invisible over its picture, in reading order, to be selected."""
    spans: list[str] = []
    at = 0
    for word in page.words:
        if word.hidden or word.start < at:
            continue
        end_of_line = "<br>" if spans and "\n" in page.text[at : word.start] else ""
        x0, y0, x1, y1 = word.box
        place = f"left:{x0:.2%};top:{y0:.2%};--width:{x1 - x0:.4f};font-size:{(y1 - y0) * 100 * NO_SPACE_HEIGHT:.2f}cqh"
        spans.append(f'{end_of_line}<span style="{place}">{escape(page.text[word.start : word.end])} </span>')
        at = word.end
    return "".join(spans)


def viewer(viewed: Viewed, number: int, traces: Traces, *, visit: int = 0, finding: Finding | None = None) -> str:
    """The bar above the pages. A new `visit` scrolls to the page, or to what is marked on it."""
    document = viewed.document
    numbers = [page.number for page in document.pages]
    page = min(document.pages, key=lambda candidate: abs(candidate.number - number))
    marked = {place.page for place in traces.evidence}
    marks = "".join(_marks(one, traces) for one in document.pages if one.number in marked)
    return (
        f'<div class="viewer" data-document="{escape(viewed.key)}" data-page="{page.number}" data-visit="{visit}">'
        f"{_bar(viewed, numbers, page, traces)}{_tools(viewed, finding)}"
        f"{_heat_strip(viewed, numbers, page.number, traces)}"
        f'<div class="places" hidden>{marks}</div></div>'
    )


def _marks(page: Page, traces: Traces) -> str:
    """Found words and attended lines look different: one is proof, the other a hint."""
    found = [place for place in traces.evidence if place.verbatim]
    attended = [place for place in traces.evidence if not place.verbatim]
    return "".join(_mark(page, box, "found") for box in marked_boxes(page, found)) + "".join(
        _mark(page, box, "attended") for box in marked_boxes(page, attended)
    )


def marked_boxes(page: Page, evidence: Sequence[Evidence]) -> list[Box]:
    """The words of the evidence, with neighbours on one line joined to one box."""
    spans = [_span(page, place) for place in evidence if place.page == page.number]
    boxes: list[Box] = []
    for word in page.words:
        if any(start < word.end and word.start < end for start, end in spans):
            if boxes and _same_line(boxes[-1], word.box):
                boxes[-1] = _around(boxes[-1], word.box)
            else:
                boxes.append(word.box)
    return boxes


def _span(page: Page, place: Evidence) -> tuple[int, int]:
    """The characters of a place; those of the nearest same words where its page has come to be read otherwise."""
    if place.words in ("", page.text[place.start : place.end]):
        return place.start, place.end
    found = [match.start() for match in re.finditer(re.escape(place.words), page.text)]
    start = min(found, key=lambda start: abs(start - place.start), default=None)
    return (0, 0) if start is None else (start, start + len(place.words))


def _same_line(left: Box, right: Box) -> bool:
    middle = (right[1] + right[3]) / 2
    return left[1] < middle < left[3] and left[0] <= right[0] < left[2] + 0.03


def _around(left: Box, right: Box) -> Box:
    return min(left[0], right[0]), min(left[1], right[1]), max(left[2], right[2]), max(left[3], right[3])


def _mark(page: Page, box: Box, kind: str) -> str:
    x0, y0, x1, y1 = box
    place = f"left:{x0:.2%};top:{y0:.2%};width:{x1 - x0:.2%};height:{y1 - y0:.2%}"
    return f'<span class="mark {kind}" data-page="{page.number}" style="{place}"></span>'


def _open(viewed: Viewed, page: int, traces: Traces) -> str:
    """The attributes of a control that opens a page, and keeps the marks of the answer that is looked at."""
    exchange = f' data-exchange="{traces.exchange}"' if traces.exchange is not None else ""
    return f'data-event="open" data-document="{escape(viewed.key)}" data-page="{page}"{exchange}'


def _bar(viewed: Viewed, numbers: Sequence[int], page: Page, traces: Traces) -> str:
    number = page.number
    at = numbers.index(number)
    label = f'<span class="label-of">{citation(number, page.label)}</span>' if page.label else ""
    previous = _open(viewed, numbers[at - 1], traces) if at else "disabled"
    following = _open(viewed, numbers[at + 1], traces) if at + 1 < len(numbers) else "disabled"
    name = escape(viewed.name)
    return (
        f'<div class="bar"><span class="name" translate="no" dir="auto" title="{name}">{name}</span>{label}'
        f'<button class="turn" {previous} data-focus="previous" aria-label="Previous page">‹</button>'
        f'<label>Page <input type="number" min="{numbers[0]}" max="{numbers[-1]}" value="{number}"'
        f' {_open(viewed, number, traces)} data-focus="page"> of {numbers[-1]}</label>'
        f'<button class="turn" {following} data-focus="next" aria-label="Next page">›</button></div>'
    )


def _tools(viewed: Viewed, finding: Finding | None) -> str:
    """Search in place, zoom, what can be taken along."""
    words = escape(finding.words) if finding else ""
    state, disabled = "", " disabled"
    if finding:
        disabled = "" if finding.hits else " disabled"
        state = f"{finding.at + 1:,} of {len(finding.hits):,}" if finding.hits else "not found"
    steps = "".join(
        f'<button class="turn" data-event="step" data-way="{way}" data-focus="step-{way}" aria-label="{label}"'
        f"{disabled}>{sign}</button>"
        for way, label, sign in (("back", "Previous place", "∧"), ("on", "Next place", "∨"))
    )
    zoom = "".join(
        f'<button class="turn" data-zoom="{way}" aria-label="{label}" title="{label}">{sign}</button>'
        for way, label, sign in (("out", "Smaller", "−"), ("in", "Larger", "+"), ("fit", "Fit to width", "↔"))
    )
    return (
        f'<div class="bar tools-of-page"><input type="search" data-event="seek" data-focus="seek" value="{words}"'
        f' dir="auto" aria-label="Find in this document" placeholder="Find in this document">{steps}'
        f'<span class="facts" role="status">{state}</span><span class="zoom">{zoom}'
        '<button class="turn" data-link aria-label="Copy a link to this page" title="Copy a link to this page"'
        ' data-said="Copied">⚭</button>'
        f'<button class="turn" data-event="save_marked" data-document="{escape(viewed.key)}"'
        ' aria-label="Save the PDF with all answers marked" title="Save the PDF with all answers marked">⤓</button>'
        '<button class="turn" data-print aria-label="Print this page" title="Print this page">⎙</button></span></div>'
    )


def _heat_strip(viewed: Viewed, numbers: Sequence[int], number: int, traces: Traces) -> str:
    """All pages in one line, as warm as the answer's attention to them; where its places are there is a mark."""
    if len(numbers) == 1:
        return ""
    shares = {one.page: one.share for one in traces.attention}
    found = {place.page for place in traces.evidence}
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
    legend = (
        '<p class="legend"><span class="warm"></span><span>where the model looked</span><span class="dot"></span>'
        "<span>where the answer comes from</span></p>"
    )
    return (
        f'<nav class="heat" aria-label="All pages, by attention">{"".join(cells)}</nav>'
        f"{legend if traces.exchange is not None and (shares or found) else ''}"
    )
