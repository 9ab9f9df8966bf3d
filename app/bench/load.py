"""`load`: many people and programs at once, each with a document of their own, at a server that the benchmark starts.

Every client brings a generated document and asks five questions, each as soon as the one before is answered (a closed
loop). Every other client is a person at the page, the others are programs. Beside them newcomers open the page all the
time. First one program comes alone, several times, with the first of the same documents, while others' documents are
read: what all get together is compared with that.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import sys
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pymupdf

from app.bench.load_figures import Notes, beside_alone, figures
from app.bench.paper import choose_layout, draw_paper
from app.bench.results import as_result
from app.bench.running_server import running_server
from app.bench.visitors import Person, Program, Refused, Wiring, connected, wiring_of
from app.cli.progress import ProgressLine
from model.training.facts import FactSource
from model.training.records import make_sketch

QUESTIONS = 5
ALONE_SESSIONS = 8  # one after the other; of so many documents about one is long
READERS = 3  # whose documents are read meanwhile
SHORT, LONG = (1, 8), (60, 100)  # pages of a document
ONE_LONG_IN = 8
NEWCOMER_SECONDS = 2.0  # between two of them


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A document, and questions about it."""

    name: str
    data: bytes
    questions: tuple[str, ...]


def load(arguments: argparse.Namespace) -> None:
    line = ProgressLine(sys.stderr)
    try:
        with contextlib.ExitStack() as stack:
            address = arguments.address or stack.enter_context(running_server(arguments.model))
            alone, together = asyncio.run(_measure(address, arguments, line))
    finally:
        line.clear()
    result = figures(together, arguments.sessions, QUESTIONS) | beside_alone(together, alone)
    if arguments.json:
        print(as_result({**result, "reasons": sorted(set(together.refusals))}))
    else:
        print("\n".join([*(f"{name.replace('_', ' '):<32}{_shown(value):>10}" for name, value in result.items())]))
        print("".join(f"refused: {reason}\n" for reason in sorted(set(together.refusals))), end="")


async def _measure(address: str, arguments: argparse.Namespace, line: ProgressLine) -> tuple[Notes, Notes]:
    """One program alone beside readers, then all sessions together beside newcomers."""
    others = bring(random.Random(f"others {arguments.seed}"))
    brought = list(itertools.islice(bring(random.Random(arguments.seed)), arguments.sessions))
    clients = Clients(address, await wiring_of(address))
    line.say("waiting for the model")
    await clients.session(next(others), Notes(), as_person=False)
    alone, together = Notes(), Notes()
    line.say("one program asks while documents are read")
    async with _beside(clients.readers(others, alone)):
        for one in brought[:ALONE_SESSIONS]:
            await clients.session(one, alone, as_person=False)
    line.say(f"{arguments.sessions} sessions")
    async with _beside(clients.newcomers(together)):
        sessions = (clients.session(one, together, as_person=bool(n % 2)) for n, one in enumerate(brought))
        await asyncio.gather(*sessions)
    return alone, together


class Clients:
    """Those who come to a server. What happens to them goes into the notes."""

    def __init__(self, address: str, wiring: Wiring) -> None:
        self._address = address
        self._wiring = wiring

    async def session(self, brought: Brought, notes: Notes, *, as_person: bool) -> None:
        """Come, have a document read, ask, and leave."""
        try:
            async with connected(self._address, self._wiring) as connection:
                client = Person(connection) if as_person else Program(connection)
                if isinstance(client, Person):
                    await client.open()
                began = time.monotonic()
                await client.read(brought.name, brought.data)
                notes.readings.append((began, time.monotonic()))
                for number, question in enumerate(brought.questions):
                    await self._ask(client, question, notes)
                    if number == 0:
                        notes.first_answers.append(time.monotonic() - began)
                notes.finished += 1
        except (Refused, httpx.HTTPError) as error:
            notes.refusals.append(f"{type(error).__name__}: {error}")

    async def _ask(self, client: Person | Program, question: str, notes: Notes) -> None:
        try:
            notes.answers.append(await client.ask(question))
        except Refused as error:
            notes.refusals.append(str(error))

    async def readers(self, documents: Iterator[Brought], notes: Notes) -> None:
        """Have one document after the other read, several at a time, until somebody stops it."""

        async def read_on() -> None:
            async with connected(self._address, self._wiring) as connection:
                program = Program(connection)
                for brought in documents:
                    began = time.monotonic()
                    try:
                        await program.read(brought.name, brought.data)
                        await program.forget()
                    finally:
                        notes.readings.append((began, time.monotonic()))

        await asyncio.gather(*(read_on() for _ in range(READERS)))

    async def newcomers(self, notes: Notes) -> None:
        """Open the page now and then, until somebody stops it."""
        while True:
            began = time.monotonic()
            try:
                async with connected(self._address, self._wiring) as connection:
                    await connection.get_page()
                    await Person(connection).open()
                    notes.pages.append(time.monotonic() - began)
            except (Refused, httpx.HTTPError) as error:
                notes.refusals.append(f"A newcomer: {type(error).__name__}: {error}")
            await asyncio.sleep(NEWCOMER_SECONDS)


@contextlib.asynccontextmanager
async def _beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let some work go on meanwhile, and stop it then."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def bring(rng: random.Random) -> Iterator[Brought]:
    """Generated documents: most of some pages, some long ones."""
    for number in itertools.count(1):
        pages = rng.randint(*(SHORT if rng.randrange(ONE_LONG_IN) else LONG))
        sketches = [make_sketch(FactSource(rng, "check")) for _ in range(pages)]
        with pymupdf.open() as pdf:
            for sketch in sketches:
                with pymupdf.open(stream=draw_paper(sketch, choose_layout(rng, "check"))) as paper:
                    pdf.insert_pdf(paper)
            data = bytes(pdf.tobytes())
        questions = [question for sketch in sketches for question, _ in sketch.pairs]
        rng.shuffle(questions)  # a short document has fewer, and is asked some of them twice
        asked = tuple(itertools.islice(itertools.cycle(questions), QUESTIONS))
        yield Brought(name=f"load-{number}.pdf", data=data, questions=asked)


def _shown(value: float | int | None) -> str:
    return "-" if value is None else f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
