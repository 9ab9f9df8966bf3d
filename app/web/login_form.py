"""The form to sign in, and all that a browser does there. It needs no script, and nothing of Gradio."""

from html import escape
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.languages import Languages
from app.people.crowd import Crowd, TooManyLogins
from app.people.logins import LOGIN_SECONDS, Logins
from app.web.headers import content_policy
from app.web.hub_login import COOKIE as HUB_COOKIE
from app.web.hub_login import HubLogin, ended
from app.web.refusals import RequestRefused, language_of
from app.web.routes import HUB_CALLBACK, HUB_LOGIN, LOGIN, LOGOUT, path_of

COOKIE: Final = "readonce_login"
_MOST_BYTES: Final = 10_000  # of the form's body
_HUB_AT_ONCE: Final = 8  # who wait for Hugging Face's answer
_NOT_KEPT: Final = {"Cache-Control": "no-store"}
_WRONG: Final = "The name or the password is wrong."
_TOO_MANY: Final = "Too many attempts. Wait some minutes, then try again."
_PAGE: Final = """<!DOCTYPE html>
<html lang="{code}"><head><meta charset="utf-8"><title>Readonce</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; min-height: 90vh; margin: 0; place-items: center; }}
form, main {{ display: grid; gap: .75rem; width: min(20rem, 90vw); }}
h1 {{ margin: 0; font-size: 1.5rem; }}
input, button, a {{ box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; }}
a {{ border: 1px solid; border-radius: .25rem; color: inherit; text-align: center; text-decoration: none; }}
[role=alert] {{ margin: 0; font-weight: 600; }}
</style></head><body>{body}</body></html>
"""
_FORM: Final = """<form method="post" action="{action}"><h1>Readonce</h1>{problem}
<label>Name<input name="name" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>"""
_OR_HUB: Final = """<main>{form}
<a href="{hub}"{target}>Sign in with Hugging Face</a></main>"""
_SIGNED_IN: Final = """<form method="post" action="{action}"><h1>Readonce</h1>
<p>You are signed in as <b translate="no">{person}</b>.</p><button>Sign out</button></form>"""


class LoginForm:
    """Answers `/login`, `/logout` and what lies below `/login`.

    `embedded`: the page stands in huggingface.co's frame. `hub`: None where nobody signs in with Hugging Face.
    """

    def __init__(self, logins: Logins, languages: Languages, *, embedded: bool, hub: HubLogin | None = None) -> None:
        self._logins = logins
        self._languages = languages
        self._embedded = embedded
        self._hub = hub
        self._crowd = Crowd(_HUB_AT_ONCE)

    def token(self, connection: HTTPConnection) -> str:
        """What the browser shows for its login; empty where it shows nothing."""
        return connection.cookies.get(COOKIE, "")

    async def answer(self, request: Request, person: str) -> Response:
        """Sign in or out, or show the form for it. `person`: who is signed in; empty: nobody."""
        if (path := path_of(request.scope)) in (HUB_LOGIN, HUB_CALLBACK):
            return await self._over_hub(request, path)
        if request.method == "GET":
            return self._drawn(request, _SIGNED_IN, LOGOUT, person=person) if person else self.page(request)
        if path == LOGOUT:
            self._logins.sign_out(self.token(request))
            return self._to_page(request, self._cookie("", 0, request))
        body = bytearray()
        try:
            async for part in request.stream():  # whoever sends it is not known yet
                body += part
                if len(body) > _MOST_BYTES:
                    return PlainTextResponse("This is no form to sign in.\n", status_code=413)
        except ClientDisconnect:
            return Response(status_code=400)
        return await self._sign_in(request, parse_qs(body.decode(errors="replace")))

    async def _sign_in(self, request: Request, fields: dict[str, list[str]]) -> Response:
        name, password = (fields.get(field, [""])[0] for field in ("name", "password"))
        try:
            token = await self._logins.sign_in(name.strip().lower(), password, _address(request))
        except TooManyLogins:
            return self.page(request, problem=_TOO_MANY, status=429)
        if token is None:
            return self.page(request, problem=_WRONG, status=401)
        return self._signed_in(request, token)

    async def _over_hub(self, request: Request, path: str) -> Response:
        """Send the browser to Hugging Face, or take it back from there."""
        if self._hub is None:
            return PlainTextResponse("There is nothing here.\n", status_code=404)
        try:
            async with self._crowd.turn(_address(request)):
                if path == HUB_LOGIN:
                    there, cookie = await self._hub.begin()
                    return RedirectResponse(there, status_code=303, headers={"Set-Cookie": cookie, **_NOT_KEPT})
                token = await self._hub.finish(request.query_params, request.cookies.get(HUB_COOKIE, ""))
        except TooManyLogins:
            return self.page(request, problem=_TOO_MANY, status=429)
        except RequestRefused as refusal:
            answer = self.page(request, problem=str(refusal), status=refusal.status)
        else:
            answer = self._signed_in(request, token)
        answer.headers.append("set-cookie", ended())
        return answer

    def _signed_in(self, request: Request, token: str) -> Response:
        return self._to_page(request, self._cookie(token, LOGIN_SECONDS, request))

    def _to_page(self, request: Request, cookie: str) -> Response:
        """Nothing that a request says leads anywhere else."""
        headers = {"Set-Cookie": cookie, **_NOT_KEPT}
        return RedirectResponse(f"{request.scope.get('root_path', '')}/", status_code=303, headers=headers)

    def page(self, connection: HTTPConnection, *, problem: str = "", status: int = 200) -> Response:
        """The form; with a problem, of the attempt before."""
        alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
        form = _FORM
        if self._hub is not None:
            # In huggingface.co's frame its own page is not shown, and cookies are another jar's: a window of its own.
            framed = connection.headers.get("sec-fetch-dest", "iframe") != "document"
            target = ' target="_blank" rel="noopener"' if framed else ""
            hub = escape(f"{connection.scope.get('root_path', '')}{HUB_LOGIN}")
            form = _OR_HUB.format(form=_FORM, hub=hub, target=target)
        return self._drawn(connection, form, LOGIN, status=status, problem=alert)

    def _drawn(
        self, connection: HTTPConnection, form: str, action: str, *, status: int = 200, **parts: str
    ) -> Response:
        language = language_of(connection, self._languages)
        values = {name: part if name == "problem" else escape(part) for name, part in parts.items()}
        body = form.format(action=f"{connection.scope.get('root_path', '')}{action}", **values)
        page = _PAGE.format(code=language.code, body=language.html(body))
        policy = content_policy(embedded=self._embedded).replace("form-action 'none'", "form-action 'self'")
        headers = {"Content-Security-Policy": policy, **_NOT_KEPT}
        return HTMLResponse(page, status_code=status, headers=headers)

    def _cookie(self, token: str, seconds: float, request: Request) -> str:
        """A browser lets a cookie go only where it is told so with the attributes that the cookie came with."""
        secure = "; Secure" if request.url.scheme == "https" else ""
        where = "; SameSite=None; Secure; Partitioned" if self._embedded else f"; SameSite=Lax{secure}"
        return f"{COOKIE}={token}; Path=/; HttpOnly; Max-Age={seconds:.0f}{where}"


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
