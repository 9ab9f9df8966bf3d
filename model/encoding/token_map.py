"""Tokenizing a document, so that each token knows its page and its characters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from model.errors import DocumentError
from model.types import Document, Page, TokenMap

PAGE_SEPARATOR = "\n\n"
NO_PAGE = 0

# The text that Gemma 3's processor puts before a picture and its crops (pan-and-scan).
WHOLE_IMAGE = "Here is the original image "
CROPS = " and here are some crops to help you see better "


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageTokens:
    """The tokens of a picture: `<start_of_image>`, `count` image tokens, `<end_of_image>`."""

    begin: int
    soft: int
    end: int
    count: int


def encode_text(tokenizer: Tokenizer, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Token ids of `text` without `<bos>`, and the characters [start, end) of each token.

    Special tokens written in the text, such as `<eos>`, are tokenized as ordinary characters (`load_tokenizer`).
    """
    encoding = tokenizer.encode(text, add_special_tokens=False)
    return encoding.ids, encoding.offsets


def tokenize(
    document: Document,
    tokenizer: Tokenizer,
    image_tokens: ImageTokens | None = None,
    images: Mapping[int, int] | None = None,
) -> TokenMap:
    """Tokenize all pages as one sequence, with a blank line between pages. Pages without text have no tokens.

    images: how many pictures each page number has (1, more with crops); their tokens precede the page's text.
    """
    row = _Row(tokenizer)
    for page in document.pages:
        if image_tokens is not None and images and (pictures := images.get(page.number, 0)):
            row.add_images(page, pictures, image_tokens)
        if page.view != "image":
            row.add_text(page)
    return row.finished()


class _Row:
    """Collects the tokens. The white space that follows an image is added only when something comes after it."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._pages: list[int] = []
        self._offsets: list[tuple[int, int]] = []
        self._pending = ""

    def add_text(self, page: Page) -> None:
        ids, offsets = encode_text(self._tokenizer, page.text)
        if ids:
            self._add_glue(self._pending or (PAGE_SEPARATOR if self._ids else ""))
            self._add(ids, page.number, offsets)

    def add_images(self, page: Page, pictures: int, tokens: ImageTokens) -> None:
        """Image tokens as Gemma 3's processor writes them, between blank lines; they cover no characters."""
        words = [""] if pictures == 1 else [WHOLE_IMAGE, CROPS, *[" "] * (pictures - 2)]
        ids = [tokens.begin, *[tokens.soft] * tokens.count, tokens.end]
        if pictures > 1 and self._ids:
            self._pending = self._pending or PAGE_SEPARATOR
        for lead in words:
            self._add_glue(f"{self._pending}{lead}\n\n")
            self._add(ids, page.number, [(0, 0)] * len(ids))
            self._pending = "\n\n"

    def finished(self) -> TokenMap:
        self._add_glue(self._pending)
        places = torch.tensor(self._offsets, dtype=torch.int32).reshape(-1, 2)
        return TokenMap(
            ids=torch.tensor(self._ids, dtype=torch.int32),
            pages=torch.tensor(self._pages, dtype=torch.int32),
            starts=places[:, 0].contiguous(),
            ends=places[:, 1].contiguous(),
        )

    def _add_glue(self, text: str) -> None:
        ids, _ = encode_text(self._tokenizer, text) if text else ([], [])
        self._add(ids, NO_PAGE, [(0, 0)] * len(ids))
        self._pending = ""

    def _add(self, ids: list[int], page: int, offsets: list[tuple[int, int]]) -> None:
        self._ids += ids
        self._pages += [page] * len(ids)
        self._offsets += offsets


def select(tokens: TokenMap, first: int, last: int, bos: int) -> TokenMap:
    """Tokens [first, last) preceded by the `<bos>` of their chunk, which is on no page."""

    def after(value: int, row: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.tensor([value], dtype=torch.int32), row[first:last]])

    return TokenMap(
        ids=after(bos, tokens.ids),
        pages=after(NO_PAGE, tokens.pages),
        starts=after(0, tokens.starts),
        ends=after(0, tokens.ends),
    )


def join(maps: list[TokenMap]) -> TokenMap:
    """Concatenate token maps, as the memories that they describe are concatenated."""
    return TokenMap(
        ids=torch.cat([tokens.ids for tokens in maps]),
        pages=torch.cat([tokens.pages for tokens in maps]),
        starts=torch.cat([tokens.starts for tokens in maps]),
        ends=torch.cat([tokens.ends for tokens in maps]),
    )


def no_text(document: Document) -> DocumentError:
    """The error for a document that has no tokens."""
    unread = sum(page.unread_boxes for page in document.pages)
    if unread:
        return DocumentError(
            "{name} has {pages} pages and no text ({n} places with writing that could not be read): choose a document"
            " with text, or a sharper scan in a script that the text recognition knows.",
            name=document.name,
            pages=len(document.pages),
            n=unread,
        )
    return DocumentError(
        "{name} has {pages} pages and no text: choose a document with text, or a sharper scan in a script that the"
        " text recognition knows.",
        name=document.name,
        pages=len(document.pages),
    )
