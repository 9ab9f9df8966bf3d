"""What encoding a document takes, before anything is encoded: how its pages enter, its tokens, its encoding's size."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypedDict

from model.checkpoints.checkpoint import Checkpoint
from model.encoder.encoding_run import EncodingRun
from model.encoder.vision.features import PageFeatures, PictureCallback, encode_page_images, image_tokens
from model.encoder.vision.page_inputs import ViewMode, views_for
from model.encoder.vision.tags import Tagger, with_tags
from model.encoding.chunks import Chunk, plan_chunks
from model.encoding.memory import bytes_in_precision
from model.encoding.token_map import tokenize
from model.types import CancelledCallback, Document, PauseCallback, Precision, ProgressCallback, TokenMap


class EncodingOptions(TypedDict, total=False):
    """What `Engine.encode` and `Engine.encode_chunks` take beside the document, by name; each may be left out.

    views: how pages enter, for a document without a plan (`Engine.plan`). picture: draws the pages that enter as
    pictures; with pan_and_scan each enters whole and in crops. progress: is told how far the work is. cancelled: is
    asked whether to stop, between two pieces of a chunk; then Cancelled is raised. pause: is called in the same thread
    before each chunk, and between the pieces of a long one, so that others can come between; of short chunks on a CPU,
    before each group that is encoded at once, a chunk a thread. That time does not count as reading. provisional: more
    pages of the document will take the place of these, so that this is not the reading that is told and counted.
    """

    views: ViewMode | None
    picture: PictureCallback | None
    pan_and_scan: bool
    progress: ProgressCallback | None
    cancelled: CancelledCallback | None
    pause: PauseCallback | None
    provisional: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodingPlan:
    """A document as it is going to be encoded.

    document: each page with the view in which it enters. views: what was asked for. tokens: of the whole document, but
    for what only its pictures tell (the crops of pan-and-scan, the names of what photographs show). cache_bytes: of the
    encoding, in the precision in which it is kept.
    """

    document: Document
    views: ViewMode | None
    tokens: TokenMap
    cache_bytes: int

    @property
    def token_count(self) -> int:
        return len(self.tokens.ids)


def plan_encoding(
    checkpoint: Checkpoint, document: Document, views: ViewMode | None, precision: Precision | None
) -> EncodingPlan:
    """The plan of a document; `views` and `precision` as in `Engine`.

    Raises CheckpointError if a checkpoint without vision is to see pages.
    """
    viewed = document if views is None else views_for(checkpoint, document, views)
    tokens = _tokens(checkpoint, viewed, {page.number: 1 for page in viewed.pages if page.view != "text"})
    rows = len(tokens.ids) + len(chunks_of(checkpoint, tokens))  # each chunk has a `<bos>`
    return EncodingPlan(
        document=viewed,
        views=views,
        tokens=tokens,
        cache_bytes=bytes_in_precision(checkpoint.model, rows, precision),
    )


def chunks_of(checkpoint: Checkpoint, tokens: TokenMap) -> tuple[Chunk, ...]:
    """The chunks in which a document of these tokens is encoded; one place of each is for its `<bos>`."""
    return plan_chunks(len(tokens.ids), checkpoint.chunk_size - 1, checkpoint.chunk_overlap)


def tagged(
    checkpoint: Checkpoint, plan: EncodingPlan, picture: PictureCallback | None, tagger: Callable[[], Tagger]
) -> Document:
    """The plan's document, with the names of what photographs show where nothing else sees them."""
    if plan.views != "auto" or picture is None or checkpoint.supports_vision:
        return plan.document
    return with_tags(plan.document, picture, tagger)


def with_pictures(
    checkpoint: Checkpoint, plan: EncodingPlan, options: EncodingOptions, tagger: Callable[[], Tagger], run: EncodingRun
) -> tuple[EncodingPlan, PageFeatures]:
    """The plan with what the pictures tell, and their features. It is tokenized anew only where they tell something."""
    picture = options.get("picture")
    document = tagged(checkpoint, plan, picture, tagger)
    seen = encode_page_images(
        checkpoint,
        document,
        picture,
        pan_and_scan=options.get("pan_and_scan", False),
        report=run.report,
        cancelled=options.get("cancelled"),
    )
    if document == plan.document and all(pictures == 1 for pictures in seen.images.values()):
        return plan, seen
    return replace(plan, document=document, tokens=_tokens(checkpoint, document, seen.images)), seen


def _tokens(checkpoint: Checkpoint, document: Document, images: Mapping[int, int]) -> TokenMap:
    """images: page number -> how many pictures of that page enter."""
    special = image_tokens(checkpoint.model) if checkpoint.supports_vision else None
    return tokenize(document, checkpoint.tokenizer, special, images)
