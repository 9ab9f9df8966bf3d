"""Prints which folders of `model/` import which, lowest storey first: `python -m tests.folder_graph`."""

import ast
from pathlib import Path

MODEL = Path(__file__).resolve().parent.parent / "model"


def graph() -> dict[str, list[str]]:
    """Each room of `model/` and the rooms that it imports, by name."""
    edges: dict[str, set[str]] = {}
    for path in sorted(MODEL.rglob("*.py")):
        room = path.relative_to(MODEL).parts[0].removesuffix(".py")
        found = edges.setdefault(room, set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("model."):
                found.add(str(node.module).split(".")[1])
        found.discard(room)
    edges.pop("__init__", None)
    return {room: sorted(found) for room, found in edges.items()}


def floors(edges: dict[str, list[str]]) -> dict[str, int]:
    """How many rooms stand below each, one on the other. Raises RecursionError for a circle."""

    def floor(room: str) -> int:
        return 1 + max((floor(other) for other in edges[room]), default=-1)

    return {room: floor(room) for room in edges}


def main() -> None:
    edges = graph()
    for room, floor in sorted(floors(edges).items(), key=lambda item: (item[1], item[0])):
        below = [name for name in edges[room] if name not in ("types", "errors")]
        print(f"{floor}  {room:<12} {', '.join(below)}".rstrip())


if __name__ == "__main__":
    main()
