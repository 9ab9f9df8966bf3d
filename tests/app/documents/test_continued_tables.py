"""Tables that go on on the next page."""

from app.documents.continued_tables import with_headings
from model.types import Page
from tests.helpers.placed_pages import Placed, page_with

BIRDS = (
    ("Gull", "41", "12"),
    ("Tern", "29", "8"),
    ("Auk", "17", "3"),
    ("Heron", "6", "1"),
    ("Stork", "2", "0"),
    ("Kite", "9", "4"),
)


def _page(rows: tuple[tuple[str, ...], ...], *above: Placed, left: float = 60.0) -> Page:
    texts: list[Placed] = list(above)
    for row, cells in enumerate(rows):
        texts += [(left + 120 * column, 120 + 18 * row, text) for column, text in enumerate(cells)]
    return page_with(*texts)


HEADINGS: tuple[Placed, ...] = ((60, 100, "Bird"), (180, 100, "Seen"), (300, 100, "Ringed"))


def test_rows_on_the_next_page_say_the_headings_of_their_table() -> None:
    first, second, third = with_headings([_page(BIRDS[:3], *HEADINGS), _page(BIRDS[3:]), _page(BIRDS[::-1][:3])])

    assert "Heron - Seen: 6; Ringed: 1\nStork - Seen: 2; Ringed: 0" in second.text
    assert "Stork - Seen: 2; Ringed: 0" in third.text
    assert first.text.count("Seen") == 4
    for page in (second, third):
        assert [page.text[word.start : word.end] for word in page.words][:4] == page.text.replace(
            " - Seen:", ""
        ).replace("; Ringed:", "").split()[:4]
        assert [page.text[cell.start : cell.end] for cell in page.tables[0].cells if cell.column == 1] != []
        assert all(page.text[cell.start : cell.end].isdecimal() for cell in page.tables[0].cells if cell.column > 0)


def test_a_table_under_a_caption_of_its_own_gets_no_headings_of_another() -> None:
    _, second = with_headings([_page(BIRDS[:3], *HEADINGS), _page(BIRDS[3:], (60, 100, "Table 2. Eggs in 2020"))])

    assert "Seen" not in second.text


def test_a_table_in_another_place_is_another_one() -> None:
    _, second = with_headings([_page(BIRDS[:3], *HEADINGS), _page(BIRDS[3:], left=200.0)])

    assert "Seen" not in second.text
