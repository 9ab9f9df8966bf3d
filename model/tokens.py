"""Document -> tokens that know their place: which page, and which characters of it."""

from __future__ import annotations

import torch
from transformers import PreTrainedTokenizerFast

from model.types import Document, TokenMap

PAGE_SEPARATOR = "\n\n"
NO_PAGE = 0


def encode_text(tokenizer: PreTrainedTokenizerFast, text: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Token ids of `text` and the characters that each stands for, without `<bos>`.

    The text is foreign: a `<eos>` or `<start_of_image>` written in it stays ordinary characters.
    """
    encoding = tokenizer(text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True)
    return encoding["input_ids"], encoding["offset_mapping"]


def tokenise(document: Document, tokenizer: PreTrainedTokenizerFast) -> TokenMap:
    """All pages as one row of tokens, with a blank line between two pages. Pages without text have no tokens."""
    ids: list[int] = []
    pages: list[int] = []
    offsets: list[tuple[int, int]] = []
    separator, _ = encode_text(tokenizer, PAGE_SEPARATOR)
    for page in document.pages:
        page_ids, page_offsets = encode_text(tokenizer, page.text)
        if not page_ids:
            continue
        between = separator if ids else []
        ids += [*between, *page_ids]
        pages += [NO_PAGE] * len(between) + [page.number] * len(page_ids)
        offsets += [(0, 0)] * len(between) + page_offsets
    places = torch.tensor(offsets, dtype=torch.int32).reshape(-1, 2)
    return TokenMap(
        ids=torch.tensor(ids, dtype=torch.int32),
        pages=torch.tensor(pages, dtype=torch.int32),
        starts=places[:, 0].contiguous(),
        ends=places[:, 1].contiguous(),
    )


def select(tokens: TokenMap, first: int, last: int, bos: int) -> TokenMap:
    """Tokens [first, last) behind the `<bos>` of their window, which stands on no page."""

    def after(value: int, row: torch.Tensor) -> torch.Tensor:
        return torch.cat([torch.tensor([value], dtype=torch.int32), row[first:last]])

    return TokenMap(
        ids=after(bos, tokens.ids),
        pages=after(NO_PAGE, tokens.pages),
        starts=after(0, tokens.starts),
        ends=after(0, tokens.ends),
    )


def join(maps: list[TokenMap]) -> TokenMap:
    """Token maps one behind the other, as the memories that they describe are joined."""
    return TokenMap(
        ids=torch.cat([tokens.ids for tokens in maps]),
        pages=torch.cat([tokens.pages for tokens in maps]),
        starts=torch.cat([tokens.starts for tokens in maps]),
        ends=torch.cat([tokens.ends for tokens in maps]),
    )
