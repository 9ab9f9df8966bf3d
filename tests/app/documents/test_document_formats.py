"""Formats other than PDF, told from their content."""

import io
import zipfile

import pytest
from PIL import Image

from tests.helpers.documents import pdf, written

CONTAINER = (
    '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
PACKAGE = (
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
    '<item id="one" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="one"/></spine></package>'
)
CHAPTER = (
    '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>Chapter One</h1><p>It was a bright day.</p></body></html>'
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="90"><text x="10" y="50">Drawn words</text></svg>'
FB2 = b'<?xml version="1.0"?><FictionBook><body><section><p>A small tale</p></section></body></FictionBook>'
HTML = b"<html><body><p>Saved page</p></body></html>"


def epub() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr("META-INF/container.xml", CONTAINER)
        book.writestr("book.opf", PACKAGE)
        book.writestr("one.xhtml", CHAPTER)
    return target.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "text"),
    [
        (epub(), "book.epub", "Chapter One\n\nIt was a bright day."),
        (SVG, "drawing.svg", "Drawn words"),
        (FB2, "tale.fb2", "A small tale"),
        (HTML, "page.html", "Saved page"),
        (pdf(written("A PDF at heart")), "misnamed.png", "A PDF at heart"),
    ],
)
def test_the_content_decides_how_a_file_is_opened(read, data, name, text):
    found = read(data, name)
    assert found.document.pages[0].text == text
    assert found.images.image(1, width=200).startswith(b"\xff\xd8")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_text_is_decoded(read, encoding):
    text = "Caf\u00e9 \u20ac 5 \u2013 na\u00efve"
    assert read(text.encode(encoding), "menu.txt").document.pages[0].text == text


def test_utf_16_without_a_mark_is_not_guessed_at(read):
    assert read("Caf\u00e9\r\nau lait\r".encode("latin-1"), "menu.txt").document.pages[0].text == "Caf\u00e9\nau lait"


def test_markdown_keeps_its_lines(read):
    text = "# Title\n\n- one\n- two\n\n    code"
    assert read(text.encode(), "notes.md").document.pages[0].text == text


def test_a_long_text_is_cut_into_pages_at_paragraphs(read):
    paragraphs = [f"Paragraph {n}. " + "Some words follow here. " * 20 for n in range(30)]
    found = read("\n\n".join(paragraphs).encode(), "long.txt")
    pages = found.document.pages
    assert len(pages) > 3 and all(len(page.text) <= 3_000 for page in pages)
    assert "\n\n".join(page.text for page in pages) == "\n\n".join(paragraphs)


def test_boxes_of_text_match_its_picture(read):
    found = read(b"\n\n\nHello", "hello.txt")
    (word,) = found.document.pages[0].words
    image = Image.open(io.BytesIO(found.images.image(1, width=800))).convert("L").point(lambda v: 255 * (v < 128))
    x0, y0, x1, y1 = image.getbbox()
    ink = (x0 / image.width, y0 / image.height, x1 / image.width, y1 / image.height)
    assert word.box[0] - 0.01 <= ink[0] and word.box[1] - 0.01 <= ink[1]
    assert ink[2] <= word.box[2] + 0.01 and ink[3] <= word.box[3] + 0.01
