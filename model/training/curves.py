"""A run's log, a line of CSV a step, and its picture: `python -m model.training.curves --folder RUN -o FILE.svg`."""

import argparse
import csv
from pathlib import Path

MEASURES = ("step", "seconds", "tokens", "loss", "norm")
SMOOTHED = 20  # steps that a point of the loss curve is the mean of


class Log:
    """Appends to `log.csv` of a run, and prints what it appends."""

    def __init__(self, folder: Path, checks: list[str]) -> None:
        self._file = folder / "log.csv"
        self._fields = [*MEASURES, *checks]

    def add(self, row: dict[str, float]) -> None:
        """A step's figures by name; checks are there in some rows only."""
        new = not self._file.exists()
        with self._file.open("a", newline="", encoding="utf-8") as out:
            writer = csv.DictWriter(out, self._fields)
            if new:
                writer.writeheader()
            writer.writerow({name: f"{value:.5g}" for name, value in row.items()})
        print("  ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)


def read_log(file: Path) -> dict[str, list[tuple[int, float]]]:
    """Each column of a log as (step, value) pairs; a run that was cut off and went on wrote some steps twice."""
    columns: dict[str, dict[int, float]] = {}
    with file.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            step = int(row.pop("step"))
            for name, value in row.items():
                if value:
                    columns.setdefault(name, {})[step] = float(value)
    return {name: sorted(values.items()) for name, values in columns.items()}


def smooth(points: list[tuple[int, float]], size: int) -> list[tuple[int, float]]:
    """Running means over at most `size` points."""
    values = [value for _, value in points]
    windows = [values[max(0, index + 1 - size) : index + 1] for index in range(len(values))]
    return [(step, sum(window) / len(window)) for (step, _), window in zip(points, windows, strict=True)]


def draw(columns: dict[str, list[tuple[int, float]]], file: Path) -> None:
    """The loss, and beside it every check, over the steps."""
    from matplotlib.figure import Figure  # for those who train only: not in requirements.txt

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    loss, quality = figure.subplots(1, 2)
    loss.plot(*zip(*columns["loss"], strict=True), color="0.8", linewidth=0.8)
    loss.plot(*zip(*smooth(columns["loss"], SMOOTHED), strict=True), color="tab:blue")
    loss.set(xlabel="step", ylabel="nats a token", title="Answer loss")
    for name in sorted(set(columns) - set(MEASURES)):
        quality.plot(*zip(*columns[name], strict=True), marker="o", markersize=3, label=name)
    quality.set(xlabel="step", ylabel="share", title="Questions answered exactly (held-out rows)", ylim=(0, 1))
    quality.legend()
    figure.savefig(file)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.training.curves", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="the folder of a training run")
    parser.add_argument("-o", "--output", type=Path, required=True, help="an image file, such as curve.svg")
    arguments = parser.parse_args()
    draw(read_log(arguments.folder / "log.csv"), arguments.output)


if __name__ == "__main__":
    main()
