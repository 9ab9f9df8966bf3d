"""Questions -> growing answers: the loop over tokens, when to stop, and which of the candidates is the answer."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from model.answering.beam_search import Candidate, Search
from model.answering.evidence import attention_by_page, find_evidence
from model.answering.prompts import NOT_IN_DOCUMENT, end_tokens, prompt_ids, read_off
from model.answering.reranker import Reranker, shown_text
from model.answering.retrieval import has_sentences, shown_rows
from model.answering.sampler import Sampler
from model.checkpoints.checkpoint import Checkpoint
from model.decoder.decoder import Decoder, DecoderParts
from model.decoder.forward import DecoderOutput
from model.encoding.memory import only_rows, placed
from model.errors import Cancelled
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

_WIDTH = 6  # candidates that grow side by side where the checkpoint knows how to choose among them


class _Growing:
    """One answer of a batch, the candidates for it, and the text that it is shown where they are to be ranked."""

    def __init__(self, answer: Answer, search: Search, ranked_by: str | None) -> None:
        self.answer = answer
        self.search = search
        self.ranked_by = ranked_by


class Generation:
    """The answers to a batch of questions as they grow, all from one pass over the memories a token."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        parts: DecoderParts,
        encodings: tuple[EncodedDocument, ...],
        options: GenerationOptions,
        cancelled: CancelledCallback | None,
        reranker: Reranker | None = None,
    ) -> None:
        self._checkpoint = checkpoint
        self._parts = parts
        self._encodings = encodings
        self._options = options
        self._cancelled = cancelled
        self._reranker = reranker if options.temperature == 0 else None
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
        batch = [self._growing(question, rows) for question, rows in zip(questions, shown, strict=True)]
        rows = self._take(batch, decoder.begin(prompts))
        yield tuple(growing.answer for growing in batch)
        running = len(batch)  # rows of the decoder
        while on := [growing for growing in batch if growing.search.growing]:
            if rows != list(range(running)):
                decoder.keep(rows)
            running = len(rows)
            try:
                rows = self._take(on, decoder.step([one.ids[-1] for growing in on for one in growing.search.growing]))
            except Cancelled:
                for growing in on:
                    growing.answer = self._snapshot(growing, stopped=True)
            yield tuple(growing.answer for growing in batch)

    def _growing(self, question: str, rows: torch.Tensor) -> _Growing:
        nowhere = torch.zeros(int(self._looked_at.sum()), device=self._checkpoint.device)
        sampler = Sampler(self._options, nowhere.device)
        answer = Answer(question=question, shown_tokens=int(rows.sum()))
        text = shown_text(self._encodings, rows) if self._reranker else ""
        if not text or not has_sentences(text, answer.shown_tokens):  # near its label stand a form's other values, too
            return _Growing(answer, Search(1, sampler, self._ends, nowhere), None)
        return _Growing(answer, Search(_WIDTH, sampler, self._ends, nowhere), text)

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
        memories = [only_rows(encoded.memory, rows) for encoded, rows in zip(self._encodings, parts, strict=True)]
        layers = self._parts.layers
        if layers is None or not layers.take(memories):
            memories = [placed(memory, checkpoint.device, checkpoint.dtype) for memory in memories]
        everything = bool(self._looked_at.all())
        return Decoder(
            checkpoint.model,
            memories,
            len(prompts),
            capacity=max(map(len, prompts)) + self._options.max_new_tokens,
            parts=self._parts if everything else replace(self._parts, prefixes=None),
            cancelled=self._cancelled,
            shown=None if bool(shown.all()) else shown.to(checkpoint.device),
        )

    def _take(self, running: list[_Growing], output: DecoderOutput) -> list[int]:
        """Give each running answer's candidates their next token; returns the decoder's rows that go on."""
        rows: list[int] = []
        first = 0
        for growing in running:
            search = growing.search
            part = slice(first, first + len(search.growing))
            on = search.take(output.logits[part], output.attention[part], output.sought[part])
            growing.answer = self._snapshot(growing)
            rows += [first + row for row in on] if search.growing else []
            first = part.stop
        return rows

    def _snapshot(self, growing: _Growing, *, stopped: bool = False) -> Answer:
        """The answer so far. Where the likeliest candidate must end, the search ends with it."""
        seconds = time.perf_counter() - self._started
        search = growing.search
        likeliest = search.likeliest
        text, ran_on = self._read_off(likeliest)
        if stopped or ran_on or self._at_the_limit(search):
            search.end()
        finished = not search.growing
        chosen = self._chosen(growing) if finished else likeliest
        if chosen is not likeliest:
            text, ran_on = self._read_off(chosen)
        return replace(
            growing.answer,
            text=text,
            finished=finished,
            stop_reason=self._stop_reason(chosen, ran_on, stopped) if finished else "",
            tokens=len(chosen.ids),
            seconds=seconds,
            first_token_seconds=growing.answer.first_token_seconds or seconds,
            confidence=chosen.confidence,
            evidence=self._evidence(chosen, text) if finished else (),
            attention=self._by_page(chosen) if finished else (),
        )

    def _at_the_limit(self, search: Search) -> bool:
        return bool(search.growing) and len(search.growing[0].ids) == self._options.max_new_tokens

    def _chosen(self, growing: _Growing) -> Candidate:
        """The best of the finished candidates."""
        finished = growing.search.finished
        if self._reranker is None or growing.ranked_by is None or len(finished) == 1:
            return growing.search.likeliest
        texts = [self._read_off(candidate)[0] for candidate in finished]
        return finished[self._reranker.best(growing.answer.question, growing.ranked_by, texts, finished)]

    def _read_off(self, candidate: Candidate) -> tuple[str, bool]:
        return read_off(self._checkpoint.tokenizer, candidate.ids)

    def _evidence(self, chosen: Candidate, text: str) -> tuple[Evidence, ...]:
        if text == NOT_IN_DOCUMENT:
            return ()
        return find_evidence(self._encodings, self._over_all_rows(chosen.attention), text)

    def _by_page(self, chosen: Candidate) -> tuple[PageAttention, ...]:
        attention, sought = self._over_all_rows(chosen.attention), self._over_all_rows(chosen.sought)
        return attention_by_page(self._encodings, attention, sought)

    def _over_all_rows(self, attention: torch.Tensor) -> torch.Tensor:
        """Attention of the rows that were looked at -> of all T rows."""
        rows = self._looked_at.to(attention.device)
        return attention.new_zeros(len(rows)).masked_scatter(rows, attention)

    def _stop_reason(self, chosen: Candidate, ran_on: bool, stopped: bool) -> StopReason:
        if ran_on or chosen.ids[-1] in self._ends:
            return "end"
        return "stopped" if stopped else "length"
