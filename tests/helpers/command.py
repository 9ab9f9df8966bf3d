"""A command that was run: its status, and what it wrote."""

from collections.abc import Callable

Run = Callable[..., "Ran"]


class Ran:
    """What a command left behind."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def complaint(self) -> str:
        """The one line that bad input gets."""
        assert (self.status, self.out) == (2, "")
        (line,) = self.err.splitlines()
        return line
