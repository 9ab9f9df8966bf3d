"""Where a checkpoint runs and in which precision."""

import os
from collections.abc import Mapping
from typing import Any

import torch

# CPUs without these instructions emulate bfloat16, which is slower than float32.
FAST_BFLOAT16 = ("avx512_bf16", "amx_bf16")


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
