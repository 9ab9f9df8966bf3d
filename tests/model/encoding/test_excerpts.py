"""An excerpt is an encoding of some passages: the same rows, and nothing of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from model.encoding.excerpt import Span, excerpt
from model.encoding.file_format import save_encoding
from model.encoding.mapped import map_encoding, map_memory
from model.engine import Engine
from model.types import GenerationOptions
from tests.helpers.tiny import document, last, tiny_checkpoint

PAGES = ("The lamp was lit in 1871. Its keeper was Omar Haddad.", "The harbour opened", "in 1920. It is closed.")


def test_the_rows_of_a_span_and_the_first_one() -> None:
    encoded = Engine(tiny_checkpoint()).encode(document(*PAGES))
    small = excerpt(encoded, [Span(first_page=1, start=26, last_page=1, end=53)])
    rows = (encoded.tokens.pages == 1) & (encoded.tokens.ends > 26) & (encoded.tokens.starts < 53)
    rows[0] = True
    assert torch.equal(small.memory.hidden, encoded.memory.hidden[rows])
    assert torch.equal(small.memory.key_inv_rms, encoded.memory.key_inv_rms[..., rows])
    assert torch.equal(small.tokens.ids, encoded.tokens.ids[rows])
    assert [page.number for page in small.document.pages] == [1]


def test_a_span_may_go_over_a_page_break() -> None:
    encoded = Engine(tiny_checkpoint()).encode(document(*PAGES))
    small = excerpt(encoded, [Span(first_page=2, start=0, last_page=3, end=8)])
    assert [page.number for page in small.document.pages] == [2, 3]
    assert set(small.tokens.pages.tolist()) == {0, 2, 3}


def test_all_spans_of_a_document_give_its_own_answer() -> None:
    engine = Engine(tiny_checkpoint(), memory_precision="int8")
    encoded = engine.encode(document(*PAGES))
    whole = excerpt(encoded, [Span(first_page=1, start=0, last_page=3, end=len(PAGES[2]))])
    options = GenerationOptions(max_new_tokens=8)
    ours, theirs = (last(engine.answer(one, "Who?", options=options)) for one in (whole, encoded))
    assert (ours.text, ours.evidence) == (theirs.text, theirs.evidence)


def test_a_mapped_encoding_is_the_saved_one(tmp_path: Path) -> None:
    encoded = Engine(tiny_checkpoint(), memory_precision="int8").encode(document(*PAGES))
    save_encoding(encoded, path := tmp_path / "a.safetensors")
    mapped = map_encoding(path, size_bytes=path.stat().st_size)
    assert mapped.document == encoded.document
    assert replace(mapped, memory=encoded.memory, tokens=encoded.tokens) == encoded
    memory, tokens = map_memory(path, size_bytes=path.stat().st_size)
    for ours in (mapped.memory, memory):
        assert torch.equal(ours.hidden, encoded.memory.hidden)
        assert torch.equal(ours.key_inv_rms, encoded.memory.key_inv_rms)
    assert torch.equal(tokens.ids, encoded.tokens.ids) and torch.equal(tokens.pages, encoded.tokens.pages)
