"""Kinds of pages that were once read in the wrong order, or with words left out."""

import pymupdf

from tests.helpers.placed_pages import LEFT, RIGHT, Placed, in_order, page_with, read


def test_rows_that_are_shaded_in_turn_are_rows_of_one_table() -> None:
    names = ("Aalto", "Brandt", "Corvi", "Dumont", "Eide", "Farkas")
    with pymupdf.open() as document:
        page = document.new_page()
        for index, name in enumerate(names):
            top = 100 + 16 * index
            if index % 2 == 0:
                page.draw_rect(pymupdf.Rect(60, top - 11, 420, top + 5), color=None, fill=(0.8, 0.9, 1))
            for x, text in ((64, name), (220, f"{1204 + index}"), (340, f"{88 - index}.5")):
                page.insert_text((x, top), text, fontsize=10)
        found = read(page, 1)

    assert [line.split() for line in found.text.split("\n") if line] == [
        [name, f"{1204 + index}", f"{88 - index}.5"] for index, name in enumerate(names)
    ]


def test_a_row_over_all_columns_names_the_rows_below_it_beside_a_cell_that_goes_down() -> None:
    texts: list[Placed] = [(64, 92, "No."), (114, 92, "Size"), (214, 92, "Farms"), (314, 92, "Hectares")]
    rules = [(60.0, 80.0, 400.0, 80.0), (60.0, 98.0, 400.0, 98.0)]
    for group, (name, top) in enumerate((("Small farms", 98), ("Large farms", 152))):
        texts += [(64, top + 12, str(group + 1)), (114, top + 12, name)]
        rows = [("owned", 30 + group, 410 + group), ("rented", 50 + group, 730 + group)]
        for row, (kind, farms, size) in enumerate(rows, start=1):
            texts += [(114, top + 18 * row + 12, kind), (214, top + 18 * row + 12, str(farms))]
            texts += [(314, top + 18 * row + 12, str(size))]
        rules += [(110, top + 18 * row, 400, top + 18 * row) for row in (1, 2)]
        rules += [(60, top + 54, 400, top + 54)]
        rules += [(x, top + 18, x, top + 54) for x in (210.0, 310.0)]
    rules += [(x, 80, x, 206) for x in (60.0, 110.0, 400.0)] + [(x, 80, x, 98) for x in (210.0, 310.0)]
    text = page_with(*texts, rules=tuple(rules)).text

    assert "No.; Size; Farms; Hectares" in text
    assert "Small farms / 1 - Size: rented; Farms: 50; Hectares: 730" in text
    assert "Large farms / 2 - Size: owned; Farms: 31; Hectares: 411" in text


def test_footnotes_of_the_first_column_do_not_part_it_from_the_second() -> None:
    def column(x: float, lines: list[str]) -> list[Placed]:
        return [(x, 100 + 13 * row, line) for row, line in enumerate(lines)]

    with pymupdf.open() as document:
        page = document.new_page()
        for x, y, text in [*column(60, LEFT * 3), *column(232, RIGHT * 4)]:
            page.insert_text((x, y), text, fontsize=10)
        for row, text in enumerate(("1) The deed of 1804 names the", "miller as its only witness.")):
            page.insert_text((60, 230 + 9 * row), text, fontsize=7)
        found = read(page, 1)

    assert in_order(found.text, LEFT[0], RIGHT[0], RIGHT[2], "1) The deed", "only witness")


def test_labels_stay_beside_their_values_where_a_table_stands_right_of_both() -> None:
    form = [("Owner", "Halvard Lie"), ("Harbour", "Mandal"), ("Built", "1931"), ("Engine", "Sabb diesel")]
    texts: list[Placed] = [
        place for row, (label, value) in enumerate(form)
        for place in ((60, 100 + 14 * row, label), (140, 100 + 14 * row, value))
    ]  # fmt: skip
    rules = [(300.0, 88.0 + 14 * row, 480.0, 88.0 + 14 * row) for row in range(5)]
    rules += [(x, 88.0, x, 144.0) for x in (300.0, 390.0, 480.0)]
    for row, (name, amount) in enumerate((("Hull", "410"), ("Mast", "95"), ("Sails", "260"), ("Ropes", "31"))):
        texts += [(304, 99 + 14 * row, name), (394, 99 + 14 * row, amount)]
    text = page_with(*texts, rules=tuple(rules)).text

    assert in_order(text, *(part for pair in form for part in pair), "Hull", "410")


def test_boxes_side_by_side_are_read_from_the_left_where_the_right_one_begins_higher() -> None:
    rules = []
    for left, top in ((50.0, 100.0), (300.0, 92.0)):
        rules += [(left, top, left + 240, top), (left, 240.0, left + 240, 240.0)]
        rules += [(x, top, x, 240.0) for x in (left, left + 30, left + 240)]
    texts = [(90, 120 + 13 * row, line) for row, line in enumerate(LEFT)]
    texts += [(340, 120 + 13 * row, line) for row, line in enumerate(RIGHT)]

    assert in_order(page_with(*texts, rules=tuple(rules)).text, *LEFT, *RIGHT)


def test_rows_that_are_counted_begin_below_the_headings_whatever_stands_in_their_cells() -> None:
    names = ("No.", "Part", "Proof", "Applies to")
    rows = [("1", "Frame", "stamp", "all"), ("2", "Piston", "stamp", "all"), ("3", "Liner", "", "over 400 kW"),
            ("4", "Valve", "letter", "40"), ("5", "Shaft", "", "60")]  # fmt: skip
    texts = [(64 + 90 * column, 92 + 18 * number, text)
             for number, row in enumerate((names, *rows)) for column, text in enumerate(row) if text]  # fmt: skip
    rules = [(60.0, 80.0 + 18 * row, 420.0, 80.0 + 18 * row) for row in range(7)]
    rules += [(60.0 + 90 * column, 80.0, 60.0 + 90 * column, 188.0) for column in range(5)]
    text = page_with(*texts, rules=tuple(rules)).text

    assert "No.; Part; Proof; Applies to" in text
    assert "1 - Part: Frame; Proof: stamp; Applies to: all" in text


def test_lists_side_by_side_in_alphabetical_order_are_read_one_after_the_other() -> None:
    one = [
        "Alder",
        "Ash of the mountains",
        "Beech",
        "Common birch",
        "Elder",
        "Field maple",
        "Hazel",
        "Hornbeam",
        "Lime",
    ]
    other = ["Adder", "Brown hare", "Common toad", "Dormouse", "Edible snail", "Fallow deer", "Grass snake", "Hedgehog"]
    texts: list[Placed] = [(60, 100 + 12 * row, text) for row, text in enumerate(one)]
    texts += [(300, 100 + 12 * row, text) for row, text in enumerate(other)]
    text = page_with(*texts).text

    assert in_order(text, *one, *other)


def test_names_beside_places_in_no_order_stay_rows() -> None:
    names = ["Alder", "Ash", "Beech", "Common birch", "Elder", "Field maple", "Hazel", "Hornbeam", "Lime"]
    places = ["river", "hills", "park", "moor", "lanes", "fields", "banks", "avenue", "churchyard"]
    texts: list[Placed] = [(60, 100 + 12 * row, text) for row, text in enumerate(names)]
    texts += [(300, 100 + 12 * row, text) for row, text in enumerate(places)]
    text = page_with(*texts).text

    assert "Beech   park" in text


def test_boxes_of_two_columns_whose_rules_do_not_meet_are_read_column_by_column() -> None:
    xs = (60.0, 250.0, 440.0)
    left, right = (80.0, 130.0, 180.0, 290.0), (80.0, 160.0, 210.0, 290.0)
    rules = [(x, 80.0, x, 290.0) for x in xs]
    rules += [(xs[0], y, xs[1], y) for y in left] + [(xs[1], y, xs[2], y) for y in right]
    parts = [
        "sender of goods",
        "port of the ship",
        "name of the captain",
        "goods by weight",
        "duty paid",
        "date and stamp",
    ]
    texts: list[Placed] = [(66, y + 14, text) for y, text in zip(left, parts, strict=False)]
    texts += [(256, y + 14, text) for y, text in zip(right, parts[3:], strict=False)]
    text = page_with(*texts, rules=tuple(rules)).text

    assert in_order(text, *parts)
