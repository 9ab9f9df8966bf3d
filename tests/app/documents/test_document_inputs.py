"""Bad input: each kind gets its own message, with what is wrong, the actual value and the fix."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from app.documents import DocumentReader, Limits
from model.errors import DocumentError, PasswordNeeded
from tests.helpers.documents import NO_PAGES, encoded, pdf, written


def archive(members: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return target.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DRM = '<encryption><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></encryption>'


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "empty.pdf", ["0 bytes", "download"]),
        (b"%PDF-1.7 and then nonsense", "broken.pdf", ["damaged", "again"]),
        (NO_PAGES, "nothing.pdf", ["is damaged: none of its pages can be read", "export"]),
        (b"\x7fELF\x02\x01\x01" + bytes(100), "program.pdf", ["a Linux program", "PDF, Office"]),
        (b"<!DOCTYPE html><html>404</html>", "paper.pdf", [".pdf", "a web page", "download"]),
        (b"just some words", "paper.pdf", ["plain text", ".txt"]),
        (b"\x00\x01\x02\x03" * 50, "data.bin", ["no document that can be read here: PDF, Office", "text can."]),
        (archive({}), "nothing.zip", ["0 files", "PDF, Office"]),
        (archive({"word/document.bin": "x"}), "letter.docx", ["1 files", "no document"]),
        (b"PK\x03\x04 cut off", "cut.epub", ["damaged ZIP"]),
        (b"\x89PNG\r\n\x1a\n cut off", "cut.png", ["damaged picture"]),
        (b" \n\n ", "white.txt", ["white space"]),
        (OLE + "WordDocument".encode("utf-16-le") + bytes(90), "old.doc", ["old Word", ".docx"]),
        (OLE + "Workbook".encode("utf-16-le") + bytes(90), "old.xls", ["old Excel", ".xlsx"]),
        (OLE + "EncryptedPackage".encode("utf-16-le") + bytes(90), "locked.docx", ["password", "remove it"]),
        (OLE + "__properties_version1.0".encode("utf-16-le") + bytes(9), "mail.msg", ["Outlook", ".eml"]),
        (archive({"Index/Document.iwa": "x"}), "essay.pages", ["Apple Pages", "PDF"]),
        (archive({"META-INF/container.xml": "<x/>", "META-INF/encryption.xml": DRM}), "novel.epub", ["DRM"]),
        (archive({"xl/workbook.bin": "x", "[Content_Types].xml": "x"}), "table.xlsb", ["binary Excel", ".xlsx"]),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_with_the_fix(reader, data, name, words):
    with pytest.raises(DocumentError) as caught:
        reader.read(data, name=name)
    assert all(word in str(caught.value) for word in [name, *words])


def test_an_archive_that_begins_with_a_pdf_is_an_archive(reader):
    with pytest.raises(DocumentError, match=r"papers\.zip. holds no document.*a\.pdf"):
        reader.read(archive({"a.pdf": "%PDF-1.7 is stored as it is"}), name="papers.zip")


def test_a_text_that_tells_of_pdfs_is_a_text(reader):
    text = "The first line of such a file is %PDF-1.7, and its last one %%EOF."
    page = reader.read(f"# Files\n{text}".encode(), name="notes.md").document.pages[0]
    assert text in page.text


def test_an_oversized_file_is_refused_before_it_is_read(reader, tmp_path):
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        file.truncate(300 << 20)
    with pytest.raises(DocumentError, match="300 MiB, and 100 MiB is the limit"):
        reader.read(path, name=path.name)


def test_an_enormous_picture_is_refused_before_it_is_decoded(reader):
    image = Image.new("1", (20_000, 20_000))
    with pytest.raises(DocumentError, match="20,000 x 20,000 = 400 million pixels, and 100 million is the limit"):
        reader.read(encoded(image, "PNG"), name="huge.png")


@pytest.mark.parametrize("path", ["missing.pdf", "."])
def test_a_path_that_is_no_file_is_named(reader, tmp_path, path):
    with pytest.raises(DocumentError, match=str(tmp_path)):
        reader.read(tmp_path / path, name=path)


def test_too_many_pages_ask_for_a_range(tmp_path):
    path = Path(tmp_path / "three.pdf")
    path.write_bytes(pdf(*[written("page")] * 3))
    with DocumentReader(Limits(max_pages=2)) as reader:
        with pytest.raises(DocumentError, match="3 pages to read, and 2 is the limit: give a page range"):
            reader.read(path, name=path.name)
        found = reader.read(path, name=path.name, pages="2-3")
        assert len(found.document.pages) == 2
        found.images.close()


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ("", "cannot be understood"),
        ("one", "like 3-10,12"),
        ("2-1", "does not fit"),
        ("0", "1 to 3"),
        ("2,9", "1 to 3"),
    ],
)
def test_a_bad_page_range_says_which_pages_there_are(reader, pages, words):
    with pytest.raises(DocumentError, match=words):
        reader.read(pdf(*[written("page")] * 3), name="three.pdf", pages=pages)


def test_an_encrypted_file_asks_for_its_password(read, reader):
    data = pdf(written("Secret"), encryption=5, user_pw="user", owner_pw="owner")
    with pytest.raises(PasswordNeeded, match="needs a password: give it"):
        reader.read(data, name="locked.pdf")
    with pytest.raises(PasswordNeeded, match="does not open"):
        reader.read(data, name="locked.pdf", password="wrong")
    for password in ("user", "owner"):
        found = read(data, "locked.pdf", password=password)
        assert found.document.pages[0].text == "Secret"
        assert found.images.image(1, width=200).startswith(b"\xff\xd8")
