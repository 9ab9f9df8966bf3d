"""Several answers grow side by side: what a wider search finds, when it ends, and that of width one it is greedy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from model.answering.beam_search import BeamSearch, Candidate
from model.answering.sampler import Sampler
from model.checkpoints.checkpoint import Checkpoint
from model.engine import Engine
from model.types import GenerationOptions
from tests.helpers.tiny import TEXT, document, last, tiny_checkpoint

END = 0
LIKELIEST = {"log_probability": 1.0}
QUESTIONS = ("Who is the treasurer?", "When was the report issued?", "What is the invoice number?")


def search(width: int) -> BeamSearch:
    return BeamSearch(width, Sampler(GenerationOptions(), torch.device("cpu")), {END}, torch.zeros(3))


def logits(*rows: list[float]) -> torch.Tensor:
    """Rows of probabilities as logits."""
    return torch.tensor(rows).log()


def take(one: BeamSearch, *rows: list[float]) -> list[int]:
    nowhere = torch.zeros(len(rows), 3)
    return one.extend(logits(*rows), nowhere, nowhere)


def ids(candidates: list[Candidate]) -> list[tuple[int, ...]]:
    return [candidate.ids for candidate in candidates]


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()


def test_an_answer_that_begins_less_likely_and_goes_on_surely_is_found() -> None:
    one = search(2)
    assert take(one, [0.0001, 0.5, 0.4999]) == [0, 0]
    assert take(one, [0.3, 0.4, 0.3], [0.98, 0.01, 0.01])[0] == 0
    assert one.likeliest.ids == (2, END)
    assert one.likeliest.log_probability == pytest.approx(torch.tensor(0.4999 * 0.98).log().item())


def test_a_row_can_go_on_in_several_ways_and_another_in_none() -> None:
    one = search(2)
    take(one, [0.0001, 0.5, 0.4999])
    assert take(one, [0.001, 0.5, 0.499], [0.998, 0.001, 0.001]) == [0, 0]
    assert ids(one.live) == [(1, 1), (1, 2)]
    assert ids(one.finished) == [(2, END)]


def test_what_is_far_less_likely_than_a_finished_answer_is_given_up() -> None:
    one = search(2)
    take(one, [0.9989, 0.001, 0.0001])
    assert ids(one.finished) == [(END,)]
    assert one.live == []


def test_a_proposal_is_written_out_beside_the_search_however_unlikely_it_is() -> None:
    one = BeamSearch(
        2, Sampler(GenerationOptions(), torch.device("cpu")), {END}, torch.zeros(3), proposals=[(2, 2, END), (1, END)]
    )
    assert take(one, [0.0001, 0.9989, 0.001]) == [0, 0, 0]
    assert ids(one.live) == [(1,), (2,), (1,)], "the likeliest (2,) is given up: the second is the proposal"
    assert take(one, [0.998, 0.001, 0.001], [0.5, 0.25, 0.25], [0.998, 0.001, 0.001]) == [1]
    assert ids(one.finished) == [(1, END)], "what the search found and what was proposed count once"
    assert one.likeliest.ids == (1, END)
    assert take(one, [0.2, 0.4, 0.4]) == []
    assert ids(one.finished) == [(1, END), (2, 2, END)]
    chances = [0.001, 0.25, 0.2]
    assert one.finished[1].log_probability == pytest.approx(torch.tensor(chances).log().sum().item())
    assert one.likeliest.ids == (1, END), "a proposal is chosen by the ranking alone"


def test_a_search_that_is_stopped_among_proposals_keeps_what_it_had_decoded() -> None:
    one = BeamSearch(2, Sampler(GenerationOptions(), torch.device("cpu")), {END}, torch.zeros(3), proposals=[(2, END)])
    take(one, [1e-9, 0.4, 0.3, 0.3])
    take(one, *[[1e-9, 0.4, 0.3, 0.3]] * 3)
    one.end()
    assert (2, END) in ids(one.finished)
    assert one.likeliest.ids == (1, 1)


def test_a_long_text_goes_on_alone() -> None:
    one = search(2)
    sizes = [len(take(one, *[[1e-12, 0.5, 0.5]] * len(one.live))) for _ in range(26)]
    assert sizes == [2] * 23 + [1] * 3


def test_a_long_text_is_given_up_where_there_is_a_shorter_answer() -> None:
    one = search(2)
    take(one, [0.4, 0.3, 0.3])
    for _ in range(22):
        take(one, *[[1e-12, 1.0, 1e-12]] * len(one.live))
    assert len(one.live) == 2
    take(one, *[[1e-12, 1.0, 1e-12]] * 2)
    assert (one.live, ids(one.finished)) == ([], [(END,)])


def test_attention_is_summed_along_each_candidate() -> None:
    one = search(2)
    one.extend(logits([0.0001, 0.5, 0.4999]), torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.5, 0.0, 0.0]]))
    attention = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    one.extend(logits([0.001, 0.5, 0.499], [0.998, 0.001, 0.001]), attention, torch.ones(2, 3))
    assert one.live[0].attention.tolist() == [1.0, 1.0, 0.0]
    assert one.finished[0].attention.tolist() == [1.0, 0.0, 1.0]
    assert one.live[0].first_token_attention.tolist() == [0.5, 0.0, 0.0]  # before the first token


def test_the_likeliest_of_several_is_at_least_as_likely_as_the_greedy_answer(checkpoint: Checkpoint) -> None:
    options = GenerationOptions(max_new_tokens=6)
    for question in QUESTIONS:
        greedy, wide = (
            last(engine.answer(engine.encode(document(TEXT)), question, options=options))
            for engine in (Engine(checkpoint), Engine(replace(checkpoint, reranker_weights=LIKELIEST)))
        )
        assert wide.finished
        assert wide.confidence**wide.tokens >= greedy.confidence**greedy.tokens * 0.999


def test_a_batch_gives_each_question_what_it_gets_alone(checkpoint: Checkpoint) -> None:
    engine = Engine(replace(checkpoint, reranker_weights=LIKELIEST))
    encoded = engine.encode(document(TEXT))
    options = GenerationOptions(max_new_tokens=8)
    *_, together = engine.answer_batch(encoded, QUESTIONS, options=options)
    alone = [last(engine.answer(encoded, question, options=options)) for question in QUESTIONS]
    assert [answer.text for answer in together] == [answer.text for answer in alone]
    confidence = [answer.confidence for answer in alone]
    assert [answer.confidence for answer in together] == pytest.approx(confidence, rel=1e-3)


def test_the_ranking_decides_among_the_finished_ones(checkpoint: Checkpoint) -> None:
    texts = {
        sign: last(
            Engine(replace(checkpoint, reranker_weights={"length": sign})).answer(
                Engine(checkpoint).encode(document(TEXT)), QUESTIONS[0], options=GenerationOptions(max_new_tokens=5)
            )
        ).text
        for sign in (1.0, -1.0)
    }
    assert len(texts[1.0].split()) >= len(texts[-1.0].split())


def test_about_a_form_the_greedy_answer_is_given(checkpoint: Checkpoint) -> None:
    """Near a label stand the values of its neighbours, too."""
    form = document("\n".join(f"No {number} {number * 7} EUR" for number in range(30)))
    ranked = replace(checkpoint, reranker_weights={"length": -1.0, "log_probability": -1.0})
    greedy, ours = (Engine(one).answer(Engine(one).encode(form), "Who?") for one in (checkpoint, ranked))
    assert last(greedy).text == last(ours).text


def test_drawn_answers_are_not_ranked(checkpoint: Checkpoint) -> None:
    options = GenerationOptions(max_new_tokens=8, temperature=1.0, seed=3)
    engines = Engine(checkpoint), Engine(replace(checkpoint, reranker_weights=LIKELIEST))
    texts = [last(engine.answer(engine.encode(document(TEXT)), "Who?", options=options)).text for engine in engines]
    assert texts[0] == texts[1]


def test_a_stop_keeps_the_likeliest_so_far(checkpoint: Checkpoint) -> None:
    engine = Engine(replace(checkpoint, reranker_weights=LIKELIEST))
    encoded = engine.encode(document(TEXT))
    calls = iter(range(10_000))
    layers = checkpoint.model.model.decoder.config.num_hidden_layers
    answer = last(engine.answer(encoded, "Who?", cancelled=lambda: next(calls) >= 3 * layers))
    assert answer.finished
    assert answer.stop_reason in ("stopped", "end")
    assert 1 <= answer.tokens <= 3
