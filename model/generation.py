"""Question -> growing answer: the prompt, the loop over tokens, and when to stop."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Literal

import torch
from transformers import PreTrainedTokenizerFast

from model.checkpoint import Checkpoint
from model.decoder import Decoder
from model.encoder import join_memories
from model.evidence import find_evidence
from model.sampling import Sampler
from model.tokens import encode_text
from model.types import Answer, CancelledCallback, EncodedDocument, GenerationOptions, Turn

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
    for value in (checkpoint.model.config.decoder.eos_token_id, checkpoint.model.generation_config.eos_token_id):
        found.update([value] if isinstance(value, int) else value or [])
    return frozenset(found)


def read_off(tokenizer: PreTrainedTokenizerFast, ids: list[int]) -> tuple[str, bool]:
    """The text of an answer's tokens, and whether it has run on into a question of its own."""
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    answer, ran_on, _ = text.partition(_NEXT_QUESTION)
    return answer.rstrip(_UNFINISHED_CHARACTER).strip(), bool(ran_on)


def generate(
    checkpoint: Checkpoint,
    encodings: tuple[EncodedDocument, ...],
    question: str,
    history: tuple[Turn, ...],
    options: GenerationOptions,
    cancelled: CancelledCallback | None,
) -> Iterator[Answer]:
    """Snapshots of the answer, one a token; the last one is finished and carries the evidence."""
    started = time.perf_counter()
    memory = join_memories([encoded.memory for encoded in encodings])
    prompt = [checkpoint.model.config.decoder.bos_token_id]
    prompt += encode_text(checkpoint.tokenizer, prompt_text(question, history))[0]
    decoder = Decoder(checkpoint.model, memory, len(prompt) + options.max_new_tokens)
    sampler = Sampler(options, memory.hidden.device)
    ends = end_tokens(checkpoint)
    attention = torch.zeros(memory.hidden.shape[0], device=memory.hidden.device)
    ids: list[int] = []
    log_probability = first_token_seconds = 0.0
    reason: Literal["", "end", "length", "stopped"] = ""
    output = decoder.step(prompt)
    while not reason:
        attention += output.attention[-1]
        token, log_p = sampler.sample(output.logits)
        log_probability += log_p
        ids.append(token)
        text, ran_on = read_off(checkpoint.tokenizer, ids)
        if token in ends or ran_on:
            reason = "end"
        elif cancelled is not None and cancelled():
            reason = "stopped"
        elif len(ids) == options.max_new_tokens:
            reason = "length"
        seconds = time.perf_counter() - started
        first_token_seconds = first_token_seconds or seconds
        yield Answer(
            question=question,
            text=text,
            finished=bool(reason),
            stop_reason=reason,
            tokens=len(ids),
            seconds=seconds,
            first_token_seconds=first_token_seconds,
            confidence=math.exp(log_probability / len(ids)),
            evidence=find_evidence(encodings, attention, text) if reason and text != NOT_IN_DOCUMENT else (),
        )
        if not reason:
            output = decoder.step([token])
