"""What programs send to `/v1/chat/completions`: a conversation, and the files that it is about."""

import base64
import binascii
import itertools
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel, ConfigDict, Field

from app.documents.names import file_name
from app.turns import MOST_TURNS
from model.answering.questions import checked_question
from model.errors import DocumentError, QuestionError
from model.types import GenerationOptions, Turn

FILE_ID: Final = "file-"  # then the SHA-256 of its bytes
MOST_FILES: Final = 100  # of one question
_SEEDS: Final = 2**63  # on both sides of zero
_ENDINGS: Final = {"application/pdf": ".pdf", "text/plain": ".txt", "image/png": ".png", "image/jpeg": ".jpg"}


class _Sent(BaseModel):
    """Fields that are not known are left alone: front ends send many."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class SentFile(_Sent):
    """A file by its id, or with its bytes in a `data:` URL."""

    file_id: str | None = None
    file_data: str | None = None
    filename: str | None = None


class Address(_Sent):
    """Of a picture: a `data:` URL. Nothing is fetched."""

    url: str


class Part(_Sent):
    """A part of a message."""

    type: str
    text: str = ""
    file: SentFile | None = None
    image_url: Address | None = None


class Message(_Sent):
    """A message of the conversation."""

    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, str):
            return self.content.strip()
        return "\n".join(part.text for part in self.content or () if part.type == "text").strip()

    @property
    def parts(self) -> list[Part]:
        return self.content if isinstance(self.content, list) else []


class ChatRequest(_Sent):
    """The body of a request for a completion."""

    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    max_tokens: int | None = Field(None, ge=1, le=4_096)
    max_completion_tokens: int | None = Field(None, ge=1, le=4_096)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=-_SEEDS, lt=_SEEDS)
    n: int | None = Field(None, ge=1, le=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class InlineFile:
    """A file that came with the request itself."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatQuestion:
    """What a request comes to. `files` are keys (SHA-256) of files that were sent before, or files."""

    question: str
    history: tuple[Turn, ...]
    files: tuple[str | InlineFile, ...] = field(default=())
    options: GenerationOptions


def asked_in(request: ChatRequest) -> ChatQuestion:
    """The last question, the turns before it, and all files of the conversation. Raises ReadonceError."""
    messages = [message for message in request.messages if message.role in ("user", "assistant")]
    if not messages or messages[-1].role != "user":
        raise QuestionError("The last message must be the user's question: send one with the role user.")
    parts = [part for message in messages for part in message.parts if part.type != "text"]
    if len(parts) > MOST_FILES:
        raise QuestionError(
            "The messages have {count:,} files; the limit is {limit}. Send fewer at once.",
            count=len(parts),
            limit=MOST_FILES,
        )
    files = [_file(part) for part in parts]
    return ChatQuestion(
        question=checked_question(messages[-1].text),
        history=tuple(_turns(messages[:-1]))[-MOST_TURNS:],
        files=tuple(dict.fromkeys(files)),
        options=_options(request),
    )


def key_of(file_id: str) -> str:
    """The file's key. Raises DocumentError for what is no id of a file."""
    key = file_id.removeprefix(FILE_ID)
    if key == file_id or len(key) != 64 or not key.isalnum():
        raise DocumentError("{file_id!r} is no id of a file: send one that /v1/files has given.", file_id=file_id[:80])
    return key


def _turns(messages: list[Message]) -> list[Turn]:
    """Questions with the answer that follows each."""
    return [
        Turn(question=first.text, answer=second.text)
        for first, second in itertools.pairwise(messages)
        if (first.role, second.role) == ("user", "assistant") and first.text
    ]


def _options(request: ChatRequest) -> GenerationOptions:
    usual = GenerationOptions()
    return GenerationOptions(
        max_new_tokens=request.max_completion_tokens or request.max_tokens or usual.max_new_tokens,
        temperature=usual.temperature if request.temperature is None else request.temperature,
        top_p=request.top_p or usual.top_p,
        seed=request.seed or usual.seed,
    )


def _file(part: Part) -> str | InlineFile:
    if part.type == "file" and part.file is not None:
        if part.file.file_id:
            return key_of(part.file.file_id)
        return _inline(part.file.file_data or "", part.file.filename)
    if part.type == "image_url" and part.image_url is not None:
        return _inline(part.image_url.url, None)
    raise DocumentError("A part of a message has the type {type!r}: send text, file or image_url.", type=part.type[:40])


def _inline(url: str, name: str | None) -> InlineFile:
    head, comma, body = url.partition(",")
    if not head.startswith("data:") or not comma:
        raise DocumentError(
            "{url!r} is no data: URL. Nothing is fetched: send data:application/pdf;base64,..., or a file's id.",
            url=url[:60],
        )
    kind, _, coding = head.removeprefix("data:").partition(";")
    try:
        data = base64.b64decode(body, validate=True) if coding.endswith("base64") else unquote_to_bytes(body)
    except (binascii.Error, ValueError) as error:
        raise DocumentError(
            "The data: URL of {name!r} is not base64 ({why}). Send it again.", name=name or "a file", why=error
        ) from error
    return InlineFile(name=file_name(name) if name else f"file{_ENDINGS.get(kind, '')}", data=data)
