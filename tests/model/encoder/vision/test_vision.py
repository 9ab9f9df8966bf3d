"""Pictures of pages in the encoder, against transformers' own encoder and processor on the same weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from transformers import Gemma3Processor, PreTrainedTokenizerFast

from model.checkpoints.checkpoint import Checkpoint
from model.encoder.vision.features import PAN_AND_SCAN, image_tokens
from model.encoder.vision.page_inputs import choose_views
from model.encoding.token_map import CROPS, WHOLE_IMAGE, encode_text
from model.engine import Engine
from model.errors import Cancelled, CheckpointError
from model.types import Document, Page, PageView, Progress
from tests.helpers.tiny import TEXT, document, tiny_checkpoint, tiny_tokenizer

TOLERANCE = 1e-4
PORTRAIT, SQUARE = (600, 300), (320, 320)  # height, width: the first is seen in two crops by pan-and-scan


@pytest.fixture(autouse=True)
def no_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return tiny_checkpoint()


def picture(number: int, size: tuple[int, int] = SQUARE) -> NDArray:
    """A picture of noise, another one for each page."""
    return np.random.default_rng(number).integers(0, 256, (*size, 3), np.uint8)


def pages(*views: tuple[str, PageView]) -> Document:
    read = document(*(text for text, _ in views))
    return replace(
        read, pages=tuple(replace(page, view=view) for page, (_, view) in zip(read.pages, views, strict=True))
    )


def expected_states(
    checkpoint: Checkpoint, ids: torch.Tensor, pictures: list[NDArray], **options: object
) -> torch.Tensor:
    prepared = checkpoint.image_processor(
        images=pictures, input_data_format="channels_last", return_tensors="pt", **options
    )
    output = checkpoint.model.model.encoder(input_ids=ids[None].long(), pixel_values=prepared["pixel_values"])
    return output.last_hidden_state[0]


@pytest.mark.parametrize(
    "views",
    [
        [("One page of text.", "text")],
        [("", "image")],
        [("", "image"), ("", "image"), ("", "image")],
        [("Text before.", "text"), ("", "image"), (TEXT, "text"), ("A caption.", "both"), ("Text after.", "text")],
    ],
    ids=["text only", "one image", "several images", "images between pages of text"],
)
def test_states_equal_transformers(checkpoint: Checkpoint, views: list[tuple[str, PageView]]) -> None:
    read = pages(*views)
    encoded = Engine(checkpoint).encode(read, picture=picture)
    seen = [picture(page.number) for page in read.pages if page.view != "text"]
    ids = encoded.tokens.ids
    theirs = (
        expected_states(checkpoint, ids, seen)
        if seen
        else checkpoint.model.model.encoder(input_ids=ids[None].long()).last_hidden_state[0]
    )
    assert (encoded.memory.hidden - theirs).abs().max() < TOLERANCE


def test_states_equal_transformers_with_pan_and_scan(checkpoint: Checkpoint) -> None:
    def draw(number: int) -> NDArray:
        return picture(number, PORTRAIT)

    encoded = Engine(checkpoint).encode(
        pages(("Before.", "text"), ("A page.", "both"), ("", "image")), picture=draw, pan_and_scan=True
    )
    theirs = expected_states(checkpoint, encoded.tokens.ids, [draw(2), draw(3)], **PAN_AND_SCAN)
    assert (encoded.memory.hidden - theirs).abs().max() < TOLERANCE
    assert int((encoded.tokens.ids == image_tokens(checkpoint.model).soft).sum()) == 2 * 3 * 256


@pytest.mark.parametrize("pan_and_scan", [False, True])
def test_tokens_equal_those_of_transformers_processor(checkpoint: Checkpoint, pan_and_scan: bool) -> None:
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer(), bos_token="<bos>")
    for name, token in {"boi": "<start_of_image>", "eoi": "<end_of_image>", "image": "<image_soft_token>"}.items():
        setattr(tokenizer, f"{name}_token", token)
        setattr(tokenizer, f"{name}_token_id", tokenizer.convert_tokens_to_ids(token))
    processor = Gemma3Processor(checkpoint.image_processor, tokenizer)
    theirs = processor(
        text="<start_of_image>The first page.<start_of_image>",
        images=[picture(1, PORTRAIT), picture(2, SQUARE)],
        images_kwargs=PAN_AND_SCAN | {"do_pan_and_scan": pan_and_scan},
    )
    sizes = {1: PORTRAIT, 2: SQUARE}
    encoded = Engine(checkpoint).encode(
        pages(("The first page.", "both"), ("", "image")),
        picture=lambda number: picture(number, sizes[number]),
        pan_and_scan=pan_and_scan,
    )
    assert encoded.tokens.ids.tolist() == list(theirs["input_ids"][0])


def test_every_picture_is_drawn_and_seen_once(checkpoint: Checkpoint) -> None:
    """Also where windows overlap in the middle of it."""
    drawn: list[int] = []
    told: list[Progress] = []

    def draw(number: int) -> NDArray:
        drawn.append(number)
        return picture(number)

    short = replace(checkpoint, chunk_size=200, chunk_overlap=40)
    read = pages((TEXT, "both"), (TEXT, "text"), ("", "image"))
    encoded = Engine(short).encode(read, picture=draw, progress=told.append)
    assert drawn == [1, 3] and encoded.chunks > 4
    assert [(step.done, step.total) for step in told if step.stage == "seeing"] == [(0, 2), (1, 2), (2, 2)]
    soft = image_tokens(checkpoint.model).soft
    assert int((encoded.tokens.ids == soft).sum()) == 2 * 256
    assert set(encoded.tokens.pages[encoded.tokens.ids == soft].tolist()) == {1, 3}


def test_looking_can_be_stopped(checkpoint: Checkpoint) -> None:
    with pytest.raises(Cancelled):
        Engine(checkpoint).encode(pages(("", "image")), picture=picture, cancelled=lambda: True)


def test_a_checkpoint_without_eyes_says_so(checkpoint: Checkpoint) -> None:
    blind = replace(checkpoint, name="embedded", image_processor=None)
    with pytest.raises(CheckpointError, match=r"embedded cannot see pictures.*--pages text"):
        Engine(blind).encode(pages(("", "image")), picture=picture)


def test_an_image_token_written_in_a_text_stays_text(checkpoint: Checkpoint) -> None:
    soft = image_tokens(checkpoint.model).soft
    ids, _ = encode_text(checkpoint.tokenizer, "<image_soft_token><start_of_image>" + WHOLE_IMAGE + CROPS)
    assert soft not in ids


def page(number: int, text: str = "x" * 400, **about: object) -> Page:
    return Page(number=number, text=text, words=(), width=595, height=842, **about)  # type: ignore[arg-type]


def test_auto_looks_where_the_text_says_least() -> None:
    read = Document(
        name="a.pdf",
        sha256="a",
        pages=(
            page(1),
            page(2, "", figures=1.0),
            page(3, source="ocr", unread_boxes=3),
            page(4, figures=0.6),
            page(5, figures=0.1),
            page(6, ""),  # a blank page shows nothing
            page(7, source="ocr"),
        ),
    )
    seen = choose_views(read, "auto", most_pictures=10)
    assert [page.view for page in seen.pages] == ["text", "image", "both", "both", "text", "text", "both"]
    tight = choose_views(read, "auto", most_pictures=2)
    assert [page.number for page in tight.pages if page.view != "text"] == [2, 3]
    assert [page.view for page in choose_views(read, "image", most_pictures=0).pages] == ["image"] * 7
