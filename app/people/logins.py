"""Who is signed in: random tokens in cookies. They live in memory, so a restart of the server ends them."""

import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import anyio.to_thread

from app.people.crowd import Crowd, TooManyLogins
from app.people.directory import Directory
from app.people.passwords import is_right
from app.people.values import Account, People, Person, hash_of_secret

LOGIN_SECONDS: Final = 14 * 24 * 3_600.0
MOST_LOGINS: Final = 10_000
MOST_FAILURES: Final = 10  # of one name from one address, within the seconds below
FAILURE_SECONDS: Final = 300.0
_AT_ONCE: Final = 2  # passwords that are checked: each takes 64 MiB and a core for a moment


@dataclass(frozen=True, slots=True, kw_only=True)
class _Login:
    person: Person | Account  # with another password, or removed: the login is over
    until: float  # on the clock


class Logins:
    """The logins of one server. Safe to use from several threads."""

    def __init__(self, directory: Directory, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._logins: OrderedDict[str, _Login] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._crowd = Crowd(_AT_ONCE)

    async def sign_in(self, name: str, password: str, address: str) -> str | None:
        """A new token where the password is right, else None. Raises TooManyLogins."""
        if self._is_guessing(name, address):
            raise TooManyLogins
        person = self._directory.people().person(name)
        async with self._crowd.turn(address):
            right = await anyio.to_thread.run_sync(is_right, password, person.password if person else None)
        if not right or person is None:
            self._note_failure(name, address)
            return None
        return self.admit(person)

    def admit(self, person: Person | Account) -> str:
        """A new token for somebody who has shown already who they are."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._logins[hash_of_secret(token)] = _Login(person=person, until=self._clock() + LOGIN_SECONDS)
            if len(self._logins) > MOST_LOGINS:
                self._logins.popitem(last=False)
        return token

    def person(self, token: str, people: People) -> str:
        """Who has this token; empty where nobody has, or no longer."""
        with self._lock:
            login = self._logins.get(hash_of_secret(token))
        if login is None or login.until < self._clock():
            return ""
        name = login.person.name
        return name if login.person in (people.person(name), people.account(name)) else ""

    def sign_out(self, token: str) -> None:
        with self._lock:
            self._logins.pop(hash_of_secret(token), None)

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
