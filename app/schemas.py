"""The objects that other programs read, on the command line and over the network: their names are fixed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from model.types import Answer, EncodedDocument

if TYPE_CHECKING:  # they import torch, which the page does not wait for
    from app.captions import Caption
    from app.library.values import StoredDocument


class DocumentObject(TypedDict):
    """A document that was read, and what that cost. `tokens` and `cache_bytes` are those of its encoding."""

    name: str
    pages: int
    tokens: int
    cache_bytes: int
    encode_seconds: float


class EvidenceObject(TypedDict):
    """A place that an answer rests on. Pages count from 1; the score is in 0..1.

    `label` names the page where the file has no page numbers: a slide, a sheet, a heading; else it is empty.
    `quote` is the sentence or row that the answer stands in; `hidden`: some of it cannot be seen on the page.
    """

    document: str
    page: int
    label: str
    quote: str
    score: float
    hidden: bool


class AnswerObject(TypedDict):
    """A question and its answer; evidence comes best first.

    `found` is false where the document does not answer, or where it was asked for what cannot be done: `answer` then
    says so in English. `confidence` is the probability that the answer is right, in 0..1; `doubtful`: check it.
    """

    question: str
    answer: str
    found: bool
    confidence: float
    doubtful: bool
    seconds: float
    first_token_seconds: float
    evidence: list[EvidenceObject]


class AnswersObject(TypedDict):
    """What was read, and what was answered from it."""

    documents: list[DocumentObject]
    answers: list[AnswerObject]


class CaptionObject(TypedDict):
    """What is said about a picture, and what says it."""

    task: str
    question: str
    text: str
    by: str


class PictureObject(TypedDict):
    """A picture and everything that was wanted of it."""

    name: str
    captions: list[CaptionObject]


def document_object(encoded: EncodedDocument) -> DocumentObject:
    """What programs are told of a document that was read."""
    return {
        "name": encoded.document.name,
        "pages": len(encoded.document.pages),
        "tokens": encoded.token_count,
        "cache_bytes": encoded.cache_bytes,
        "encode_seconds": round(encoded.encode_seconds, 3),
    }


def answers_object(encoded: Sequence[EncodedDocument], answers: Sequence[Answer]) -> AnswersObject:
    """What programs are told of documents and of the answers to questions about them."""
    return {
        "documents": [document_object(one) for one in encoded],
        "answers": [answer_object(answer) for answer in answers],
    }


def stored_answers_object(documents: Sequence["StoredDocument"], answers: Sequence[Answer]) -> AnswersObject:
    """The same of documents in the library: those that the questions were put to. Nothing was read for them."""
    return {
        "documents": [
            {
                "name": one.name,
                "pages": one.pages,
                "tokens": one.tokens,
                "cache_bytes": one.size_bytes,
                "encode_seconds": 0.0,
            }
            for one in documents
        ],
        "answers": [answer_object(answer) for answer in answers],
    }


def answer_object(answer: Answer) -> AnswerObject:
    """What programs are told of an answer."""
    return {
        "question": answer.question,
        "answer": answer.text,
        "found": answer.found,
        "confidence": round(answer.confidence, 4),
        "doubtful": answer.doubtful,
        "seconds": round(answer.seconds, 3),
        "first_token_seconds": round(answer.first_token_seconds, 3),
        "evidence": [
            {
                "document": place.document,
                "page": place.page,
                "label": place.label,
                "quote": place.quote,
                "score": round(place.score, 4),
                "hidden": place.hidden,
            }
            for place in answer.evidence
        ],
    }


def picture_object(captions: Sequence["Caption"]) -> PictureObject:
    """What programs are told of a picture."""
    return {
        "name": captions[0].document,
        "captions": [
            {"task": one.request.task, "question": one.request.question, "text": one.text, "by": one.by}
            for one in captions
        ],
    }
