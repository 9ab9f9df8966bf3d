"""The decoder's prompt, and decoding an answer's tokens to text."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer

from model.answering.messages import NOT_FOUND
from model.checkpoints.checkpoint import Checkpoint
from model.encoding.token_map import encode_text
from model.types import Turn

NOT_IN_DOCUMENT = "The document does not say."  # the decoder's words; a person reads `messages.NOT_FOUND`
HISTORY_TOKENS = 256  # that earlier turns may take of the prompt, the latest first
_NEXT_QUESTION = "\nQuestion:"  # a pretrained checkpoint does not stop: it goes on with a question of its own
_SHORTEST_LOOP = 8  # tokens; shorter repetitions occur in tables of numbers, too
_UNFINISHED_CHARACTER = "\ufffd"  # the first bytes of a character whose last ones are still to come


def prompt_text(question: str, history: tuple[Turn, ...] = ()) -> str:
    """The prompt of a question with its earlier turns. The document is not in it: it is in the memory."""
    earlier = "".join(f"Question: {turn.question}\nAnswer: {_said(turn.answer)}\n" for turn in history)
    return f"{earlier}Question: {question}\nAnswer:"


def _said(answer: str) -> str:
    """A turn's answer in the words that the decoder knows."""
    return NOT_IN_DOCUMENT if answer == NOT_FOUND else answer


def prompt_ids(checkpoint: Checkpoint, question: str, history: Sequence[Turn] = ()) -> list[int]:
    """The prompt's token ids, with as many of the latest turns as fit into `HISTORY_TOKENS`."""
    asked = [checkpoint.bos, *encode_text(checkpoint.tokenizer, prompt_text(question))[0]]
    ids = asked
    for first in reversed(range(len(history))):
        longer = [checkpoint.bos, *encode_text(checkpoint.tokenizer, prompt_text(question, tuple(history[first:])))[0]]
        if len(longer) - len(asked) > HISTORY_TOKENS:
            break
        ids = longer
    return ids


def end_tokens(checkpoint: Checkpoint) -> frozenset[int]:
    """Ids that end an answer: the configuration's, and those of a fine-tune's generation config."""
    found: set[int] = set()
    model = checkpoint.model
    for config in (model.model.decoder.config, getattr(model, "generation_config", None)):
        value = getattr(config, "eos_token_id", None)
        found.update([value] if isinstance(value, int) else value or [])
    return frozenset(found)


def decode_answer(tokenizer: Tokenizer, ids: Sequence[int]) -> tuple[str, bool]:
    """The text of an answer's tokens, and whether it ran on: into a question of its own, or into a repetition."""
    once = _drop_repetition(ids)
    text = tokenizer.decode(once, skip_special_tokens=True)
    answer, asked, _ = text.partition(_NEXT_QUESTION)
    return answer.rstrip(_UNFINISHED_CHARACTER).strip(), bool(asked) or len(once) < len(ids)


def _drop_repetition(ids: Sequence[int]) -> Sequence[int]:
    """The tokens without the last few of them, if those repeat the ones before."""
    for size in range(_SHORTEST_LOOP, len(ids) // 2 + 1):
        if ids[-size:] == ids[-2 * size : -size]:
            return ids[:-size]
    return ids
