"""Several processes: what torchrun hands on to each, and who waits for whom."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from torch.distributed.run import get_args_parser

from model.training.train import argument_parser
from tests.helpers.awaited import PATIENCE

IN_TURN = """
import sys
from pathlib import Path
import torch
from model.training.workers import workers

with workers() as processes:
    with processes.in_turn():
        made = Path(sys.argv[1])
        seen = made.exists()
        made.touch()
    values = torch.tensor([float(seen), 1.0])
    processes.add_up(values)
    (made.parent / f"sums-{processes.rank}").write_text(str(values.tolist()))
"""


def test_torchrun_leaves_the_options_of_a_training_alone() -> None:
    """It takes an abbreviation of its own options, before or behind the module's name, for the option."""
    given = ["--data", "DATA", "--folder", "RUN", "--adapter", "FILE", "--steps", "9"]
    handed_on = get_args_parser().parse_args(["--nproc-per-node", "2", "-m", "model.training.train", *given])
    assert handed_on.training_script_args == given
    every = [option for action in argument_parser()._actions for option in action.option_strings if option != "-h"]
    assert get_args_parser().parse_args(["script", *every]).training_script_args == every


def test_the_first_process_makes_and_the_other_finds(tmp_path: Path) -> None:
    script = tmp_path / "in_turn.py"
    script.write_text(IN_TURN)
    options = ["-m", "torch.distributed.run", "--nproc-per-node", "2"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[3]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *options, str(script), str(tmp_path / "it")]
    subprocess.run(command, check=True, env=environment, capture_output=True, timeout=PATIENCE)
    assert [(tmp_path / f"sums-{rank}").read_text() for rank in range(2)] == ["[1.0, 2.0]"] * 2
