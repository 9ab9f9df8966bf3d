"""Whether confidence tells the truth: of answers that are said to be right with 70%, seven of ten should be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

BINS = 10


class Bin(TypedDict):
    """Answers of about the same confidence: how many, what was said on average, and the share that was right."""

    rows: int
    said: float
    right: float


def reliability(confidences: Sequence[float], right: Sequence[bool]) -> list[Bin]:
    """The reliability curve: tenths of confidence that have answers, the lowest first."""
    groups: dict[int, list[tuple[float, bool]]] = {}
    for confidence, is_right in zip(confidences, right, strict=True):
        groups.setdefault(min(BINS - 1, int(confidence * BINS)), []).append((confidence, is_right))
    return [
        Bin(
            rows=len(group),
            said=round(sum(confidence for confidence, _ in group) / len(group), 3),
            right=round(sum(is_right for _, is_right in group) / len(group), 3),
        )
        for _, group in sorted(groups.items())
    ]


def calibration_error(curve: Sequence[Bin]) -> float:
    """The expected calibration error: the distance between said and right, averaged over all answers."""
    rows = sum(one["rows"] for one in curve)
    return sum(one["rows"] * abs(one["said"] - one["right"]) for one in curve) / rows if rows else 0.0


def as_lines(curve: Sequence[Bin]) -> list[str]:
    lines = [f"{'confidence said':<22}{'rows':>6}{'right':>7}"]
    lines += [f"{one['said']:<22.2f}{one['rows']:>6}{one['right']:>7.2f}" for one in curve]
    return [*lines, f"{'calibration error':<22}{calibration_error(curve):>13.3f}"]
