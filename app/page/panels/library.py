"""The library: what is kept and how large it is, its documents and folders, and past conversations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from app.library.conversations import StoredConversation
from app.library.values import Order, StoredDocument
from app.provenance import counted, megabytes
from app.sessions.library_view import LibraryView

_ORDERS: Mapping[Order, str] = {
    "used": "Latest used first",
    "added": "Latest added first",
    "name": "By name",
    "size": "Largest first",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What is drawn of a library. `more`: documents that are not listed."""

    documents: Sequence[StoredDocument]
    more: int
    removed: Sequence[StoredDocument]
    folders: Sequence[str]
    conversations: Sequence[StoredConversation]
    count: int
    used_bytes: int
    capacity_bytes: int


def library(listed: Listed, view: LibraryView, *, may_share: bool = False) -> str:
    """The whole panel as HTML. What questions go to comes first. `may_share`: with the others who sign in."""
    size = f"{megabytes(listed.used_bytes)} of {megabytes(listed.capacity_bytes)}"
    amount = f"{counted(listed.count, 'document')} · {size}"
    removed = "".join(map(_removed, listed.removed))
    if not listed.count and not listed.conversations:
        hint = '<p class="hint">What you drop is kept here and not read again: not even tomorrow.</p>'
        return f'<div class="stored">{removed}{hint}</div>'
    rows = "".join(_document(one, may_share=may_share) for one in listed.documents)
    return (
        f'<div class="stored"><p class="facts">{amount}</p>{_scopes(listed, view)}{_search(view)}{_order(view)}'
        f'{removed}<ul aria-label="Documents in the library">{rows}</ul>'
        f"{_more(listed.more)}{_conversations(listed.conversations)}{_forget(view)}</div>"
    )


def _scopes(listed: Listed, view: LibraryView) -> str:
    """What a question goes to: the ticked documents, everything, or a folder."""
    folder = view.scope.folder if view.scope else None
    everything = _scope("everything", "", "Everything in the library", chosen=view.scope is not None and not folder)
    folders = "".join(_scope("folder", one, one, chosen=one == folder) for one in listed.folders)
    return (
        '<div class="scopes" role="group" aria-label="Questions go to">'
        f"{_scope('ticked', '', 'The ticked documents', chosen=view.scope is None)}{everything}{folders}</div>"
    )


def _scope(kind: str, folder: str, label: str, *, chosen: bool) -> str:
    untranslated = ' translate="no"' if folder else ""
    return (
        f'<button class="chip" data-event="choose_scope" data-scope="{kind}" data-folder="{escape(folder)}"'
        f' aria-pressed="{"true" if chosen else "false"}" data-focus="scope-{kind}-{escape(folder)}"{untranslated}>'
        f"{escape(label)}</button>"
    )


def _search(view: LibraryView) -> str:
    return (
        f'<input type="search" data-event="search_library" data-focus="search-library" value="{escape(view.words)}"'
        ' aria-label="Find in the library" placeholder="Find in the library">'
    )


def _order(view: LibraryView) -> str:
    options = "".join(
        f'<option value="{order}"{" selected" if order == view.order else ""}>{label}</option>'
        for order, label in _ORDERS.items()
    )
    return (
        f'<select data-event="sort_library" data-focus="sort-library" aria-label="Order of the list">{options}</select>'
    )


def shared(documents: Sequence[StoredDocument], person: str) -> str:
    """What is shared with all, each with the name of who shares it."""
    if not documents:
        return ""
    rows = "".join(_shared(one, mine=one.folder == person) for one in documents)
    return f'<div class="stored"><h3>Shared with all</h3><ul aria-label="Shared with all">{rows}</ul></div>'


def _shared(one: StoredDocument, *, mine: bool) -> str:
    name = escape(one.name)
    withdraw = f'<button class="quiet" data-event="withdraw_shared" data-shared="{one.id}">Share no longer</button>'
    return (
        f'<li><button class="open" data-event="take_shared" data-shared="{one.id}" title="{name}">'
        f'<span class="name" translate="no">{name}</span></button>'
        f'<p class="facts"><span>{counted(one.pages, "page")}</span><span translate="no"> · {escape(one.folder)}</span>'
        f"{withdraw if mine else ''}</p></li>"
    )


def _document(one: StoredDocument, *, may_share: bool) -> str:
    name = escape(one.name)
    facts = f"{counted(one.pages, 'page')} · {megabytes(one.size_bytes)}"
    where = f'<span translate="no"> · {escape(one.folder)}</span>' if one.folder else ""
    event = f'data-event="share_stored" data-stored="{one.id}"'
    share = f' <button class="quiet" {event}>Share with all</button>' if may_share else ""
    return (
        f'<li><button class="open" data-event="open_stored" data-stored="{one.id}" title="{name}">'
        f'<span class="name" translate="no">{name}</span></button>'
        f'<button class="forget" data-event="remove_stored" data-stored="{one.id}"'
        f' aria-label="Remove {name}">×</button>'
        f'<p class="facts"><span>{facts}</span>{where}{share}</p></li>'
    )


def _removed(one: StoredDocument) -> str:
    return (
        f'<p class="note" role="status"><span translate="no">{escape(one.name)}</span> <span>was removed.</span> '
        f'<button class="quiet" data-event="undo_removal" data-stored="{one.id}">Bring back</button></p>'
    )


def _more(count: int) -> str:
    return f'<p class="hint">{counted(count, "document")} more: find them by their words.</p>' if count else ""


def _conversations(conversations: Sequence[StoredConversation]) -> str:
    if not conversations:
        return ""
    rows = "".join(
        f'<li><button class="open" data-event="open_conversation" data-conversation="{one.id}">'
        f'<span class="name" translate="no">{escape(one.title)}</span></button>'
        f'<button class="forget" data-event="remove_conversation" data-conversation="{one.id}"'
        f' aria-label="Remove this conversation">×</button>'
        f'<p class="facts">{counted(one.questions, "question")}</p></li>'
        for one in conversations
    )
    return f'<h3>Conversations</h3><ul class="past" aria-label="Past conversations">{rows}</ul>'


def _forget(view: LibraryView) -> str:
    """Asked once, and then it is final."""
    if not view.confirming:
        return '<button class="quiet" data-event="forget_library">Forget everything in the library</button>'
    return (
        '<p class="note" role="alert"><span>All documents and conversations are deleted from this computer, for'
        ' good.</span> <button class="quiet" data-event="forget_library_now">Delete everything</button>'
        ' <button class="quiet" data-event="keep_library">Cancel</button></p>'
    )
