"""The left column: the documents, what is being read, and what went wrong."""

from collections.abc import Sequence
from html import escape

from app.faults import in_words
from app.languages import Language
from app.provenance import before_you, counted, megabytes, places, roughly, unreadable
from app.sessions.inbox import Arrival
from app.sessions.viewed import Loaded
from model.errors import Message
from model.types import Document

MOST_NAMED = 6  # files that wait


def ways_in() -> str:
    """Beside the field for files: a folder, and on a phone the camera. `assets/window.js` brings what is chosen."""
    return (
        '<p class="ways"><label>Choose a folder<input type="file" webkitdirectory multiple data-brings></label>'
        '<label class="camera">Take a photo<input type="file" accept="image/*" capture="environment" data-brings>'
        "</label></p>"
    )


def documents(
    loaded: Sequence[Loaded],
    ticked: Sequence[Loaded],
    shown: str,
    *,
    fingerprint: str = "",
    aside: Sequence[Loaded] = (),
    confirming: bool = False,
    language: Language = Language(),  # noqa: B008 - frozen
) -> str:
    """All documents, and those that can still be had back (`aside`).

    `fingerprint` is of the checkpoint that runs: what another one has read must be read again. `confirming`: whether
    all are to be forgotten.
    """
    undoing = "".join(map(_aside, aside))
    if not loaded:
        return (
            f'{undoing}<p class="hint">PDF, Word, Excel, PowerPoint, mail, web pages, images, scans, text, e-books;'
            " several at once. A document is read once, and every question is answered from what was read.</p>"
        )
    keys = {one.key for one in ticked}
    rows = "".join(
        _row_or_problem(one, language, ticked=one.key in keys, shown=one.key == shown, fingerprint=fingerprint)
        for one in loaded
    )
    return f'{undoing}<ul class="documents" aria-label="Documents">{rows}</ul>{_everything(confirming)}'


def forgets(minutes: float) -> str:
    """How long documents are there, where there is no library."""
    return (
        f'<p class="hint forgets">Nothing is stored: documents are forgotten {counted(round(minutes), "minute")} after'
        " this page is closed.</p>"
    )


def _everything(confirming: bool) -> str:
    """Asked once, and then it is final."""
    if not confirming:
        return '<button class="quiet" data-event="ask_forget_all">Forget everything</button>'
    return (
        '<p class="note" role="alert"><span>The documents and the conversation on this page are forgotten for good.'
        '</span> <button class="quiet" data-event="forget_all" data-focus="forget-now">Forget them</button>'
        ' <button class="quiet" data-event="cancel_forget_all">Cancel</button></p>'
    )


def _aside(loaded: Loaded) -> str:
    return (
        f'<p class="note" role="status"><span translate="no" dir="auto">{escape(loaded.name)}</span>'
        f' <span>was forgotten.</span> <button class="quiet" data-event="undo_forget"'
        f' data-document="{escape(loaded.key)}">Bring back</button></p>'
    )


def reading(arrival: Arrival, *, stopping: bool, model_loads: bool, capacity_bytes: int, place: str = "") -> str:
    """The progress bar of the file that is being read, and the meter: what its encoding will take.

    `place`: how many documents of others are read first.
    """
    if stopping:
        return _bar(f"Cancelling {arrival.name}", "the step that runs now ends first", "")
    if arrival.estimate is None:
        return _bar(f"Opening {arrival.name}", "", "")
    progress = arrival.estimate.progress
    if progress.stage == "opening":
        return _bar(f"Opening {arrival.name}", before_you(progress.total, None), "")
    left = roughly(arrival.estimate.seconds_left) if arrival.estimate.seconds_left else ""
    read = progress.done >= progress.total
    detail = " · ".join(part for part in (f"{arrival.estimate.fraction:.0%}", place or left) if part)
    detail = "waiting for the model to load" if read and model_loads else detail
    amount = f'value="{arrival.estimate.fraction:.3f}" max="1"'
    return _bar(f"Reading {arrival.name}", detail, amount, _meter(arrival, capacity_bytes))


def waiting_to_read(names: Sequence[str]) -> str:
    """The files that wait for their turn: the first ones by name, of the others how many they are."""
    if not names:
        return ""
    rows = "".join(f'<li class="name" translate="no" dir="auto">{escape(name)}</li>' for name in names[:MOST_NAMED])
    more = f"<li>{len(names) - MOST_NAMED:,} more</li>" if len(names) > MOST_NAMED else ""
    return f'<section class="queue"><p class="facts">Waiting to be read</p><ul>{rows}{more}</ul></section>'


def messages(texts: Sequence[Message], language: Language = Language()) -> str:  # noqa: B008 - frozen
    if not texts:
        return ""
    items = "".join(f"<li>{language.markup(text)}</li>" for text in texts)
    button = '<button class="quiet" data-event="dismiss">Dismiss</button>'
    return f'<div class="messages" role="alert"><ul>{items}</ul>{button}</div>'


def lock_reason(reason: str) -> str:
    return f"<p>{escape(reason)}</p>"


def _meter(arrival: Arrival, capacity_bytes: int) -> str:
    """How large the document is, known before it is encoded; until then how many of its pages are read."""
    if not arrival.viewed:
        return ""
    ready = " · you can ask already" if arrival.pieces else ""
    if not arrival.tokens:
        return f"{counted(arrival.pages, 'page')} · {len(arrival.viewed.document.pages):,} read{ready}"
    size = f"{megabytes(arrival.bytes)} of {megabytes(capacity_bytes)} memory"
    return f"{counted(arrival.pages, 'page')} · {counted(arrival.tokens, 'token')} · {size}{ready}"


def _bar(title: str, detail: str, amount: str, meter: str = "") -> str:
    below = f'<p class="meter">{escape(meter)}</p>' if meter else ""
    return (
        f'<div class="reading" role="status"><p class="head"><span class="name">{escape(title)}</span>'
        '<button class="quiet" data-event="cancel">Cancel</button></p>'
        f'<progress aria-label="{escape(title)}" {amount}></progress>'
        f'<p class="facts">{escape(detail)}</p>{below}</div>'
    )


def _row_or_problem(loaded: Loaded, language: Language, *, ticked: bool, shown: bool, fingerprint: str) -> str:
    """A document that cannot be drawn can still be let go, and the others stay as they are."""
    try:
        return _row(loaded, language, ticked=ticked, shown=shown, fingerprint=fingerprint)
    except Exception as error:
        return f'<li class="document">{_forget(loaded)}<p class="facts">{language.markup(in_words(error))}</p></li>'


def _row(loaded: Loaded, language: Language, *, ticked: bool, shown: bool, fingerprint: str) -> str:
    name, key = escape(loaded.name), escape(loaded.key)
    pages, tokens = counted(len(loaded.document.pages), "page"), counted(loaded.encoded.token_count, "token")
    facts = language.markup(Message.joined(" · ", [pages, tokens, megabytes(loaded.encoded.cache_bytes)]))
    first = loaded.document.pages[0].number
    return (
        f'<li class="document{" shown" if shown else ""}">'
        f'<input type="checkbox" data-event="tick" data-document="{key}"{" checked" if ticked else ""}'
        f' aria-label="{name} is in the conversation">'
        f'<button class="open" data-event="open" data-document="{key}" data-page="{first}" title="{name}">'
        f'<span class="name" translate="no" dir="auto">{name}</span></button>'
        f'<button class="save" data-event="save" data-document="{key}" aria-label="Save the encoding of {name}"'
        f' title="Save the encoding: drop the file here later to go on without reading again">↓</button>'
        f'{_forget(loaded)}<p class="facts">{facts}</p>'
        f"{_remarks(loaded.document, language)}{_stale(loaded, fingerprint)}</li>"
    )


def _forget(loaded: Loaded) -> str:
    name, key = escape(loaded.name), escape(loaded.key)
    return f'<button class="forget" data-event="forget" data-document="{key}" aria-label="Forget {name}">×</button>'


def _stale(loaded: Loaded, fingerprint: str) -> str:
    if fingerprint in ("", loaded.encoded.fingerprint):
        return ""
    button = f'<button class="quiet" data-event="reread" data-document="{escape(loaded.key)}">Read again</button>'
    return f'<p class="remarks">Read by another checkpoint. {button}</p>'


def _remarks(document: Document, language: Language) -> str:
    """What the person should know about how well this document could be read."""
    recognised = [page.number for page in document.pages if page.source == "ocr"]
    named = [page.number for page in document.pages if page.source == "tags"]
    seen = [page.number for page in document.pages if page.view != "text"]
    unread = sum(page.unread_boxes for page in document.pages)
    missed = [page.number for page in document.pages if page.unread_boxes]
    hidden = [page.number for page in document.pages if any(word.hidden for word in page.words)]
    remarks = []
    if recognised:
        one, several = "{n:,} page read by OCR", "{n:,} pages read by OCR"
        remarks.append(Message(one if len(recognised) == 1 else several, n=len(recognised)))
    if named:
        remarks.append(Message("no writing: known by image tags only ({places})", places=places(named)))
    if seen:
        one, several = "seen as a picture ({places})", "seen as pictures ({places})"
        remarks.append(Message(one if len(seen) == 1 else several, places=places(seen)))
    if unread:
        what = counted(unread, "place")
        remarks.append(Message("{places} could not be read ({where})", places=what, where=places(missed)))
    remarks += unreadable(document)
    if hidden:
        remarks.append(Message("hidden text on {pages}", pages=places(hidden)))
    said = [language.markup(Message.joined("; ", remarks))] if remarks else []
    said += [f"<span>{escape(one)}</span>" for one in dict.fromkeys(page.remark for page in document.pages) if one]
    return f'<p class="remarks">{"; ".join(said)}</p>' if said else ""
