"""What is said where the document's own words are no answer. In English; the page translates it."""

from typing import Final

from model.types import Document, Intent

NOT_FOUND: Final = "I could not find this in the document."
_ABOUT_ME: Final = "I answer questions about your documents, in their own words. Ask what stands in them."
_IMPOSSIBLE: Final[dict[Intent, str]] = {
    "translate": "I cannot translate. I answer in the document's own words.",
    "write": "I cannot write a text of my own. I answer in the document's own words.",
    "chat": _ABOUT_ME,
}
_BEYOND_FACTS: Final[dict[Intent, str]] = {
    "calculate": "I cannot calculate. Ask for the figures one by one.",
    "count_all": "I cannot count what is spread over a document. Ask for a figure that it names.",
    "compare": "I cannot compare. Ask for the things one by one.",
}


def impossible(intent: Intent) -> str:
    """Why a question of this kind is not even tried; empty where it is."""
    return _IMPOSSIBLE.get(intent, "")


def nothing_found(intent: Intent) -> str:
    """Why there is no answer, once the document was asked."""
    return _BEYOND_FACTS.get(intent, NOT_FOUND)


def about_file(document: Document) -> str:
    """What is known of a file without its content."""
    pages = len(document.pages)
    words = sum(len(page.text.split()) for page in document.pages)
    return f"{document.name} has {_counted(pages, 'page')} and {_counted(words, 'word')}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
