"""What a term means, where the documents say so: "X means ...", "X is a ...", "X, a ...", "long form (X)".

A question that names a term and nothing else is answered with the words that define it, or that an abbreviation stands
for. The decoder sees them, and repeats the term, or stops within the sentence. The forms are those of the page's
languages; where none of them stands in the documents, the decoder answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from model.answering.quotes import Quote, answer_quoting
from model.answering.sentences import SENTENCE_END
from model.answering.words import content_words
from model.types import Answer, Document

_RIGHT = 0.85  # share of such answers that were right: 35 of 40, of 6,774 questions about 234 documents
_LONGEST_ABBREVIATION = 10  # letters
_LEAST_LONGER = 2  # times an abbreviation's length that its long form has at least
_NEAR = 140  # characters before a term in which what is called so may begin

_A = r"(?:an?|eine?|une?|un|una)\s"
_ARTICLE = r"(?i:(?:an?|the|eine?[nr]?|d(?:er|ie|as|en)|une?|l[ea]s?|l'|el|los|un[ao]?)\s+)?"
_OPEN, _CLOSE = r"[\"“„«‘'*_`]*", r"[\"”“»’'*_`]*"  # quotation marks and emphasis
_TERM = rf"{_ARTICLE}{_OPEN}(?P<term>[^\n\"“”„«»?]{{1,60}}?){_CLOSE}"
_HERE = (
    r"(?:\s+(?:here|exactly|according to the \w+|in (?:this|the) (?:document|paper|text|contract|agreement|report)"
    r"|im sinne de[rs] \w+|hier|ici|aquí))?"
)
_STANDS_FOR = (
    rf"what (?:does|do|did) {_TERM} (?:stand for|abbreviate)",
    rf"what is {_TERM} (?:short|an? abbreviation) for",
    rf"{_TERM} stands for",
    rf"(?:wofür|für was) steht {_TERM}",
    rf"que signifie (?:l'abréviation|le sigle) {_TERM}",
    rf"qué significan? (?:la abreviatura|las siglas?) {_TERM}",
)
_MEANS = (
    rf"what (?:does|do|did) {_TERM} mean{_HERE}",
    rf"what(?: is|'s|s| are| was| were) meant (?:by|with) {_TERM}{_HERE}",
    rf"(?:what (?:is|are) the |the )?(?:meaning|definition) of {_TERM}{_HERE}",
    rf"(?:please )?define {_TERM}{_HERE}",
    rf"how (?:is|are) {_TERM} defined{_HERE}",
    rf"how does [\w ]+ define {_TERM}",
    rf"what counts as {_TERM}{_HERE}",
    rf"was (?:bedeutet|bedeuten|heißt|heißen) {_TERM}{_HERE}",
    rf"was (?:versteht man|ist|wird) (?:hier )?unter {_TERM}(?: (?:zu verstehen|verstanden))?{_HERE}",
    rf"(?:was ist die )?definition von {_TERM}",
    rf"que (?:signifie(?:nt)?|veut dire) {_TERM}{_HERE}",
    rf"qu[ée] (?:significan?|quieren? decir|se entiende por) {_TERM}{_HERE}",
)
_IS = (
    rf"what(?: is|'s|s| are| was| were) {_TERM}{_HERE}",
    rf"was (?:ist|sind) {_TERM}{_HERE}",
    rf"(?:qu'est[- ]ce (?:que |qu'|que c'est que )|c'est quoi ){_TERM}{_HERE}",
    rf"qu[ée] (?:es|son) {_TERM}{_HERE}",
)
_MEANING = (
    r"(?:(?:shall |will )?means?|(?:commonly |usually |generally )?(?:refers? to|consists? of|contains?)|denotes?"
    r"|stands? for|(?:(?:is|are) )?defined (?:as|to be)|bedeute[nt]|bezeichne[nt]|steht für|signifie|désigne"
    r"|significa|se refiere a|se entiende por)\b"
)
_NOT_YET = r"(?!\w*(?:ed|ing|en|ly|ble)\b|not\b)"  # "is used for" and "is available" define nothing
_BEING = (
    r"(?:is|are|was|were|ist|sind|est|sont|es|son)\s+(?:(?:typically|usually|simply|basically|essentially) )?"
    r"(?=(?:an?|the|any|ein(?:e[nrs]?)?|d(?:er|ie|as)|jede[rs]?|alle|une?|l[ea]s?|l'|des|el|los|las|un[ao]?|to|where"
    rf"|when|{_NOT_YET}[^\W\d_]{{3,}}[^.;:\n]{{1,80}}\s(?:that|which|who|whose))\b)"
)
_BEHIND_TERM = (
    rf"{_CLOSE}(?:\s*\([^()\n]{{1,60}}\)|,\s(?:or|also)\s[^,.\n]{{1,40}})?[,*_]*(?:\s+im Sinne \w+ \w+)?[*_]*\s+"
)
_BEGINNING = rf"(?:^|(?<=\n)|(?<=[.!?;:]\s))(?:[^\w\n]|\(?\w{{1,2}}[.)]\s)*{_ARTICLE}{_OPEN}"
_CALLED = r"(?:\s\(|,?\s(?:called|known as|named|genannt|appelée?|llamad[oa])\s(?:an?\s)?)"
_NOUN_PHRASE = rf"{_A}[^,;.()\n]{{3,}}(?:\n[^,;.()\n]{{3,}})?"
_LAST_NOUN_PHRASE = re.compile(rf".*(?<!\w)(?P<what>{_A}[^,;.()]{{3,}})$", re.DOTALL)
_VERB = re.compile(r"\s(?:is|are|was|were|ist|sind|est|es)\b")
_PLURAL = re.compile(r"(?<=\w[^\Ws])s$", re.IGNORECASE)
_SMALL_WORDS = frozenset(["of", "and", "the", "for", "in", "to", "de", "la", "et", "für", "und", "der"])
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """A term as a question names it, and as an expression that finds it in a text."""

    text: str

    @property
    def is_abbreviation(self) -> bool:
        return " " not in self.text and sum(map(str.isupper, self.text)) >= 2

    @property
    def pattern(self) -> str:
        """Abbreviations as they are written, other terms in any case and number, over line ends, too."""
        singular = self.text if self.is_abbreviation else _PLURAL.sub("", self.text)
        joined = r"[\s-]*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", singular)))
        return joined if self.is_abbreviation else rf"(?i:{joined}(?:e?s)?)"


_Finder = Callable[[_Term, str], Iterator[tuple[int, int]]]  # the places [start, end) of a text that define a term


def definition(question: str, documents: Sequence[Document]) -> Answer | None:
    """What the term means that a question asks for, in the documents' words; None where it asks for anything else.

    None, too, where no sentence of theirs has the form of a definition of it.
    """
    asked = _asked(question)
    if asked is None:
        return None
    term, finders = asked
    has_term = re.compile(term.pattern).search
    pages = [
        (index, page) for index, document in enumerate(documents) for page in document.pages if has_term(page.text)
    ]
    for find in finders:
        for index, page in pages:
            for start, end in find(term, page.text):
                place = Quote(document_index=index, page=page, start=start, end=end)
                return answer_quoting(question, place.text, [place], documents, _RIGHT)
    return None


def _asked(question: str) -> tuple[_Term, Sequence[_Finder]] | None:
    """The term that a question names and nothing else, and what defines it, the surest first."""
    forms: tuple[tuple[Sequence[str], Sequence[_Finder]], ...] = (
        (_STANDS_FOR, (_long_forms,)),
        (_MEANS, (_meanings, _long_forms, _beings, _appositions)),
        (_IS, (_meanings, _beings, _long_forms, _appositions)),
    )
    for patterns, finders in forms:
        for pattern in patterns:
            if found := re.fullmatch(rf"[¿\s]*{pattern}[\s?.=]*", question, re.IGNORECASE):
                term = _Term(text=found["term"].strip())
                return (term, finders) if term.is_abbreviation or content_words(term.text) else None
    return None


def _meanings(term: _Term, text: str) -> Iterator[tuple[int, int]]:
    """Behind "X means", "X refers to"; behind "we define X as"."""
    named = rf"{_BEGINNING}{term.pattern}{_BEHIND_TERM}{_MEANING}[:,]?\s*"
    said = rf"(?i:\bdefine[sd]?|the term)\s(?:[\w-]+\s){{0,4}}{_OPEN}{term.pattern}{_CLOSE}\s(?:as|to mean)\s+"
    for found in re.finditer(rf"{named}|{said}", text):
        yield found.end(), _end_of_sentence(text, found.end())


def _beings(term: _Term, text: str) -> Iterator[tuple[int, int]]:
    """Behind "X is", where a noun phrase follows; behind "long form (X) is"."""
    in_brackets = rf"|{_BEGINNING}(?:[\w-]+ ){{1,7}}\({term.pattern}\)\s+" if term.is_abbreviation else ""
    for found in re.finditer(rf"(?:{_BEGINNING}{term.pattern}{_BEHIND_TERM}{in_brackets}){_BEING}", text):
        yield found.end(), _end_of_sentence(text, found.end())


def _long_forms(term: _Term, text: str) -> Iterator[tuple[int, int]]:
    """What an abbreviation stands for, before it in brackets or behind it."""
    if not term.is_abbreviation or len(term.text) > _LONGEST_ABBREVIATION:
        return
    for found in re.finditer(rf"{_CLOSE},?\s*\({_OPEN}{term.pattern}(?!\w)", text):
        first = max(0, found.start() - _NEAR)
        words = [(first + word.start(), word[0]) for word in _WORD.finditer(text[first : found.start()])]
        for start, _ in reversed(words[-2 * len(term.text) :]):
            if _spells([word for begin, word in words if begin >= start], term.text, found.start() - start):
                yield start, found.start()
                break
    for found in re.finditer(rf"(?<!\w){term.pattern}{_CLOSE}\)?\s*(?:[(=:,–—-]\s*|stands for\s+|\s){_OPEN}", text):
        words = [(word.end(), word[0]) for word in _WORD.finditer(text[found.end() : found.end() + _NEAR])]
        for end, _ in words[: 2 * len(term.text)]:
            if _spells([word for stop, word in words if stop <= end], term.text, end):
                yield found.end(), found.end() + end
                break


def _spells(words: Sequence[str], abbreviation: str, length: int) -> bool:
    """Whether the first letters of words, and some behind these, are an abbreviation's. length: of their text."""
    letters = "".join(filter(str.isalnum, abbreviation)).lower()
    first = words[0][:1].lower() == letters[:1] if words else False
    return first and length >= _LEAST_LONGER * len(abbreviation) and _leaves_none([w.lower() for w in words], letters)


def _leaves_none(words: Sequence[str], letters: str) -> bool:
    """Whether each word but the small ones has the next letter as its first, and may have further ones inside."""
    if not words or not letters:
        return not words and not letters
    word, *others = words
    if word in _SMALL_WORDS and _leaves_none(others, letters):
        return True
    at = -1
    for count, letter in enumerate(letters, start=1):
        at = word.find(letter, at + 1)
        if at < 0 or (count == 1 and at > 0):
            return False
        if _leaves_none(others, letters[count:]):
            return True
    return False


def _appositions(term: _Term, text: str) -> Iterator[tuple[int, int]]:
    """The noun phrase in "X, a ...,", "X (a ...)", and in "a ... called X"."""
    phrase = rf"(?P<what>{_NOUN_PHRASE})(?=[,;.()])"
    behind = rf"(?<!\w){term.pattern}{_CLOSE}(?:\s*\([^()\n]{{1,60}}\))?(?:,\s|\s\(|\s[–—-]\s){phrase}"
    for found in re.finditer(behind, text):
        yield found.span("what")
    for found in re.finditer(rf"{_CALLED}{_OPEN}{term.pattern}(?!\w)", text):
        first = max(0, found.start() - _NEAR)
        before = _LAST_NOUN_PHRASE.match(text[first : found.start()])
        if before and not _VERB.search(before["what"]):
            yield first + before.start("what"), found.start()


def _end_of_sentence(text: str, start: int) -> int:
    """Where the sentence ends, without its full stop."""
    found = SENTENCE_END.search(text, start)
    return start + len(text[start : found.start() if found else len(text)].rstrip().rstrip("."))
