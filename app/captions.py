"""What a picture shows and says: a caption, a longer one, its writing, or the answer to a question.

A checkpoint that supports vision captions the encoding that was made when the picture was read: nothing is encoded
again. For one that does not (the embedded one) a classifier names things and OCR reads; each caption says which of them
it comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from numpy.typing import NDArray

from app.colours import main_colour
from app.provenance import counted
from model.answering.questions import checked_question
from model.encoder.vision.tags import UNKNOWN, sentence
from model.engine import Engine
from model.errors import DocumentError
from model.types import Answer, CancelledCallback, EncodedDocument, Page

Task = Literal["caption", "detailed", "read", "question"]
TASKS: tuple[Task, ...] = get_args(Task)
QUESTIONS: dict[Task, str] = {
    "caption": "What does the picture show?",
    "detailed": "What does the picture show, in detail?",
}
PAGE_OF_WRITING = 40  # words from which a picture is a page to read, not a thing to name
WORTH_A_WORD = 0.01  # share from which a longer caption lists a tag
NOTHING_KNOWN = "Nothing here is known by name, and nothing is written in it: there is nothing to answer from."
BEGINNING = 80  # characters of its writing that a caption quotes

PictureCallback = Callable[[int], NDArray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is wanted of a picture; a question only for the task of that name."""

    task: Task
    question: str = ""

    @property
    def asked(self) -> str:
        return QUESTIONS.get(self.task) or checked_question(self.question)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A snapshot of what is said about a picture. `by` is what says it.

    `ours` is the end of the text that is in words of this program, a sentence a line; what stands before it is in those
    of the model or of the picture.
    """

    document: str
    request: Request
    by: Literal[
        "model",
        "image tags",
        "text recognition",
        "text of the file",
        "model, from the writing",
        "model, from image tags",
    ]
    text: str = ""
    ours: str = ""
    finished: bool = False


def check_picture(encoded: EncodedDocument) -> Page:
    """The one page of a picture. Raises DocumentError for a document of several."""
    pages = encoded.document.pages
    if len(pages) != 1:
        raise DocumentError(
            "{name} has {n} pages: captions are for single pictures. Pick one page of it, "
            "or ask about it as a document.",
            name=encoded.document.name,
            n=len(pages),
        )
    return pages[0]


def describe(
    engine: Engine,
    encoded: EncodedDocument,
    requests: Sequence[Request],
    picture: PictureCallback | None,
    cancelled: CancelledCallback | None = None,
) -> Iterator[tuple[Caption, ...]]:
    """Do all that is wanted of one picture. Each yield holds every caption; at the last one all are finished.

    `picture` draws the page, for the classifier (None: a saved encoding came without).
    Raises DocumentError, QuestionError, Cancelled.
    """
    page = check_picture(encoded)
    captions = [_begun(engine, encoded, page, request, picture) for request in requests]
    open_ones = [index for index, caption in enumerate(captions) if not caption.finished]
    if open_ones:
        questions = [captions[index].request.asked for index in open_ones]
        for answers in engine.answer_batch(encoded, questions, cancelled=cancelled):
            for index, answer in zip(open_ones, answers, strict=True):
                captions[index] = _grown(captions[index], answer)
            yield tuple(captions)
    yield tuple(captions)


def _begun(
    engine: Engine, encoded: EncodedDocument, page: Page, request: Request, picture: PictureCallback | None
) -> Caption:
    """The caption where it needs no model, else an empty one."""
    caption = Caption(document=encoded.document.name, request=request, by="model")
    if request.task == "read":
        writing, ours = _writing(page)
        return replace(caption, by=_reader(page), text=f"{writing}\n{ours}".strip(), ours=ours, finished=True)
    if engine.checkpoint.supports_vision:
        return caption
    if request.task == "question" and page.text == UNKNOWN:
        return replace(caption, by="image tags", text=NOTHING_KNOWN, ours=NOTHING_KNOWN, finished=True)
    if request.task == "question":
        return replace(caption, by="model, from image tags" if page.source == "tags" else "model, from the writing")
    if len(page.text.split()) >= PAGE_OF_WRITING and page.source != "tags":
        text = _begins(page)
        return replace(caption, by=_reader(page), text=text, ours=text, finished=True)
    text = _named(engine, page, picture, detailed=request.task == "detailed")
    return replace(caption, by="image tags", text=text, ours=text, finished=True)


def _grown(caption: Caption, answer: Answer) -> Caption:
    return replace(caption, text=answer.text or "(no words)", finished=answer.finished)


def _reader(page: Page) -> Literal["text recognition", "text of the file"]:
    return "text of the file" if page.source == "text" and page.text.strip() else "text recognition"


def _writing(page: Page) -> tuple[str, str]:
    """What stands in the picture, and what is to say about it."""
    unread = f"({counted(page.unread_boxes, 'place')} with writing could not be read.)" if page.unread_boxes else ""
    if page.source == "tags" or not page.text.strip():
        return "", unread or "No writing was found in the picture."
    return page.text.strip(), unread


def _begins(page: Page) -> str:
    return f"A page of writing, {len(page.text.split()):,} words, which begins: “{_beginning(page)}”"


def _beginning(page: Page) -> str:
    return _shortened(" ".join(page.text.split()))


def _named(engine: Engine, page: Page, picture: PictureCallback | None, *, detailed: bool) -> str:
    """What a classifier, the colours and OCR say together: a sentence, and where it is wanted more of them below it."""
    writing = "" if page.source == "tags" else _beginning(page)
    if picture is None:
        return page.text if page.source == "tags" else f"The picture is not at hand. It bears writing: “{writing}”"
    pixels = picture(page.number)
    tags = engine.tagger.tags(pixels)
    said = [_in_a_sentence(sentence(tags), main_colour(pixels), writing)]
    if detailed:
        if likeliest := ", ".join(f"{tag.name} {tag.score:.0%}" for tag in tags if tag.score >= WORTH_A_WORD):
            said.append(f"The likeliest of 1,000 things: {likeliest}.")
        said.append("Tags cannot tell how many there are, where, or what happens.")
    return "\n".join(said)


def _in_a_sentence(tagged: str, colour: str, writing: str) -> str:
    known = tagged.removesuffix(".")
    if colour:
        known += f", which is mostly {colour}" if tagged == UNKNOWN else f", mostly {colour}"
    return known + (f", with the writing “{writing}”" if writing else ".")


def _shortened(text: str) -> str:
    return text if len(text) <= BEGINNING else f"{text[:BEGINNING].rsplit(' ', 1)[0]} …"
