"""What a document opens with: spreadsheets, tickets, receipts, Markdown, forms; and what one could ask it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.overview.overview import overview
from app.overview.questions import possible_questions
from app.overview.sheets import sheets
from app.page import panels
from app.sessions.overview import Opening
from model.answering.extractive_summary import sentences
from model.types import Cell, Document, Page, Table
from tests.helpers.stand_ins import loaded
from tests.helpers.tiny import document


def with_table(page: Page, rows: list[list[str]], *, heading: int | None = None) -> Page:
    """The page with a table of these cells below its text, a row a line."""
    text = f"{page.text}\n\n" if page.text else ""
    start, cells = len(text), []
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            cells.append(
                Cell(row=number, column=column, start=len(text), end=len(text) + len(value), header=number == heading)
            )
            text += value + ("; " if column < len(row) - 1 else "\n")
    table = Table(start=start, end=len(text), rows=len(rows), columns=max(map(len, rows)), cells=tuple(cells))
    return replace(page, text=text, tables=(*page.tables, table))


def workbook(*pages: tuple[str, list[list[str]], int | None]) -> Document:
    made = document(*["" for _ in pages], name="lamps.xlsx")
    filled = (
        replace(with_table(page, rows, heading=heading), label=label)
        for page, (label, rows, heading) in zip(made.pages, pages, strict=True)
    )
    return replace(made, pages=tuple(filled))


LAMPS = [["Lamp", "Oil"], ["North", "12"], ["South", "30"]]
BY_YEAR = [["Keeper", "Since"], *([name, str(year)] for name, year in (("Ann", 1990), ("Ben", 1994), ("Cy", 1999)))]


def test_a_spreadsheet_opens_with_its_sheets() -> None:
    seen = overview(workbook(("Sheet 'Lamps'", LAMPS, 0), ("Sheet 'Keepers'", BY_YEAR, None)))
    assert (seen.title, seen.kind, seen.sentences) == ("", "Spreadsheet", ())
    assert [(one.name, one.rows, one.columns, one.headings) for one in seen.sheets] == [
        ("Lamps", 2, 2, ("Lamp", "Oil")),
        ("Keepers", 3, 2, ("Keeper", "Since")),
    ]


def test_a_long_sheet_is_one_whose_title_is_no_row_and_whose_fields_are_no_headings() -> None:
    parts = [(f"Sheet 'Lamps' ({part} of 2)", [["Lamps of the coast"], *LAMPS], 1) for part in (1, 2)]
    fields = ("Sheet 'Sums' (hidden)", [["Lamps", "250"], ["Oil", "92"], ["Rope", "7"]], None)
    assert [(one.name, one.rows, one.headings) for one in sheets(workbook(*parts, fields))] == [
        ("Lamps", 4, ("Lamp", "Oil")),
        ("Sums", 3, ()),
    ]


def test_the_card_of_a_spreadsheet_says_how_large_each_sheet_is() -> None:
    made = workbook(("Sheet '<Lamps>'", LAMPS, 0))
    of = loaded("lamps.xlsx", *made.pages)
    card = panels.conversation(
        [], [panels.Opened(viewed=of, opening=Opening(key=of.key, overview=overview(made), after=0))], waiting_for=""
    )
    assert "Spreadsheet · 1 sheet<" in card
    assert "&lt;Lamps&gt;</b>" in card and "2 rows · 2 columns" in card and "Lamp, Oil" in card


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("---\ntitle: The lamp of Holm\nversions:\n  all: '*'\n---\n\n## Oil\n\nIt burns oil.", "The lamp of Holm"),
        ('---\nlayout: page\ntitle: "The lamp: its oil"\n---\nIt burns oil.', "The lamp: its oil"),
        ("---\nlayout: page\n---\n# The keeper of the lamp\n\nHe rows.", "The keeper of the lamp"),
        ("March 24 meeting of the keepers\n-----\n\nThey met.", "March 24 meeting of the keepers"),
    ],
)  # fmt: skip
def test_front_matter_is_no_title_but_what_it_says_may_be(text: str, title: str) -> None:
    assert overview(document(text, name="lamp.md")).title == title


def test_front_matter_is_no_sentence() -> None:
    said = "The old keeper rows out to the lamp every week."
    text = f"---\ntitle: Lamps\nsummary: The lamp of the harbour is lit by its keeper at dusk.\n---\n{said}"
    assert [one.text for one in sentences(document(text))] == [said]


def test_boxes_to_tick_are_no_sentences() -> None:
    text = (
        "☐ The keeper has filled the lamp with oil today.\n☑ The keeper has cleaned the glass of the lamp.\n\n"
        "Please hand this sheet to the harbour office on Friday evening."
    )
    assert [one.text for one in sentences(document(text))] == [
        "Please hand this sheet to the harbour office on Friday evening."
    ]


TICKET = """YOUR FERRY E-TICKET

HOLM > NORTH ROCK
Passenger: Ann Okafor
12/03/2031 at 18:45
SEAT 14 - DECK B
Price: 12.50 EUR
Please arrive at the pier at least ten minutes before the ferry leaves the harbour.
Dogs travel free of charge on all ferries of the harbour office, but they need a lead.
"""


def test_a_ticket_opens_with_route_date_time_and_seat_not_with_small_print() -> None:
    seen = overview(document(TICKET))
    assert (seen.title, seen.kind) == ("YOUR FERRY E-TICKET", "Ticket")
    said = [one.text for one in seen.sentences]
    assert {"HOLM > NORTH ROCK", "12/03/2031 at 18:45", "SEAT 14 - DECK B"} <= set(said)
    assert not any("arrive" in one or "Dogs" in one for one in said)


def test_a_receipt_opens_with_its_date_and_total() -> None:
    lines = (
        "HOLM LAMPS",
        "1 Pier Road",
        "2031-03-12 18:45",
        "Wick 2 @ 1.20",
        "Oil 1 @ 9.00",
        "TOTAL 11.40",
        "Cashier: Ann",
    )
    said = [one.text for one in overview(document("\n".join(lines))).sentences]
    assert "2031-03-12 18:45" in said and "TOTAL 11.40" in said


def test_a_text_with_a_date_and_a_sum_is_no_form() -> None:
    text = (
        "The harbour office bought a new lamp for the lighthouse on 3 May 2024 at 10:30.\n"
        "Total: 1,084.50 euros\nThe keeper lights the new lamp of the lighthouse every evening at dusk."
    )
    assert [one.text for one in overview(document(text)).sentences if "keeper" in one.text]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("The lamp\n\nFrom: Ann Okafor\nTo: the harbour office\nDate: 3 May 2024\nSubject: The wick", (
            "Who sent it?", "Who was it sent to?", "What is the date?", "What is the subject?")),
        ("News of the lamp\nMedia: Ann Okafor\nContacts: 555 0199\nTel: 555 0199\nSource: Holm\nFact: 3 lamps", ()),
        ("Job title: Lighthouse Warden\nTitle: Warden\nName: Ann", ("What is the job title?",)),
        ("TXN: 9913\nRef: 12\nPoints Earned: 82\nReporting to: Ann", ()),
        ("ANN: is it 5?\nANN: yes, 5\nANN: then 6", ()),
        ("Cashier: Ann Okafor\nNew lamps: 1,250", ("Who is the cashier?", "How many new lamps are there?")),
        ("Payment terms: 15 days\nIBAN: DE00 1234", ("What are the payment terms?", "What is the IBAN?")),
        ("Wick 2.40\nSubtotal 2.40\nTOTAL 3.60", ("What is the total?",)),
        ("Die Lampe ist alt und der Wärter zündet sie an.\nRechnung Nummer: 12", ()),
    ],
)  # fmt: skip
def test_fields_become_questions_that_a_person_would_ask_or_none(text: str, asked: tuple[str, ...]) -> None:
    assert possible_questions(document(text)) == asked


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("“It is lit,” said Ines Barros, the harbour's chief keeper, on Friday.", ("Who is Ines Barros?",)),
        ("Dr. Ines Barros spoke of the lamp.", ("Who is Ines Barros?",)),
        ("Ask Investor Relations, the director of relations with each investor.", ()),
        ("In each of the Big Five, a president rules; they are big and five.", ()),
        ("The lamp of Pier Avenue, where the director lives, is old.", ()),
        ("Ines Barros came to North Rock by ferry.", ()),
    ],
)
def test_who_somebody_is_is_asked_of_people_whose_office_is_told(text: str, asked: tuple[str, ...]) -> None:
    assert possible_questions(document(text)) == asked


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        ([["Lamp", "Price"], ["North Rock", "12"]], ("What is the price of North Rock?",)),
        ([["Month", "Sales"], ["Total", "12"]], ("What are the total sales?",)),
        ([["Costs", "2030", "2031"], ["Net income", "1", "2"]], ("What is the net income in 2031?",)),
        ([["Code", "Lamp"], ["E", "12"]], ()),
        ([["Lamp", "Price / piece"], ["North", "12"]], ()),
    ],
)
def test_cells_are_asked_about_by_names_that_can_be_said(rows: list[list[str]], asked: tuple[str, ...]) -> None:
    made = document("")
    assert possible_questions(replace(made, pages=(with_table(made.pages[0], rows, heading=0),))) == asked
