"""What the person running Readonce can choose, read once from the environment and `readonce.toml`."""

import ipaddress
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar, get_args

from platformdirs import user_data_path

from app.people.hugging_face import HubSignIn
from app.settings_file import with_file
from model.errors import ReadonceError
from model.types import Precision

MEGABYTE = 1_000_000
THIS_COMPUTER = ("127.0.0.1", "localhost", "::1")
LogFormat = Literal["text", "json"]
LOG_FORMATS: tuple[LogFormat, ...] = get_args(LogFormat)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
Name = TypeVar("Name", bound=str)
_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every choice of one run. Sizes are in bytes."""

    cache_folder: Path
    model: str = "embedded"
    precision: Precision = "bfloat16"  # of what is kept of a document
    library_folder: Path | None = None  # None: documents are kept in memory only
    disk_bytes: int = 20_000 * MEGABYTE  # that the library may take
    host: str = "127.0.0.1"
    port: int | None = None  # None: the first free one from 7860
    library_bytes: int = 2_000 * MEGABYTE  # of all sessions together; the least recently used goes first
    file_bytes: int = 200 * MEGABYTE
    linger_minutes: float = 10.0  # how long a closed tab's documents wait for their browser to return
    hosts: tuple[str, ...] = ()  # names, beside this computer's own, under which the page is reached
    proxies: tuple[str, ...] = ()  # addresses and networks whose X-Forwarded-* headers are believed
    space_host: str = ""  # the name that Hugging Face gives to a Space; empty elsewhere
    cluster: Path | None = None  # the folder of a cluster's encodings; None: this process reads and answers itself
    users: Path | None = None  # the file of people and keys; None: whoever reaches the page may use it
    sign_in: HubSignIn | None = None  # with Hugging Face, on a Space; None: with a password alone
    log: LogFormat = "text"
    stop_seconds: int = 30  # that answers have to come to their end when the server is stopped

    @property
    def is_public(self) -> bool:
        """Whether others than the person at this computer may reach the page."""
        return self.host not in THIS_COMPUTER or bool(self.hosts or self.proxies or self.space_host)

    @property
    def is_open_to_strangers(self) -> bool:
        """Whether people whom nobody has let in may reach the page."""
        return self.is_public and self.users is None

    @property
    def library(self) -> Path | None:
        """The folder of the library, or of everybody's. There is none where strangers share the app."""
        return None if self.is_open_to_strangers else self.library_folder

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """The settings of this process: the environment's variables, and what the settings file adds to them."""
        return cls.from_environment(with_file(environment))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables that are set; a value that cannot be meant is an error that names it."""

        def chosen(name: str, default: int, lowest: int, highest: int) -> int:
            return _whole_number(environment, name, default, range(lowest, highest + 1))

        settings = cls(
            cache_folder=cache_folder(environment),
            model=environment.get("READONCE_MODEL", "").strip() or "embedded",
            library_folder=_library_folder(environment),
            disk_bytes=chosen("READONCE_LIBRARY_MB", 20_000, 50, 100_000_000) * MEGABYTE,
            host=environment.get("GRADIO_SERVER_NAME", "").strip() or "127.0.0.1",
            port=chosen("GRADIO_SERVER_PORT", 0, 1, 65_535) or None,
            library_bytes=chosen("READONCE_MEMORY_MB", 2_000, 50, 1_000_000) * MEGABYTE,
            file_bytes=chosen("READONCE_MAX_FILE_MB", 200, 1, 100_000) * MEGABYTE,
            linger_minutes=chosen("READONCE_LINGER_MINUTES", 10, 0, 100_000),
            hosts=tuple(_host_name(name) for name in _list(environment, "READONCE_HOSTS")),
            proxies=tuple(_network(name) for name in _list(environment, "READONCE_PROXIES")),
            space_host=environment.get("SPACE_HOST", "").strip().lower(),
            cluster=_path(environment, "READONCE_CLUSTER"),
            users=_path(environment, "READONCE_USERS"),
            sign_in=HubSignIn.from_environment(environment),
            log=_one_of(environment, "READONCE_LOG", LOG_FORMATS, "text"),
            stop_seconds=chosen("READONCE_STOP_SECONDS", 30, 0, 3_600),
        )
        library = settings.library
        usual: Precision = "int8" if library else "bfloat16"
        precision = _one_of(environment, "READONCE_PRECISION", PRECISIONS, usual)
        return replace(settings, library_folder=library, precision=precision)


def cache_folder(
    environment: Mapping[str, str], *, platform: str = sys.platform, home: Callable[[], Path] = Path.home
) -> Path:
    """READONCE_CACHE, or `readonce` in the folder where this platform keeps a user's caches."""
    if named := environment.get("READONCE_CACHE"):
        return Path(named).expanduser()
    if xdg := environment.get("XDG_CACHE_HOME"):
        return Path(xdg) / "readonce"
    if platform == "darwin":
        return home() / "Library" / "Caches" / "readonce"
    if platform == "win32" and (local := environment.get("LOCALAPPDATA")):
        return Path(local) / "readonce"
    return home() / ".cache" / "readonce"


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name, "").strip()
    return Path(text).expanduser() if text else None


def _library_folder(environment: Mapping[str, str]) -> Path | None:
    """READONCE_LIBRARY, or `readonce` in the folder where this platform keeps a user's data; None: it says off."""
    named = environment.get("READONCE_LIBRARY", "").strip()
    if named.lower() == "off":
        return None
    return Path(named).expanduser() if named else user_data_path("readonce", appauthor=False)


def _one_of(environment: Mapping[str, str], name: str, allowed: tuple[Name, ...], default: Name) -> Name:
    """The value of a variable that names one of a few things."""
    text = environment.get(name, "").strip() or default
    for one in allowed:
        if text == one:
            return one
    raise ReadonceError(
        "{name} is {text!r}, but must be one of {choices}. Correct it or unset it.",
        name=name,
        text=text,
        choices=", ".join(allowed),
    )


def _list(environment: Mapping[str, str], name: str) -> list[str]:
    """The parts of a value that has commas between them."""
    return [part.strip() for part in environment.get(name, "").split(",") if part.strip()]


def _host_name(text: str) -> str:
    name = text.lower().rstrip(".")
    if _HOST_NAME.fullmatch(name):
        return name
    raise ReadonceError(
        "READONCE_HOSTS has {text!r}, but must be host names without https:// and without a port, with commas between"
        " them, such as docs.example.com. Correct it or unset it.",
        text=text,
    )


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError as error:
        raise ReadonceError(
            "READONCE_PROXIES has {text!r}, but must be addresses or networks of your proxies, with commas between"
            " them, such as 127.0.0.1,10.0.0.0/8. Correct it or unset it.",
            text=text,
        ) from error


def _whole_number(environment: Mapping[str, str], name: str, default: int, allowed: range) -> int:
    text = environment.get(name, "").strip()
    if not text:
        return default
    if text.isdecimal() and int(text) in allowed:
        return int(text)
    raise ReadonceError(
        "{name} is {text!r}, but must be a whole number from {least:,} to {most:,}. Correct it or unset it.",
        name=name,
        text=text,
        least=allowed.start,
        most=allowed[-1],
    )
