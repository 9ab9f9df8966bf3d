"""What tests of the sessions share: a clock of their own, and room for two documents."""

import pytest

from app.sessions.session_store import SessionStore
from tests.helpers.stand_ins import Clock, loaded


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(clock: Clock) -> SessionStore:
    return SessionStore(capacity_bytes=2 * loaded().size_bytes, linger_seconds=600, clock=clock)
