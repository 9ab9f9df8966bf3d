"""Laws of sampling: temperature, the nucleus and the seed do what their names say."""

from collections import Counter

import torch

from model.answering.sampler import Sampler
from model.types import GenerationOptions

CPU = torch.device("cpu")
PROBABILITIES = torch.tensor([0.5, 0.3, 0.15, 0.05])


def drawn(options: GenerationOptions, times: int = 4000) -> Counter[int]:
    sampler, logits = Sampler(options, CPU), PROBABILITIES.log()
    return Counter(sampler.sample(logits)[0] for _ in range(times))


def test_temperature_zero_is_the_likeliest_token_with_its_log_probability() -> None:
    token, log_probability = Sampler(GenerationOptions(), CPU).sample(PROBABILITIES.log() + 3.0)
    assert token == 0
    assert abs(log_probability - float(PROBABILITIES[0].log())) < 1e-6


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    found = drawn(GenerationOptions(temperature=1.0, top_p=1.0, seed=3))
    for token, probability in enumerate(PROBABILITIES.tolist()):
        assert abs(found[token] / 4000 - probability) < 0.03


def test_a_lower_temperature_sharpens_and_a_higher_one_flattens() -> None:
    cold, warm, hot = (drawn(GenerationOptions(temperature=t, top_p=1.0))[0] for t in (0.3, 1.0, 3.0))
    assert cold > warm > hot > 4000 / len(PROBABILITIES)


def test_the_nucleus_holds_the_fewest_tokens_that_reach_top_p() -> None:
    assert set(drawn(GenerationOptions(temperature=1.0, top_p=0.8))) == {0, 1}  # together exactly 0.8
    assert set(drawn(GenerationOptions(temperature=1.0, top_p=0.81))) == {0, 1, 2}
    assert set(drawn(GenerationOptions(temperature=1.0, top_p=0.01))) == {0}


def test_the_log_probability_of_a_drawn_token_is_the_model_s_own() -> None:
    """Before temperature and nucleus: it says how sure the model was."""
    sampler = Sampler(GenerationOptions(temperature=2.0, top_p=0.6, seed=1), CPU)
    for _ in range(20):
        token, log_probability = sampler.sample(PROBABILITIES.log())
        assert abs(log_probability - float(PROBABILITIES[token].log())) < 1e-6


def test_the_same_seed_draws_the_same_tokens() -> None:
    def draws(seed: int) -> list[int]:
        sampler = Sampler(GenerationOptions(temperature=1.0, seed=seed), CPU)
        return [sampler.sample(PROBABILITIES.log())[0] for _ in range(50)]

    assert draws(5) == draws(5) != draws(6)
