"""`python -m app.cluster`: how many replicas, and what it says where it cannot start."""

import pytest

from app.cli.command_line import run
from app.cluster.__main__ import build_parser
from app.cluster.values import Scale


def test_a_number_is_a_number_and_two_are_the_least_and_the_most() -> None:
    chosen = build_parser().parse_args(["--answerers", "2-8", "--encoders", "3"])
    assert (chosen.answerers, chosen.encoders) == (Scale(least=2, most=8), Scale(least=3, most=3))


@pytest.mark.parametrize("wrong", ["0", "8-2", "many"])
def test_other_numbers_of_replicas_are_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--answerers", wrong])
    assert "--answerers" in capsys.readouterr().err


def test_without_a_folder_it_says_what_to_set(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("READONCE_CLUSTER", raising=False)
    assert run(build_parser(), []) == 2
    assert "READONCE_CLUSTER" in capsys.readouterr().err
