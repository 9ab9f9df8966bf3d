"""A connection that never says what it wants is closed. uvicorn itself waits for the head of a request for ever."""

import asyncio
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 20.0


def set_head_timeout(server: uvicorn.Server, *, seconds: float = HEAD_SECONDS) -> None:
    """From now on the server closes a connection on which a request's head is not complete after this time."""
    protocol: Any = H11Protocol  # also where the extra for clusters has installed httptools: one parser, the tested one

    class WithHeadTimeout(protocol):
        _head_timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self._start_timer()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            if self.cycle is None or self.cycle.response_complete:
                self._start_timer()
            else:
                self._stop_timer()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_timer()
            super().connection_lost(exc)

        def _start_timer(self) -> None:
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(seconds, self.transport.close)

        def _stop_timer(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

    server.config.http_protocol_class = WithHeadTimeout
