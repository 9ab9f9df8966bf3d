"""The table of answers as a file: what stands in its cells, and what no spreadsheet computes."""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile
from dataclasses import replace

import pytest

from app.page.answers_file import as_csv, as_xlsx
from app.page.panels.table import table
from app.questions import columns_of, read_sheet, sheet_of
from app.sessions.changes import Changes
from app.sessions.table import Row, Table
from model.types import Answer, Evidence


def test_a_file_s_other_columns_and_empty_rows_stay_where_they_are() -> None:
    data = b"id,question,owner\n1,Who?,ann\n2,,\n,,\n3,When?,=bob\n\n"
    sheet = read_sheet("list.csv", data)
    table = Table(Changes())
    table.sheet, table.columns = sheet, columns_of("list.csv", sheet)
    origin = table.origin_of(["Who?", "When?"])
    assert table.origin_of(["Who?", "Why?"]) is None
    answers = [a_row("Who?", "Clara"), a_row("When?", "now")]
    lines = list(csv.reader(io.StringIO(as_csv(answers, origin))))
    assert lines[0][:4] == ["id", "question", "owner", "Answer"]
    assert [line[:4] for line in lines[1:]] == [
        ["1", "Who?", "ann", "Clara"], ["2", "", "", ""], ["", "", "", ""], ["3", "When?", "'=bob", "now"]
    ]  # fmt: skip
    twice = list(csv.reader(io.StringIO(as_csv([*answers, *answers], origin))))
    assert len(twice) == 9 and all(len(line) == 9 for line in twice)


def test_no_cell_of_a_workbook_is_a_formula_and_its_numbers_are_numbers() -> None:
    signs = ["=1+1", "+1+1", "-A1", "@SUM(A1)", " =1", '=HYPERLINK("http://evil.example")', "007", "x" * 40_000, "-5"]
    sheet = sheet_of("a.xlsx", [["question", "n"], *([sign, "12.5"] for sign in signs)], size=1, form="xlsx")
    table = Table(Changes())
    table.sheet, table.columns = sheet, columns_of("a.xlsx", sheet)
    origin = table.origin_of(table.columns[0].cells)
    assert origin is not None
    data = as_xlsx([a_row(sign, sign) for sign in signs], origin)
    cells = sheet_xml(data)
    assert "<f>" not in cells and "hyperlink" not in cells.lower()
    texts = 8 + len(signs) - 1 + 3 * len(signs)  # names; questions but for -5; answers, documents and quotes
    assert cells.count('t="s"') == texts
    assert cells.count("<v>12.5</v>") == len(signs) and cells.count("<v>-5</v>") == 1


def sheet_xml(workbook: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(workbook)) as file:
        return file.read("xl/worksheets/sheet1.xml").decode()


def a_row(question: str, text: str, quote: str = "x") -> Row:
    place = Evidence(document="a.pdf", document_index=0, page=3, start=0, end=1, quote=quote, score=1, verbatim=True)
    answer = Answer(question=question, text=text, finished=True, stop_reason="end", confidence=0.816, evidence=(place,))
    return Row(number=1, question=question, sources=("a",), names=("a.pdf",), answer=answer)


def test_the_csv_has_what_the_table_shows() -> None:
    (head, row) = csv.reader(io.StringIO(as_csv([a_row("Who, then?", 'the "lamp"')])))
    assert head == [
        *["Question", "Answer", "Document", "Page"],
        "Text there",
        "Confidence that it is right",
        "Check it",
    ]
    assert row == ["Who, then?", 'the "lamp"', "a.pdf", "3", "x", "0.82", ""]


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
    assert line == '"Who; and when?","a\tb","a.pdf","3","x","0.82",""'


@pytest.mark.parametrize("text", ["-12.5", "+3", "1,084.50", "-12 500"])
def test_numbers_stay_numbers(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(as_csv([a_row("?", text)])))
    assert row[1] == text


def test_what_was_not_found_has_no_figure_and_what_is_doubtful_is_marked() -> None:
    found, doubtful, absent = a_row("Who?", "Ada"), a_row("When?", "now"), a_row("Why?", "I could not find this")
    doubtful = replace(doubtful, answer=replace(doubtful.answer, doubtful=True))
    absent = replace(absent, answer=replace(absent.answer, is_message=True, found=False))
    (_, *rows) = csv.reader(io.StringIO(as_csv([found, doubtful, absent])))
    assert [row[-2:] for row in rows] == [["0.82", ""], ["0.82", "yes"], ["", ""]]
    shown = Table(Changes())
    shown.begin([replace(row, number=at) for at, row in enumerate([found, doubtful, absent])])
    html = table(shown)
    assert html.count("82% sure") == 2 and html.count(">Check it<") == 1
    assert html.index("82% sure") < html.index(">Check it<") < html.index("I could not find this")
