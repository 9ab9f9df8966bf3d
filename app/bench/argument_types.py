"""The options and types of arguments that several benchmarks share."""

import argparse

MOST_NEEDLES = 50
FEWEST_TOKENS = 64
FEWEST_QUESTIONS = 4  # a batch of them


def add_answering(benchmark: argparse.ArgumentParser) -> None:
    benchmark.add_argument(
        "--whole-document",
        action="store_true",
        help="look at everything, where the checkpoint would look at passages that share words with the question",
    )
    benchmark.add_argument(
        "--exact-weights", action="store_true", help="weights as they are, where the page would read them in few bits"
    )


def tokens(text: str) -> int:
    number = positive(text)
    if number < FEWEST_TOKENS:
        raise argparse.ArgumentTypeError(f"{number} tokens are too few to measure; take {FEWEST_TOKENS} or more")
    return number


def batches(text: str) -> int:
    number = positive(text)
    if number < FEWEST_QUESTIONS:
        raise argparse.ArgumentTypeError(f"{number} questions are too few to measure; take {FEWEST_QUESTIONS} or more")
    return number


def few(text: str) -> int:
    number = positive(text)
    if number > MOST_NEEDLES:
        raise argparse.ArgumentTypeError(f"{number} facts are too many for one text: {MOST_NEEDLES} at most")
    return number


def positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not a positive number")
    return number
