"""Kinds of tables that were once taken apart, each with a table of its own."""

import pymupdf

from tests.helpers.placed_pages import Placed, page_with, read

TREES = (("Oak", "12", "340"), ("Lime", "7", "95"), ("Ash", "31", "1,208"))


def _grid(xs: tuple[float, ...], ys: tuple[float, ...]) -> list[tuple[float, float, float, float]]:
    return [(xs[0], y, xs[-1], y) for y in ys] + [(x, ys[0], x, ys[-1]) for x in xs]


def test_shaded_text_within_the_cells_of_a_grid_makes_no_columns() -> None:
    xs, ys = (60.0, 160.0, 260.0, 360.0), (80.0, 104.0, 128.0, 152.0, 176.0)
    with pymupdf.open() as document:
        page = document.new_page()
        for row, texts in enumerate((("Tree", "Number", "Height"), *TREES)):
            page.draw_rect(pymupdf.Rect(66, ys[row] + 5, 154, ys[row] + 19), color=None, fill=(1, 1, 0.7))
            for x, text in zip(xs, texts, strict=False):
                page.insert_text((x + 10, ys[row] + 16), text, fontsize=10)
        for x0, y0, x1, y1 in _grid(xs, ys):
            page.draw_line((x0, y0), (x1, y1))
        found = read(page, 1)

    assert "Lime - Number: 7; Height: 95" in found.text
    assert found.tables[0].columns == 3


def test_a_column_without_rules_between_two_grids_belongs_to_their_table() -> None:
    ys = (80.0, 104.0, 128.0, 152.0, 176.0)
    texts: list[Placed] = []
    for row, (tree, number, height) in enumerate((("Tree", "Number", "Height"), *TREES)):
        texts += [(66, ys[row] + 16, tree), (176, ys[row] + 16, number), (266, ys[row] + 16, height)]
    rules = [*_grid((60.0, 110.0, 160.0), ys), *_grid((250.0, 300.0, 350.0), ys)]
    text = page_with(*texts, rules=tuple(rules)).text

    assert "Ash - Number: 31; Height: 1,208" in text


def test_a_label_of_two_lines_stands_before_the_figures_in_their_middle() -> None:
    texts: list[Placed] = [(210, 92, "1998"), (280, 92, "1999"), (350, 92, "2000")]
    for row, goes_on in enumerate(("state forests", "private land")):
        top = 120 + 40 * row
        texts += [(60, top, "Timber sold from"), (60, top + 12, goes_on)]
        texts += [(x, top + 6, str(400 + 100 * row + column)) for column, x in enumerate((210, 280, 350))]
    texts += [(60, 200, "Total"), (210, 200, "900"), (280, 200, "902"), (350, 200, "904")]
    text = page_with(*texts).text

    assert "Timber sold from private land - 1998: 500; 1999: 501; 2000: 502" in text


def test_rules_above_sums_do_not_cut_figures_off_from_their_labels() -> None:
    texts: list[Placed] = [(260, 92, "2021"), (340, 92, "2022")]
    rows = [("Fares", "310", "355"), ("Grants", "90", "80"), ("Income", "400", "435"), ("Wages", "205", "230"),
            ("Energy", "60", "75"), ("Costs", "265", "305"), ("Surplus", "135", "130")]  # fmt: skip
    for row, (label, one, other) in enumerate(rows):
        texts += [(60, 112 + 15 * row, label), (264, 112 + 15 * row, one), (344, 112 + 15 * row, other)]
    rules = tuple((250.0, 112 + 15 * row - 11, 370.0, 112 + 15 * row - 11) for row in (2, 5, 6))
    text = page_with(*texts, rules=rules).text

    assert "Income - 2021: 400; 2022: 435" in text
    assert "Surplus - 2021: 135; 2022: 130" in text


def test_headings_end_at_the_rule_below_them_and_the_caption_is_none() -> None:
    texts: list[Placed] = [
        (60, 92, "Table 7. Bridges by the year of their opening"),
        (60, 112, "Bridge"),
        (190, 112, "Opened"),
    ]
    texts += [(290, 112, "Spans"), (60, 132, "North line")]
    rows = (("Harbour", "1871", "9"), ("Mill Lane", "1884", "3"), ("Castle", "1902", "5"), ("Weir", "1911", "4"))
    for row, bridge in enumerate(rows):
        texts += [(x, 150 + 15 * row, text) for x, text in zip((60, 190, 290), bridge, strict=True)]
    rules = tuple((58.0, y, 330.0, y) for y in (98.0, 118.0, 204.0))
    text = page_with(*texts, rules=rules).text

    assert "Bridge; Opened; Spans" in text
    assert "North line / Castle - Opened: 1902; Spans: 5" in text


def test_a_label_in_the_middle_of_two_rows_is_said_whole_in_both() -> None:
    texts: list[Placed] = [(66, 94, "Depot"), (146, 94, "Fuel"), (256, 94, "Price")]
    rules = [(60.0, y, 320.0, y) for y in (80.0, 100.0, 160.0, 220.0)]
    rules += [(140.0, y, 320.0, y) for y in (130.0, 190.0)] + [(x, 80.0, x, 220.0) for x in (60.0, 140.0, 250.0, 320.0)]
    for group, (first, second) in enumerate((("Upper", "harbour"), ("Lower", "town"))):
        top = 100 + 60 * group
        texts += [(66, top + 27, first), (66, top + 39, second)]
        for row, fuel in enumerate(("Diesel", "Petrol")):
            texts += [(146, top + 30 * row + 18, fuel), (256, top + 30 * row + 18, f"{group + 1}.{row}5")]
    text = page_with(*texts, rules=tuple(rules)).text

    assert "Upper harbour - Fuel: Diesel; Price: 1.05" in text
    assert "Lower town - Fuel: Petrol; Price: 2.15" in text


def test_rows_of_dots_are_no_rows_of_a_table() -> None:
    texts: list[Placed] = [(200, 92, "1995"), (260, 92, "1996"), (320, 92, "1997")]
    for row, label in enumerate(("Dolls", "Kites", "Tops", "Trains")):
        texts += [(60, 110 + 14 * row, label), (100, 103 + 14 * row, "................")]
        texts += [(x, 110 + 14 * row, str(70 + 10 * row + column)) for column, x in enumerate((200, 260, 320))]
    text = page_with(*texts).text

    assert "Kites - 1995: 80; 1996: 81; 1997: 82" in text
    assert "..." not in text
