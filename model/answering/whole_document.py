"""Questions about a document as a whole, which no single passage answers.

What it is about is told by its title, and by its most telling sentence where the title is short. Its summary and its
key points are its most telling sentences, each with its page. A section is found by its name. Authors, dates and
readers stand at the beginning, so the decoder is shown the beginning alone; where it finds nothing there, the wording
of the first page tells. What no small model can do is said so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from model.answering import title_page
from model.answering.asking_words import topic
from model.answering.extractive_summary import summary
from model.answering.messages import about_file, impossible, nothing_found
from model.answering.quotes import Quote, as_evidence
from model.answering.sections import only_section, section
from model.answering.sentences import CLAUSE_ENDS
from model.answering.words import content_words
from model.types import Answer, Document, EncodedDocument, Intent

LEAD_INTENTS: frozenset[Intent] = frozenset(("authors", "date", "audience"))  # the decoder is shown the beginning
LEAD_TOKENS = 800  # of the documents' beginnings; training shows as many
# Which of these a question wants is told by its words; that it names a section is told by the document's headings, too.
_MAY_NAME_A_SECTION: frozenset[Intent] = frozenset(("fact", "follow_up", "about", "summary", "key_points", "list_all"))
_SENTENCES: dict[Intent, int] = {"about": 1, "summary": 4, "key_points": 4}
_CHARACTERS = 390  # of a summary: some sixty words
_TELLING_TITLE = 4  # content words of a title that says what a document is about without a sentence beside it
_LINES = 4  # of a document without sentences, such as a form


def quoted(intent: Intent, question: str, encodings: Sequence[EncodedDocument]) -> Answer | None:
    """The answer to a question that needs no decoder; None where it needs one."""
    documents = [encoded.document for encoded in encodings]
    answer = Answer(question=question, finished=True, stop_reason="end", confidence=1.0, probability=1.0)
    if message := impossible(intent):
        return replace(answer, text=message, is_message=True, found=False)
    if intent == "about_file":
        return replace(answer, text="; ".join(map(about_file, documents)), is_message=True)
    quotes = _quotes(intent, question, documents)
    return _quoting(answer, quotes, documents, intent) if quotes else None


def instead_of_nothing(intent: Intent, answer: Answer, encodings: Sequence[EncodedDocument]) -> Answer:
    """What is said where the decoder found nothing."""
    documents = [encoded.document for encoded in encodings]
    at_the_beginning: dict[Intent, Callable[[Document, int], Quote | None]] = {
        "authors": title_page.authors,
        "date": title_page.date,
    }
    quotes = _of_each(documents, at_the_beginning[intent]) if intent in at_the_beginning else ()
    if quotes:
        return _quoting(answer, quotes, documents, intent)
    return replace(answer, text=nothing_found(intent), is_message=True, found=False, evidence=(), doubtful=False)


def lead_tokens(encodings: Sequence[EncodedDocument]) -> torch.Tensor:
    """The tokens at the documents' beginnings, which share `LEAD_TOKENS`: (T,) bool over the joined tokens."""
    share = max(1, LEAD_TOKENS // len(encodings))
    return torch.cat([torch.arange(encoded.token_count) < share for encoded in encodings])


def _quotes(intent: Intent, question: str, documents: Sequence[Document]) -> tuple[Quote, ...]:
    if intent == "title":
        return _of_each(documents, title_page.title)
    if intent == "section":
        return section(question, documents)
    if intent in _MAY_NAME_A_SECTION and (found := only_section(question, documents)):
        return found
    if intent not in _SENTENCES:
        return ()
    titles = _of_each(documents, title_page.title) if intent == "about" else ()
    if titles and all(len(content_words(title.text)) >= _TELLING_TITLE for title in titles):
        return titles
    characters = _CHARACTERS * len(documents)
    about = frozenset() if intent == "about" else topic(question, documents)
    sentences = summary(documents, _SENTENCES[intent] * len(documents), characters=characters, topic=about)
    telling = sentences or _first_lines(documents)
    return (*titles, *(one for one in telling if one.text not in {title.text for title in titles}))


def _of_each(documents: Sequence[Document], find: Callable[[Document, int], Quote | None]) -> tuple[Quote, ...]:
    found = (find(document, index) for index, document in enumerate(documents))
    return tuple(quote for quote in found if quote is not None)


def _first_lines(documents: Sequence[Document]) -> tuple[Quote, ...]:
    return tuple(quote for index, one in enumerate(documents) for quote in title_page.first_lines(one, index, _LINES))


def _quoting(answer: Answer, quotes: Sequence[Quote], documents: Sequence[Document], intent: Intent) -> Answer:
    texts = [quote.text for quote in quotes]
    if intent == "key_points":
        text = "\n".join(f"- {one}" for one in texts)
    else:
        text = " ".join(one if one.endswith(CLAUSE_ENDS) or one is texts[-1] else f"{one}." for one in texts)
    evidence = tuple(as_evidence(one, documents[one.document_index].name, score=1 / len(quotes)) for one in quotes)
    return replace(answer, text=text, evidence=evidence, found=True, is_message=False)
