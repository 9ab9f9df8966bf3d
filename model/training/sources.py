"""The sources of a training, tokenized once and kept beside the run."""

import itertools
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from model.training.data import Pair, Tokens, TrainingPassage, checked_rows, read_rows
from model.training.held_out import held_out
from model.training.sales_receipts import with_other_digits

VARIANTS = {"receipts": 3, "sroie": 6}  # of a receipt, with other digits


def load_sources(
    folder: Path,
    names: dict[str, list[str]],
    tokens: Tokens,
    *,
    longest: int,
    most: int | None = None,
    answerable: bool = False,
    checked: Collection[str] = (),
) -> dict[str, list[TrainingPassage]]:
    """Passages of up to `longest` tokens of each kind, `most` at most, from the JSON-lines files in `folder`.

    On wish without the unanswerable questions, and without the contexts that are `checked` with.
    """
    sources = {}
    for kind, files in names.items():
        rows = (row for name in files for row in _rows(folder, name))
        rows = (row for row in rows if (row["answers"] or not answerable) and not held_out(row))
        rows = (row for row in rows if row["context"].strip() not in checked)
        sources[kind] = tokens.passages(rows, longest, most)
        questions = sum(len(passage.pairs) for passage in sources[kind])
        print(f"{kind}: {len(sources[kind])} passages, {questions} questions", flush=True)
    return sources


def _rows(folder: Path, name: str) -> Iterator[dict]:
    """Of a file, `squad_es`, or of one language in it, `xquad:de`."""
    file, _, language = name.partition(":")
    for row in read_rows(folder / f"{file}.jsonl.gz"):
        if language in ("", row["language"]):
            for variant in range(VARIANTS.get(file, 1)):
                yield with_other_digits(row, variant)


def keep_sources(
    file: Path, folder: Path, names: dict[str, list[str]], tokens: Tokens, *, longest: int, most: int | None
) -> dict[str, list[TrainingPassage]]:
    """`load_sources`, or what it gave the last time: tokenizing takes minutes. Delete `file` after changing `names`."""
    if not file.exists():
        checked = {row["context"].strip() for row in checked_rows(folder.parent)}
        sources = load_sources(folder, names, tokens, longest=longest, most=most, checked=checked)
        streams = {kind: torch.tensor(to_stream(passages), dtype=torch.int32) for kind, passages in sources.items()}
        save_file(streams, file)
        return sources
    return {kind: list(from_stream(stream.tolist())) for kind, stream in load_file(file).items()}


def kept_passages(file: Path, make: Callable[[], list[TrainingPassage]]) -> list[TrainingPassage]:
    """What `make` gives, or what it gave the last time. Delete `file` where that would differ."""
    if not file.exists():
        passages = make()
        save_file({"passages": torch.tensor(to_stream(passages), dtype=torch.int32)}, file)
        return passages
    return list(from_stream(load_file(file)["passages"].tolist()))


def to_stream(passages: Iterable[TrainingPassage]) -> list[int]:
    """Passages as one list of numbers: every list of tokens behind its length, the pairs behind their count."""
    stream: list[int] = []
    for passage in passages:
        stream += [len(passage.ids), *passage.ids, len(passage.pairs)]
        for pair in passage.pairs:
            shown = list(itertools.chain.from_iterable(pair.shown))
            for numbers in (pair.prompt, pair.answer, shown):
                stream += [len(numbers), *numbers]
    return stream


def from_stream(stream: list[int]) -> Iterator[TrainingPassage]:
    """The inverse of `to_stream`."""
    at = 0

    def take() -> list[int]:
        nonlocal at
        start, at = at + 1, at + 1 + stream[at]
        return stream[start:at]

    while at < len(stream):
        ids, count = take(), stream[at]
        at += 1
        yield TrainingPassage(ids=ids, pairs=[_pair(take(), take(), take()) for _ in range(count)])


def _pair(prompt: list[int], answer: list[int], shown: list[int]) -> Pair:
    return Pair(prompt=prompt, answer=answer, shown=tuple(zip(shown[::2], shown[1::2], strict=True)))
