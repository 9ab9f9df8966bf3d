"""The tab for contents and search: a document's headings, places of words, and a page's text as it was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING

from app.overview.search import Hit, Hits
from app.page.panels.citation import citation
from app.provenance import counted
from app.sessions.viewed import Loaded
from model.types import Page

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from model.answering.quotes import Quote


def contents(loaded: Loaded) -> str:
    """The document's headings; a click opens the page."""
    from app.overview.contents import contents as headings  # imports torch, which the page does not wait for

    items = "".join(f"<li>{_heading(loaded, one)}</li>" for one in headings(loaded.document))
    if not items:
        return ""
    return (
        f'<section class="contents" aria-label="Contents"><h2>Contents</h2><p class="facts" translate="no" dir="auto">'
        f"{escape(loaded.name)}</p><ol>{items}</ol></section>"
    )


def hits(found: Hits) -> str:
    if not found.words:
        return ""
    amount = f"{counted(found.total, 'place')} with “{found.words}”"
    more = f" · the first {len(found.first)} are shown" if found.total > len(found.first) else ""
    items = "".join(_hit(number, hit) for number, hit in enumerate(found.first))
    return (
        f'<p class="facts" role="status">{escape(amount)}{more}</p>'
        f'<ol class="hits" aria-label="Places found">{items}</ol>'
    )


def page_text(loaded: Loaded, number: int) -> str:
    """What the model got of a page."""
    numbers = [page.number for page in loaded.encoded.document.pages]
    page = min(loaded.encoded.document.pages, key=lambda candidate: abs(candidate.number - number))
    text = "".join(_marked(page)) or "No text was read from this page."
    return (
        '<section class="seen" aria-label="Text read from this page"><h2>Text read from this page</h2>'
        f'<p class="facts">{_turns(loaded, numbers, page.number)}'
        f"{escape('; '.join(_about(loaded, page)))}</p>"
        f'<pre dir="auto">{text}</pre></section>'
    )


def no_contents() -> str:
    return '<p class="hint">Drop a document, or take the sample, to look inside it.</p>'


def _heading(loaded: Loaded, one: Quote) -> str:
    return (
        f'<button class="open" {place_of(loaded.key, one)}><span class="said" translate="no" dir="auto">'
        f"{escape(one.text)}</span> {citation(one.page.number, one.page.label)}</button>"
    )


def place_of(key: str, one: Quote) -> str:
    """The attributes of a control that opens a page with these words marked."""
    return (
        f'data-event="open_place" data-document="{escape(key)}" data-page="{one.page.number}"'
        f' data-start="{one.start}" data-end="{one.end}"'
    )


def _hit(number: int, hit: Hit) -> str:
    place = f'data-document="{escape(hit.key)}" data-page="{hit.page}" data-start="{hit.start}" data-end="{hit.end}"'
    return (
        f'<li><button class="open" data-event="open_place" {place} data-focus="hit-{number}">'
        f'<span class="facts" translate="no">{escape(hit.name)}, p. {hit.page}</span><span><span translate="no">'
        f'{escape(hit.before)}</span><mark translate="no">{escape(hit.found)}</mark><span translate="no">'
        f"{escape(hit.after)}</span></span></button></li>"
    )


def _marked(page: Page) -> Iterator[str]:
    """The page's text; what a person looking at the page cannot see is flagged."""
    at = 0
    for word in page.words:
        if word.hidden and word.start >= at:
            yield _plain(page.text[at : word.start])
            hidden = escape(page.text[word.start : word.end])
            yield f'<mark class="hidden" translate="no" title="A reader of the page cannot see this">{hidden}</mark>'
            at = word.end
    yield _plain(page.text[at:])


def _plain(text: str) -> str:
    return f'<span translate="no">{escape(text)}</span>' if text else ""


def _about(loaded: Loaded, page: Page) -> Iterator[str]:
    tokens = int((loaded.encoded.tokens.pages == page.number).sum())
    yield f"{counted(tokens, 'token')} of this page went into the encoder"
    yield {"text": "as text", "image": "as a picture", "both": "as text and picture"}[page.view]
    if page.source != "text":
        yield {"ocr": "its text was read by OCR and may have mistakes", "tags": "its text is image tags"}[page.source]
    if page.remark:
        yield page.remark
    if page.unread_boxes:
        yield f"{counted(page.unread_boxes, 'place')} with writing could not be read"
    yield from (f"unreadable here: {part}" for part in page.unread_parts)
    if hidden := sum(word.hidden for word in page.words):
        yield f"{counted(hidden, 'word')} that a reader of the page cannot see, marked here"


def _turns(loaded: Loaded, numbers: Sequence[int], number: int) -> str:
    at = numbers.index(number)
    before, after = numbers[at - 1 : at] if at else (), numbers[at + 1 : at + 2]
    return (
        f"{_turn(loaded, before, 'previous', '‹')} Page {number} of {numbers[-1]} {_turn(loaded, after, 'next', '›')} "
    )


def _turn(loaded: Loaded, to: Sequence[int], way: str, sign: str) -> str:
    target = f'data-event="open" data-document="{escape(loaded.key)}" data-page="{to[0]}"' if to else "disabled"
    return f'<button class="turn" {target} data-focus="{way}" aria-label="{way.capitalize()} page">{sign}</button>'
