"""Pictures in flowing documents: opened within limits, made small enough to draw, their writing recognized."""

import io
import warnings
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from app.documents.flow.blocks import Figure
from app.documents.geometry import Rect
from app.documents.recognition import Recognizer, page_from_picture
from model.types import Page, Word

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000")
POINTS_PER_PIXEL = 0.75  # where the document gives no size: 96 dots an inch
WIDEST, HIGHEST = 495.0, 700.0  # points
LONGEST_SIDE = 2_000  # pixels that are worth drawing and recognising
LEAST_AREA = 40_000.0  # square points (a page is 500,000) from which a picture may hold writing of weight
LEAST_PIXELS = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture as it is drawn: data is a PNG, width and height are in points."""

    image: Image.Image = field(repr=False)
    width: float
    height: float

    @property
    def png(self) -> bytes:
        """The bytes of a PNG file."""
        target = io.BytesIO()
        self.image.save(target, "PNG", compress_level=1)
        return target.getvalue()


def opened(figure: Figure, max_pixels: int) -> Picture | None:
    """The picture, or None for one of an unknown kind, a broken one, or one with too many pixels."""
    try:
        with warnings.catch_warnings(action="ignore"):
            opened = Image.open(io.BytesIO(figure.data), formats=FORMATS)
            if opened.width * opened.height > max_pixels or 0 in opened.size:
                return None
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            image = opened.convert("RGBA")
    except Exception:  # a decoder may raise anything
        return None
    width = figure.width or image.width * POINTS_PER_PIXEL
    height = figure.height or image.height * POINTS_PER_PIXEL
    factor = min(1.0, WIDEST / width, HIGHEST / height)
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return Picture(image=flat, width=max(width * factor, 1.0), height=max(height * factor, 1.0))


def recognized(picture: Picture, recognizer: Recognizer) -> Page | None:
    """What is written in a picture that is large enough, as a page of its own."""
    if picture.width * picture.height < LEAST_AREA or picture.image.width * picture.image.height < LEAST_PIXELS:
        return None
    found = recognizer.read(np.asarray(picture.image))
    return page_from_picture(found, number=1, scale=1.0, width=picture.image.width, height=picture.image.height)


def placed(words: tuple[Word, ...], *, start: int, rect: Rect) -> list[Word]:
    """The words of a picture on the page that it stands on. rect: the picture, in fractions of the page."""
    x0, y0, x1, y1 = rect
    wide, high = x1 - x0, y1 - y0
    return [
        Word(
            start=word.start + start,
            end=word.end + start,
            box=(x0 + word.box[0] * wide, y0 + word.box[1] * high, x0 + word.box[2] * wide, y0 + word.box[3] * high),
        )
        for word in words
    ]
