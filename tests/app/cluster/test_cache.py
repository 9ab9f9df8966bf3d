"""What a replica holds: bounded in bytes, and loaded once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.cluster.cache import ByteBoundedCache


def test_the_least_recently_used_go_when_bytes_are_too_many() -> None:
    loaded: list[str] = []

    def load(key: str) -> str:
        loaded.append(key)
        return key

    cache = ByteBoundedCache(7, load=load, size=len)
    for key in ("aaa", "bbb", "aaa", "ccc"):
        assert cache.get(key) == key
    assert cache.used_bytes == 6
    cache.get("aaa")
    assert loaded == ["aaa", "bbb", "ccc"]
    cache.get("bbb")
    assert loaded == ["aaa", "bbb", "ccc", "bbb"] and (cache.hits, cache.misses) == (2, 4)


def test_what_is_larger_than_the_cache_is_given_and_goes_with_the_next() -> None:
    cache = ByteBoundedCache(2, load=str, size=len)
    assert cache.get("large") == "large" and cache.used_bytes == 5
    cache.get("no")
    assert cache.used_bytes == 2


def test_many_who_ask_at_once_load_it_once() -> None:
    everybody, loaded = threading.Barrier(8), []

    def load(key: str) -> str:
        loaded.append(key)
        return key

    cache = ByteBoundedCache(100, load=load, size=len)

    def ask(_: int) -> str:
        everybody.wait()
        return cache.get("one")

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == ["one"] * 8
    assert loaded == ["one"]


def test_a_failure_is_told_and_tried_again() -> None:
    found: dict[str, str] = {}
    cache = ByteBoundedCache(100, load=found.__getitem__, size=len)
    with pytest.raises(KeyError):
        cache.get("later")
    found["later"] = "here"
    assert cache.get("later") == "here" and cache.used_bytes == 4
