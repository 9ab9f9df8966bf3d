"""What the file of people holds."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Final

from model.encoding.schema import Pattern
from model.errors import ReadonceError

KEY_BEGINS: Final = "rk-"  # so that a key is known for one wherever it turns up
ACCOUNT_BEGINS: Final = "hf@"  # which no other name can, so that nobody is taken for somebody else
_NAME: Final = r"[a-z0-9][a-z0-9._-]{0,39}"  # also the name of a folder, on any system
_ACCOUNT: Final = rf"{ACCOUNT_BEGINS}[a-z0-9][a-z0-9._-]{{0,95}}"

Name = Annotated[str, Pattern(_NAME, "a name")]
AccountName = Annotated[str, Pattern(_ACCOUNT, "a name of an account")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may sign in. `password`: its argon2id hash, with salt and parameters."""

    name: Name
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody who has signed in with Hugging Face: there is no password here.

    `subject`: the account's number there. It stays when the account is renamed, and another account that gets the name
    has another one.
    """

    name: AccountName
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What a program shows in place of a password. `person`: for whom it works; empty: it reads `/metrics` alone."""

    name: Name
    person: Annotated[str, Pattern(f"({_NAME}|{_ACCOUNT})?", "a name")]
    sha256: str  # of the key: it is 256 random bits, which no list of words has
    created: str  # ISO 8601

    @property
    def reads_metrics(self) -> bool:
        return not self.person


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """All people and keys: what one file holds."""

    persons: tuple[Person, ...] = field(default=())
    accounts: tuple[Account, ...] = field(default=())
    keys: tuple[ApiKey, ...] = field(default=())

    def person(self, name: str) -> Person | None:
        """Who signs in with a password under this name."""
        return next((one for one in self.persons if one.name == name), None)

    def account(self, name: str) -> Account | None:
        """Who signs in with Hugging Face and has this name here."""
        return next((one for one in self.accounts if one.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all who may sign in, in whatever way."""
        return tuple(one.name for one in self.persons) + tuple(one.name for one in self.accounts)

    def key(self, secret: str) -> ApiKey | None:
        """The key that this is; None where it is none, or was removed."""
        sha256 = hash_of_secret(secret)
        return next((one for one in self.keys if secrets.compare_digest(one.sha256, sha256)), None)


def new_key() -> str:
    return KEY_BEGINS + secrets.token_urlsafe(32)


def hash_of_secret(secret: str) -> str:
    """What is kept of a key or a login, whose 256 random bits need no salt."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def folder_name(person: str) -> str:
    """What the folder of a person is called, who has either kind of name. Raises ReadonceError."""
    return person if re.fullmatch(_ACCOUNT, person) else checked_name(person)


def account_name(username: str, subject: str) -> str | None:
    """How an account of Hugging Face is called here; None where no folder can be called so.

    A part of its number's hash stands behind its name: who is called there as somebody else was once gets nothing of
    theirs here, not even when they were removed meanwhile.
    """
    name = f"{ACCOUNT_BEGINS}{username.lower()}.{hash_of_secret(subject)[:6]}"
    return name if re.fullmatch(_ACCOUNT, name) else None


def checked_name(name: str) -> str:
    """A name for a new person or a key. Raises ReadonceError."""
    if re.fullmatch(_NAME, name):
        return name
    raise ReadonceError(
        "The name {name!r} cannot be used: take 1 to 40 small letters, digits, points, hyphens and underscores, with a"
        " letter or digit first.",
        name=name,
    )
