"""Weights that lie elsewhere come in while their layer works."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import nn


def weights_on_device(layer: nn.Module) -> AbstractContextManager[None]:
    """While this lasts, the layer's weights are where it computes, for one thread at a time (`offload.LayerHook`).

    Where they always are, there is nothing to do and nobody to wait for.
    """
    hook: Any = getattr(layer, "_hf_hook", None)
    return hook.held(layer) if hasattr(hook, "held") else nullcontext()


def has_weights_on_device(layer: nn.Module) -> bool:
    """Whether the layer's weights always are where it computes."""
    return not hasattr(layer, "_hf_hook")
