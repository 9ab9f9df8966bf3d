"""Passwords are kept as argon2id hashes, with the parameters of RFC 9106 for memory-constrained machines."""

from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from model.errors import ReadonceError

LEAST_LENGTH: Final = 8  # characters
MOST_LENGTH: Final = 1_000
_HASHER: Final = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)  # 64 MiB, three passes


def hash_password(password: str) -> str:
    """Raises ReadonceError for a password that is too short or too long."""
    if not LEAST_LENGTH <= len(password) <= MOST_LENGTH:
        raise ReadonceError(
            "The password has {count:,} characters, but must have {least} to {most:,}.",
            count=len(password),
            least=LEAST_LENGTH,
            most=MOST_LENGTH,
        )
    return _HASHER.hash(password)


def is_right(password: str, hashed: str | None) -> bool:
    """Whether the password is the one of this hash. Where there is none it takes as long, and nothing is right."""
    try:
        return _HASHER.verify(hashed or _nobodys(), password[: MOST_LENGTH + 1]) and hashed is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    return _HASHER.hash("nobody has this password")
