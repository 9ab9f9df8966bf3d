"""The command `readonce` of a wheel: everything under one name, outside the checkout."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers.awaited import PATIENCE

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def site_packages(tmp_path: Path) -> Path:
    """A folder with what the wheel puts into one, as `pyproject.toml` says."""
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    package = tmp_path / "site-packages" / wheel["sources"][""]
    package.mkdir(parents=True)
    for name in wheel["only-include"]:
        (package / name).symlink_to(ROOT / name)
    for source, target in wheel["force-include"].items():
        (package / target).write_bytes((ROOT / source).read_bytes())
    return package.parent


def run(site_packages: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    folder = site_packages.parent  # not the checkout
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(site_packages)!r}); {program}"]
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def test_the_command_runs_and_calls_itself_by_its_name(site_packages: Path) -> None:
    ran = run(site_packages, "import readonce; sys.exit(readonce.main())", "ask")
    assert ran.returncode == 2 and ran.stdout == ""
    assert ran.stderr.startswith("readonce ask: ") and "-q" in ran.stderr


def test_serve_runs_the_page(site_packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READONCE_MEMORY_MB", "much")  # which the page refuses before it loads anything
    ran = run(site_packages, "import readonce; sys.exit(readonce.main())", "serve")
    assert (ran.returncode, ran.stdout) == (2, "") and "READONCE_MEMORY_MB" in ran.stderr


def test_it_installs_no_package_named_app_or_model(site_packages: Path) -> None:
    program = "from importlib.util import find_spec; print(find_spec('app'), find_spec('model'))"
    assert run(site_packages, program).stdout.split() == ["None", "None"]
