"""Which addresses of the server are open. Gradio has many more than this page needs, and may get new ones: all shut.

Shut are, for example, `proxy=` and `stream/` (files of other servers), `component_server` (any method of a component),
`process_recording` (runs ffmpeg on what is sent), `deep_link` (another session's values), `run-history/`, `monitoring`
and `login`.
"""

import re
from typing import Final

from starlette.types import Scope

API: Final = "/gradio_api"
UPLOAD: Final = f"{API}/upload"
FILE: Final = f"{API}/file="
MCP: Final = f"{API}/mcp"
HEALTH: Final = "/healthz"
VIEWS: Final = "/page"  # pages of documents, by the session's id
METRICS: Final = "/metrics"
V1: Final = "/v1"
LOGIN: Final = "/login"
LOGOUT: Final = "/logout"
HUB_LOGIN: Final = f"{LOGIN}/huggingface"
HUB_CALLBACK: Final = f"{LOGIN}/callback"
SIGNING_IN: Final = frozenset({LOGIN, LOGOUT, HUB_LOGIN, HUB_CALLBACK})

PAGES: Final = frozenset({"/", "/config", "/config/"})  # what a browser or a client opens first
_READ: Final = re.compile(
    rf"/(healthz|metrics|theme\.css|favicon\.ico|robots\.txt|manifest\.json)?"
    rf"|/config/?"
    rf"|{VIEWS}/[\w-]{{20,80}}/[0-9a-f]{{64}}/\d{{1,6}}/(words|\d{{1,5}})"
    rf"|/(static|assets|svelte)/.+"
    rf"|{API}/(info|openapi\.json|app_id|startup-events|theme\.css|upload_progress)/?"
    rf"|{API}/queue/(data|status)"
    rf"|{API}/heartbeat/[^/]+"
    rf"|{API}/call/(v2/)?[^/]+/[^/]+"
    rf"|{API}/file=.+"
    rf"|{V1}/(models|files)(/[^/]+(/content)?)?/?"
)
_WRITE: Final = re.compile(
    rf"{API}/(upload|queue/join|cancel|reset/?|(run|call|call/v2)/[^/]+/?)|{V1}/(files|chat/completions)/?"
)
_DELETE: Final = re.compile(rf"{V1}/files/[^/]+/?")
_SIGNS_IN: Final = {
    ("GET", LOGIN), ("POST", LOGIN), ("POST", LOGOUT), ("GET", HUB_LOGIN), ("GET", HUB_CALLBACK),
}  # fmt: skip
_METHODS: Final = {
    "GET": (_READ,),
    "HEAD": (_READ,),
    "POST": (_WRITE,),
    "DELETE": (_DELETE,),
    "OPTIONS": (_READ, _WRITE),
}


def path_of(scope: Scope) -> str:
    """The path below the server's own root, as the router sees it."""
    root = scope.get("root_path", "")
    path: str = scope["path"]
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def is_upload(scope: Scope) -> bool:
    """Whether the request brings files, which are written to the disk as they come."""
    return path_of(scope) in (UPLOAD, f"{V1}/files")


def is_open(method: str, path: str, *, has_users: bool = False) -> bool:
    """Whether this request is one of those that the page and programs make."""
    if has_users and (method, path) in _SIGNS_IN:
        return True
    if path == MCP or path.startswith(f"{MCP}/"):
        return True  # with methods of its own
    return any(pattern.fullmatch(path) for pattern in _METHODS.get(method, ()))
