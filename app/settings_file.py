"""`readonce.toml`: the settings as a file, named as `VARIABLES` says. A variable of the environment goes first."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from platformdirs import user_config_path

from model.errors import ReadonceError

FILE_VARIABLE: Final = "READONCE_CONFIG"
NAME: Final = "readonce.toml"
VARIABLES: Final = MappingProxyType(
    {
        "model": "READONCE_MODEL",
        "cache": "READONCE_CACHE",
        "library": "READONCE_LIBRARY",
        "library_mb": "READONCE_LIBRARY_MB",
        "precision": "READONCE_PRECISION",
        "memory_mb": "READONCE_MEMORY_MB",
        "max_file_mb": "READONCE_MAX_FILE_MB",
        "linger_minutes": "READONCE_LINGER_MINUTES",
        "host": "GRADIO_SERVER_NAME",
        "port": "GRADIO_SERVER_PORT",
        "hosts": "READONCE_HOSTS",
        "proxies": "READONCE_PROXIES",
        "cluster": "READONCE_CLUSTER",
        "users": "READONCE_USERS",
        "hf_sign_in": "READONCE_HF_SIGN_IN",
        "log": "READONCE_LOG",
        "stop_seconds": "READONCE_STOP_SECONDS",
    }
)
"""Each setting once: its name in the file, and the variable; `docs/usage.md` says what it means."""


def with_file(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, with what the settings file says where a variable is not set or empty.

    Raises ReadonceError for a file that is named and not there, is no TOML, or has a setting that there is not.
    """
    path = settings_file(environment)
    said = {} if path is None else _read(path)
    return said | {name: value for name, value in environment.items() if value.strip() or name not in said}


def settings_file(environment: Mapping[str, str]) -> Path | None:
    """READONCE_CONFIG, else readonce.toml in the working folder, else in the user's configuration folder; or None."""
    if named := environment.get(FILE_VARIABLE, "").strip():
        return Path(named).expanduser()
    places = (Path(NAME), user_config_path("readonce", appauthor=False) / NAME)
    return next((path for path in places if path.is_file()), None)


def _read(path: Path) -> dict[str, str]:
    """Variables and their values. Paths are taken from the folder that the file lies in."""
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReadonceError(
            "The settings file {path} cannot be read ({why}): correct {variable} or unset it.",
            path=path,
            why=error.strerror,
            variable=FILE_VARIABLE,
        ) from error
    except ValueError as error:  # of TOML, or of its encoding
        raise ReadonceError("The settings file {path} is no TOML ({why}): correct it.", path=path, why=error) from error
    return {_variable(path, name): _text(path, name, value) for name, value in settings.items()}


def _variable(path: Path, name: str) -> str:
    if name in VARIABLES:
        return VARIABLES[name]
    near = difflib.get_close_matches(name, VARIABLES, n=1)
    meant = f"Did you mean {near[0]!r}?" if near else f"It may have {', '.join(VARIABLES)}."
    raise ReadonceError(
        "The settings file {path} has {name!r}, which is no setting. {fix}", path=path, name=name, fix=meant
    )


def _text(path: Path, name: str, value: Any) -> str:
    """A value as the environment would have it."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ",".join(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ReadonceError(
            "The settings file {path} has {name} = {value}, but must have a text, a whole number or a list of texts"
            " there. Correct it.",
            path=path,
            name=name,
            value=repr(value),
        )
    text = str(value)
    is_path = name in ("cache", "library", "cluster", "users") and text.lower() != "off"
    return os.fspath(path.parent.absolute() / Path(text).expanduser()) if is_path and text else text
