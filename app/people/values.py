"""What the file of people holds."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Final

from model.encoding.schema import Pattern
from model.errors import ReadonceError

KEY_BEGINS: Final = "rk-"  # so that a key is known for one wherever it turns up
_NAME: Final = r"[a-z0-9][a-z0-9._-]{0,39}"  # also the name of a folder, on any system

Name = Annotated[str, Pattern(_NAME, "a name")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may sign in. `password`: its argon2id hash, with salt and parameters."""

    name: Name
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a program shows in place of a password. `person`: for whom it works; empty: it reads `/metrics` alone."""

    name: Name
    person: Annotated[str, Pattern(f"({_NAME})?", "a name")]
    sha256: str  # of the key: it is 256 random bits, which no list of words has
    created: str  # ISO 8601

    @property
    def reads_metrics(self) -> bool:
        return not self.person


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All people and keys: what one file holds."""

    persons: tuple[Person, ...] = field(default=())
    keys: tuple[ApiKey, ...] = field(default=())

    def person(self, name: str) -> Person | None:
        return next((one for one in self.persons if one.name == name), None)

    def key(self, secret: str) -> ApiKey | None:
        """The key that this is; None where it is none, or was removed."""
        sha256 = hash_of_secret(secret)
        return next((one for one in self.keys if secrets.compare_digest(one.sha256, sha256)), None)


def new_key() -> str:
    return KEY_BEGINS + secrets.token_urlsafe(32)


def hash_of_secret(secret: str) -> str:
    """What is kept of a key or a login: 256 random bits need no salt."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def checked_name(name: str) -> str:
    """A name for a person or a key. Raises ReadonceError."""
    if re.fullmatch(_NAME, name):
        return name
    raise ReadonceError(
        "The name {name!r} cannot be used: take 1 to 40 small letters, digits, points, hyphens and underscores, with a"
        " letter or digit first.",
        name=name,
    )
