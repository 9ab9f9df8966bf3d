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


def looping(page_count: int, *, loops: int) -> bytes:
    """A PDF of a few kilobytes with words on every page, one of which draws more forms than anyone lives to see."""
    depth, uses = 16, 10
    objects = ["<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    for level in range(depth):
        inner = f"<</F {len(objects) + 2} 0 R>>" if level < depth - 1 else "<<>>"
        stream = "/F Do " * uses if level < depth - 1 else "0 0 1 1 re f"
        kind = f"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject{inner}>>"
        objects.append(f"<<{kind}/Length {len(stream)}>>stream\n{stream}\nendstream")
    kids = []
    for number in range(1, page_count + 1):
        stream = f"BT /T 12 Tf 20 100 Td (Page {number}) Tj ET" + (" /F Do" if number == loops else "")
        objects.append(f"<</Length {len(stream)}>>stream\n{stream}\nendstream")
        resources = "<</Font<</T 3 0 R>>/XObject<</F 4 0 R>>>>"
        contents = f"/Contents {len(objects)} 0 R/Resources{resources}"
        objects.append(f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]{contents}>>")
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Kids[{' '.join(kids)}]/Count {page_count}>>"
    return written_objects(objects)


def written_objects(objects: list[str], trailer: str = "") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    body, places = "%PDF-1.7\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(body))
        body += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"trailer\n<</Root 1 0 R/Size {size}{trailer}>>\nstartxref\n{len(body)}\n%%EOF\n"
    return f"{body}xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode()


def scanned(document: bytes, *, dpi: int = 110) -> bytes:
    """The pages of a PDF as pictures of them, without a text layer."""
    with pymupdf.open(stream=document) as printed, pymupdf.open() as copy:
        for page in printed:
            picture = page.get_pixmap(dpi=dpi).tobytes("jpeg")
            copy.new_page(width=page.rect.width, height=page.rect.height).insert_image(page.rect, stream=picture)
        return copy.tobytes()
