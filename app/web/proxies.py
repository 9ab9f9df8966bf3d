"""What a proxy says about a request is believed only of a proxy that the person has named."""

import ipaddress
from dataclasses import dataclass
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.web.hosts import Hosts

EVERYONE: Final = "*"  # where only the platform's own proxy can reach the server at all
_SAID_BY_PROXIES: Final = (b"x-forwarded-", b"forwarded", b"x-real-ip", b"x-original-", b"x-rewrite-url")
_FORWARDED_HOST: Final = b"x-forwarded-host"
_NEVER_BELIEVED: Final = b"x-gradio-server"  # Gradio would take any address in it for its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """`named`: addresses and networks (10.0.0.0/8), or EVERYONE alone."""

    named: tuple[str, ...] = ()

    def trust(self, peer: str | None) -> bool:
        """Whether a connection from this address is a named proxy's."""
        if EVERYONE in self.named:
            return True
        try:
            address = ipaddress.ip_address(peer or "")
        except ValueError:
            return False
        return any(address in ipaddress.ip_network(one, strict=False) for one in self.named)


class ProxyHeaders:
    """An ASGI layer. A named proxy says who the client is, and its scheme and host; what others say of it is dropped.

    uvicorn does the reading of `X-Forwarded-For` and `-Proto`; its own layer, which trusts 127.0.0.1, must be off.
    """

    def __init__(self, app: ASGIApp, proxies: Proxies, hosts: Hosts) -> None:
        self._app = app
        self._proxies = proxies
        self._hosts = hosts
        named = EVERYONE if EVERYONE in proxies.named else list(proxies.named)
        self._believing = ProxyHeadersMiddleware(app, trusted_hosts=named)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = [header for header in scope["headers"] if header[0] != _NEVER_BELIEVED]
        if self._proxies.trust(scope["client"][0] if scope.get("client") else None):
            scope = {**scope, "headers": self._with_forwarded_host(headers)}
            await self._believing(scope, receive, send)  # type: ignore[arg-type]
            return
        headers = [header for header in headers if not header[0].startswith(_SAID_BY_PROXIES)]
        await self._app({**scope, "headers": headers}, receive, send)

    def _with_forwarded_host(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The host that the client asked for takes the place of the proxy's own, if this server answers to it."""
        said = [value for name, value in headers if name == _FORWARDED_HOST]
        others = [header for header in headers if header[0] != _FORWARDED_HOST]
        host = said[0].partition(b",")[0].strip() if said else b""
        if not self._hosts.allow(host.decode("latin-1")):
            return others
        kept = [header for header in others if header[0] != b"host"]
        return [*kept, (b"host", host), (_FORWARDED_HOST, host)]
