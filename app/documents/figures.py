"""How much of a page pictures and drawings cover: what its text cannot say."""

from collections.abc import Iterable

import numpy as np
import pymupdf

from app.documents.geometry import Rect

CELLS = 64  # a page is looked at through a grid of so many cells each way
RULE = 3.0  # points: what is thinner is a line under or between words
BACKGROUND = 0.8  # share of the page from which a filled shape is its background
PICTURES = ("fill-image", "fill-imgmask", "fill-shade")
SHAPES = ("fill-path", "stroke-path")


def page_log(page: pymupdf.Page) -> list[tuple[str, Rect]]:
    """What is drawn on a page, in points of the page as it is displayed; MuPDF tells it of the unturned page."""
    turn = page.rotation_matrix if page.parent.is_pdf and page.rotation else None
    log = page.get_bboxlog()
    return log if turn is None else [(kind, tuple(pymupdf.Rect(box) * turn)) for kind, box in log]


def covered_by_figures(page: pymupdf.Page, log: Iterable[tuple[str, Rect]]) -> float:
    """The share of the page's area, 0..1. A scan is a picture over all of it. log: its `page_log`."""
    grid = np.zeros((CELLS, CELLS), bool)
    width, height = page.rect.width, page.rect.height
    for kind, corners in log:
        rect = pymupdf.Rect(corners) & page.rect
        if not rect.is_empty and (kind in PICTURES or (kind in SHAPES and _is_drawing(rect, page.rect))):
            columns = slice(int(rect.x0 / width * CELLS), int(np.ceil(rect.x1 / width * CELLS)))
            rows = slice(int(rect.y0 / height * CELLS), int(np.ceil(rect.y1 / height * CELLS)))
            grid[rows, columns] = True
    return float(grid.mean())


def _is_drawing(shape: pymupdf.Rect, page: pymupdf.Rect) -> bool:
    return min(shape.width, shape.height) > RULE and abs(shape) < BACKGROUND * abs(page)
