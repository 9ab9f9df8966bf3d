"""Question -> growing answer: the prompt, the loop over tokens, and when to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch
from transformers import PreTrainedTokenizerFast

from model.checkpoint import Checkpoint
from model.decoder import Decoder
from model.encoder import join_memories, place
from model.evidence import find_evidence
from model.sampling import Sampler
from model.tokens import encode_text
from model.types import Answer, CancelledCallback, EncodedDocument, GenerationOptions, StopReason, Turn

NOT_IN_DOCUMENT = "The document does not say."
_NEXT_QUESTION = "\nQuestion:"  # a pretrained checkpoint was never taught to end: it asks itself the next question
_UNFINISHED_CHARACTER = "\ufffd"  # the first bytes of a character whose last ones are still to come


def prompt_text(question: str, history: tuple[Turn, ...] = ()) -> str:
    """What the decoder reads before it answers: the document is in the memory, the question is here."""
    earlier = "".join(f"Question: {turn.question}\nAnswer: {turn.answer}\n" for turn in history)
    return f"{earlier}Question: {question}\nAnswer:"


def end_tokens(checkpoint: Checkpoint) -> frozenset[int]:
    """Ids that end an answer: the configuration's, and those that a fine-tune's generation settings add."""
    found: set[int] = set()
    for value in (checkpoint.model.model.decoder.config.eos_token_id, checkpoint.model.generation_config.eos_token_id):
        found.update([value] if isinstance(value, int) else value or [])
    return frozenset(found)


def read_off(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> tuple[str, bool]:
    """The text of an answer's tokens, and whether it has run on into a question of its own."""
    text = str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
    answer, ran_on, _ = text.partition(_NEXT_QUESTION)
    return answer.rstrip(_UNFINISHED_CHARACTER).strip(), bool(ran_on)


class Generation:
    """One answer as it grows: iterate over it for snapshots, one a token; the last is finished and carries evidence."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        encodings: tuple[EncodedDocument, ...],
        options: GenerationOptions,
        cancelled: CancelledCallback | None,
    ) -> None:
        self._checkpoint = checkpoint
        self._encodings = encodings
        self._options = options
        self._cancelled = cancelled
        self._ends = end_tokens(checkpoint)
        self._ids: list[int] = []
        self._log_probability = 0.0

    def answer(self, question: str, history: tuple[Turn, ...] = ()) -> Iterator[Answer]:
        """Decode until the end of sequence, the token limit, or the person says stop."""
        started = time.perf_counter()
        checkpoint = self._checkpoint
        memories = [place(encoded.memory, checkpoint.device, checkpoint.dtype) for encoded in self._encodings]
        memory = join_memories(memories)
        prompt = [checkpoint.bos, *encode_text(checkpoint.tokenizer, prompt_text(question, history))[0]]
        decoder = Decoder(checkpoint.model, memory, len(prompt) + self._options.max_new_tokens)
        sampler = Sampler(self._options, memory.hidden.device)
        attention = torch.zeros(memory.hidden.shape[0], device=memory.hidden.device)
        answer = Answer(question=question)
        unread = prompt
        while not answer.finished:
            output = decoder.step(unread)
            attention += output.attention[-1]
            token, log_probability = sampler.sample(output.logits)
            self._ids.append(token)
            self._log_probability += log_probability
            answer = self._snapshot(answer, time.perf_counter() - started, attention)
            yield answer
            unread = [token]

    def _snapshot(self, before: Answer, seconds: float, attention: torch.Tensor) -> Answer:
        text, ran_on = read_off(self._checkpoint.tokenizer, self._ids)
        reason = "end" if ran_on else self._stop_reason()
        return Answer(
            question=before.question,
            text=text,
            finished=bool(reason),
            stop_reason=reason,
            tokens=len(self._ids),
            seconds=seconds,
            first_token_seconds=before.first_token_seconds or seconds,
            confidence=math.exp(self._log_probability / len(self._ids)),
            evidence=find_evidence(self._encodings, attention, text) if reason and text != NOT_IN_DOCUMENT else (),
        )

    def _stop_reason(self) -> StopReason:
        if self._ids[-1] in self._ends:
            return "end"
        if self._cancelled is not None and self._cancelled():
            return "stopped"
        return "length" if len(self._ids) == self._options.max_new_tokens else ""
