"""Pictures of pages as tokens of the encoder: SigLIP's patches, pooled to 256 a picture and projected.

The tower and the projector are transformers' own. A picture is computed once, whatever chunks it falls into; in
the encoder its tokens attend and are attended to like any others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from numpy.typing import NDArray

from model.checkpoints.checkpoint import Checkpoint
from model.encoder.vision.page_inputs import no_vision_message
from model.encoding.token_map import ImageTokens
from model.errors import Cancelled, CheckpointError
from model.types import CancelledCallback, Document, Progress, ProgressCallback, TokenMap

PictureCallback = Callable[[int], NDArray]
"""A page's number -> its picture, (height, width, 3) uint8, red first."""

# Gemma 3's own settings for pan-and-scan: a picture that is not nearly square is seen whole and in 2 to 4 crops.
PAN_AND_SCAN = {
    "do_pan_and_scan": True,
    "pan_and_scan_min_crop_size": 256,
    "pan_and_scan_max_num_crops": 4,
    "pan_and_scan_min_ratio_to_activate": 1.2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFeatures:
    """A document's image features: (N, H), one for each image token in the document's order."""

    features: torch.Tensor | None = None
    images: Mapping[int, int] = field(default_factory=dict)  # page number -> pictures of it: the page, then its crops
    image_token: int = -1

    def within(self, stream: TokenMap, start: int, end: int) -> torch.Tensor | None:
        """The features of the image tokens of the chunk [start, end) of the document's tokens."""
        if self.features is None:
            return None
        is_image = stream.ids == self.image_token
        before, inside = int(is_image[:start].sum()), int(is_image[start:end].sum())
        return self.features[before : before + inside]


def image_tokens(model: Any) -> ImageTokens:
    """The ids of a picture's tokens in a model with a vision tower."""
    config = model.config.encoder
    return ImageTokens(
        begin=config.boi_token_index,
        soft=config.image_token_index,
        end=config.eoi_token_index,
        count=config.mm_tokens_per_image,
    )


@torch.inference_mode()
def picture_features(checkpoint: Checkpoint, picture: NDArray, *, pan_and_scan: bool = False) -> torch.Tensor:
    """One picture, (height, width, 3) uint8 -> (1 + crops, tokens an image, H)."""
    if checkpoint.image_processor is None:
        raise CheckpointError(no_vision_message(checkpoint.name))
    prepared = checkpoint.image_processor(
        images=[picture],
        input_data_format="channels_last",
        return_tensors="pt",
        **(PAN_AND_SCAN if pan_and_scan else {"do_pan_and_scan": False}),
    )
    pixels = prepared["pixel_values"].to(checkpoint.device, checkpoint.dtype)
    seen: Any = checkpoint.model.model.encoder.get_image_features(pixels, return_dict=True)
    return seen.pooler_output


def encode_page_images(
    checkpoint: Checkpoint,
    document: Document,
    picture: PictureCallback | None,
    *,
    pan_and_scan: bool,
    report: ProgressCallback,
    cancelled: CancelledCallback | None,
) -> PageFeatures:
    """Encode the pictures of all pages whose view includes one.

    Raises CheckpointError if the checkpoint does not support vision, Cancelled if the person stopped it.
    """
    numbers = [page.number for page in document.pages if page.view != "text"]
    if not numbers:
        return PageFeatures()
    if picture is None:
        raise ValueError(f"{len(numbers)} pages of {document.name} are to be seen, but nobody draws them.")
    seen: dict[int, torch.Tensor] = {}
    for done, number in enumerate(numbers):
        if cancelled is not None and cancelled():
            raise Cancelled("Stopped looking at {name}. What was read of it is not kept.", name=document.name)
        report(Progress(stage="seeing", done=done, total=len(numbers), unit="pages"))
        seen[number] = picture_features(checkpoint, picture(number), pan_and_scan=pan_and_scan)
    report(Progress(stage="seeing", done=len(numbers), total=len(numbers), unit="pages"))
    return PageFeatures(
        features=torch.cat([rows.flatten(0, 1) for rows in seen.values()]),
        images={number: len(rows) for number, rows in seen.items()},
        image_token=image_tokens(checkpoint.model).soft,
    )
