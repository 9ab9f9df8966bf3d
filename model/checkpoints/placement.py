"""Where a checkpoint runs and in which precision."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch

from model.errors import CheckpointError

CGROUP = Path("/sys/fs/cgroup")  # of this container, version 2

# CPUs without these instructions emulate bfloat16, which is slower than float32.
FAST_BFLOAT16 = ("avx512_bf16", "amx_bf16")


ROOM = 1.15  # beside the weights: activations, the output head in int8
GIGABYTE = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where weights go and what they need there, in bytes."""

    device: torch.device
    dtype: torch.dtype
    needed: int
    free: int

    def __str__(self) -> str:
        return f"{self.needed / GIGABYTE:.1f} GB of memory on {self.device}, {self.free / GIGABYTE:.1f} GB are free"


def find_place(parameters: int, *, name: str) -> Placement:
    """The device for so many weights: the GPU that holds them, else the CPU.

    Raises CheckpointError, before anything is loaded, where there is room nowhere.
    """
    devices = [torch.device("cpu")]
    if best_device().type == "cuda":
        gpus = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
        devices = [*sorted(gpus, key=free_bytes, reverse=True), *devices]
    places = [_placement(device, parameters) for device in devices]
    fitting = next((place for place in places if place.needed <= place.free), None)
    if fitting is None:
        tried = "; ".join(map(str, places))
        raise CheckpointError(
            f"{name} does not fit: {tried}. Close other programs, or take a smaller checkpoint, such as "
            "google/t5gemma-2-270m-270m or embedded."
        )
    return fitting


def free_bytes(device: torch.device) -> int:
    """What is free for us; in a container no more than it may have."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    try:
        limit, used = (int((CGROUP / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no cgroup, or no limit ("max")
        return free
    return min(free, limit - used)


def _placement(device: torch.device, parameters: int) -> Placement:
    dtype = best_dtype(device)
    return Placement(
        device=device, dtype=dtype, needed=round(parameters * dtype.itemsize * ROOM), free=free_bytes(device)
    )


def best_device() -> torch.device:
    """The GPU where there is one, else the CPU; a GPU that is lent for a call only (ZeroGPU) is not ours to live on."""
    if os.environ.get("SPACES_ZERO_GPU"):
        return torch.device("cpu")
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def best_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device computes it natively, else float32. Never float16: Gemma's activations overflow it."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # torch >= 2.10
        native = any(capabilities.get(instruction, False) for instruction in FAST_BFLOAT16)
    return torch.bfloat16 if native else torch.float32
