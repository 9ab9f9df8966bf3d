"""Pages without a text layer: what can be read is read, and what cannot is counted."""

import numpy as np
import pymupdf
import pytest
from PIL import Image

from tests.helpers.documents import encoded, pdf, picture, scan, written

ENGLISH = ("Invoice 2024-117", "Total due: 1,591.60 EUR", "Payable to Marta Lind")
RUSSIAN = ("Счёт за обслуживание", "Покупатель: Анна Каренина", "Оперативное состояние", "Москва РОСТОВ")


def test_a_scan_is_read(read):
    (page,) = read(scan(picture(*ENGLISH))).document.pages
    assert page.source == "ocr" and page.unread_boxes == 0
    assert [line.split() for line in page.text.split("\n") if line] == [line.split() for line in ENGLISH]
    assert (page.width, page.height) == (420, 300)
    assert page.words[0].box == pytest.approx((72 / 420, 84 / 300, 130 / 420, 104 / 300), abs=0.03)


def test_a_russian_scan_reports_what_it_could_not_read(read):
    (page,) = read(scan(picture(*RUSSIAN))).document.pages
    assert page.source == "ocr" and page.text == ""
    assert page.unread_boxes >= len(RUSSIAN)


def test_an_english_line_among_russian_ones_survives(read):
    (page,) = read(scan(picture(*RUSSIAN, "Invoice 2024-117"))).document.pages
    assert page.text == "Invoice 2024-117" and page.unread_boxes >= len(RUSSIAN)


@pytest.mark.parametrize("angle", [90, 180, 270])
def test_a_scan_that_lies_on_its_side_is_read(read, angle):
    turned = picture(*ENGLISH).rotate(angle, expand=True)
    (page,) = read(encoded(turned, "PNG"), "turned.png").document.pages
    assert [line.split() for line in page.text.split("\n") if line] == [line.split() for line in ENGLISH]
    first = page.words[0].box
    corner = {90: (0.1, 0.8), 180: (0.8, 0.65), 270: (0.65, 0.17)}[angle]
    assert (first[0], first[1]) == pytest.approx(corner, abs=0.2)


def test_a_text_layer_over_a_scan_is_ordinary_text(read):
    def paint(page: pymupdf.Page) -> None:
        page.insert_image(page.rect, stream=encoded(picture(*ENGLISH * 3, size=12), "PNG"))
        for index, line in enumerate(ENGLISH * 3):
            page.insert_text((72, 100 + 40 * index), line + " and more words of it", fontsize=12, render_mode=3)

    (page,) = read(pdf(paint, width=420, height=300)).document.pages
    assert page.source == "text"
    assert not page.words[0].hidden


def test_a_blank_page_has_no_text_and_costs_no_recognition(read):
    (page,) = read(pdf(lambda _: None)).document.pages
    assert (page.text, page.source, page.unread_boxes) == ("", "text", 0)


def test_a_text_layer_of_unknown_glyphs_is_not_believed(read):
    (page,) = read(pdf(_with_unknown_glyphs)).document.pages
    assert page.source == "ocr"


def _with_unknown_glyphs(page: pymupdf.Page) -> None:
    page.insert_image(page.rect, stream=encoded(picture(*ENGLISH), "PNG"))
    written("\ue001\ue002\ue003 \ue004\ue005\ue006")(page)


def test_columns_of_a_scan_are_read_one_after_the_other(read):
    left = [f"The left story goes on in line {n}" for n in range(1, 6)]
    right = [f"The right one answers in line {n}" for n in range(1, 6)]

    def paint(page: pymupdf.Page) -> None:
        written(*left, x=40, size=10)(page)
        written(*right, x=250, size=10)(page)

    with pymupdf.open(stream=pdf(paint, width=440, height=300)) as document:
        image = document[0].get_pixmap(dpi=200).tobytes("png")
    lines = read(image, "columns.png").document.pages[0].text.split("\n")
    assert [line for line in lines if line] == left + right


def test_a_tiff_has_several_pages(read):
    first, second = picture("First sheet"), picture("Second sheet")
    data = encoded(first, "TIFF", save_all=True, append_images=[second])
    found = read(data, "fax.tiff")
    assert [page.text for page in found.document.pages] == ["First sheet", "Second sheet"]
    assert found.images.image(2, width=300).startswith(b"\xff\xd8")


def test_a_photograph_is_turned_as_its_camera_says(read):
    exif = Image.Exif()
    exif[0x0112] = 6  # the picture must be turned right to stand upright
    data = encoded(picture("Held sideways").rotate(90, expand=True), "JPEG", exif=exif)
    (page,) = read(data, "phone.jpg").document.pages
    assert page.text == "Held sideways" and page.width > page.height


def test_transparent_and_sixteen_bit_pictures_are_read_on_white(read):
    gray = picture("Deep and clear").convert("L")
    sixteen = Image.fromarray(np.asarray(gray, np.uint16) * 257)
    assert read(encoded(sixteen, "PNG"), "deep.png").document.pages[0].text == "Deep and clear"
    ink = Image.new("RGBA", gray.size, (0, 0, 0, 0))
    ink.putalpha(gray.point(lambda value: 255 - value))
    assert read(encoded(ink, "WEBP", lossless=True), "clear.webp").document.pages[0].text == "Deep and clear"
