"""Pictures with what is said about them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from app.sessions.pictures import Pictures

if TYPE_CHECKING:  # it imports torch, which the page does not wait for
    from app.captions import Caption

THUMBNAIL_WIDTH = 360
HEADINGS = {"caption": "Caption", "detailed": "Detailed caption", "read": "Text"}


def captions(name: str, pictures: Pictures, found: Sequence[Caption]) -> str:
    """One picture and its captions, those that still grow included."""
    rows = "".join(_row(caption) for caption in found)
    return (
        f'<article class="captioned"><img alt="{escape(name)}" src="{pictures.url(1, width=THUMBNAIL_WIDTH)}">'
        f'<div><p class="name" translate="no">{escape(name)}</p><dl>{rows}</dl></div></article>'
    )


def not_pictures(names: Sequence[str]) -> str:
    """Ticked documents that are left out."""
    if not names:
        return ""
    return f'<p class="hint">Left out, because of several pages: {escape(", ".join(names))}</p>'


def _row(caption: Caption) -> str:
    heading = HEADINGS.get(caption.request.task)
    title = f"<dt>{heading}</dt>" if heading else f'<dt translate="no">{escape(caption.request.question)}</dt>'
    ours = caption.ours or ("" if caption.text else "(no words)" if caption.finished else "…")
    theirs = caption.text.removesuffix(caption.ours).strip()
    said = f'<p translate="no">{escape(theirs)}</p>' if theirs else ""
    said += "".join(f"<p>{escape(line)}</p>" for line in ours.splitlines())
    return f'{title}<dd>{said}<span class="facts">{escape(caption.by)}</span></dd>'
