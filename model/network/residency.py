"""Bringing the weights of an offloaded layer to its device while the layer runs."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from torch import nn


def weights_on_device(layer: nn.Module) -> AbstractContextManager[None]:
    """A context in which the layer's weights are on its device, for one thread at a time (`offload.LayerHook`).

    For a layer that is not offloaded it does nothing and waits for nobody.
    """
    hook: Any = getattr(layer, "_hf_hook", None)
    return hook.held(layer) if hasattr(hook, "held") else nullcontext()


def has_weights_on_device(layer: nn.Module) -> bool:
    """Whether the layer's weights are always on its device, so that it is not offloaded."""
    return not hasattr(layer, "_hf_hook")
