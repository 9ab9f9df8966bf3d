"""The form to sign in, and all that a browser does there. It needs no script, and nothing of Gradio."""

from html import escape
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.languages import Languages
from app.people.logins import LOGIN_SECONDS, Logins, TooManyLogins
from app.web.headers import content_policy
from app.web.refusals import language_of
from app.web.routes import LOGIN, LOGOUT

COOKIE: Final = "readonce_login"
_MOST_BYTES: Final = 10_000  # of the form's body
_WRONG: Final = "The name or the password is wrong."
_TOO_MANY: Final = "Too many attempts. Wait some minutes, then try again."
_PAGE: Final = """<!DOCTYPE html>
<html lang="{code}"><head><meta charset="utf-8"><title>Readonce</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
:root {{ color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }}
body {{ display: grid; min-height: 90vh; margin: 0; place-items: center; }}
form {{ display: grid; gap: .75rem; width: min(20rem, 90vw); }}
h1 {{ margin: 0; font-size: 1.5rem; }}
input, button {{ box-sizing: border-box; width: 100%; padding: .6rem; font: inherit; }}
[role=alert] {{ margin: 0; font-weight: 600; }}
</style></head><body>{body}</body></html>
"""
_FORM: Final = """<form method="post" action="{action}"><h1>Readonce</h1>{problem}
<label>Name<input name="name" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Sign in</button></form>"""
_SIGNED_IN: Final = """<form method="post" action="{action}"><h1>Readonce</h1>
<p>You are signed in as <b translate="no">{person}</b>.</p><button>Sign out</button></form>"""


class LoginForm:
    """Answers `/login` and `/logout`. `embedded`: the page stands in huggingface.co's frame."""

    def __init__(self, logins: Logins, languages: Languages, *, embedded: bool) -> None:
        self._logins = logins
        self._languages = languages
        self._embedded = embedded

    def token(self, connection: HTTPConnection) -> str:
        """What the browser shows for its login; empty where it shows nothing."""
        return connection.cookies.get(COOKIE, "")

    async def answer(self, request: Request, person: str) -> Response:
        """Sign in or out, or show the form for it. `person`: who is signed in; empty: nobody."""
        root = request.scope.get("root_path", "")
        if request.method == "GET":
            return self._drawn(request, _SIGNED_IN, LOGOUT, person=person) if person else self.page(request)
        if request.url.path.endswith(LOGOUT):
            self._logins.sign_out(self.token(request))
            answer: Response = RedirectResponse(f"{root}/", status_code=303)
            answer.delete_cookie(COOKIE, path="/")
            return answer
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
        address = request.client.host if request.client else ""
        try:
            token = await self._logins.sign_in(name.strip().lower(), password, address)
        except TooManyLogins:
            return self.page(request, problem=_TOO_MANY, status=429)
        if token is None:
            return self.page(request, problem=_WRONG, status=401)
        answer = RedirectResponse(f"{request.scope.get('root_path', '')}/", status_code=303)
        answer.headers.append("set-cookie", self._cookie(token, secure=request.url.scheme == "https"))
        return answer

    def page(self, connection: HTTPConnection, *, problem: str = "", status: int = 200) -> Response:
        """The form; with a problem, of the attempt before."""
        alert = f'<p role="alert">{escape(problem)}</p>' if problem else ""
        return self._drawn(connection, _FORM, LOGIN, status=status, problem=alert)

    def _drawn(
        self, connection: HTTPConnection, form: str, action: str, *, status: int = 200, **parts: str
    ) -> Response:
        language = language_of(connection, self._languages)
        values = {name: part if name == "problem" else escape(part) for name, part in parts.items()}
        body = form.format(action=f"{connection.scope.get('root_path', '')}{action}", **values)
        page = _PAGE.format(code=language.code, body=language.html(body))
        policy = content_policy(embedded=self._embedded).replace("form-action 'none'", "form-action 'self'")
        headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        return HTMLResponse(page, status_code=status, headers=headers)

    def _cookie(self, token: str, *, secure: bool) -> str:
        where = "; SameSite=None; Secure; Partitioned" if self._embedded else "; SameSite=Lax"
        also = "; Secure" if secure and not self._embedded else ""
        return f"{COOKIE}={token}; Path=/; HttpOnly; Max-Age={LOGIN_SECONDS:.0f}{where}{also}"
