"""The way over Hugging Face and back. What a browser comes back with counts only where the same browser has begun.

Nothing is kept of a sign-in that was begun: its state, nonce and verifier are made from a secret that lies in the
browser's cookie, with a key of this process. So nobody fills the memory, or pushes others' out of it.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

import anyio.to_thread

from app.logs import log_fault
from app.people.directory import Directory
from app.people.hugging_face import HubSignIn
from app.people.logins import Logins
from app.people.openid import CodeRefused, Provider, ProviderError, Secrets
from app.web.refusals import RequestRefused
from app.web.routes import HUB_CALLBACK
from model.errors import ReadonceError

COOKIE: Final = "__Host-readonce_sign_in"  # by this beginning: only this host, over TLS, can have set it
BEGUN_SECONDS: Final = 600  # after which a sign-in must be begun anew
_BEGUN: Final = re.compile(r"(\d{1,12})\.[\w-]{43}", re.ASCII)
_NOT_BEGUN: Final = "This sign-in was not begun in this browser, or more than ten minutes ago. Try again."
_NOT_SIGNED_IN: Final = "Hugging Face did not sign you in. Try again."
_NO_ANSWER: Final = "Hugging Face did not answer as it should. Wait some minutes, then try again."


class HubLogin:
    """Signs people in by their account. `clock`: in seconds, from any time on."""

    def __init__(
        self, sign_in: HubSignIn, directory: Directory, logins: Logins, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sign_in = sign_in
        self._directory = directory
        self._logins = logins
        self._clock = clock
        self._key = secrets.token_bytes(32)
        # Not from the request's Host: where people are sent back to is the Space's own name, whoever asks.
        self._provider = Provider(sign_in, f"https://{sign_in.space_host}{HUB_CALLBACK}")

    async def begin(self) -> tuple[str, str]:
        """Where to send the browser, and a `Set-Cookie` header for it. Raises RequestRefused."""
        secret = f"{self._clock():.0f}.{secrets.token_urlsafe(32)}"
        try:
            address = await self._provider.authorization(self._bound(secret))
        except ProviderError as error:
            raise _no_answer(error) from error
        return address, _cookie(secret, BEGUN_SECONDS)

    async def finish(self, query: Mapping[str, str], secret: str) -> str:
        """The token of a new login. `secret`: from the cookie. Raises RequestRefused."""
        bound = self._bound(secret)
        is_same = hmac.compare_digest(query.get("state", "").encode(), bound.state.encode())
        if not is_same or not self._is_recent(secret):
            raise RequestRefused(_NOT_BEGUN, status=400)
        if "error" in query:
            raise RequestRefused(_NOT_SIGNED_IN)
        try:
            identity = await self._provider.identity(query.get("code", ""), bound)
        except CodeRefused as error:
            raise RequestRefused(_NOT_SIGNED_IN) from error
        except ProviderError as error:
            raise _no_answer(error) from error
        if not self._sign_in.allows(identity):
            raise RequestRefused(
                "The account {name!r} may not use this server. Ask who runs it.", name=identity.username[:100]
            )
        try:
            account = await anyio.to_thread.run_sync(self._directory.admit, identity.subject, identity.username)
        except ReadonceError as error:
            raise RequestRefused(error.message) from error
        return self._logins.admit(account)

    def _bound(self, secret: str) -> Secrets:
        def made(purpose: str) -> str:
            return hmac.new(self._key, f"{purpose} {secret}".encode(errors="replace"), hashlib.sha256).hexdigest()

        return Secrets(state=made("state"), nonce=made("nonce"), verifier=made("verifier"))

    def _is_recent(self, secret: str) -> bool:
        begun = _BEGUN.fullmatch(secret)
        return begun is not None and self._clock() - int(begun[1]) <= BEGUN_SECONDS


def ended() -> str:
    """A `Set-Cookie` header for the browser that has come back: what it has begun is over, in whatever way."""
    return _cookie("", 0)


def _cookie(secret: str, seconds: int) -> str:
    # Lax: the browser sends it when it comes back from the other site, and not with what other sites ask for.
    return f"{COOKIE}={secret}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age={seconds}"


def _no_answer(error: ProviderError) -> RequestRefused:
    """Who runs the server learns why; no person, code or secret stands in it."""
    log_fault(f"sign-in with Hugging Face: {error}")
    return RequestRefused(_NO_ANSWER, status=502)
