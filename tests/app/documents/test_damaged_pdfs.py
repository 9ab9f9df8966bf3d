"""A part of a page that cannot be read costs that part, and is said; what other readers open is opened."""

import pytest

from app.documents.parts import UnreadParts
from model.errors import PasswordNeeded
from tests.helpers.documents import written_objects

WORDS = "BT /T 12 Tf 20 100 Td (Some words) Tj ET"
FIELD = "<</Type/Annot/Subtype/Widget{type}/T(a)/V(value)/Rect[10 10 90 30]/Parent {parent} 0 R>>"


def page_of_words(*more: str, catalog: str = "", page: str = "", trailer: str = "") -> bytes:
    """A page with words; further objects count from 6."""
    objects = [
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 4 0 R/Resources<</Font<</T 5 0 R>>>>{page}>>",
        f"<</Length {len(WORDS)}>>stream\n{WORDS}\nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    return written_objects([*objects, *more], trailer)


def form(*fields: str) -> bytes:
    numbers = " ".join(f"{number} 0 R" for number in range(6, 6 + len(fields)))
    return page_of_words(*fields, catalog=f"/AcroForm<</Fields[{numbers}]>>", page=f"/Annots[{numbers}]")


@pytest.mark.parametrize(
    ("data", "lost"),
    [
        (form(FIELD.format(type="/FT/Tx", parent=6)), {"form fields"}),
        (form(FIELD.format(type="", parent=6)), {"form fields", "notes"}),
        (form(FIELD.format(type="/FT/Tx", parent=7), FIELD.format(type="/FT/Tx", parent=6)), {"form fields"}),
        (form("<</Type/Annot/Subtype/Text/Contents 5/Rect[10 10 90]>>"), set()),
        (form("[6 0 R]"), set()),
    ],
)
def test_a_form_that_goes_in_a_circle_costs_its_fields_and_no_word(read, data, lost):
    found = read(data)
    (page,) = found.document.pages
    assert page.text.startswith("Some words") and set(page.unread_parts) == lost
    assert found.images.image(1, width=100)


def test_a_broken_field_costs_itself_and_not_the_other_fields(read):
    whole = "<</Type/Annot/Subtype/Widget/FT/Tx/T(b)/V(Okafor)/Rect[10 40 90 60]>>"
    (page,) = read(form(FIELD.format(type="/FT/Tx", parent=6), whole)).document.pages
    assert "Okafor" in page.text and page.unread_parts == ("form fields",)


@pytest.mark.parametrize("before", [b"", b"%PDF\n", b"%!PS-Adobe-3.0\n", b"HTTP/1.1 200 OK\r\n" * 200])
def test_a_pdf_without_its_first_line_is_read(read, before):
    data = before + page_of_words().partition(b"\n")[2]
    assert read(data, "scan.pdf").document.pages[0].text == "Some words"
    assert read(data, "no-suffix").document.pages[0].text == "Some words"


def test_a_text_about_pdf_is_a_text(read):
    text = b"A PDF holds objects such as\n4 0 obj\nand ends with\nstartxref\n%%EOF"
    assert read(text, "about.txt").document.pages[0].text.startswith("A PDF holds")


@pytest.mark.parametrize(
    "dictionary",
    ["<<>>", "<</V 1>>", "<</Filter/Unheard/V 1/R 2>>", "<</Filter/Standard/V 9/R 9/O(o)/U(u)/P -4>>", "99 0 R", "5"],
)
def test_a_password_dictionary_that_says_nothing_is_passed_over(read, dictionary):
    data = page_of_words(trailer=f"/Encrypt {dictionary}/ID[(a)(b)]")
    assert read(data).document.pages[0].text == "Some words"


def encrypted(filters: str) -> bytes:
    """A page whose password nobody knows, with these crypt filters for streams and strings."""
    keys = f"/O<{'ab' * 48}>/U<{'cd' * 48}>/OE<{'ab' * 32}>/UE<{'cd' * 32}>/Perms<{'ef' * 16}>"
    files = "/CF<</StdCF<</AuthEvent/EFOpen/CFM/AESV3/Length 32>>>>/EFF/StdCF"
    return page_of_words(
        trailer=f"/Encrypt<</Filter/Standard/V 5/R 6/Length 256/P -4{keys}{files}{filters}>>/ID[(a)(b)]"
    )


@pytest.mark.parametrize("filters", ["/StmF/Identity/StrF/Identity", "/StmF/Identity", ""])
def test_a_password_for_attached_files_alone_is_not_asked_for(read, filters):
    assert read(encrypted(filters)).document.pages[0].text == "Some words"


@pytest.mark.parametrize("filters", ["/StmF/StdCF/StrF/StdCF", "/StmF/StdCF"])
def test_a_password_for_pages_is_asked_for(read, filters):
    with pytest.raises(PasswordNeeded, match="needs a password"):
        read(encrypted(filters))


def test_a_page_that_is_not_there_costs_itself(read):
    words = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]/Contents 6 0 R/Resources<</Font<</T 5 0 R>>>>>>"
    stream = f"<</Length {len(WORDS)}>>stream\n{WORDS}\nendstream"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R 99 0 R 4 0 R]/Count 3>>",
        words,
        words,
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        stream,
    ]
    pages = read(written_objects(objects)).document.pages
    assert [page.text for page in pages if page.text] == ["Some words", "Some words"]
    assert all(page.unread_parts == ("the whole page",) for page in pages if not page.text)


def test_a_part_that_fails_is_noted_once_and_want_of_memory_is_not_hidden():
    unread = UnreadParts()
    assert unread.attempt("figures", lambda: 1 / 0, 0.5) == 0.5
    assert list(unread.each("figures", [0, 1, 2], lambda number: 2 // number)) == [2, 1]
    assert tuple(unread) == ("figures",)
    with pytest.raises(MemoryError):
        unread.attempt("notes", lambda: bytearray(1 << 60), b"")
