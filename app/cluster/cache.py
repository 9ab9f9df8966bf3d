"""What a replica holds of the folder: the encodings that it was asked about last, as many as fit."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteBoundedCache(Generic[Key, Value]):
    """Values by key; the least recently used go when they take too many bytes. Safe to use from several threads.

    A value is loaded once, however many ask for it at the same time. One that is larger than the cache is given, and
    stays until the next one comes.
    """

    def __init__(self, capacity_bytes: int, *, load: Callable[[Key], Value], size: Callable[[Value], int]) -> None:
        self._capacity_bytes = capacity_bytes
        self._load = load
        self._size = size
        self._lock = threading.Lock()
        self._values: OrderedDict[Key, Future[Value]] = OrderedDict()
        self._sizes: dict[Key, int] = {}
        self.hits = 0
        self.misses = 0

    @property
    def used_bytes(self) -> int:
        return sum(self._sizes.values())

    def get(self, key: Key) -> Value:
        """The value, loaded if it is not here. Raises what loading raises; the next one to ask tries again."""
        with self._lock:
            future = self._values.get(key)
            is_here = future is not None
            if future is None:
                future = self._values[key] = Future()
            self._values.move_to_end(key)
            self.hits += is_here
            self.misses += not is_here
        if not is_here:
            self._fill(key, future)
        return future.result()

    def _fill(self, key: Key, future: "Future[Value]") -> None:
        try:
            value = self._load(key)
        except BaseException as error:
            with self._lock:
                del self._values[key]
            future.set_exception(error)
            return
        with self._lock:
            self._sizes[key] = self._size(value)
            self._make_room(key)
        future.set_result(value)

    def _make_room(self, newest: Key) -> None:
        """Let go of the least recently used ones, but of none that is being loaded."""
        for key in [key for key in self._values if key in self._sizes and key != newest]:
            if self.used_bytes <= self._capacity_bytes:
                return
            del self._values[key], self._sizes[key]
