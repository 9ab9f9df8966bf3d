"""Which tabs are there, and since when a session has none."""

from collections.abc import Callable, Sequence


class Presence:
    """Tabs and the sessions that they show. It is not safe to use from several threads.

    A tab is there while it holds a connection. One that has entered without may be a program, or a browser that is
    still opening: its session counts from when it was last used.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._sessions: dict[str, str] = {}  # tab -> session; one that has left may connect again
        self._connected: set[str] = set()  # tabs; some connect before they enter
        self._gone: set[str] = set()  # tabs that have left
        self._left: dict[str, float] = {}  # session -> when its last tab left
        self._used: dict[str, float] = {}  # session with tabs, none of them connected -> when it was last used

    def session_of(self, tab: str) -> str:
        """Empty where the tab has not entered."""
        return self._sessions.get(tab, "")

    def has(self, tab: str) -> bool:
        """Whether it has entered, and has not left."""
        return tab in self._sessions and tab not in self._gone

    def enter(self, tab: str, session: str) -> None:
        """A tab shows this session, and no other any more."""
        before = self._sessions.get(tab, session)
        self._sessions[tab] = session
        self._gone.discard(tab)
        for changed in {before, session}:
            self._settle(changed)

    def connect(self, tab: str) -> None:
        self._connected.add(tab)
        self._gone.discard(tab)
        if tab in self._sessions:
            self._settle(self._sessions[tab])

    def leave(self, tab: str) -> None:
        self._connected.discard(tab)
        if tab in self._sessions:
            self._gone.add(tab)
            self._settle(self._sessions[tab])

    def use(self, session: str) -> None:
        """Something was done in a session."""
        if session in self._used:
            self._used[session] = self._clock()

    def remove(self, session: str) -> None:
        """The session is no longer there."""
        for tab in self._tabs_of(session):
            del self._sessions[tab]
            self._gone.discard(tab)
        self._left.pop(session, None)
        self._used.pop(session, None)

    def left_since(self, seconds: float) -> list[str]:
        """Sessions whose last tab left so many seconds ago or longer."""
        return _until(self._left, self._clock() - seconds)

    def unused_since(self, seconds: float) -> list[str]:
        """Sessions that no tab is connected to or has left, and in which nothing was done for so many seconds."""
        return _until(self._used, self._clock() - seconds)

    def next_due(self, *, left: Sequence[float], unused: float) -> float | None:
        """In how many seconds the next session will have been left, or unused, for one of these times; None: never.

        What is over already counts only for the longest of them: a session that was left so long ago waits to be freed.
        """
        now = self._clock()
        *earlier, longest = sorted(left)
        times = [since + longest - now for since in self._left.values()]
        times += [since + unused - now for since in self._used.values()]
        times += [since + s - now for since in self._left.values() for s in earlier if since + s > now]
        return max(min(times), 0.0) if times else None

    def _tabs_of(self, session: str) -> list[str]:
        return [tab for tab, shown in self._sessions.items() if shown == session]

    def _settle(self, session: str) -> None:
        """Note whether the session has tabs, and whether one of them is connected."""
        tabs = set(self._tabs_of(session))
        self._left.pop(session, None)
        self._used.pop(session, None)
        if tabs <= self._gone:
            self._left[session] = self._clock()
        elif self._connected.isdisjoint(tabs):
            self._used[session] = self._clock()


def _until(times: dict[str, float], latest: float) -> list[str]:
    return [session for session, since in times.items() if since <= latest]
