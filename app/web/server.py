"""Gradio's web application behind the gate, and how it is served."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import fastapi
from gradio.route_utils import GradioMultiPartParser, GradioUploadFile
from gradio.routes import App, ORJSONResponse, file_upload_statuses
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from app.documents.names import file_name
from app.faults import in_words
from app.languages import Languages
from app.page.page_views import PageViews
from app.serving.metrics import CONTENT_TYPE
from app.sessions.pictures import media_type
from app.web.bodies import WholeBodies, declared_bytes
from app.web.browsers import browser_of
from app.web.claims import ClaimedNames
from app.web.gate import Gate, GateRules
from app.web.identity import person_of
from app.web.inline_scripts import InlineScripts
from app.web.proxies import ProxyHeaders
from app.web.refusals import RequestRefused, language_of
from app.web.routes import FILE, HEALTH, METRICS, UPLOAD, VIEWS
from app.web.traffic import Traffic, TrafficLayer
from app.web.uploads import Uploads
from model.errors import ReadonceError

SWEEP_SECONDS: Final = 60
MOST_DRAWN_AT_ONCE: Final = 16  # pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """What who runs the server asks it. `metrics`: None where whoever reaches the page may not know others' numbers."""

    is_ready: Callable[[], bool]
    metrics: Callable[[], bytes] | None = None
    traffic: Traffic


class WebApp(App):
    """Gradio's application with the gate around it, and with routes of our own for uploads and downloads.

    Routes that are added first are found first: Gradio's own for the same addresses are never reached.
    """

    def __init__(
        self,
        rules: GateRules,
        uploads: Uploads,
        *,
        languages: Languages,
        probes: Probes,
        views: PageViews,
        guard: Callable[[ASGIApp], ASGIApp] | None = None,
        middleware: Sequence[Middleware] = (),
    ) -> None:
        """`guard`: the layer that lets in only who is signed in; None: there are no users. `middleware`: further layers
        around Gradio's routes, inside the gate and the guard.
        """
        super().__init__(
            default_response_class=ORJSONResponse,
            middleware=[Middleware(InlineScripts, embedded=rules.embedded), *middleware],
        )
        self._rules = rules
        self._uploads = uploads
        self._languages = languages
        self._probes = probes
        self._views = views
        self._drawing = anyio.CapacityLimiter(MOST_DRAWN_AT_ONCE)
        self._guard = guard
        page = f"{VIEWS}/{{session_id}}/{{key}}/{{number}}"
        self.add_api_route(f"{page}/words", self._page_words, methods=["GET"], response_model=None)
        self.add_api_route(f"{page}/{{width}}", self._page_picture, methods=["GET"], response_model=None)
        self.add_api_route(HEALTH, self._health, methods=["GET", "HEAD"])
        self.add_api_route(METRICS, self._tell_metrics, methods=["GET", "HEAD"], response_model=None)
        self.add_api_route(UPLOAD, self._upload, methods=["POST"], response_model=None)
        self.add_api_route(f"{FILE}{{path:path}}", self._file, methods=["GET", "HEAD"], response_model=None)

    def build_middleware_stack(self) -> ASGIApp:
        """The gate and the guard stand outside all that Gradio and Starlette do, their answers to errors too."""
        inside = super().build_middleware_stack()
        guarded = self._guard(WholeBodies(ClaimedNames(inside))) if self._guard else WholeBodies(inside)
        gate = Gate(guarded, self._rules, self._languages)
        return ProxyHeaders(TrafficLayer(gate, self._probes.traffic), self._rules.proxies, self._rules.hosts)

    @asynccontextmanager
    async def sweeping(self, _: fastapi.FastAPI) -> AsyncIterator[None]:
        """While the server runs, delete the uploads that nobody has used."""

        async def sweep() -> None:
            while True:
                await anyio.sleep(SWEEP_SECONDS)
                await anyio.to_thread.run_sync(self._uploads.sweep)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sweep)
            yield
            tasks.cancel_scope.cancel()

    def _health(self) -> Response:
        """Whether questions can be answered, and will be; it tells nothing else."""
        if self._probes.traffic.is_stopping:
            return PlainTextResponse("stopping\n", status_code=503)
        return PlainTextResponse("ok\n") if self._probes.is_ready() else PlainTextResponse("loading\n", status_code=503)

    def _tell_metrics(self, request: fastapi.Request) -> Response:
        if self._probes.metrics is None:
            refusal = RequestRefused(
                "These numbers are of everybody who uses this server. Set READONCE_USERS, and make a key for them."
            )
            return self._refused(refusal, request)
        return Response(self._probes.metrics(), media_type=CONTENT_TYPE)

    async def _page_picture(
        self, request: fastapi.Request, session_id: str, key: str, number: int, width: int
    ) -> Response:
        """A page of a document, to be shown; it lies in no cache but the window's own."""
        try:
            picture = await anyio.to_thread.run_sync(
                self._views.picture, session_id, key, number, width, person_of(request), limiter=self._drawing
            )
        except ReadonceError as error:
            return PlainTextResponse(str(error), status_code=404)
        return Response(picture, media_type=media_type(picture), headers={"Cache-Control": "no-store"})

    def _page_words(self, request: fastapi.Request, session_id: str, key: str, number: int) -> Response:
        """The words of a page, to be selected over its picture."""
        try:
            words = self._views.words(session_id, key, number, person_of(request))
        except ReadonceError as error:
            return PlainTextResponse(str(error), status_code=404)
        return PlainTextResponse(words, headers={"Cache-Control": "no-store"})

    async def _upload(self, request: fastapi.Request, upload_id: str | None = None) -> Response:
        """Take files in. What comes back are their paths, which only their sender knows."""
        progress = file_upload_statuses if upload_id else None
        try:
            return JSONResponse(await self._received(request, upload_id))
        except RequestRefused as refusal:
            return self._refused(refusal, request)
        except MultiPartException as error:
            size = 413 if "maximum allowed size" in error.message else 400
            return self._refused(RequestRefused(error.message, status=size), request)
        except ClientDisconnect:
            return Response(status_code=400)
        except OSError as error:
            return self._refused(RequestRefused(in_words(error), status=507), request)
        finally:
            if progress is not None and upload_id is not None:
                progress.set_done(upload_id)

    async def _received(self, request: fastapi.Request, upload_id: str | None) -> list[str]:
        expected = declared_bytes(request.scope["headers"]) or self._rules.upload_bytes
        browser = browser_of(request)
        with self._uploads.folder_for(expected, browser) as folder:
            form = await self._parser(request, folder, upload_id).parse()
            return [self._uploads.receive(_named(one, folder), browser) for one in form.getlist("files")]

    def _parser(self, request: fastapi.Request, folder: Path, upload_id: str | None) -> GradioMultiPartParser:
        if "boundary=" not in request.headers.get("content-type", ""):
            raise MultiPartException("Missing boundary in multipart.")
        if upload_id:
            file_upload_statuses.track(upload_id)
        return GradioMultiPartParser(
            request.headers,
            request.stream(),
            upload_dir=folder,
            max_file_size=self._rules.file_bytes,
            upload_id=upload_id,
            upload_progress=file_upload_statuses if upload_id else None,
        )

    async def _file(self, path: str, request: fastapi.Request) -> Response:
        """Give a file back to its browser. It is always saved, never shown."""
        try:
            file = self._uploads.readable(path, browser_of(request))
        except RequestRefused as refusal:
            return self._refused(refusal, request)
        return FileResponse(
            file.path, filename=file.path.name, media_type="application/octet-stream",
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    def _refused(self, refusal: RequestRefused, request: fastapi.Request) -> Response:
        return refusal.response(language_of(request, self._languages))


def _named(file: object, folder: Path) -> Path:
    """Where a received file lies under the name that it had where it came from; Gradio would drop signs from it."""
    if not isinstance(file, GradioUploadFile):
        raise RequestRefused("The form has a text where a file should be. Send files in the field files.", status=400)
    file.file.close()
    own = folder / file.sha.hexdigest()
    own.mkdir(exist_ok=True)
    said = (file.filename or "").replace("%22", '"')  # as browsers write a quote in a form
    return Path(file.file.name).rename(own / file_name(said))
