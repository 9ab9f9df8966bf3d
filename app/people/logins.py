"""Who is signed in: random tokens in cookies. They live in memory, so a restart of the server ends them."""

import asyncio
import secrets
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio.to_thread

from app.people.directory import Directory
from app.people.passwords import is_right
from app.people.values import People, hash_of_secret

LOGIN_SECONDS: Final = 14 * 24 * 3_600.0
MOST_LOGINS: Final = 10_000
MOST_FAILURES: Final = 10  # of one name from one address, within the seconds below
FAILURE_SECONDS: Final = 300.0
_AT_ONCE: Final = 2  # passwords that are checked: each takes 64 MiB and a core for a moment
_MOST_WAITING: Final = 32
_MOST_WAITING_OF_ONE: Final = 8  # address: nobody keeps all others out


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    person: str
    password: str  # the hash that was right: with another one the login is over
    until: float  # on the clock


class TooManyLogins(Exception):
    """Passwords are tried too often; nothing is checked for a while."""


class Logins:
    """The logins of one server. Safe to use from several threads."""

    def __init__(self, directory: Directory, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._logins: OrderedDict[str, _Login] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._checking = asyncio.Semaphore(_AT_ONCE)
        self._waiting: Counter[str] = Counter()  # address -> passwords that wait for being checked, or are

    async def sign_in(self, name: str, password: str, address: str) -> str | None:
        """A new token where the password is right, else None. Raises TooManyLogins."""
        if self._is_guessing(name, address) or self._is_crowded(address):
            raise TooManyLogins
        person = self._directory.people().person(name)
        hashed = person.password if person else None
        self._waiting[address] += 1
        try:
            async with self._checking:
                right = await anyio.to_thread.run_sync(is_right, password, hashed)
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # drops those that are zero
        if not right or hashed is None:
            self._note_failure(name, address)
            return None
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._logins[hash_of_secret(token)] = _Login(
                person=name, password=hashed, until=self._clock() + LOGIN_SECONDS
            )
            if len(self._logins) > MOST_LOGINS:
                self._logins.popitem(last=False)
        return token

    def person(self, token: str, people: People) -> str:
        """Who has this token; empty where nobody has, or no longer."""
        with self._lock:
            login = self._logins.get(hash_of_secret(token))
        if login is None or login.until < self._clock():
            return ""
        person = people.person(login.person)
        return login.person if person and person.password == login.password else ""

    def sign_out(self, token: str) -> None:
        with self._lock:
            self._logins.pop(hash_of_secret(token), None)

    def _is_crowded(self, address: str) -> bool:
        return self._waiting[address] >= _MOST_WAITING_OF_ONE or self._waiting.total() >= _MOST_WAITING

    def _is_guessing(self, name: str, address: str) -> bool:
        since = self._clock() - FAILURE_SECONDS
        with self._lock:
            failures = self._failures.get((name, address), deque())
            while failures and failures[0] < since:
                failures.popleft()
            return len(failures) >= MOST_FAILURES

    def _note_failure(self, name: str, address: str) -> None:
        with self._lock:
            self._failures.setdefault((name[:100], address), deque()).append(self._clock())
            self._failures.move_to_end((name[:100], address))
            if len(self._failures) > MOST_LOGINS:
                self._failures.popitem(last=False)
