"""Law: an output head in four bits a number gives nearly the logits, and the largest of them exactly."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from model.kernels.library import TILE, load_library
from model.kernels.output_head import NativeOutputHead
from model.kernels.parts import load_native_parts
from tests.helpers.int8_kernels import models
from tests.helpers.targets import needs_compiler
from tests.helpers.tiny import relative_error

VOCABULARY = 2**16
EXACT_PANELS = 128  # of TILE rows, whose logits are computed exactly
LIKELIEST = 16  # logits: beyond, one may lie outside of these panels
TOLERANCE = 1e-6

pytestmark = needs_compiler


def native_head(weight: torch.Tensor, folder: Path) -> NativeOutputHead:
    loaded = load_library(folder)
    if not NativeOutputHead.supports(loaded, weight):
        pytest.skip("the processor has no matrix tiles")
    return NativeOutputHead(loaded, weight)


def matrix(outs: int) -> torch.Tensor:
    """Rows and columns of unequal size, some of which stand out."""
    generator = torch.Generator().manual_seed(3)
    columns = torch.rand(128, generator=generator) + 0.5
    columns[[5, 70]] = 20.0
    rows = torch.rand(outs, 1, generator=generator) + 0.5
    return (torch.randn(outs, 128, generator=generator) * columns * rows).bfloat16()


@pytest.mark.parametrize("questions", [1, 6, 11, 16])
def test_the_largest_logits_are_exact_and_the_others_near(questions: int, folder: Path) -> None:
    weight = matrix(VOCABULARY)
    head = native_head(weight, folder)
    assert head.nbytes < 0.3 * weight.nbytes
    rows = torch.randn(questions, 128, generator=torch.Generator().manual_seed(4)).bfloat16()
    found, exact = head(rows), rows.float() @ weight.float().T
    assert 0.01 < relative_error(found, exact) < 0.15
    likeliest = exact.topk(LIKELIEST).indices
    assert torch.equal(found.topk(LIKELIEST).indices, likeliest)
    assert relative_error(found.gather(1, likeliest), exact.gather(1, likeliest)) < TOLERANCE
    assert bool(((found - exact).abs() < 1e-3).sum(1).ge(TILE * EXACT_PANELS).all())


def test_where_there_are_few_all_logits_are_exact(folder: Path) -> None:
    """Also those of a column that is zero, and of a row."""
    weight = matrix(TILE * EXACT_PANELS)
    weight[:, 9] = weight[17] = 0
    rows = torch.randn(3, 128, generator=torch.Generator().manual_seed(5)).bfloat16()
    assert relative_error(native_head(weight, folder)(rows), rows.float() @ weight.float().T) < TOLERANCE


def test_only_what_is_whole_tiles_is_quantized_where_that_is_wanted(folder: Path) -> None:
    _, model = models()
    head = model.lm_head.out_proj.weight.detach()  # of 400 rows
    loaded = load_library(folder)
    assert not NativeOutputHead.supports(loaded, head)
    assert load_native_parts(model, folder, quantized=True).output_head is None
    assert not NativeOutputHead.supports(loaded, matrix(64).float())
