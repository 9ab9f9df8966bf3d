"""The file of people: hashed passwords and keys, who is signed in, and what ends that."""

from __future__ import annotations

import asyncio
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from app.people.crowd import TooManyLogins
from app.people.directory import Directory
from app.people.logins import FAILURE_SECONDS, LOGIN_SECONDS, MOST_FAILURES, Logins
from app.people.passwords import hash_password, is_right
from app.people.values import checked_name
from model.errors import ReadonceError
from tests.helpers.awaited import awaited
from tests.helpers.command import Run
from tests.helpers.stand_ins import Clock

PASSWORD = "a lamp in the window"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "users.json"


@pytest.fixture
def directory(file: Path, clock: Clock) -> Directory:
    return Directory(file, clock=clock)


def test_neither_password_nor_key_is_in_the_file_and_only_its_owner_reads_it(directory: Directory, file: Path) -> None:
    directory.add_person("ada", PASSWORD)
    key = directory.add_key("notebook", "ada")
    text = file.read_text()
    assert "$argon2id$" in text
    assert PASSWORD not in text and key not in text and key.removeprefix("rk-") not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_key_works_for_its_person_until_it_is_removed(directory: Directory) -> None:
    directory.add_person("ada", PASSWORD)
    first, second = directory.add_key("notebook", "ada"), directory.add_key("prometheus", "")
    found = directory.people().key(first), directory.people().key(second)
    assert [(key.name, key.person, key.reads_metrics) for key in found if key] == [
        ("notebook", "ada", False),
        ("prometheus", "", True),
    ]
    directory.remove_key("notebook")
    assert directory.people().key(first) is None and directory.people().key(second) is not None
    for strange in ("", "rk-", first[:-1], first + "x", "\ud800"):
        assert directory.people().key(strange) is None


def test_a_person_goes_with_all_keys(directory: Directory) -> None:
    directory.add_person("ada", PASSWORD)
    directory.add_person("bert", PASSWORD)
    keys = directory.add_key("a", "ada"), directory.add_key("b", "bert")
    directory.remove_person("ada")
    assert [person.name for person in directory.people().persons] == ["bert"]
    assert [directory.people().key(key) is not None for key in keys] == [False, True]


def test_a_file_of_before_there_were_accounts_is_read(directory: Directory, file: Path) -> None:
    directory.add_person("ada", PASSWORD)
    said = json.loads(file.read_text())
    del said["accounts"]
    file.write_text(json.dumps(said))
    assert Directory(file).people().names == ("ada",)


def test_server_and_commands_change_the_file_one_after_the_other(file: Path) -> None:
    """Each has read the file before the others have written it; nothing is lost."""
    with ThreadPoolExecutor(8) as threads:
        changes = [threads.submit(Directory(file).admit, f"{number}", f"name{number}") for number in range(20)]
        changes += [threads.submit(Directory(file).add_key, f"key{number}", "") for number in range(20)]
        for change in changes:
            change.result()
    people = Directory(file).people()
    assert len(people.accounts) == len(people.keys) == 20


def test_an_account_keeps_its_name_and_has_no_password(directory: Directory, clock: Clock) -> None:
    ada = directory.admit("5f01", "Ada")
    assert directory.admit("5f01", "renamed") == ada and ada.name.startswith("hf@ada.")
    with pytest.raises(ReadonceError, match="has no password here"):
        directory.change_password(ada.name, PASSWORD)
    with pytest.raises(ReadonceError, match="cannot be used"):
        directory.add_person(ada.name, PASSWORD)
    for password in ("", "nobody has this password"):
        assert awaited(Logins(directory).sign_in(ada.name, password, "1.2.3.4")) is None
    logins = Logins(directory, clock=clock)
    token = logins.admit(ada)
    assert logins.person(token, directory.people()) == ada.name
    directory.remove_person(ada.name)
    assert logins.person(token, directory.people()) == ""


def test_a_running_server_follows_the_file(file: Path, clock: Clock) -> None:
    server, command = Directory(file, clock=clock), Directory(file)
    assert server.people().persons == ()
    command.add_person("ada", PASSWORD)
    clock.now += 1.0
    assert server.people().person("ada") is not None
    command.remove_person("ada")
    clock.now += 1.0
    assert server.people().person("ada") is None


@pytest.mark.parametrize("name", ["", ".", "..", "../ada", "a/b", "Ada", "a b", "-ada", "a" * 41, "ada\n", "é"])
def test_a_name_is_a_safe_name_of_a_folder(name: str, directory: Directory, file: Path) -> None:
    with pytest.raises(ReadonceError, match="cannot be used"):
        checked_name(name)
    with pytest.raises(ReadonceError, match="cannot be used"):
        directory.add_person(name, PASSWORD)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('{"persons": [{"name": "../x", "password": "x"}], "keys": []}')
    with pytest.raises(ReadonceError, match="READONCE_USERS"):
        directory.people()


def test_only_the_right_password_is_right() -> None:
    hashed = hash_password(PASSWORD)
    assert is_right(PASSWORD, hashed)
    assert not any(is_right(word, hashed) for word in ("", PASSWORD[:-1], PASSWORD.upper()))
    assert not is_right(PASSWORD, None) and not is_right("nobody has this password", None)
    assert not is_right(PASSWORD, "no hash")
    with pytest.raises(ReadonceError, match="has 5 characters"):
        hash_password("short")


def test_a_login_ends_with_its_time_a_sign_out_another_password_or_its_person(
    directory: Directory, clock: Clock
) -> None:
    directory.add_person("ada", PASSWORD)
    logins = Logins(directory, clock=clock)

    def sign_in(password: str = PASSWORD) -> str:
        token = awaited(logins.sign_in("ada", password, "1.2.3.4"))
        assert token is not None
        return token

    def person(token: str) -> str:
        clock.now += 1.0  # the file is looked at again
        return logins.person(token, directory.people())

    token = sign_in()
    assert (person(token), person(token[:-1]), person("")) == ("ada", "", "")
    logins.sign_out(token)
    assert person(token) == ""
    token = sign_in()
    clock.now += LOGIN_SECONDS + 1
    assert person(token) == ""
    token = sign_in()
    directory.change_password("ada", "another lamp")
    assert person(token) == ""
    token = sign_in("another lamp")
    directory.remove_person("ada")
    assert person(token) == ""


def test_guessing_is_slowed_for_the_one_who_guesses(directory: Directory, clock: Clock) -> None:
    directory.add_person("ada", PASSWORD)
    logins = Logins(directory, clock=clock)
    for _ in range(MOST_FAILURES):
        assert awaited(logins.sign_in("ada", "a wrong one", "6.6.6.6")) is None
    with pytest.raises(TooManyLogins):
        awaited(logins.sign_in("ada", PASSWORD, "6.6.6.6"))
    assert awaited(logins.sign_in("ada", PASSWORD, "1.2.3.4")) is not None
    clock.now += FAILURE_SECONDS + 1
    assert awaited(logins.sign_in("ada", PASSWORD, "6.6.6.6")) is not None


def test_who_tries_many_at_once_keeps_nobody_else_out(directory: Directory) -> None:
    directory.add_person("ada", PASSWORD)
    logins = Logins(directory)

    async def tried() -> list[Any]:
        many = (logins.sign_in(f"name{number}", "guess", "6.6.6.6") for number in range(12))
        return await asyncio.gather(*many, logins.sign_in("ada", PASSWORD, "1.2.3.4"), return_exceptions=True)

    *guesses, ada = awaited(tried())
    assert isinstance(ada, str)
    assert [type(one) for one in guesses if one is not None] == [TooManyLogins] * 4
    assert awaited(logins.sign_in("ada", PASSWORD, "6.6.6.6")) is not None  # nothing of it is left


def test_the_commands_add_list_and_remove(
    command: Run, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("READONCE_USERS", str(file))
    (line := tmp_path / "line").write_text(f"{PASSWORD}\n")
    with line.open() as typed:
        monkeypatch.setattr("sys.stdin", typed)
        assert command("user", "add", "ada").status == 0
    assert command("user", "list").out == "ada\n"
    added = command("key", "add", "notebook", "--user", "ada")
    person = Directory(file).people().key(added.out.strip())
    assert person is not None and person.person == "ada"
    assert command("key", "add", "prometheus", "--metrics").status == 0
    listed = command("key", "list").out
    assert "notebook  ada" in listed and "prometheus  (metrics)" in listed and added.out.strip() not in listed
    assert command("key", "remove", "notebook").status == 0
    assert command("user", "remove", "ada").status == 0
    refused = command("user", "remove", "ada")
    assert refused.status == 2 and "There is no user 'ada'" in refused.err
    monkeypatch.delenv("READONCE_USERS")
    assert "READONCE_USERS is not set" in command("key", "list").err
