"""Work shared out among cores gives what one core gives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import torch

from model.encoder.encoder import PieceSizes, encode_chunk
from model.engine import Engine
from model.errors import Cancelled
from model.network.threads import parallel_map, pieces
from tests.helpers.tiny import TEXT, document, tiny_checkpoint, tiny_model


@pytest.fixture(params=[1, 2, 3])
def cores(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_results_come_in_order_from_threads_of_one_core(cores: int) -> None:
    def work(number: int) -> tuple[int, int, str]:
        time.sleep(0.02 * (number % 3))
        return number, torch.get_num_threads(), threading.current_thread().name

    results = list(parallel_map(work, range(7)))
    assert [number for number, _, _ in results] == list(range(7))
    assert all(count == 1 for _, count, _ in results)
    assert len({name for _, _, name in results}) == cores or cores == 1
    assert torch.get_num_threads() == cores


@pytest.mark.parametrize("total", [0, 1, 32, 33, 500, 8192])
def test_pieces_are_of_nearly_one_size(cores: int, total: int) -> None:
    parts = pieces(total, most=512, unit=32)
    assert [place for part in parts for place in range(part.start, part.stop)] == list(range(total))
    assert all(part.start % 32 == 0 and part.stop - part.start <= 512 for part in parts)
    assert len(parts) % cores == 0 or total < 32 * cores**2


def test_a_later_thread_has_all_cores_again(cores: int) -> None:
    list(parallel_map(str, range(4)))
    counts: list[int] = []
    thread = threading.Thread(target=lambda: counts.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert counts == [cores]


@pytest.mark.usefixtures("cores")
def test_what_has_not_begun_is_left_out_when_one_fails() -> None:
    begun: list[int] = []

    def work(number: int) -> None:
        begun.append(number)
        time.sleep(0.01)
        if number == 1:
            raise ValueError("the second")

    with pytest.raises(ValueError, match="the second"):
        list(parallel_map(work, range(40)))
    count = len(begun)
    assert count < 40
    time.sleep(0.05)
    assert len(begun) == count


@pytest.mark.usefixtures("cores")
def test_a_window_is_read_alike_by_any_number_of_cores() -> None:
    model, ids = tiny_model(), torch.randint(7, 400, (300,), generator=torch.Generator().manual_seed(0))
    whole = encode_chunk(model, ids)
    fractions: list[float] = []
    pieces = encode_chunk(model, ids, progress=fractions.append, sizes=PieceSizes(most=64, fewest=64))
    assert torch.allclose(pieces, whole, atol=1e-5)
    assert fractions == sorted(fractions) and len(fractions) == 5 * model.config.encoder.text_config.num_hidden_layers


@pytest.mark.usefixtures("cores")
def test_windows_are_read_alike_by_any_number_of_cores() -> None:
    engine = Engine(tiny_checkpoint(chunk_size=40, chunk_overlap=8))
    done: list[int] = []
    parts: list[int] = []
    encoded = engine.encode(
        document(TEXT), progress=lambda step: done.append(step.done), chunk_read=lambda one: parts.append(one.chunks)
    )
    torch.set_num_threads(1)
    alone = engine.encode(document(TEXT))
    assert encoded.chunks == len(parts) > 3 and done == sorted(done)
    assert torch.allclose(encoded.memory.hidden, alone.memory.hidden, atol=1e-5)
    assert torch.equal(encoded.tokens.ids, alone.tokens.ids)


@pytest.mark.usefixtures("cores")
def test_a_stop_is_heard_between_windows() -> None:
    engine = Engine(tiny_checkpoint(chunk_size=40, chunk_overlap=8))
    read: list[object] = []
    with pytest.raises(Cancelled):
        engine.encode(document(TEXT), chunk_read=read.append, cancelled=lambda: len(read) > 1)
    assert len(read) < 5
