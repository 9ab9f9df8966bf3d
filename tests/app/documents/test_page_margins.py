"""What stands beside the lines of a text, or is set unlike them, on pages made here."""

import pymupdf
import pytest

from app.documents.across_pages import finished
from model.types import Page
from tests.helpers.placed_pages import in_order, page_with
from tests.helpers.placed_pages import read as read_page

LINES = [
    "The crane began to turn while the", "pilot boat was still made fast to", "the ring. A load of planks,",
    "40 in all, hung over the deck for", "as long as it takes to drink tea,", "and nobody on the quay gave",
    "3 whistles, as the rule wants it.", "Then the chain broke. The mast was", "torn away, and a part of the rail",
    "lay in the water. The foreman sent", "for the harbour master, who came", "in his slippers and wrote it down.",
]  # fmt: skip


def test_numbers_printed_on_the_paper_of_a_pleading_belong_to_no_line_whatever_the_lines_distance() -> None:
    numbers = [(48 if n > 8 else 53, 72 + 27 * n, str(n + 1)) for n in range(25)]
    close = [(78, 72 + 13.5 * row, line) for row, line in enumerate(LINES)]
    wide = [(78, 72 + 27 * (row + 7), line) for row, line in enumerate(LINES)]
    text = " ".join(page_with(*numbers, *close, *wide).text.split())
    assert text.count(" ".join(LINES)) == 2


def test_numbers_at_each_fifth_line_belong_to_no_line() -> None:
    placed = [(90, 72 + 18 * row, line) for row, line in enumerate(LINES)]
    page = page_with(*placed, (60, 72 + 18 * 4, "5"), (56, 72 + 18 * 9, "10"))
    assert " ".join(LINES) in " ".join(page.text.split())


def with_initial(initial: str, first: str, *others: str) -> Page:
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((60, 113), initial, fontsize=30, fontname="tiro")
        left = 61 + pymupdf.get_text_length(initial, "tiro", 30)
        for row, line in enumerate((first, *others)):
            page.insert_text((left if row < 2 else 60, 100 + 12 * row), line, fontname="tiro", fontsize=10)
        return read_page(page, 1)


@pytest.mark.parametrize(
    ("initial", "first", "expected"),
    [
        ("O", "nly two of the boats came back in", "Only two"),
        ("I", "ndustry had left the valley by the", "Industry had"),
        ("I", "went to sea when I was a boy of ten", "I went"),
        ("A", "fter the flood nobody lived in the", "After the"),
        ('"N', 'o," said the ferryman, and went', '"No," said'),
    ],
)
def test_an_initial_several_lines_high_begins_its_word(initial: str, first: str, expected: str) -> None:
    page = with_initial(
        initial, first, "years that followed, and the mills", "stood still from that day on, as they do now."
    )
    assert page.text.startswith(expected)


def test_figures_that_stand_upright_in_vertical_writing_stay_in_it_and_its_title_comes_first(read) -> None:
    columns = ["港祭は2031年8月に", "行われる。会費は三千", "円で、会長は森である"]
    with pymupdf.open() as document:
        page = document.new_page()
        for column, text in enumerate(columns):
            for row, char in enumerate(text):
                page.insert_text((450 - 24 * column, 120 + 15 * row), char, fontname="japan", fontsize=14)
        page.insert_text((250, 60), "港の知らせ", fontname="japan", fontsize=20)
        data = document.tobytes()
    (found,) = read(data).document.pages
    assert [line for line in found.text.split("\n") if line] == ["港の知らせ", *columns]


def test_a_list_of_lines_that_differ_in_their_numbers_is_no_running_head() -> None:
    pages = [
        page_with(*((60, 40 + 14 * row, f"Crate {row} of load {number}") for row in range(55))) for number in (1, 2, 3)
    ]
    assert all(f"Crate 0 of load {n}" in page.text for n, page in zip((1, 2, 3), finished(pages), strict=True))


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("the board asked for 60-", "75 crowns a day", "60-75 crowns"),
        ("and a follow-", "up visit", "follow-up visit"),
        ("the re-", "elected treasurer", "re-elected treasurer"),
        ("the part-", "ner of the firm", "partner of"),
        ("some six-", "teen boats", "sixteen boats"),
    ],
)
def test_a_line_end_within_a_compound_or_a_range_keeps_its_hyphen(first: str, second: str, expected: str) -> None:
    (page,) = finished([page_with((60, 100, first), (60, 113, second))])
    assert expected in page.text


@pytest.mark.parametrize("bold", [True, False])
def test_long_labels_beside_long_values_in_close_rows_are_read_row_by_row(bold: bool) -> None:
    form = [
        ("Owner of the boat and berth", "Miss Adelheid Sørensen"),
        ("Bank that holds the deposit", "Seamen's Savings Bank"),
        ("Height of mast over water", "eighteen metres and a half"),
        ("Colour in which it is painted", "white with a green stripe"),
    ]
    with pymupdf.open() as document:
        page = document.new_page()
        for row, (label, value) in enumerate(form):
            page.insert_text((60, 100 + 15 * row), label, fontsize=10)
            page.insert_text((300, 100 + 15 * row), value, fontsize=10, fontname="hebo" if bold else "helv")
        text = read_page(page, 1).text
    assert all(f"{label}   {value}" in text for label, value in form)
    assert in_order(text, *(value for _, value in form))


def test_the_letter_of_a_note_stands_in_the_row_of_its_figure() -> None:
    rows = [("Lock", "310", ""), ("Weir", "0.09", "a"), ("Mill", "0.21", "b"), ("Dam", "118", "")]
    with pymupdf.open() as document:
        page = document.new_page()
        for row, (label, value, note) in enumerate(rows):
            page.insert_text((60, 100 + 10.5 * row), label, fontsize=9)
            page.insert_text((200, 100 + 10.5 * row), value, fontsize=9)
            page.insert_text((200 + pymupdf.get_text_length(value, "helv", 9), 96.5 + 10.5 * row), note, fontsize=6)
        text = read_page(page, 1).text
    assert [line.split()[1:] for line in text.split("\n") if line] == [["310"], ["0.09", "a"], ["0.21", "b"], ["118"]]
