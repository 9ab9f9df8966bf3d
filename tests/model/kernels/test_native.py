"""Law: a token through native code is the token through PyTorch's operations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model.checkpoints.checkpoint import Checkpoint
from model.decoder.decoder import Decoder
from model.decoder.model_backend import Backend, load_backend
from model.encoder.encoder import encode_chunk
from model.encoding.memory import build_memory, to_device
from model.engine import Engine
from model.errors import Cancelled
from model.kernels.decoder_layers import DecoderLayers
from model.kernels.parts import NativeParts, load_native_parts
from model.network.t5gemma2 import T5Gemma2
from model.types import GenerationOptions, Memory
from tests.helpers.kernels import AS_STATES, SHAPES, TOLERANCE, answered, assert_same, limited, memories_of, parts_of
from tests.helpers.targets import needs_compiler
from tests.helpers.tiny import TEXT, document, last, relative_error, tiled_config, tiny_config, tiny_model


def layers_of(model: T5Gemma2, folder: Path) -> DecoderLayers:
    layers = load_native_parts(model, folder).decoder_layers
    assert layers is not None
    return layers


@needs_compiler
@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
@pytest.mark.parametrize("lengths", [[1], [16], [37, 5, 60], [300]])
def test_logits_and_attention(heads: int, key_heads: int, lengths: list[int], folder: Path) -> None:
    model = tiny_model(tiny_config(heads=heads, key_heads=key_heads))
    memories = memories_of(model, *lengths)
    assert_same(answered(model, memories, layers_of(model, folder)), answered(model, memories, None))


@needs_compiler
def test_each_answer_is_shown_its_rows(folder: Path) -> None:
    model = tiny_model()
    memories = memories_of(model, 37, 60)
    shown = torch.rand(3, 97, generator=torch.Generator().manual_seed(2)) < 0.3
    shown[1] = False
    ours = answered(model, memories, layers_of(model, folder), shown)
    assert_same(ours, answered(model, memories, None, shown))
    assert not ours.attention[1][~shown[2]].any()


@needs_compiler
def test_in_bfloat16_nearly(folder: Path) -> None:
    """Its sums are float32, and so nearer to the exact ones than PyTorch's in bfloat16."""
    exact = answered(tiny_model(), memories_of(tiny_model(), 80), None)
    model = tiny_model().bfloat16()
    memories = memories_of(model, 80)
    ours = relative_error(answered(model, memories, layers_of(model, folder)).logits, exact.logits)
    theirs = relative_error(answered(model, memories, None).logits, exact.logits)
    assert 0 < ours < 1.1 * theirs < 0.2


@needs_compiler
@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
@pytest.mark.parametrize("shown", [False, True])
def test_by_tiles_nearly(heads: int, key_heads: int, shown: bool, folder: Path) -> None:
    """Sizes that a processor's matrix tiles take, where it has them; questions and answers, whole tiles and not."""
    config = tiled_config(heads=heads, key_heads=key_heads)
    exact, model = tiny_model(config), tiny_model(config).bfloat16()
    lengths = 37, 5, 300
    rows = torch.rand(3, sum(lengths), generator=torch.Generator().manual_seed(2)) < 0.5 if shown else None
    expected = answered(exact, memories_of(exact, *lengths), None, rows)
    memories = memories_of(model, *lengths)
    ours, theirs = answered(model, memories, layers_of(model, folder), rows), answered(model, memories, None, rows)
    for name in ("logits", "attention", "middle_layer_attention"):
        errors = [relative_error(getattr(one, name).float(), getattr(expected, name)) for one in (ours, theirs)]
        assert 0 < errors[0] < 1.3 * errors[1] < 0.2, name


@needs_compiler
def test_large_numbers(folder: Path) -> None:
    """As Gemma has them: GELU of -100 is 0."""
    model = tiny_model()
    for layer in (*model.model.decoder.layers, *model.model.encoder.text_model.layers):
        layer.mlp.gate_proj.weight *= 100
    parts, ids = load_native_parts(model, folder), torch.arange(7, 57)
    states = encode_chunk(model, ids)
    assert relative_error(encode_chunk(model, ids, native=parts), states) < TOLERANCE
    memories = [build_memory(model, states)]
    assert_same(answered(model, memories, parts.decoder_layers), answered(model, memories, None))


@needs_compiler
def test_states_of_another_type_are_refused(folder: Path) -> None:
    model = tiny_model()
    memory = to_device(memories_of(model, 20)[0], torch.device("cpu"), torch.bfloat16)
    with pytest.raises(ValueError, match=r"states are in .*bfloat16.*, the model in torch.float32"):
        Decoder(model, [memory], 1, 4, parts=parts_of(layers_of(model, folder))).begin([[9]])


@needs_compiler
def test_over_nothing_and_where_nobody_looks(folder: Path) -> None:
    model = tiny_model()
    layers = layers_of(model, folder)
    (empty,) = memories_of(model, 1)
    empty = Memory(hidden=empty.hidden[:0], key_inv_rms=empty.key_inv_rms[..., :0])
    prompts = [[2, 9], [2, 10], [2, 11]]  # of equal lengths: a padded question would see nothing at all
    ours, theirs = (answered(model, [empty], some, prompts=prompts) for some in (layers, None))
    assert relative_error(ours.logits, theirs.logits) < TOLERANCE
    memories = memories_of(model, 20)
    blind = answered(model, memories, layers, evidence=False)
    assert blind.attention.shape == (3, 0)
    assert relative_error(blind.logits, answered(model, memories, None).logits) < TOLERANCE


@needs_compiler
def test_a_stop_is_heard_between_two_layers(folder: Path) -> None:
    model, asked = tiny_model(), iter([False, False, True])
    memories = memories_of(model, 20)
    decoder = Decoder(
        model,
        memories,
        1,
        9,
        parts=parts_of(layers_of(model, folder)),
        cancelled=lambda: next(asked),
    )
    with pytest.raises(Cancelled):
        decoder.begin([[9]])
    assert not list(asked)
    undisturbed = Decoder(
        model,
        memories,
        1,
        9,
        parts=parts_of(layers_of(model, folder)),
        cancelled=lambda: False,
    )
    assert torch.isfinite(undisturbed.begin([[9]]).logits).all()


@needs_compiler
def test_more_threads_than_tokens(folder: Path) -> None:
    model = tiny_model()
    memories, threads = memories_of(model, 3), torch.get_num_threads()
    try:
        torch.set_num_threads(5)
        assert_same(answered(model, memories, layers_of(model, folder)), answered(model, memories, None))
    finally:
        torch.set_num_threads(threads)


@needs_compiler
def test_an_engine_gives_the_same_answers(checkpoint: Checkpoint, folder: Path) -> None:
    model = checkpoint.model
    backends = Backend.eager(model), load_backend(model, folder, quantized=False)
    plain, quick = (Engine(checkpoint, backend=limited(backend, AS_STATES)) for backend in backends)
    encoded, options = plain.encode(document(TEXT)), GenerationOptions(max_new_tokens=24)
    theirs = last(plain.answer(encoded, "When was the report issued?", options=options))
    ours = last(quick.answer(encoded, "When was the report issued?", options=options))
    assert (ours.text, ours.tokens) == (theirs.text, theirs.tokens)
    assert [place.quote for place in ours.evidence] == [place.quote for place in theirs.evidence]


def test_weights_elsewhere_stay_with_pytorch(folder: Path) -> None:
    model = tiny_model()
    model.model.decoder.layers[3].to("meta")
    assert load_native_parts(model, folder).decoder_layers is None
    assert load_native_parts(tiny_model().half(), folder) == NativeParts()
