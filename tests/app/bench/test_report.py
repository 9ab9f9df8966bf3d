"""`python -m app.bench report`: kept result files become the figures of the documents, and of nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.bench.__main__ import build_parser
from app.bench.report import Result
from app.bench.results import as_result
from app.cli.command_line import run
from model.errors import DocumentError

SIDE = {
    "encode_seconds": 2.0, "first_token_seconds": 0.5, "token_ms": 10.0, "cache_bytes_per_token": 1352,
    "peak_memory_bytes": 2e9,
}  # fmt: skip
SPEED = {
    "tokens": 8192,
    "ours": SIDE,
    "transformers": {**SIDE, "encode_seconds": 16.0},
    "limit": {"token_ms": 8.0},
    "evidence_percent": 2.0,
    "precision": "bfloat16",
}
QUALITY: dict[str, Any] = {
    "rows": 20,
    "checkpoint": {"name": "embedded", "exact_match": 60.0, "f1": 75.5, "no_answer_recall": 50.0, "false_refusals": 5},
    "baseline": None,
}


CLUSTER: dict[str, Any] = {
    "scaling": [
        {"skew": skew, "replicas": replicas, "efficiency": efficiency}
        for skew, replicas, efficiency in ((0.0, 1, 1.0), (0.0, 64, 0.83), (1.2, 1, 1.0), (1.2, 64, 0.07))
    ],
    "checks": [
        {
            "skew": 1.2,
            "replicas": 2,
            "runs": [{"throughput": 3.2, "p95_seconds": 1.5}, {"throughput": 3.1, "p95_seconds": 2.0}],
            "p95_seconds": 2.0,
            "simulated": {"throughput": 3.05, "p95_seconds": 1.8},
        }
    ],
}


def keep(folder: Path, name: str, benchmark: str, figures: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["bench", benchmark, "--data", "/a/folder/rows.jsonl", "--json"])
    (folder / "docs" / "results").mkdir(parents=True, exist_ok=True)
    (folder / "docs" / "results" / f"{name}.json").write_text(as_result(figures), encoding="utf-8")


def test_figures_of_kept_results_stand_in_the_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path, "speed-8192", "speed", SPEED, monkeypatch)
    keep(tmp_path, "short", "quality", QUALITY, monkeypatch)
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- results: begin -->\nold\n<!-- results: end -->\nafter\n", encoding="utf-8")
    assert run(build_parser(), ["report", "--folder", str(tmp_path / "docs")]) == 0
    performance = (tmp_path / "docs" / "performance.md").read_text(encoding="utf-8")
    assert "| encode, s | 2 | 16 | 8.0x |" in performance and "75.5" not in performance
    quality = (tmp_path / "docs" / "quality.md").read_text(encoding="utf-8")
    assert "| embedded | 60 | 75.5 | 50 | 5 |" in quality and "rows.jsonl" in quality and "/a/folder" not in quality
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "8.0x reading" in text and text.index("F1 75.5") < text.index("8.0x reading")  # answers stand first


@pytest.mark.parametrize("is_checked", [True, False])
def test_a_cluster_tells_where_it_bends_and_how_near_its_simulation_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_checked: bool
) -> None:
    keep(tmp_path, "cluster", "cluster", CLUSTER if is_checked else CLUSTER | {"checks": []}, monkeypatch)
    assert run(build_parser(), ["report", "--folder", str(tmp_path / "docs")]) == 0
    performance = (tmp_path / "docs" / "performance.md").read_text(encoding="utf-8")
    assert "| 0 | 100 | 83 |" in performance and "| 1.2 | 100 | 7 |" in performance
    assert ("| 2, skew 1.2 | 3.1 to 3.2 | 3.05 | 1.5 to 2 | 1.8 | -10 |" in performance) is is_checked


@pytest.mark.parametrize(("load", "told"), [(0.3, False), (12.0, True)])
def test_times_of_a_busy_machine_are_marked(
    load: float, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load))
    keep(tmp_path, "speed-8192", "speed", SPEED, monkeypatch)
    result = Result.read(tmp_path / "docs" / "results" / "speed-8192.json")
    assert ("trust the ratios only" in result.machine) == told


def test_a_file_that_is_no_result_is_named_with_the_way_to_make_one(tmp_path: Path) -> None:
    path = tmp_path / "speed.json"
    path.write_text(json.dumps({"tokens": 1}), encoding="utf-8")
    with pytest.raises(DocumentError, match=r"speed\.json is not a kept result .*--json"):
        Result.read(path)
