"""`report`: writes the figures of kept result files into docs/quality.md, docs/performance.md and the README.

A result file is what a benchmark prints with `--json`, kept in docs/results. So every figure has one source, and each
line of the documents names the command, the date and the machine that it comes from.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.errors import DocumentError

QUIET = 2.0  # processes that want to run, on average of the last minute: with more, times are too long
_MARKS = re.compile(r"(<!-- results: begin -->\n).*?(<!-- results: end -->)", re.S)
_NOTE = "<!-- Written by `python -m app.bench report` from docs/results: do not edit. -->"
_NONE = "No result of this version is kept yet."
_KINDS = "answerable", "not answerable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A kept result file: which benchmark, what it was measured with, and its figures."""

    name: str
    benchmark: str
    command: str
    date: str
    machine: str  # and how busy it was, where it was
    figures: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Result:
        """Raises DocumentError where the file is not what a benchmark prints with --json."""
        try:
            figures = json.loads(path.read_text(encoding="utf-8"))
            measured = figures.pop("measured")
            machine = measured["machine"]
            return cls(
                name=path.stem,
                benchmark=measured["command"].split()[3],
                command=measured["command"],
                date=measured["date"],
                machine=f"{machine['processor']}, {machine['cores']} cores, {machine['instructions'] or 'no AVX2'}"
                f"{_busy(measured.get('load'))}",
                figures=figures,
            )
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            raise DocumentError(
                "{path} is not a kept result ({why}): write it with --json, for example "
                "`python -m app.bench speed --json > docs/results/speed-8192.json`.",
                path=path,
                why=error,
            ) from error


def _busy(load: float | None) -> str:
    """Times of a busy machine are too long; ratios of one run hold nearly."""
    return f", busy with other work (load {load:g}): trust the ratios only" if load and load > QUIET else ""


def report(arguments: argparse.Namespace) -> None:
    folder: Path = arguments.folder
    results = [Result.read(path) for path in sorted((folder / "results").glob("*.json"))]
    (folder / "quality.md").write_text(quality_page(results), encoding="utf-8")
    (folder / "performance.md").write_text(performance_page(results), encoding="utf-8")
    readme = folder.parent / "README.md"
    if readme.is_file():
        table = readme_table(results)
        text = readme.read_text(encoding="utf-8")
        readme.write_text(_MARKS.sub(lambda marks: f"{marks[1]}{table}\n{marks[2]}", text), encoding="utf-8")


def quality_page(results: Sequence[Result]) -> str:
    """Answers and reading, a section a result file."""
    return _page("Quality", "How often answers and page texts are right.", results, _QUALITY)


def performance_page(results: Sequence[Result]) -> str:
    """Speed and memory, a section a result file."""
    return _page("Performance", "Speed and memory, beside what they are measured by.", results, _PERFORMANCE)


def readme_table(results: Sequence[Result]) -> str:
    """The README's table: eight rows at most, real documents first."""
    rows = [row for kind in ("real", "reading", "quality", "speed", "load") for row in _readme_rows(results, kind)]
    return "\n".join(["| what | result | measured with |", "|-|-|-|", *rows[:8]]) if rows else _NONE


def _readme_rows(results: Sequence[Result], benchmark: str) -> list[str]:
    rows = []
    for result in results:
        summary = _SUMMARIES.get(benchmark)
        if result.benchmark == benchmark and summary and (found := summary(result)):
            rows.append(f"| {found[0]} | {found[1]} | `{result.benchmark}`, {result.date} |")
    return rows


def _page(title: str, about: str, results: Sequence[Result], sections: dict[str, Callable[[Result], str]]) -> str:
    parts = [f"# {title}\n\n{_NOTE}\n\n{about} Each section is one kept result file of `docs/results`."]
    for result in results:
        if section := sections.get(result.benchmark):
            parts.append(
                f"## {result.name}\n\n`{result.command}`, {result.date}, {result.machine}.\n\n{section(result)}"
            )
    return "\n\n".join(parts if len(parts) > 1 else [*parts, _NONE]) + "\n"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["-"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _quality(result: Result) -> str:
    names = "exact_match", "f1", "no_answer_recall", "false_refusals"
    sides = [one for one in (result.figures["checkpoint"], result.figures["baseline"]) if one]
    rows = [[one["name"], *(_number(one[name]) for name in names)] for one in sides]
    header = [f"{result.figures['rows']} rows, per cent", "exact match", "F1", "refused rightly", "refused wrongly"]
    return _table(header, rows)


def _corpus(result: Result) -> str:
    figures = result.figures
    told = (
        f"Of {figures['files']} files {figures['read']} were opened ({figures['pages']} pages), and "
        f"{figures['refused']} refused with the reason and what to do; {len(figures['crashed'])} crashed, and of "
        f"{len(figures['not_drawn'])} the first page could not be drawn."
    )
    rows = [[ending, read] for ending, read in figures["by_ending"].items()]
    refused = [f"- {count}: {reason}" for reason, count in figures["refused_by_reason"].items()]
    return "\n\n".join([told, _table(["ending", "opened"], rows), *(["\n".join(refused)] if refused else [])])


def _real(result: Result) -> str:
    rows = [
        [kind, str(tally["rows"]), _share(tally["right"], tally["rows"]), str(tally["refused"]), str(tally["wrong"])]
        for kind, tally in result.figures["kinds"].items()
    ]
    marks = [
        [title, str(found["rows"]), _share(found["counted"], found["rows"]), "", ""]
        for title, found in (
            ("evidence page right, of answers with a place", result.figures["evidence_page"]),
            ("doubt mark under wrong answers", result.figures["doubtful_of_wrong"]),
            ("doubt mark under right answers", result.figures["doubtful_of_right"]),
        )
    ]
    return _table(["kind", "rows", "right, %", "refused", "wrong"], rows + marks)


def _reading(result: Result) -> str:
    """By kind of page: how many, and what share of it is right."""
    rows = []
    for kind, figures in result.figures["kinds"].items():
        if "order" in figures:
            values = [_percent(figures[name]) for name in ("order", "words", "wrong")]
            rows.append([kind, f"{figures['pages']:g} pages", *values, "", ""])
        elif "rows" in figures:
            count = f"{figures['rows']:g} rows of {figures['tables']:g} tables"
            rows.append([kind, count, "", "", "", _percent(figures["right"]), _percent(figures["headed"])])
        else:
            rows.append([f"{kind}: {figures['cpu_ms']:g} ms of CPU", f"{figures['pages']:g} pages", *[""] * 5])
    shares = ["order", "words found", "characters wrong", "rows right", "cells behind their headings"]
    return _table(["kind", "of", *(f"{name}, %" for name in shares)], rows)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _speed(result: Result) -> str:
    figures, rows = result.figures, []
    for name, title in _SPEED.items():
        ours, theirs = figures["ours"][name], (figures["transformers"] or {}).get(name)
        rows.append([title, _number(ours), _number(theirs), f"{theirs / ours:.1f}x" if ours and theirs else "-"])
    rows.append(["limit of a token by memory bandwidth, ms", _number(figures["limit"]["token_ms"]), "", ""])
    rows.append(["what evidence adds to a token, %", _number(figures["evidence_percent"]), "", ""])
    header = [f"{figures['tokens']:,} tokens, {figures['precision']}", "ours", "transformers", "ratio"]
    return _table(header, rows)


def _cluster(result: Result) -> str:
    """Where each skew of popularity bends, and how near the simulation was to real replicas."""
    by_skew: dict[float, dict[int, float]] = {}
    for one in result.figures["scaling"]:
        by_skew.setdefault(one["skew"], {})[one["replicas"]] = one["efficiency"]
    counts = list(next(iter(by_skew.values())))
    shares = [[f"{skew:g}", *(f"{100 * of[count]:.0f}" for count in counts)] for skew, of in by_skew.items()]
    scaling = _table(["skew of popularity: % of linear with", *(f"{count} answerers" for count in counts)], shares)
    told = "Simulated from one answerer's measured times: the most questions a second that are answered in time."
    if not result.figures["checks"]:
        return f"{told}\n\n{scaling}"
    rows = []
    for one in result.figures["checks"]:
        runs, simulated = one.get("runs", [one]), one["simulated"]  # in older results there is one run
        tails = _spread([run["p95_seconds"] for run in runs]), _number(simulated["p95_seconds"])
        rates = _spread([run["throughput"] for run in runs]), _number(simulated["throughput"])
        off = f"{100 * (simulated['p95_seconds'] / one['p95_seconds'] - 1):+.0f}"
        rows.append([f"{one['replicas']}, skew {one['skew']:g}", *rates, *tails, off])
    header = ["real answerers", "a second", "simulated", "95 in 100 within, s", "simulated", "off by, %"]
    about = (
        "Real answerers on this machine, beside what was predicted of them. Where they were asked the same several"
        " times, the figures are those of the least and the most: what lies between, nothing can predict."
    )
    return f"{told}\n\n{scaling}\n\n{about}\n\n{_table(header, rows)}"


def _spread(values: Sequence[float]) -> str:
    return " to ".join(dict.fromkeys(_number(value) for value in (min(values), max(values))))


def _as_it_is(result: Result) -> str:
    """Figures of a benchmark without a table of its own: its numbers, by their names."""
    rows = [[name, _number(value)] for name, value in _numbers(result.figures)]
    return _table(["figure", "value"], rows)


def _numbers(figures: dict[str, Any], prefix: str = "") -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for name, value in figures.items():
        label = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, dict):
            found += _numbers(value, f"{label}: ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found.append((label, value))
    return found


def _real_summary(result: Result) -> tuple[str, str]:
    kinds = result.figures["kinds"]
    shares = {name: _share(kinds[name]["right"], kinds[name]["rows"]) for name in _KINDS if name in kinds}
    parts = [f"{shares[name]}% of {kinds[name]['rows']} {name}" for name in shares]
    return f"real documents ({result.figures['documents']}), answered rightly", "; ".join(parts)


def _quality_summary(result: Result) -> tuple[str, str]:
    ours, baseline = result.figures["checkpoint"], result.figures["baseline"]
    against = f" (Gemma 3 270M, prompted: {_number(baseline['f1'])})" if baseline else ""
    return f"{result.name.replace('-', ' ')}, {result.figures['rows']} rows", f"F1 {_number(ours['f1'])}{against}"


def _speed_summary(result: Result) -> tuple[str, str] | None:
    ours, theirs = result.figures["ours"], result.figures["transformers"]
    if not theirs:
        return None
    ratios = [
        f"{theirs[name] / ours[name]:.1f}x {title}" for name, title in _RATIOS.items() if ours[name] and theirs[name]
    ]
    return f"beside transformers, {result.figures['tokens']:,} tokens", ", ".join(ratios)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}" if whole else "-"


_SPEED = {
    "encode_seconds": "encode, s",
    "first_token_seconds": "first token of a further question, s",
    "token_ms": "each further token, ms",
    "cache_bytes_per_token": "cache, bytes a token",
    "peak_memory_bytes": "peak memory, bytes",
}
_RATIOS = {"encode_seconds": "reading", "first_token_seconds": "first token", "token_ms": "each further token"}
_QUALITY: dict[str, Callable[[Result], str]] = {
    "real": _real,
    "quality": _quality,
    "reading": _reading,
    "corpus": _corpus,
    **dict.fromkeys(("evidence", "joined", "needles", "retrieval"), _as_it_is),
}
_PERFORMANCE: dict[str, Callable[[Result], str]] = {
    "speed": _speed,
    "load": _as_it_is,
    "library": _as_it_is,
    "cluster": _cluster,
}
_SUMMARIES: dict[str, Callable[[Result], tuple[str, str] | None]] = {
    "real": _real_summary,
    "quality": _quality_summary,
    "speed": _speed_summary,
}
