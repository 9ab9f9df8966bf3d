"""What a receipt is asked beyond its own rows, and how some thousands of receipts become more.

Further questions ask for its date, and for the same things in other words. The `receipts` source knows no date. Where a
text has a single one, it is the receipt's: so it is for 437 of the 440 receipts of `sroie`, which has dates, with one
date in their text. And a receipt with other digits is another receipt: who has learned the first by heart has to read
the second.
"""

import random
import re
from collections.abc import Iterator, Sequence

DATE_QUESTION = "What is the date of the receipt?"
IN_OTHER_WORDS = {
    "What is the total?": "What is the total amount?",
    "Who is the merchant?": "What is the name of the company on the receipt?",
    "What is the address?": "What is the address of the company?",
}
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_NUMBER = re.compile(r"\d+")
_DATE = re.compile(
    r"\b(?:\d{1,2}[./-]\d{1,2}[./-](?:20)?\d{2}|20\d{2}[./-]\d{1,2}[./-]\d{1,2}"
    rf"|\d{{1,2}}[ -]{_MONTH}[ -,]{{1,2}}(?:20)?\d{{2}})\b",
    re.IGNORECASE,
)


def further_questions(context: str, asked: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Questions and answers about a receipt beyond those that it was asked."""
    dates = set(_DATE.findall(context))
    if len(dates) == 1:
        yield DATE_QUESTION, dates.pop()
    for question, answer in asked:
        if question in IN_OTHER_WORDS:
            yield IN_OTHER_WORDS[question], answer


def with_other_digits(row: dict, variant: int) -> dict:
    """The row with every number of its receipt replaced, dates and zeros left as they are; variant 0 is the row itself.

    The same number becomes the same one in all rows of a receipt, and keeps its length.
    """
    if not variant:
        return row
    kept = {number for date in _DATE.findall(row["context"]) for number in _NUMBER.findall(date)}

    def other(found: re.Match[str]) -> str:
        number = found.group()
        if number in kept or not number.strip("0"):
            return number
        rng = random.Random(f"{variant} {number} {row['context']}")
        return "".join(digit if digit == "0" else str(rng.randint(1, 9)) for digit in number)

    def replaced(text: str) -> str:
        return _NUMBER.sub(other, text)

    texts = {name: replaced(row[name]) for name in ("context", "question")}
    return row | texts | {"answers": [replaced(answer) for answer in row["answers"]]}
