"""Layers whose weights lie elsewhere (on another GPU, in main memory, on the disk) and come in while they work.

accelerate brings a module's weights in when the module is called. The attention here reads them without a call, and the
encoder calls a layer's parts once a piece. So the whole layer has one hook, and the loops over layers
hold it open (`weights_on_device.py`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from accelerate.hooks import AlignDevicesHook, add_hook_to_module, remove_hook_from_module
from accelerate.utils import PrefixedDataset, align_module_device
from torch import nn


def bring_in_by_layers(model: nn.Module, names: Iterable[str], device: torch.device) -> None:
    """Make one hook a layer of those that accelerate put on each module; `names` are the layers that lie elsewhere."""
    weights = {name: _weights(model, name) for name in names}
    remove_hook_from_module(model, recurse=True)
    for name, tensors in weights.items():
        add_hook_to_module(model.get_submodule(name), LayerHook(device, tensors))


class LayerHook(AlignDevicesHook):
    """All weights of a layer together; two threads must not take them from each other."""

    def __init__(self, device: torch.device, weights: Mapping[str, torch.Tensor]) -> None:
        super().__init__(device, offload=True, weights_map=weights, place_submodules=True)
        self._lock = threading.Lock()

    @contextmanager
    def held(self, layer: nn.Module) -> Iterator[None]:
        """The layer's weights are here (`weights_on_device`)."""
        with self._lock, align_module_device(layer):
            yield


def _weights(model: nn.Module, name: str) -> Mapping[str, torch.Tensor]:
    """A layer's weights by their names within it: read when asked for, or as they lie on another GPU."""
    layer = model.get_submodule(name)
    for module in layer.modules():
        hook = getattr(module, "_hf_hook", None)
        if isinstance(hook, AlignDevicesHook) and isinstance(hook.weights_map, PrefixedDataset):
            return PrefixedDataset(hook.weights_map.dataset, f"{name}.")
    return dict(layer.named_parameters())
