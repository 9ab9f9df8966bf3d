"""A page as pixels: is there anything to see, and where?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pymupdf
from numpy.typing import NDArray

from app.documents.geometry import Rect

SIDE = 1_100  # pixels of the longer side: some 100 dots an inch for a letter page
MAX_DRAWN_PIXELS = 30_000_000  # of a page for a person to look at
PAPER = 0.4  # share of a picture in one brightness, from which it may be writing and no photograph
INK = (0.003, 0.4)  # share of a picture with writing that stands out from its paper
VISIBLE = 10  # least difference of brightness, 0..255, that a reader can see


@dataclass(frozen=True, slots=True, kw_only=True)
class PagePicture:
    """The page as a reader sees it. pixels: (height, width, 3) uint8; scale: pixels a point."""

    pixels: NDArray[np.uint8]
    scale: float

    @classmethod
    def of(cls, page: pymupdf.Page, side: int = SIDE, *, annotations: bool = True) -> "PagePicture":
        """Draw the page so that its longer side has that many pixels."""
        scale = side / max(page.rect.width, page.rect.height, 1.0)
        matrix = pymupdf.Matrix(scale, scale)
        pixmap = page.get_pixmap(matrix=matrix, colorspace=pymupdf.csRGB, alpha=False, annots=annotations)
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

    def turned(self, turns: int) -> "PagePicture":
        """The picture after so many quarter turns against the clock."""
        return replace(self, pixels=np.rot90(self.pixels, turns)) if turns else self

    def part(self, box: Rect) -> NDArray[np.uint8]:
        """The pixels of a box in points."""
        x0, y0, x1, y1 = (max(round(edge * self.scale), 0) for edge in box)
        return self.pixels[y0:y1, x0:x1]

    def holds_writing(self, box: Rect) -> bool:
        """Whether a box could hold writing: one even brightness, as of paper, and something that stands out from it."""
        gray = self.part(box).mean(axis=2)
        if not gray.size:
            return False
        counts = np.bincount((gray / 8).astype(int).ravel(), minlength=32)
        paper = int(counts.argmax())
        around = counts[max(paper - 1, 0) : paper + 2].sum() / gray.size
        ink = float((np.abs(gray - 8 * paper - 4) > 60).mean())
        return bool(around > PAPER) and INK[0] < ink < INK[1]

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
