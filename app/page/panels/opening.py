"""What a document opens with: its title and kind, what it says of itself, and questions that it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from app.overview.sheets import MOST_COLUMNS, MOST_SHEETS, Sheet
from app.page.panels.citation import NO_TRANSLATION, citation
from app.page.panels.overview import place_of
from app.provenance import counted
from app.sessions.overview import Opening
from app.sessions.viewed import Viewed
from model.answering.quotes import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A document with what it opens with."""

    viewed: Viewed
    opening: Opening


def opening(one: Opened) -> str:
    """The card of one document."""
    seen, document = one.opening.overview, one.viewed.document
    parts = counted(len(seen.sheets), "sheet") if seen.sheets else counted(len(document.pages), "page")
    facts = " · ".join(str(part) for part in (seen.kind, parts) if part)
    sentences = "".join(
        f'<li><span{NO_TRANSLATION} dir="auto">{escape(said.text)}</span> {_place(one, said)}</li>'
        for said in seen.sentences
    )
    sheets = "".join(f"<li>{_sheet(sheet)} {_place(one, sheet.place)}</li>" for sheet in seen.sheets[:MOST_SHEETS])
    return (
        f'<article class="opening" aria-label="About this document"><h2{NO_TRANSLATION} dir="auto">'
        f'{escape(seen.title or document.name)}</h2><p class="facts">{facts}</p>'
        f'<ul class="sentences">{sentences}{sheets}</ul>'
        f"{_questions(one.opening.questions, trying=one.opening.trying)}</article>"
    )


def _place(one: Opened, said: Quote) -> str:
    place = place_of(one.viewed.key, said)
    return f'<button class="chip" {place}>{citation(said.page.number, said.page.label)}</button>'


def _sheet(sheet: Sheet) -> str:
    """How large it is, and what its columns are called."""
    names = ", ".join(sheet.headings[:MOST_COLUMNS]) + ", …" * (len(sheet.headings) > MOST_COLUMNS)
    size = f"{counted(sheet.rows, 'row')} · {counted(sheet.columns, 'column')}"
    said = f'<span{NO_TRANSLATION} dir="auto">{escape(names)}</span>' if names else ""
    return f'<b{NO_TRANSLATION} dir="auto">{escape(sheet.name)}</b> <span class="facts">{size}</span> {said}'


def _questions(questions: Sequence[str], *, trying: bool) -> str:
    if trying:
        return '<p class="hint pending" role="status">Trying which questions it answers …</p>'
    buttons = "".join(
        f'<button class="suggestion" data-event="suggest" data-question="{escape(text)}" translate="no" dir="auto">'
        f"{escape(text)}</button>"
        for text in questions
    )
    return f'<div class="questions"><p class="hint">It answers, for example:</p>{buttons}</div>' if buttons else ""
