"""How an answer stands in the text decides among likely ones."""

from __future__ import annotations

import pytest
import torch

from app.bench.ranking import chosen
from model.answering.prompts import NOT_IN_DOCUMENT
from model.answering.reranker import QuestionContext, features
from model.answering.retrieval import visible_text
from model.checkpoints.adapter import adapter_info
from model.engine import Engine
from tests.helpers.tiny import TEXT, document, tiny_checkpoint

ROOM = "The library of Lindau was founded by Ada Keller. Its treasurer is Omar Haddad."
LINES = "Subtotal: 80.00\nTax: 16.00\nTotal: 96.00"
EVEN = [-1.0, -1.0]


def best(question: str, text: str, *answers: str) -> str:
    """The answer that the shipped weights choose where the decoder finds all equally likely."""
    asked = QuestionContext.of(question, text)
    return answers[chosen([features(asked, answer, EVEN) for answer in answers], adapter_info().ranking)]


@pytest.mark.parametrize(
    ("question", "text", "right", "wrong"),
    [
        ("Who is the treasurer?", ROOM, "Omar Haddad", "Ada Keller"),
        ("Who founded the library?", ROOM, "Ada Keller", "Omar Haddad"),
        ("What is the total?", LINES, "96.00", "80.00"),
        (
            "Who is the customer?",
            "Seller: Omar Haddad\nCustomer: Ada Keller\nTotal: 80.00",
            "Ada Keller",
            "Omar Haddad",
        ),
        ("Who is the treasurer of the library?", ROOM, "Omar Haddad", "the treasurer"),
        ("Wer ist der Schatzmeister?", "Gründer: Ada Keller. Schatzmeister: Omar Haddad.", "Omar Haddad", "Ada Keller"),
    ],
)
def test_what_stands_near_the_questions_words_and_does_not_repeat_them(
    question: str, text: str, right: str, wrong: str
) -> None:
    assert best(question, text, wrong, right) == right


def test_an_answer_in_the_decoders_own_words_is_kept_only_where_it_is_the_likeliest() -> None:
    asked = QuestionContext.of("May Omar Haddad lend books?", ROOM)
    yes, other = features(asked, "Yes", [-0.2]), features(asked, "Omar Haddad", [-0.3])
    weights = {"verbatim": 9.0}
    assert chosen([other, yes], weights) == 1
    assert chosen([other, yes | {"log_probability": -0.4}], weights) == 0
    assert chosen([features(asked, NOT_IN_DOCUMENT, [-0.1]), other], weights) == 1


def test_case_and_accents_make_no_difference() -> None:
    asked = QuestionContext.of("Où est le CAFÉ?", "Le café est à Évian.")
    assert features(asked, "Évian", EVEN)["whole_words"] == 1.0
    assert features(asked, "evian", EVEN)["near_60"] == features(asked, "Évian", EVEN)["near_60"] > 0


def test_a_part_of_a_word_is_no_whole_word() -> None:
    asked = QuestionContext.of("Who is the treasurer?", ROOM)
    assert features(asked, "Omar Had", EVEN)["whole_words"] == 0.0
    assert features(asked, "Omar Had", EVEN)["verbatim"] == 1.0
    assert features(asked, "Omar Hassan", EVEN)["verbatim"] == 0.0
    assert features(asked, "The library", EVEN)["whole_words"] == 1.0  # at the text's beginning


def test_where_is_no_offer_in_french() -> None:
    assert not QuestionContext.of("Où est-elle ?", ROOM).offers_answers
    assert QuestionContext.of("Rouge ou bleu ?", ROOM).offers_answers


def test_a_question_that_offers_its_answers_may_be_repeated() -> None:
    offered = features(QuestionContext.of("Is it red or blue?", "It is blue."), "blue", EVEN)
    asked = features(QuestionContext.of("Is it blue?", "It is blue."), "blue", EVEN)
    assert (offered["repeats"], asked["repeats"]) == (0.0, 1.0)
    assert (offered["only_repeats"], asked["only_repeats"]) == (0.0, 1.0)


@pytest.mark.parametrize("answer", ["", "?", "(", "The", NOT_IN_DOCUMENT, "x" * 2000])
@pytest.mark.parametrize("question", ["?", "the", "Who?", "何ですか"])
def test_every_question_and_answer_has_finite_features(question: str, answer: str) -> None:
    for text in ("", ROOM):
        found = features(QuestionContext.of(question, text), answer, EVEN)
        assert all(torch.tensor(value).isfinite() for value in found.values())


def test_the_shown_text_is_that_of_the_rows() -> None:
    encoded = Engine(tiny_checkpoint()).encode(document(TEXT, "A second page."))
    everything = torch.ones(encoded.token_count, dtype=torch.bool)
    assert visible_text([encoded], everything) == f"{TEXT}\nA second page."
    start, end = TEXT.index("Its treasurer"), TEXT.index(" The annual")
    inside = (encoded.tokens.pages == 1) & (encoded.tokens.starts >= start) & (encoded.tokens.ends <= end)
    assert visible_text([encoded, encoded], torch.cat([inside, inside])) == "\n".join(
        ["Its treasurer is Omar Haddad."] * 2
    )


def test_the_judgement_wins_that_is_likelier_in_all_its_wordings() -> None:
    asked = QuestionContext.of("May Omar Haddad lend books?", ROOM)
    likeliest, other, again = (
        features(asked, answer, [nats]) for answer, nats in (("Yes.", -1.0), ("No.", -1.1), ("No, he may not", -1.3))
    )
    assert chosen([likeliest, other], {}) == 0
    assert chosen([likeliest, other, again], {}) == 1


def test_judgements_that_are_likelier_than_refusing_together_win() -> None:
    asked = QuestionContext.of("May Omar Haddad lend books?", ROOM)
    refusing, yes, no = (
        features(asked, answer, [nats]) for answer, nats in ((NOT_IN_DOCUMENT, -1.0), ("Yes", -1.2), ("No", -1.4))
    )
    assert chosen([refusing, no, yes], {"refuses": 99.0}) == 2
    assert chosen([refusing, no], {"refuses": 99.0}) == 0


def test_what_does_not_stand_in_the_text_does_not_beat_a_likelier_refusal() -> None:
    asked = QuestionContext.of("Who is the treasurer?", ROOM)
    refusing = features(asked, NOT_IN_DOCUMENT, [-0.5])
    other, there = features(asked, "Omar Hassan", [-0.6]), features(asked, "Omar Haddad", [-0.6])
    eager = {"length": 99.0}
    assert chosen([refusing, other], eager) == 0
    assert chosen([refusing, there], eager) == 1


def test_an_answer_knows_how_well_its_cell_is_named() -> None:
    rows = "Poland - Valid replies: 121; Accuracy Level: High\nSweden - Valid replies: 125; Accuracy Level: Low"
    asked = QuestionContext.of("How many valid replies came from Poland?", rows)
    best, other, nowhere = (features(asked, answer, EVEN) for answer in ("121", "125", "2006"))
    assert (best["cell"], best["best_cell"], best["cell_row"], best["cell_column"]) == (1.0, 1.0, 1.0, 1.0)
    assert other["cell"] < 1.0
    assert (other["best_cell"], other["cell_row"], other["cell_column"]) == (0.0, 0.0, 1.0)
    assert nowhere["no_cell"] == 1.0
    assert "cell" not in nowhere


def test_a_row_without_a_column_is_less_than_a_cell() -> None:
    rows = "Poland - Valid replies: 121; Accuracy Level: High\nSweden - Valid replies: 125; Accuracy Level: Low"
    found = features(QuestionContext.of("And Poland?", rows), "High", EVEN)
    assert (found["best_of_row"], found["best_cell"]) == (1.0, 0.0)


def test_where_no_cell_is_named_cells_say_nothing() -> None:
    rows = "Poland - Valid replies: 121; Accuracy Level: High"
    found = features(QuestionContext.of("Who led the survey?", rows), "121", EVEN)
    assert not [name for name in found if "cell" in name]
