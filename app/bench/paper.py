"""Generated documents set as PDF pages, in layouts that training sees and others that only checks see."""

import random
from dataclasses import dataclass
from typing import Literal

import pymupdf

from model.training.facts import Fact, Split
from model.training.records import Sketch

WIDTH, HEIGHT = 595.0, 842.0  # A4 in points
BOTTOM = 790.0
LEADING = 1.45  # line height over font size


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a page is set: lengths in points, `columns` as shares of the text's width at which a table's cells begin."""

    font: Literal["helv", "tiro", "cour"]
    size: float
    margin: float
    fields: Literal["inline", "columns", "stacked", "pairs"]
    heading: Literal["left", "right", "centre"] = "left"
    columns: tuple[float, ...] = (0.0, 0.55, 0.75)
    prose_first: bool = False
    rules: bool = False


LAYOUTS: dict[Split, tuple[Layout, ...]] = {
    "train": (
        Layout(font="helv", size=11, margin=60, fields="columns", rules=True),
        Layout(font="tiro", size=12, margin=72, fields="inline", prose_first=True),
        Layout(font="cour", size=10, margin=50, fields="inline", columns=(0.0, 0.5, 0.7)),
        Layout(font="helv", size=9, margin=45, fields="pairs", heading="right", columns=(0.0, 0.6, 0.85)),
        Layout(font="tiro", size=10.5, margin=90, fields="stacked", heading="centre"),
        Layout(font="helv", size=10, margin=70, fields="columns", heading="centre", prose_first=True),
    ),
    "check": (
        Layout(
            font="tiro", size=11, margin=65, fields="columns", heading="right", columns=(0.0, 0.45, 0.8), rules=True
        ),
        Layout(font="helv", size=10.5, margin=55, fields="stacked", prose_first=True),
        Layout(font="cour", size=9.5, margin=60, fields="pairs", columns=(0.0, 0.65, 0.8)),
    ),
}


def draw_paper(sketch: Sketch, layout: Layout) -> bytes:
    """The sketch as a PDF of one page, or more where it is long."""
    with pymupdf.open() as pdf:
        sheet = _Sheet(pdf, layout)
        for line in sketch.heading:
            sheet.line(line, at=layout.heading, size=layout.size * 1.3)
        parts = [lambda: _fields(sheet, sketch.fields), lambda: _prose(sheet, sketch.sentences)]
        for part in reversed(parts) if layout.prose_first else parts:
            part()
        _table(sheet, sketch.table)
        if sketch.footer:
            sheet.foot(sketch.footer)
        sheet.finish()
        return bytes(pdf.tobytes())


class _Sheet:
    """A pen that goes down the page and on to the next."""

    def __init__(self, pdf: pymupdf.Document, layout: Layout) -> None:
        self._pdf, self.layout = pdf, layout
        self.font = pymupdf.Font(layout.font)
        self.left, self.right = layout.margin, WIDTH - layout.margin
        self._turn()

    def _turn(self) -> None:
        self._page = self._pdf.new_page(width=WIDTH, height=HEIGHT)
        self._writer = pymupdf.TextWriter(self._page.rect)
        self.y = self.layout.margin

    def finish(self) -> None:
        """Put what was written on the page."""
        self._writer.write_text(self._page)

    def line(self, *texts: str, at: str = "left", columns: tuple[float, ...] = (0.0,), size: float = 0.0) -> None:
        """Texts of one line, each at its column; then down to the next line."""
        size = size or self.layout.size
        if self.y + size * LEADING > BOTTOM:
            self.finish()
            self._turn()
        self.y += size * LEADING
        for text, column in zip(texts, columns, strict=False):
            room = self.right - self.left - self.font.text_length(text, size)
            shift = {"left": column * (self.right - self.left), "right": room, "centre": room / 2}[at]
            self._writer.append((self.left + max(shift, 0.0), self.y), text, self.font, size)

    def gap(self) -> None:
        self.y += self.layout.size * 0.8

    def rule(self) -> None:
        self._page.draw_line((self.left, self.y + 4), (self.right, self.y + 4), width=0.5)

    def foot(self, text: str) -> None:
        self._writer.append((self.left, HEIGHT - 30), text, self.font, self.layout.size * 0.8)

    def wrapped(self, text: str) -> None:
        """A paragraph, broken where the line is full."""
        line = ""
        for word in text.split():
            longer = f"{line} {word}".strip()
            if line and self.font.text_length(longer, self.layout.size) > self.right - self.left:
                self.line(line)
                longer = word
            line = longer
        self.line(line)


def _fields(sheet: _Sheet, facts: tuple[Fact, ...]) -> None:
    sheet.gap()
    style = sheet.layout.fields
    for left, right in zip(facts[::2], facts[1::2], strict=False) if style == "pairs" else ():
        sheet.line(f"{left.label}: {left.value}", f"{right.label}: {right.value}", columns=(0.0, 0.52))
    for fact in facts[len(facts) // 2 * 2 :] if style == "pairs" else facts:
        if style == "columns":
            sheet.line(fact.label, fact.value, columns=(0.0, 0.38))
        elif style == "stacked":
            sheet.line(fact.label, size=sheet.layout.size * 0.8)
            sheet.line(fact.value)
        else:
            sheet.line(f"{fact.label}: {fact.value}")


def _prose(sheet: _Sheet, sentences: tuple[str, ...]) -> None:
    if sentences:
        sheet.gap()
        sheet.wrapped(" ".join(sentences))


def _table(sheet: _Sheet, rows: tuple[tuple[str, ...], ...]) -> None:
    sheet.gap()
    for row in rows:
        sheet.line(*row, columns=sheet.layout.columns)
        if sheet.layout.rules:
            sheet.rule()


def choose_layout(rng: random.Random, split: Split) -> Layout:
    return rng.choice(LAYOUTS[split])
