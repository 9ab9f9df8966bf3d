"""Rows of values in a text file (CSV): which sign separates the values, and the rows."""

import csv
import io
from collections import Counter

from app.documents.flow.blocks import Section, plain_table

SEPARATORS = ",;\t|"
SAMPLE_ROWS = 50


def separator(text: str) -> str:
    """The sign that cuts the first rows into the same number of values, the most; a comma where none does."""
    sample = "".join(text.splitlines(keepends=True)[:SAMPLE_ROWS])
    return max(SEPARATORS, key=lambda sign: _evenness(sample, sign))


def rows(text: str) -> list[list[str]]:
    """The rows that hold something. Raises csv.Error."""
    return [row for row in csv.reader(io.StringIO(text), delimiter=separator(text)) if any(map(str.strip, row))]


def delimited_sections(text: str) -> list[Section]:
    """The file as one table. Raises csv.Error."""
    return [Section(blocks=(plain_table(rows(text)),))]


def _evenness(sample: str, sign: str) -> float:
    """The share of rows with the usual number of values, higher the more values there are; 0 for one value a row."""
    try:
        widths = Counter(len(row) for row in csv.reader(io.StringIO(sample), delimiter=sign) if row)
    except csv.Error:
        return 0.0
    if not widths:
        return 0.0
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
    return 0.0 if width < 2 else count / widths.total() + min(width, 100) / 1_000
