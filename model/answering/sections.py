"""A section by its name: the heading that a question names, and the sentences that the section begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.answering.extractive_summary import content_words
from model.answering.quotes import Quote
from model.answering.sentences import ENDS, spans
from model.types import Document, Page

_LONGEST_HEADING = 110  # characters of a line
_SENTENCES, _CHARACTERS = 3, 220  # of a section that are quoted at most; one sentence may be longer
_SHORTEST = 15  # characters of a sentence that is quoted
_NUMBER = r"(?:\d{1,3}(?:\.\d{1,3})*|[IVXLC]{1,6}|[A-Z])"
_KINDS = (
    r"sections?|chapters?|articles?|parts?|appendix|annex|clauses?|paragraphs?|§+|abschnitt|kapitel|artikel|teil|anhang"
    r"|absatz|ziffer|chapitres?|partie|annexe|secci[oó]n|cap[ií]tulo|art[ií]culo|parte|anexo|apartado|sezione|capitolo"
    r"|articolo|seção|hoofdstuk|rozdział|раздел|глава|статья|items?|box|schedules?"
    r"|exhibits?|notes?|points?|questions?|modules?|steps?|corollary|theorem|lemma|title|anlage|punkt|frage|titre|título"
    r"|punto|módulo|pregunta|ponto|domanda|art\.|pytanie"
)
_PAGE = re.compile(
    r"\b(?:page|seite|página|pagina|slide|folie|strona|страниц[аеы])\s*(\d{1,4})|第\s*(\d{1,4})\s*页", re.IGNORECASE
)
_NUMBERED = re.compile(
    rf"(?:\b(?:{_KINDS})|§)\s*({_NUMBER})\b|第\s*(\d{{1,3}}|[一二三四五六七八九十]+)\s*[章节条]", re.I
)
_BARE_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3})+)(?![\w.])")  # "What is in 13.3.3?"
_LEADING_NUMBER = re.compile(rf"^\W*(?:(?:{_KINDS})\s*)?({_NUMBER})(?:[.):：]|\s|$)", re.I)
_RUN_IN = re.compile(r"^\W*(\w[^.:—–]{1,80}?)(?:[.:]\s|\s?[—–]\s?)")  # a heading that its paragraph goes on behind
_QUOTED = re.compile(r"[\"“„«‹「『]([^\"“”„«»‹›「」『』]{2,100})[\"”“»›」』]")
_CONTENTS_ENTRY = re.compile(r"(?:\.\s?){3,}|\s\d{1,4}$")  # a line of a table of contents ends with its page
_GENERIC = frozenset(
    content_words(
        f"{_KINDS.replace('|', ' ')} section say says said describe contain contains content list lists cover explain "
        "tell briefly about under heading titled called page document inhalt steht drin geht sagt beschreibt thema "
        "seite dokument contient dit décrit explique parle contenu rubrique titre dice contiene describe explica trata "
        "contenido apartado documento"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading(Quote):
    """A line `page.text[start:end]` that may be a heading."""

    @property
    def text(self) -> str:
        return self.page.text[self.start : self.end].strip()


def section(question: str, documents: Sequence[Document]) -> tuple[Quote, ...]:
    """The first sentences of the section, chapter or page that a question names; none where no heading fits."""
    if number := _PAGE.search(question):
        return _page(int(number[1] or number[2]), documents)
    best = max(
        ((_likeness(question, heading), heading) for heading in _headings(documents)),
        key=lambda pair: pair[0],
        default=None,
    )
    return () if best is None or best[0] <= 0 else tuple(_beginning(best[1]))


def _page(number: int, documents: Sequence[Document]) -> tuple[Quote, ...]:
    for index, document in enumerate(documents):
        for page in document.pages:
            if page.number == number:
                return tuple(_first_sentences(index, page, 0, len(page.text)))
    return ()


def _headings(documents: Sequence[Document]) -> Iterator[_Heading]:
    for index, document in enumerate(documents):
        for page in document.pages:
            start = 0
            for line in page.text.split("\n"):
                end = start + len(line)
                if line.strip() and len(line) <= _LONGEST_HEADING and not _CONTENTS_ENTRY.search(line.strip()):
                    yield _Heading(document_index=index, page=page, start=start, end=end)
                elif run_in := _RUN_IN.match(line):
                    yield _Heading(document_index=index, page=page, start=start, end=start + run_in.end(1))
                start = end + 1


def _likeness(question: str, heading: _Heading) -> float:
    """How well a line fits the name in a question; 0: not at all.

    A number must be the line's own. Else all words of the line have to be in the question, and the more the better.
    """
    text = heading.text
    quoted = _QUOTED.search(question)
    named = [word for word in content_words(quoted[1] if quoted else question) if word not in _GENERIC]
    words = [word for word in content_words(text) if word not in _GENERIC]
    shared = len(set(words) & set(named))
    if wanted := _NUMBERED.search(question) or _BARE_NUMBER.search(question):
        number = next(group for group in wanted.groups() if group).lower()
        own = _LEADING_NUMBER.match(text)
        is_it = bool(own and own[1].lower() == number) or f"第{number}" in text
        return (2.0 + shared + bool(words) - 0.001 * len(text)) if is_it else 0.0
    if not words or not named or shared < len(set(words)) or shared < len(set(named)) / 2:
        return 0.0
    own_line = text[-1] not in ".,;:"
    return shared + own_line - 0.001 * len(text)


def _beginning(heading: _Heading) -> Iterator[Quote]:
    """The heading, and the sentences behind it, on the next page where it stands last."""
    yield Quote(document_index=heading.document_index, page=heading.page, start=heading.start, end=heading.end)
    yield from _first_sentences(heading.document_index, heading.page, heading.end, len(heading.page.text))


def _first_sentences(document_index: int, page: Page, start: int, end: int) -> Iterator[Quote]:
    left, room = _SENTENCES, _CHARACTERS
    for first, last in spans(page.text[start:end]):
        if last - first < _SHORTEST:
            continue
        is_heading = last - first < _LONGEST_HEADING and not page.text[start + first : start + last].endswith(ENDS)
        is_enough = left < _SENTENCES and (is_heading or last - first > room)
        if not left or is_enough:
            return
        yield Quote(document_index=document_index, page=page, start=start + first, end=start + last)
        left, room = left - 1, room - (last - first)
