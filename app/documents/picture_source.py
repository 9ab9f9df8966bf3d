"""Pictures as documents: PNG, JPEG, WebP, AVIF, HEIC, JPEG 2000, GIF, BMP and TIFF of several pages."""

import io
import re
import struct
import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from app.documents.recognition import Recognizer, page_from_picture
from model.errors import DocumentError
from model.types import Page

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "JPEG2000")
HEIF = re.compile(rb".{4}ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", re.S)
RECOGNITION_SIDE = 2_000  # pixels of the longer side that are worth recognising on a page of usual shape
SHORT_SIDE = 1_000  # but a long receipt keeps this much of its shorter side
MAX_RECOGNISED_PIXELS = 12_000_000
MOST_STRETCHED = 4.0  # pixels are so many times higher than wide, at most; other figures are a mistake
DOTS_PER_INCH = 96.0  # where the file does not say


class PictureSource:
    """Pages that are pictures."""

    def __init__(self, image: Image.Image, *, name: str, max_pixels: int) -> None:
        self._image = image
        self._name = name
        self._max_pixels = max_pixels
        self.page_count: int = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1

    def read(self, number: int, recognizer: Recognizer) -> Page:
        image = self._frame(number)
        points = 72.0 / self._resolution()
        factor = _recognition_factor(*image.size)
        small = image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))))
        page = page_from_picture(
            recognizer.read(np.asarray(small)),
            number=number,
            scale=points * image.width / small.width,
            width=points * image.width,
            height=points * image.height,
        )
        return replace(page, figures=1.0)

    def draw(self, number: int, width: int) -> Image.Image:
        image = self._frame(number)
        height = max(1, round(image.height * width / image.width))
        return image.resize((width, min(height, 20_000)))

    def close(self) -> None:
        self._image.close()

    def _frame(self, number: int) -> Image.Image:
        """One page, upright, in 8-bit red, green and blue, on white."""
        self._image.seek(number - 1)
        check_pixels(self._image, name=self._name, max_pixels=self._max_pixels)
        flat = self._with_square_pixels(_flatten(self._image))
        try:
            return ImageOps.exif_transpose(flat)
        except (SyntaxError, ValueError, OSError, struct.error):  # a broken EXIF block says nothing of the pixels
            return flat

    def _with_square_pixels(self, image: Image.Image) -> Image.Image:
        """The picture as high as it is on paper: a fax has twice as many dots across as down."""
        across, down = map(float, self._image.info.get("dpi", (1.0, 1.0)))
        if not (down > 0 and 1.1 < across / down < MOST_STRETCHED):
            return image
        stretched = image.resize((image.width, round(image.height * across / down)))
        stretched.info.update(image.info)
        return stretched

    def _resolution(self) -> float:
        dots = float(self._image.info.get("dpi", (DOTS_PER_INCH, DOTS_PER_INCH))[0])
        return dots if 50 <= dots <= 1_200 else DOTS_PER_INCH


def open_picture(data: bytes, *, name: str, max_pixels: int) -> PictureSource:
    """Open a picture without decoding it yet. Raises DocumentError for a broken or an enormous one."""
    try:
        with warnings.catch_warnings(action="ignore"):
            image = _from_heif(data) if HEIF.match(data) else Image.open(io.BytesIO(data), formats=FORMATS)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DocumentError("{name!r} is a damaged picture: export or download it again.", name=name) from error
    check_pixels(image, name=name, max_pixels=max_pixels)
    return PictureSource(image, name=name, max_pixels=max_pixels)


def _from_heif(data: bytes) -> Image.Image:
    """A picture as phones take them; its library is loaded for these alone, and decodes when asked for pixels."""
    from pillow_heif import HeifImageFile

    return HeifImageFile(io.BytesIO(data))


def check_pixels(image: Image.Image, *, name: str, max_pixels: int) -> None:
    """Raise DocumentError for a picture that would fill the memory once decoded."""
    pixels = image.width * image.height
    if pixels > max_pixels:
        raise DocumentError(
            "{name!r} has {width:,} x {height:,} = {pixels:,.0f} million pixels, and "
            "{limit:,.0f} million is the limit: scale it down or crop it.",
            name=name,
            width=image.width,
            height=image.height,
            pixels=pixels / 1e6,
            limit=max_pixels / 1e6,
        )


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        flat = Image.fromarray(_eight_bits(np.asarray(image, np.float64)))
    elif "A" in image.mode or "transparency" in image.info:
        layer = image.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", layer.size, _background(layer)), layer)
    else:
        flat = image
    result = flat.convert("RGB")
    if "exif" in image.info:
        result.info["exif"] = image.info["exif"]
    return result


def _background(layer: Image.Image) -> str:
    """White, or black where what is seen of a picture is nearly white itself."""
    pixels = np.asarray(layer)
    seen = pixels[pixels[:, :, 3] > 128]
    return "black" if 0 < len(seen) < pixels[:, :, 3].size and np.median(seen[:, :3]) > 200 else "white"


def _eight_bits(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """16-bit brightness as 0..255; numbers of another range are stretched to it."""
    low, high = (0.0, 65_535.0) if values.min() >= 0 and 255 < values.max() <= 65_535 else (values.min(), values.max())
    return np.clip((values - low) * 255 / max(high - low, 1e-9), 0, 255).astype(np.uint8)


def _recognition_factor(width: int, height: int) -> float:
    long, short = max(width, height), min(width, height)
    factor = max(RECOGNITION_SIDE / long, SHORT_SIDE / short)
    return min(1.0, factor, (MAX_RECOGNISED_PIXELS / (width * height)) ** 0.5)
