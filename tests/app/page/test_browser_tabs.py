"""A person at the other tabs: many questions, and contents and search. A tiny checkpoint answers, at random."""

from __future__ import annotations

import csv
import io

import pytest
from playwright.sync_api import Page, expect
from xlsxwriter import Workbook

from app.documents.opening import first_sheet
from app.page.answers_file import ADDED
from tests.helpers.browser import SLOW, WITH_A_TINY_CHECKPOINT, Visit
from tests.helpers.stand_ins import pdf

LETTER = pdf(
    "Invoice 2024-118\nDate: 3 March 2024\nSeller: Harbour Lights Ltd\nCustomer: Clara Jensen\nTotal: 1,084.50 pounds",
    "Payment is due within thirty days. The lamp of the lighthouse is guaranteed for five years.",
)
NOTE = b"Invoice 77\nDate: 9 June 2023\nCustomer: Omar Haddad\nTotal: 12.00 pounds"
pytestmark = WITH_A_TINY_CHECKPOINT


@pytest.fixture
def visit(tiny_visit: Visit) -> Visit:
    return tiny_visit


def to_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def drop_csv(page: Page, name: str, data: bytes) -> None:
    page.locator("#csv input[type=file]").set_input_files({"name": name, "mimeType": "text/csv", "buffer": data})


def test_a_csv_of_questions_becomes_a_table_that_can_be_downloaded(visit: Visit) -> None:
    page = visit.page
    visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_contain_text("2 pages", timeout=SLOW)
    to_tab(page, "Many questions")
    drop_csv(page, "list.csv", b"id;question\n1;Who is the customer?\n2;What is the total?\n3;Who is the seller?\n")
    expect(page.get_by_label("Questions, one a line")).to_have_value(
        "Who is the customer?\nWhat is the total?\nWho is the seller?"
    )
    expect(page.get_by_label("Column with the questions")).to_have_value("question")
    page.get_by_role("button", name="Ask all").click()
    expect(page.locator(".many .ended")).to_contain_text("3 of 3 answers", timeout=SLOW)
    expect(page.locator(".answers tbody tr")).to_have_count(3)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert download.value.suggested_filename == "answers.csv"
    assert rows[0] == ["id", "question", *ADDED]
    assert [row[0] for row in rows[1:]] == ["1", "2", "3"]
    assert [row[1] for row in rows[1:]] == ["Who is the customer?", "What is the total?", "Who is the seller?"]
    assert all(row[2] and row[3] == "letter.pdf" and (row[6] == "" or 0 <= float(row[6]) <= 1) for row in rows[1:])

    page.locator(".answers .chip").first.click()
    expect(page.get_by_role("tab", name="Ask", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator(".sheet .mark").first).to_be_visible()


def test_one_question_over_two_documents_is_a_table_of_two_rows(visit: Visit) -> None:
    page = visit.page
    visit.drop(("letter.pdf", LETTER), ("note.txt", NOTE))
    expect(page.locator("li.document")).to_have_count(2, timeout=SLOW)
    to_tab(page, "Many questions")
    page.get_by_label("Questions, one a line").fill("Who is the customer?")
    page.get_by_label("Each ticked document by itself").check()
    page.get_by_role("button", name="Ask all").click()
    expect(page.locator(".many .ended")).to_contain_text("2 of 2 answers", timeout=SLOW)
    expect(page.locator(".answers td.from")).to_have_text(["letter.pdf", "note.txt"])


def test_a_long_list_shows_its_progress_and_stops(visit: Visit) -> None:
    page = visit.page
    visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_be_visible(timeout=SLOW)
    to_tab(page, "Many questions")
    page.get_by_label("Questions, one a line").fill("\n".join(["What is the date?"] * 200))
    page.get_by_role("button", name="Ask all").click()
    expect(page.locator(".many progress")).to_be_visible(timeout=SLOW)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".many .ended")).to_contain_text("stopped", timeout=SLOW)
    expect(page.get_by_role("button", name="Ask all")).to_be_visible()


def test_lists_that_cannot_be_asked_say_why(visit: Visit) -> None:
    page = visit.page
    problem = page.locator("#table-problem-panel .problem")
    to_tab(page, "Many questions")
    page.get_by_label("Questions, one a line").fill("Who?")
    page.get_by_role("button", name="Ask all").click()
    expect(problem).to_contain_text("0 documents are ticked", timeout=SLOW)
    visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_be_visible(timeout=SLOW)
    for text, words in (("  ", "The list has 0 questions"), ("Who?\n" * 501, "501 questions; the limit is 500")):
        page.get_by_label("Questions, one a line").fill(text)
        page.get_by_role("button", name="Ask all").click()
        expect(problem).to_contain_text(words, timeout=SLOW)
    drop_csv(page, "empty.csv", b"")
    expect(problem).to_contain_text("empty.csv", timeout=SLOW)
    drop_csv(page, "sheet.csv", b"\x89PNG\r\n\x1a\n\x00")
    expect(problem).to_contain_text("is no text", timeout=SLOW)
    drop_csv(page, "sheet.xlsx", b"PK\x03\x04\x00\x00")
    expect(problem).to_contain_text("is a damaged ZIP archive", timeout=SLOW)


def test_an_excel_file_of_questions_comes_back_with_its_answers(visit: Visit) -> None:
    page, file = visit.page, io.BytesIO()
    with Workbook(file, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Questions")
        for at, row in enumerate((["id", "question"], [1, "Who is the customer?"], [], [3, "Who is the seller?"])):
            sheet.write_row(at, 0, row)
    visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_contain_text("2 pages", timeout=SLOW)
    to_tab(page, "Many questions")
    drop_csv(page, "list.xlsx", file.getvalue())
    expect(page.get_by_label("Questions, one a line")).to_have_value(
        "Who is the customer?\nWho is the seller?", timeout=SLOW
    )
    page.get_by_role("button", name="Ask all").click()
    expect(page.locator(".many .ended")).to_contain_text("2 of 2 answers", timeout=SLOW)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download Excel file").click()
    assert download.value.suggested_filename == "answers.xlsx"
    rows = first_sheet(download.value.path().read_bytes(), "answers.xlsx")
    assert rows[0] == ("id", "question", *ADDED)
    assert [row[:2] for row in rows[1:]] == [
        ("1", "Who is the customer?"), ("", ""), ("3", "Who is the seller?")
    ]  # fmt: skip
    assert rows[1][3] == rows[3][3] == "letter.pdf"


def test_contents_text_and_words_of_a_document(visit: Visit) -> None:
    page = visit.page
    visit.drop(("letter.pdf", LETTER))
    expect(page.locator("li.document")).to_be_visible(timeout=SLOW)
    to_tab(page, "Contents and search")
    expect(page.locator(".seen pre")).to_contain_text("Clara Jensen")
    page.locator(".seen").get_by_role("button", name="Next page").click()
    expect(page.locator(".seen pre")).to_contain_text("guaranteed for five years", timeout=SLOW)

    page.get_by_label("Find in the ticked documents").fill("harbour  lights")
    page.get_by_label("Find in the ticked documents").press("Enter")
    expect(page.locator(".hits li")).to_have_count(1, timeout=SLOW)
    page.locator(".hits .open").click()
    expect(page.get_by_role("tab", name="Ask", exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("img", name="Page 1 of letter.pdf")).to_be_visible(timeout=SLOW)
    expect(page.locator(".sheet .mark").first).to_be_visible()
