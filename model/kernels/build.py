"""Compiles the C++ of `src/` for the processor at hand, once, into the user's cache folder."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from model.errors import KernelError, Message
from model.storage.durable import place_durably
from model.storage.owned_folder import owned_folder

SOURCES = Path(__file__).parent / "src"
# -Wno-psabi: vectors are passed in other registers without AVX-512, which matters between libraries only.
_OPTIONS = ("-std=c++17", "-O3", "-fopenmp", "-fPIC", "-shared", "-Wno-psabi")
_SECONDS_TO_COMPILE = 600.0  # it takes 15 of one core, and far longer on a busy machine
_INSTEAD = Message("Answers come from PyTorch's operations instead, more slowly.")
_FIX = Message(
    "Answers come from PyTorch's operations instead, more slowly. To have native code, install a C++17"
    " compiler with OpenMP, GCC 11 or later (on Debian or Ubuntu: apt install g++)."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How to compile. target: the processor it is for, as the compiler's `-march` names it. options: further ones."""

    target: str = "native"  # this machine's, with all its instruction sets
    options: tuple[str, ...] = ()


NATIVE = Build()


def find_compiler() -> str | None:
    """The C++ compiler's path. Elsewhere than on Linux, PyTorch and the compiler each bring their own OpenMP."""
    found = (shutil.which(name) for name in ("c++", "g++", "clang++"))
    return next(filter(None, found), None) if sys.platform == "linux" else None


def compile_library(folder: Path, build: Build = NATIVE) -> Path:
    """The compiled library's path; it is compiled where the folder does not hold it yet.

    Raises KernelError where there is no compiler, or it fails.
    """
    compiler = find_compiler()
    if compiler is None:
        raise _no_compiler()
    arguments = (*_OPTIONS, f"-march={build.target}", *build.options)
    name = f"native-{_key(compiler, arguments)}"
    try:
        for path in folder.glob(f"{name}-*.so"):
            if path.name == f"{name}-{_content_hash(path)}.so":
                return path
        return _compile(compiler, arguments, folder, name)
    except OSError as error:
        raise KernelError(
            "Native code cannot be written to {folder} ({why}). {fix}", folder=folder, why=error, fix=_FIX
        ) from error


def _no_compiler() -> KernelError:
    if sys.platform != "linux":
        return KernelError(
            "Native code is for Linux, and this is {system}. {fix}", system=platform.system(), fix=_INSTEAD
        )
    return KernelError("There is no C++ compiler for native code. {fix}", fix=_FIX)


def _compile(compiler: str, arguments: tuple[str, ...], folder: Path, name: str) -> Path:
    """The new library's path. Its name ends with a hash of its content: a damaged one is compiled anew."""
    with owned_folder(folder, "compiling") as own:
        part = own / "native.so"
        command = [compiler, *arguments, *map(str, sorted(SOURCES.glob("*.cpp"))), "-o", str(part)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS_TO_COMPILE)
        except subprocess.TimeoutExpired as error:
            raise _failure(compiler, f"it took longer than {_SECONDS_TO_COMPILE:.0f} s") from error
        except subprocess.CalledProcessError as error:
            raise _failure(compiler, _first_error(error)) from error
        path = folder / f"{name}-{_content_hash(part)}.so"
        place_durably(part, path)
        for outdated in set(folder.glob("native-*.so")) - {path}:
            outdated.unlink(missing_ok=True)
    return path


def _content_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _failure(compiler: str, reason: str) -> KernelError:
    return KernelError(
        "Native code cannot be compiled by {compiler} ({version}): {why}. {fix}",
        compiler=compiler,
        version=_version(compiler),
        why=reason,
        fix=_FIX,
    )


def _first_error(error: subprocess.CalledProcessError) -> str:
    """The first line that tells an error, with the file's name alone; else the first line; else the exit status."""
    lines = [line.strip() for line in error.stderr.splitlines() if line.strip()]
    told = next((line for line in lines if "error" in line.lower()), lines[0] if lines else "")
    return told.replace(f"{SOURCES}/", "").rstrip(".") or f"it ended with status {error.returncode} and no message"


def _version(compiler: str) -> str:
    """The compiler's own name and version."""
    try:
        told = subprocess.run([compiler, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        told = ""
    return told.partition("\n")[0].strip() or "of unknown version"


def _key(compiler: str, arguments: tuple[str, ...]) -> str:
    """Of all that the library depends on: sources, compiler, options, processor. Machines may share a cache folder."""
    hashed = hashlib.sha256()
    for source in sorted(SOURCES.glob("*.[ch]*")):
        hashed.update(source.read_bytes())
    hashed.update(f"{compiler} {Path(compiler).resolve()} {arguments} {platform.machine()} {_processor()}".encode())
    return hashed.hexdigest()[:16]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return " ".join(sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))}))
