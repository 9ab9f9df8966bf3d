"""What a crafted encoding may claim that is not so: each kind of lie, and words of its refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tests.helpers.crafted import (
    Change,
    with_field,
    with_tensor,
)


def everywhere(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda tensor: torch.full_like(tensor, value)


def at_the_end(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """One number of all."""

    def new(tensor: torch.Tensor) -> torch.Tensor:
        tensor = tensor.clone()
        tensor.view(-1)[-1] = value
        return tensor

    return new


TENSORS: dict[str, tuple[Change, str]] = {
    "no key heads": (with_tensor("memory.key_scales", lambda t: t[:, :0]), "0 key heads"),
    "no layers": (with_tensor("memory.key_scales", lambda t: t[:0]), "0 layers"),
    "no channels": (with_tensor("memory.hidden", lambda t: t[:, :0]), "0 channels"),
    "fewer scales": (with_tensor("memory.key_scales", lambda t: t[..., 1:]), "tokens, not"),
    "fewer tokens": (with_tensor("tokens.ids", lambda t: t[1:]), "tokens, not"),
    "a dimension more": (with_tensor("memory.hidden", lambda t: t[None]), "3 dimensions, not 2"),
    "a dimension less": (with_tensor("words.spans", lambda t: t.flatten()), "1 dimensions, not 2"),
    "a column less": (with_tensor("words.boxes", lambda t: t[:, 1:]), "3 numbers a row"),
    "a word less": (with_tensor("words.spans", lambda t: t[1:]), "1 words, not 2"),
    "other numbers": (with_tensor("memory.hidden", lambda t: t.half()), "float16, not torch.float32"),
    "longer numbers": (with_tensor("tokens.ids", lambda t: t.long()), "int64, not torch.int32"),
    "a state that is none": (with_tensor("memory.hidden", at_the_end(torch.nan)), "nan"),
    "endless states": (with_tensor("memory.hidden", everywhere(-torch.inf)), "-inf"),
    "states whose products have no end": (with_tensor("memory.hidden", everywhere(3e38)), "3e\\+38"),
    "a key's norm of nothing": (with_tensor("memory.key_scales", at_the_end(0)), "from 0 to"),
    "a key's norm below nothing": (with_tensor("memory.key_scales", lambda t: -t), "memory.key_scales has numbers"),
    "a token below the first": (with_tensor("tokens.ids", at_the_end(-1)), "tokens.ids has numbers from -1"),
    "a page that is not there": (with_tensor("tokens.pages", at_the_end(77)), "page 77, which is not there"),
    "a page below the first": (with_tensor("tokens.pages", at_the_end(-1)), "page -1, which is not there"),
    "a token behind its text": (with_tensor("tokens.ends", at_the_end(2**31 - 1)), "of page 3, which has 10"),
    "a token before its text": (with_tensor("tokens.starts", everywhere(-3)), "characters -3 to"),
    "a token that ends before it begins": (with_tensor("tokens.starts", at_the_end(2**31 - 1)), "2147483647 to"),
    "a token on no page with a place": (with_tensor("tokens.pages", everywhere(0)), "of page 0, which has 0"),
    "words behind their text": (with_tensor("words.spans", lambda t: t + 9_000), "words.spans has numbers"),
    "words in another order": (with_tensor("words.spans", lambda t: t.flip(0)), "a word of page 1 lies at"),
    "words of no length": (with_tensor("words.spans", everywhere(0)), "characters 0 to 0"),
    "half hidden words": (with_tensor("words.spans", lambda t: t.index_fill(1, torch.tensor(2), 2)), "from 2 to 2"),
    "boxes without numbers": (with_tensor("words.boxes", everywhere(torch.nan)), "words.boxes has numbers"),
    "boxes beside the page": (with_tensor("words.boxes", lambda t: t - 0.2), "beyond 0 to 1"),
    "a tensor more": (lambda tensors, _: tensors.update({"memory.extra": torch.zeros(3)}), "'memory.extra' is not"),
    "a tensor less": (lambda tensors, _: tensors.pop("tokens.ids"), "'tokens.ids' is missing"),  # type: ignore[dict-item, return-value]
    "scales of int8 without it": (
        lambda tensors, _: tensors.update({"memory.hidden_scales": torch.ones(len(tensors["memory.hidden"]))}),
        "'memory.hidden_scales' is not expected",
    ),
}

OF_A_PAGE: dict[str, tuple[str, tuple[Any, ...]]] = {
    "number": (r"pages\[0\].number|page 2 comes behind", ("<b>", 1.5, 0, -1, 10**30, None, [1], True, 2)),
    "text": ("text|a token stands", (5, ["a"] * 9, "x", "\ud800" * 400, None)),
    "width": ("width", ("1;background:url(x)", 0, -1, 1e300, [595], True)),
    "height": ("height", (None, 10**400)),
    "source": ("source", ("<b>", "", None, ["ocr"], 1)),
    "view": ("view", ("<b>", {}, "TEXT")),
    "unread_boxes": ("unread_boxes", ("<b>", -1, 0.5, 10**9, False)),
    "figures": ("figures", ("x", -0.1, 1.1)),
    "unread_parts": ("unread_parts", (None, "notes", ["<b>"], [1])),
    "label": ("label", (None, 5, "x" * 10_001)),
    "remark": ("remark", (["x"],)),
    "words": ("words", (-1, 1, 3, 10**9, 2.0, "2")),
    "evil": ("unknown 'evil'", (1,)),
}
OF_A_DOCUMENT: dict[str, tuple[str, tuple[Any, ...]]] = {
    "name": ("name", ("", "../../x", "a\\b", "a\0b", "a\nb", "n" * 256, ["a"], "\udc80")),
    "sha256": ("sha256", ("", "A" * 64, '"><img src=x>', "0" * 63, 0)),
    "pages": ("pages", ([], None, {}, "pages", [None])),
}
OF_AN_ENCODING: dict[str, tuple[str, tuple[Any, ...]]] = {
    "fingerprint": ("fingerprint", ("", [1], "a b", "f" * 65, None)),
    "precision": ("precision|float32|channel_scales", ("bfloat16", "complex64", "int8", ["x"], None)),
    "chunks": ("chunks", (0, -1, 1.0, True, "1", 10**12)),
    "encode_seconds": ("encode_seconds", (-1, "x", None, 1e12)),
    "document": ("document", (None, [], "x")),
    "evil": ("unknown 'evil'", (1,)),
}
FIELDS: dict[str, tuple[Change, str]] = {
    f"{'.'.join(map(str, path))} is {value!r:.30}": (with_field(value, *path), words)
    for place, kinds in (
        (("document", "pages", 0), OF_A_PAGE), (("document",), OF_A_DOCUMENT), ((), OF_AN_ENCODING),
    )
    for name, (words, values) in kinds.items()
    for value in values
    for path in ((*place, name),)
}  # fmt: skip
