"""`info`: what a bug report needs."""

import argparse
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

from app.documents import DocumentReader
from app.library.opening import existing_library
from app.provenance import counted, megabytes
from app.settings import Settings
from model.checkpoints import EMBEDDED
from model.checkpoints.found import downloaded
from model.checkpoints.placement import best_device, best_dtype
from model.errors import DocumentError, KernelError
from model.kernels.build import find_compiler
from model.kernels.library import has_matrix_tiles, load_library

PACKAGES = ("torch", "transformers", "gradio", "pymupdf", "rapidocr", "onnxruntime")


def info(_arguments: argparse.Namespace) -> None:
    settings = Settings.load()
    rows = [
        ("python", f"{platform.python_version()} on {platform.platform()}"),
        *((package, _version(package)) for package in PACKAGES),
        ("device", _device()),
        ("threads", str(torch.get_num_threads())),
        ("C++ compiler", find_compiler() or "none"),
        ("native code", _native_code(settings)),
        ("checkpoint", settings.model),
        ("checkpoints found", ", ".join([EMBEDDED, *downloaded()])),
        ("cache folder", f"{settings.cache_folder} ({_size(settings)})"),
        ("library", _library(settings)),
        *_confinement(),
    ]
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        print(f"{label:<{width}}  {value}")


def _library(settings: Settings) -> str:
    library = existing_library(settings)
    if library is None:
        return f"{settings.library} (not there yet)" if settings.library else "off"
    try:
        return f"{settings.library} ({counted(len(library.documents()), 'document')}, {megabytes(library.used_bytes)})"
    finally:
        library.close()


def _confinement() -> list[tuple[str, str]]:
    """What is promised of the process that opens documents, on this machine."""
    try:
        with DocumentReader() as reader:
            confinement = reader.confinement()
    except DocumentError as error:
        return [("documents", str(error))]
    return [
        ("documents", f"are opened in a process of its own: {'; '.join(confinement.holds)}"),
        ("not promised here", "; ".join(confinement.lacks) or "-"),
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _device() -> str:
    device = best_device()
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return f"{device.type} ({name}), computing in {str(best_dtype(device)).removeprefix('torch.')}"


def _native_code(settings: Settings) -> str:
    """Which instructions it was compiled for; or why it was not. The first time, compiling takes some seconds."""
    try:
        library = load_library(settings.cache_folder)
    except KernelError as error:
        return f"none. {error}"
    return "compiled, with matrix tiles (AMX)" if has_matrix_tiles(library) else "compiled, without matrix tiles"


def _size(settings: Settings) -> str:
    if not settings.cache_folder.is_dir():
        return "not there yet"
    return megabytes(sum(path.stat().st_size for path in settings.cache_folder.rglob("*") if path.is_file()))
