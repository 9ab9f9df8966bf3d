"""Native code is compiled without a warning for each kind of processor; and where it cannot be, people are told why."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from model.errors import KernelError
from model.kernels.build import SOURCES, Build, compile_library
from model.kernels.library import load_library
from model.kernels.parts import NativeParts, load_native_parts
from tests.helpers.targets import AMX, AVX2, AVX512, needs_compiler, needs_target, needs_x86, without_warnings
from tests.helpers.tiny import tiny_model

InsteadOfTheCompiler = Callable[[str], Path]


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InsteadOfTheCompiler:
    """Puts a shell script in the place of the only C++ compiler."""

    def put(script: str) -> Path:
        path = tmp_path / "bin" / "c++"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(path.parent))
        return path

    return put


@needs_compiler
@needs_x86
@pytest.mark.parametrize("target", [AMX, AVX512, AVX2])
def test_it_compiles_without_a_warning(target: str, target_folder: Callable[[str], Path]) -> None:
    needs_target(target)
    assert compile_library(target_folder(target), without_warnings(target)).is_file()


def test_the_sources_are_formatted() -> None:
    sources = sorted(map(str, SOURCES.glob("*.[ch]*")))
    program = Path(sys.executable).with_name("clang-format")  # the pinned one: others format otherwise
    if not program.exists():
        pytest.skip("clang-format is not installed")
    checked = subprocess.run([program, "--dry-run", "-Werror", *sources], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr[:2000]


@needs_compiler
def test_it_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_library(folder)
    before = set(folder.iterdir())
    monkeypatch.setattr("subprocess.run", None)
    load_library(folder)
    assert set(folder.iterdir()) == before


def test_a_machine_without_a_compiler_is_told_which_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    parts = load_native_parts(tiny_model(), tmp_path)
    assert parts == NativeParts(unavailable=parts.unavailable)
    assert "no C++ compiler" in parts.unavailable and "apt install g++" in parts.unavailable
    assert not caplog.records  # nothing went wrong


@needs_compiler
def test_a_failure_stands_in_the_log(
    compiler: InsteadOfTheCompiler, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    compiler("echo 'out of memory' >&2; exit 1")
    parts = load_native_parts(tiny_model(), tmp_path)
    assert parts == NativeParts(unavailable=parts.unavailable) and "out of memory" in parts.unavailable
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, parts.unavailable)
    ]


@needs_compiler
def test_a_compiler_that_fails_is_told_with_its_version_and_first_error(
    compiler: InsteadOfTheCompiler, tmp_path: Path
) -> None:
    told = "echo note: on the way >&2; echo 'tiles.h:7: fatal error: omp.h: No such file' >&2; exit 1"
    path = compiler(f'[ "$1" = --version ] && {{ echo "ours 4.2"; exit 0; }}; {told}')
    with pytest.raises(KernelError) as raised:
        compile_library(tmp_path / "cache")
    message = str(raised.value)
    assert f"{path} (ours 4.2): tiles.h:7: fatal error: omp.h: No such file. " in message
    assert "apt install g++" in message
    assert not list((tmp_path / "cache").iterdir())


@needs_compiler
def test_a_compiler_that_fails_without_a_word_is_told_with_its_status(
    compiler: InsteadOfTheCompiler, tmp_path: Path
) -> None:
    compiler("exit 3")
    with pytest.raises(KernelError, match=r"of unknown version\): it ended with status 3 and no message"):
        compile_library(tmp_path)


@needs_compiler
def test_a_target_that_the_compiler_does_not_know_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(KernelError, match=r"cannot be compiled by .*\d.*: .*error.*no-such-processor"):
        compile_library(tmp_path, Build(target="no-such-processor"))


@needs_compiler
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KernelError, match=r"cannot be written to .*file"):
        compile_library(tmp_path / "file")


@needs_compiler
def test_a_damaged_library_is_told_with_the_file_to_delete(compiler: InsteadOfTheCompiler, tmp_path: Path) -> None:
    compiler('while [ $# -gt 1 ]; do shift; done; echo damaged > "$1"')
    cache = tmp_path / "cache"
    with pytest.raises(KernelError) as raised:
        load_library(cache)
    (path,) = cache.glob("native-*.so")
    assert f"Delete {path}" in str(raised.value)


@pytest.mark.parametrize("damaged", [b"half", b"", b"another library"])
def test_a_damaged_library_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: bytes) -> None:
    """With a compiler that writes its own bytes and notes that it was asked."""
    runs, compiler, cache = tmp_path / "runs", tmp_path / "c++", tmp_path / "cache"
    compiler.write_text(f'#!/bin/sh\necho run >> {runs}\nfor last; do :; done\necho library > "$last"\n')
    compiler.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda _: str(compiler))
    (made,) = {compile_library(cache) for _ in range(2)}
    assert runs.read_text() == "run\n"
    made.write_bytes(damaged)
    assert {compile_library(cache) for _ in range(2)} == {made}
    assert runs.read_text() == "run\nrun\n"
    assert list(cache.iterdir()) == [made]
    assert made.read_text() == "library\n"
