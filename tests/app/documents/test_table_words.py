"""Tables of words, without figures and without rules between their columns."""

from tests.helpers.placed_pages import Placed, page_with

KINDS = (("Trout", "Clear rivers", "March"), ("Perch", "Lakes and ponds", "April"), ("Eel", "Any water", "June"))


def _table(top: float) -> list[Placed]:
    rows = (("Fish", "Where it lives", "Season from"), *KINDS)
    return [
        (x, top + 16 * number, text)
        for number, row in enumerate(rows)
        for x, text in zip((60, 200, 340), row, strict=True)
    ]


def test_words_below_headings_between_two_rules_are_a_table() -> None:
    rules = tuple((58.0, y, 420.0, y) for y in (88.0, 105.0, 154.0))
    text = page_with((60, 60, "What may be caught where is told below."), *_table(100), rules=rules).text

    assert "Perch - Where it lives: Lakes and ponds; Season from: April" in text


def test_words_in_columns_without_rules_stay_rows() -> None:
    text = page_with(*_table(100)).text

    assert "Perch   Lakes and ponds   April" in text


def test_rules_beside_words_make_no_table_of_these() -> None:
    rules = tuple((300.0, y, 560.0, y) for y in (88.0, 105.0, 154.0))
    texts: list[Placed] = [(60, 100 + 16 * number, row[0]) for number, row in enumerate(KINDS)]
    texts += [(140, 100 + 16 * number, row[1]) for number, row in enumerate(KINDS)]
    text = page_with(*texts, rules=rules).text

    assert "Perch   Lakes and ponds" in text
