"""A page as pixels: is there anything to see, and where?"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pymupdf
from numpy.typing import NDArray

from app.documents.geometry import Rect

SIDE = 1_100  # pixels of the longer side: some 100 dots an inch for a letter page
MAX_DRAWN_PIXELS = 30_000_000  # of a page for a person to look at
VISIBLE = 10  # least difference of brightness, 0..255, that a reader can see


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """The page as a reader sees it. pixels: (height, width, 3) uint8; scale: pixels a point."""

    pixels: NDArray[np.uint8]
    scale: float

    @classmethod
    def of(cls, page: pymupdf.Page, side: int = SIDE) -> "PagePicture":
        """Draw the page so that its longer side has that many pixels."""
        scale = side / max(page.rect.width, page.rect.height, 1.0)
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), colorspace=pymupdf.csRGB, alpha=False)
        rows = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.stride)
        return cls(pixels=rows[:, : 3 * pixmap.width].reshape(pixmap.height, pixmap.width, 3), scale=scale)

    @property
    def is_blank(self) -> bool:
        return self._contrast(self.pixels) < 4 * VISIBLE

    def shows(self, boxes: Sequence[Rect]) -> list[bool]:
        """For each word's box (in points) whether anything stands out in it; its rims may hold parts of other lines."""
        if not boxes:
            return []
        edges = np.asarray(boxes, float) * self.scale
        rim = (edges[:, 3] - edges[:, 1]) / 5
        height, width = self.pixels.shape[:2]
        top = np.clip(edges[:, 1] + rim, 0, height).astype(int)
        bottom = np.clip(edges[:, 3] - rim + 1, 0, height).astype(int)
        left = np.clip(edges[:, 0], 0, width).astype(int)
        right = np.clip(edges[:, 2] + 1, 0, width).astype(int)
        return [
            self._contrast(self.pixels[y0:y1, x0:x1]) >= VISIBLE
            for y0, y1, x0, x1 in zip(top, bottom, left, right, strict=True)
        ]

    @staticmethod
    def _contrast(pixels: NDArray[np.uint8]) -> int:
        return int(np.ptp(pixels, axis=(0, 1)).max()) if pixels.size else 0


class UndrawablePicture(PagePicture):
    """Of a page that cannot be drawn nothing is known, so nothing on it counts as hidden."""

    __slots__ = ()

    @property
    def is_blank(self) -> bool:
        return False

    def shows(self, boxes: Sequence[Rect]) -> list[bool]:
        return [True] * len(boxes)


UNDRAWABLE = UndrawablePicture(pixels=np.zeros((0, 0, 3), np.uint8), scale=1.0)
