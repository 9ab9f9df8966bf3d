"""The conversation as Markdown: what anybody wrote is text in it, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.page.export import export
from app.sessions.conversation import Exchange
from app.sessions.session import Session
from model.types import Answer, Evidence

TODAY = date(2026, 12, 1)
READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
TRICKS = [
    "[a](javascript:alert(1))", "![x](//evil.example/y.png)", "<https://evil.example>", "see https://evil.example/now",
    "Www.evil.example", "ada@evil.example", "&lt;script&gt; &#60;b&#62;", "<b onclick=x>b</b>", "```sh\nrm\n```",
    "~~~\nx\n~~~", "    rm -rf", "\tx", "- a\n+ b\n* c", "1. a\n2) b", "Heading\n===", "Heading\n---", "> quote",
    "a | b\n-|-\n1 | 2", "~~gone~~", "# a", "a  \nb", "$x$", "[^1]: note", "[a]: //evil.example", ": meaning",
    "a\n\n\n# b", "\u2028# a", "\x0b- a", "1.5 of 3 - 2 = x",
]  # fmt: skip


def exported(question: str, answer: str, folder: Path) -> list[Token]:
    """How a Markdown reader takes a conversation of this question and answer."""
    session = Session("one")
    session.conversation.pose(question)
    (posed,) = session.conversation.exchanges
    told = Exchange(
        number=posed.number, question=question, answer=replace(Answer(question=question), text=answer), status="done"
    )
    session.conversation.update(told)
    return READER.parse(export(session, folder, TODAY).read_text("utf-8"))


def check(tokens: list[Token], *texts: str) -> None:
    kinds = [token.type.removesuffix("_open") for token in tokens if not token.type.endswith("_close")]
    assert set(kinds) <= {"heading", "paragraph", "inline"} and kinds.count("heading") == 2
    lines = [token.children or [] for token in tokens if token.type == "inline"]
    assert {child.type for line in lines for child in line} <= {"text", "softbreak"}
    said = "\n".join("".join(child.content or "\n" for child in line) for line in lines)
    assert said.split() == ["Conversation", "Saved", "on", "2026-12-01.", *" ".join(texts).split()]


@pytest.mark.parametrize("text", TRICKS)
def test_no_words_become_markup(text: str, tmp_path: Path) -> None:
    check(exported(text, text, tmp_path), text, text)


@pytest.mark.parametrize("text", TRICKS)
def test_no_words_become_an_address_that_a_reader_makes_a_link_of(text: str, tmp_path: Path) -> None:
    exported(text, text, tmp_path)
    (path,) = tmp_path.rglob("conversation.md")
    assert not re.search(r"[a-z]://|www\.|(?<!\\)@", path.read_text("utf-8"), re.IGNORECASE)


@given(text=st.text("ab1.)\\-+=:#>|`~*_[]()!<&;\"' \t\n", max_size=40))
def test_whatever_is_written_stays_text(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    check(exported("Who?", text, tmp_path_factory.mktemp("made")), "Who?", text)


def test_it_says_the_day_and_the_documents_where_words_stand_and_what_is_doubtful(tmp_path: Path) -> None:
    session = Session("one")
    found = Evidence(
        document="a.pdf", document_index=0, page=7, start=0, end=3, quote="Ada came.", score=0.9, verbatim=True
    )
    places = (found, replace(found, page=2, verbatim=False, hidden=True))
    for doubtful in (True, False):
        session.conversation.pose("Who?")
        answer = Answer(question="Who?", text="Ada", doubtful=doubtful, evidence=places)
        posed = session.conversation.exchanges[-1]
        told = replace(posed, answer=answer, sources=("key",), status="done")
        session.conversation.update(told)
    text = export(session, tmp_path, TODAY).read_text("utf-8")
    assert text.startswith(
        "# Conversation\n\nSaved on 2026-12-01.\n\nDocuments: a.pdf\n\n## Who?\n\nAda\n\nNot sure of"
    )
    assert text.count("Not sure of this answer: check it on the pages.") == 1
    assert text.count("- The answer stands in a.pdf, page 7: ") == 2
    assert text.count("- The model looked at a.pdf, page 2 (these words cannot be seen on the page): ") == 2
