"""A Hugging Face hub on this machine: as much of its interface as downloading a model takes, and its refusals."""

import hashlib
import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What the hub answers instead of a file: the status, and its own name for the reason."""

    status: int
    code: str = ""
    message: str = ""


@dataclass(slots=True, kw_only=True)
class HubState:
    """What the hub has and does; tests change it while it runs."""

    name: str
    folder: Path
    of_model: Refusal | None = None  # refuses everything about the model
    of_files: Refusal | None = None  # the model can be looked at, its files cannot be had
    requests: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)


def serve(state: HubState) -> ThreadingHTTPServer:
    """A server for that state on a free port; the caller runs and closes it."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def log_message(self, format: str, *arguments: object) -> None:
            """Requests are counted in the state."""

        def _answer(self, *, with_body: bool) -> None:
            path = urlsplit(self.path).path
            state.requests.append(f"{self.command} {path}")
            state.tokens.add(self.headers.get("Authorization"))
            resolved = f"/{state.name}/resolve/{COMMIT}/"
            refusal = state.of_model or (state.of_files if path.startswith(resolved) else None)
            body = b"" if refusal else _body(state, path, resolved)
            if body is None:
                refusal = Refusal(status=404, code="RepoNotFound")
            self.send_response(refusal.status if refusal else 200)
            if refusal:
                body = b""
                self.send_header("X-Error-Code", refusal.code)
                self.send_header("X-Error-Message", refusal.message)
            self.send_header("ETag", f'"{hashlib.sha256(body or b"").hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            if with_body:
                self.wfile.write(body or b"")

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def _body(state: HubState, path: str, resolved: str) -> bytes | None:
    files = sorted(path for path in state.folder.rglob("*") if path.is_file())
    if path in (f"/api/models/{state.name}", f"/api/models/{state.name}/revision/main"):
        return json.dumps({"id": state.name, "sha": COMMIT}).encode()
    if path == f"/api/models/{state.name}/tree/{COMMIT}":
        listed = [
            {"type": "file", "path": str(file.relative_to(state.folder)), "size": file.stat().st_size, "oid": "0" * 40}
            for file in files
        ]
        return json.dumps(listed).encode()
    file = state.folder / path.removeprefix(resolved)
    return file.read_bytes() if path.startswith(resolved) and file in files else None
