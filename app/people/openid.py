"""OpenID Connect: the authorization code flow with PKCE (RFC 7636), as far as one web server needs it.

The provider is asked directly, over TLS, who has come. That is why no signature is checked: what the token and userinfo
endpoints say comes from the host whose certificate was checked (OpenID Connect Core 3.1.3.7, point 6), and nothing that
went through the browser is believed. So there is no need for a library of signatures and keys.
"""

import asyncio
import base64
import hashlib
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import httpx

from app.people.hugging_face import HubSignIn, Identity
from model.encoding.schema import load_json
from model.errors import ReadonceError

_SCOPES: Final = "openid profile"  # who it is, with the name and organisations; nothing that the account has
_PATIENCE_SECONDS: Final = 20.0  # for one answer, whole
_MOST_BYTES: Final = 1_000_000  # of an answer: somebody may be in many organisations
_MOST_CODE: Final = 4_000  # characters of a code


class ProviderError(ReadonceError):
    """The provider is not reached, or says what it must not."""


class CodeRefused(ReadonceError):
    """The provider knows no such code: it was made up, used before, or is too old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoints:
    authorization: str
    token: str
    userinfo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What one sign-in is bound to. `verifier`: 43 to 128 characters, which only the token endpoint is shown."""

    state: str
    nonce: str
    verifier: str


class Provider:
    """`redirect`: where the provider sends browsers back to, the same for all. `clock`: seconds since 1970."""

    def __init__(self, sign_in: HubSignIn, redirect: str, *, clock: Callable[[], float] = time.time) -> None:
        self._sign_in = sign_in
        self._redirect = redirect
        self._clock = clock
        self._endpoints: _Endpoints | None = None

    async def authorization(self, secrets: Secrets) -> str:
        """The address that a browser is sent to. Raises ProviderError."""
        async with self._client() as client:
            endpoints = await self._found(client)
        asked = {
            "response_type": "code",
            "client_id": self._sign_in.client_id,
            "redirect_uri": self._redirect,
            "scope": _SCOPES,
            "state": secrets.state,
            "nonce": secrets.nonce,
            "code_challenge": _unpadded(hashlib.sha256(secrets.verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        return f"{endpoints.authorization}?{urlencode(asked)}"

    async def identity(self, code: str, secrets: Secrets) -> Identity:
        """Whom the code was given to. Raises CodeRefused and ProviderError. No token is kept."""
        if not 0 < len(code) <= _MOST_CODE:
            raise CodeRefused("The code has {n:,} characters: sign in again.", n=len(code))
        async with self._client() as client:
            endpoints = await self._found(client)
            asked = {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._redirect,
                "code_verifier": secrets.verifier,
            }
            secret = httpx.BasicAuth(self._sign_in.client_id, self._sign_in.client_secret)
            tokens = await _json(client, client.build_request("POST", endpoints.token, data=asked), secret)
            subject = self._subject(_text(tokens, "id_token"), secrets.nonce)
            bearer = {"Authorization": f"Bearer {_text(tokens, 'access_token')}"}
            said = await _json(client, client.build_request("GET", endpoints.userinfo, headers=bearer))
        if _text(said, "sub") != subject:
            raise ProviderError("The userinfo is another account's than the token.")
        return Identity(
            subject=subject,
            username=_text(said, "preferred_username").lower(),  # `name` is whatever somebody calls themselves
            organisations=frozenset(_organisations(said.get("orgs"))),
        )

    def _client(self) -> httpx.AsyncClient:
        """What follows no redirect, and sends nothing that other programs have left on this computer (`.netrc`)."""
        headers = {"Accept": "application/json"}
        return httpx.AsyncClient(verify=self._tls, timeout=_PATIENCE_SECONDS, trust_env=False, headers=headers)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Made once: reading the certificates holds up everybody for a moment."""
        return httpx.create_ssl_context(trust_env=False)

    async def _found(self, client: httpx.AsyncClient) -> _Endpoints:
        """The provider's endpoints, which it is asked for once."""
        if self._endpoints is None:
            provider = self._sign_in.provider
            request = client.build_request("GET", f"{provider}/.well-known/openid-configuration")
            said = await _json(client, request)
            if (issuer := _text(said, "issuer")).rstrip("/") != provider:
                raise ProviderError("The issuer is {found!r}, not {provider!r}.", found=issuer, provider=provider)
            names = ("authorization", "token", "userinfo")
            self._endpoints = _Endpoints(**{name: self._own(_text(said, f"{name}_endpoint")) for name in names})
        return self._endpoints

    def _own(self, address: str) -> str:
        """The address, which must be the provider's: nobody else is told the secret."""
        if urlsplit(address)[:2] != urlsplit(self._sign_in.provider)[:2]:
            raise ProviderError(
                "The endpoint {address!r} is not at {provider}.", address=address, provider=self._sign_in.provider
            )
        return address

    def _subject(self, id_token: str, nonce: str) -> str:
        """Whose ID token it is, which was made by this provider, for this client and this sign-in, and is not old."""
        try:
            payload = id_token.split(".")[1]
            claims = load_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            audience, ends = claims["aud"], float(claims["exp"])
            is_ours = self._sign_in.client_id in ([audience] if isinstance(audience, str) else audience)
            is_right = is_ours and claims["nonce"] == nonce and claims["iss"].rstrip("/") == self._sign_in.provider
        except (IndexError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ProviderError("The ID token cannot be read ({why}).", why=type(error).__name__) from error
        if not is_right or ends < self._clock():
            raise ProviderError("The ID token is not for this sign-in.")
        return _text(claims, "sub")


async def _json(
    client: httpx.AsyncClient, request: httpx.Request, auth: httpx.BasicAuth | None = None
) -> dict[str, Any]:
    """The object that an endpoint answers with. Raises CodeRefused where `auth` is sent and it says 400."""
    body = bytearray()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            answer = await client.send(request, auth=auth, stream=True)
            try:
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _MOST_BYTES:
                        raise ProviderError(
                            "{path} answers with more than {most:,} bytes.", path=request.url.path, most=_MOST_BYTES
                        )
            finally:
                await answer.aclose()
    except (httpx.HTTPError, TimeoutError) as error:
        raise ProviderError(
            "{path} cannot be asked ({why}).", path=request.url.path, why=type(error).__name__
        ) from error
    if auth is not None and answer.status_code == 400:  # RFC 6749, 5.2
        raise CodeRefused("The provider did not accept the code: sign in again.")
    try:
        said = load_json(bytes(body)) if answer.status_code == 200 else None
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise ProviderError(
            "{path} answers with status {status}, and not as it should.",
            path=request.url.path,
            status=answer.status_code,
        )
    return said


def _text(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise ProviderError("There is no {name} in what the provider says.", name=name)
    return value


def _organisations(said: Any) -> list[str]:
    """Their names; there may be none."""
    found = [one.get("preferred_username") for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return [name.lower() for name in found if isinstance(name, str)]


def _unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
