"""What `/v1` gives: OpenAI's objects, with what Readonce knows beside it."""

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.api.openai.requests import FILE_ID
from app.schemas import AnswersObject, answer_object
from model.types import Answer

Object = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiFile:
    """A file of whoever asks. Times are in seconds since 1970; `expires` is None where it stays."""

    key: str
    name: str
    size: int
    created: int
    expires: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A finished answer, and the keys of the documents that it was asked of, in their order."""

    answer: Answer
    keys: Sequence[str]
    documents: AnswersObject
    model: str


def model_object(name: str) -> Object:
    return {"id": name, "object": "model", "created": 0, "owned_by": "readonce"}


def file_object(file: ApiFile, purpose: str = "user_data") -> Object:
    """A file, as OpenAI's protocol shows it."""
    return {
        "id": FILE_ID + file.key,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created,
        "expires_at": file.expires,
        "filename": file.name,
        "purpose": purpose,
        "status": "processed",
    }


def list_object(data: Sequence[Object]) -> Object:
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return {"object": "list", "data": list(data), "has_more": False, **ends}


def completion_object(completion: Completion) -> Object:
    """A whole answer, as OpenAI's protocol shows it."""
    message = {
        "role": "assistant",
        "content": completion.answer.text,
        "refusal": None,
        "annotations": annotations(completion),
    }
    choice = {"index": 0, "message": message, "finish_reason": finish_reason(completion.answer), "logprobs": None}
    return _head("chat.completion", completion.model) | {
        "choices": [choice],
        "usage": _usage(completion.answer),
        "readonce": completion.documents,
    }


def first_chunk(model: str) -> Object:
    """Sent before the answer is known: all chunks of an answer have its id and time."""
    return _head("chat.completion.chunk", model) | {"choices": [_delta({"role": "assistant", "content": ""})]}


def chunks(head: Object, completion: Completion) -> Iterator[Object]:
    """The answer word by word, then its places, then why it ended and what it took.

    It is chosen among candidates when all are complete: what was streamed before could be another one's words.
    """
    for piece in _words(completion.answer.text):
        yield head | {"choices": [_delta({"content": piece})]}
    yield head | {"choices": [_delta({"annotations": annotations(completion)})]}
    yield head | {
        "choices": [_delta({}, finish_reason(completion.answer))],
        "usage": _usage(completion.answer),
        "readonce": completion.documents,
    }


def annotations(completion: Completion) -> list[Object]:
    """A citation for each place, in the form that front ends show, with the file, the page and its words beside it."""
    answer = completion.answer
    return [
        {
            "type": "url_citation",
            "url_citation": {
                "start_index": 0,
                "end_index": len(answer.text),
                "title": f"{place.document}, {place.label or f'page {place.page}'}",
                "url": f"/v1/files/{FILE_ID}{completion.keys[place.document_index]}/content#page={place.page}",
            },
            "file_citation": {
                "file_id": FILE_ID + completion.keys[place.document_index],
                "filename": place.document,
                "page": place.page,
                "quote": place.quote,
                "score": round(place.score, 4),
            },
        }
        for place in answer.evidence
    ]


def finish_reason(answer: Answer) -> str:
    return "length" if answer.stop_reason == "length" else "stop"


def error_object(message: str, *, kind: str = "invalid_request_error", code: str | None = None) -> Object:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def documents_of(answers: AnswersObject, answer: Answer) -> AnswersObject:
    """The object that `ask --json` prints, with the answer as it ended."""
    return {"documents": answers["documents"], "answers": [answer_object(answer)]}


def _head(kind: str, model: str) -> Object:
    return {
        "id": f"chatcmpl-{secrets.token_hex(12)}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "system_fingerprint": None,
    }


def _delta(delta: Object, finish: str | None = None) -> Object:
    return {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}


def _usage(answer: Answer) -> Object:
    """Tokens of the document that were attended to are the prompt's, all of them from the cached encoding."""
    return {
        "prompt_tokens": answer.shown_tokens,
        "completion_tokens": answer.tokens,
        "total_tokens": answer.shown_tokens + answer.tokens,
        "prompt_tokens_details": {"cached_tokens": answer.shown_tokens - answer.encoder_tokens, "audio_tokens": 0},
    }


def _words(text: str) -> Iterator[str]:
    """The text in words, each with the space before it."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or (text[end].isspace() and not text[end - 1].isspace()):
            yield text[start:end]
            start = end
