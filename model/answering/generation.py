"""From questions to answers, in five stages: retrieve, prompt, decode, choose, ground.

Each stage takes a value and gives one. `Generation.answers` runs them for a batch of questions and yields a snapshot of
every answer a token. Shapes: N questions, T tokens of the joined encodings, V of them that some question attends to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from model.answering.beam_search import BeamSearch, Candidate
from model.answering.confidence import decoded_features, seems_doubtful
from model.answering.evidence import Grounding, ground
from model.answering.messages import NOT_FOUND
from model.answering.parts import AnsweringParts
from model.answering.passages import has_sentences
from model.answering.prompts import NOT_IN_DOCUMENT, decode_answer, end_tokens, prompt_ids
from model.answering.questions import words_of_last_turn
from model.answering.reranker import Features, QuestionContext, features
from model.answering.retrieval import visible_text, visible_tokens
from model.answering.sampler import Sampler
from model.answering.whole_document import LEAD_INTENTS, lead_tokens
from model.answering.wording import mended
from model.checkpoints.checkpoint import Checkpoint
from model.decoder.decoder import Decoder, DecoderParts
from model.decoder.forward import DecoderOutput
from model.encoding.memory import select_tokens, to_device
from model.encoding.token_map import encode_text
from model.errors import Cancelled
from model.types import Answer, CancelledCallback, EncodedDocument, GenerationOptions, Intent, StopReason, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """What the decoder may attend to. visible_mask: (N, T) bool. union: (T,) bool, visible to any question."""

    visible_mask: torch.Tensor
    union: torch.Tensor


@dataclass(slots=True, kw_only=True)
class _LiveAnswer:
    """An answer that is being decoded: its latest snapshot, its candidates, and the text that it is decoded from.

    shown: that text, and context: the question over it; empty and None where the checkpoint does not rank candidates.
    """

    answer: Answer
    search: BeamSearch
    shown: str
    context: QuestionContext | None
    is_ranked: bool  # otherwise the likeliest candidate is the answer


class Generation:
    """The answers to a batch of questions, decoded in one pass over the memories a token."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        decoder_parts: DecoderParts,
        parts: AnsweringParts,
        encodings: tuple[EncodedDocument, ...],
        options: GenerationOptions,
        cancelled: CancelledCallback | None,
    ) -> None:
        """`decoder_parts`: what decoding shares with other answers, and `parts`: what the stages around it do."""
        self._checkpoint = checkpoint
        self._decoder_parts = decoder_parts
        self._reranker = parts.reranker if options.temperature == 0 else None  # a drawn answer is the only candidate
        self._indexes = parts.indexes
        self._calibration = parts.calibration
        self._tuning = parts.tuning
        self._encodings = encodings
        self._options = options
        self._cancelled = cancelled
        self._ends = end_tokens(checkpoint)
        self._started = time.perf_counter()

    def answers(
        self, questions: Sequence[str], history: Sequence[Turn] = (), intents: Sequence[Intent] = ()
    ) -> Iterator[tuple[Answer, ...]]:
        """Snapshots of all answers, one per token, until each met its end, the token limit, or the person's stop.

        intents: what each question wants; empty: facts. Raises Cancelled where the stop came before the first token.
        """
        self._started = time.perf_counter()
        earlier = words_of_last_turn(history).replace(NOT_FOUND, "")
        retrieved = self._retrieve([question + earlier for question in questions], intents)
        prompts = [prompt_ids(self._checkpoint, question, history) for question in questions]
        decoder = self._decoder(prompts, retrieved)
        batch = [
            self._begin(question, earlier, visible, retrieved.union)
            for question, visible in zip(questions, retrieved.visible_mask, strict=True)
        ]
        for advanced in self._decode(decoder, prompts, batch):
            for live in advanced:
                live.answer = self._snapshot(live, retrieved)
            yield tuple(one.answer for one in batch)

    def _retrieve(self, questions: Sequence[str], intents: Sequence[Intent]) -> Retrieved:
        """Choose the tokens that each question attends to; questions: with the words of the turn that they lean on."""
        tokens = self._checkpoint.passage_tokens
        if tokens is None or self._options.whole_document:
            total = sum(encoded.token_count for encoded in self._encodings)
            return Retrieved(
                visible_mask=torch.ones(len(questions), total, dtype=torch.bool),
                union=torch.ones(total, dtype=torch.bool),
            )
        visible_mask = visible_tokens(self._encodings, questions, tokens, self._indexes, self._tuning.retrieval)
        for visible, intent in zip(visible_mask, intents or ["fact"] * len(questions), strict=True):
            if intent in LEAD_INTENTS:
                visible[:] = lead_tokens(self._encodings)
        return Retrieved(visible_mask=visible_mask, union=visible_mask.any(0))

    def _decoder(self, prompts: Sequence[Sequence[int]], retrieved: Retrieved) -> Decoder:
        """The decoder over the V visible tokens alone."""
        checkpoint, parts, union = self._checkpoint, self._decoder_parts, retrieved.union
        masks = union.split([encoded.token_count for encoded in self._encodings])
        memories = [select_tokens(encoded.memory, mask) for encoded, mask in zip(self._encodings, masks, strict=True)]
        if parts.layers is None or not parts.layers.accepts(memories):
            memories = [to_device(memory, checkpoint.device, checkpoint.dtype) for memory in memories]
        among_visible = retrieved.visible_mask[:, union]  # (N, V)
        return Decoder(
            checkpoint.model,
            memories,
            len(prompts),
            capacity=max(map(len, prompts)) + self._options.max_new_tokens,
            parts=parts if bool(union.all()) else replace(parts, prefix_cache=None),
            cancelled=self._cancelled,
            visible_mask=None if bool(among_visible.all()) else among_visible.to(checkpoint.device),
        )

    def _begin(self, question: str, earlier: str, visible: torch.Tensor, union: torch.Tensor) -> _LiveAnswer:
        """The search for one answer. earlier: the turn that it leans on. visible: (T,) bool, what it attends to."""
        no_attention = torch.zeros(int(union.sum()), device=self._checkpoint.device)  # (V,)
        sampler = Sampler(self._options, no_attention.device)
        answer = Answer(question=question, shown_tokens=int(visible.sum()))
        shown = visible_text(self._encodings, visible) if self._reranker else ""
        context = QuestionContext.of(question, shown, earlier) if shown else None
        proposals = self._proposals(context) if context else []
        # In a form, which is made of lines, the other fields' values stand near a label, too: nearness says nothing.
        # The cells of a table are told apart by their headings.
        is_ranked = bool(proposals) or (bool(shown) and has_sentences(shown, answer.shown_tokens))
        beam = self._tuning.beam
        search = BeamSearch(beam.width if is_ranked else 1, sampler, self._ends, no_attention, beam, proposals)
        return _LiveAnswer(answer=answer, search=search, shown=shown, context=context, is_ranked=is_ranked)

    def _proposals(self, context: QuestionContext) -> list[tuple[int, ...]]:
        """The tokens of the cells that the question names, as the decoder writes an answer: behind a space."""
        beam = self._tuning.beam
        texts = [f" {one.cell.value}" for one in context.best_cells[: beam.proposals]]
        tokens = [encode_text(self._checkpoint.tokenizer, text)[0] for text in texts]
        return [(*ids, min(self._ends)) for ids in tokens if len(ids) < beam.longest_choice]

    def _decode(
        self, decoder: Decoder, prompts: Sequence[Sequence[int]], batch: Sequence[_LiveAnswer]
    ) -> Iterator[Sequence[_LiveAnswer]]:
        """Decode token by token; each yield holds the answers whose candidates have got another token."""
        running: Sequence[_LiveAnswer] = batch
        survivors = self._extend(running, decoder.begin(prompts))
        sequences = len(batch)  # that the decoder holds
        yield running
        while running := [one for one in batch if one.search.live]:
            if survivors != list(range(sequences)):
                decoder.select(survivors)
            sequences = len(survivors)
            try:
                output = decoder.step([candidate.ids[-1] for one in running for candidate in one.search.live])
                survivors = self._extend(running, output)
            except Cancelled:
                for one in running:
                    one.search.end()
                    one.answer = replace(one.answer, stop_reason="stopped")
            yield running

    def _extend(self, running: Sequence[_LiveAnswer], output: DecoderOutput) -> list[int]:
        """Give each answer's candidates their next token; returns the decoder's sequences that go on."""
        survivors: list[int] = []
        first = 0
        for one in running:
            part = slice(first, first + len(one.search.live))
            kept = one.search.extend(output.logits[part], output.attention[part], output.middle_layer_attention[part])
            self._end_where_the_likeliest_must(one.search)
            survivors += [first + sequence for sequence in kept] if one.search.live else []
            first = part.stop
        return survivors

    def _end_where_the_likeliest_must(self, search: BeamSearch) -> None:
        _, ran_on = self._text(search.likeliest)
        at_the_limit = bool(search.live) and len(search.live[0].ids) == self._options.max_new_tokens
        if ran_on or at_the_limit:
            search.end()

    def _snapshot(self, live: _LiveAnswer, retrieved: Retrieved) -> Answer:
        """The answer so far; once nothing is decoded any more, the chosen candidate with its evidence."""
        finished = not live.search.live
        chosen = self._choose(live) if finished else live.search.likeliest
        text, ran_on = self._text(chosen)
        seconds = time.perf_counter() - self._started
        answer = replace(
            live.answer,
            text="" if NOT_IN_DOCUMENT.startswith(text) else text,
            tokens=len(chosen.ids),
            seconds=seconds,
            first_token_seconds=live.answer.first_token_seconds or seconds,
            probability=chosen.mean_probability,
            confidence=chosen.mean_probability,
        )
        if not finished:
            return answer
        answer = replace(answer, finished=True, stop_reason=self._stop_reason(live.answer, chosen, ran_on))
        return self._grounded(answer, chosen, text, live, retrieved)

    def _grounded(
        self, answer: Answer, chosen: Candidate, text: str, live: _LiveAnswer, retrieved: Retrieved
    ) -> Answer:
        """The finished answer as the document spells it, with what it rests on and how likely it is right."""
        text = text if text == NOT_IN_DOCUMENT else mended(text, live.shown)
        grounding = ground(self._encodings, retrieved.union, chosen, text, self._tuning.evidence)
        answer = replace(answer, text=text, evidence=grounding.evidence, attention=grounding.attention)
        if text == NOT_IN_DOCUMENT:
            return replace(answer, text=NOT_FOUND, is_message=True, found=False)
        if not text or answer.stop_reason == "stopped":
            return replace(answer, found=bool(text))
        if self._calibration is None or live.context is None:
            return replace(answer, doubtful=seems_doubtful(answer, self._tuning.doubt))
        confidence = self._calibration.confidence(
            self._features(answer, chosen, live.context, live.search.finished, grounding)
        )
        return replace(answer, confidence=confidence, doubtful=self._calibration.is_doubtful(confidence))

    def _features(
        self,
        answer: Answer,
        chosen: Candidate,
        context: QuestionContext,
        finished: Sequence[Candidate],
        grounding: Grounding,
    ) -> Features:
        of_chosen = features(context, answer.text, chosen.log_probabilities)
        others = [features(context, self._text(one)[0], one.log_probabilities) for one in finished if one is not chosen]
        return decoded_features(of_chosen, others, answer.text, answer.shown_tokens, grounding)

    def _choose(self, live: _LiveAnswer) -> Candidate:
        """The best of the finished candidates."""
        finished = live.search.finished
        if self._reranker is None or live.context is None or not live.is_ranked or len(finished) == 1:
            return live.search.likeliest
        texts = [self._text(candidate)[0] for candidate in finished]
        return finished[self._reranker.best(live.context, texts, finished)]

    def _text(self, candidate: Candidate) -> tuple[str, bool]:
        return decode_answer(self._checkpoint.tokenizer, candidate.ids)

    def _stop_reason(self, answer: Answer, chosen: Candidate, ran_on: bool) -> StopReason:
        if ran_on or chosen.ids[-1] in self._ends:
            return "end"
        return answer.stop_reason or "length"
