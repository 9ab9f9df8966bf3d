"""Settings: read once from the environment, and refused in words."""

import re
from pathlib import Path

import pytest

from app.settings import Settings, cache_folder
from app.settings_file import VARIABLES
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


def a_file(folder: Path, text: str) -> dict[str, str]:
    """An environment that names a settings file with this text."""
    (path := folder / "readonce.toml").write_text(text, encoding="utf-8")
    return {"READONCE_CONFIG": str(path)}


def test_a_file_sets_what_the_environment_does_not(tmp_path: Path) -> None:
    environment = a_file(
        tmp_path,
        'model = "owner/model"\nport = 8080\nhosts = ["docs.example", "b.example"]\nlibrary = "kept"\nlog = "json"\n'
        'users = "/etc/users.json"\n',
    )
    settings = Settings.load(environment | {"GRADIO_SERVER_PORT": "9090", "READONCE_MODEL": " "})
    assert (settings.model, settings.port, settings.log) == ("owner/model", 9090, "json")
    assert settings.hosts == ("docs.example", "b.example")
    assert (settings.library, settings.users) == (tmp_path / "kept", Path("/etc/users.json"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modell = 1", "'modell', which is no setting. Did you mean 'model'?"),
        ("theme = 1", "'theme', which is no setting. It may have model, cache"),
        ("port = 80.5", "port = 80.5, but must have a text"),
        ("port = true", "port = True, but must have"),
        ("port = 0", "GRADIO_SERVER_PORT is '0', but must be"),
        ("port =", "is no TOML"),
        ("[server]\nport = 1", "'server', which is no setting"),
    ],
)
def test_a_file_that_cannot_be_meant_is_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ReadonceError) as refused:
        Settings.load(a_file(tmp_path, text))
    assert words in str(refused.value)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ReadonceError, match="correct READONCE_CONFIG or unset it"):
        Settings.load({"READONCE_CONFIG": str(tmp_path / "none.toml")})


def test_the_working_folders_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_file(tmp_path, "memory_mb = 500")
    monkeypatch.chdir(tmp_path)
    assert Settings.load({}).library_bytes == 500_000_000


def test_each_setting_is_documented_once() -> None:
    usage = (Path(__file__).resolve().parents[2] / "docs" / "usage.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", usage, re.M)
    assert rows == list(VARIABLES.items())


def test_strangers_have_no_library_and_people_who_sign_in_have_one() -> None:
    public = {"GRADIO_SERVER_NAME": "0.0.0.0", "READONCE_LIBRARY": "/data"}
    assert Settings.from_environment(public).library is None
    with_users = Settings.from_environment(public | {"READONCE_USERS": "/users.json"})
    assert (with_users.library, with_users.precision, with_users.is_open_to_strangers) == (Path("/data"), "int8", False)
