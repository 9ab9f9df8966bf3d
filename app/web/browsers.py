"""Which browser asks: a random name in a cookie, given with the page. It says nothing about the person."""

import re
import secrets
from typing import Final

from starlette.requests import HTTPConnection

from app.web.identity import is_guarded, person_of

COOKIE: Final = "readonce_browser"
_NAME: Final = re.compile(r"[\w-]{43}", re.ASCII)


def browser_of(connection: HTTPConnection) -> str:
    """The browser's name; empty where the client keeps no cookies, as most programs do not.

    Where there are users it is the person, whatever they ask with; the server's own requests are nobody's.
    """
    if is_guarded(connection):
        return f"person {person}" if (person := person_of(connection)) else ""
    name = connection.cookies.get(COOKIE, "")
    return name if _NAME.fullmatch(name) else ""


def new_cookie(*, embedded: bool) -> str:
    """A `Set-Cookie` header for a browser without a name. `embedded`: the page stands in another site's frame."""
    where = "; SameSite=None; Secure; Partitioned" if embedded else "; SameSite=Lax"
    return f"{COOKIE}={secrets.token_urlsafe(32)}; Path=/; HttpOnly{where}"
