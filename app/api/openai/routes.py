"""The routes of `/v1`: from a request to the service, and from what it gives or raises to an answer."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.api.openai import shapes
from app.api.openai.requests import ChatQuestion, ChatRequest, asked_in, key_of
from app.api.openai.service import ApiError, Service
from app.documents.names import file_name
from app.faults import in_words
from app.serving.streams import streamed
from app.sessions.inbox import Incoming
from app.web.identity import person_of
from app.web.refusals import RequestRefused
from app.web.routes import V1
from model.errors import CheckpointError, DocumentError, ReadonceError

Handler = Callable[[Any, Request], Awaitable[Response]]
_MOST_FIELDS = 10  # of a form with a file
_SHUT = (
    "/v1 is shut here: others can reach this server, and nobody signs in, so that files would be everybody's. Set"
    " READONCE_USERS, and make a key: python -m app key add NAME --user PERSON."
)


def _answering(handler: Handler) -> Handler:
    """The handler, with errors in OpenAI's shape."""

    @wraps(handler)
    async def answer(routes: Any, request: Request) -> Response:
        try:
            routes.check_open()
            return await handler(routes, request)
        except Exception as error:
            return _refusal(error)

    return answer


class Routes:
    """Everything below `/v1`. `file_bytes`: of one file; `is_shut`: whoever reaches the server could be a stranger."""

    def __init__(self, service: Service, *, file_bytes: int, is_shut: bool) -> None:
        self._service = service
        self._file_bytes = file_bytes
        self._is_shut = is_shut

    def router(self) -> APIRouter:
        router = APIRouter(prefix=V1, include_in_schema=False)
        for method, path, handler in (
            ("GET", "/models", self.models),
            ("GET", "/models/{model}", self.one_model),
            ("POST", "/files", self.add_file),
            ("GET", "/files", self.files),
            ("GET", "/files/{file_id}", self.one_file),
            ("GET", "/files/{file_id}/content", self.content),
            ("DELETE", "/files/{file_id}", self.delete_file),
            ("POST", "/chat/completions", self.complete),
        ):
            router.add_api_route(path, handler, methods=[method], response_model=None)
        return router

    def check_open(self) -> None:
        if self._is_shut:
            raise ApiError(_SHUT, status=403, code="no_users")

    @_answering
    async def models(self, request: Request) -> Response:  # noqa: ARG002 - the same for everybody
        return JSONResponse(shapes.list_object([shapes.model_object(self._service.model)]))

    @_answering
    async def one_model(self, request: Request) -> Response:
        self._service.check_model(request.path_params["model"])
        return JSONResponse(shapes.model_object(self._service.model))

    @_answering
    async def add_file(self, request: Request) -> Response:
        async with request.form(max_files=1, max_fields=_MOST_FIELDS) as form:
            sent = form.get("file")
            if not isinstance(sent, UploadFile):
                raise DocumentError("The form has no file: send one in the field file.")
            data, name = await sent.read(), file_name(sent.filename or "file")
            said = {field: str(form.get(field) or "") for field in ("purpose", "pages", "password")}
        if len(data) > self._file_bytes:
            raise DocumentError(
                "{name} has {size:,} bytes; the limit is {limit:,}.", name=name, size=len(data), limit=self._file_bytes
            )
        incoming = Incoming(name=name, data=data, pages=said["pages"] or None, password=said["password"] or None)
        person = person_of(request)

        def add() -> shapes.ApiFile:
            with self._service.working(person) as (session, job):
                return self._service.add(session, job, incoming)

        file = await run_in_threadpool(add)
        return JSONResponse(shapes.file_object(file, said["purpose"] or "user_data"))

    @_answering
    async def files(self, request: Request) -> Response:
        found = await run_in_threadpool(self._service.files, person_of(request))
        return JSONResponse(shapes.list_object([shapes.file_object(file) for file in found]))

    @_answering
    async def one_file(self, request: Request) -> Response:
        file = await run_in_threadpool(self._service.file_of, person_of(request), _key(request))
        return JSONResponse(shapes.file_object(file))

    @_answering
    async def content(self, request: Request) -> Response:
        """The file itself. It is saved, never shown: it is foreign."""
        name, data = await run_in_threadpool(self._service.content, person_of(request), _key(request))
        named = f"filename*=utf-8''{quote(name.encode(errors='replace'), safe='')}"
        headers = {"Content-Disposition": f"attachment; {named}", "Cache-Control": "no-store"}
        return Response(data, media_type="application/octet-stream", headers=headers)

    @_answering
    async def delete_file(self, request: Request) -> Response:
        key = _key(request)
        await run_in_threadpool(self._service.forget, person_of(request), key)
        return JSONResponse({"id": request.path_params["file_id"], "object": "file", "deleted": True})

    @_answering
    async def complete(self, request: Request) -> Response:
        sent = ChatRequest.model_validate_json(await request.body())
        self._service.check_model(sent.model)
        asked, person = asked_in(sent), person_of(request)
        if sent.stream:
            return StreamingResponse(self._events(asked, person), media_type="text/event-stream")
        (completion,) = [one async for one in self._completions(asked, person)]
        return JSONResponse(shapes.completion_object(completion))

    async def _completions(self, asked: ChatQuestion, person: str) -> AsyncIterator[shapes.Completion]:
        with self._service.working(person) as (session, job):
            async for completion in streamed(job, self._service.answers(session, job, asked)):
                yield completion

    async def _events(self, asked: ChatQuestion, person: str) -> AsyncIterator[str]:
        """Server-sent events. What goes wrong after the first one is an event, too."""
        head = shapes.first_chunk(self._service.model)
        yield _event(head)
        try:
            async for completion in self._completions(asked, person):
                for chunk in shapes.chunks({**head}, completion):
                    yield _event(chunk)
        except Exception as error:
            yield _event(json.loads(bytes(_refusal(error).body)))
        yield "data: [DONE]\n\n"


def _key(request: Request) -> str:
    """The key of the file that the address names. What names none is a file that is not there."""
    try:
        return key_of(request.path_params["file_id"])
    except DocumentError as error:
        raise ApiError(error.message, status=404, code="file_not_found") from error


def _event(chunk: shapes.Object) -> str:
    return f"data: {json.dumps(chunk, ensure_ascii=False, allow_nan=False)}\n\n"


def _refusal(error: Exception) -> JSONResponse:
    """What went wrong in OpenAI's shape, with the status that its clients know."""
    status, message, code = 400, str(error), "invalid_request"
    match error:
        case ApiError():
            status, code = error.status, error.code
        case RequestRefused():  # by the gate, while the body came
            status = error.status
        case ValidationError():
            first = error.errors()[0]
            message = f"{'.'.join(map(str, first['loc'])) or 'The body'} cannot be used: {first['msg']}."
        case CheckpointError():
            status, code = 503, "no_checkpoint"
        case HTTPException():  # of a form that cannot be read
            status, message = error.status_code, str(error.detail)
        case ReadonceError():
            pass
        case _:
            status, message, code = 500, in_words(error), "server_error"
    kind = "invalid_request_error" if status < 500 else "server_error"
    return JSONResponse(shapes.error_object(message, kind=kind, code=code), status_code=status)
