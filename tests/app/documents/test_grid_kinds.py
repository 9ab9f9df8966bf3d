"""Ruled tables whose rules, shades and neighbours could be taken for more, or for less, than they are."""

from itertools import pairwise

import pymupdf

from app.documents.rules import shaded_areas
from tests.helpers.placed_pages import Placed, page_with, read

Rule = tuple[float, float, float, float]


def _grid(xs: tuple[float, ...], ys: tuple[float, ...]) -> list[Rule]:
    return [(xs[0], y, xs[-1], y) for y in ys] + [(x, ys[0], x, ys[-1]) for x in xs]


def test_a_year_in_the_last_line_of_a_heading_is_no_figure_of_its_column() -> None:
    ys = (80.0, 110.0, 128.0, 146.0, 164.0)
    texts: list[Placed] = []
    for x, heading in ((166, ("wells of the", "1996/7 (000)")), (266, ("people to a well", "1996/7"))):
        texts += [(x, 92 + 12 * number, line) for number, line in enumerate(heading)]
    rows = (("Alm", "73.6", "1111"), ("Bruk", "34.8", "1667"), ("Dal", "9.5", "370"))
    for row, cells in enumerate(rows):
        texts += [(x, 122 + 18 * row, cell) for x, cell in zip((66, 166, 266), cells, strict=True)]
    text = page_with(*texts, rules=tuple(_grid((60.0, 160.0, 260.0, 370.0), ys))).text

    assert "Alm - wells of the 1996/7 (000): 73.6; people to a well 1996/7: 1111" in text


def test_grids_side_by_side_are_tables_of_their_own() -> None:
    ys = (80.0, 98.0, 116.0, 134.0, 152.0)
    texts: list[Placed] = []
    rules: list[Rule] = []
    tables = (
        ("Ferries", ("Nord", "31"), ("Vest", "12"), ("Syd", "8")),
        ("Trams", ("Torg", "44"), ("Havn", "19"), ("Berg", "7")),
        ("Buses", ("Elv", "90"), ("Lund", "61"), ("Moen", "23")),
    )
    for number, (title, *rows) in enumerate(tables):
        left = 40.0 + 175 * number
        rules += _grid((left, left + 100, left + 160), ys)
        for row, cells in enumerate(((title, "Trips"), *rows)):
            texts += [(left + x, ys[row] + 13, cell) for x, cell in zip((4, 104), cells, strict=True)]
    lines = page_with(*texts, rules=tuple(rules)).text.split("\n")

    assert "Vest - Trips: 12" in lines
    assert "Havn - Trips: 19" in lines
    assert "Moen - Trips: 23" in lines


def test_the_shade_of_one_line_of_a_high_cell_makes_no_row() -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        xs, ys = (60.0, 170.0, 260.0, 330.0), [80.0 + 14 * number for number in range(8)]
        lines = [
            *(("Fall", "Kind", "Cases"), ("Burns", "Count", "93"), ("", "Share", "18.8%"), ("Cuts", "Count", "81")),
            *(("", "Share", "16.4%"), ("Long falls and", "Count", "19"), ("slips on ice", "Share", "3.8%")),
        ]
        for row, cells in enumerate(lines):
            for x, cell in zip(xs, cells, strict=False):
                if cell and row:
                    right = xs[xs.index(x) + 1]
                    page.draw_rect((x + 1, ys[row] + 1, right - 1, ys[row] + 12), color=None, fill=(0.9, 0.9, 0.9))
                page.insert_text((x + 4, ys[row] + 10.5), cell, fontsize=9)
        for number, y in enumerate(ys):
            page.draw_line((60 if number in (0, 1, 3, 5, 7) else 170, y), (330, y))
        for x in xs:
            page.draw_line((x, 80), (x, ys[-1]))
        text = read(page, 1).text

    assert "Burns - Kind: Share; Cases: 18.8%" in text
    assert "Cuts - Kind: Count; Cases: 81" in text
    assert "Long falls and slips on ice - Kind: Count; Cases: 19" in text
    assert "Long falls and slips on ice - Kind: Share; Cases: 3.8%" in text


def test_the_shade_of_headings_without_a_rule_below_them_is_kept() -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        xs, ys = (60.0, 160.0, 280.0, 400.0), (80.0, 108.0, 124.0, 140.0, 156.0)
        for left, right in pairwise(xs):
            page.draw_rect((left + 0.5, 80.5, right - 0.5, 93), color=None, fill=(0.8, 0.8, 0.9))
        rows = (
            *(("Rule", "Before", "After"), ("Class", "open", "closed"), ("Term", "a year", "a month")),
            *(("Fee", "none", "ten crowns"), ("Place", "any quay", "north quay")),
        )
        for baseline, row in zip((90, 104, 120, 136, 152), rows, strict=True):
            for x, cell in zip(xs, row, strict=False):
                page.insert_text((x + 4, baseline), cell, fontsize=9)
        for x0, y0, x1, y1 in _grid(xs, ys):
            page.draw_line((x0, y0), (x1, y1))
        text = read(page, 1).text

    assert "Term - Before: a year; After: a month" in text


def test_shades_above_each_other_that_do_not_touch_stay_apart() -> None:
    upper, lower, between = (10.0, 10.0, 90.0, 30.0), (10.4, 200.0, 90.0, 220.0), (10.6, 100.0, 90.0, 120.0)

    assert sorted(shaded_areas([upper, lower, between])) == sorted([upper, lower, between])


def test_prose_beside_a_grid_is_no_column_of_its_labels() -> None:
    prose = (
        *("the storm broke two of the masts and", "nobody could say how long the repair"),
        *("would take, since the timber that was", "needed had to come from the forests"),
        *("beyond the lake, where the road was", "closed until the thaw came and the"),
        "bridge could be crossed again by cart",
    )
    rows = (
        *(("Yard", "n =", "%"), ("North", "60", "27.7"), ("South", "58", "26.7")),
        *(("East", "56", "25.8"), ("West", "22", "10.1"), ("Other", "21", "9.7")),
    )
    texts: list[Placed] = [(60, 92 + 16 * number, line) for number, line in enumerate(prose)]
    for row, cells in enumerate(rows):
        texts += [(x, 108 + 16 * row, cell) for x, cell in zip((254, 334, 384), cells, strict=True)]
    rules = _grid((250.0, 330.0, 380.0, 430.0), tuple(96.0 + 16 * number for number in range(7)))
    text = page_with(*texts, rules=tuple(rules)).text

    assert "South - n =: 58; %: 26.7" in text
    assert "how long the repair\nwould take" in text
