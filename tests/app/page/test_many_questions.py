"""Many questions at once: what goes into the list, what stands in the table, and what stops it."""

from __future__ import annotations

import csv
import io
import unicodedata

import pytest

from app.page.many_questions import ManyQuestions
from app.page.panels.table import as_csv, table
from app.page.tabs.many import ManyHandlers
from app.questions import BATCH, columns, read_sheet
from app.serving.provider import EngineProvider
from app.sessions.changes import Changes
from app.sessions.table import Row, Table
from model.types import Answer, Evidence, GenerationOptions
from tests.helpers.awaited import wait_until
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab

LETTER = pdf("Dear Clara, the lamp of the lighthouse will be lit on Friday.", "Yours, Peter Holm")
NOTE = b"The ferry leaves at nine."


@pytest.fixture
def many(tab: Tab) -> ManyHandlers:
    provider = EngineProvider("embedded", lambda *_: tab.engine)
    provider.load()
    tab.session.options = GenerationOptions(max_new_tokens=6)
    return ManyHandlers(sessions=tab.sessions, many=ManyQuestions(provider=provider, sessions=tab.sessions))


def answered(tab: Tab) -> tuple[Row, ...]:
    wait_until(lambda: not tab.session.table.answering)
    return tab.session.table.rows


def test_a_list_is_answered_in_its_order_without_reading_again(tab: Tab, many: ManyHandlers) -> None:
    tab.drop(("letter.pdf", LETTER), ("note.txt", NOTE))
    before = tab.engine.encoder_tokens
    many.ask(tab.session.id, "\n".join(f"Question {number}?" for number in range(20)), "together")
    rows = answered(tab)
    assert [row.question for row in rows] == [f"Question {number}?" for number in range(20)]
    assert all(row.done and row.names == ("letter.pdf", "note.txt") for row in rows)
    assert tab.engine.encoder_tokens == before
    assert tab.session.table.status == "done"


def test_one_question_over_many_documents_is_a_row_a_document(tab: Tab, many: ManyHandlers) -> None:
    tab.drop(("letter.pdf", LETTER), ("note.txt", NOTE))
    many.ask(tab.session.id, "When?", "each")
    assert [(row.question, row.names) for row in answered(tab)] == [
        ("When?", ("letter.pdf",)),
        ("When?", ("note.txt",)),
    ]


def test_a_file_s_other_columns_and_empty_rows_stay_where_they_are() -> None:
    data = b"id,question,owner\n1,Who?,ann\n2,,\n,,\n3,When?,=bob\n\n"
    sheet = read_sheet("list.csv", data)
    table = Table(Changes())
    table.sheet, table.columns = sheet, columns("list.csv", sheet)
    origin = table.origin_of(["Who?", "When?"])
    assert table.origin_of(["Who?", "Why?"]) is None
    answers = [a_row("Who?", "Clara"), a_row("When?", "now")]
    lines = list(csv.reader(io.StringIO(as_csv(answers, origin))))
    assert lines[0][:4] == ["id", "question", "owner", "Answer"]
    assert [line[:4] for line in lines[1:]] == [
        ["1", "Who?", "ann", "Clara"], ["2", "", "", ""], ["", "", "", ""], ["3", "When?", "'=bob", "now"]
    ]  # fmt: skip
    twice = list(csv.reader(io.StringIO(as_csv([*answers, *answers], origin))))
    assert len(twice) == 9 and all(len(line) == 8 for line in twice)


def test_the_same_answers_as_one_by_one(tab: Tab, many: ManyHandlers) -> None:
    tab.drop(("letter.pdf", LETTER))
    questions = ["Who wrote?", "When is it lit?", "Which lamp?"]
    many.ask(tab.session.id, "\n".join(questions), "together")
    encoded, options = tab.session.documents[0].encoded, tab.session.options
    alone = [list(tab.engine.answer(encoded, question, options=options))[-1].text for question in questions]
    assert [row.answer.text for row in answered(tab)] == alone


def test_stop_keeps_what_is_answered_and_says_so(tab: Tab, many: ManyHandlers) -> None:
    tab.drop(("letter.pdf", LETTER))
    many.ask(tab.session.id, "\n".join(["Who?"] * 100), "together")
    wait_until(lambda: tab.session.table.done > 0)
    many.stop(tab.session.id)
    rows = answered(tab)
    assert tab.session.table.status == "stopped"
    assert 0 < sum(row.done for row in rows) < 100
    assert "stopped" in table(tab.session.table)


def test_stop_works_before_the_first_answer_too(tab: Tab, many: ManyHandlers) -> None:
    tab.drop(("letter.pdf", LETTER))
    many.ask(tab.session.id, "\n".join(["Who?"] * 100), "together")
    many.stop(tab.session.id)
    answered(tab)
    assert tab.session.table.status == "stopped"
    assert tab.session.table.done <= BATCH


def test_questions_times_documents_have_the_same_limit(tab: Tab, many: ManyHandlers) -> None:
    tab.drop(("letter.pdf", LETTER), ("note.txt", NOTE))
    many.ask(tab.session.id, "\n".join(["Who?"] * 300), "each")
    assert "300 questions to each of 2 documents are 600 rows; the limit is 500" in tab.session.table.problem


@pytest.mark.parametrize(
    ("text", "words"),
    [("\n  \n", "0 questions"), ("Who?\n" * 10_000, "10,000 questions; the limit is 500"), ("x" * 2_001, "Line 1")],
)
def test_a_list_that_cannot_be_asked_changes_nothing(tab: Tab, many: ManyHandlers, text: str, words: str) -> None:
    tab.drop(("letter.pdf", LETTER))
    many.ask(tab.session.id, "Who?", "together")
    before = answered(tab)
    many.ask(tab.session.id, text, "together")
    assert words in tab.session.table.problem
    assert tab.session.table.rows == before


def test_without_a_ticked_document_there_is_nothing_to_ask(tab: Tab, many: ManyHandlers) -> None:
    many.ask(tab.session.id, "Who?", "together")
    assert "0 documents are ticked" in tab.session.table.problem


def test_a_forgotten_document_ends_the_list_in_words(tab: Tab, many: ManyHandlers) -> None:
    tab.drop(("letter.pdf", LETTER), ("note.txt", NOTE))
    many.ask(tab.session.id, "\n".join(["Who?"] * 16), "each")
    tab.sessions.forget(tab.session, tab.session.documents[1].key)
    answered(tab)
    assert "no longer here" in tab.session.table.problem
    assert tab.session.table.done == 16


def test_a_dropped_csv_fills_the_list_and_its_columns_can_be_chosen(tab: Tab, many: ManyHandlers) -> None:
    path = tab.folder / "list.csv"
    path.write_bytes(b"id,question\n1,Who?\n2,When?\n")
    update = many.take(tab.session.id, str(path))
    assert (update.list, update.columns) == ("Who?\nWhen?", ("question", "id"))
    assert many.choose(tab.session.id, "id").list == "1\n2"
    assert not path.exists()


def test_a_csv_without_a_column_is_refused_with_its_reason(tab: Tab, many: ManyHandlers) -> None:
    path = tab.folder / "empty.csv"
    path.write_bytes(b"")
    assert many.take(tab.session.id, str(path)).list is None
    assert "empty.csv has no column" in tab.session.table.problem


def test_the_page_of_a_row_opens_with_its_places_marked(tab: Tab, many: ManyHandlers) -> None:
    tab.drop(("letter.pdf", LETTER))
    many.ask(tab.session.id, "Who?", "together")
    (row,) = answered(tab)
    tab.session.show(None)
    many.open_row(tab.session.id, tab.event(row="1"))
    assert row.answer.evidence
    assert tab.session.shown is not None
    assert tab.session.shown.page == row.answer.evidence[0].page
    assert "mark" in str(tab.screen.everything(tab.session).viewer)


def a_row(question: str, text: str, quote: str = "x") -> Row:
    place = Evidence(document="a.pdf", document_index=0, page=3, start=0, end=1, quote=quote, score=1, verbatim=True)
    answer = Answer(question=question, text=text, finished=True, stop_reason="end", confidence=0.816, evidence=(place,))
    return Row(number=1, question=question, sources=("a",), names=("a.pdf",), answer=answer)


def test_the_csv_has_what_the_table_shows() -> None:
    (head, row) = csv.reader(io.StringIO(as_csv([a_row("Who, then?", 'the "lamp"')])))
    assert head == ["Question", "Answer", "Document", "Page", "Text there", "Score"]
    assert row == ["Who, then?", 'the "lamp"', "a.pdf", "3", "x", "0.82"]


SIGNS = [sign for sign in map(chr, range(0x110000)) if unicodedata.normalize("NFKC", sign) in ("=", "+", "-", "@")]


@pytest.mark.parametrize(
    "text", ['=HYPERLINK("http://evil.example")', "+1+1", "@SUM(A1)", "-A1", " =1+1", "\t7", "\r7"]
)
def test_a_spreadsheet_computes_nothing_of_what_a_document_says(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(as_csv([a_row("?", text)]), newline=""))
    assert row[1] == f"'{text}"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_sign_begins_a_cell_whatever_parts_the_cells(separator: str) -> None:
    """Also for a spreadsheet that parts cells elsewhere, as some countries do."""
    for sign in SIGNS:
        for before in ("", "1;", "a\t", "b\r", "c\n", "-5; "):
            written = as_csv([a_row("?", f"{before}{sign}2+3")])
            cells = [cell for row in csv.reader(io.StringIO(written, newline=""), delimiter=separator) for cell in row]
            assert not [cell for cell in cells if cell.lstrip().startswith(tuple(SIGNS))]


def test_every_cell_stands_in_quotes() -> None:
    (_, line) = as_csv([a_row("Who; and when?", "a\tb")]).splitlines()
    assert line == '"Who; and when?","a\tb","a.pdf","3","x","0.82"'


@pytest.mark.parametrize("text", ["-12.5", "+3", "1,084.50", "-12 500"])
def test_numbers_stay_numbers(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(as_csv([a_row("?", text)])))
    assert row[1] == text
