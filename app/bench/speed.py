"""`speed`: the engine beside transformers' own `T5Gemma2ForConditionalGeneration`, on the same weights, in one run.

Each side works in a process of its own (`sides.py`), so that neither inherits the other's memory or threads.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from app.bench.results import as_result
from app.cli.progress import ProgressLine
from app.settings import Settings

QUIET = 0.5  # processes that want to run, on average of the last minute
TOLERANCE = {"float32": 0.01, "bfloat16": 0.25}  # logits: nearer than that, either of two tokens may come first
FIGURES = {
    "encode_seconds": "encode, s",
    "first_token_seconds": "first token of a further question, s",
    "token_ms": "each further token, ms",
    "cache_bytes_per_token": "cache, bytes a token",
    "peak_memory_bytes": "peak memory, bytes",
}


def speed(arguments: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    if load > QUIET:
        print(f"note: the machine is busy (load {load:.1f}); trust the ratios only", file=sys.stderr)
    line = ProgressLine(sys.stderr)
    name = arguments.model or Settings.load().model
    notes: list[str] = []
    try:
        with tempfile.TemporaryDirectory(prefix="readonce-") as folder:
            side = partial(
                _side, name=name, arguments=arguments, states=Path(folder) / "states", line=line, notes=notes
            )
            ours = side("ours")
            theirs = None if arguments.ours_only else side("transformers")
    finally:
        line.clear()
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    result = {
        "tokens": arguments.tokens,
        "ours": _figures(ours),
        "transformers": _figures(theirs),
        "limit": {"token_ms": ours["limit_token_ms"] if ours else None},
        "agree": agree(ours, theirs) if ours and theirs else None,
        "batch_of_16": ours["batch_ratio"] if ours else None,
        "evidence_percent": ours["evidence_percent"] if ours else None,
        "precision": ours["precision"] if ours else None,
        "document": ours["document"] if ours else None,
        "notes": notes,
    }
    print(as_result(result) if arguments.json else as_table(result))


def _side(
    side: str, *, name: str, arguments: argparse.Namespace, states: Path, line: ProgressLine, notes: list[str]
) -> dict[str, Any] | None:
    """What one side measured, None where it could not run (most often for want of memory), and a note that says why."""
    line.say(f"{side}: {arguments.tokens:,} tokens")
    given = (side, name, str(arguments.tokens), str(arguments.chunk or 0), str(states))
    waiting = {} if side == "ours" else {"GOMP_SPINCOUNT": "300000"}  # as it is where nobody sets it
    child = subprocess.run(
        [sys.executable, "-m", "app.bench.sides", *given],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **waiting},
    )
    if child.returncode:
        reason = (child.stderr.strip().splitlines() or [f"it ended with status {child.returncode}"])[-1]
        notes.append(f"{side} could not run {arguments.tokens:,} tokens: {reason}")
        return None
    measured: dict[str, Any] = json.loads(child.stdout.splitlines()[-1])
    notes += measured["notes"]
    return measured


def _figures(side: dict[str, Any] | None) -> dict[str, float | None]:
    return {name: side[name] if side else None for name in FIGURES}


def agree(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """The same greedy tokens; or, where they first differ, transformers itself all but took the other one.

    Weights in few bits round as much as bfloat16 does.
    """
    tolerance = TOLERANCE["bfloat16" if ours["in_few_bits"] else ours["precision"]]
    for token, expected, lead in zip(ours["greedy"], theirs["greedy"], theirs["leads"], strict=False):
        if token != expected:
            return bool(lead < tolerance)
    return True


def as_table(result: dict[str, Any]) -> str:
    kept = "" if result["document"] == result["precision"] else f", document in {result['document']}"
    lines = [
        f"{result['tokens']:,} tokens, {result['precision']}{kept}".ljust(40)
        + f"{'ours':>14}{'transformers':>16}{'ratio':>10}"
    ]
    for name, title in FIGURES.items():
        ours, theirs = result["ours"][name], result["transformers"][name]
        ratio = f"{theirs / ours:.1f}x" if ours and theirs else "-"
        lines.append(f"{title:<40}{_number(ours):>14}{_number(theirs):>16}{ratio:>10}")
    lines.append(f"{'limit of a token by bandwidth, ms':<40}{_number(result['limit']['token_ms']):>14}")
    lines.append(f"{'16 questions in a batch cost as many':<40}{_number(result['batch_of_16']):>14}")
    lines.append(f"{'evidence adds to a token, %':<40}{_number(result['evidence_percent']):>14}")
    lines.append(f"{'same greedy tokens':<40}{ {True: 'yes', False: 'NO', None: '-'}[result['agree']]:>14}")
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
