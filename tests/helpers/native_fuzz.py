"""Native code over random shapes, as a program of its own: `test_address_sanitizer.py` runs it under AddressSanitizer.

What it reads of a document lies flush against memory that nobody may touch, because the sanitizer does not see what
matrix tiles load and store. It prints each shape before it is tried: the last line tells which one was fatal.
"""

from __future__ import annotations

import ctypes
import mmap
import random
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import torch

from model.decoder.decoder import Decoder, DecoderParts
from model.encoder.encoder import encode_chunk
from model.encoding.memory import build_memory, to_precision
from model.kernels.build import Build
from model.kernels.library import load_library
from model.kernels.output_head import NativeOutputHead
from model.kernels.parts import NativeParts, load_native_parts
from model.network.t5gemma2 import T5Gemma2
from model.types import Memory
from tests.helpers.tiny import tiled_config, tiny_config, tiny_model

SANITIZED = Build(options=("-O1", "-g", "-fsanitize=address"))
HEADS = ((4, 1), (4, 2), (2, 2))
NO_ACCESS = 0
DOCUMENT_LENGTHS = (1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 130)


def fenced(tensor: torch.Tensor) -> torch.Tensor:
    """A copy whose last number is the last before a page that nobody may read or write."""
    size = tensor.nbytes + -tensor.nbytes % mmap.PAGESIZE
    room = mmap.mmap(-1, size + mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    copy = torch.frombuffer(room, dtype=tensor.dtype, offset=size - tensor.nbytes, count=tensor.numel())
    begin = ctypes.addressof(ctypes.c_char.from_buffer(room))
    protect = ctypes.CDLL(None, use_errno=True).mprotect
    if protect(ctypes.c_void_p(begin + size), ctypes.c_size_t(mmap.PAGESIZE), NO_ACCESS):
        raise OSError(ctypes.get_errno(), "mprotect")
    return copy.view(tensor.shape).copy_(tensor)


def fenced_memory(memory: Memory) -> Memory:
    tensors = {field.name: getattr(memory, field.name) for field in fields(memory)}
    return Memory(**{name: None if tensor is None else fenced(tensor) for name, tensor in tensors.items()})


def models() -> list[T5Gemma2]:
    """In float32, and in bfloat16 with sizes that matrix tiles take, of states and weights in int8 as well."""
    made = [tiny_model(tiny_config(heads=heads, key_heads=key_heads)) for heads, key_heads in HEADS]
    for heads, key_heads in HEADS:
        config = tiled_config(heads=heads, key_heads=key_heads)
        config.decoder.intermediate_size, config.decoder.head_dim = 128, 64
        made.append(tiny_model(config).bfloat16())
    return made


def read(model: T5Gemma2, native: NativeParts, chance: random.Random) -> list[Memory]:
    """Some documents, read by native code; in int8 where it takes that."""
    lengths = [chance.choice(DOCUMENT_LENGTHS) for _ in range(chance.randint(1, 3))]
    in_int8 = chance.random() < 0.5
    print(f"reads {lengths}, int8: {in_int8}", flush=True)
    memories = []
    for length in lengths:
        ids = torch.tensor([chance.randrange(7, 400) for _ in range(length)])
        hidden = encode_chunk(model, ids, native=native)
        memories.append(build_memory(model, hidden, native.key_inv_rms))
    layers = native.decoder_layers
    smaller = [to_precision(memory, "int8") for memory in memories]
    takes = in_int8 and layers is not None and layers.accepts(smaller)
    return [fenced_memory(memory) for memory in (smaller if takes else memories)]


def answer(model: T5Gemma2, native: NativeParts, memories: Sequence[Memory], chance: random.Random) -> None:
    """Some questions to them, some tokens each."""
    questions, tokens = chance.randint(1, 5), chance.randint(1, 3)
    prompts = [[2] * chance.randint(1, 20) for _ in range(questions)]
    shown = None
    if chance.random() < 0.5:
        total = sum(len(memory.hidden) for memory in memories)
        shown = fenced(torch.tensor([[chance.random() < 0.5 for _ in range(total)] for _ in prompts]))
    torch.set_num_threads(chance.randint(1, 3))
    print(f"answers {list(map(len, prompts))}, {tokens} tokens, shown: {shown is not None}", flush=True)
    parts = DecoderParts(layers=native.decoder_layers)
    capacity = max(map(len, prompts)) + tokens
    decoder = Decoder(
        model, memories, questions, capacity, parts, visible_mask=shown, return_attention=chance.random() < 0.5
    )
    decoder.begin(prompts)
    for _ in range(tokens):
        decoder.step([9] * questions)


def head(code: ctypes.CDLL, chance: random.Random) -> None:
    """The largest logits of some rows."""
    shape, rows = (32 * chance.randint(1, 90), 64 * chance.randint(1, 3)), chance.randint(1, NativeOutputHead.MOST_ROWS)
    print(f"output head {shape}, rows {rows}", flush=True)
    weight = torch.randn(shape).bfloat16()
    if NativeOutputHead.supports(code, weight):
        NativeOutputHead(code, fenced(weight))(fenced(torch.randn(rows, shape[1])))


@torch.inference_mode()
def main(folder: Path, rounds: int) -> None:
    code = load_library(folder, SANITIZED)
    chance = random.Random(1)
    torch.manual_seed(1)
    for model in models():
        for quantized in (False, True):
            native = load_native_parts(model, folder, quantized=quantized, build=SANITIZED)
            print(f"{model.dtype}, quantized: {quantized}, tiles: {native.encoder_layers is not None}", flush=True)
            for _ in range(rounds):
                answer(model, native, read(model, native, chance), chance)
                head(code, chance)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
    print("all shapes are sound")
