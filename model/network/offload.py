"""Offloading: layers whose weights lie on another GPU, in main memory or on the disk, and are moved in while they run.

accelerate moves a module's weights in when the module is called. The attention here reads weights without a call, and
the encoder calls a layer's parts once for each piece of a chunk. So a whole layer has one hook, and the loops over
layers hold it open (`residency.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from accelerate.hooks import AlignDevicesHook, add_hook_to_module, remove_hook_from_module
from accelerate.utils import PrefixedDataset, align_module_device
from torch import nn


def offload_by_layer(model: nn.Module, names: Iterable[str], device: torch.device) -> None:
    """Replace the hooks that accelerate put on each module by one hook a layer. `names`: the offloaded layers."""
    weights = {name: _weights(model, name) for name in names}
    remove_hook_from_module(model, recurse=True)
    for name, tensors in weights.items():
        add_hook_to_module(model.get_submodule(name), LayerHook(device, tensors))


class LayerHook(AlignDevicesHook):
    """Moves all weights of a layer together. A lock keeps two threads from moving them away from each other."""

    def __init__(self, device: torch.device, weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__(device, offload=True, weights_map=weights, place_submodules=True)
        self._lock = threading.Lock()

    @contextmanager
    def held(self, layer: nn.Module) -> Iterator[None]:
        """A context in which the layer's weights are on its device."""
        with self._lock, align_module_device(layer):
            yield


def _weights(model: nn.Module, name: str) -> Mapping[str, torch.Tensor]:
    """A layer's weights by their names within it, loaded from the disk when accessed, or as they lie on another GPU."""
    layer = model.get_submodule(name)
    for module in layer.modules():
        hook = getattr(module, "_hf_hook", None)
        if isinstance(hook, AlignDevicesHook) and isinstance(hook.weights_map, PrefixedDataset):
            return PrefixedDataset(hook.weights_map.dataset, f"{name}.")
    return dict(layer.named_parameters())
