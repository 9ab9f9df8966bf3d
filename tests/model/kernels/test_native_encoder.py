"""Law: a document read by native code is the document read by PyTorch's operations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model.encoder.encoder import PieceSizes, encode_chunk
from model.encoding.memory import build_memory
from model.errors import Cancelled
from model.kernels.limits import FITTED, NativeLimits
from model.kernels.parts import NativeParts, load_native_parts
from model.network.t5gemma2 import T5Gemma2
from tests.helpers.targets import needs_compiler
from tests.helpers.tiny import relative_error, tiled_config, tiny_config, tiny_model

TOLERANCE = 1e-5
SHAPES = [(4, 1), (4, 2), (2, 2)]

pytestmark = needs_compiler


def ids_of(length: int) -> torch.Tensor:
    return torch.randint(7, 400, (length,), generator=torch.Generator().manual_seed(length))


def tiled(model: T5Gemma2, folder: Path, limits: NativeLimits = FITTED) -> NativeParts:
    native = load_native_parts(model, folder, limits=limits)
    if native.encoder_layers is None:
        pytest.skip("the processor has no matrix tiles")
    return native


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
@pytest.mark.parametrize("length", [1, 7, 60, 300])
def test_between_the_matrices(heads: int, key_heads: int, length: int, folder: Path) -> None:
    """Shorter than the window of eight, and longer, in pieces that do not divide the length."""
    sizes = PieceSizes(most=130)
    model = tiny_model(tiny_config(heads=heads, key_heads=key_heads))
    ids, native = ids_of(length), load_native_parts(model, folder)
    ours, theirs = (encode_chunk(model, ids, native=one, sizes=sizes) for one in (native, None))
    assert native.encoder_layers is None and not torch.equal(ours, theirs)
    assert relative_error(ours, theirs) < TOLERANCE


def test_between_the_matrices_in_bfloat16_nearly(folder: Path) -> None:
    ids, model = ids_of(100), tiny_model().bfloat16()
    exact = encode_chunk(tiny_model(), ids)
    theirs = relative_error(encode_chunk(model, ids), exact)
    ours = relative_error(encode_chunk(model, ids, native=load_native_parts(model, folder)), exact)
    assert 0 < ours < 1.1 * theirs < 0.2


@pytest.mark.parametrize(("heads", "key_heads"), [*SHAPES, (3, 1)])
@pytest.mark.parametrize("window", [8, 100, 700])
@pytest.mark.parametrize("length", [1, 33, 700])
def test_whole_layers_by_tiles(heads: int, key_heads: int, window: int, length: int, folder: Path) -> None:
    """Their factors are bfloat16 and their states float32, so they are nearer to the exact ones than PyTorch's.

    Keys of more than one block, groups of queries without a second one, pieces that end within a tile.
    """
    config = tiled_config(heads=heads, key_heads=key_heads, sliding_window=window)
    ids, model = ids_of(length), tiny_model(config).bfloat16()
    native = tiled(model, folder, NativeLimits(encoder_piece=96))
    exact = encode_chunk(tiny_model(config), ids)
    theirs = relative_error(encode_chunk(model, ids).float(), exact)
    ours = relative_error(encode_chunk(model, ids, native=native).float(), exact)
    assert 0 < ours < theirs < 0.2


@pytest.mark.parametrize("limits", [NativeLimits(encoder_piece=32), NativeLimits(copied_numbers=0)])
def test_neither_the_pieces_matter_nor_whether_matrices_are_copied(limits: NativeLimits, folder: Path) -> None:
    """Those of a large model are read as they lie."""
    model = tiny_model(tiled_config()).bfloat16()
    ours, theirs = (encode_chunk(model, ids_of(300), native=tiled(model, folder, one)) for one in (limits, FITTED))
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize(("heads", "key_heads"), SHAPES)
@pytest.mark.parametrize("length", [1, 33, 700])
def test_what_is_kept_of_keys(heads: int, key_heads: int, length: int, folder: Path) -> None:
    config = tiled_config(heads=heads, key_heads=key_heads)
    model = tiny_model(config).bfloat16()
    native, hidden = tiled(model, folder), torch.randn(length, 64).bfloat16()
    assert native.key_inv_rms is not None
    ours = build_memory(model, hidden, native.key_inv_rms).key_inv_rms
    exact = build_memory(model.float(), hidden.float()).key_inv_rms
    assert ours.shape == exact.shape
    assert relative_error(ours, exact) < TOLERANCE


@pytest.mark.parametrize("by_tiles", [False, True])
def test_large_numbers(by_tiles: bool, folder: Path) -> None:
    """As Gemma has them: GELU of -100 is 0, and a peak of attention may be far above the other scores."""
    model = tiny_model(tiled_config())
    for layer in model.model.encoder.text_model.layers:
        layer.mlp.gate_proj.weight *= 100
        layer.self_attn.q_norm.weight *= 20
    ids, exact = ids_of(50), encode_chunk(model, ids_of(50))
    native = tiled(model.bfloat16(), folder) if by_tiles else load_native_parts(model, folder)
    ours = encode_chunk(model, ids, native=native)
    allowed = 1.1 * relative_error(encode_chunk(model, ids).float(), exact) if by_tiles else TOLERANCE
    assert relative_error(ours.float(), exact) < allowed


def test_scores_far_above_those_of_the_tokens_beside(folder: Path) -> None:
    """By more than a float holds as a power of two. Then all is attended to again, and nothing is too large."""
    model = tiny_model(tiled_config(sliding_window=700))
    layers = model.model.encoder.text_model.layers
    del layers[1:]  # one layer: those behind it would make much of small differences
    layers[0].self_attn.q_norm.weight.fill_(300)
    ids = ids_of(700)
    exact = encode_chunk(model, ids)
    ours = encode_chunk(model.bfloat16(), ids, native=tiled(model, folder))
    theirs = relative_error(encode_chunk(model, ids).float(), exact)
    assert relative_error(ours.float(), exact) < 1.1 * theirs < 0.2


def test_progress_moves_and_reading_can_be_stopped(folder: Path) -> None:
    model = tiny_model(tiled_config()).bfloat16()
    native, fractions = tiled(model, folder, NativeLimits(encoder_piece=32)), list[float]()
    encode_chunk(model, ids_of(200), native=native, progress=fractions.append)
    assert fractions == sorted(fractions) and len(set(fractions)) > 4 * len(model.model.encoder.text_model.layers)
    asked = iter(range(1000))
    with pytest.raises(Cancelled):
        encode_chunk(model, ids_of(200), native=native, cancelled=lambda: next(asked) == 9)
    assert next(asked) == 10


def test_other_sizes_go_another_way(folder: Path) -> None:
    """Tiles want whole rows: of 48 numbers there are none. What lies between the matrices is native all the same."""
    native = load_native_parts(tiny_model().bfloat16(), folder)
    assert native.encoder_layers is None
    assert native.key_inv_rms is None
    assert native.encoder_rows is not None
    assert load_native_parts(tiny_model(tiled_config()), folder).encoder_layers is None  # float32
