"""Makes `sample.pdf`, the document that the app offers: `python assets/make_sample.py`.

Four pages of an invented bakery cooperative, drawn with PyMuPDF and its built-in fonts: a letter, a page with a table,
an invoice and a page in two columns. All of it was written for Readonce; the same bytes come out of every run.
"""

from pathlib import Path

import pymupdf

TARGET = Path(__file__).with_name("sample.pdf")
INK, ACCENT, PALE, GRAY = (0.13, 0.12, 0.11), (0.62, 0.27, 0.12), (0.97, 0.93, 0.88), (0.42, 0.39, 0.36)
LEFT, RIGHT, WIDTH, HEIGHT = 64.0, 531.0, 595.0, 842.0

LETTER = (
    "Dear members,",
    "On 14 March 2025 our cooperative turned twenty. What began with nine neighbours and one borrowed oven in the old "
    "mill at Brook Lane is today a bakery with 412 members, 23 employees and two shops. This report tells how the "
    "year 2024 went, where the money came from and what we plan to do with it.",
    "The year was a good one. We sold 186,400 loaves, eight per cent more than in the year before, and closed with a "
    "surplus of 38,250 euros. The board proposes to put 25,000 euros of it into the new oven, to pay 9,000 euros into "
    "the reserve, and to give the remaining 4,250 euros to the school kitchen of Ellersby.",
    "Two people deserve special thanks. Marta Lindqvist led the bakery for eleven years and retired in June; she "
    "taught most of us what patience with dough means. Tomas Okafor, who had been her deputy since 2019, was elected "
    "her successor with 164 of 171 votes.",
    "The general meeting takes place on Saturday, 17 May 2025, at 3 p.m. in the hall of the town library. Please send "
    "motions to the office by 2 May. There will be rye bread, soup and, for those who stay, a tour of the new "
    "cold room.",
)
FIGURES = (
    ("", "2022", "2023", "2024"),
    ("Bread and rolls", "512,300", "548,900", "601,750"),
    ("Cakes and pastry", "148,600", "155,200", "163,400"),
    ("Coffee corner", "39,400", "52,700", "61,150"),
    ("Baking courses", "8,200", "11,900", "14,300"),
    ("Total income", "708,500", "768,700", "840,600"),
    ("Wages", "391,000", "418,500", "452,900"),
    ("Flour and other ingredients", "176,200", "188,100", "197,450"),
    ("Energy", "71,800", "84,300", "79,600"),
    ("Rent and upkeep", "48,900", "51,200", "72,400"),
    ("Total costs", "687,900", "742,100", "802,350"),
    ("Surplus", "20,600", "26,600", "38,250"),
)
REMARKS = (
    "Energy cost less than in 2023 although we baked more: since April the solar panels on the roof of the mill have "
    "delivered 41 per cent of the electricity we use. Upkeep rose because the floor of the shop in Harbour Street had "
    "to be replaced after the flood of 6 February.",
    "The accounts were audited by Ines Barros and found to be in order on 21 March 2025.",
)
INVOICE_LINES = (
    ("Deck oven Hearth 3, used, two chambers", "1", "18,400.00", "18,400.00"),
    ("Transport and installation", "1", "1,250.00", "1,250.00"),
    ("Baking stones, 60 x 80 cm", "6", "95.00", "570.00"),
    ("Training, per half day", "2", "280.00", "560.00"),
)
INVOICE_SUMS = (("Net amount", "20,780.00"), ("Value added tax 19 %", "3,948.20"), ("Total", "24,728.20"))
COLUMNS = (
    "Rye, wheat and the weather",
    "Nearly all of our flour comes from three farms within forty kilometres. In 2024 they delivered 118 tonnes: 67 "
    "tonnes of wheat, 42 tonnes of rye and 9 tonnes of spelt. A wet July delayed the harvest by almost three weeks, "
    "and the wheat had less protein than usual. Our bakers answered with longer resting times, and from September on "
    "every wheat dough rested overnight for sixteen hours.",
    "The farm of the Hallgren family will leave conventional farming and be certified organic in 2026. We have "
    "promised to buy its whole rye harvest for five years at a fixed price of 410 euros a tonne.",
    "Nothing goes to waste",
    "Bread that is left in the evening goes to the food bank at half past six; last year that was 7,300 loaves. What "
    "cannot be given away is dried, ground and baked again: up to six per cent of old bread makes a dark rye loaf "
    "moister. Only 1.2 per cent of our production ended as animal feed.",
    "Learning by hand",
    "Three apprentices work with us: Aylin Demir, Jonas Weber and Pia Nowak. Pia won second place in the regional "
    "competition in Norham with a beetroot bread shaped like a snail. Our Saturday courses were fully booked; 284 "
    "people learned to bake with sourdough, 61 of them children.",
    "What comes next",
    "The new oven saves a third of the gas and will be lit on 1 September 2025. In autumn we shall try out a bread "
    "subscription for the villages without a bakery: a van with forty crates will visit Ashby, Melk Hill and Old Ferry "
    "every Tuesday and Friday. If a hundred households join by Christmas, the van will stay.",
)


def main() -> None:
    """Write the sample beside this script."""
    with pymupdf.open() as document:
        for paint in (letter, figures, invoice, columns):
            paint(document.new_page(width=WIDTH, height=HEIGHT))
        document.set_metadata({"title": "Brook Lane Bakery Cooperative: annual report 2024", "author": "Readonce"})
        document.save(TARGET, garbage=4, deflate=True, use_objstms=1, no_new_id=True)


def letter(page: pymupdf.Page) -> None:
    """Page 1: the chair's letter."""
    page.draw_rect((0, 0, WIDTH, 150), color=None, fill=ACCENT)
    page.insert_text((LEFT, 78), "Brook Lane Bakery Cooperative", fontsize=25, fontname="tibo", color=(1, 1, 1))
    page.insert_text((LEFT, 110), "Annual report 2024", fontsize=15, fontname="tiro", color=PALE)
    page.insert_text((LEFT, 200), "Ellersby, 28 March 2025", fontname="tiro", fontsize=11, color=GRAY)
    end = paragraphs(page, LETTER, top=228, size=11.5)
    page.insert_text((LEFT, end + 26), "Henrike Solberg", fontname="tiit", fontsize=17, color=ACCENT)
    page.insert_text((LEFT, end + 44), "Chair of the board", fontname="tiro", fontsize=11, color=INK)
    footer(page, 1)


def figures(page: pymupdf.Page) -> None:
    """Page 2: income and costs."""
    heading(page, "Income and costs", "in euros, years from January to December")
    top, step = 150.0, 26.0
    for index, (label, *amounts) in enumerate(FIGURES):
        y = top + index * step
        strong = label in {"", "Total income", "Total costs", "Surplus"}
        if strong:
            page.draw_rect((LEFT - 8, y - 17, RIGHT + 8, y + 9), color=None, fill=PALE)
        font = "hebo" if strong else "helv"
        page.insert_text((LEFT, y), label, fontname=font, fontsize=10.5, color=INK)
        for right, amount in zip((350.0, 440.0, RIGHT), amounts, strict=True):
            flush_right(page, right, y, amount, font=font)
    paragraphs(page, REMARKS, top=top + len(FIGURES) * step + 20, size=11)
    footer(page, 2)


def invoice(page: pymupdf.Page) -> None:
    """Page 3: what the new oven costs."""
    heading(page, "Invoice 2025-0318", "Copy for the members: the new oven")
    for x, lines in (
        (LEFT, ("Norham Oven Works Ltd", "7 Foundry Road", "Norham")),
        (340.0, ("Brook Lane Bakery Cooperative", "3 Brook Lane", "Ellersby")),
    ):
        for index, line in enumerate(lines):
            page.insert_text((x, 150 + 15 * index), line, fontname="helv", fontsize=10.5, color=INK)
    for index, (label, value) in enumerate((("Date:", "18 March 2025"), ("Payable by:", "17 April 2025"))):
        page.insert_text((LEFT, 225 + 17 * index), label, fontname="hebo", fontsize=10.5, color=INK)
        page.insert_text((140, 225 + 17 * index), value, fontname="helv", fontsize=10.5, color=INK)
    y = 290.0
    page.draw_rect((LEFT - 8, y - 17, RIGHT + 8, y + 9), color=None, fill=ACCENT)
    invoice_row(page, y, ("Item", "Quantity", "Price", "Amount"), font="hebo", color=(1, 1, 1))
    for row in INVOICE_LINES:
        y += 26
        invoice_row(page, y, row)
        page.draw_line((LEFT - 8, y + 9), (RIGHT + 8, y + 9), color=PALE)
    for label, amount in INVOICE_SUMS:
        y += 26
        font = "hebo" if label == "Total" else "helv"
        page.insert_text((340, y), label, fontname=font, fontsize=10.5, color=INK)
        flush_right(page, RIGHT, y, f"{amount} EUR", font=font)
    terms = "Account NW 4471 0092 at Norham Savings Bank. Two per cent discount if paid within ten days."
    paragraphs(page, (terms, "Contact: Priya Raman, telephone 0555 28 41 90"), top=y + 40, size=10.5)
    footer(page, 3)


def columns(page: pymupdf.Page) -> None:
    """Page 4: the year in stories, in two columns."""
    heading(page, "The year in the bakery", "From field to shop, and back")
    left = pymupdf.Rect(LEFT, 140, 284, 780)
    right = pymupdf.Rect(311, 140, RIGHT, 780)
    stories(page, left, COLUMNS[:5])
    stories(page, right, COLUMNS[5:])
    footer(page, 4)


def stories(page: pymupdf.Page, box: pymupdf.Rect, texts: tuple[str, ...]) -> None:
    """Set headlines (the short texts) and paragraphs in one column."""
    for text in texts:
        headline = len(text) < 40
        font, size, color = ("tibo", 14.0, ACCENT) if headline else ("tiro", 11.0, INK)
        left = page.insert_textbox(box, text, fontname=font, fontsize=size, color=color, lineheight=1.35)
        box = pymupdf.Rect(box.x0, box.y1 - left + (2 if headline else 10), box.x1, box.y1)


def heading(page: pymupdf.Page, title: str, subtitle: str) -> None:
    """The head of a page."""
    page.insert_text((LEFT, 82), title, fontname="tibo", fontsize=22, color=ACCENT)
    page.insert_text((LEFT, 104), subtitle, fontname="tiit", fontsize=12, color=GRAY)
    page.draw_line((LEFT, 116), (RIGHT, 116), color=ACCENT, width=1.2)


def footer(page: pymupdf.Page, number: int) -> None:
    """The foot of a page."""
    text = f"Brook Lane Bakery Cooperative, annual report 2024, page {number} of 4"
    page.insert_text((LEFT, 812), text, fontname="helv", fontsize=8, color=GRAY)


def paragraphs(page: pymupdf.Page, texts: tuple[str, ...], *, top: float, size: float) -> float:
    """Set paragraphs over the width of the page, and return where they end."""
    box = pymupdf.Rect(LEFT, top, RIGHT, HEIGHT - 60)
    for text in texts:
        left = page.insert_textbox(box, text, fontname="tiro", fontsize=size, color=INK, lineheight=1.4)
        box = pymupdf.Rect(LEFT, box.y1 - left + 9, RIGHT, box.y1)
    return float(box.y0)


def invoice_row(
    page: pymupdf.Page, y: float, row: tuple[str, ...], *, font: str = "helv", color: tuple[float, ...] = INK
) -> None:
    """An item to the left and its numbers to the right."""
    page.insert_text((LEFT, y), row[0], fontname=font, fontsize=10.5, color=color)
    for right, cell in zip((370.0, 450.0, RIGHT), row[1:], strict=True):
        flush_right(page, right, y, cell, font=font, color=color)


def flush_right(
    page: pymupdf.Page, right: float, y: float, text: str, *, font: str, color: tuple[float, ...] = INK
) -> None:
    """Text that ends at x = right."""
    width = pymupdf.get_text_length(text, fontname=font, fontsize=10.5)
    page.insert_text((right - width, y), text, fontname=font, fontsize=10.5, color=color)


if __name__ == "__main__":
    main()
