"""What stands over the columns of a table, where it looks like figures or like something else."""

from collections.abc import Sequence

import pymupdf

from tests.helpers.placed_pages import Placed, page_with, read

COLUMNS = (200, 270, 340, 410)


def _rows(top: float, *rows: Sequence[str], step: float = 16) -> list[Placed]:
    """Rows of a label and figures below each other."""
    return [
        (x, top + step * number, text)
        for number, row in enumerate(rows)
        for x, text in zip((60, *COLUMNS), row, strict=False)
        if text
    ]


FISH = (("Trout", "310", "12", "45", "8"), ("Perch", "205", "9", "31", "6"), ("Eel", "118", "4", "17", "2"))


def test_headings_of_which_some_are_figures_are_headings() -> None:
    text = page_with(*_rows(100, ("Fish", "All", "under-5", "5-12", "over-12"), *FISH)).text

    assert "Trout - All: 310; under-5: 12; 5-12: 45; over-12: 8" in text


def test_dates_with_their_months_stand_over_columns() -> None:
    texts: list[Placed] = []
    rows = (("", "Start", "Second", "Third"), ("", "May 21, 2009", "1 June 2010", "Sept. 30, 2011"), *FISH)
    for number, row in enumerate(rows):
        places = zip((60, 160, 260, 360), row, strict=False)
        texts += [(x, 84 + 16 * number, text) for x, text in places if text]
    text = page_with(*texts).text

    assert "Perch - Start May 21, 2009: 205; Second 1 June 2010: 9; Third Sept. 30, 2011: 31" in text


def test_numbers_that_alone_tell_columns_apart_are_their_headings() -> None:
    texts: list[Placed] = [(290, 84, "Grade of the river")]
    text = page_with(*texts, *_rows(100, ("Fish", "7", "8", "9", "10"), *FISH)).text

    assert "7: 310" in text and "10: 8" in text


def test_numbers_of_columns_below_their_headings_are_left_out() -> None:
    heads = (("Fish", "Caught", "Marked", "Freed", "Lost"), ("(1)", "(2)", "(3)", "(4)", "(5)"))
    text = page_with(*_rows(100, *heads, *FISH)).text

    assert "Eel - Caught: 118; Marked: 4; Freed: 17; Lost: 2" in text


def test_thousands_of_a_currency_are_a_unit_over_the_column() -> None:
    heads = ("Fish", "$000's", "%", "$000's", "%")
    text = page_with(*_rows(100, heads, ("Trout", "4,100", "12.5", "3,900", "8.0"), *FISH[1:])).text

    assert "Trout - $000's: 4,100; %: 12.5; $000's: 3,900; %: 8.0" in text


def test_lines_of_the_page_above_the_title_of_a_table_are_no_headings() -> None:
    above: list[Placed] = [(60, 84, "Volume 7 No. 3"), (270, 84, "Anglers' News"), (390, 84, "North Bank")]
    title: list[Placed] = [(170, 100, "Fish caught from 2/3/2021 to 9/3/2021")]
    text = page_with(*above, *title, *_rows(116, ("Fish", "Caught", "Marked", "Freed", "Lost"), *FISH)).text

    assert "Trout - Caught: 310; Marked: 12; Freed: 45; Lost: 8" in text


def test_headings_in_one_cell_of_a_grid_stand_over_the_columns_below_them() -> None:
    xs, ys = (60.0, 160.0, 220.0, 280.0, 340.0, 400.0), (80.0, 100.0, 120.0, 140.0, 160.0)
    texts: list[Placed] = [(66, 94, "Fish"), (202, 94, "Upper lake"), (322, 94, "Lower lake")]
    for row, cells in enumerate((("", "Caught", "Lost", "Caught", "Lost"), *FISH[:2])):
        texts += [(x + 8, 114 + 20 * row, text) for x, text in zip(xs, cells, strict=False) if text]
    rules = [(xs[0], y, xs[-1], y) for y in ys] + [(x, 100.0, x, ys[-1]) for x in xs]
    rules += [(x, 80.0, x, 100.0) for x in (60.0, 160.0, 400.0)]
    text = page_with(*texts, rules=tuple(rules)).text

    expected = "Trout - Upper lake / Caught: 310; Upper lake / Lost: 12; Lower lake / Caught: 45; Lower lake / Lost: 8"
    assert expected in text


def test_a_label_between_the_rules_below_the_headings_heads_the_rows_below_it() -> None:
    texts = [*_rows(100, ("Fish", "Caught", "Marked", "Freed", "Lost")), (60, 118, "In the lakes")]
    rules = tuple((58.0, y, 440.0, y) for y in (86.0, 105.0, 123.0))
    text = page_with(*texts, *_rows(136, *FISH), rules=rules).text

    assert "In the lakes / Perch - Caught: 205; Marked: 9; Freed: 31; Lost: 6" in text


def test_headings_above_the_shades_of_a_table_stand_over_its_columns() -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        for row in range(3):
            page.draw_rect(
                pymupdf.Rect(58, 120 + 16 * row, 450, 136 + 16 * row), color=None, fill=(0.8, 0.9 - row / 10, 1)
            )
        page.insert_text((205, 92), "Year Ended")
        page.insert_text((60, 60), "Fish that were counted at the two weirs of the river, by the month of the count.")
        for x, y, text in _rows(110, ("", "Jan 26, 2025", "Jan 28, 2024"), step=0):
            page.insert_text((x - 40 + (x - 200) / 2, y), text)
        for x, y, text in _rows(132, *(row[:3] for row in FISH)):
            page.insert_text((x + (x > 60) * (x - 200) / 2, y), text)
        text = read(page, 1).text

    assert "Perch - Year Ended / Jan 26, 2025: 205; Year Ended / Jan 28, 2024: 9" in text
    assert text.startswith("Fish that were counted")


def test_prose_above_a_table_without_headings_is_no_heading() -> None:
    texts: list[Placed] = [(60, 84, "The counts below are those of the year before last, as they"),
                           (60, 96, "were given by the keepers of the weirs and the two locks.")]  # fmt: skip
    text = page_with(*texts, *_rows(112, *FISH)).text

    assert "Trout   310   12   45   8" in text
    assert "locks.\n" in text


def test_headings_in_several_lines_above_figures_are_not_read_as_columns_of_text() -> None:
    texts: list[Placed] = [(60, 96, "Kind of fish"), (300, 72, "Weeks"), (300, 84, "between"), (300, 96, "two counts")]
    rows = [("Trout", "5"), ("Perch", "12"), ("Eel", "8"), ("Pike", "25"), ("Tench", "40")]
    for number, row in enumerate(rows):
        texts += [(x, 124 + 14 * number, text) for x, text in zip((60, 316), row, strict=True)]
    text = page_with(*texts).text

    assert text.index("Kind of fish") < text.index("Trout")
    assert "Pike - Weeks between two counts: 25" in text


def test_an_address_that_runs_across_the_columns_of_a_grid_is_no_heading() -> None:
    xs, ys = (60.0, 140.0, 200.0, 260.0, 320.0, 380.0), (80.0, 100.0, 120.0, 140.0, 160.0)
    texts: list[Placed] = [(66, 94, "Fisheries of the North Bank, 17 Quay Street, at the old customs house")]
    for row, cells in enumerate((("Fish", "Caught", "Marked", "Freed", "Lost"), *FISH[:2])):
        texts += [(x + 6, 114 + 20 * row, text) for x, text in zip(xs, cells, strict=False)]
    rules = [(xs[0], y, xs[-1], y) for y in ys] + [(x, ys[0], x, ys[-1]) for x in xs]
    text = page_with(*texts, rules=tuple(rules)).text

    assert text.startswith("Fisheries of the North Bank, 17 Quay Street, at the old customs house\n")
    assert "Perch - Caught: 205; Marked: 9; Freed: 31; Lost: 6" in text


def test_labels_of_a_form_above_a_table_are_no_headings() -> None:
    texts: list[Placed] = [(196, 72, "Reported by:"), (266, 84, "Licence no.:")]
    text = page_with(*texts, *_rows(100, *FISH)).text

    assert "Trout   310   12   45   8" in text


def test_steps_of_a_scale_without_a_label_are_headings_below_one_over_all_of_them() -> None:
    over = [(60, 82, "Pond"), (275, 82, "Share of the days")]
    text = page_with(*over, *_rows(100, ("", "15", "30", "45", "60"), *FISH)).text

    assert "Perch - Share of the days / 15: 205; Share of the days / 30: 9" in text


def test_headings_that_are_turned_to_fit_their_columns_are_said_before_the_values() -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        for x, heading in zip(COLUMNS[:3], ("Boats", "Nets that were lost", "Weight"), strict=True):
            page.insert_text((x + 10, 92), heading, fontsize=10, rotate=90)
        for x, y, text in _rows(112, *(row[:4] for row in FISH)):
            page.insert_text((x, y), text, fontsize=10)
        found = read(page, 1)

    assert "Perch - Boats: 205; Nets that were lost: 9; Weight: 31" in found.text


def test_a_turned_title_of_an_axis_stays_aside() -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((40, 300), "Catch in tons", fontsize=10, rotate=90)
        for x, y, text in _rows(112, *FISH):
            page.insert_text((x, y), text, fontsize=10)
        assert read(page, 1).text.startswith("Trout")


def test_a_heading_stands_over_all_columns_above_whose_rule_it_stands() -> None:
    texts: list[Placed] = [
        (140, 88, "Boats"),
        (140, 100, "with"),
        (140, 112, "a crew"),
        (232, 88, "Seen at night"),
        (392, 88, "Seen by day"),
    ]
    heads = (
        (60, "Lake"),
        (140, "of two"),
        (200, "No."),
        (250, "(%)"),
        (300, "Hours"),
        (360, "No."),
        (410, "(%)"),
        (460, "Hours"),
    )
    texts += [(x, 124, head) for x, head in heads]
    rows = (
        ("Sel", "610", "38", "6.2", "11", "44", "7.2", "9"),
        ("Orm", "495", "31", "6.3", "12", "51", "10.3", "8"),
        ("Vik", "870", "46", "5.3", "10", "80", "9.2", "7"),
    )
    for number, row in enumerate(rows):
        texts += [(x, 142 + 16 * number, cell) for (x, _), cell in zip(heads, row, strict=True)]
    rules = (
        (196.0, 92.0, 330.0, 92.0),
        (356.0, 92.0, 490.0, 92.0),
        (60.0, 128.0, 490.0, 128.0),
        (60.0, 76.0, 490.0, 76.0),
        (60.0, 182.0, 490.0, 182.0),
    )
    text = page_with(*texts, rules=rules).text

    night = "Seen at night / No.: 38; Seen at night / (%): 6.2; Seen at night / Hours: 11"
    assert f"Sel - Boats with a crew of two: 610; {night}; Seen by day / No.: 44" in text


def test_words_in_brackets_above_a_table_are_a_unit_only_where_they_say_one() -> None:
    heads = _rows(100, ("Fish", "All", "Small", "Large", "Lost"), *FISH)
    aside = page_with((60, 84, "What the wardens do (in addition to counting)"), *heads).text
    unit = page_with((60, 84, "What the wardens caught (in kilograms)"), *heads).text

    assert "Trout - All: 310" in aside
    assert "Trout (in kilograms) - All: 310" in unit
