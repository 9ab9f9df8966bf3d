"""Accounts of Hugging Face as people of this server: who may enter, as whom, and that nobody is taken for another."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from app.people.directory import Directory
from tests.helpers.awaited import PATIENCE, awaited
from tests.helpers.browser import running_app
from tests.helpers.openid_provider import OpenIdProvider, account
from tests.helpers.space import SPACE, consented, in_browser, person, refused, served, sign_in


def test_an_account_is_one_person_in_whatever_browser_and_signs_out(
    provider: OpenIdProvider, directory: Directory
) -> None:
    app = served(provider, directory)
    ada = person(app, "Ada")
    assert person(app, "Ada") == ada != person(app, "bert")
    assert [one.subject for one in directory.people().accounts] == ["5f01", "5f02"]

    async def leave(client: httpx.AsyncClient) -> httpx.Response:
        await sign_in(client, "Ada")
        assert ada in (await client.get("/login")).text
        out = await client.post("/logout")
        assert (out.status_code, out.headers["location"]) == (303, "/")
        assert "readonce_login" not in client.cookies
        return await client.get("/config")

    assert in_browser(app, leave).status_code == 401


def test_a_key_works_for_an_account_and_who_is_removed_is_out_at_once(
    provider: OpenIdProvider, directory: Directory
) -> None:
    app = served(provider, directory)

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        await sign_in(client, "Ada")
        ada = (await client.get("/config")).json()["person"]
        bearer = {"Authorization": f"Bearer {directory.add_key('notebook', ada)}"}
        assert (await client.get("/config", headers=bearer)).json()["person"] == ada
        directory.remove_person(ada)
        assert (await client.get("/config", headers=bearer)).status_code == 401
        return await client.get("/config")

    assert in_browser(app, use).status_code == 401


@pytest.mark.parametrize(
    ("allowed", "entered"),
    [("*", {"Ada", "bert"}), ("ada", {"Ada"}), ("BERT, clara", {"bert"}), ("acme", {"Ada"}), ("ada-admin", set())],
)
def test_who_may_enter_is_named_by_account_or_organisation(
    provider: OpenIdProvider, directory: Directory, allowed: str, entered: set[str]
) -> None:
    """Never by a display name, which anybody may choose: that of all organisations here is "acme"."""
    provider.accounts["bert"]["orgs"] = [{"sub": "org-x", "name": "acme", "preferred_username": "another"}]
    app = served(provider, directory, allowed)
    assert {name for name in provider.accounts if person(app, name)} == entered
    for name in provider.accounts.keys() - entered:
        answer = in_browser(app, lambda client, name=name: sign_in(client, name))  # type: ignore[misc]
        assert refused(answer, (f"The account '{name.lower()}' may not use this server.".replace("'", "&#x27;"), 403))


def test_an_account_is_nobody_of_the_file_of_users(provider: OpenIdProvider, directory: Directory) -> None:
    """Its name cannot be anybody's there, and no password is an account's."""
    directory.add_person("ada", "a lamp in the window")
    app = served(provider, directory)
    name = person(app, "Ada")
    assert name.startswith("hf@ada.") and name != "ada"
    for password in ("", "nobody has this password", "5f01"):
        form = {"name": name, "password": password}
        answer = in_browser(app, lambda client, form=form: client.post("/login", data=form))  # type: ignore[misc]
        assert answer.status_code == 401


def test_who_takes_over_a_name_gets_nothing_of_who_had_it(provider: OpenIdProvider, directory: Directory) -> None:
    app = served(provider, directory)
    first = person(app, "Ada")
    provider.accounts = {"ada-now": account("ada-now", "5f01"), "Ada": account("Ada", "6666")}
    assert person(app, "ada-now") == first  # the account was renamed: its library stays its own
    assert person(app, "Ada") not in ("", first)
    directory.remove_person(first)
    assert person(app, "Ada") != first


@pytest.mark.parametrize("username", ["..", "../ada", "a/b", "", "-", "a b", "é", "a" * 200, "ada\n"])
def test_a_name_that_no_folder_can_have_is_refused(
    provider: OpenIdProvider, directory: Directory, username: str
) -> None:
    provider.accounts["bert"]["preferred_username"] = username
    answer = in_browser(served(provider, directory), lambda client: sign_in(client, "bert"))
    assert answer.status_code in (403, 502) and directory.people().accounts == ()


def signed_in(client: httpx.Client, name: str) -> None:
    """Sign in at a real server behind a Space's proxy. A client keeps no cookie for TLS where there is none."""
    begun = client.get("/login/huggingface")
    back = awaited(consented(begun, name)).removeprefix(f"https://{SPACE}")
    client.headers["Cookie"] = begun.headers["set-cookie"].partition(";")[0]
    (login, _) = client.get(back).headers.get_list("set-cookie")
    client.headers["Cookie"] = login.partition(";")[0]


def test_each_account_has_a_library_of_its_own(provider: OpenIdProvider, tiny_folder: Path, tmp_path: Path) -> None:
    """On the real server: what one account has, another sees nothing of."""
    settings = provider.environment(SPACE) | {
        "READONCE_HF_SIGN_IN": "*",
        "READONCE_USERS": str(tmp_path / "users.json"),
        "READONCE_LIBRARY": str(tmp_path / "library"),
        "OMP_NUM_THREADS": "1",
    }
    proxied = {"Host": SPACE, "X-Forwarded-Proto": "https"}
    with (
        running_app(tmp_path / "log.txt", "--model", str(tiny_folder), **settings) as address,
        httpx.Client(base_url=address, headers=proxied, timeout=PATIENCE) as ada,
        httpx.Client(base_url=address, headers=proxied, timeout=PATIENCE) as bert,
    ):
        assert provider.asked == []
        assert ada.get("/config").status_code == 401
        signed_in(ada, "Ada")
        signed_in(bert, "bert")
        sent = {"file": ("letter.txt", b"The lamp will be lit on Friday."), "purpose": (None, "user_data")}
        file = ada.post("/v1/files", files=sent).json()["id"]
        assert [one["id"] for one in ada.get("/v1/files").json()["data"]] == [file]
        assert bert.get("/v1/files").json()["data"] == []
        assert bert.get(f"/v1/files/{file}/content").status_code == 404
        folders = sorted((tmp_path / "library" / "people").iterdir())
        assert [re.sub("[0-9a-f]{6}$", "", one.name) for one in folders] == ["hf@ada.", "hf@bert."]
        assert [len(list((one / "files").iterdir())) for one in folders] == [1, 0]
        assert all(one.stat().st_mode & 0o077 == 0 for one in folders)
        secret = settings["OAUTH_CLIENT_SECRET"]
        assert all(secret not in client.get("/config").text for client in (ada, bert))
    assert secret not in (tmp_path / "log.txt").read_text()
