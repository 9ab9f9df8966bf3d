"""From a thread that computes to a coroutine that sends."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Generic, TypeVar

Item = TypeVar("Item")

TICK_SECONDS = 0.5  # after which the receiver hears that the work still goes on, and can say that it is not wanted


class Mailbox(Generic[Item]):
    """Items of one thread for one coroutine, in whose event loop it is made."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._items: asyncio.Queue[Item | Exception | None] = asyncio.Queue()
        self._is_abandoned = False

    def is_abandoned(self) -> bool:
        """Whether nobody listens any more."""
        return self._is_abandoned

    def send(self, item: Item) -> None:
        self._loop.call_soon_threadsafe(self._items.put_nowait, item)

    def close(self, error: Exception | None = None) -> None:
        """Nothing more comes; the error is raised where the items are received."""
        self._loop.call_soon_threadsafe(self._items.put_nowait, error)

    async def items(self) -> AsyncGenerator[Item | None, None]:
        """The items as they come; None where none came for a while. Who stops listening abandons the work."""
        try:
            while True:
                try:
                    item = await asyncio.wait_for(self._items.get(), TICK_SECONDS)
                except TimeoutError:
                    yield None
                    continue
                if item is None:
                    return
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            self._is_abandoned = True
