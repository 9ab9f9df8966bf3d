"""What a receipt is asked beyond its own rows: its date, and the same things in other words.

The `receipts` source knows no date. Where a text has a single one, it is the receipt's: so it is for 437 of the 440
receipts of `sroie`, which has dates, with one date in their text.
"""

import re
from collections.abc import Iterator, Sequence

DATE_QUESTION = "What is the date of the receipt?"
IN_OTHER_WORDS = {
    "What is the total?": "What is the total amount?",
    "Who is the merchant?": "What is the name of the company on the receipt?",
    "What is the address?": "What is the address of the company?",
}
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
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
