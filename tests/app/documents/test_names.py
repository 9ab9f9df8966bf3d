"""What a foreign name leaves of a file's."""

from __future__ import annotations

import json
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.documents.names import LONGEST_NAME, file_name
from model.encoding.header import DocumentHeader
from model.encoding.schema import parse_json


@given(st.text() | st.text("a./\\\0\n\u2028\ud800", max_size=20))
def test_a_name_is_one_that_an_encoding_may_have(said: str) -> None:
    name = file_name(said)
    assert file_name(name) == name and 0 < len(name.encode()) <= LONGEST_NAME
    assert not set(name) & set("/\\\0\r\n\u2028") and name.encode()
    assert parse_json(DocumentHeader, header(name)).name == name


@given(st.from_regex(r"[\w .-]{0,9}[\w-]", fullmatch=True), st.sampled_from(["", "/", "../../", "C:\\x\\", "a/b\\"]))
def test_a_file_in_a_folder_keeps_its_own_name(name: str, folder: str) -> None:
    assert file_name(folder + name) == name
    assert name == PureWindowsPath(folder + name).name == PurePosixPath(name).name


@pytest.mark.parametrize("said", ["", "/", "a/", "..\\", ".", "..", "a/.."])
def test_a_folder_alone_has_no_name(said: str) -> None:
    assert file_name(said) == "_"


def header(name: str) -> str:
    return json.dumps({"name": name, "sha256": "0" * 64, "pages": []}, ensure_ascii=False)
