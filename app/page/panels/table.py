"""The tab for many questions: how far they are, and the table of answers."""

from collections.abc import Sequence
from html import escape

from app.page.panels.citation import NO_TRANSLATION, citation
from app.provenance import DOUBT, counted, roughly
from app.questions import Form
from app.sessions.table import Row, Table

HEAD = ("Question", "Answer", "Document", "Page", "Confidence that it is right")
_DOWNLOAD: dict[Form, str] = {"csv": "Download CSV", "xlsx": "Download Excel file"}
CONFIDENCE = "How likely the answer is right. It is a hint, no proof."


def table(of: Table, place: str = "") -> str:
    """The whole table as HTML; empty where nothing was asked yet."""
    if not of.rows:
        return ""
    return f'<section class="many" aria-label="Answers">{_state(of, place)}{_rows(of.rows)}</section>'


def table_problem(text: str) -> str:
    """Why a list cannot be asked, or has failed; empty where neither is so."""
    return f'<p class="problem" role="alert">{escape(text)}</p>' if text else ""


def _state(of: Table, place: str) -> str:
    amount = f"{of.done:,} of {counted(len(of.rows), 'answer')}"
    if of.answering:
        left = f" · {roughly(of.seconds_left)}" if of.seconds_left else ""
        left = f" · {place}" if place else left
        left = " · stopping" if of.status == "stopping" else left
        bar = f'<progress aria-label="Answers" value="{of.done}" max="{len(of.rows)}"></progress>'
        return f'<div class="reading" role="status"><p class="facts">{amount}{left}</p>{bar}</div>'
    ended = {"stopped": " · stopped", "failed": " · ended early"}.get(of.status, "")
    button = f'<button class="download" data-event="take_answers">{_DOWNLOAD[of.form]}</button>'
    return f'<p class="facts ended" role="status">{amount}{ended}{button}</p>'


def _rows(rows: Sequence[Row]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in HEAD[:-1])
    head += f'<th scope="col" title="{CONFIDENCE}">{HEAD[-1]}</th>'
    body = "".join(map(_row, rows))
    return f'<div class="answers"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(row: Row) -> str:
    place = row.place
    page = (
        f'<button class="chip{" verbatim" if place.verbatim else ""}" data-event="open_row" data-row="{row.number}"'
        f' title="{escape(place.quote)}">{citation(place.page, place.label)}</button>'
        if place
        else ""
    )
    answer = escape(row.answer.text) if row.answer.finished else "…"
    own_words = "" if row.answer.is_message else NO_TRANSLATION
    return (
        f'<tr><th scope="row" translate="no">{escape(row.question)}</th><td{own_words}>{answer}</td>'
        f'<td class="from" translate="no">{escape(row.document)}</td><td>{page}</td>'
        f'<td class="number">{_confidence(row)}</td></tr>'
    )


def _confidence(row: Row) -> str:
    """The figure, with a mark where the answer is to be checked; no figure beside what was not found."""
    sure = "" if row.confidence is None else f"<span>{row.confidence:.0%} sure</span>"
    return sure + (f'<span class="doubt" title="{DOUBT}">Check it</span>' if row.doubtful else "")
