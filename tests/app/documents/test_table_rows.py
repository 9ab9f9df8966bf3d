"""Rows of tables whose label, headings or values stand over several lines, several rows or in several parts."""

import pymupdf

from app.documents.lines import Line, Piece
from app.documents.table_rows import aligned_table
from tests.helpers.placed_pages import Placed, page_with, read

YEARS = ((260.0, 92.0, "2019"), (320.0, 92.0, "2020"))


def _figures(y: float, one: str, other: str) -> list[Placed]:
    return [(262, y, one), (322, y, other)]


def test_a_label_that_fills_its_column_goes_on_in_the_close_line_with_the_values() -> None:
    texts: list[Placed] = [*YEARS, (60, 112, "Ferries"), *_figures(112, "31", "28")]
    texts += [(60, 130, "Harbour dues and other"), (60, 141, "Landing charges"), *_figures(141, "507", "498")]
    texts += [(60, 159, "Moorings"), *_figures(159, "77", "81"), (60, 177, "Slipway"), *_figures(177, "12", "9")]
    text = page_with(*texts).text

    assert "Harbour dues and other Landing charges - 2019: 507; 2020: 498" in text


def test_a_label_that_fills_its_column_goes_on_below_its_values() -> None:
    texts: list[Placed] = [*YEARS, (60, 112, "Ferries"), *_figures(112, "31", "28")]
    texts += [(60, 130, "Harbour dues and other"), *_figures(130, "507", "498"), (60, 141, "Landing charges")]
    texts += [(60, 159, "Moorings"), *_figures(159, "77", "81"), (60, 177, "Slipway"), *_figures(177, "12", "9")]
    text = page_with(*texts).text

    assert "Harbour dues and other Landing charges - 2019: 507; 2020: 498" in text
    assert "Moorings - 2019: 77; 2020: 81" in text


def test_a_short_line_above_rows_at_their_distance_heads_them() -> None:
    texts: list[Placed] = [*YEARS, (60, 112, "Ferries and all other boats"), *_figures(112, "31", "28")]
    texts += [(60, 130, "Quays"), (66, 148, "North quay"), *_figures(148, "77", "81")]
    texts += [(66, 166, "South quay"), *_figures(166, "12", "9")]
    text = page_with(*texts).text

    assert "Quays / South quay - 2019: 12; 2020: 9" in text


def test_second_lines_that_found_room_in_the_first_are_no_rest_of_these() -> None:
    texts: list[Placed] = []
    books = (
        ("Tides of the northern coast", "Vera Lund", "7"),
        ("Harbours", "Jon Aker", "19"),
        ("Piers", "Mo Ek", "31"),
    )
    for row, (title, author, first) in enumerate(books):
        texts += [(60, 100 + 36 * row, title), (262, 100 + 36 * row, first), (322, 100 + 36 * row, str(row))]
        texts += [(60, 111 + 36 * row, author)]
    text = page_with(*texts).text

    assert "Harbours Jon Aker" not in text


def test_labels_that_run_to_the_left_are_read_to_the_left() -> None:
    def line(text: str, left: float, y: float) -> Line:
        words = text.split()
        return Line.of(
            Piece(text=word, box=(left + 20 * n, y, left + 20 * n + 16, y + 10)) for n, word in enumerate(words)
        )

    labels = ("ים גדול", "נהר קטן", "אגם עמוק")
    rows = [
        [line(str(10 + y), 60, 20.0 * y), line(str(40 + y), 120, 20.0 * y), line(label, 200, 20.0 * y)]
        for y, label in enumerate(labels)
    ]
    table = aligned_table(rows)

    assert [cell.text for cell in table.cells if cell.across == (2, 3)] == ["גדול ים", "קטן נהר", "עמוק אגם"]


def test_parts_side_by_side_under_the_same_headings_are_one_table() -> None:
    texts: list[Placed] = [(60, 92, "Route"), (150, 92, "Fare"), (240, 92, "Route"), (330, 92, "Fare")]
    left = (("A to B", "12.50"), ("A to C", "18.00"), ("A to D", "21.30"))
    right = (("B to A", "11.00"), ("B to C", "9.40"))
    for row, (route, fare) in enumerate(left):
        texts += [(60, 112 + 18 * row, route), (150, 112 + 18 * row, fare)]
    for row, (route, fare) in enumerate(right):
        texts += [(240, 112 + 18 * row, route), (330, 112 + 18 * row, fare)]
    page = page_with(*texts)

    lines = page.text.split("\n")
    assert lines.index("A to D - Fare: 21.30") < lines.index("B to C - Fare: 9.40")
    assert page.tables[0].columns == 2


def test_filled_outlines_of_lines_are_rules() -> None:
    xs, ys = (60.0, 160.0, 260.0, 360.0), (80.0, 120.0, 160.0, 200.0)
    texts = (
        ("Ship", "Built", "Berth"),
        ("Aurora", "1998", "near the long pier"),
        ("Borealis", "2004", "by the old mill"),
    )
    with pymupdf.open() as document:
        page = document.new_page()
        for y in ys:
            page.draw_polyline([(60, y), (360, y), (360, y + 0.5), (60, y + 0.5)], color=None, fill=(0, 0, 0))
        for x in xs:
            page.draw_polyline([(x, 80), (x + 0.5, 80), (x + 0.5, 200), (x, 200)], color=None, fill=(0, 0, 0))
        for row, cells in enumerate(texts):
            for x, text in zip(xs, cells, strict=False):
                words = text.split()
                page.insert_text((x + 6, ys[row] + 14), " ".join(words[:2]), fontsize=10)
                page.insert_text((x + 6, ys[row] + 28), " ".join(words[2:]), fontsize=10)
        found = read(page, 1)

    assert "Aurora - Built: 1998; Berth: near the long pier" in found.text


def test_a_text_in_the_middle_of_several_rows_is_said_in_each() -> None:
    xs, ys = (60.0, 150.0, 240.0, 330.0), (80.0, 100.0, 156.0, 212.0)
    texts: list[Placed] = [(66, 94, "Lake"), (156, 94, "Depth"), (246, 94, "Water")]
    for group, lakes in enumerate(((("Elm", 12), ("Fir", 31), ("Ivy", 8)), (("Oak", 77), ("Rye", 5), ("Yew", 40)))):
        for row, (lake, depth) in enumerate(lakes):
            y = ys[1 + group] + 14 + 16 * row
            texts += [(66, y, lake), (156, y, str(depth))]
        texts.append((246, ys[1 + group] + 30, ("clear", "brown")[group]))
    rules = [(xs[0], y, xs[-1], y) for y in ys] + [(x, ys[0], x, ys[-1]) for x in xs]
    text = page_with(*texts, rules=tuple(rules)).text

    assert "Elm - Depth: 12; Water: clear" in text
    assert "Yew - Depth: 40; Water: brown" in text


def test_a_label_stands_for_the_rows_that_no_rule_parts_from_it() -> None:
    texts: list[Placed] = [(60, 92, "Day"), (160, 92, "Boat"), (280, 92, "Guests"), (350, 92, "Crew")]
    trips = (
        ("3 May", "Aurora", "41", "6"),
        ("", "Borealis", "38", "5"),
        ("4 May", "Aurora", "52", "6"),
        ("", "Corona", "17", "3"),
        ("5 May", "Aurora", "60", "7"),
    )
    for row, trip in enumerate(trips):
        texts += [(x, 112 + 18 * row, text) for x, text in zip((60, 160, 284, 354), trip, strict=True) if text]
    rules = [(56.0, y, 390.0, y) for y in (80.0, 99.0, 135.0, 171.0, 189.0)] + [
        (140.0, y, 390.0, y) for y in (117.0, 153.0)
    ]
    text = page_with(*texts, rules=tuple(rules)).text

    assert "3 May - Boat: Borealis; Guests: 38; Crew: 5" in text
    assert "4 May - Boat: Corona; Guests: 17; Crew: 3" in text


def test_lines_in_the_middle_of_a_table_head_the_rows_below_them() -> None:
    texts: list[Placed] = [(200, 92, "Seen"), (270, 92, "Ringed"), (340, 92, "Lost"), (262, 112, "Sea birds")]
    texts += [(60, 130, "Gulls"), (204, 130, "41"), (274, 130, "12"), (344, 130, "3")]
    texts += [(60, 148, "Terns"), (204, 148, "29"), (274, 148, "8"), (344, 148, "1"), (260, 166, "Land birds")]
    texts += [(60, 184, "Finches"), (204, 184, "77"), (274, 184, "30"), (344, 184, "9")]
    text = page_with(*texts, rules=((58.0, 97.0, 370.0, 97.0),)).text

    assert "Sea birds / Terns - Seen: 29; Ringed: 8; Lost: 1" in text
    assert "Land birds / Finches - Seen: 77; Ringed: 30; Lost: 9" in text


def test_a_heading_of_several_lines_over_every_other_column_stays_over_its_own() -> None:
    texts: list[Placed] = [(60, 122, "Site")]
    for group in range(3):
        texts += [(172 + 120 * group, 98, "Share"), (174 + 120 * group, 110, "of all"), (178 + 120 * group, 122, "(%)")]
        texts.append((134 + 120 * group, 122, "No."))
    for row, site in enumerate(("Cove", "Spit", "Dune")):
        texts.append((60, 146 + 16 * row, site))
        for group in range(3):
            texts += [
                (138 + 120 * group, 146 + 16 * row, str(20 + row)),
                (180 + 120 * group, 146 + 16 * row, str(5 * group + 11)),
            ]
    text = page_with(*texts).text

    assert "Spit - No.: 21; Share of all (%): 11; No.: 21; Share of all (%): 16" in text
