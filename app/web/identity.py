"""Who asks, as the guard has found out; everything behind it reads it here."""

from typing import Any, Final

from starlette.types import Scope

_PERSON: Final = "readonce.person"
_INNER: Final = "readonce.inner"
NOBODY: Final = ""  # where there are no users, or the server itself asks


def with_person(scope: Scope, person: str, *, inner: bool = False) -> Scope:
    """The request as this person's. `inner`: the server itself asks, perhaps for that person."""
    return {**scope, _PERSON: person, _INNER: inner}


def is_inner(scope: Scope) -> bool:
    """Whether the server itself asks."""
    return bool(scope.get(_INNER, False))


def is_guarded(connection: Any) -> bool:
    """Whether a guard has let this request in: there are users."""
    request = getattr(connection, "request", connection)
    return _PERSON in getattr(request, "scope", {})


def person_of(connection: Any) -> str:
    """The person whose request this is: Starlette's, or Gradio's around one. NOBODY where there are no users."""
    request = getattr(connection, "request", connection)
    return str(getattr(request, "scope", {}).get(_PERSON, NOBODY))
