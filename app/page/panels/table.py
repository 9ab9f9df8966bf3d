"""The tab for many questions: how far they are, the table of answers, and the table as a CSV file."""

import base64
import csv
import io
import re
from collections.abc import Iterator, Sequence
from html import escape

from app.page.panels.citation import NO_TRANSLATION, citation
from app.provenance import counted, roughly
from app.questions import Origin
from app.sessions.table import Row, Table
from model.types import Evidence

NEW_COLUMNS = 5  # that stand beside a question
HEAD = ("Question", "Answer", "Document", "Page", "Score")
SCORE = "How likely the answer is right. It is a hint, no proof."
# Where a spreadsheet would compute what a document says: at the beginning of a cell, and after a character that parts
# cells in some countries, so that a part of this cell is taken for one. Unicode has more signs for these four.
_FORMULA = re.compile(
    r"""
    (?: ^ (?=[\t\r\n])
      | (?: ^ | (?<=[;\t\r\n]) ) (?= \s* [=+\-@＝﹦⁼₌＋﹢⁺₊﬩－﹣＠﹫] )
    )
    (?! \s* [+\-] \d [\d.,\x20\xa0]* $ )  # a number with its sign is a number
    """,
    re.VERBOSE,
)


def table(of: Table, place: str = "") -> str:
    """The whole table as HTML; empty where nothing was asked yet."""
    if not of.rows:
        return ""
    return f'<section class="many" aria-label="Answers">{_state(of, place)}{_rows(of.rows)}</section>'


def table_problem(text: str) -> str:
    """Why a list cannot be asked, or has failed; empty where neither is so."""
    return f'<p class="problem" role="alert">{escape(text)}</p>' if text else ""


def as_csv(rows: Sequence[Row], origin: Origin | None = None) -> str:
    """The table as a spreadsheet opens it: every cell in quotes, and what looks like a formula marked as text.

    Questions from a file stand in their rows with all that stood there, the answers beside them.
    """
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    asked = origin.head if origin else HEAD[:1]
    writer.writerow([*map(_safe, asked), *HEAD[1:-1], "Text there", HEAD[-1]])
    for cells, row in _beside(rows, origin):
        writer.writerow([*map(_safe, cells), *(_answer_cells(row) if row else [""] * NEW_COLUMNS)])
    return file.getvalue()


def _beside(rows: Sequence[Row], origin: Origin | None) -> Iterator[tuple[Sequence[str], Row | None]]:
    """What was there, with the answer that belongs beside it; a file is gone through once for each way it was asked."""
    if origin is None:
        yield from (((row.question,), row) for row in rows)
        return
    left = iter(rows)
    for _ in range(0, len(rows), len(origin.column.cells)):
        for cells in origin.sheet.rows:
            yield cells, next(left, None) if cells[origin.column.index].strip() else None


def _answer_cells(row: Row) -> list[str]:
    place = _place(row)
    quote = " ".join(place.quote.split()) if place else ""
    cells = (row.answer.text, _document(row), str(place.page) if place else "", quote)
    return [*map(_safe, cells), f"{row.answer.confidence:.2f}" if row.done else ""]


def _safe(cell: str) -> str:
    return _FORMULA.sub("'", cell)


def _state(of: Table, place: str) -> str:
    amount = f"{of.done:,} of {counted(len(of.rows), 'answer')}"
    if of.answering:
        left = f" · {roughly(of.seconds_left)}" if of.seconds_left else ""
        left = f" · {place}" if place else left
        left = " · stopping" if of.status == "stopping" else left
        bar = f'<progress aria-label="Answers" value="{of.done}" max="{len(of.rows)}"></progress>'
        return f'<div class="reading" role="status"><p class="facts">{amount}{left}</p>{bar}</div>'
    ended = {"stopped": " · stopped", "failed": " · ended early"}.get(of.status, "")
    data = base64.b64encode(as_csv(of.rows, of.origin).encode("utf-8-sig")).decode("ascii")
    link = f'<a class="download" download="answers.csv" href="data:text/csv;base64,{data}">Download CSV</a>'
    return f'<p class="facts ended" role="status">{amount}{ended}{link}</p>'


def _rows(rows: Sequence[Row]) -> str:
    head = "".join(f'<th scope="col">{name}</th>' for name in HEAD[:-1]) + f'<th scope="col" title="{SCORE}">Score</th>'
    body = "".join(map(_row, rows))
    return f'<div class="answers"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _row(row: Row) -> str:
    place = _place(row)
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
        f'<td class="from" translate="no">{escape(_document(row))}</td><td>{page}</td>'
        f'<td class="number">{_score(row)}</td></tr>'
    )


def _place(row: Row) -> Evidence | None:
    return row.answer.evidence[0] if row.answer.evidence else None


def _document(row: Row) -> str:
    """The one that the answer comes from, or the only one that was asked."""
    place = _place(row)
    return row.names[place.document_index] if place else row.names[0] if len(row.names) == 1 else ""


def _score(row: Row) -> str:
    return f"{row.answer.confidence:.0%}" if row.done else ""
