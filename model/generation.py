"""Questions -> growing answers: the prompts, the loop over tokens, and when to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from tokenizers import Tokenizer

from model.checkpoint import Checkpoint
from model.decoder import Decoder, DecoderOutput
from model.errors import Cancelled
from model.evidence import attention_by_page, find_evidence
from model.memory import only_rows, placed
from model.output_head import OutputHead
from model.passages import shown_rows
from model.sampling import Sampler
from model.tokens import encode_text
from model.types import (
    Answer,
    CancelledCallback,
    EncodedDocument,
    Evidence,
    GenerationOptions,
    PageAttention,
    StopReason,
    Turn,
)

NOT_IN_DOCUMENT = "The document does not say."
HISTORY_TOKENS = 256  # what earlier turns may take of the decoder's prefix, the latest first
_NEXT_QUESTION = "\nQuestion:"  # a pretrained checkpoint was never taught to end: it asks itself the next question
_UNFINISHED_CHARACTER = "\ufffd"  # the first bytes of a character whose last ones are still to come


def prompt_text(question: str, history: tuple[Turn, ...] = ()) -> str:
    """What the decoder reads before it answers: the document is in the memory, the question is here."""
    earlier = "".join(f"Question: {turn.question}\nAnswer: {turn.answer}\n" for turn in history)
    return f"{earlier}Question: {question}\nAnswer:"


def prompt_ids(checkpoint: Checkpoint, question: str, history: Sequence[Turn] = ()) -> list[int]:
    """The prompt's tokens, with as many of the latest turns as `HISTORY_TOKENS` holds."""
    asked = [checkpoint.bos, *encode_text(checkpoint.tokenizer, prompt_text(question))[0]]
    ids = asked
    for first in reversed(range(len(history))):
        longer = [checkpoint.bos, *encode_text(checkpoint.tokenizer, prompt_text(question, tuple(history[first:])))[0]]
        if len(longer) - len(asked) > HISTORY_TOKENS:
            break
        ids = longer
    return ids


def end_tokens(checkpoint: Checkpoint) -> frozenset[int]:
    """Ids that end an answer: the configuration's, and those that a fine-tune's generation settings add."""
    found: set[int] = set()
    model = checkpoint.model
    for config in (model.model.decoder.config, getattr(model, "generation_config", None)):
        value = getattr(config, "eos_token_id", None)
        found.update([value] if isinstance(value, int) else value or [])
    return frozenset(found)


def read_off(tokenizer: Tokenizer, ids: list[int]) -> tuple[str, bool]:
    """The text of an answer's tokens, and whether it has run on into a question of its own."""
    text = tokenizer.decode(ids, skip_special_tokens=True)
    answer, ran_on, _ = text.partition(_NEXT_QUESTION)
    return answer.rstrip(_UNFINISHED_CHARACTER).strip(), bool(ran_on)


class _Growing:
    """One answer of a batch: its tokens so far and its sampler."""

    def __init__(self, answer: Answer, options: GenerationOptions, attention: torch.Tensor) -> None:
        self.ids: list[int] = []
        self.answer = answer
        self.attention = attention  # of the rows looked at, float32, summed over tokens
        self.sought = attention  # the same, of the middle global layer before the first token
        self._sampler = Sampler(options, attention.device)
        self._log_probability = 0.0

    def take(self, logits: torch.Tensor, attention: torch.Tensor, sought: torch.Tensor) -> None:
        """The next token, from its logits and where the decoder looked for it."""
        token, log_probability = self._sampler.sample(logits)
        self.ids.append(token)
        self._log_probability += log_probability
        self.attention = self.attention + attention
        if len(self.ids) == 1:
            self.sought = sought

    @property
    def confidence(self) -> float:
        return math.exp(self._log_probability / len(self.ids))


class Generation:
    """The answers to a batch of questions as they grow, all from one pass over the memories a token."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        head: OutputHead,
        encodings: tuple[EncodedDocument, ...],
        options: GenerationOptions,
        cancelled: CancelledCallback | None,
    ) -> None:
        self._checkpoint = checkpoint
        self._head = head
        self._encodings = encodings
        self._options = options
        self._cancelled = cancelled
        self._ends = end_tokens(checkpoint)
        self._looked_at = torch.zeros(0, dtype=torch.bool)  # (T,), the rows that are shown to any of the questions
        self._started = time.perf_counter()

    def answers(self, questions: Sequence[str], history: Sequence[Turn] = ()) -> Iterator[tuple[Answer, ...]]:
        """Snapshots of all answers, one a token, until each met its end, the token limit, or the person's stop.

        Raises Cancelled where the stop came before the first token.
        """
        self._started = time.perf_counter()
        shown = self._rows_to_show(questions, history)
        self._looked_at = shown.any(0)
        prompts = [prompt_ids(self._checkpoint, question, history) for question in questions]
        decoder = self._decoder(prompts, shown[:, self._looked_at])
        nowhere = torch.zeros(int(self._looked_at.sum()), device=self._checkpoint.device)
        batch = [
            _Growing(Answer(question=question, shown_tokens=int(rows.sum())), self._options, nowhere)
            for question, rows in zip(questions, shown, strict=True)
        ]
        running = self._take(batch, decoder.begin(prompts))
        yield tuple(growing.answer for growing in batch)
        while on := [row for row, growing in enumerate(running) if not growing.answer.finished]:
            if len(on) < len(running):
                decoder.keep(on)
                running = [running[row] for row in on]
            try:
                self._take(running, decoder.step([growing.ids[-1] for growing in running]))
            except Cancelled:
                for growing in running:
                    growing.answer = self._snapshot(growing, stopped=True)
            yield tuple(growing.answer for growing in batch)

    def _rows_to_show(self, questions: Sequence[str], history: Sequence[Turn]) -> torch.Tensor:
        """Which rows each question is shown, (N, T) bool. One that leans on the last turn is about its words, too."""
        tokens = self._checkpoint.passage_tokens
        if tokens is None or self._options.whole_document:
            return torch.ones(len(questions), sum(encoded.token_count for encoded in self._encodings), dtype=torch.bool)
        earlier = "".join(f" {turn.question} {turn.answer}" for turn in history[-1:])
        return shown_rows(self._encodings, [question + earlier for question in questions], tokens)

    def _decoder(self, prompts: Sequence[Sequence[int]], shown: torch.Tensor) -> Decoder:
        """The decoder over the rows that are looked at; shown: those of each question among them."""
        checkpoint = self._checkpoint
        parts = self._looked_at.split([encoded.token_count for encoded in self._encodings])
        memories = [
            placed(only_rows(encoded.memory, rows), checkpoint.device, checkpoint.dtype)
            for encoded, rows in zip(self._encodings, parts, strict=True)
        ]
        return Decoder(
            checkpoint.model,
            memories,
            len(prompts),
            capacity=max(map(len, prompts)) + self._options.max_new_tokens,
            head=self._head,
            cancelled=self._cancelled,
            shown=None if bool(shown.all()) else shown.to(checkpoint.device),
        )

    def _take(self, running: list[_Growing], output: DecoderOutput) -> list[_Growing]:
        """Give each running answer its next token."""
        for row, growing in enumerate(running):
            growing.take(output.logits[row], output.attention[row], output.sought[row])
            growing.answer = self._snapshot(growing)
        return running

    def _snapshot(self, growing: _Growing, *, stopped: bool = False) -> Answer:
        seconds = time.perf_counter() - self._started
        text, ran_on = read_off(self._checkpoint.tokenizer, growing.ids)
        reason = "end" if ran_on else self._stop_reason(growing.ids, stopped)
        finished = bool(reason)
        return replace(
            growing.answer,
            text=text,
            finished=finished,
            stop_reason=reason,
            tokens=len(growing.ids),
            seconds=seconds,
            first_token_seconds=growing.answer.first_token_seconds or seconds,
            confidence=growing.confidence,
            evidence=self._evidence(growing, text) if finished else (),
            attention=self._by_page(growing) if finished else (),
        )

    def _evidence(self, growing: _Growing, text: str) -> tuple[Evidence, ...]:
        if text == NOT_IN_DOCUMENT:
            return ()
        return find_evidence(self._encodings, self._over_all_rows(growing.attention), text)

    def _by_page(self, growing: _Growing) -> tuple[PageAttention, ...]:
        attention, sought = self._over_all_rows(growing.attention), self._over_all_rows(growing.sought)
        return attention_by_page(self._encodings, attention, sought)

    def _over_all_rows(self, attention: torch.Tensor) -> torch.Tensor:
        """Attention of the rows that were looked at -> of all T rows."""
        rows = self._looked_at.to(attention.device)
        return attention.new_zeros(len(rows)).masked_scatter(rows, attention)

    def _stop_reason(self, ids: Sequence[int], stopped: bool) -> StopReason:
        if ids[-1] in self._ends:
            return "end"
        if stopped:
            return "stopped"
        return "length" if len(ids) == self._options.max_new_tokens else ""
