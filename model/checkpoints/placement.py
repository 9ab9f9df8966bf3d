"""Where a checkpoint runs and in which precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import torch

from model.checkpoints.lent_gpu import is_lent
from model.errors import NO_MESSAGE, CheckpointError, Message
from model.network.cpu_features import has_any

CGROUP = Path("/sys/fs/cgroup")  # of this container, version 2

# CPUs without these instructions emulate bfloat16, which is slower than float32.
FAST_BFLOAT16 = ("avx512_bf16", "amx_bf16")

ROOM = 1.15  # times the weights' bytes: activations and the output head in int8 come on top
GIGABYTE = 1e9
DISK = "disk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """How many numbers a checkpoint has; `layers`: in each encoder and decoder layer, by the layer's name."""

    total: int
    layers: Mapping[str, int]

    @property
    def encoder(self) -> int:
        """In the encoder's layers: read once a document where the decoder's are read once a token."""
        return sum(size for name, size in self.layers.items() if ".encoder." in name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where weights go, and the bytes they need there. `offloaded`: layers that are moved in only while they run."""

    device: torch.device
    dtype: torch.dtype
    needed: int
    free: int
    offloaded: Mapping[str, str] = field(default_factory=dict)  # a layer's name -> a device or the disk
    offloaded_bytes: int = 0

    @property
    def fits(self) -> bool:
        return self.needed <= self.free

    @property
    def remark(self) -> Message:
        """One sentence for people about what is offloaded; empty if nothing is."""
        if not self.offloaded:
            return NO_MESSAGE
        return Message(
            "{size:.1f} GB of its weights lie on {where} and come in while they work: all takes longer.",
            size=self.offloaded_bytes / GIGABYTE,
            where=self._away(),
        )

    @property
    def message(self) -> Message:
        """In a few words: what it takes where, what is free, and what is offloaded."""
        if not self.offloaded:
            return Message(
                "{needed:.1f} GB of memory on {device}, {free:.1f} GB are free",
                needed=self.needed / GIGABYTE,
                device=self.device,
                free=self.free / GIGABYTE,
            )
        return Message(
            "{needed:.1f} GB of memory on {device}, {free:.1f} GB are free, weights partly on {places}: {size:.1f} GB",
            needed=self.needed / GIGABYTE,
            device=self.device,
            free=self.free / GIGABYTE,
            places=" and ".join(sorted(set(self.offloaded.values()))),
            size=self.offloaded_bytes / GIGABYTE,
        )

    def _away(self) -> str:
        """Where offloaded layers lie: other devices, the disk, or both."""
        devices = " and ".join(sorted(set(self.offloaded.values()) - {DISK}))
        if DISK not in self.offloaded.values():
            return devices
        return Message("{device} and the disk", device=devices) if devices else Message("the disk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What a machine has for weights.

    free: the bytes of each device that are ours to take. dtypes: the precision in which it computes. lends_gpu: a GPU
    is ours for a call at a time, and takes the model as a whole (ZeroGPU). room: bytes that are needed for each byte of
    weights, activations and the output head in int8 included.
    """

    free: Mapping[torch.device, int]
    dtypes: Mapping[torch.device, torch.dtype]
    lends_gpu: bool = False
    room: float = ROOM

    @classmethod
    def this(cls) -> Hardware:
        """The one that this process runs on."""
        devices = [torch.device("cpu")]
        if best_device().type == "cuda":
            devices += [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
        free = {device: free_bytes(device) for device in devices}
        return cls(free=free, dtypes={device: best_dtype(device) for device in devices}, lends_gpu=is_lent())

    def by_preference(self) -> list[torch.device]:
        """GPUs first, the one with the most room before the others."""
        return sorted(self.free, key=lambda device: (device.type == "cpu", -self.free[device]))


def find_place(weights: Weights, *, name: str, hardware: Hardware | None = None) -> Placement:
    """The GPU that holds all weights, or all but encoder layers; else the CPU, with layers on the disk if need be.

    `hardware`: where they are to go; None: this one. Raises CheckpointError, before anything is loaded, where there is
    room nowhere.
    """
    hardware = hardware or Hardware.this()
    tried = []
    for device in hardware.by_preference():
        tried.append(_whole(device, weights, hardware))
        if tried[-1].fits:
            return tried[-1]
        spread = _spread(device, weights, hardware)
        if spread.fits and (device.type == "cpu" or spread.offloaded_bytes <= weights.encoder * spread.dtype.itemsize):
            return spread
    raise CheckpointError(
        "{name} does not fit: {tried}, and its layers on the disk would not make room enough. "
        "Close other programs, or take a smaller checkpoint, such as google/t5gemma-2-270m-270m or embedded.",
        name=name,
        tried=Message.joined("; ", [one.message for one in tried]),
    )


def _whole(device: torch.device, weights: Weights, hardware: Hardware) -> Placement:
    dtype = hardware.dtypes[device]
    needed = round(weights.total * dtype.itemsize * hardware.room)
    return Placement(device=device, dtype=dtype, needed=needed, free=hardware.free[device])


def _spread(device: torch.device, weights: Weights, hardware: Hardware) -> Placement:
    """Offload as few layers as possible, the encoder's first, and keep room for one of them to be moved in."""
    whole = _whole(device, weights, hardware)
    if hardware.lends_gpu:
        return whole
    size = whole.dtype.itemsize
    others = {str(other): free / hardware.room for other, free in hardware.free.items() if other != device}
    offloaded: dict[str, str] = {}
    away = 0
    passing = max(weights.layers.values(), default=0)
    for layer, numbers in sorted(weights.layers.items(), key=lambda item: ".encoder." not in item[0]):
        if (weights.total - away + passing) * size * hardware.room <= whole.free:
            break
        offloaded[layer] = next((place for place, room in others.items() if room >= numbers * size), DISK)
        if offloaded[layer] != DISK:
            others[offloaded[layer]] -= numbers * size
        away += numbers
    needed = round((weights.total - away + passing) * size * hardware.room)
    return replace(whole, needed=needed, offloaded=offloaded, offloaded_bytes=away * size)


def free_bytes(device: torch.device, cgroup: Path = CGROUP) -> int:
    """What is free for us; in a container, whose limits are in the folder `cgroup`, no more than it may have."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    free = int(psutil.virtual_memory().available)
    try:
        limit, used = (int((cgroup / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no cgroup, or no limit ("max")
        return free
    return min(free, limit - used)


def best_device() -> torch.device:
    """The GPU where there is one, else the CPU; a GPU that is lent for a call only (ZeroGPU) is not ours to live on."""
    return torch.device("cuda" if torch.cuda.is_available() and not is_lent() else "cpu")


def best_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device computes it natively, else float32. Never float16: Gemma's activations overflow it."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = has_any(*FAST_BFLOAT16)
    return torch.bfloat16 if native else torch.float32
