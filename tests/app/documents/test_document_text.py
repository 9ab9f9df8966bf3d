"""Text PDFs: reading order, places, and what people wrote on top."""

import io

import pymupdf
import pytest
from PIL import Image

from tests.helpers.documents import pdf, written

LEFT = [f"The left column tells its story in line {n}" for n in range(1, 13)]
RIGHT = [f"The right column answers it in line {n}" for n in range(1, 13)]


def two_columns(page: pymupdf.Page) -> None:
    page.insert_text((72, 60), "A title that runs across both of the columns of this page", fontsize=18)
    for index, (left, right) in enumerate(zip(LEFT, RIGHT, strict=True)):
        page.insert_text((300, 100 + 14 * index), right, fontsize=9)
        page.insert_text((60, 100 + 14 * index), left, fontsize=9)
    page.insert_text((290, 800), "7", fontsize=9)


def ink_box(jpeg: bytes) -> tuple[float, float, float, float]:
    """Where the dark pixels of a picture are, in fractions."""
    image = Image.open(io.BytesIO(jpeg)).convert("L").point(lambda value: 255 * (value < 128))
    x0, y0, x1, y1 = image.getbbox()
    return x0 / image.width, y0 / image.height, x1 / image.width, y1 / image.height


def test_columns_are_read_one_after_the_other(read):
    text = read(pdf(two_columns)).document.pages[0].text
    places = [text.index(line) for line in ["A title", *LEFT, *RIGHT]]
    assert places == sorted(places)
    assert text.endswith("\n7")


def test_a_row_of_a_table_stays_on_one_line(read):
    rows = [("Item", "Qty", "Amount"), ("Rye flour", "20", "31.50"), ("Salt", "4", "2.80"), ("Total", "", "1,591.60")]

    def table(page: pymupdf.Page) -> None:
        for index, row in enumerate(rows):
            for x, cell in zip((72, 250, 400), row, strict=True):
                page.insert_text((x, 100 + 18 * index), cell)

    assert read(pdf(table)).document.pages[0].text.splitlines() == [
        "Item; Qty; Amount",
        "Rye flour - Qty: 20; Amount: 31.50",
        "Salt - Qty: 4; Amount: 2.80",
        "Total - Amount: 1,591.60",
    ]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_match_the_picture_of_a_turned_and_cropped_page(read, rotation):
    def paint(page: pymupdf.Page) -> None:
        page.insert_text((120, 200), "Hello", fontsize=40)
        page.set_cropbox(pymupdf.Rect(50, 80, 450, 600))
        page.set_rotation(rotation)

    found = read(pdf(paint))
    (page,) = found.document.pages
    assert page.text == "Hello"
    assert (page.width > page.height) == (rotation in (90, 270))
    ink, box = ink_box(found.images.image(1, width=600)), page.words[0].box
    assert box[0] - 0.02 <= ink[0] and box[1] - 0.02 <= ink[1] and ink[2] <= box[2] + 0.02 and ink[3] <= box[3] + 0.02
    assert (box[2] - box[0]) * (box[3] - box[1]) < 3 * (ink[2] - ink[0]) * (ink[3] - ink[1])


def test_sideways_text_is_read_along_its_own_lines(read):
    def paint(page: pymupdf.Page) -> None:
        for index in range(5):
            page.insert_text((100 + 30 * index, 500), f"Sideways line number {index}", rotate=90)

    assert read(pdf(paint)).document.pages[0].text.split("\n") == [f"Sideways line number {i}" for i in range(5)]


def test_page_numbers_are_those_of_the_file(read):
    data = pdf(*(written(f"Page {n}") for n in range(1, 6)))
    assert [page.number for page in read(data, pages="2-3, 5").document.pages] == [2, 3, 5]
    assert [page.text for page in read(data, pages="4-").document.pages] == ["Page 4", "Page 5"]


def test_marks_that_nobody_reads_are_dropped(read):
    assert read(pdf(written("so\u00adft \u202ehyphen"))).document.pages[0].text == "soft hyphen"


def test_hidden_words_are_flagged_and_others_are_not(read):
    def paint(page: pymupdf.Page) -> None:
        page.insert_text((72, 72), "plain")
        page.insert_text((72, 100), "white", color=(1, 1, 1))
        page.insert_text((72, 130), "unpainted", render_mode=3)
        page.insert_text((72, 160), "tiny", fontsize=0.8)
        page.insert_text((72, 190), "transparent", fill_opacity=0, stroke_opacity=0)
        page.insert_text((-300, 220), "outside")
        page.insert_text((72, 250), "covered")
        page.draw_rect((60, 235, 200, 260), fill=(0, 0, 0))
        page.draw_rect((60, 300, 300, 330), fill=(0.1, 0.2, 0.5))
        page.insert_text((72, 320), "header", color=(1, 1, 1))

    (page,) = read(pdf(paint)).document.pages
    flags = {page.text[word.start : word.end]: word.hidden for word in page.words}
    assert flags.pop("plain") is False and flags.pop("header") is False
    assert set(flags) == {"white", "unpainted", "tiny", "transparent", "outside", "covered"} and all(flags.values())


def test_form_fields_are_part_of_the_text(read):
    def field(page: pymupdf.Page, kind: int, value: object, y: float) -> None:
        widget = pymupdf.Widget()
        widget.field_type, widget.field_name, widget.field_value = kind, f"field{y}", value
        widget.rect = pymupdf.Rect(200, y - 12, 420, y + 4) if kind == 7 else pymupdf.Rect(200, y - 12, 216, y + 4)
        page.add_widget(widget)

    def paint(page: pymupdf.Page) -> None:
        for label, y in (("Name:", 100), ("Member:", 140), ("Newsletter:", 180)):
            page.insert_text((72, y), label)
        field(page, pymupdf.PDF_WIDGET_TYPE_TEXT, "Ada Lovelace", 100)
        field(page, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, True, 140)
        field(page, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, False, 180)

    lines = read(pdf(paint)).document.pages[0].text.split("\n")
    assert [line for line in lines if line] == ["Name:   Ada Lovelace", "Member:   ☑", "Newsletter:   ☐"]


def test_annotations_are_part_of_the_text(read):
    def paint(page: pymupdf.Page) -> None:
        page.insert_text((72, 72), "A sentence that was marked.")
        page.add_freetext_annot((72, 200, 300, 230), "Typed over the page")
        page.add_text_annot((72, 300), "Ask the printer")
        highlight = page.add_highlight_annot(pymupdf.Rect(72, 60, 200, 75))
        highlight.set_info(content="Check this date")
        highlight.update()

    text = read(pdf(paint)).document.pages[0].text
    assert text.count("Typed over the page") == 1
    assert "Note: Ask the printer" in text and "Note: Check this date" in text


def test_the_same_file_is_the_same_document(read):
    data = pdf(written("Hello"))
    assert read(data, "one.pdf").document.sha256 == read(data, "two.pdf").document.sha256
