"""Characters as they are read from glyphs as they are printed."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import pytest

from app.documents.glyphs import line_glyphs

Printed = tuple[str, float, float, float, float]  # text, left, right, baseline, size


def line(glyphs: Sequence[Printed], *, made_up: bool = False) -> dict[str, Any]:
    """A line as MuPDF gives it."""
    spans = [
        {
            "font": "Serif",
            "size": size,
            "origin": (left, base),
            "chars": [
                {
                    "c": text,
                    "bbox": (left, base - size, right, base),
                    "origin": (left, base),
                    "synthetic": made_up and text == " ",
                }
            ],
        }
        for text, left, right, base, size in glyphs
    ]
    return {"dir": (1.0, 0.0), "spans": spans}


def typed(text: str, *, step: float = 6, size: float = 10, start: float = 0) -> list[Printed]:
    return [(char, start + step * i, start + step * (i + 1), 100.0, size) for i, char in enumerate(text)]


def words(raw: dict[str, Any]) -> str:
    return "".join((" " if glyph.apart else "") + glyph.text for glyph in line_glyphs(raw))


@pytest.mark.parametrize(
    ("before", "raised", "expected"),
    [("75", "3", "75 ³"), ("cm", "2", "cm²"), ("x 10", "9", "x 10⁹"), ("wage", "4", "wage ⁴")],
)  # fmt: skip
def test_a_raised_digit_is_no_part_of_the_number_before_it(before: str, raised: str, expected: str) -> None:
    glyphs = typed(before)
    assert words(line([*glyphs, (raised, glyphs[-1][2], glyphs[-1][2] + 3, 96.0, 6.0)])) == expected


def test_letters_that_are_drawn_twice_are_read_once() -> None:
    twice = [glyph for g in typed("Balloon") for glyph in (g, (g[0], g[1] + 1.2, g[2] + 1.2, *g[3:]))]
    assert words(line(twice)) == "Balloon"


def test_an_accent_over_a_letter_is_part_of_it() -> None:
    glyphs = typed("caf")
    glyphs += [("´", 19.0, 22.0, 100.0, 10.0), ("e", 18.0, 24.0, 100.0, 10.0)]
    assert words(line(glyphs)) == "café"


def test_words_that_are_set_wide_are_words() -> None:
    glyphs = [
        (char, left, left + 6, 100.0, 10.0)
        for word, start in (("NORTH", 0), ("SEA", 75))
        for i, letter in enumerate(word)
        for char, left in ((letter, start + 12 * i), (" ", start + 12 * i + 6))
    ]
    assert words(line(glyphs[:-1], made_up=True)) == "NORTH SEA"


def test_numbers_in_a_line_that_runs_to_the_left_run_to_the_right() -> None:
    glyphs = [(char, 60 - 6 * i, 66 - 6 * i, 100.0, 10.0) for i, char in enumerate("عام ٥٣٩١")]
    assert words(line(glyphs)) == "عام ١٩٣٥"


@pytest.mark.parametrize(("second", "read"), [(21.6, "Pacfic hit"), (18.2, "Pacic hit")])
def test_a_letter_far_wider_than_its_like_is_the_ligature_that_its_font_does_not_name(second: float, read: str) -> None:
    widths = [
        ("P", 6.0),
        ("a", 5.0),
        ("c", 5.0),
        ("i", second - 16.0),
        ("c", 5.0),
        (" ", 3.0),
        ("h", 5.0),
        ("i", 2.2),
        ("t", 3.0),
    ]
    lefts = list(accumulate((width for _, width in widths), initial=0.0))
    raw = line([])
    raw["spans"] = [
        {
            "font": "Serif",
            "size": 10.0,
            "origin": (0.0, 20.0),
            "chars": [
                {"c": text, "bbox": (left, 10.0, left + width, 20.0), "origin": (left, 20.0), "synthetic": False}
                for (text, width), left in zip(widths, lefts, strict=False)
            ],
        }
    ]

    assert "".join(glyph.text for glyph in line_glyphs(raw)) == read


@pytest.mark.parametrize(
    ("before", "raised", "expected"),
    [
        ("2019", "b", "2019 b"),
        ("Pilots", "a", "Pilots a"),
        ("3", "a", "3a"),
        ("XVII", "e", "XVIIe"),
        ("Lindqvist", "e,3", "Lindqvist e,³"),
        ("M", "c", "Mc"),
    ],
)
def test_a_raised_letter_behind_a_figure_or_a_word_is_the_mark_of_a_note(before, raised, expected) -> None:
    glyphs = typed(before)
    end = glyphs[-1][2]
    marks = [(mark, end + 3 * place, end + 3 * place + 3, 96.0, 6.0) for place, mark in enumerate(raised)]
    assert words(line([*glyphs, *marks])) == expected


def test_words_with_a_typed_space_behind_each_letter_are_words_and_a_list_of_letters_is_none() -> None:
    assert words(line(typed("B O A T   L I S T   1 9"))) == "BOAT LIST 19"
    assert words(line(typed("A B C D E F"))) == "A B C D E F"


def test_beside_a_narrow_accent_on_a_wide_letter_is_no_space() -> None:
    glyphs = [*typed("M"), (" ", 6.0, 8.0, 100.0, 10.0), ("¨", 8.0, 10.0, 100.0, 10.0), ("U", 6.0, 12.0, 100.0, 10.0)]
    glyphs += [(" ", 10.0, 12.0, 100.0, 10.0), ("N", 12.0, 18.0, 100.0, 10.0)]
    assert words(line(glyphs, made_up=True)) == "MÜN"
