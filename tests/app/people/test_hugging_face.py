"""Sign-in with Hugging Face as a setting: off until it is asked for, and refused in words where it cannot work."""

from __future__ import annotations

import pytest

from app.people.hugging_face import HubSignIn, Identity
from model.errors import ReadonceError

GIVEN = {
    "OAUTH_CLIENT_ID": "a-client",
    "OAUTH_CLIENT_SECRET": "hf_app_secret",
    "OPENID_PROVIDER_URL": "https://huggingface.co/",
    "SPACE_HOST": "Ada-readonce.hf.space",
    "READONCE_USERS": "/data/users.json",
}


def chosen(names: str, **others: str) -> HubSignIn | None:
    return HubSignIn.from_environment(GIVEN | {"READONCE_HF_SIGN_IN": names} | others)


@pytest.mark.parametrize("names", ["", " ", ","])
def test_what_the_platform_gives_alone_opens_nothing(names: str) -> None:
    assert HubSignIn.from_environment(GIVEN) is None and chosen(names) is None


def test_names_are_compared_in_small_letters_and_no_secret_is_shown() -> None:
    sign_in = chosen("Ada, ACME")
    assert sign_in is not None and sign_in.allowed == {"ada", "acme"}
    assert (sign_in.provider, sign_in.space_host) == ("https://huggingface.co", "ada-readonce.hf.space")
    assert "hf_app_secret" not in repr(sign_in)
    bert = Identity(subject="1", username="bert")
    member = Identity(subject="1", username="bert", organisations=frozenset({"acme"}))
    everyone = chosen("*")
    assert everyone is not None
    assert (sign_in.allows(bert), sign_in.allows(member), everyone.allows(bert)) == (False, True, True)


@pytest.mark.parametrize("names", ["ada,*", "a b", "huggingface.co/ada", "@ada", "**"])
def test_names_that_cannot_be_meant_are_named(names: str) -> None:
    with pytest.raises(ReadonceError, match=r"READONCE_HF_SIGN_IN has '.*', but must be names"):
        chosen(names)


@pytest.mark.parametrize("missing", GIVEN)
def test_what_is_missing_is_named(missing: str) -> None:
    with pytest.raises(ReadonceError, match=f"READONCE_HF_SIGN_IN is set, but {missing} is not"):
        chosen("*", **{missing: " "})


@pytest.mark.parametrize("address", ["http://huggingface.co", "huggingface.co", "https://", "ftp://127.0.0.1"])
def test_the_secret_goes_over_tls_only(address: str) -> None:
    with pytest.raises(ReadonceError, match=r"OPENID_PROVIDER_URL is '.*', but must be an address"):
        chosen("*", OPENID_PROVIDER_URL=address)
