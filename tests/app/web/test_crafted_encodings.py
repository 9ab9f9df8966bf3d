"""Encodings that somebody has crafted or damaged, dropped on the running page: refused in words, or answered.

Each kind has its own test on values in `tests/model/encoding/`; here the whole product meets one of each.
"""

from __future__ import annotations

import random
from html import unescape
from pathlib import Path

import pytest

from app.bench.visitors import Person, Refused, Wiring, connected, wiring_of
from model.checkpoints.checkpoint import Checkpoint
from model.engine import Engine
from tests.helpers.awaited import awaited
from tests.helpers.crafted import Change, a_document, crafted, saved, unchanged, with_field, with_tensor
from tests.helpers.encoding_lies import FIELDS, TENSORS, everywhere
from tests.helpers.web_client import WebClient

FITTING: dict[str, Change] = {  # a schema holds them, and the checkpoint can use them
    "as it was": unchanged,
    "markup for a name": with_field("<img src=x onerror=x()>.pdf", "document", "name"),
    "states of zero": with_tensor("memory.hidden", everywhere(-0.0)),
    "tokens on no page": with_tensor("tokens.ids", everywhere(5)),
}
MISFITS: dict[str, tuple[Change, str]] = {  # nothing of them is wrong but that they are of another checkpoint
    "another checkpoint's": (with_field("0" * 32, "fingerprint"), "read the document again"),
    "narrow states": (with_tensor("memory.hidden", lambda states: states[:, :16]), "the checkpoint in use has"),
    "a layer less": (with_tensor("memory.key_scales", lambda scales: scales[1:]), "the checkpoint in use has"),
    "more key heads": (with_tensor("memory.key_scales", lambda s: s.repeat(1, 7, 1)), "the checkpoint in use has"),
    "unknown tokens": (with_tensor("tokens.ids", everywhere(2**31 - 1)), "the checkpoint in use knows"),
}


@pytest.fixture(scope="module")
def data(tiny_checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return saved(Engine(tiny_checkpoint).encode(a_document()), tmp_path_factory.mktemp("saved"))


async def said(address: str, wiring: Wiring, data: bytes) -> str:
    """What a person is told who drops the file and asks; empty for an answer."""
    async with connected(address, wiring) as connection:
        person = Person(connection)
        await person.open()
        try:
            await person.read("report.safetensors", data)
            await person.ask("Who?")
        except Refused as refusal:
            return unescape(str(refusal))
    return ""


def told(address: str, files: dict[str, bytes]) -> dict[str, str]:
    """The same of each file, by its name."""

    async def all_of_them() -> dict[str, str]:
        wiring = await wiring_of(address)
        return {name: await said(address, wiring, data) for name, data in files.items()}

    return awaited(all_of_them())


def damaged(data: bytes, seed: int) -> bytes:
    """Some bytes of it are others, are gone, or have come in."""
    rng, changed = random.Random(seed), bytearray(data)
    place = rng.randrange(len(data))
    if seed % 3 == 0:
        changed[place] ^= 1 << rng.randrange(8)
    elif seed % 3 == 1:
        del changed[place : place + rng.choice((1, 64, len(data)))]
    else:
        changed[place:place] = rng.randbytes(rng.choice((1, 64)))
    return bytes(changed)


def one_of_each() -> dict[str, Change]:
    """Every lie of a tensor, and of each field the first."""
    lies = {kind: change for kind, (change, _) in FIELDS.items() if "bfloat16" not in kind}  # which here is the truth
    fields = {kind.partition(" is ")[0]: change for kind, change in reversed(lies.items())}
    return {kind: change for kind, (change, _) in TENSORS.items()} | fields


def test_each_is_refused_in_words_or_answered(app: str, app_log: Path, data: bytes) -> None:
    refused = {kind: crafted(data, change) for kind, change in one_of_each().items()}
    refused |= {f"damaged {seed}": damaged(data, seed) for seed in range(30)}
    for kind, words in told(app, refused).items():
        assert words.startswith("report.safetensors ") and words.endswith(("again.", "wrote.")), (kind, words)
    former = told(app, {"former": crafted(data, unchanged, version="1")})["former"]
    assert former == "report.safetensors has format version 1, this program reads 2: read the document again."

    misfits = told(app, {kind: crafted(data, change) for kind, (change, _) in MISFITS.items()})
    assert [kind for kind, words in misfits.items() if MISFITS[kind][1] not in words] == []
    assert set(told(app, {kind: crafted(data, change) for kind, change in FITTING.items()}).values()) == {""}
    log = app_log.read_text(errors="replace")
    assert "Traceback" not in log and "fault" not in log


def test_programs_are_told_that_an_encoding_is_no_document(program: WebClient, data: bytes) -> None:
    for change in (unchanged, TENSORS["no key heads"][0]):
        path = program.upload("report.safetensors", crafted(data, change))
        file = {"path": path, "meta": {"_type": "gradio.FileData"}}
        answer = program.call("encode", file, "", "")
        assert answer.event == "error" and "report.safetensors" in answer.text and "fault" not in answer.text
