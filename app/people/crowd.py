"""How many may have something checked at once, and how many may wait for it: of all, and of one address."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_MOST_WAITING: Final = 32
_MOST_WAITING_OF_ONE: Final = 8  # address: nobody keeps all others out


class TooManyLogins(Exception):
    """People sign in too often; nothing is checked for a while."""


class Crowd:
    """Those who are signing in."""

    def __init__(self, at_once: int) -> None:
        self._checking = asyncio.Semaphore(at_once)
        self._waiting: Counter[str] = Counter()  # address -> those that wait for being checked, or are

    @asynccontextmanager
    async def turn(self, address: str) -> AsyncIterator[None]:
        """Wait for it, and have it meanwhile. Raises TooManyLogins where too many wait already."""
        if self._waiting[address] >= _MOST_WAITING_OF_ONE or self._waiting.total() >= _MOST_WAITING:
            raise TooManyLogins
        self._waiting[address] += 1
        try:
            async with self._checking:
                yield
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # drops those that are zero
