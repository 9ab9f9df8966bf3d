"""The right column: questions, answers, and under each answer its receipt and the pages it rests on."""

from collections.abc import Sequence
from html import escape

from app.page.panels.citation import NO_TRANSLATION, citation
from app.sessions.conversation import Exchange
from model.types import Evidence

CHIPS = 5
THUMB = (
    '<svg viewBox="0 0 24 24" aria-hidden="true"><path d="M3 10h4v10H3zM9 10l4-8c1.8 0 3 1.4 2.7 3.2L15 8.5h4.6'
    'c1.3 0 2.2 1.2 1.9 2.4l-1.8 7.6c-.2.9-1 1.5-1.9 1.5H9z"/></svg>'
)


def conversation(exchanges: Sequence[Exchange], suggestions: Sequence[str], *, waiting_for: str) -> str:
    """The whole conversation; while it is empty, questions to begin with. `waiting_for`: what comes before."""
    if not exchanges:
        return f'<div class="conversation fresh">{_invitation(suggestions)}</div>'
    last = exchanges[-1].number
    articles = "".join(_article(one, last=one.number == last, waiting_for=waiting_for) for one in exchanges)
    return f'<div class="conversation" role="log" aria-label="Conversation">{articles}</div>'


def asking_problem(text: str) -> str:
    """Why a question cannot be asked; empty where it can."""
    return f'<p class="problem" role="alert">{escape(text)}</p>' if text else ""


def _invitation(suggestions: Sequence[str]) -> str:
    if not suggestions:
        return '<p class="hint">Questions and answers appear here.</p>'
    buttons = "".join(
        f'<button class="suggestion" data-event="suggest" data-question="{escape(text)}" translate="no">'
        f"{escape(text)}</button>"
        for text in suggestions
    )
    return f'<p class="hint">Ask about the sample, for example:</p>{buttons}'


def _article(exchange: Exchange, *, last: bool, waiting_for: str) -> str:
    return (
        f'<article class="exchange {exchange.status}">'
        f'<p class="question" translate="no">{escape(exchange.question)}</p>'
        f"{_answer(exchange, waiting_for)}{_quote(exchange)}{_problem(exchange)}{_note(exchange)}{_doubt(exchange)}"
        f"{_chips(exchange)}{_receipt(exchange)}"
        f"{_tools(exchange, last)}</article>"
    )


def _answer(exchange: Exchange, waiting_for: str) -> str:
    if exchange.answer.text:
        own_words = "" if exchange.answer.is_message else NO_TRANSLATION
        return f'<p class="answer"{own_words}>{escape(exchange.answer.text)}</p>'
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
    return f'<blockquote class="quote"><span{NO_TRANSLATION}>{escape(quote)}</span>{hidden}</blockquote>'


def _problem(exchange: Exchange) -> str:
    return f'<p class="problem" role="alert">{escape(exchange.problem)}</p>' if exchange.problem else ""


def _note(exchange: Exchange) -> str:
    return f'<p class="note">{escape(exchange.note)}</p>' if exchange.note and exchange.status == "done" else ""


def _doubt(exchange: Exchange) -> str:
    """A mark where the answer's probability or its evidence is weak."""
    if exchange.status != "done" or not exchange.answer.doubtful:
        return ""
    return '<p class="doubt" role="note">Not sure of this answer: check it on the pages.</p>'


def _receipt(exchange: Exchange) -> str:
    if not exchange.receipt:
        return ""
    remark = {"stopped": " · stopped", "length": " · cut at the length limit"}.get(exchange.answer.stop_reason, "")
    return f'<p class="receipt">{escape(exchange.receipt + remark)}</p>'


def _chips(exchange: Exchange) -> str:
    if exchange.status != "done" or not exchange.answer.evidence:
        return ""
    pages: dict[tuple[int, int], Evidence] = {}
    for place in exchange.answer.evidence:
        pages.setdefault((place.document_index, place.page), place)
    several = len(exchange.sources) > 1
    chips = "".join(_chip(exchange, place, several) for place in list(pages.values())[:CHIPS])
    return f'<p class="chips" aria-label="Where the answer comes from">{chips}</p>'


def _chip(exchange: Exchange, place: Evidence, several: bool) -> str:
    name = f'<span class="of" translate="no">{escape(place.document)},</span> ' if several else ""
    return (
        f'<button class="chip{" verbatim" if place.verbatim else ""}" data-event="open"'
        f' data-document="{escape(exchange.sources[place.document_index])}" data-page="{place.page}"'
        f' data-exchange="{exchange.number}" title="{escape(place.quote)}">{name}'
        f"{citation(place.page, place.label)}</button>"
    )


def _tools(exchange: Exchange, last: bool) -> str:
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
            '<button class="quiet" data-event="retry">Ask again</button>',
            '<button class="quiet" data-edit data-said="Edit your question">Edit</button>',
            '<button class="quiet" data-event="undo">Undo</button>',
        ]
    return f'<p class="tools">{"".join(tools)}</p>'


def _like(exchange: Exchange, way: str) -> str:
    label = {"up": "Good answer", "down": "Bad answer"}[way]
    pressed = "true" if exchange.liked == way else "false"
    return (
        f'<button class="quiet like {way}" data-event="like" data-exchange="{exchange.number}" data-liked="{way}"'
        f' aria-pressed="{pressed}" aria-label="{label}" title="{label}">{THUMB}</button>'
    )
