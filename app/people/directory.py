"""The file of people: JSON that only its owner can read, written whole, and read again when it has changed.

A running server follows it: who is removed is out with the next request, and so is a key.
"""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.people.passwords import hash_password
from app.people.values import Account, ApiKey, People, Person, account_name, checked_name, hash_of_secret, new_key
from model.encoding.schema import load_json, parse_value
from model.errors import ReadonceError
from model.storage.durable import write_durably
from model.storage.locks import sole_use

MOST_ACCOUNTS: Final = 10_000  # of Hugging Face: the file is read whole
_LOOK_SECONDS: Final = 1.0  # between two looks whether the file has changed


class Directory:
    """The people in a file, which one process at a time changes. Safe to use from several threads."""

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._people = People()
        self._state: tuple[int, int, int] | None = None
        self._looked = -_LOOK_SECONDS

    def people(self) -> People:
        """Who there is now; nobody where there is no file. Raises ReadonceError where it cannot be read."""
        with self._lock:
            if (now := self._clock()) - self._looked >= _LOOK_SECONDS:
                if (state := self._file_state()) != self._state:
                    self._people = self._read()
                    self._state = state
                self._looked = now
            return self._people

    def add_person(self, name: str, password: str) -> None:
        """Raises ReadonceError where there is one of this name."""
        with self._changing() as people:
            if people.person(checked_name(name)):
                raise ReadonceError(
                    "There is a user {name!r} already. To change the password: user password {name}.", name=name
                )
            person = Person(name=name, password=hash_password(password))
            self._write(replace(people, persons=(*people.persons, person)))

    def change_password(self, name: str, password: str) -> None:
        """Whoever is signed in under the name must do so again."""
        with self._changing() as people:
            if people.account(name):
                raise ReadonceError("{name!r} signs in with Hugging Face, and has no password here.", name=name)
            if people.person(name) is None:
                raise _nobody(name)
            changed = Person(name=name, password=hash_password(password))
            self._write(replace(people, persons=tuple(changed if one.name == name else one for one in people.persons)))

    def admit(self, subject: str, username: str) -> Account:
        """Who signs in with this account of Hugging Face: its number is `subject`, and its first name here stays.

        Raises ReadonceError where there is no name for a new one, or there are too many.
        """
        with self._changing() as people:
            if known := next((one for one in people.accounts if one.subject == subject), None):
                return known
            name = account_name(username, subject)
            if name is None or people.account(name):
                raise ReadonceError("The account {name!r} has a name that cannot be used here.", name=username[:100])
            if len(people.accounts) >= MOST_ACCOUNTS:
                raise ReadonceError("{n:,} accounts have come here, which is as many as may.", n=MOST_ACCOUNTS)
            account = Account(name=name, subject=subject)
            self._write(replace(people, accounts=(*people.accounts, account)))
            return account

    def remove_person(self, name: str) -> None:
        """With all keys. What the person has in the library stays on the disk."""
        with self._changing() as people:
            if name not in people.names:
                raise _nobody(name)
            self._write(
                People(
                    persons=tuple(one for one in people.persons if one.name != name),
                    accounts=tuple(one for one in people.accounts if one.name != name),
                    keys=tuple(key for key in people.keys if key.person != name),
                )
            )

    def add_key(self, name: str, person: str) -> str:
        """A new key, which is told this once. `person` is empty for one that reads `/metrics` alone."""
        with self._changing() as people:
            if person and person not in people.names:
                raise _nobody(person)
            if any(key.name == checked_name(name) for key in people.keys):
                raise ReadonceError(
                    "There is a key {name!r} already: take another name, or remove it first.", name=name
                )
            secret, created = new_key(), datetime.now(UTC).isoformat(timespec="seconds")
            key = ApiKey(name=name, person=person, sha256=hash_of_secret(secret), created=created)
            self._write(replace(people, keys=(*people.keys, key)))
            return secret

    def remove_key(self, name: str) -> None:
        """Programs that use it are out with their next request."""
        with self._changing() as people:
            keys = tuple(key for key in people.keys if key.name != name)
            if len(keys) == len(people.keys):
                raise ReadonceError("There is no key {name!r}: `key list` shows those that there are.", name=name)
            self._write(replace(people, keys=keys))

    @contextmanager
    def _changing(self) -> Iterator[People]:
        """What the file holds, which nobody else changes meanwhile: the server and the command line both do."""
        try:
            with sole_use(self._path):
                yield self._read()
        except OSError as error:
            raise self._not_written(error) from error

    def _write(self, people: People) -> None:
        text = json.dumps(asdict(people), ensure_ascii=False, indent=1)
        try:
            write_durably(self._path, lambda path: _write_private(path, text))
        except OSError as error:
            raise self._not_written(error) from error
        with self._lock:
            self._looked = -_LOOK_SECONDS

    def _not_written(self, error: OSError) -> ReadonceError:
        return ReadonceError(
            "The users cannot be written to {path} ({why}): correct READONCE_USERS.",
            path=self._path,
            why=error.strerror,
        )

    def _file_state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> People:
        try:
            said = load_json(self._path.read_text(encoding="utf-8"))
            # A file that was written before there were accounts has none.
            return parse_value(People, {"accounts": []} | said if isinstance(said, dict) else said)
        except FileNotFoundError:
            return People()
        except (OSError, ValueError) as error:
            raise ReadonceError(
                "The users in {path} cannot be read ({why}): correct READONCE_USERS, or restore the file.",
                path=self._path,
                why=error,
            ) from error


def _nobody(name: str) -> ReadonceError:
    return ReadonceError("There is no user {name!r}: `user list` shows those that there are.", name=name)


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
