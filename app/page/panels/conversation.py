"""The right column: questions, answers, and under each answer its receipt and the pages it rests on."""

from collections.abc import Callable, Sequence
from html import escape

from app.languages import Language
from app.page.panels.citation import NO_TRANSLATION, citation
from app.page.panels.opening import Opened, opening
from app.provenance import DOUBT
from app.sessions.conversation import Exchange, Rest
from model.errors import Message
from model.types import Evidence

CHIPS = 5
UNDO = (
    '<p class="note" role="status"><span>A new conversation has begun.</span>'
    ' <button class="quiet" data-event="undo_clear">Back to the one before</button></p>'
)
MOST_OPENINGS = 3  # the newest documents
_REST: dict[Rest, str] = {
    "coming": " <span>The rest is still being read.</span>",
    "read": " <span>The rest has been read since.</span> ",
    "away": "",
}
_ENDED = {"stopped": Message("stopped"), "length": Message("cut at the length limit")}
THUMB = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 10h4v10H3zM9 10l4-8c1.8 0 3 1.4 2.7 3.2L15 8.5h4.6'
    'c1.3 0 2.2 1.2 1.9 2.4l-1.8 7.6c-.2.9-1 1.5-1.9 1.5H9z"/></svg>'
)


def conversation(
    exchanges: Sequence[Exchange],
    openings: Sequence[Opened],
    *,
    waiting_for: str,
    undoable: bool = False,
    is_here: Callable[[str], bool] = lambda _: True,
    rest_of: Callable[[str], Rest] = lambda _: "away",
    language: Language = Language(),  # noqa: B008 - frozen
) -> str:
    """The whole conversation, with what documents open with where they came.

    `waiting_for`: what comes before the answer that is waited for. `undoable`: the one before can be had back.
    `is_here`: whether the document of a key can be shown. `rest_of`: what has become of the pages that it lacked.
    """
    undo = UNDO if undoable and not exchanges else ""
    if not exchanges and not openings:
        hint = '<p class="hint">Questions and answers appear here.</p>'
        return f'<div class="conversation fresh">{undo}{hint}</div>'
    last = exchanges[-1].number if exchanges else 0
    parts: list[tuple[int, str]] = []
    for one in exchanges:
        rest = rest_of(one.partial_source) if one.partial_source and one.status == "done" else "away"
        drawn = _article(one, language, last=one.number == last, waiting_for=waiting_for, is_here=is_here, rest=rest)
        parts.append((one.number, drawn))
    parts += [(one.opening.after, opening(one)) for one in openings[-MOST_OPENINGS:]]
    articles = "".join(html for _, html in sorted(parts, key=lambda part: part[0]))  # of equals the exchange is first
    return f'<div class="conversation" role="log" aria-label="Conversation" tabindex="0">{articles}{undo}</div>'


def asking_problem(text: str) -> str:
    """Why a question cannot be asked; empty where it can."""
    return f'<p class="problem" role="alert">{escape(text)}</p>' if text else ""


def _article(
    exchange: Exchange,
    language: Language,
    *,
    last: bool,
    waiting_for: str,
    is_here: Callable[[str], bool],
    rest: Rest,
) -> str:
    problem = f'<p class="problem" role="alert">{language.markup(exchange.problem)}</p>' if exchange.problem else ""
    return (
        f'<article class="exchange {exchange.status}">'
        f'<p class="question" translate="no" dir="auto">{escape(exchange.question)}</p>'
        f"{_answer(exchange, waiting_for)}{_quote(exchange)}{_chips(exchange, is_here)}{problem}"
        f"{_note(exchange, rest, language)}{_doubt(exchange)}{_receipt(exchange, language)}"
        f"{_tools(exchange, last, rest)}</article>"
    )


def _answer(exchange: Exchange, waiting_for: str) -> str:
    if exchange.answer.text:
        own_words = "" if exchange.answer.is_message else NO_TRANSLATION
        return f'<p class="answer"{own_words} dir="auto">{escape(exchange.answer.text)}</p>'
    if exchange.pending:
        return f'<p class="answer pending">{escape(waiting_for)}</p>'
    return '<p class="answer none">(no words)</p>' if exchange.status == "done" else ""


def _quote(exchange: Exchange) -> str:
    """The sentence or row that the answer stands in, unless the answer says all of it."""
    if exchange.status != "done" or not exchange.answer.evidence:
        return ""
    place = exchange.answer.evidence[0]
    quote = " ".join(place.quote.split())
    if quote in " ".join(exchange.answer.text.split()):
        return ""
    hidden = '<span class="hidden-words">These words cannot be seen on the page.</span>' if place.hidden else ""
    return f'<blockquote class="quote" dir="auto"><span{NO_TRANSLATION}>{escape(quote)}</span>{hidden}</blockquote>'


def _note(exchange: Exchange, rest: Rest, language: Language) -> str:
    """What the person should know; the one button that asks again stands here where there is more to ask by now."""
    if not exchange.note or exchange.status != "done":
        return ""
    again = _again(exchange) if rest == "read" else ""
    return f'<p class="note">{language.markup(exchange.note)}{_REST[rest]}{again}</p>'


def _again(exchange: Exchange) -> str:
    return f'<button class="quiet" data-event="retry" data-exchange="{exchange.number}">Ask again</button>'


def _doubt(exchange: Exchange) -> str:
    """A mark where the answer's probability or its evidence is weak."""
    if exchange.status != "done" or not exchange.answer.doubtful:
        return ""
    return (
        f'<details class="doubt" data-unfolds="doubt-{exchange.number}"><summary>{DOUBT}</summary>'
        "<p>The model was torn between several answers, or these words do not clearly stand where"
        " it read. Click a page above: its place is marked there.</p></details>"
    )


def _receipt(exchange: Exchange, language: Language) -> str:
    if not exchange.receipt:
        return ""
    remarks = [_ENDED[reason] for reason in [exchange.answer.stop_reason] if reason in _ENDED]
    said = Message.joined(" · ", [exchange.receipt, *remarks])
    return (
        f'<details class="receipt" data-unfolds="receipt-{exchange.number}"><summary>How this was answered</summary>'
        f"<p>{language.markup(said)}</p></details>"
    )


def _chips(exchange: Exchange, is_here: Callable[[str], bool]) -> str:
    if exchange.status != "done" or not exchange.answer.evidence:
        return ""
    several = len(exchange.sources) > 1
    chips = "".join(
        _chip(exchange, place, several) if is_here(exchange.sources[place.document_index]) else _gone(place, several)
        for place in cited_places(exchange.answer.evidence)
    )
    return f'<p class="chips" role="group" aria-label="Where the answer comes from">{chips}</p>'


def cited_places(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The first place on each page that an answer is said to come from."""
    pages: dict[tuple[int, int], Evidence] = {}
    for place in evidence:
        pages.setdefault((place.document_index, place.page), place)
    return list(pages.values())[:CHIPS]


def _gone(place: Evidence, several: bool) -> str:
    name = f'<span class="of" translate="no" dir="auto">{escape(place.document)},</span> ' if several else ""
    return (
        f'<span class="chip gone">{name}{citation(place.page, place.label)}'
        " <span>(the document was forgotten)</span></span>"
    )


def _chip(exchange: Exchange, place: Evidence, several: bool) -> str:
    name = f'<span class="of" translate="no" dir="auto">{escape(place.document)},</span> ' if several else ""
    return (
        f'<button class="chip{" verbatim" if place.verbatim else ""}" data-event="open"'
        f' data-document="{escape(exchange.sources[place.document_index])}" data-page="{place.page}"'
        f' data-exchange="{exchange.number}" title="{escape(place.quote)}">{name}'
        f"{citation(place.page, place.label)}</button>"
    )


def _tools(exchange: Exchange, last: bool, rest: Rest) -> str:
    if exchange.pending:
        return ""
    tools = []
    if exchange.answer.text:
        tools += [
            '<button class="quiet" data-copy data-said="Copied">Copy</button>',
            _like(exchange, "up"),
            _like(exchange, "down"),
        ]
    if last:
        tools += [
            "" if rest == "read" else _again(exchange),
            '<button class="quiet" data-edit data-said="Edit your question">Edit</button>',
            '<button class="quiet" data-event="undo">Take back</button>',
        ]
    return f'<p class="tools">{"".join(tools)}</p>'


def _like(exchange: Exchange, way: str) -> str:
    label = {"up": "Good answer", "down": "Bad answer"}[way]
    pressed = "true" if exchange.liked == way else "false"
    return (
        f'<button class="quiet like {way}" data-event="like" data-exchange="{exchange.number}" data-liked="{way}"'
        f' aria-pressed="{pressed}" aria-label="{label}" title="{label}">{THUMB}</button>'
    )
