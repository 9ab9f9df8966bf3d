"""Forms: boxes to tick that are drawn, ticks of symbol fonts, and choices beside their question."""

import pymupdf
import pytest

from app.documents.limits import Limits
from app.documents.opening import open_bytes
from app.documents.recognition import Recognizer
from app.documents.symbol_fonts import symbols_of


def _text(document: pymupdf.Document) -> str:
    source = open_bytes(document.tobytes(), name="form.pdf", password=None, limits=Limits())
    try:
        return source.read(1, Recognizer(lambda: None)).text
    finally:
        source.close()


def _choice(page: pymupdf.Page, x: float, y: float, text: str, mark: str = "") -> None:
    page.draw_rect(pymupdf.Rect(x, y - 9, x + 9, y))
    page.insert_text((x + 14, y), text, fontsize=10)
    if mark == "cross":
        page.draw_line((x + 1, y - 8), (x + 8, y - 1))
        page.draw_line((x + 8, y - 8), (x + 1, y - 1))
    elif mark:
        page.insert_text((x + 1.5, y - 1), mark, fontsize=9)


@pytest.mark.parametrize("mark", ["cross", "X"])
def test_drawn_boxes_say_which_choice_was_made(mark: str) -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((60, 100), "Cabin:", fontsize=10)
        page.insert_text((60, 120), "Meals on board:", fontsize=10)
        _choice(page, 160, 100, "inside")
        _choice(page, 240, 100, "outside", mark)
        _choice(page, 160, 120, "yes", mark)
        _choice(page, 240, 120, "no")
        text = " ".join(_text(document).split())

    assert "Cabin: ☐ inside ☑ outside" in text
    assert "Meals on board: ☑ yes ☐ no" in text


def test_places_for_single_letters_are_no_boxes_to_tick() -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((60, 100), "Postal code", fontsize=10)
        for number, digit in enumerate("4170"):
            page.draw_rect(pymupdf.Rect(130 + 12 * number, 89, 142 + 12 * number, 101))
            page.insert_text((133 + 12 * number, 100), digit, fontsize=10)
        text = _text(document)

    assert "☐" not in text and "☑" not in text


def test_a_small_rule_below_the_first_choices_makes_no_headings() -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        for row, (question, answers) in enumerate(
            (
                ("Deck", ("upper", "lower", "any")),
                ("Berth", ("window", "door", "any")),
                ("Meal", ("fish", "soup", "none")),
            )
        ):
            page.insert_text((60, 100 + 20 * row), question, fontsize=10)
            for number, answer in enumerate(answers):
                page.draw_rect(pymupdf.Rect(150 + 80 * number, 91 + 20 * row, 159 + 80 * number, 100 + 20 * row))
                page.insert_text((164 + 80 * number, 100 + 20 * row), answer, fontsize=10)
        text = _text(document)

    assert "upper:" not in text and "Berth   ☐ window" in text


@pytest.mark.parametrize(
    ("font", "code", "symbol"),
    [
        ("ZapfDingbats", "4", "✔"), ("ABCDEF+Wingdings-Regular", "\xfe", "☑"), ("Wingdings", "\uf0a8", "☐"),
        ("Wingdings2", "R", "☑"), ("Helvetica", "4", "4"),
    ],
)  # fmt: skip
def test_codes_of_symbol_fonts_are_the_symbols_that_are_shown(font: str, code: str, symbol: str) -> None:
    assert symbols_of(font).get(code, code) == symbol


def test_ticks_set_in_a_symbol_font_are_no_figures() -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        for row, (code, word) in enumerate((("4", "Insured"), ("o", "Fragile"))):
            page.insert_text((60, 100 + 20 * row), code, fontname="zadb", fontsize=10)
            page.insert_text((76, 100 + 20 * row), word, fontsize=10)
        text = " ".join(_text(document).split())

    assert text == "✔ Insured ☐ Fragile"
