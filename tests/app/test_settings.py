"""Settings: read once from the environment, and refused in words."""

from pathlib import Path

import pytest

from app.settings import Settings, cache_folder
from model.errors import ReadonceError


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environment({})
    assert (settings.model, settings.host, settings.port) == ("embedded", "127.0.0.1", None)


def test_what_is_set_counts() -> None:
    environment = {
        "READONCE_MODEL": "owner/model",
        "READONCE_CACHE": "/somewhere",
        "GRADIO_SERVER_NAME": "0.0.0.0",
        "GRADIO_SERVER_PORT": "8080",
        "READONCE_MEMORY_MB": "500",
        "READONCE_PRECISION": "int8",
        "READONCE_LINGER_MINUTES": "3",
        "READONCE_MAX_FILE_MB": "20",
    }
    settings = Settings.from_environment(environment)
    assert settings == Settings(
        cache_folder=Path("/somewhere"),
        model="owner/model",
        host="0.0.0.0",
        port=8080,
        library_bytes=500_000_000,
        precision="int8",
        file_bytes=20_000_000,
        linger_minutes=3,
    )


def test_a_precision_that_there_is_not_is_named() -> None:
    with pytest.raises(ReadonceError, match="READONCE_PRECISION is 'int4', but must be one of float32, bfloat16, int8"):
        Settings.from_environment({"READONCE_PRECISION": "int4"})


@pytest.mark.parametrize("value", ["many", "-1", "0", "70000", "80.5"])
def test_a_value_that_cannot_be_meant_is_named(value: str) -> None:
    with pytest.raises(ReadonceError, match=f"GRADIO_SERVER_PORT is '{value}', but must be .* 1 to 65,535"):
        Settings.from_environment({"GRADIO_SERVER_PORT": value})


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({"READONCE_CACHE": "/c", "XDG_CACHE_HOME": "/x"}, "linux", "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "linux", "/x/readonce"),
        ({}, "linux", "/home/p/.cache/readonce"),
        ({}, "darwin", "/home/p/Library/Caches/readonce"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/readonce"),
    ],
)
def test_the_cache_lies_where_the_platform_keeps_caches(
    environment: dict[str, str], platform: str, expected: str
) -> None:
    assert cache_folder(environment, platform=platform, home=lambda: Path("/home/p")) == Path(expected)
