"""kill -9 at random moments of the real commands: `python -m tests.helpers.killed_commands FOLDER KILLS SEED`.

Files are added, edited, moved and removed by `python -m app`, with a tiny random checkpoint. A command is killed at
some moment of its work; then all that any of them had said is true, and the next start leaves no orphan.
"""

from __future__ import annotations

import os
import random
import re
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from signal import SIGKILL
from typing import TextIO

import torch

import app.cli.reading  # noqa: F401 - before it is forked
from app.cli import command_line
from app.library.library import Library
from app.library.opening import sha256_of
from tests.helpers.killed_library import CAPACITY, check_whole
from tests.helpers.tiny import save_tiny

FILES = 6  # that are written before each `add`, or removed together
ENOUGH = 24  # papers, from which on some are removed
_DONE = re.compile(r"(added|there|removed) +(/.+?\.txt)(?: \(|$)")
_PLACES = "SELECT places.folder, places.name, sha256 FROM places JOIN documents ON id = document WHERE removed IS NULL"


class Papers:
    """A folder of papers, which changes, and what was said of them by commands."""

    def __init__(self, folder: Path, generator: random.Random) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self._generator = generator
        self._written = 0
        self._kept: dict[Path, str] = {}  # the SHA-256 of each that was said to be in the library
        self._unsure: set[Path] = set()  # to be removed by a command that was killed

    def next_command(self) -> list[str]:
        """Change the papers, or choose some to be removed."""
        files = self._files()
        if len(self._kept) > ENOUGH:
            gone = self._generator.sample(sorted(self._kept), FILES)
            self._unsure |= set(gone)
            return ["remove", *map(str, gone)]
        for file in self._generator.sample(files, min(2, len(files))):
            file.rename(file.with_name(f"{self._written}-{file.name}"))
            self._kept.pop(file, None)
        for _ in range(FILES):
            self._write(self.folder / f"{self._written}.txt")
        self._write(self._generator.choice(self._files()))  # an edited one
        return ["add", str(self.folder)]

    def check(self, said: Sequence[str], found: dict[Path, str]) -> None:
        """`found`: the library's places. One that a killed command was to change is as it was, or as it was to be."""
        for match in filter(None, map(_DONE.match, said)):
            path = Path(match[2])
            if match[1] == "removed":
                assert path not in found, f"{path} was removed, and is there"
                self._kept.pop(path, None)
                path.unlink()
            else:
                self._kept[path] = sha256_of(path)
                assert found.get(path) == self._kept[path], f"{path} was added, and is not there"
        for path, sha256 in list(self._kept.items()):
            may_be = {sha256} | ({sha256_of(path)} if path.exists() else set())
            assert found.get(path) in may_be or path in self._unsure, f"{path} is lost"
            if path not in found:
                del self._kept[path]
        self._unsure.clear()

    def _files(self) -> list[Path]:
        return sorted(self.folder.iterdir())

    def _write(self, file: Path) -> None:
        self._written += 1
        words = " ".join(f"word{self._generator.randrange(1000)}" for _ in range(self._generator.randrange(20, 300)))
        file.write_text(f"{self._written} {words}", encoding="utf-8")


class Moments:
    """Random moments of a command's work, as long as it took when it was not killed."""

    def __init__(self, generator: random.Random) -> None:
        self._generator = generator
        self._took: dict[str, tuple[float, float]] = {}  # seconds to its first line, and to its end

    def run(self, command: Sequence[str]) -> tuple[list[str], bool]:
        """The whole lines that it wrote, and whether it was killed: not before it once came to its end."""
        began, times = time.monotonic(), self._took.get(command[0])
        process, output = forked(command)
        timer = threading.Timer(0.0 if times is None else self._generator.uniform(*times), os.kill, (process, SIGKILL))
        if times is not None:
            timer.start()
        lines = [output.readline()]
        first = time.monotonic() - began
        lines += output.readlines()
        timer.cancel()
        _, status = os.waitpid(process, 0)
        output.close()
        assert status in (0, SIGKILL), f"{command[0]} failed: {lines}"
        if status == 0:
            self._took[command[0]] = (0.5 * first, time.monotonic() - began)
        return [line for line in lines if line.endswith("\n")], status != 0


def forked(command: Sequence[str]) -> tuple[int, TextIO]:
    """The number of a process that runs a command, and what it writes: as `python -m app`, with libraries imported."""
    read, write = os.pipe()
    if (process := os.fork()) == 0:
        sys.stdout = os.fdopen(write, "w", encoding="utf-8")
        torch.set_num_threads(1)  # makes the pool of threads anew, which two threads of a fork must not do at once
        os._exit(command_line.main(command))
    os.close(write)
    return process, os.fdopen(read)


def main(folder: Path, kills: int, seed: int) -> None:
    generator = random.Random(seed)
    papers, moments = Papers(folder / "papers", generator), Moments(generator)
    save_tiny(folder / "tiny")
    os.environ |= {"READONCE_LIBRARY": str(folder / "library"), "READONCE_MODEL": str(folder / "tiny")}
    killed = lines = 0
    while killed < kills:
        said, was_killed = moments.run(papers.next_command())
        killed, lines = killed + was_killed, lines + len(said)
        library = Library.open(folder / "library", capacity_bytes=CAPACITY)
        papers.check(said, {Path(row["folder"], row["name"]): row["sha256"] for row in library.database.rows(_PLACES)})
        library.sweep()
        check_whole(library, folder / "library")
        library.close()
    print(f"{killed} kills, {lines} lines said: nothing was lost")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
