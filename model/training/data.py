"""Training data: rows of question answering -> passages with their questions, as tokens."""

import gzip
import json
import random
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tokenizers import Tokenizer

from model.answering.passages import Passage, cut
from model.answering.prompts import NOT_IN_DOCUMENT, prompt_text
from model.answering.retrieval import retrieve
from model.answering.whole_document import LEAD_TOKENS
from model.answering.word_index import WordIndex, relevance
from model.answering.words import plain_letters
from model.encoding.token_map import encode_text
from model.training.facts import Split
from model.training.records import make_record
from model.training.tasks import Example, pairs_by_context
from model.training.ul2 import choose_denoiser, denoise

SEPARATOR = "\n\n"
PASSAGE_TOKENS = 480  # that a question is shown at most
EXCERPT_TOKENS = 500  # of a text that is too long to be a passage
JUDGEMENTS = frozenset(  # answers that are not looked for in the text
    ("Yes", "No", "True", "False", "Oui", "Non", "Ja", "Nein", "Sí", "是", "不是", "否")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Prompt ids and answer ids with `<eos>`; shown: tokens [first, last) that are attended to, none: all."""

    prompt: list[int]
    answer: list[int]
    shown: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPassage:
    """A piece of text (ids without `<bos>`) and its questions."""

    ids: list[int]
    pairs: list[Pair]


def read_rows(file: Path) -> Iterator[dict]:
    """Rows of a JSON-lines file, gzipped or not."""
    opener = gzip.open if file.suffix == ".gz" else open
    with opener(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def write_rows(file: Path, rows: Iterable[dict]) -> None:
    """The inverse, gzipped."""
    with gzip.open(file, "wt", encoding="utf-8") as out:
        out.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def checked_rows(data: Path) -> Iterator[dict]:
    """The rows of `dev/`, which no training sees."""
    for file in sorted((data / "dev").glob("*.jsonl.gz")):
        yield from read_rows(file)


class Tokens:
    """Text to training tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.bos, self.eos = 2, 1
        self.separator: list[int] = self.encode([SEPARATOR])[0]

    def encode(self, texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self.tokenizer.encode_batch(texts, add_special_tokens=False)]

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> list[Pair]:
        """Prompts and answers as the decoder's tokens."""
        prompts = self.encode([prompt for prompt, _ in pairs])
        answers = self.encode([f" {answer.strip()}" for _, answer in pairs])
        return [
            Pair(prompt=[self.bos, *prompt], answer=[*answer, self.eos])
            for prompt, answer in zip(prompts, answers, strict=True)
        ]

    def passages(self, rows: Iterable[dict], longest: int, most: int | None = None) -> list[TrainingPassage]:
        """One passage for each distinct context of up to `longest` tokens; of more than `most` a fixed sample."""
        by_context = pairs_by_context(rows)
        if most is not None and most < len(by_context):
            by_context = {context: by_context[context] for context in random.Random(0).sample(list(by_context), most)}
        passages = (self.passage(context, pairs) for context, pairs in by_context.items())
        return [part for whole in passages for part in ([whole] if len(whole.ids) <= longest else excerpts(whole))]

    def passage(self, context: str, pairs: Sequence[Example]) -> TrainingPassage:
        """A context and what is asked about it; each question is shown what the engine would show it."""
        ids, places = encode_text(self.tokenizer, context)
        starts, ends = zip(*places, strict=True) if places else ((), ())
        parts = list(cut(context, starts, ends))
        words = WordIndex(parts)
        asked = [
            replace(pair, shown=_lead(len(ids)) if one.whole_text else _shown(parts, words, context, starts, one))
            for pair, one in zip(self.pairs([(one.prompt, one.answer) for one in pairs]), pairs, strict=True)
        ]
        return TrainingPassage(ids=ids, pairs=asked)

    def record(self, rng: random.Random, split: Split) -> TrainingPassage:
        """A generated record; now and then one question is about a field that another record has and this one lacks."""
        record = make_record(rng, split)
        questions = list(record.pairs)
        if rng.random() < 0.5:
            asked = {question for question, _ in questions}
            other = [question for question, _ in make_record(rng, split).pairs if question not in asked]
            missing = [q for q in other if q.split()[-1].strip("?").lower() not in record.text.lower()]
            questions += [(question, NOT_IN_DOCUMENT) for question in missing[:1]]
        return self.passage(record.text, [Example(prompt_text(question), answer) for question, answer in questions])

    def denoised(self, ids: list[int], room: int, rng: random.Random) -> TrainingPassage:
        """A piece of a text as a UL2 example: what stays is the document, what was taken out is the answer."""
        size = min(len(ids), room)
        start = rng.randint(0, len(ids) - size)
        denoising = denoise(ids[start : start + size], choose_denoiser(rng), rng)
        return TrainingPassage(
            ids=denoising.read, pairs=[Pair(prompt=[self.bos], answer=[*denoising.written, self.eos])]
        )


def excerpts(whole: TrainingPassage, longest: int = EXCERPT_TOKENS) -> Iterator[TrainingPassage]:
    """Of a passage that is too long, for each question what it is shown, with as much around it as there is room."""
    for pair in whole.pairs:
        size = sum(last - first for first, last in pair.shown)
        if not 0 < size <= LEAD_TOKENS:
            continue
        around = max(0, longest - size) // (2 * len(pair.shown))
        near = {token for first, last in pair.shown for token in range(first - around, last + around)}
        kept = sorted(near & set(range(len(whole.ids))))
        shown = tuple((bisect_left(kept, first), bisect_left(kept, last)) for first, last in pair.shown)
        yield TrainingPassage(ids=[whole.ids[token] for token in kept], pairs=[replace(pair, shown=shown)])


def _lead(tokens: int) -> tuple[tuple[int, int], ...]:
    """What a question about the whole is shown: a short text whole, of a long one the beginning."""
    return ((0, LEAD_TOKENS),) if tokens > LEAD_TOKENS else ()


def _shown(
    parts: Sequence[Passage], words: WordIndex, context: str, starts: Sequence[int], asked: Example
) -> tuple[tuple[int, int], ...]:
    """The tokens that a question is shown: the closest passages, and the one with the answer where they lack it."""
    question = _sought(asked.prompt)
    chosen = retrieve(parts, question, PASSAGE_TOKENS, relevance([words], question))
    missed = asked.answer not in JUDGEMENTS and not any(plain_letters(asked.answer) in part.text for part in chosen)
    if chosen and missed and (place := context.find(asked.answer)) >= 0:
        first, last = bisect_right(starts, place) - 1, bisect_left(starts, place + len(asked.answer))
        chosen += [part for part in parts if part.start < last and first < part.end]
    return tuple(sorted({(part.start, part.end) for part in chosen}))


def _sought(prompt: str) -> str:
    """The words by which the passages of a prompt are found: its question's, and those of the last turn before it."""
    lines = prompt.removesuffix("\nAnswer:").split("\n")
    return " ".join(line.removeprefix("Question: ").removeprefix("Answer: ") for line in lines[-3:])
