"""The CPU's instruction sets."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch


@cache
def has_any(*instructions: str) -> bool:
    """Whether the CPU has one of these instruction sets, by PyTorch's names. False with PyTorch before 2.10."""
    capabilities: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(instruction, False) for instruction in instructions)
