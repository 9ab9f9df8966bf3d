"""Pages made here: what stands where on them, and how they are read."""

import pymupdf

from app.documents.compose import compose
from app.documents.drawings import read_drawings
from app.documents.layout import reading_order
from app.documents.picture import PagePicture
from app.documents.textlayer import read_layer
from model.types import Page

Placed = tuple[float, float, str]


def page_with(*texts: Placed, size: float = 10, rules: tuple[tuple[float, float, float, float], ...] = ()) -> Page:
    """A page with texts at x and baseline, read."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        for x, y, text in texts:
            page.insert_text((x, y), text, fontsize=size)
        for x0, y0, x1, y1 in rules:
            page.draw_line((x0, y0), (x1, y1))
        return read(page, 1)


def read(page: pymupdf.Page, number: int) -> Page:
    layer = read_layer(page, PagePicture.of(page))
    blocks = reading_order(layer.lines, read_drawings(page, layer.turns).rules)
    return compose(blocks, number=number, width=page.rect.width, height=page.rect.height, turns=layer.turns)


def in_order(text: str, *parts: str) -> bool:
    flat = " ".join(text.split())
    places = [flat.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


LEFT = ["The mill stands where the river", "bends to the west and the old", "road crosses it on three arches."]
RIGHT = ["The forge was closed after the", "great fire, and only its chimney", "can be seen from the high road."]
