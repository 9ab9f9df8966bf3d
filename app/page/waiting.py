"""What happens a little later, and waiting that ends with a session's work."""

import threading
from collections.abc import Callable

import anyio

from app.library.catalogue import UNDO_SECONDS
from app.sessions.session import Session


def later(end: Callable[[], object], seconds: float = UNDO_SECONDS) -> None:
    """Do something after so many seconds: until then, what was removed can be had back."""
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()


async def rest(session: Session, seconds: float) -> None:
    """Wait so long, or until the session's work is done: its end is shown at once."""
    with anyio.move_on_after(seconds):
        while True:
            count = session.changes.count
            if not session.busy:
                return
            await session.changes.changed(count)
