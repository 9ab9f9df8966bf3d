"""Laws of the passages that a question is shown: which they are, and that looking at them is attention to them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch

from model.answering.document_index import DocumentIndexes, joined_passages
from model.answering.passages import PageTokens, Passage, cut, cut_pages, passages_of
from model.answering.retrieval import retrieve, visible_tokens
from model.answering.tuning import PassageTuning
from model.answering.word_index import WordIndex, relevance
from model.checkpoints.checkpoint import Checkpoint
from model.decoder.decoder import Decoder
from model.decoder.limits import DecoderLimits
from model.decoder.model_backend import Backend
from model.encoding.memory import select_tokens, to_device
from model.encoding.token_map import NO_PAGE, encode_text
from model.engine import Engine
from model.types import Answer, EncodedDocument, GenerationOptions, Turn
from tests.helpers.kernels import limited
from tests.helpers.tiny import document, last, tiny_checkpoint

MOST = 60  # tokens that are shown
PAGES = (
    "The lighthouse of Skerry was built in 1811. Its keeper was Ann Reid.",
    "The harbour has two cranes. A crane lifts eleven tonnes.",
    "Im Winter fährt die Fähre nicht. Die Überfahrt dauert drei Stunden.",
    "灯台は海の近くにあります。船は朝に出ます。",
)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return replace(tiny_checkpoint(chunk_size=80, chunk_overlap=10), passage_tokens=MOST)


@pytest.fixture(scope="module")
def encoded(checkpoint: Checkpoint) -> EncodedDocument:
    with torch.inference_mode():
        return Engine(checkpoint).encode(document(*PAGES))


def scores(passages: Sequence[Passage], question: str) -> list[float]:
    return relevance([WordIndex(passages)], question)


def chosen(passages: Sequence[Passage], question: str, tokens: int) -> list[Passage]:
    return retrieve(passages, question, tokens, scores(passages, question))


def pages_shown(encoded: EncodedDocument, question: str) -> set[int]:
    (rows,) = visible_tokens([encoded], [question], MOST, DocumentIndexes())
    return set(encoded.tokens.pages[rows].tolist()) - {NO_PAGE}


@pytest.mark.parametrize(
    ("question", "page"),
    [
        ("Who was the KEEPER?", 1),
        ("How much do the cranes lift?", 2),
        ("Wie lange dauert die Uberfahrt?", 3),
        ("灯台はどこですか", 4),
    ],
)
def test_the_passage_with_the_questions_words_is_shown(encoded: EncodedDocument, question: str, page: int) -> None:
    """Whatever case, accents and endings; in scripts without spaces by pairs of characters."""
    assert pages_shown(encoded, question) == {page}


def test_a_word_is_not_found_within_another(encoded: EncodedDocument) -> None:
    assert not any(scores(passages_of(encoded), "art our"))


def test_a_question_without_a_known_word_is_shown_everything(encoded: EncodedDocument) -> None:
    assert visible_tokens([encoded], ["Xyzzy?"], MOST, DocumentIndexes()).all()
    assert visible_tokens([encoded], ["?"], MOST, DocumentIndexes()).all()


def test_stop_words_choose_no_passage(encoded: EncodedDocument) -> None:
    """They decide between passages that share other words, too."""
    assert visible_tokens([encoded], ["What was that of which it is?"], MOST, DocumentIndexes()).all()
    both = "The crane lifts stones. Which crane was it in the harbour?"
    with_words, without = scores(
        [*cut(both[24:], [0], [len(both) - 24]), *cut(both[:23], [0], [23])], "Which crane was it?"
    )
    assert with_words > without > 0


def test_a_form_is_shown_whole_and_prose_by_its_sentences(checkpoint: Checkpoint) -> None:
    """Where it is short enough: a form's lines lean on each other, and its fields share no words with questions."""
    form = "\n".join(f"No {number} {value} EUR" for number, value in enumerate(range(100, 118)))
    assert _shown_text(checkpoint, form, "What is No 7?", 320) == form
    assert _shown_text(checkpoint, form, "What is No 7?", 40) != form
    prose = " ".join(PAGES[:3])
    assert _shown_text(checkpoint, prose, "How much does it lift?", 320).strip() == "A crane lifts eleven tonnes."


def test_a_question_in_other_words_is_shown_all_of_a_short_text(encoded: EncodedDocument) -> None:
    """Of "fishermen" and "repaired" nothing is found: the crane alone says too little of the question."""
    passages = passages_of(encoded)
    tokens = sum(passage.end - passage.start for passage in passages)
    assert chosen(passages, "How much does a crane lift?", tokens)
    other = "Which crane was repaired by fishermen?"
    assert not chosen(passages, other, tokens)
    assert chosen(passages, other, tokens - 1)  # of a longer text the crane is all that can be shown


def test_an_abbreviation_ends_no_sentence(checkpoint: Checkpoint) -> None:
    text = "The visitors came late. The keeper was Mr. Reid of No. 3 Harbour Street. They left early in the morning."
    shown = _shown_text(checkpoint, text, "Who was the keeper?", 320)
    assert shown.strip() == "The keeper was Mr. Reid of No. 3 Harbour Street."


@pytest.mark.parametrize(
    ("text", "passages"),
    [
        (  # an abbreviation within a sentence, before a small letter or known
            "The deed names Orrin Mills Inc. as the owner of the whole weir. The lease with Vale Ltd. ended last year.",
            [
                "The deed names Orrin Mills Inc. as the owner of the whole weir.",
                " The lease with Vale Ltd. ended last year.",
            ],
        ),
        (  # rows of a table are whole, whatever full stops they have, and the sentence around them is another passage
            "Sales by company and year are as follows, as of the end of June:\n"
            "Orrin Mills Inc. Holding - Sales in 2023: 4.5 m; Sales in 2024: 5.25 m. audited\n"
            "Vale Ltd. and daughters - Sales in 2023: 1.0 m; Sales in 2024: 1.75 m\n"
            "All sums are in crowns of the former year, before tax.",
            [
                "Sales by company and year are as follows, as of the end of June:\n",
                "Orrin Mills Inc. Holding - Sales in 2023: 4.5 m; Sales in 2024: 5.25 m. audited\n",
                "Vale Ltd. and daughters - Sales in 2023: 1.0 m; Sales in 2024: 1.75 m\n",
                "All sums are in crowns of the former year, before tax.",
            ],
        ),
    ],
)
def test_a_passage_ends_where_a_sentence_or_a_row_does(text: str, passages: list[str]) -> None:
    """Here each word is a token."""
    places = [match.span() for match in re.finditer(r"\S+", text)]
    starts, ends = zip(*places, strict=True)
    found = [text[starts[one.start] : ends[one.end - 1]] for one in cut(text, starts, ends)]
    assert [one.strip() for one in found] == [one.strip() for one in passages]


def test_a_long_sentence_stays_whole() -> None:
    words = [f"word{number}" for number in range(200)]
    text = " ".join(words) + ". And a further sentence follows it, of more than twelve words in all, as it must."
    places = [match.span() for match in re.finditer(r"\S+", text)]
    starts, ends = zip(*places, strict=True)
    assert [one.end - one.start for one in cut(text, starts, ends)] == [200, len(places) - 200]


def test_a_sentence_over_a_page_break_is_one_passage() -> None:
    def page(text: str, first: int) -> PageTokens:
        places = [match.span() for match in re.finditer(r"\S+", text)]
        starts, ends = zip(*places, strict=True)
        return PageTokens(text=text, starts=starts, ends=ends, places=range(first, first + len(places)))

    begun = "The keeper of the light at Skerry rows to the harbour every week and"
    pages = [page(begun, 1), page("brings back bread.", 20), page("Nobody else lives there.", 30)]
    found = [(index, one.start, one.end) for index, one in cut_pages(pages)]
    assert found == [(0, 1, 23), (2, 30, 34)]


def _shown_text(checkpoint: Checkpoint, text: str, question: str, tokens: int) -> str:
    _, places = encode_text(checkpoint.tokenizer, text)
    starts, ends = zip(*places, strict=True)
    found = chosen(list(cut(text, starts, ends)), question, tokens)
    return "".join(text[starts[part.start] : ends[part.end - 1]] for part in found) or text


def test_passages_cover_every_token_of_a_page_once(encoded: EncodedDocument) -> None:
    """Over two documents, too, and cut behind sentences."""
    indexes = DocumentIndexes(sizes=PassageTuning(longest=30))
    passages = joined_passages([encoded, encoded], [indexes.of(encoded)] * 2)
    pages = torch.cat([encoded.tokens.pages] * 2)
    covered = torch.zeros(len(pages))
    for passage in passages:
        covered[passage.start : passage.end] += 1
    assert (covered[pages != NO_PAGE] == 1).all()
    assert passages[0].text.rstrip().endswith(".")


@pytest.mark.parametrize("form", [1, 2**40])
def test_a_batch_gives_each_question_what_it_gets_alone(
    checkpoint: Checkpoint, encoded: EncodedDocument, form: int
) -> None:
    """Each question looks at its own passages, in either form of the document."""
    limits = DecoderLimits(projected_bytes=form)
    engine = Engine(checkpoint, backend=limited(Backend.eager(checkpoint.model), limits))
    questions = ["Who was the keeper?", "Xyzzy?", "How much do the cranes lift?", "dauert"]
    options = GenerationOptions(max_new_tokens=6)
    *_, together = engine.answer_batch([encoded, encoded], questions, options=options)
    for question, answer in zip(questions, together, strict=True):
        alone = last(engine.answer([encoded, encoded], question, options=options))
        assert (answer.text, answer.shown_tokens) == (alone.text, alone.shown_tokens)
        assert shares(answer) == pytest.approx(shares(alone), abs=1e-5)


def shares(answer: Answer) -> list[float]:
    return [page.share for page in answer.attention]


def test_looking_at_passages_is_attention_to_their_rows_alone(checkpoint: Checkpoint, encoded: EncodedDocument) -> None:
    """A mask over the memory, and a memory of the rows that it shows, give the same logits."""
    shown = visible_tokens([encoded], ["Who was the keeper?", "How much do the cranes lift?"], MOST, DocumentIndexes())
    memory = to_device(encoded.memory, checkpoint.device, checkpoint.dtype)
    prompt = [2, 9, 30, 41]
    masked = Decoder(checkpoint.model, [memory], 2, capacity=4, visible_mask=shown).begin([prompt, prompt])
    for question, rows in enumerate(shown):
        alone = Decoder(checkpoint.model, [select_tokens(memory, rows)], 1, capacity=4).begin([prompt])
        assert torch.allclose(masked.logits[question], alone.logits[0], atol=1e-4)
        assert torch.allclose(masked.attention[question][rows], alone.attention[0], atol=1e-6)
        assert not masked.attention[question][~rows].any()


def test_an_answer_says_how_much_it_was_shown(checkpoint: Checkpoint, encoded: EncodedDocument) -> None:
    engine = Engine(checkpoint)
    short = GenerationOptions(max_new_tokens=2)
    some = last(engine.answer(encoded, "Who was the keeper?", options=short))
    assert 0 < some.shown_tokens < MOST
    assert [page.page for page in some.attention if page.share > 0] == [1]
    whole = last(engine.answer(encoded, "Who was the keeper?", options=replace(short, whole_document=True)))
    assert whole.shown_tokens == encoded.token_count
    assert all(page.share > 0 for page in whole.attention)


def test_windows_are_searched_while_the_rest_is_read(checkpoint: Checkpoint) -> None:
    """Each window knows its own tokens of a page."""
    chunks: list[EncodedDocument] = []
    Engine(checkpoint).encode(document(*PAGES), chunk_read=chunks.append)
    assert len(chunks) > 1
    (rows,) = visible_tokens(chunks, ["How much do the cranes lift?"], MOST, DocumentIndexes())
    assert set(torch.cat([window.tokens.pages for window in chunks])[rows].tolist()) - {NO_PAGE} == {2}


def test_a_question_that_leans_on_the_last_turn_is_shown_what_that_was_about(
    checkpoint: Checkpoint, encoded: EncodedDocument
) -> None:
    turn = Turn(question="Who was the keeper of the lighthouse?", answer="Ann Reid")
    short = GenerationOptions(max_new_tokens=2)
    answer = last(Engine(checkpoint).answer(encoded, "And when?", history=(turn,), options=short))
    assert [page.page for page in answer.attention if page.share > 0] == [1]
