"""Laws of evidence: found words win over attention, attention tells where else, and shares of pages sum to one."""

from dataclasses import replace

import pytest
import torch

from model.answering.beam_search import Candidate
from model.answering.evidence import attention_by_page, find_evidence, ground
from model.answering.prompts import NOT_IN_DOCUMENT
from model.engine import Engine
from model.types import EncodedDocument, Evidence, Word
from tests.helpers.tiny import document, tiny_checkpoint

FIRST = "The keeper is Ada Holm.\nShe lit the lamp in 1902."
SECOND = "In 1902 the roof was mended.\nThe harbour froze."


@pytest.fixture(scope="module")
def encoded() -> EncodedDocument:
    return Engine(tiny_checkpoint()).encode(document(FIRST, SECOND))


def attention_on(encoded: EncodedDocument, page: int, words: str, mass: float = 1.0) -> torch.Tensor:
    """Attention (T,) that lies on the tokens of these words alone."""
    text = {1: FIRST, 2: SECOND}[page]
    start, end = text.index(words), text.index(words) + len(words)
    tokens = encoded.tokens
    inside = (tokens.pages == page) & (tokens.starts < end) & (tokens.ends > start)
    return inside.float() * mass / inside.sum()


def places(found: tuple[Evidence, ...]) -> list[tuple[int, str, bool]]:
    """The page and the words of each place, and whether they are the answer's own."""
    texts = {1: FIRST, 2: SECOND}
    return [(place.page, texts[place.page][place.start : place.end], place.verbatim) for place in found]


def test_words_that_are_found_win_over_the_most_attended_place(encoded: EncodedDocument) -> None:
    elsewhere = attention_on(encoded, 2, "harbour froze")
    assert places(find_evidence([encoded], elsewhere, "Ada Holm")) == [(1, "Ada Holm", True)]


def test_the_sentence_around_the_words_is_quoted(encoded: EncodedDocument) -> None:
    (place,) = find_evidence([encoded], attention_on(encoded, 1, "keeper"), "Ada Holm")
    assert place.quote == "The keeper is Ada Holm." and not place.hidden


def test_a_quote_with_words_that_nobody_sees_says_so(encoded: EncodedDocument) -> None:
    keeper, *others = encoded.document.pages
    for start, hidden in ((4, True), (FIRST.index("lit"), False)):
        words = (Word(start=start, end=start + 3, box=(0, 0, 1, 1), hidden=True),)
        pages = (replace(keeper, words=words), *others)
        seen = replace(encoded, document=replace(encoded.document, pages=pages))
        (place,) = find_evidence([seen], attention_on(encoded, 1, "keeper"), "Ada Holm")
        assert place.hidden is hidden


@pytest.mark.parametrize("answer", ["ada holm", "Ada  Holm.", " Ada\nHolm "])
def test_case_space_and_a_last_stop_do_not_matter(encoded: EncodedDocument, answer: str) -> None:
    assert places(find_evidence([encoded], attention_on(encoded, 1, "keeper"), answer)) == [(1, "Ada Holm", True)]


def test_of_several_occurrences_the_most_attended_comes_first(encoded: EncodedDocument) -> None:
    attention = attention_on(encoded, 2, "1902", 0.6) + attention_on(encoded, 1, "1902", 0.4)
    found = find_evidence([encoded], attention, "1902")
    assert places(found) == [(2, "1902", True), (1, "1902", True)]
    assert [round(place.score, 3) for place in found] == [0.6, 0.4]


def test_an_occurrence_with_little_attention_is_left_out(encoded: EncodedDocument) -> None:
    attention = attention_on(encoded, 2, "1902", 0.9) + attention_on(encoded, 1, "1902", 0.1)
    assert places(find_evidence([encoded], attention, "1902")) == [(2, "1902", True)]


def test_words_within_a_word_are_not_found(encoded: EncodedDocument) -> None:
    assert not any(place.verbatim for place in find_evidence([encoded], attention_on(encoded, 1, "keeper"), "lam"))


def test_an_answer_in_other_words_rests_on_the_attended_line(encoded: EncodedDocument) -> None:
    found = find_evidence([encoded], attention_on(encoded, 2, "harbour"), "It was cold")
    assert places(found)[0] == (2, "The harbour froze.", False)


def test_evidence_names_its_document_among_several(encoded: EncodedDocument) -> None:
    other = Engine(tiny_checkpoint()).encode(document("Ada Holm wrote.", name="letter.txt"))
    attention = torch.cat([torch.zeros(encoded.token_count), torch.ones(other.token_count)])
    (place,) = find_evidence([encoded, other], attention, "Ada Holm")
    assert (place.document, place.document_index, place.page) == ("letter.txt", 1, 1)


def test_shares_of_pages_sum_to_one_and_follow_each_kind_of_attention(encoded: EncodedDocument) -> None:
    attention = attention_on(encoded, 1, "keeper", 0.25) + attention_on(encoded, 2, "roof", 0.75)
    first_token = attention_on(encoded, 1, "lamp")
    pages = attention_by_page([encoded], attention, first_token)
    assert [(one.page, round(one.share, 3), round(one.first_token_attention, 3)) for one in pages] == [
        (1, 0.25, 1.0),
        (2, 0.75, 0.0),
    ]


def test_a_refusal_rests_on_nothing_and_still_tells_where_attention_was(encoded: EncodedDocument) -> None:
    union = torch.ones(encoded.token_count, dtype=torch.bool)
    attention = attention_on(encoded, 2, "1902 the roof")
    candidate = Candidate(ids=(5,), attention=attention, first_token_attention=attention)
    refused, answered = (ground([encoded], union, candidate, text) for text in (NOT_IN_DOCUMENT, "1902"))
    assert refused.evidence == () and refused.attention == answered.attention
    assert places(answered.evidence)[0] == (2, "1902", True)


def test_attention_over_visible_tokens_is_attention_at_their_places(encoded: EncodedDocument) -> None:
    """The decoder's attention covers the visible tokens alone."""
    union = encoded.tokens.pages == 2
    attention = attention_on(encoded, 2, "harbour froze")
    whole = Candidate(ids=(5,), attention=attention, first_token_attention=attention)
    part = replace(whole, attention=attention[union], first_token_attention=attention[union])
    everything = torch.ones(encoded.token_count, dtype=torch.bool)
    assert ground([encoded], union, part, "cold") == ground([encoded], everything, whole, "cold")
