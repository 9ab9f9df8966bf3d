"""Web pages, mail, archives, rich text, rows of values."""

import io
import zipfile
from email.message import EmailMessage

import pytest
from PIL import Image

from model.errors import DocumentError
from tests.helpers.documents import encoded, pdf, picture, written
from tests.helpers.office import archive, docx, paragraph


def test_a_web_page_is_read_without_what_is_hidden_or_serves_the_program(read) -> None:
    page = (
        "<!doctype html><title>Ferry</title><style>.off{display:none}@media print{.ad{display:none}}</style>"
        "<nav>Home</nav><script>x=1</script><p hidden>a</p><p class=off>b</p><p style='visibility:hidden'>c</p>"
        "<h2>Fares</h2><p class=ad>Adults pay <b>4</b><br>crowns.</p><ol start=3><li>Dogs<li>Cats</ol>"
        "<table><tr><th>Day<th>Fare<th>Tax<tr><td>Sunday<td>5<td>1</table>"
    )
    text = read(page.encode(), "ferry.html").document.pages[0].text
    assert text == (
        "Ferry\n\nFares\n\nAdults pay 4\ncrowns.\n\n3. Dogs\n4. Cats\n\nDay; Fare; Tax\nSunday - Fare: 5; Tax: 1"
    )


def test_a_mail_is_followed_by_its_attachments_and_names_what_was_not_read(read) -> None:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "The tide tables", "Ida <ida@example.org>", "Bo <bo@example.org>"
    mail.set_content("Both are attached.")
    mail.add_attachment(
        docx(paragraph("High tide at noon.")), maintype="application", subtype="x", filename="tide.docx"
    )
    mail.add_attachment(b"\x7fELF" + bytes(60), maintype="application", subtype="x", filename="setup.bin")
    mail.add_attachment(pdf(written("One"), written("Two")), maintype="application", subtype="pdf", filename="two.pdf")
    pages = read(mail.as_bytes(), "tides.eml").document.pages
    assert pages[0].text.startswith("The tide tables\n\nFrom: Ida <ida@example.org>\nTo: Bo <bo@example.org>\n\nBoth")
    assert "setup.bin was not read" in pages[0].text
    assert [page.text for page in pages[1:]] == ["High tide at noon.", "One", "Two"]
    assert [page.label for page in pages[1:]] == ["tide.docx", "two.pdf, page 1", "two.pdf, page 2"]
    assert [page.number for page in pages] == [1, 2, 3, 4]


def test_the_documents_in_a_zip_are_read_behind_a_list_of_them(read) -> None:
    data = archive({"a/notes.txt": "The lamp is lit.", "b/pier.docx": docx(paragraph("Pier four.")), "c.bin": b"\0\1"})
    pages = read(data, "papers.zip").document.pages
    assert [page.text for page in pages[1:]] == ["The lamp is lit.", "Pier four."]
    assert "notes.txt" in pages[0].text and pages[2].label == "pier.docx"


def test_a_zip_that_would_fill_the_memory_is_refused_before_it_is_unpacked(reader) -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("[Content_Types].xml", "word/document.xml"):
            with file.open(name, "w", force_zip64=True) as member:
                for _ in range(300):
                    member.write(bytes(1 << 20))
    with pytest.raises(DocumentError, match="unpacks to 600 MiB"):
        reader.read(target.getvalue(), name="bomb.docx")


def test_entities_of_a_file_are_not_expanded(reader) -> None:
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    body = f"{bomb}<w:document xmlns:w='u'><w:body><w:p><w:r><w:t>Seen &b;&f;</w:t></w:r></w:p></w:body></w:document>"
    data = archive({"[Content_Types].xml": "<x/>", "word/document.xml": body})
    found = reader.read(data, name="entities.docx")
    assert found.document.pages[0].text.strip() == "Seen"
    found.images.close()


def test_rich_text_has_tables_notes_and_the_code_pages_of_its_fonts(read) -> None:
    text = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0\fcharset0 A;}{\f1\fcharset204 B;}{\f2\fcharset128 C;}}"
        rb"{\stylesheet{\s1 heading 1;}}{\pard\s1 Caf\'e9\par}{\pard\f1 \'cf\'ee\'f0\'f2 {\v hidden}\par}"
        rb"{\pard\f2 \'8d\'60\par}\pard\u8364?\u-10179?\u-8704? 5{\footnote Net.}\par"
        rb"\trowd\intbl Pier\cell Ship\cell\row\trowd\intbl\pard\intbl Four\cell Anna\cell\row\pard{\*\unknown x}}"
    )
    text = read(text, "harbour.rtf").document.pages[0].text
    assert text == "Café\n\nПорт\n\n港\n\n€😀 5[1]\n\nPier: Ship\nFour: Anna\n\n[1] Net."


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_rows_of_values_name_their_columns(read, sign) -> None:
    rows = (("Keeper", "Lamp", "Hours"), ("Anselm", '"brass, old"' if sign == "," else "brass, old", "9"))
    text = "\r\n".join(sign.join(row) for row in rows)
    assert read(text.encode(), "lamps.csv").document.pages[0].text.endswith("Anselm - Lamp: brass, old; Hours: 9")


@pytest.mark.parametrize("kind", ["AVIF", "JPEG2000", "HEIF"])
def test_newer_kinds_of_pictures_are_opened(read, kind) -> None:
    if kind == "HEIF":
        import pillow_heif

        target = io.BytesIO()
        pillow_heif.from_pillow(picture("Meter 48213")).save(target, quality=90)
        data = target.getvalue()
    else:
        data = encoded(picture("Meter 48213"), kind)
    found = read(data, "meter.bin")
    assert "48213" in found.document.pages[0].text and found.document.pages[0].source == "ocr"


def test_writing_in_a_picture_of_an_office_file_is_read_where_it_stands(read) -> None:
    drawn = encoded(picture("Gate opens at seven", size=24), "PNG")
    page = (
        f'<html><body><h1>Gate</h1><img src="data:image/png;base64,{__import__("base64").b64encode(drawn).decode()}">'
    )
    (found,) = read(page.encode(), "gate.html").document.pages
    assert found.text == "Gate\n\nGate opens at seven" and found.figures > 0.2
    word = next(word for word in found.words if found.text[word.start : word.end] == "seven")
    assert word.box[1] > max(other.box[3] for other in found.words[:1])


def test_an_empty_picture_is_no_error(read) -> None:
    data = archive(
        {"[Content_Types].xml": "<x/>", "word/document.xml": "<w:document xmlns:w='u'><w:body/></w:document>"}
    )
    with pytest.raises(DocumentError, match="no text and no pictures"):
        read(data, "empty.docx")
    assert read(encoded(Image.new("RGB", (60, 40), "white"), "AVIF"), "white.avif").document.pages[0].text == ""
