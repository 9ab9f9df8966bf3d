"""Reading order and tables, on pages made here: what stands where, and what is read."""

import pymupdf
import pytest

from app.documents.across_pages import finished
from tests.helpers.placed_pages import LEFT, RIGHT, Placed, in_order, page_with, read


def columns(top: float) -> list[Placed]:
    return [
        (x, top + 13 * row, line) for x, side in ((60, LEFT), (232, RIGHT)) for row, line in enumerate(side)
    ]  # fmt: skip


def test_columns_are_read_one_after_the_other_and_full_lines_above_and_below_them_apart() -> None:
    wide = "This line goes over both of the columns, from the left edge of the page to its right edge."
    page = page_with((60, 70, wide), *columns(110), (60, 200, wide.replace("This", "That")))

    assert in_order(page.text, "This line", *LEFT, *RIGHT, "That line")


def test_labels_stand_before_their_values_and_blocks_of_addresses_stay_together() -> None:
    form = [
        ("Person who looks after the key", "Mr. Aurelio Brandão"),
        ("Number of chairs in the hall", "ninety and two"),
    ]
    form += [("Hour at which the doors open", "a quarter past seven")]
    page = page_with(
        *((x, 100 + 27 * row, text) for row, pair in enumerate(form) for x, text in zip((60, 320), pair, strict=True))
    )
    assert all(f"{label}   {value}" in page.text for label, value in form)

    blocks = (
        ["From:", "Hill & Daughters", "2 Mill Row", "York YO1 7HH"],
        ["To:", "Marsh Brothers", "9 Quay Street", "Hull"],
    )
    page = page_with(
        *((x, 100 + 14 * row, t) for x, block in zip((60, 330), blocks, strict=True) for row, t in enumerate(block))
    )
    assert in_order(page.text, *blocks[0], *blocks[1])


def test_numbers_of_lines_belong_to_no_sentence() -> None:
    lines = [
        "The tenant pays the rent on",
        "the first day of the month;",
        "4 days later a fee is due,",
        "which is half of a day's rent",
        "and is paid with the next one.",
    ]
    page = page_with(
        *((40, 100 + 20 * row, str(row + 1)) for row in range(5)),
        *((70, 100 + 20 * row, t) for row, t in enumerate(lines)),
    )

    assert " ".join(lines) in " ".join(page.text.split())


ROWS = [("Copper", "12.5", "14.0"), ("Tin", "3.1", "2.9"), ("Zinc", "7.7", "8.2"), ("Lead", "0.4", "0.6")]


@pytest.mark.parametrize("ruled", [True, False])
def test_a_row_of_a_table_can_be_understood_alone(ruled: bool) -> None:
    head = [(60, 100, "Metal"), (200, 100, "2001"), (300, 100, "2002")]
    body = [
        (x, 120 + 20 * row, text)
        for row, cells in enumerate(ROWS)
        for x, text in zip((60, 200, 300), cells, strict=True)
    ]
    across = [(55, y, 380, y) for y in range(86, 187, 20)] if ruled else []
    down = [(x, 86, x, 186) for x in (55, 190, 290, 380)] if ruled else []
    page = page_with((60, 70, "Table 1: Output of the mines (in tons)"), *head, *body, rules=(*across, *down))

    assert "Tin (in tons) - 2001: 3.1; 2002: 2.9" in page.text
    (table,) = page.tables
    assert (table.rows, table.columns) == (5, 3)
    assert {page.text[cell.start : cell.end] for cell in table.cells if not cell.header} == {
        c for row in ROWS for c in row
    }
    heads = {word.box for word in page.words if page.text[word.start : word.end] == "2002"}
    assert len(heads) == 1  # a heading that is written again has the place where it is printed


def test_a_cell_over_several_rows_is_said_in_each() -> None:
    texts = [(60, 100, "Year"), (160, 100, "Sex"), (260, 100, "Share"), (60, 130, "1987")]
    texts += [(160, 120, "Men"), (260, 120, "11.0"), (160, 140, "Women"), (260, 140, "6.6")]
    rules = (
        [(55, y, 340, y) for y in (86, 106, 146)]
        + [(155, 126, 340, 126)]
        + [(x, 86, x, 146) for x in (55, 155, 255, 340)]
    )
    page = page_with(*texts, rules=tuple(rules))

    assert "1987 - Sex: Men; Share: 11.0" in page.text
    assert "1987 - Sex: Women; Share: 6.6" in page.text


def test_running_heads_are_read_once_and_broken_words_are_joined() -> None:
    with pymupdf.open() as document:
        for number, line in enumerate(
            ("The council met in the munici-", "pality and went home.", "It was late."), start=1
        ):
            page = document.new_page(width=595, height=842)
            page.insert_text((60, 40), "Chronicle of Ostholm", fontsize=9)
            page.insert_text((290, 820), str(number), fontsize=9)
            page.insert_text((60, 400), line, fontsize=10)
            page.insert_text((60, 414), "The harb-" if number == 3 else "A word", fontsize=10)
            page.insert_text((60, 428), "our is deep." if number == 3 else "for itself.", fontsize=10)
        pages = finished([read(page, number) for number, page in enumerate(document, start=1)])

    text = "\n".join(page.text for page in pages)
    assert text.count("Chronicle") == 1
    assert "harbour is deep" in text
    assert not any(page.text.rstrip().endswith(str(page.number)) for page in pages)
    for page in pages:
        assert all(page.text[word.start : word.end].strip() for word in page.words)
