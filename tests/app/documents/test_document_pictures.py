"""Pages as pictures: what a vision tower gets, and how much of a page its text cannot say."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from PIL import Image

from app.documents import ReadDocument
from app.documents.picture_source import open_picture
from tests.helpers.documents import encoded, pdf, picture, scan, written

Read = Callable[..., ReadDocument]
LINES = [f"Line {number} of a page with enough words to be read as text." for number in range(30)]


def photograph(x0: float, y0: float, x1: float, y1: float) -> Callable[[pymupdf.Page], object]:
    return lambda page: page.insert_image(
        pymupdf.Rect(x0, y0, x1, y1), stream=encoded(picture("x"), "PNG"), keep_proportion=False
    )


def chart(page: pymupdf.Page) -> None:
    for column in range(10):
        page.draw_rect(pymupdf.Rect(60 + 48 * column, 420 - 30 * column, 100 + 48 * column, 760), fill=(0.2, 0.4, 0.8))


def table(page: pymupdf.Page) -> None:
    page.draw_rect(page.rect, fill=(0.98, 0.98, 0.9))
    for row in range(30):
        page.draw_line((60, 90 + 20 * row), (540, 90 + 20 * row))


def test_figures_are_measured(read: Read) -> None:
    text = written(*LINES)
    found = read(
        pdf(
            text,
            lambda page: (text(page), photograph(0, 421, 595, 842)(page)),
            lambda page: (table(page), text(page)),  # rules and a background are no figure
            lambda page: (chart(page), written(*LINES[:8], step=14)(page)),
        )
    )
    plain, half, ruled, drawn = (page.figures for page in found.document.pages)
    assert plain == ruled == 0
    assert half == pytest.approx(0.5, abs=0.02)
    assert 0.25 < drawn < 0.6


def test_a_picture_and_a_scan_are_figures_all_over(read: Read) -> None:
    assert read(encoded(picture("A letter."), "PNG"), "a.png").document.pages[0].figures == 1
    assert read(scan(picture("A letter."))).document.pages[0].figures == 1


def test_pixels_are_what_is_drawn(read: Read) -> None:
    found = read(pdf(written("Red.", size=40), photograph(0, 0, 100, 100)))
    pixels = found.images.pixels(2, width=600)
    drawn = np.asarray(Image.open(io.BytesIO(found.images.image(2, width=600))))
    assert pixels.shape == drawn.shape and pixels.dtype == np.uint8
    assert np.abs(pixels.astype(int) - drawn).mean() < 2  # but for the JPEG


TURNS = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
MODES = {"JPEG": ["RGB", "L"], "PNG": ["RGB", "RGBA", "I;16"], "WEBP": ["RGBA"], "TIFF": ["RGB", "L", "RGBA", "I;16"]}


@pytest.mark.parametrize(("kind", "mode"), [(kind, mode) for kind, modes in MODES.items() for mode in modes])
def test_a_picture_stands_as_its_file_says(kind: str, mode: str, tmp_path: Path) -> None:
    upright = Image.new("L", (60, 40), 255)
    upright.paste(50, (0, 0, 20, 15))
    for note, turn in TURNS.items():
        stored = upright.transpose(turn)
        deep = stored.convert("I").point(lambda value: value * 257)
        exif = Image.Exif()
        exif[0x0112] = note
        path = tmp_path / f"{note}.image"
        path.write_bytes(encoded((deep if mode == "I;16" else stored).convert(mode), kind, exif=exif))
        drawn = np.asarray(open_picture(path.read_bytes(), name="a", max_pixels=10**6).draw(1, width=60))
        assert drawn.shape == (40, 60, 3)
        assert drawn[5, 5].max() < 80 and drawn[35, 5].min() > 200 and drawn[5, 55].min() > 200


@pytest.mark.parametrize("size", [(595, 842), (842, 595), (100, 2_000)])
def test_a_vision_tower_gets_a_picture_of_its_own_size(size: tuple[int, int], read: Read) -> None:
    width, height = size
    found = read(pdf(written("Some words.", x=5, y=20), width=width, height=height))
    pixels = found.picture(1)
    assert max(pixels.shape[:2]) == pytest.approx(1_792, rel=0.01)
    assert pixels.shape[1] / pixels.shape[0] == pytest.approx(width / height, rel=0.02)
