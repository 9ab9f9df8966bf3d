"""A benchmark's result as a file that can be kept: the figures, and what they were measured with."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_INSTRUCTIONS = {"amx_bf16": "AMX", "avx512_bf16": "AVX-512 BF16", "avx512f": "AVX-512", "avx2": "AVX2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The processor that a figure was measured on."""

    processor: str
    cores: int
    instructions: str  # the widest set that the engine uses


def machine() -> Machine:
    """This machine, as /proc/cpuinfo describes it; elsewhere as Python does."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return Machine(processor=platform.processor() or platform.machine(), cores=os.cpu_count() or 1, instructions="")
    lines = [line.partition(":") for line in text.splitlines()]
    found = {name.strip(): value.strip() for name, _, value in lines}
    flags = found.get("flags", "").split()
    return Machine(
        processor=found.get("model name", platform.machine()),
        cores=os.cpu_count() or 1,
        instructions=next((name for flag, name in _INSTRUCTIONS.items() if flag in flags), ""),
    )


def as_result(figures: Mapping[str, Any]) -> str:
    """The figures of this run as one JSON object, beside the command, the date and the machine."""
    from model.checkpoints.adapter import adapter_info

    measured = {
        "command": " ".join(["python -m app.bench", *map(_without_folders, sys.argv[1:])]),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": asdict(machine()),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,  # processes that wanted to run
        "embedded_version": adapter_info().version,
    }
    return json.dumps({"measured": measured, **figures}, indent=2, ensure_ascii=False)


def _without_folders(argument: str) -> str:
    """A file by its name alone: where it lies says nothing to others."""
    return Path(argument).name if argument.startswith(("/", "~", "..")) else argument
