"""A section by its name: the heading that a question names, and the sentences that the section begins with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.answering.asking_words import ASKING, PARTS, SAYS
from model.answering.quotes import Quote
from model.answering.sentences import WHOLE_SENTENCE_ENDS, spans
from model.answering.table_rows import row_spans
from model.answering.words import content_words
from model.types import Document, Page

_LONGEST_HEADING = 110  # characters of a line
_SENTENCES, _CHARACTERS = 3, 220  # of a section that are quoted at most; one sentence may be longer
_SHORTEST = 15  # characters of a sentence that is quoted
_LONGEST_TITLE = 60  # characters of a heading that ends as sentences do
_MORE_WORDS = 3  # of a heading than a question names
_SHORTEST_STEM = 3  # letters of a word that may have another ending
_NUMBER = r"(?:\d{1,3}(?:\.\d{1,3})*|[IVXLC]{1,6}|[A-Z])"
_KINDS = (
    r"sections?|chapters?|articles?|parts?|appendix|annex|clauses?|paragraphs?|§+|abschnitt|kapitel|artikel|teil|anhang"
    r"|absatz|ziffer|nummer|fußnote|chapitres?|partie|annexe|secci[oó]n|cap[ií]tulo|art[ií]culo|parte|anexo|apartado"
    r"|sezione|capitolo|articolo|seção|hoofdstuk|rozdział|раздел|глава|статья|items?|box|schedules?|footnotes?|slides?"
    r"|folie|tables?|tabelle|tableau|tabla|figures?|exercises?|entry"
    r"|exhibits?|notes?|points?|questions?|modules?|steps?|corollary|theorem|lemma|title|anlage|punkt|frage"
    r"|titre|título|punto|módulo|pregunta|ponto|domanda|art\.|pytanie"
)
_PAGE = re.compile(
    r"\b(?:page|seite|página|pagina|slide|folie|strona|страниц[аеы])\s*(\d{1,4})|第\s*(\d{1,4})\s*页", re.IGNORECASE
)
_NUMBERED = re.compile(
    rf"(\b(?:{_KINDS})|§)\s*\(?({_NUMBER})\b|第\s*(\d{{1,3}}|[一二三四五六七八九十]+)\s*[章节条]", re.I
)
_BARE_NUMBER = re.compile(r"(?<![\w.])(\d{1,3}(?:\.\d{1,3})+)(?![\w.])")  # "What is in 13.3.3?"
_LEADING_NUMBER = re.compile(rf"^[^\w§]*(?:({_KINDS})\s*)?({_NUMBER})(?:[.):：]|\s|$)", re.I)
_ONLY_NUMBER = re.compile(rf"\W*(?:(?:{_KINDS})\W*)?{_NUMBER}\W*", re.I)
_RUN_IN = re.compile(r"^\W*(\w[^.:—–]{1,80}?)(?:[.:]\s|\s?[—–]\s?)")  # a heading that its paragraph goes on behind
_QUOTED = re.compile(r"[\"“„«‹「『]([^\"“”„«»‹›「」『』]{2,100})[\"”“»›」』]")
# A line of a table of contents ends with its page.
_CONTENTS_ENTRY = re.compile(r"(?:\.\s?){3,}|[^\W\d_]{2}.*\s\d{1,4}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading(Quote):
    """A line `page.text[start:end]` that may be a heading."""

    @property
    def text(self) -> str:
        return self.page.text[self.start : self.end].strip()

    @property
    def prominence(self) -> float:
        """How much a line is set as headings are: marked, alone in its paragraph, short; no row, no list's item."""
        text, before, after = self.text, self.page.text[: self.start], self.page.text[self.end :]
        is_marked = text.startswith(("#", "**", "=="))
        is_alone = not before.strip(" ") or before.endswith("\n\n")
        is_sentence = text[-1] in ".,;" and len(text) > _LONGEST_TITLE
        is_row = bool(row_spans(text + after.partition("\n")[0]))
        numbered = _LEADING_NUMBER.match(text)
        is_clause = numbered is not None and text[numbered.end() :].lstrip()[:1].islower()  # "Section 3 describes"
        is_entry = numbered is not None and after.lstrip()[:1].isdigit()  # of a table of contents
        return (
            0.8 * is_marked
            + 0.5 * is_alone
            - 1.5 * is_sentence
            - 2.0 * is_row
            - 4.0 * is_clause
            - is_entry
            - 0.001 * len(text)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What a question names: a section's words, its number or letter, and what kind of section it is."""

    words: frozenset[str]
    number: str
    kind: str

    @classmethod
    def of(cls, question: str) -> _Asked:
        quoted = _QUOTED.search(question)
        numbered = _NUMBERED.search(question)
        bare = None if numbered else _BARE_NUMBER.search(question)
        return cls(
            words=frozenset(word for word in content_words(quoted[1] if quoted else question) if word not in ASKING),
            number=(numbered[2] or numbered[3] if numbered else bare[1] if bare else "").lower(),
            kind=(numbered[1] or "") if numbered else "",
        )


def section(question: str, documents: Sequence[Document]) -> tuple[Quote, ...]:
    """The first sentences of the section, chapter or page that a question names; none where no heading fits."""
    if number := _PAGE.search(question):
        return _page(int(number[1] or number[2]), documents)
    heading = _best(question, documents)
    return () if heading is None else tuple(_beginning(heading))


def only_section(question: str, documents: Sequence[Document]) -> tuple[Quote, ...]:
    """As `section`, of a question that asks what a section says and nothing else; none where it asks for more.

    "What does section 5 say?" has the words of the section's name and of saying; "When does section 5 apply?" has more.
    """
    asked = set(content_words(question))
    is_numbered = _NUMBERED.search(question) or _BARE_NUMBER.search(question)
    if _PAGE.search(question) or not (is_numbered or asked & (PARTS | SAYS)):
        return ()
    heading = _best(question, documents)
    if heading is None:
        return ()
    own = content_words(heading.text)
    rest = [word for word in asked - ASKING if not any(_same(word, one) for one in own)]
    is_whole = bool(is_numbered or asked & PARTS) or all(any(_same(one, word) for word in asked) for one in own)
    return () if rest or not is_whole else tuple(_beginning(heading))


def _best(question: str, documents: Sequence[Document]) -> _Heading | None:
    """The heading that a question names."""
    asked = _Asked.of(question)
    best = max(
        ((_likeness(asked, heading), heading) for heading in _headings(documents)),
        key=lambda pair: pair[0],
        default=None,
    )
    return None if best is None or best[0] <= 0 else best[1]


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
                run_in = _RUN_IN.match(line)
                if run_in and not _ONLY_NUMBER.fullmatch(run_in[1]):
                    yield _Heading(document_index=index, page=page, start=start, end=start + run_in.end(1))
                start = end + 1


def _likeness(asked: _Asked, heading: _Heading) -> float:
    """How well a line fits the name in a question; 0: not at all.

    A number must be the line's own. Else the words of one of the two have to be in the other, and the more the better.
    """
    text = heading.text
    words = {word for word in content_words(text) if word not in ASKING}
    shared = sum(any(_same(word, one) for one in asked.words) for word in words)
    if asked.number:
        own = _LEADING_NUMBER.match(text)
        is_it = bool(own and own[2].lower() == asked.number) or f"第{asked.number}" in text
        same_kind = bool(own and own[1] and asked.kind and own[1][:4].lower() == asked.kind[:4].lower())
        return 3.0 + shared + bool(words) + bool(own and own[1]) + same_kind + heading.prominence if is_it else 0.0
    if not words or not asked.words or not shared:
        return 0.0
    is_part = shared == len(words) and shared >= len(asked.words) / 2
    is_longer = shared >= len(asked.words) and len(words) <= len(asked.words) + _MORE_WORDS and text[-1] not in ".,;"
    if not is_part and not is_longer:
        return 0.0
    return 1.0 + shared - 0.3 * (len(words) - shared) + heading.prominence


def _same(word: str, other: str) -> bool:
    """Whether two words differ by an ending at most."""
    short, long = sorted((word, other), key=len)
    return long == short or (len(short) >= _SHORTEST_STEM and len(long) - len(short) <= 2 and long.startswith(short))


def _beginning(heading: _Heading) -> Iterator[Quote]:
    """The heading, and the sentences behind it, on the next page where it stands last."""
    yield Quote(document_index=heading.document_index, page=heading.page, start=heading.start, end=heading.end)
    yield from _first_sentences(heading.document_index, heading.page, heading.end, len(heading.page.text))


def _first_sentences(document_index: int, page: Page, start: int, end: int) -> Iterator[Quote]:
    left, room = _SENTENCES, _CHARACTERS
    for first, last in spans(page.text[start:end]):
        if last - first < _SHORTEST:
            continue
        is_whole = page.text[start + first : start + last].endswith(WHOLE_SENTENCE_ENDS)
        is_heading = last - first < _LONGEST_HEADING and not is_whole
        is_enough = left < _SENTENCES and (is_heading or last - first > room)
        if not left or is_enough:
            return
        yield Quote(document_index=document_index, page=page, start=start + first, end=start + last)
        left, room = left - 1, room - (last - first)
