"""Many questions at once: what goes into the list, what stands in the table, and what stops it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from xlsxwriter import Workbook

from app.documents import DocumentReader
from app.page.answers_file import ADDED
from app.page.many_questions import ManyQuestions
from app.page.panels.table import table
from app.page.tabs.many import ManyHandlers
from app.page.update import Update
from app.questions import BATCH
from app.serving.provider import EngineProvider
from app.sessions.table import Row
from model.types import GenerationOptions
from tests.helpers.awaited import awaited, wait_until
from tests.helpers.office import archive
from tests.helpers.stand_ins import pdf
from tests.helpers.tab import Tab

LETTER = pdf("Dear Clara, the lamp of the lighthouse will be lit on Friday.", "Yours, Peter Holm")
NOTE = b"The ferry leaves at nine."


@pytest.fixture
def many(tab: Tab, page_reader: DocumentReader) -> ManyHandlers:
    provider = EngineProvider("embedded", lambda *_: tab.engine)
    provider.load()
    tab.session.options = GenerationOptions(max_new_tokens=6)
    asking = ManyQuestions(provider=provider, sessions=tab.sessions)
    return ManyHandlers(sessions=tab.sessions, many=asking, reader=page_reader, folder=tab.folder)


def take(tab: Tab, many: ManyHandlers, name: str, data: bytes) -> Update:
    path = tab.folder / name
    path.write_bytes(data)
    taken = awaited(many.take(tab.session.id, str(path)))
    assert not path.exists()
    return taken


def a_workbook(*rows: list[object], before: tuple[str, ...] = ()) -> bytes:
    """Its sheet of questions comes after these, which are empty."""
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        for title in (*before, "Questions"):
            sheet = book.add_worksheet(title)
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, row)
    return file.getvalue()


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
    update = take(tab, many, "list.csv", b"id,question\n1,Who?\n2,When?\n")
    assert (update.list, update.columns) == ("Who?\nWhen?", ("question", "id"))
    assert many.choose(tab.session.id, "id").list == "1\n2"


def test_a_workbook_comes_back_as_one_with_the_answers_beside_its_rows(
    tab: Tab, many: ManyHandlers, page_reader: DocumentReader
) -> None:
    tab.drop(("letter.pdf", LETTER))
    asked = a_workbook(
        ["id", "Frage", "owner", "due"], [7, "Who?", "=1+1", 0.5], [], [8, "", "@ann"], [9, "When?"], before=("Notes",)
    )
    update = take(tab, many, "list.xlsx", asked)
    assert (update.list, (update.columns or ("",))[0]) == ("Who?\nWhen?", "Frage")
    many.ask(tab.session.id, update.list or "", "together")
    first, second = (row.answer.text for row in answered(tab))
    taken = Path(str(many.take_answers(tab.session.id).download))
    assert taken.name == "answers.xlsx"
    rows = page_reader.first_sheet(taken.read_bytes(), name="answers.xlsx")
    assert rows[0] == ("id", "Frage", "owner", "due", *ADDED)
    assert [row[:5] for row in rows[1:]] == [
        ("7", "Who?", "=1+1", "0.5", first.strip()), ("", "", "", "", ""), ("8", "", "@ann", "", ""),
        ("9", "When?", "", "", second.strip()),
    ]  # fmt: skip
    many.ask(tab.session.id, "Why?", "together")  # another list: the file's form stays
    answered(tab)
    assert str(many.take_answers(tab.session.id).download).endswith("answers.xlsx")


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("list.xlsx", a_workbook(), "list.xlsx has no column"),
        ("list.xlsx", b"PK\x03\x04\x00\x00", "damaged"),
        ("list.xlsx", archive({"note.txt": "Who?"}), "'list.xlsx' is no Excel workbook"),
        ("list.csv", b"\x89PNG\r\n\x1a\n\x00", "list.csv is no text"),
    ],
)
def test_a_spreadsheet_that_cannot_be_asked_is_refused_and_the_one_before_stays(
    tab: Tab, many: ManyHandlers, name: str, data: bytes, words: str
) -> None:
    take(tab, many, "good.csv", b"id,question\n1,Who?\n")
    assert take(tab, many, name, data).list is None
    assert words in tab.session.table.problem
    assert many.choose(tab.session.id, "id").list == "1"


def test_a_sheet_as_wide_and_high_as_excel_lets_it_be_is_refused_in_words(tab: Tab, many: ManyHandlers) -> None:
    file = io.BytesIO()
    with Workbook(file, {"in_memory": True}) as book:
        book.add_worksheet().write_string(1_048_575, 16_383, "Who?")
    take(tab, many, "list.xlsx", file.getvalue())
    assert "has 1,048,576 rows and 16,384 columns on its first sheet" in tab.session.table.problem


def test_a_csv_without_a_column_is_refused_with_its_reason(tab: Tab, many: ManyHandlers) -> None:
    assert take(tab, many, "empty.csv", b"").list is None
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
