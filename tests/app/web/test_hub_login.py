"""Sign-in with Hugging Face, against a provider of this computer: the way there and back, and what is refused."""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import pytest

from app.languages import Languages
from app.people.directory import Directory
from app.people.logins import Logins
from app.web.gate import Gate, GateRules
from app.web.guard import Guard
from app.web.hosts import Hosts
from app.web.hub_login import BEGUN_SECONDS, COOKIE
from app.web.login_form import LoginForm
from tests.helpers.openid_provider import OpenIdProvider
from tests.helpers.space import (
    HERE,
    SPACE,
    behind,
    browser,
    consented,
    in_browser,
    person,
    query_of,
    refused,
    served,
    sign_in,
)
from tests.helpers.stand_ins import Clock

NO = ("Hugging Face did not sign you in.", 403)
NOT_BEGUN = ("not begun in this browser", 400)
NO_ANSWER = ("did not answer as it should", 502)


def test_nothing_is_asked_of_the_provider_until_somebody_signs_in(
    provider: OpenIdProvider, directory: Directory
) -> None:
    async def use(client: httpx.AsyncClient) -> httpx.Response:
        await client.get("/login")
        return await client.get("/")

    page = in_browser(served(provider, directory), use)
    assert page.status_code == 401 and '<a href="/login/huggingface">Sign in with Hugging Face</a>' in page.text
    assert provider.asked == []
    assert person(served(provider, directory), "bert").startswith("hf@bert.")
    assert provider.asked == ["/.well-known/openid-configuration", "/oauth/token", "/oauth/userinfo"]


def test_in_a_frame_the_provider_opens_in_a_window_of_its_own(provider: OpenIdProvider, directory: Directory) -> None:
    page = in_browser(served(provider, directory), lambda client: client.get("/", headers={"Sec-Fetch-Dest": "iframe"}))
    assert '<a href="/login/huggingface" target="_blank" rel="noopener">' in page.text


def test_the_cookies_are_for_this_host_and_no_script(provider: OpenIdProvider, directory: Directory) -> None:
    async def use(client: httpx.AsyncClient) -> httpx.Response:
        begun = await client.get("/login/huggingface")
        (cookie,) = begun.headers.get_list("set-cookie")
        name, _, attributes = cookie.partition("; ")
        assert name.startswith("__Host-") and begun.headers["cache-control"] == "no-store"
        assert set(attributes.split("; ")) == {"Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=600"}
        return await client.get(await consented(begun, "Ada"))

    back = in_browser(served(provider, directory), use)
    login, ended = back.headers.get_list("set-cookie")
    assert login.startswith("readonce_login=") and {"HttpOnly", "Secure"} <= set(login.split("; "))
    assert ended.startswith(f"{COOKIE}=;") and "Max-Age=0" in ended
    assert (back.status_code, back.headers["location"]) == (303, "/")


@pytest.mark.parametrize("change", ["state", "no state", "no cookie", "another browser's cookie", "later", "restart"])
def test_who_has_not_begun_here_is_refused(provider: OpenIdProvider, directory: Directory, change: str) -> None:
    clock = Clock()
    app, other = (served(provider, directory, clock=clock) for _ in range(2))

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        back = await consented(await client.get("/login/huggingface"), "Ada")
        query = query_of(back)
        if change == "state":
            back = back.replace(query["state"], query["state"][::-1])
        elif change == "no state":
            back = f"{HERE}/login/callback?code={query['code']}"
        elif change == "no cookie":
            client.cookies.clear()
        elif change == "another browser's cookie":
            async with browser(app) as another:
                await another.get("/login/huggingface")
                return await another.get(back)
        elif change == "later":
            clock.now = BEGUN_SECONDS + 2
        else:
            async with browser(other) as after:
                after.cookies = client.cookies
                return await after.get(back)
        return await client.get(back)

    assert refused(in_browser(app, use), NOT_BEGUN)
    assert "/oauth/token" not in provider.asked  # the code is not even shown


@pytest.mark.parametrize("cookie", ["", "x", "0.é", "1" * 5_000, f"99999999999.{'a' * 43}"])
def test_no_cookie_that_was_made_up_makes_it_fail(provider: OpenIdProvider, directory: Directory, cookie: str) -> None:
    headers = {"Cookie": f"{COOKIE}={cookie}".encode()}
    answer = in_browser(
        served(provider, directory), lambda client: client.get("/login/callback?state=%ff&code=x", headers=headers)
    )
    assert refused(answer, NOT_BEGUN)


def test_a_code_signs_in_once(provider: OpenIdProvider, directory: Directory) -> None:
    async def use(client: httpx.AsyncClient) -> httpx.Response:
        begun = await client.get("/login/huggingface")
        cookie = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
        back = await consented(begun, "Ada")
        assert (await client.get(back)).status_code == 303
        assert refused(await client.get(back), NOT_BEGUN)  # the browser has let the cookie go
        client.cookies.clear()
        return await client.get(back, headers=cookie)

    assert refused(in_browser(served(provider, directory), use), NO)


def test_what_the_provider_refuses_is_told_in_our_words(provider: OpenIdProvider, directory: Directory) -> None:
    answer = in_browser(served(provider, directory), lambda client: sign_in(client, ""))
    assert refused(answer, NO) and "<b>No" not in answer.text
    german = in_browser(
        served(provider, directory), lambda client: client.get("/login/callback", headers={"Accept-Language": "de"})
    )
    assert "nicht in diesem Browser begonnen" in german.text and "Mit Hugging Face anmelden" in german.text


@pytest.mark.parametrize("code", ["made-up", "", "x" * 5_000])
def test_a_code_that_the_provider_does_not_know_is_refused(
    provider: OpenIdProvider, directory: Directory, code: str
) -> None:
    async def use(client: httpx.AsyncClient) -> httpx.Response:
        state = query_of((await client.get("/login/huggingface")).headers["location"])["state"]
        return await client.get("/login/callback", params={"state": state, "code": code})

    assert refused(in_browser(served(provider, directory), use), NO)


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another's"}, {"nonce": None}, {"aud": "another-client"}, {"aud": ["another-client"]}, {"exp": 1},
        {"exp": None}, {"iss": "https://elsewhere.example"}, {"sub": "5f02"}, {"sub": ""}, {"iss": 5}, {"aud": 5},
    ],
)  # fmt: skip
def test_a_token_for_something_else_signs_nobody_in(
    provider: OpenIdProvider, directory: Directory, claims: dict[str, object]
) -> None:
    provider.claims = claims
    assert refused(in_browser(served(provider, directory), lambda client: sign_in(client, "Ada")), NO_ANSWER)
    assert directory.people().accounts == ()


@pytest.mark.parametrize(
    "found",
    [
        {"issuer": "https://elsewhere.example"},
        {"token_endpoint": "https://elsewhere.example/oauth/token"},
        {"authorization_endpoint": "https://elsewhere.example/oauth/authorize"},
        {"userinfo_endpoint": None},
    ],
)
def test_nobody_is_sent_and_no_secret_goes_elsewhere_than_to_the_provider(
    provider: OpenIdProvider, directory: Directory, found: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    provider.found = found
    answer = in_browser(served(provider, directory), lambda client: client.get("/login/huggingface"))
    assert refused(answer, NO_ANSWER) and provider.asked == ["/.well-known/openid-configuration"]
    assert "sign-in with Hugging Face: " in caplog.text  # who runs the server learns why


def test_a_provider_that_is_down_is_told_and_asked_again(provider: OpenIdProvider, directory: Directory) -> None:
    app = served(provider, directory)
    provider.is_broken = True
    assert refused(in_browser(app, lambda client: client.get("/login/huggingface")), NO_ANSWER)

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        provider.is_broken = False
        begun = await client.get("/login/huggingface")
        provider.is_broken = True
        return await client.get(await consented(begun, "Ada"))

    assert refused(in_browser(app, use), NO_ANSWER)


def test_a_provider_that_does_not_know_this_client_signs_nobody_in(
    provider: OpenIdProvider, directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.helpers.openid_provider.CLIENT_SECRET", "another")
    given = provider.environment(SPACE) | {"OAUTH_CLIENT_SECRET": "mine"}
    monkeypatch.setattr(OpenIdProvider, "environment", lambda *_: given)
    assert refused(in_browser(served(provider, directory), lambda client: sign_in(client, "Ada")), NO_ANSWER)


@pytest.mark.parametrize(
    "address",
    [
        "/login/huggingface?next=https://elsewhere.example", "/login/huggingface?redirect_uri=https://elsewhere.example",
        "/login/huggingface?_target_url=//elsewhere.example",
    ],
)  # fmt: skip
def test_nothing_that_is_asked_leads_elsewhere(provider: OpenIdProvider, directory: Directory, address: str) -> None:
    async def use(client: httpx.AsyncClient) -> httpx.Response:
        # An address is answered under any name that cannot be rebound, and still the way back is the Space's own.
        begun = await client.get(address, headers={"Host": "127.0.0.1", "X-Forwarded-Host": "elsewhere.example"})
        there = urlsplit(begun.headers["location"])
        assert f"{there.scheme}://{there.netloc}" == provider.address
        assert query_of(begun.headers["location"])["redirect_uri"] == f"{HERE}/login/callback"
        assert "elsewhere" not in begun.headers["location"]
        back = await consented(begun, "Ada")
        cookie = {"Cookie": begun.headers["set-cookie"].partition(";")[0]}
        return await client.get(f"{back}&next=https://elsewhere.example", headers=cookie)

    assert in_browser(served(provider, directory), use).headers["location"] == "/"


def test_other_sites_cannot_ask_for_it_in_the_background(provider: OpenIdProvider, directory: Directory) -> None:
    async def use(client: httpx.AsyncClient) -> httpx.Response:
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert (await client.post("/login/callback")).status_code == 404
        return await client.get("/login/huggingface", headers=headers)

    assert in_browser(served(provider, directory), use).status_code == 403 and provider.asked == []


def test_where_it_is_off_there_is_no_way_to_it(directory: Directory) -> None:
    logins = Logins(directory)
    form = LoginForm(logins, Languages(), embedded=True)
    rules = GateRules(hosts=Hosts.named(SPACE), file_bytes=1, upload_bytes=1, has_users=True)
    app = Gate(Guard(behind, directory, logins, form, "inner"), rules, Languages())

    async def use(client: httpx.AsyncClient) -> httpx.Response:
        for path in ("/login/huggingface", "/login/callback"):
            assert (await client.get(path)).status_code == 404
        return await client.get("/login")

    assert "Hugging Face" not in in_browser(app, use).text
