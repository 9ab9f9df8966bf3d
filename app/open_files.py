"""How many files and connections this process may have open at a time: as many as its system allows."""

import contextlib
from typing import Final

_WANTED: Final = (65_536, 10_240)  # macOS refuses more than the second, whatever it says is allowed


def raise_open_files_limit() -> None:
    """Raise the soft limit as far as the hard one lets it, where it is lower; Windows has none.

    Many systems begin with 256 or 1,024. A document holds its file open for as long as its pages may be drawn, and each
    visitor holds a connection, so that a library of some hundred documents would be refused without this.
    """
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in _WANTED:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < limit:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
                return
