"""Office files: what stands in them, in which order, and where it is drawn."""

import pytest

from app.documents.flow.blocks import Cell, Table, plain_table
from app.documents.flow.tables import Grid
from app.documents.office.number_formats import shown_number
from model.types import Page
from tests.helpers.office import (
    ODF,
    docx,
    inline_rows,
    odf,
    paragraph,
    pptx,
    shape,
    word_table,
    xlsx,
)

HEADING = '<w:outlineLvl w:val="0"/>'
LISTED = '<w:numPr><w:ilvl w:val="{}"/><w:numId w:val="1"/></w:numPr>'
NUMBERING = (
    '<w:abstractNum w:abstractNumId="0"><w:lvl w:ilvl="0"><w:numFmt w:val="decimal"/><w:lvlText w:val="%1."/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2"/></w:lvl></w:abstractNum>'
    '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
)


def lines(table: Table) -> list[str]:
    """The lines of a table as text."""
    grid = Grid(table)
    return [" ".join(grid.cells[part.cell].text + part.sign for part in line) for line in grid.lines()]


def test_word_paragraphs_carry_the_numbers_of_their_lists(read) -> None:
    body = (
        paragraph("Duties", HEADING)
        + paragraph("The tenant sweeps.", LISTED.format(0))
        + paragraph("the stairs", LISTED.format(1))
        + paragraph("the yard", LISTED.format(1))
        + paragraph("The landlord paints.", LISTED.format(0))
    )
    (page,) = read(docx(body, numbering=NUMBERING), "lease.docx").document.pages
    assert page.text == "Duties\n\n1. The tenant sweeps.\n1.a the stairs\n1.b the yard\n2. The landlord paints."
    assert page.label == "Duties"


def test_deleted_and_hidden_words_are_not_read_and_inserted_ones_are(read) -> None:
    body = (
        "<w:p><w:del><w:r><w:delText>ten </w:delText></w:r></w:del><w:ins><w:r><w:t>twelve </w:t></w:r></w:ins>"
        "<w:r><w:t>crowns</w:t></w:r><w:r><w:rPr><w:vanish/></w:rPr><w:t> secret</w:t></w:r></w:p>"
    )
    assert read(docx(body), "price.docx").document.pages[0].text == "twelve crowns"


@pytest.mark.parametrize("format", ['<w:color w:val="FFFFFF"/>', '<w:sz w:val="2"/>'])
def test_words_that_no_reader_of_a_word_file_sees_are_read_as_hidden(read, format: str) -> None:
    unseen = f"<w:r><w:rPr>{format}</w:rPr><w:t>The rent is nine crowns.</w:t></w:r>"
    body = f"<w:p><w:r><w:t>The rent is twelve crowns.</w:t></w:r>{unseen}</w:p>"
    (page,) = read(docx(body), "rent.docx").document.pages
    hidden = [page.text[word.start : word.end] for word in page.words if word.hidden]
    assert " ".join(hidden) == "The rent is nine crowns."


def test_white_words_on_a_shaded_ground_are_seen(read) -> None:
    white = '<w:r><w:rPr><w:color w:val="FFFFFF"/></w:rPr><w:t>Fees</w:t></w:r>'
    cell = f'<w:tc><w:tcPr><w:shd w:fill="1F3864"/></w:tcPr><w:p>{white}</w:p></w:tc>'
    shaded = f'<w:p><w:pPr><w:shd w:fill="000000"/></w:pPr>{white}</w:p>'
    body = f"<w:tbl><w:tr>{cell}{cell}</w:tr></w:tbl>{shaded}"
    (page,) = read(docx(body), "fees.docx").document.pages
    assert page.text.count("Fees") == 3 and not any(word.hidden for word in page.words)


def test_pages_end_where_word_last_had_them_end(read) -> None:
    body = (
        paragraph("First page.")
        + "<w:p><w:r><w:t>Still first, </w:t><w:lastRenderedPageBreak/><w:t>and second.</w:t></w:r></w:p>"
    )
    pages = read(docx(body), "two.docx").document.pages
    assert [page.text for page in pages] == ["First page.\n\nStill first,", "and second."]
    assert [page.label for page in pages] == ["", ""]


def test_notes_stand_behind_their_page_with_their_mark(read) -> None:
    body = '<w:p><w:r><w:t>The fee is 320</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
    notes = f'<w:footnote w:id="2">{paragraph("Without tax.")}</w:footnote>'
    text = read(docx(body, footnotes=notes), "fee.docx").document.pages[0].text
    assert text == "The fee is 320[1]\n\n[1] Without tax."


def test_a_word_of_a_table_row_has_the_box_of_its_cell(read) -> None:
    rows = (("Pier", "Ferry", "Noon"), ("North", "Anna", "12:05"), ("South", "Bruno", "12:20"))
    (page,) = read(docx(word_table(*rows)), "piers.docx").document.pages
    assert page.text.split("\n")[1:] == ["North - Ferry: Anna; Noon: 12:05", "South - Ferry: Bruno; Noon: 12:20"]
    (table,) = page.tables
    assert [page.text[cell.start : cell.end] for cell in table.cells] == [cell for row in rows for cell in row]
    boxes = {page.text[word.start : word.end]: word.box for word in page.words}
    assert boxes["12:05"][0] == pytest.approx(boxes["12:20"][0]) and boxes["12:05"][3] <= boxes["12:20"][1]
    assert boxes["North"][2] <= boxes["Anna"][0] and boxes["Anna"][1] == pytest.approx(boxes["North"][1])


def test_a_slide_is_a_page_read_from_top_to_bottom_below_its_title(read) -> None:
    first = (
        shape("Below", top=4_000_000)
        + shape("Above", top=1_500_000)
        + shape("Plan", top=9_000_000, placeholder="title")
    )
    pages = read(pptx(first, shape("one\ntwo", top=0, placeholder="body")), "plan.pptx").document.pages
    assert [page.text for page in pages] == ["Plan\n\nAbove\n\nBelow", "• one\n• two"]
    assert [page.label for page in pages] == ["Slide 1", "Slide 2"]


def test_cells_are_read_as_they_are_shown(read) -> None:
    data = (
        '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>Share</t></is></c>'
        '<c r="C1" t="s"><v>1</v></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>Tea</t></is></c>'
        '<c r="B2" s="1"><v>0.125</v></c><c r="C2" s="2"><v>45366</v></c></row></sheetData>'
    )
    file = xlsx({"Budget": data}, strings=("Item", "Due"), formats=("0.0%", "dd/mm/yyyy"))
    (page,) = read(file, "budget.xlsx").document.pages
    assert page.text == "Item; Share; Due\nTea - Share: 12.5%; Due: 15/03/2024"
    assert page.label == "Sheet 'Budget'"


def test_a_long_sheet_is_cut_below_repeated_names_of_columns(read) -> None:
    rows = [("Street", "Lamps", "Keeper")] + [(f"Lane {n}", f"{n} lamps of brass", f"Keeper {n}") for n in range(150)]
    pages = read(xlsx({"Lamps": inline_rows(*rows)}), "lamps.xlsx").document.pages
    assert len(pages) > 2
    assert [page.label for page in pages] == [f"Sheet 'Lamps' ({n} of {len(pages)})" for n in range(1, len(pages) + 1)]
    assert all(page.text.startswith("Street; Lamps; Keeper\nLane ") for page in pages)
    assert "Lane 149 - Lamps: 149 lamps of brass; Keeper: Keeper 149" in pages[-1].text


def test_groups_of_rows_stay_under_the_names_of_their_columns(read) -> None:
    rows = (
        ("Item", "2023", "2024"),
        (),
        ("Rent", "10", "11"),
        (),
        ("Heat", "5", "6"),
        (),
        ("Name", "Age", "Town"),
        ("Ida", "9", "Bern"),
    )
    text = read(xlsx({"Costs": inline_rows(*rows)}), "costs.xlsx").document.pages[0].text
    assert "Heat - 2023: 5; 2024: 6" in text and "Ida - Age: 9; Town: Bern" in text


def test_sheets_and_texts_of_open_document(read) -> None:
    cells = "".join(
        f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in ("Port", "Ships", "Crew")
    )
    values = "".join(
        f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in ("Oslo", "1,204", "30")
    )
    sheet = f'<table:table table:name="Ports"><table:table-row>{cells}</table:table-row><table:table-row>{values}</table:table-row></table:table>'  # noqa: E501
    (page,) = read(odf("spreadsheet", sheet), "ports.ods").document.pages
    assert page.text.endswith("Oslo - Ships: 1,204; Crew: 30") and page.label == "Sheet 'Ports'"
    text = '<text:h text:outline-level="1">Harbour</text:h><text:p>A<text:s text:c="2"/>tug<text:line-break/>waits.</text:p>'  # noqa: E501
    assert read(odf("text", text), "tug.odt").document.pages[0].text == "Harbour\n\nA tug\nwaits."


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (0.125, "0%", "12%"),
        (1234.5, "#,##0.00", "1,234.50"),
        (-5, "#,##0;(#,##0)", "(5)"),
        (0, '0.0;-0.0;"none"', "none"),
        (12.5, '[$€-407] 0.00', "€ 12.50"),
        (3_400_000, '0.0,,"M"', "3.4M"),
        (7, "000", "007"),
        (0.75, "h:mm AM/PM", "6:00 PM"),
        (1.5, "[h]:mm", "36:00"),
        (45366, "d mmmm yyyy", "15 March 2024"),
        (1e-7, "General", "1E-07"),
        (4.4000000000000004, "General", "4.4"),
    ],
)  # fmt: skip
def test_numbers_are_shown_by_their_format(value: float, code: str, shown: str) -> None:
    assert shown_number(value, code) == shown


def test_groups_of_columns_and_merged_cells_are_said_with_each_row() -> None:
    table = Table(
        rows=(
            (Cell(text="Town", rows=2), Cell(text="2023", columns=2), Cell(text="2024", columns=2)),
            tuple(Cell(text=text) for text in ("Births", "Deaths", "Births", "Deaths")),
            (Cell(text="Ulm", rows=2), Cell(text="7"), Cell(text="3"), Cell(text="8"), Cell(text="2")),
            (Cell(text="9"), Cell(text="4"), Cell(text="6", columns=2)),
        )
    )
    assert lines(table)[-2:] == [
        "Ulm - 2023 / Births: 7; 2023 / Deaths: 3; 2024 / Births: 8; 2024 / Deaths: 2",
        "Ulm - 2023 / Births: 9; 2023 / Deaths: 4; 2024 / Births: 6",
    ]


def test_what_holds_for_all_columns_is_said_once_with_the_label() -> None:
    rows = (("in EUR million", "", "January to June"), ("", "Sales", "Profit"), ("North", "40", "6"))
    assert lines(plain_table(rows))[-1] == "North, in EUR million, January to June - Sales: 40; Profit: 6"


def test_a_form_of_two_columns_is_read_as_names_and_values() -> None:
    assert lines(plain_table([("Keeper", "Anselm"), ("Lamp:", "brass")])) == ["Keeper: Anselm", "Lamp: brass"]


def _unseen_words(page: Page) -> str:
    return " ".join(page.text[word.start : word.end] for word in page.words if word.hidden)


def _coloured(text: str, run: str, fill: str = "", placeholder: str = "") -> str:
    """A box of a slide whose text has run properties of its own; fill: that of the box."""
    box = '<a:xfrm><a:off x="0" y="900000"/><a:ext cx="4000000" cy="400000"/></a:xfrm>'
    one = shape(text, top=0, placeholder=placeholder).replace("<a:r>", f"<a:r>{run}")
    place = one[one.index("<p:spPr>") : one.index("</p:spPr>")]
    return one.replace(place, f"<p:spPr>{box}{fill}")


WHITE = '<a:rPr><a:solidFill><a:srgbClr val="FDFDFD"/></a:solidFill></a:rPr>'
TINY = '<a:rPr sz="100"/>'
NAVY = '<a:solidFill><a:srgbClr val="1F3864"/></a:solidFill>'


@pytest.mark.parametrize("run", [WHITE, TINY])
def test_words_that_nobody_sees_on_a_slide_are_read_as_hidden(read, run: str) -> None:
    slide = shape("The toll is two crowns.", top=0) + _coloured("The toll is nine crowns.", run)
    (page,) = read(pptx(slide), "toll.pptx").document.pages
    assert _unseen_words(page) == "The toll is nine crowns."


def test_white_words_of_a_slide_on_a_coloured_ground_are_seen(read) -> None:
    filled = _coloured("Fees", WHITE, fill=NAVY)
    above_a_bar = _coloured("", "", fill=NAVY) + _coloured("Tolls", WHITE)
    pages = read(pptx(filled, above_a_bar), "fees.pptx").document.pages
    assert [(page.text, _unseen_words(page)) for page in pages] == [("Fees", ""), ("Tolls", "")]


def test_a_table_in_a_cell_of_an_opendocument_text_is_read_in_its_cell(read) -> None:
    def table(*rows: tuple[str, ...]) -> str:
        cells = ["".join(f"<table:table-cell>{cell}</table:table-cell>" for cell in row) for row in rows]
        return (
            "<table:table>" + "".join(f"<table:table-row>{row}</table:table-row>" for row in cells) + "</table:table>"
        )

    def text(words: str) -> str:
        return f"<text:p>{words}</text:p>"

    inner = table((text("Low"), text("High")), (text("0.4 m"), text("3.1 m")))
    outer = table((text("Harbour"), text("Tides")), (text("Skerry"), inner), (text("Ness"), text("none")))
    (page,) = read(odf("text", outer), "tides.odt").document.pages
    assert "Skerry" in page.text and "Low, High 0.4 m, 3.1 m" in " ".join(page.text.split())


def test_a_chart_of_an_opendocument_text_is_the_table_that_it_was_drawn_from(read) -> None:
    def row(*texts: str) -> str:
        cells = "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in texts)
        return f"<table:table-row>{cells}</table:table-row>"

    rows = (
        f"<table:table-header-rows>{row('', 'Ferries')}</table:table-header-rows>{row('May', '41')}{row('June', '57')}"
    )
    chart = f"<office:chart><c:chart xmlns:c='c'><table:table>{rows}</table:table></c:chart></office:chart>"
    content = f"<office:document-content {ODF}>{chart}</office:document-content>"
    frame = "<text:p><d:frame xmlns:d='draw'><d:object href='./Object 1'/></d:frame></text:p>"
    (page,) = read(odf("text", frame, {"Object 1/content.xml": content}), "ferries.odt").document.pages
    assert "June - Ferries: 57" in page.text


def test_rows_that_are_counted_name_no_columns() -> None:
    table = plain_table(
        [
            ("2.1", "Voltage", "kV", "132"),
            ("2.2", "Frequency", "Hz", "50"),
            ("2.3", "Phases", "", "3"),
            ("2.4", "Earth", "kA", "40"),
        ]
    )
    assert lines(table)[:2] == ["2.1; Voltage; kV; 132", "2.2; Frequency; Hz; 50"]


def test_a_heading_that_ends_in_a_colon_gets_no_second_one() -> None:
    table = plain_table([("Package:", "Document:", "Revised:"), ("P-7", "1144", "A"), ("P-8", "1151", "C")])
    assert lines(table)[1] == "P-7 - Document: 1144; Revised: A"
