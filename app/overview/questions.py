"""What one could ask a document: after its fields, its tables, and the people whose part in it is said.

Each question has to read as a person would put it, so what gives no good question gives none: labels of contacts and of
speakers, abbreviations, names of places and programmes. In other languages than English, only tables and fields with
a wording of their own are asked about.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from app.overview.people import MOST_PAGES, ROLE, people
from model.answering.stop_words import BY_LANGUAGE, STOP_WORDS
from model.answering.words import UNSPACED
from model.types import Cell, Document, Page, Table

CANDIDATES: Final = 8  # questions that are tried
_FIELD: Final = re.compile(
    r"^[ \t]*([A-ZÀ-Þ][^\W\d_]+(?: [^\W\d_]+){0,2}) ?: *(?=[^\W_])(?!\w+:)([^\n]{1,60})$", re.MULTILINE
)
_SUM: Final = re.compile(
    r"^\W*((?i:grand total|total|subtotal|amount due|balance due|sales tax))\b[^\n\d]{0,20}\d[\d.,]*\W{0,3}$",
    re.MULTILINE,
)
_MOST_WORDS: Final = 8  # of a field's value
_MOST_TIMES: Final = 2  # that a label stands in a document: more, and it is a speaker's or a list's
_LONGEST_ABBREVIATION: Final = 4  # letters
_LONGEST_NAME: Final = 40  # characters of a row's or column's name
_LETTERS: Final = re.compile(r"[^\W\d_]{3,}")
_VOWEL: Final = re.compile(r"[aeiouyà-ÿ]", re.IGNORECASE)
_NO_NAME: Final = re.compile(r"[;:/\[\]{}*<>=?_]| - |^[IVXLC]+$")
_YEAR: Final = re.compile(r"(?:FY ?)?(?:19|20)\d\d")
_PLURAL: Final = re.compile(r"[^\W\d_]{2,}(?<![siu'’])s$")
_NO_NOUN: Final = re.compile(r"(?:ed|ly|ing)$")  # "Points earned: 821" names no thing
_TOTAL: Final = re.compile(r"total", re.IGNORECASE)
_WORDED: Final = {  # fields whose question is not "What is the ...?"
    "from": "Who sent it?",
    "sender": "Who sent it?",
    "to": "Who was it sent to?",
    "recipient": "Who was it sent to?",
    "sent": "When was it sent?",
    "subject": "What is the subject?",
    "date": "What is the date?",
    "author": "Who is the author?",
    "authors": "Who are the authors?",
    "prepared by": "Who prepared it?",
    "written by": "Who wrote it?",
    "bill to": "Who is it billed to?",
    "billed to": "Who is it billed to?",
}
_FEW_WORDS: Final = 60
_LEAST_ENGLISH: Final = 0.02  # share of the words
_ENGLISH: Final = re.compile(  # that hold sentences together, and those of forms, that other languages do not have
    r"the|of|and|for|with|from|are|this|that|your|by|amount|price|quantity|due|tax|sales|payment|number|name|day|order"
)
_NO_THING: Final = re.compile(  # labels of contacts, of references within a text, of remarks
    r"attachment|attention|attn|auth|b?cc|contacts?|e?mail|examples?|fact|fax|full|hint|https?|in|info|investors|less"
    r"|media|mobile|more|not[ae]s?|page|phone|press|re|ref|see|sources?|tel|telephone|tip|url|warning"
    r"|web|website|wh\w+|how"
)
_WHOSE: Final = re.compile(r"id|names?|title")  # of what, one word does not tell
_THINGS: Final = re.compile(  # that are asked for by one word: "Normative: 2" names no thing
    r"address|age|amount|balance|bic|budget|city|colou?r|cost|country|currency|deadline|department|deposit|destination"
    r"|discount|duration|event|fee|gate|height|iban|incoterm|language|length|location|pin|place|platform|population"
    r"|price|product|profit|project|promo|rate|register|rent|revenue|room|salary|school|seat|size|status|subtotal|swift"
    r"|tax|temperature|topic|total|track|union|vat|venue|version|weight|width|year"
)


def possible_questions(document: Document) -> tuple[str, ...]:
    """Questions after what stands in the document, the most telling kinds by turns; none that reads oddly."""
    pages = document.pages[:MOST_PAGES]
    if not _is_english(pages):
        return ()
    kinds = (list(_fields(pages)), list(_cells(pages)), [f"Who is {name}?" for name in people(document)])
    by_turns = (one for turn in itertools.zip_longest(*kinds) for one in turn if one)
    return tuple(itertools.islice(dict.fromkeys(by_turns), CANDIDATES))


def _is_english(pages: tuple[Page, ...]) -> bool:
    """Whether enough words are English ones and no other language has more; of a few words, whether none has any."""
    words = Counter(word for page in pages for word in re.findall(r"[^\W\d_]+", page.text.lower()))
    english = sum(count for word, count in words.items() if _ENGLISH.fullmatch(word))
    foreign = max(
        sum(words[word] for word in known - BY_LANGUAGE["en"]) for code, known in BY_LANGUAGE.items() if code != "en"
    )
    if UNSPACED.search("".join(words)) or foreign > english:
        return False
    return words.total() < _FEW_WORDS or english >= _LEAST_ENGLISH * words.total()


def _fields(pages: tuple[Page, ...]) -> Iterator[str]:
    found = [match for page in pages for match in _FIELD.findall(page.text)]
    times = Counter(label for label, _ in found)
    asked = [_of_field(label, value) for label, value in found if times[label] <= _MOST_TIMES]
    sums = [
        f"What is the {match[1].lower()}?"
        for page in pages
        for match in _SUM.finditer(page.text)
        if _is_apart(page, match)
    ]
    yield from (question for question in [*sums[-1:], *asked] if question)


def _is_apart(page: Page, found: re.Match[str]) -> bool:
    """Whether it is no row of a table with headings, whose cells are asked about by these."""
    headed = (table for table in page.tables if any(cell.header for cell in table.cells))
    return not any(table.start < found.end() and found.start() < table.end for table in headed)


def _of_field(label: str, value: str) -> str:
    """The question that a field answers; empty where there is no good one."""
    words = label.lower().split()
    last = words[-1]
    if question := _WORDED.get(label.lower()):
        return question
    if _NO_THING.fullmatch(words[0]) or _NO_THING.fullmatch(last) or last in STOP_WORDS or _NO_NOUN.search(last):
        return ""
    if _WHOSE.fullmatch(words[0]):
        return ""
    if len(value.split()) > _MOST_WORDS or not all(_VOWEL.search(word) for word in words):
        return ""
    named = " ".join(map(_lower, label.split()))
    if ROLE.search(label):
        return "" if any(char.isdigit() for char in value) else f"Who {_is(named)} the {named}?"
    has_figure = any(char.isdigit() for char in value)
    if _PLURAL.search(last):
        is_count = re.fullmatch(r"\d[\d,.]*", value.strip())
        return f"How many {named} are there?" if is_count else f"What are the {named}?" if has_figure else ""
    is_thing = len(words) > 1 or _THINGS.fullmatch(last)
    return f"What is the {named}?" if is_thing else ""


def _cells(pages: tuple[Page, ...]) -> Iterator[str]:
    """After rows and columns that have a heading: the first, the last and the middle row of a table."""
    for page in pages:
        for table in page.tables:
            yield from _cells_of(page, table)


def _cells_of(page: Page, table: Table) -> Iterator[str]:
    at = {(cell.row, cell.column): cell for cell in table.cells}
    top = min((cell.row for cell in table.cells if cell.header), default=-1)
    columns = [cell for cell in table.cells if cell.header and cell.row == top and cell.column > 0]
    rows = [cell for cell in table.cells if cell.column == 0 and not cell.header and cell.row > top]
    for row in (rows[-1], rows[0], rows[len(rows) // 2]) if rows else ():
        values = ((column, at.get((row.row, column.column))) for column in reversed(columns))
        said = (_of_cell(_text(page, row), _text(page, column)) for column, value in values if value)
        yield next((question for question in said if question), "")


def _of_cell(row: str, column: str) -> str:
    """The question that a row's cell answers; empty where either has no name that can be said in a sentence."""
    if not _LETTERS.search(row) or not row[0].isalpha() or _NO_NAME.search(row) or _NO_NAME.search(column):
        return ""
    if _YEAR.fullmatch(column):
        return f"What {_is(row)} the {_lower(row)} in {column}?"
    if not _LETTERS.search(column) or not column[0].isalpha():
        return ""
    name = _lower(column)
    if _TOTAL.fullmatch(row):
        return f"What {_is(name)} the total {name}?" if not _TOTAL.search(name) else ""
    return f"What {_is(name)} the {name} of {row}?"


def _text(page: Page, cell: Cell) -> str:
    text = " ".join(page.text[cell.start : cell.end].split())
    return text if len(text) <= _LONGEST_NAME else ""


def _is(name: str) -> str:
    return "are" if _PLURAL.search(name) else "is"


def _lower(name: str) -> str:
    """A name within a sentence; an abbreviation, and a name of several capitals, stay as they are."""
    if name.isupper():
        return name if len(name) <= _LONGEST_ABBREVIATION else name.lower()
    return name if any(char.isupper() for char in name[1:]) else name[0].lower() + name[1:]
