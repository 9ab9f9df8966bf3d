"""Small documents made on the fly."""

import io
from collections.abc import Callable

import pymupdf
from PIL import Image

NO_PAGES = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj "
    b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj trailer<</Root 1 0 R>>"
)


def pdf(*draw: Callable[[pymupdf.Page], object], width: float = 595, height: float = 842, **options: object) -> bytes:
    """A PDF with one page for each function that draws on it."""
    with pymupdf.open() as document:
        for paint in draw:
            paint(document.new_page(width=width, height=height))
        return document.tobytes(**options)


def written(*lines: str, x: float = 72, y: float = 100, step: float = 20, size: float = 11) -> Callable[..., None]:
    """Writes lines of any script one below the other."""

    def paint(page: pymupdf.Page) -> None:
        writer, font = pymupdf.TextWriter(page.rect), pymupdf.Font("helv")
        for index, line in enumerate(lines):
            writer.append((x, y + index * step), line, font=font, fontsize=size)
        writer.write_text(page)

    return paint


def picture(*lines: str, size: float = 16, dpi: int = 110) -> Image.Image:
    """A page of writing as a picture."""
    with pymupdf.open(stream=pdf(written(*lines, step=40, size=size), width=420, height=300)) as document:
        pixmap = document[0].get_pixmap(dpi=dpi)
        return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The bytes of an image file."""
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def scan(image: Image.Image) -> bytes:
    """A PDF without a text layer."""
    return pdf(lambda page: page.insert_image(page.rect, stream=encoded(image, "PNG")), width=420, height=300)
