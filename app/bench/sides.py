"""One side of the speed benchmark, in a process of its own: `app.bench.sides SIDE MODEL TOKENS WINDOW STATES`.

Both sides read the same text, are asked questions of 16 tokens (the last one counts, the same for both) and write 32
tokens. Our side keeps the document in int8 where READONCE_PRECISION says so, and leaves its encoder states in the file
STATES; where transformers' own reading would take too long, or we read in several chunks, it answers from those. The
last line on standard output is what was measured, as JSON.
"""

from __future__ import annotations

import itertools
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers.modeling_outputs import BaseModelOutput

from app.settings import Settings
from model.answering.prompts import end_tokens
from model.checkpoints import EMBEDDED, load_checkpoint
from model.checkpoints.checkpoint import Checkpoint
from model.checkpoints.embedded import embedded_folder
from model.decoder.decoder import Decoder, DecoderParts
from model.decoder.output_head import OutputHead
from model.encoder.encoder import chunks_in_parallel, encode_chunk
from model.encoding.chunks import Chunk, plan_chunks
from model.encoding.memory import build_memory, join_memories, to_device, to_precision
from model.encoding.token_map import encode_text
from model.kernels.parts import NativeParts, load_native_parts
from model.network.threads import parallel_map
from model.network.topk import likeliest
from model.types import Memory

QUESTION = "Question: Under which licence may this work be copied, changed and passed on?\nAnswer:"
QUESTION_TOKENS = 16
ANSWER_TOKENS = 32
QUESTIONS = 16  # in a batch
PROBED = 2048  # tokens by which transformers' time for all is estimated: it grows with their square
MOST_SECONDS = 900  # that transformers may read by that estimate
TEXTS = ("LICENSE", "NOTICE", "README.md")  # long, real, and here on every machine
ROOT = Path(__file__).resolve().parents[2]
KIBIBYTE = 1024


def document_ids(checkpoint: Checkpoint, tokens: int) -> torch.Tensor:
    """So many tokens of real text behind `<bos>`, repeated as often as needed."""
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in TEXTS)
    ids, _ = encode_text(checkpoint.tokenizer, text)
    row = list(itertools.islice(itertools.cycle(ids), tokens - 1))
    return torch.tensor([checkpoint.bos, *row], device=checkpoint.device)


def question_ids(checkpoint: Checkpoint) -> list[int]:
    ids, _ = encode_text(checkpoint.tokenizer, QUESTION)
    return [checkpoint.bos, *ids[: QUESTION_TOKENS - 3], *ids[-2:]]


def timed(work: Callable[[], Any], device: torch.device) -> tuple[Any, float]:
    """What the work gives, and its seconds."""
    wait_for(device)
    started = time.perf_counter()
    result = work()
    wait_for(device)
    return result, time.perf_counter() - started


def wait_for(device: torch.device) -> None:
    """Until a GPU has done what it was given: it is not finished when a call returns."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIBIBYTE


def encode(checkpoint: Checkpoint, ids: torch.Tensor, chunk: int, native: NativeParts) -> Memory:
    """In one chunk, or in joined chunks of that many tokens."""
    if not chunk:
        return build_memory(checkpoint.model, encode_chunk(checkpoint.model, ids, native=native), native.key_inv_rms)

    def read(part: Chunk) -> Memory:
        piece = torch.cat([ids[:1], ids[1 + part.start : 1 + part.end]])
        states = encode_chunk(checkpoint.model, piece, native=native)
        return build_memory(checkpoint.model, part.kept_rows(states), native.key_inv_rms)

    parts = plan_chunks(len(ids) - 1, chunk - 1, chunk // 16)
    aside = chunks_in_parallel(chunk, ids.device)  # as the engine reads
    return join_memories(list(parallel_map(read, parts) if aside else map(read, parts)))


def answer(decoder: Decoder, prompts: list[list[int]], ends: list[int]) -> tuple[list[int], list[float]]:
    """Greedy tokens of the first answer, which never ends, and the seconds that each took."""
    greedy, seconds = list[int](), list[float]()
    while len(greedy) < ANSWER_TOKENS:
        started = time.perf_counter()
        output = decoder.step([greedy[-1]] * len(prompts)) if greedy else decoder.begin(prompts)
        greedy.append(best(output.logits[0], ends))
        seconds.append(time.perf_counter() - started)
    return greedy, seconds


def evidence_percent(return_attention: Decoder, blind: Decoder, prompt: list[int], device: torch.device) -> float:
    """What evidence adds to the time of a token. The two take turns, so that a busy machine slows both alike."""
    taken: tuple[list[float], list[float]] = [], []
    for decoder in (return_attention, blind):
        decoder.begin([prompt])
    for token in range(ANSWER_TOKENS):
        for decoder, seconds in zip((return_attention, blind), taken, strict=True):
            seconds.append(timed(partial(decoder.step, [prompt[token % QUESTION_TOKENS]]), device)[1])
    return 100 * (statistics.median(taken[0]) / statistics.median(taken[1]) - 1)


def best(logits: torch.Tensor, ends: list[int]) -> int:
    """The likeliest token of one answer that does not end it, as `generate` with `min_new_tokens` takes it."""
    logits = logits.clone()
    logits[ends] = -torch.inf
    return likeliest(logits)


def ours(checkpoint: Checkpoint, tokens: int, chunk: int, states: Path, settings: Settings) -> dict[str, Any]:
    ids, prompt = document_ids(checkpoint, tokens), question_ids(checkpoint)
    native = load_native_parts(checkpoint.model, settings.cache_folder, quantized=True)
    head = OutputHead(checkpoint.model, quantized=True, native=native.output_head)
    with torch.inference_mode():
        encode(checkpoint, ids[:256], 0, native)  # kernels are built, memory is mapped
        memory, encode_seconds = timed(lambda: encode(checkpoint, ids, chunk, native), checkpoint.device)
    save_file({"states": memory.hidden}, states)
    layers = native.decoder_layers
    parts = replace(DecoderParts.of(checkpoint.model), head=head, layers=layers)
    if settings.precision == "int8":
        memory = to_precision(memory, "int8")
        if layers is None or not layers.accepts([memory]):
            memory = to_device(memory, checkpoint.device, checkpoint.dtype)

    def decoder(questions: int, *, evidence: bool = True) -> Decoder:
        given = checkpoint.model, [memory], questions, QUESTION_TOKENS + ANSWER_TOKENS, parts
        return Decoder(*given, return_attention=evidence)

    ends = sorted(end_tokens(checkpoint))
    other = [*prompt[:3], *prompt[-3:2:-1], *prompt[-2:]]  # as many tokens, and alike no further than "Question:"
    asked = [other, other, prompt] if parts.cuda_graphs else [other, prompt]  # a GPU records the second time
    *_, (greedy, seconds) = (answer(decoder(1), [one], ends) for one in asked)
    *_, (_, batch_seconds) = (answer(decoder(QUESTIONS), [prompt] * QUESTIONS, ends) for _ in asked)
    return {
        "encode_seconds": encode_seconds,
        "first_token_seconds": seconds[0],
        "token_ms": 1000 * statistics.mean(seconds[1:]),
        "cache_bytes_per_token": to_precision(memory, settings.precision).nbytes / memory.hidden.shape[0],
        "peak_memory_bytes": peak_bytes(checkpoint.device),
        "batch_ratio": sum(batch_seconds) / sum(seconds),
        "evidence_percent": evidence_percent(decoder(1), decoder(1, evidence=False), prompt, checkpoint.device),
        "limit_token_ms": 1000 * token_bytes(checkpoint, native, memory) / bandwidth(checkpoint.device),
        "greedy": greedy,
        "in_few_bits": layers is not None and layers.in_int8,
        "document": str(memory.hidden.dtype).removeprefix("torch."),
        "notes": [],
    }


def token_bytes(checkpoint: Checkpoint, native: NativeParts, memory: Memory) -> int:
    """What one token has to read: the decoder's layers, the head as it is quantized, the states once a layer."""
    layers, own = checkpoint.model.model.decoder.layers, native.decoder_layers
    weights = own.matrix_bytes if own else sum(parameter.nbytes for parameter in layers.parameters())
    matrix = checkpoint.model.lm_head.out_proj.weight
    in_int8 = matrix.numel() if matrix.device.type == "cpu" else matrix.nbytes
    return weights + (native.output_head.nbytes if native.output_head else in_int8) + len(layers) * memory.hidden.nbytes


def bandwidth(device: torch.device) -> float:
    """Bytes a second that this machine reads: the best of five sums over 512 MiB."""
    values = torch.ones(2**27, device=device)
    return values.nbytes / min(timed(values.sum, device)[1] for _ in range(5))


def transformers(checkpoint: Checkpoint, tokens: int, chunk: int, states_file: Path) -> dict[str, Any]:
    model: Any = checkpoint.model
    ids, prompt = document_ids(checkpoint, tokens), question_ids(checkpoint)
    question = torch.tensor([prompt], device=checkpoint.device)

    def generate(states: torch.Tensor, count: int) -> Any:
        return model.generate(
            encoder_outputs=BaseModelOutput(states),
            decoder_input_ids=question,
            min_new_tokens=count,
            max_new_tokens=count,
            do_sample=False,
            return_dict_in_generate=True,
            output_scores=True,
        )

    with torch.inference_mode():
        if chunk or seconds_to_read(model, ids) > MOST_SECONDS:
            states, encode_seconds = load_file(states_file, str(checkpoint.device))["states"][None], None
        else:
            output, encode_seconds = timed(lambda: model.model.encoder(input_ids=ids[None]), checkpoint.device)
            states = output.last_hidden_state
        generate(states, 1)
        _, first = timed(lambda: generate(states, 1), checkpoint.device)
        answered, whole = timed(lambda: generate(states, ANSWER_TOKENS), checkpoint.device)
    likeliest = torch.stack(answered.scores)[:, 0].float().topk(2).values  # (32, 2)
    crossed = answered.past_key_values.cross_attention_cache.layers
    return {
        "encode_seconds": encode_seconds,
        "first_token_seconds": first,
        "token_ms": 1000 * (whole - first) / (ANSWER_TOKENS - 1),
        "cache_bytes_per_token": sum(layer.keys.nbytes + layer.values.nbytes for layer in crossed) / tokens,
        "peak_memory_bytes": peak_bytes(checkpoint.device),
        "greedy": answered.sequences[0, len(prompt) :].tolist(),
        "leads": (likeliest[:, 0] - likeliest[:, 1]).tolist(),
        "notes": [_not_read(chunk)] if encode_seconds is None else [],
    }


def seconds_to_read(model: Any, ids: torch.Tensor) -> float:
    """transformers' time for so many ids, by that for the first of them."""
    probe = ids[None, :PROBED]
    model.model.encoder(input_ids=probe[:, :256])  # kernels are built, memory is mapped
    _, seconds = timed(lambda: model.model.encoder(input_ids=probe), ids.device)
    return seconds * (len(ids) / probe.shape[1]) ** 2


def _not_read(chunk: int) -> str:
    why = "it joins no chunks" if chunk else f"reading all itself would take more than {MOST_SECONDS // 60} minutes"
    return f"transformers answered from our encoder states: {why}"


def main(side: str, name: str, tokens: str, chunk: str, states: str) -> None:
    settings = Settings.load()
    if name == EMBEDDED and side == "transformers":  # the same folder, in transformers' own modules
        name = str(embedded_folder(settings.cache_folder, progress=lambda *_: None))
    checkpoint = load_checkpoint(name, cache_folder=settings.cache_folder)
    given = checkpoint, int(tokens), int(chunk), Path(states)
    measured = ours(*given, settings) if side == "ours" else transformers(*given)
    print(json.dumps(measured | {"precision": str(checkpoint.dtype).removeprefix("torch.")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
