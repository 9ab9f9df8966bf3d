"""The names under which this server answers.

A web page reaches a server on the person's own computer by DNS rebinding: the page's host name, which the browser
trusts, suddenly means 127.0.0.1. Such a request still carries that name in `Host`. An address cannot be rebound, so
addresses and the loopback names are always answered, and any other name only where the person has given it.
"""

import ipaddress
import re
from dataclasses import dataclass
from typing import Final

from app.web.refusals import RequestRefused

_AUTHORITY: Final = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::\d{1,5})?")
_ORIGIN: Final = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/]+)")
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """`names`: what the person has named, and what a platform has, in lower case. Of these pages may come, too."""

    names: frozenset[str] = frozenset()

    @classmethod
    def named(cls, *names: str) -> "Hosts":
        """Those among `names` that are names: an address, and this computer's own name, is answered anyway."""
        return cls(names=frozenset(name.lower() for name in names if name and not _is_own(name.lower())))

    def allow(self, host: str) -> bool:
        """Whether a `Host` header, with or without a port, is one of this server."""
        name = _name(host)
        return _is_own(name) or name in self.names

    def allow_origin(self, origin: str, host: str) -> bool:
        """Whether a page from `origin` may ask: one that came from `host` itself, or from a name that was given.

        An address alone is no reason: a foreign page may be served from one.
        """
        found = _ORIGIN.fullmatch(origin.lower())
        if found is None:  # "null" is what a sandboxed page or a local file sends
            return False
        port = _DEFAULT_PORTS[found["scheme"]]
        same = found["authority"].removesuffix(port) == host.lower().removesuffix(port)
        return same or _name(found["authority"]) in self.names

    def check(self, host: str) -> None:
        """Raises RequestRefused for a `Host` header that is not this server's."""
        if not self.allow(host):
            name = _name(host) or host
            raise RequestRefused(
                "This server does not answer to the name {name!r}. If it is yours, set READONCE_HOSTS="
                "{host} (several with commas) where the server is started.",
                name=name[:100],
                host=name[:100] or "NAME",
            )

    def check_origin(self, origin: str, host: str) -> None:
        """Raises RequestRefused for a request from another site's page."""
        if not self.allow_origin(origin, host):
            raise RequestRefused(
                "Pages from {origin!r} may not use this server. If the page is yours, set READONCE_HOSTS to its"
                " host name where the server is started.",
                origin=origin[:100],
            )


def _name(authority: str) -> str:
    """The host name or address in it, without port; empty for what is none."""
    found = _AUTHORITY.fullmatch(authority)
    return found["name"].strip("[]").rstrip(".").lower() if found else ""


def _is_own(name: str) -> bool:
    """Whether it is an address, or a name that means this computer everywhere (RFC 6761)."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
