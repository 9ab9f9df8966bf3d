"""What a person takes along: a document's encoding as a file, and the conversation as Markdown."""

import re
import tempfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from app.documents.messages import Mark
from app.page.panels.pages import marked_boxes
from app.page.update import Update
from app.provenance import DOUBT
from app.sessions.conversation import Exchange
from app.sessions.pictures import Pictures, StoredImages
from app.sessions.session import Session
from app.sessions.viewed import Loaded
from model.errors import DocumentError

SUFFIX = ".safetensors"
MOST_SAVED_AT_ONCE = 4
SAVED_WIDTH = 800  # pixels of the page pictures in an encoding
MOST_PICTURES = 300
MOST_MARKS = 500  # the latest
MOST_BOXES = 40  # lines of one mark
LONGEST_NOTE = 1_000  # characters
LONGEST_NAME = 60  # characters, which take up to four bytes each, of 255
_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|!&~$]|:(?=//)|(?<=www)\.|@", re.IGNORECASE)
_BEGINNING = re.compile(r"^(\d{0,9})([-+=:.)])", re.MULTILINE)  # of a list's line, or of one that makes a heading


def save(loaded: Loaded, folder: Path) -> Path:
    """Write a document's encoding, with pictures of its pages, into a new folder in this one."""
    from model.encoding.file_format import save_encoding  # imports torch, which the page does not wait for

    path = new_file(f"{_file_name(loaded.name)}{SUFFIX}", folder)
    pictures = {}
    for page in loaded.document.pages[:MOST_PICTURES]:
        try:
            pictures[page.number] = loaded.pictures.image(page.number, width=SAVED_WIDTH)
        except DocumentError:  # a page that cannot be drawn is not worth the encoding
            continue
    save_encoding(loaded.encoded, path, pictures=pictures)
    return path


def restore(data: bytes, name: str) -> Loaded:
    """A document from an encoding that was saved before. Raises EncodingError where the file is none, or damaged."""
    from model.encoding.file_format import parse_encoding

    saved = parse_encoding(data, name)
    return Loaded(
        document=saved.encoded.document,
        pictures=Pictures(StoredImages(saved.pictures)),
        encoded=saved.encoded,
        file_bytes=0,
    )


def export(session: Session, folder: Path, today: date) -> Path:
    """The conversation as Markdown, in a new folder in this one. What anybody wrote stays plain text in it.

    It begins with the day and the documents that were asked.
    """
    path = new_file("conversation.md", folder)
    exchanges = [exchange for exchange in session.conversation.exchanges if not exchange.pending]
    names = _names(session, exchanges)
    asked = dict.fromkeys(key for exchange in exchanges for key in exchange.sources if key in names)
    head = ["# Conversation", f"Saved on {today:%Y-%m-%d}."]
    head += [f"Documents: {', '.join(_plain(names[key]) for key in asked)}"] if asked else []
    path.write_text("\n\n".join([*head, *(_exchange(one, names) for one in exchanges)]) + "\n", encoding="utf-8")
    return path


def _names(session: Session, exchanges: list[Exchange]) -> dict[str, str]:
    """What the documents of a conversation are called, by their keys; of one that was taken out, as it was cited."""
    cited = {one.sources[place.document_index]: place.document for one in exchanges for place in one.answer.evidence}
    return cited | {loaded.key: loaded.name for loaded in session.documents}


def save_marked(session: Session, loaded: Loaded, folder: Path) -> Path:
    """A copy of a PDF with the conversation's answers where they stand, in a new folder in this one.

    Raises DocumentError for what is no PDF, and where nothing is to be marked.
    """
    marks = [mark for exchange in session.conversation.exchanges for mark in _marks(exchange, loaded)]
    if not marks:
        raise DocumentError(
            "No answer of this conversation stands in {name}. Ask something that it answers.", name=loaded.name
        )
    data = loaded.pictures.marked(marks[-MOST_MARKS:])
    path = new_file(f"{Path(_file_name(loaded.name)).stem} marked.pdf", folder)
    path.write_bytes(data)
    return path


def _marks(exchange: Exchange, loaded: Loaded) -> Iterator[Mark]:
    """One on each page that an answer rests on: its exact words, or else the lines that the model looked at."""
    if exchange.status != "done" or loaded.key not in exchange.sources:
        return
    index = exchange.sources.index(loaded.key)
    note = f"{exchange.question}\n\n{exchange.answer.text}"[:LONGEST_NOTE]
    places = [place for place in exchange.answer.evidence if place.document_index == index]
    for page in loaded.document.pages:
        for is_found in (True, False):
            if boxes := marked_boxes(page, [place for place in places if place.verbatim == is_found]):
                yield Mark(page=page.number, boxes=tuple(boxes[:MOST_BOXES]), note=note, is_found=is_found)


def hand_out(session: Session, path: Path) -> Update:
    """Have the browser take a file that was made here."""
    session.hand_out(path)
    return Update(download=str(path))


def remove(path: Path) -> None:
    """Remove a file that was made here, and its folder."""
    path.unlink(missing_ok=True)
    path.parent.rmdir()


def _file_name(name: str) -> str:
    """What a document's name leaves of a file's: it is foreign, and no folder but the file's own may be meant by it."""
    return re.sub(r"[^\w .,()+-]", "_", name)[-LONGEST_NAME:].lstrip(". ") or "document"


def new_file(name: str, folder: Path) -> Path:
    """Where a file of that name can be made, in a new folder in this one."""
    return Path(tempfile.mkdtemp(dir=folder)) / name


def _exchange(exchange: Exchange, names: dict[str, str]) -> str:
    lines = [f"## {_plain(' '.join(exchange.question.split()))}", _plain(exchange.answer.text or exchange.problem)]
    if exchange.answer.doubtful and exchange.status == "done":
        lines.append(_plain(DOUBT))
    for place in exchange.answer.evidence:
        where = f"{_plain(names[exchange.sources[place.document_index]])}, page {place.page}"
        said = f"The answer stands in {where}" if place.verbatim else f"The model looked at {where}"
        unseen = " (these words cannot be seen on the page)" if place.hidden else ""
        lines.append(f"- {said}{unseen}: {_plain(' '.join(place.quote.split()))}")
    lines += [_plain(text) for text in (exchange.note, exchange.receipt) if text]
    if exchange.liked:
        lines.append("Marked as a good answer." if exchange.liked == "up" else "Marked as a bad answer.")
    return "\n\n".join(lines)


def _plain(text: str) -> str:
    """Text in which Markdown finds no markup, and no address that it would make a link of."""
    lines = (_MARKUP.sub(r"\\\g<0>", line.strip()) for line in text.splitlines())
    return _BEGINNING.sub(r"\1\\\2", "\n".join(lines))
