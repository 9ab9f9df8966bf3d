"""kill -9 at random moments of a library's life: `python -m tests.helpers.killed_library FOLDER KILLS SEED`.

A child adds, moves and removes documents and notes what is done; it is killed, and the next start must find all that
was done and nothing else. Children are forked, so that libraries are imported once.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

from app.library.files import ENCODING_SUFFIX
from app.library.library import Library
from app.library.opening import sha256_of
from app.library.values import NewDocument, Place, ReadingOptions
from model.encoding.mapped import map_memory
from model.types import Document, EncodedDocument, Memory, Page, TokenMap

CAPACITY = 1_000_000_000
PATIENCE = 120.0  # seconds that a child may take for its first document
LATER = 3600.0  # seconds, after which no removal can be undone


def made_up(name: str, generator: random.Random) -> NewDocument:
    """A document of some made-up words, each a token, with an encoding of as many rows."""
    words = [f"word{generator.randrange(1000)}" for _ in range(generator.randrange(20, 400))]
    text = " ".join([name, *words])
    starts, at = [0], 0
    for word in [name, *words[:-1]]:
        at += len(word) + 1
        starts.append(at)
    count = len(starts)
    data = text.encode()
    page = Page(number=1, text=text, words=(), width=595, height=842)
    begin = torch.tensor(starts, dtype=torch.int32)
    encoded = EncodedDocument(
        document=Document(name=name, sha256=hashlib.sha256(data).hexdigest(), pages=(page,)),
        memory=Memory(hidden=torch.ones(count, 64, dtype=torch.bfloat16), key_inv_rms=torch.ones(2, 1, count)),
        tokens=TokenMap(
            ids=torch.full((count,), 7, dtype=torch.int32),
            pages=torch.ones(count, dtype=torch.int32),
            starts=begin,
            ends=torch.clamp(begin + 4, max=len(text)),
        ),
        fingerprint="made-up",
        chunks=1,
        encode_seconds=0.1,
    )
    return NewDocument(data=data, place=Place(name=name), reading=ReadingOptions(), encoded=encoded)


def live(folder: Path, log: Path, seed: int) -> None:
    """Add, move and remove until the end. A line is written when something is done; a removal, when it begins."""
    generator = random.Random(seed)
    library = Library.open(folder, capacity_bytes=CAPACITY)
    with log.open("a", buffering=1) as done:
        for number in range(10_000):
            documents = library.documents()
            if len(documents) < 4 or generator.random() < 0.6:
                name = f"{seed}-{number}.txt"
                done.write(f"added {library.add(made_up(name, generator)).sha256}\n")
            elif generator.random() < 0.3:
                library.put(Place(folder="/elsewhere", name=f"{seed}-{number}.txt"), generator.choice(documents))
            else:
                one = generator.choice(documents)
                done.write(f"removed {one.sha256}\n")
                library.remove([one.id])
                later = Library(library.database, library._files, capacity_bytes=CAPACITY, clock=_later)
                later.end_removals()


def check(folder: Path, log: Path) -> None:
    """What was added and not removed is whole, and no file is there that is nobody's."""
    library = Library.open(folder, capacity_bytes=CAPACITY)
    Library(library.database, library._files, capacity_bytes=CAPACITY, clock=_later).sweep()
    lines = [line.split() for line in log.read_text().splitlines()]
    added, removed = ({what for how, what in lines if how == said} for said in ("added", "removed"))
    assert added - removed <= {one.sha256 for one in library.documents()}, "a document is lost"
    check_whole(library, folder)
    library.close()


def check_whole(library: Library, folder: Path) -> None:
    """Every file that the library in this folder names is there and whole, and no other is."""
    assert library.database.row("PRAGMA integrity_check")[0] == "ok"  # type: ignore[index]
    named = set(library.named_files())
    left = {path for path in folder.rglob("*") if path.is_file() and "library.sqlite" not in path.name}
    assert left == named, f"orphans: {left - named}, missing: {named - left}"
    for path in named:
        if path.suffix == ENCODING_SUFFIX:
            memory, tokens = map_memory(path, size_bytes=path.stat().st_size)
            assert len(tokens.ids) == len(memory.hidden) and bool((memory.hidden != 0).any())
        else:
            assert sha256_of(path) == path.name


def _later() -> float:
    return time.time() + LATER


def main(folder: Path, kills: int, seed: int) -> None:
    generator, log = random.Random(seed), folder / "done.log"
    folder.mkdir(parents=True, exist_ok=True)
    log.touch()
    for kill in range(kills):
        size, began = log.stat().st_size, time.monotonic()
        child = os.fork()
        if child == 0:
            live(folder / "library", log, seed + kill + 1)
            os._exit(0)
        while log.stat().st_size == size and time.monotonic() - began < PATIENCE:
            time.sleep(0.002)
        time.sleep(generator.uniform(0, 2) * (time.monotonic() - began))  # however slow this machine is now
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        check(folder / "library", log)
    added = log.read_text().count("added")
    assert added >= kills, f"only {added} documents were added"
    print(f"{kills} kills, {added} documents added: nothing was lost")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
