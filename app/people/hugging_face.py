"""Sign-in with Hugging Face on a Space: what its owner has chosen, and what the platform gives for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from model.errors import ReadonceError

VARIABLE: Final = "READONCE_HF_SIGN_IN"
EVERYONE: Final = "*"  # which no account is called
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")
_GIVEN: Final = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OPENID_PROVIDER_URL", "SPACE_HOST")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom Hugging Face has signed in. `subject`: the account's number. All names are in small letters.

    People and organisations have their names there from one set, so that a name means one of them.
    """

    subject: str
    username: str
    organisations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class HubSignIn:
    """`provider`: its address, without a slash behind it. `allowed`: names in small letters, or EVERYONE alone."""

    client_id: str
    client_secret: str = field(repr=False)
    provider: str
    space_host: str
    allowed: frozenset[str]

    def allows(self, identity: Identity) -> bool:
        """Whether this account may enter: by its own name, or as a member of an organisation."""
        return EVERYONE in self.allowed or not self.allowed.isdisjoint({identity.username, *identity.organisations})

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "HubSignIn | None":
        """None where the owner has not asked for it. Raises ReadonceError where something that it needs is missing."""
        names = [name.strip().lower() for name in environment.get(VARIABLE, "").split(",") if name.strip()]
        if not names:
            return None
        for name in names:
            if not _NAME.fullmatch(name) and names != [EVERYONE]:
                raise ReadonceError(
                    "{setting} has {name!r}, but must be names of accounts and organisations of Hugging Face, with"
                    " commas between them, or {everyone} alone for whoever has an account. Correct it or unset it.",
                    setting=VARIABLE,
                    name=name,
                    everyone=EVERYONE,
                )
        given = {name: environment.get(name, "").strip() for name in _GIVEN}
        if missing := [name for name, value in given.items() if not value]:
            raise ReadonceError(
                "{setting} is set, but {name} is not: a Space has it where its README says hf_oauth: true.",
                setting=VARIABLE,
                name=missing[0],
            )
        if not environment.get("READONCE_USERS", "").strip():
            raise ReadonceError(
                "{setting} is set, but READONCE_USERS is not: name the file in which accounts and keys are kept.",
                setting=VARIABLE,
            )
        return cls(
            client_id=given["OAUTH_CLIENT_ID"],
            client_secret=given["OAUTH_CLIENT_SECRET"],
            provider=_checked_provider(given["OPENID_PROVIDER_URL"]),
            space_host=given["SPACE_HOST"].lower(),
            allowed=frozenset(names),
        )


def _checked_provider(address: str) -> str:
    """The secret goes there: over TLS, unless it stays on this computer."""
    parts = urlsplit(address)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        return address.rstrip("/")
    raise ReadonceError(
        "OPENID_PROVIDER_URL is {address!r}, but must be an address that begins with https://. Correct it, or unset"
        " {setting}.",
        address=address,
        setting=VARIABLE,
    )
