"""What a text layer does not say is read by OCR, and nothing else is."""

import numpy as np
import pymupdf
import pytest
from PIL import Image

from app.documents.gaps import is_language
from app.documents.picture import PagePicture
from app.documents.picture_source import open_picture
from app.documents.recognised_lines import ReadLine, joined_where_they_overlap
from tests.helpers.documents import encoded, pdf, picture, scan, written

LETTER = (
    "Minutes of the allotment society",
    "The new pump was bought for 3,815 francs",
    "Ms. Halvorsen keeps the key of the shed",
    "The next meeting is on 21 September",
)


def _shows(page: pymupdf.Page, *, lines: tuple[str, ...] = LETTER) -> None:
    page.insert_image(page.rect, stream=encoded(picture(*lines, size=14), "PNG"))


def _with_codes(data: bytes, *ranges: str) -> bytes:
    """The PDF with fonts that say of their codes what these lines of a ToUnicode map do."""
    with pymupdf.open(stream=data) as document:
        number = document.get_new_xref()
        document.update_object(number, "<<>>")
        head = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <ff> endcodespacerange"
        body = f"{len(ranges)} beginbfrange {' '.join(ranges)} endbfrange endcmap end"
        document.update_stream(number, f"{head} {body}".encode())
        for font in document[0].get_fonts():
            document.xref_set_key(font[0], "ToUnicode", f"{number} 0 R")
        return document.tobytes()


def _typed(page: pymupdf.Page) -> None:
    for index, line in enumerate(LETTER):
        page.insert_text((72, 100 + 30 * index), line, fontsize=12)


@pytest.mark.parametrize("angle", [-4, 2.5])
def test_lines_of_a_scan_that_lies_askew_stay_apart(read, angle):
    rows = [
        f"{name}   {price}" for name, price in zip(("Rope", "Tar", "Sails"), ("18.40", "7.15", "260.00"), strict=True)
    ]
    image = Image.new("RGB", (1_000, 700), "white")
    image.paste(picture(*rows, "All of it was paid in cash on the day of the fair", size=15), (100, 60))
    askew = image.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor="white")
    (page,) = read(encoded(askew, "PNG"), "askew.png").document.pages
    assert [line.split()[0] for line in page.text.split("\n") if line] == ["Rope", "Tar", "Sails", "All"]


def test_a_scan_between_lines_of_text_is_read_in_its_place(read):
    def paint(page: pymupdf.Page) -> None:
        page.insert_text((40, 30), "Received by the registry of Elmshorn on the second floor, desk 4", fontsize=9)
        page.insert_image(pymupdf.Rect(60, 60, 480, 360), stream=encoded(picture(*LETTER, size=14), "PNG"))
        page.insert_text((40, 560), "Copies are made on request for a fee of two francs a page", fontsize=9)

    (page,) = read(pdf(paint, width=540, height=600)).document.pages
    places = [page.text.find(part) for part in ("Received by", "3,815 francs", "21 September", "Copies are")]
    assert -1 not in places and places == sorted(places)
    assert page.unread_boxes == 0


@pytest.mark.parametrize("rotation", [90, 270])
def test_a_scan_on_a_turned_page_is_read_in_its_place(read, rotation):
    with pymupdf.open() as upright, pymupdf.open() as document:
        page = upright.new_page(width=700, height=500)
        page.insert_text((60, 60), "Received by the registry of Elmshorn on the second floor, desk 4", fontsize=9)
        page.insert_image(pymupdf.Rect(60, 100, 340, 250), stream=encoded(picture(*LETTER, size=14), "PNG"))
        page.insert_text((60, 400), "Copies are made on request for a fee of two francs a page", fontsize=9)
        turned = document.new_page(width=500, height=700)
        turned.show_pdf_page(turned.rect, upright, 0, rotate=rotation)
        turned.set_rotation(rotation)
        (found,) = read(document.tobytes()).document.pages
    places = [found.text.find(part) for part in ("Received by", "3,815 francs", "21 September", "Copies are")]
    assert -1 not in places and places == sorted(places)


def test_a_photograph_beside_text_costs_no_recognition():
    shades = np.linspace(0, 255, 90_000).reshape(300, 300)
    noise = np.random.default_rng(7).normal(0, 20, (300, 300))
    photograph = np.repeat(np.clip(shades + noise, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    box = (0.0, 0.0, 300.0, 300.0)
    assert not PagePicture(pixels=photograph, scale=1.0).holds_writing(box)
    assert PagePicture(pixels=np.asarray(picture(*LETTER)), scale=1.0).holds_writing(box)


def test_a_hidden_layer_by_a_bad_ocr_gives_way_to_what_is_shown(read):
    bad = (
        "Mlnutcs 0f thc a1l0tmcnt s0clcty",
        "Thc ncw pwnp wa$ b0ught lor 3,8l5 lrancs",
        "M$. Ha1v0rscn kccps thc kcy",
    )

    def paint(page: pymupdf.Page) -> None:
        _shows(page)
        for index, line in enumerate(bad):
            page.insert_text((72, 100 + 40 * index), line, fontsize=14, render_mode=3)

    (page,) = read(pdf(paint, width=420, height=300)).document.pages
    assert page.source == "ocr" and "3,815 francs" in page.text


def test_a_hidden_layer_that_is_right_stays(read):
    def paint(page: pymupdf.Page) -> None:
        _shows(page)
        for index, line in enumerate(LETTER):
            page.insert_text((72, 100 + 40 * index), line.replace("pump", "pump\u00a0"), fontsize=14, render_mode=3)

    (page,) = read(pdf(paint, width=420, height=300)).document.pages
    assert page.source == "text" and "3,815 francs" in page.text


def test_a_layer_whose_codes_are_no_letters_gives_way_to_what_is_shown(read):
    (page,) = read(_with_codes(pdf(_typed), "<20> <7d> <0003>")).document.pages
    assert page.source == "ocr"
    assert [line for line in page.text.split("\n") if line] == list(LETTER)


def test_lines_with_digits_that_mean_nothing_are_read_and_the_others_stay(read):
    def paint(page: pymupdf.Page) -> None:
        _typed(page)
        for index, letter in enumerate("abcdef"):
            page.insert_text((72, 300 + 30 * index), f"Paragraph {letter} of the rules, with words only", fontsize=12)

    (page,) = read(_with_codes(pdf(paint), "<20> <2f> <0020>", "<30> <39> <e130>", "<3a> <7d> <003a>")).document.pages
    assert page.source == "text"
    assert "3,815 francs" in page.text and "21 September" in page.text
    assert "Paragraph c of the rules, with words only" in page.text


def test_letters_that_are_drawn_as_shapes_are_read(read):
    with pymupdf.open(stream=pdf(written(*LETTER, size=14), width=420, height=300)) as document:
        data = document[0].get_svg_image(text_as_path=True).encode()
    (page,) = read(data, "shapes.svg").document.pages
    assert page.source == "ocr" and "3,815 francs" in page.text


def test_notes_on_a_scan_stay_and_their_icons_are_no_writing(read):
    with pymupdf.open(stream=scan(picture(*LETTER, size=14))) as document:
        document[0].add_text_annot((380, 20), "Paid twice: ask for the difference")
        data = document.tobytes()
    (page,) = read(data).document.pages
    assert page.source == "ocr" and page.unread_boxes == 0
    assert page.text.rstrip().endswith("Note: Paid twice: ask for the difference")


def test_a_fax_is_as_high_as_it_was_on_paper():
    data = encoded(Image.new("L", (1_000, 600), 255), "TIFF", dpi=(204, 98))
    source = open_picture(data, name="fax.tiff", max_pixels=10**7)
    width, height = source.draw(1, 500).size
    assert width == 500 and height == pytest.approx(300 * 204 / 98, abs=2)


def test_letters_in_two_boxes_of_the_detector_stand_in_the_line_once():
    def line(text: str, left: float) -> ReadLine:
        letters = tuple((char, (index + 0.5) / len(text)) for index, char in enumerate(text))
        return ReadLine(letters=letters, box=(left, 10.0, left + 20 * len(text), 50.0))

    one, other = line("the lighthouse kee", 0), line("eeper waves", 320)
    assert [found.text for found in joined_where_they_overlap([one, other])] == ["the lighthouse keeper waves"]
    apart = [line("first column", 0), line("second", 250)]
    assert joined_where_they_overlap(apart) == apart


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Die Rechnung wird binnen vierzehn Tagen bezahlt", True),
        ("Příspěvek se platí jednou ročně převodem", True),
        ("Счёт за обслуживание лифта", True),
        ("KHDT PRQGDB VHSW ZKHWKHU FRPSDQB SDSHUV", False),
        ("AB-12 CX-99 QRS 4411", True),
    ],
)
def test_what_could_be_a_language_is_told_by_its_vowels(text, expected):
    assert is_language([text]) is expected
