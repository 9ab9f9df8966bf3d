"""The shape of the project, checked: who may import whom, how long a file may be, what may be tracked."""

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("app", "model")
LONGEST_FILE = 300  # lines
LONGEST_FUNCTION = 50
STOREYS = {  # of `model/`: a folder may import itself and what stands on a lower storey
    "types": 0,
    "errors": 0,
    "storage": 0,
    "network": 1,
    "encoding": 2,
    "checkpoints": 2,
    "kernels": 2,
    "encoder": 3,
    "decoder": 3,
    "answering": 4,
    "engine": 5,
    "training": 5,
}
MOST_ROOMS, MOST_STOREYS = 12, 7
MOST_BYTES = 50_000_000  # of everything tracked; the weights are among it
PATHS_OF_A_MACHINE = re.compile(r"(?<![\w.~/-])/(?:root|work)/")
REGISTRY_HOSTS = re.compile(
    r"(?:--index-url|--extra-index-url|--trusted-host)|(?:artifactory|nexus|devpi|pypi-proxy)\.", re.I
)


def tracked_files() -> list[Path]:
    """What git tracks; where there is no git (an unpacked archive) there is nothing to check."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def python_files(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def imports_of(path: Path) -> Iterator[str]:
    """The modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_model_knows_nothing_of_the_app() -> None:
    forbidden = {"app", "gradio", "gradio_client", "pymupdf", "fitz"}
    found = [
        f"{relative(path)} imports {name}"
        for path in python_files("model")
        for name in imports_of(path)
        if name.partition(".")[0] in forbidden
    ]
    assert found == []


def rooms_of_the_model() -> dict[Path, str]:
    """Each file of `model/` and the name at its top, a folder or a module, that it belongs to."""
    files = python_files("model")
    return {path: path.relative_to(ROOT / "model").parts[0].removesuffix(".py") for path in files}


def test_folders_of_the_model_import_lower_ones_only() -> None:
    upward = [
        f"{relative(path)} imports {name}"
        for path, room in rooms_of_the_model().items()
        for name in imports_of(path)
        if name.startswith("model.") and room != "__init__"
        if (other := name.split(".")[1]) != room and STOREYS[other] >= STOREYS[room]
    ]
    assert upward == []


def test_the_model_has_no_other_rooms() -> None:
    assert set(rooms_of_the_model().values()) - {"__init__"} == set(STOREYS)
    assert len(STOREYS) <= MOST_ROOMS and len(set(STOREYS.values())) <= MOST_STOREYS


def test_the_architecture_page_shows_each_room_on_its_floor() -> None:
    command = [sys.executable, "-m", "tests.folder_graph"]
    printed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = {line.split()[1]: line.split()[0] for line in printed.splitlines()}
    (block,) = re.findall(r"^```\n(\d  engine.*?)^```", (ROOT / "ARCHITECTURE.md").read_text("utf-8"), re.M | re.S)
    shown, floor = {}, ""
    for number, names in re.findall(r"^(\d?) +(\w+(?:, \w+)*)", block, re.M):
        floor = number or floor
        shown |= dict.fromkeys(names.split(", "), floor)
    assert shown == {room: floor for room, floor in found.items() if room not in ("types", "errors")}


def test_no_file_imports_itself_by_a_detour() -> None:
    modules = {relative(path).removesuffix(".py").replace("/", "."): path for path in python_files(*PACKAGES)}
    edges = {module: [name for name in imports_of(path) if name in modules] for module, path in modules.items()}
    sorter = graphlib.TopologicalSorter(edges)
    sorter.prepare()  # raises CycleError, which names the circle


def test_no_test_imports_another() -> None:
    """What several tests need is in `tests/helpers/`."""
    found = [
        f"{relative(path)} imports {name}"
        for path in python_files("tests")
        for name in imports_of(path)
        if name.startswith(("tests.", ".")) and not name.startswith("tests.helpers")
    ]
    assert found == []


def test_importing_the_engine_loads_no_page_and_no_pdf_library() -> None:
    program = "import model.engine, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()).isdisjoint({"app", "gradio", "pymupdf", "fitz"})


def test_asking_the_embedded_checkpoint_loads_no_transformers() -> None:
    """Importing it takes longer than importing torch."""
    program = (
        "import app.cli.ask, model.checkpoints.embedded, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()).isdisjoint({"transformers", "accelerate", "gguf"})


def test_help_loads_no_heavy_library() -> None:
    modules = "app.cli.command_line, app.bench.__main__"
    # A module that is None is one that was left out (`app.environment.leave_out_unneeded`).
    loaded = "{name.partition('.')[0] for name, module in sys.modules.items() if module}"
    program = f"import {modules}, sys; print(*{loaded})"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(run.stdout.split()).isdisjoint({"torch", "transformers", "gradio", "pymupdf", "numpy", "PIL"})


def test_files_are_short() -> None:
    lengths = {relative(path): len(path.read_text("utf-8").splitlines()) for path in python_files(*PACKAGES, "tests")}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_functions_are_short() -> None:
    lengths = {
        f"{relative(path)}: {node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path in python_files(*PACKAGES, "tests")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        relative(path) for path in python_files(*PACKAGES) if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []


def test_no_path_of_a_machine_and_no_registry_is_tracked() -> None:
    found = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # binary
        for number, line in enumerate(text.splitlines(), start=1):
            if path != Path(__file__).resolve() and (PATHS_OF_A_MACHINE.search(line) or REGISTRY_HOSTS.search(line)):
                found.append(f"{relative(path)}:{number}: {line.strip()[:100]}")
    assert not found, "\n".join(found)


def test_what_is_tracked_stays_small() -> None:
    assert sum(path.stat().st_size for path in tracked_files()) < MOST_BYTES


def test_the_file_map_of_the_readme_is_true() -> None:
    """Every path that the README's file map names exists, and it names every top-level folder and package."""
    readme = ROOT / "README.md"
    if not readme.is_file():
        pytest.skip("no README yet")
    named = set(re.findall(r"^[\s│├└─]*`?([\w./-]+(?:/|\.\w+))`?(?=\s|$)", _file_map(readme.read_text("utf-8")), re.M))
    assert named, "the README has no file map"
    assert sorted(name for name in named if not (ROOT / name).exists()) == []
    assert {"app/", "model/", "assets/", "tests/", "app.py"} <= named


def _file_map(readme: str) -> str:
    """The first fenced block below the heading that names the file map."""
    match = re.search(r"^#+ .*\b(?:file map|files)\b.*?^```[^\n]*\n(.*?)^```", readme, re.I | re.M | re.S)
    return match[1] if match else ""
