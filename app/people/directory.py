"""The file of people: JSON that only its owner can read, written whole, and read again when it has changed.

A running server follows it: who is removed is out with the next request, and so is a key.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.people.passwords import hash_password
from app.people.values import ApiKey, People, Person, checked_name, hash_of_secret, new_key
from model.encoding.schema import parse_json
from model.errors import ReadonceError
from model.storage.durable import write_durably

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
        people = self._read()
        if people.person(checked_name(name)):
            raise ReadonceError(
                "There is a user {name!r} already. To change the password: user password {name}.", name=name
            )
        person = Person(name=name, password=hash_password(password))
        self._write(replace(people, persons=(*people.persons, person)))

    def change_password(self, name: str, password: str) -> None:
        """Whoever is signed in under the name must do so again."""
        people = self._read()
        changed = replace(_the_person(people, name), password=hash_password(password))
        self._write(replace(people, persons=tuple(changed if one.name == name else one for one in people.persons)))

    def remove_person(self, name: str) -> None:
        """With all keys. What the person has in the library stays on the disk."""
        people = self._read()
        gone = _the_person(people, name)
        persons = tuple(one for one in people.persons if one != gone)
        self._write(People(persons=persons, keys=tuple(key for key in people.keys if key.person != name)))

    def add_key(self, name: str, person: str) -> str:
        """A new key, which is told this once. `person` is empty for one that reads `/metrics` alone."""
        people, secret = self._read(), new_key()
        if person:
            _the_person(people, person)
        if any(key.name == checked_name(name) for key in people.keys):
            raise ReadonceError("There is a key {name!r} already: take another name, or remove it first.", name=name)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        key = ApiKey(name=name, person=person, sha256=hash_of_secret(secret), created=created)
        self._write(replace(people, keys=(*people.keys, key)))
        return secret

    def remove_key(self, name: str) -> None:
        """Programs that use it are out with their next request."""
        people = self._read()
        keys = tuple(key for key in people.keys if key.name != name)
        if len(keys) == len(people.keys):
            raise ReadonceError("There is no key {name!r}: `key list` shows those that there are.", name=name)
        self._write(replace(people, keys=keys))

    def _write(self, people: People) -> None:
        text = json.dumps(asdict(people), ensure_ascii=False, indent=1)
        try:
            write_durably(self._path, lambda path: _write_private(path, text))
        except OSError as error:
            raise ReadonceError(
                "The users cannot be written to {path} ({why}): correct READONCE_USERS.",
                path=self._path,
                why=error.strerror,
            ) from error
        with self._lock:
            self._looked = -_LOOK_SECONDS

    def _file_state(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> People:
        try:
            return parse_json(People, self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return People()
        except (OSError, ValueError) as error:
            raise ReadonceError(
                "The users in {name} cannot be read ({why}): correct READONCE_USERS, or restore the file.",
                name=self._path,
                why=error,
            ) from error


def _the_person(people: People, name: str) -> Person:
    if (person := people.person(name)) is None:
        raise ReadonceError("There is no user {name!r}: `user list` shows those that there are.", name=name)
    return person


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
