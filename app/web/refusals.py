"""A request that is not let in, and what it is told."""

from starlette.responses import PlainTextResponse

from model.errors import ReadonceError


class RequestRefused(ReadonceError):
    """What a request asks for is not given; `status` is the HTTP status that says so."""

    def __init__(self, message: str, *, status: int = 403) -> None:
        super().__init__(message)
        self.status = status

    def response(self) -> PlainTextResponse:
        """The refusal in words. The connection closes, so that nothing more of the request is waited for."""
        return PlainTextResponse(f"{self}\n", status_code=self.status, headers={"Connection": "close"})
