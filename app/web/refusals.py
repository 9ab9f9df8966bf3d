"""A request that is not let in, and what it is told."""

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from app.languages import Language, Languages
from model.errors import ReadonceError


class RequestRefused(ReadonceError):
    """What a request asks for is not given; `status` is the HTTP status that says so."""

    def __init__(self, template: str, /, *, status: int = 403, **values: object) -> None:
        super().__init__(template, **values)
        self.status = status

    def response(self, language: Language) -> PlainTextResponse:
        """The refusal in words. The connection closes, so that nothing more of the request is waited for."""
        text = f"{language.message(self.message)}\n"
        return PlainTextResponse(text, status_code=self.status, headers={"Connection": "close"})


def language_of(connection: HTTPConnection, languages: Languages) -> Language:
    """The language that the browser asks for."""
    return languages.accepted(connection.headers.get("accept-language", ""))
