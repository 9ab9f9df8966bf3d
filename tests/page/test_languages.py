"""The catalogue: what it translates, what it leaves alone, and that every language has every text."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.inside.search import search
from app.languages import FOLDER, Languages
from app.page import panels
from app.page.checkpoint_choice import CheckpointState
from tests.page.stand_ins import a_page, loaded

CATALOGUES = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
PLACES = re.compile(r"{\w*}")
ROOT = Path(__file__).resolve().parents[2]
SAID = (
    "app/documents",
    "app/inside",
    "app/page",
    "app/questions.py",
    "app/sessions",
    "model/engine.py",
    "model/questions.py",
)
NEVER_SHOWN = (  # of a stop, which is said in other words; or through no fault of the person's
    "Stopped ", "The document reader is closed", "A page cannot be drawn", "The list was stopped",
    "a worker may not", "There are no questions", "No document is chosen", "'{}' is not a file", "'{}' cannot be read",
    "'{}' has no page",
)  # fmt: skip


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages()


def test_all_languages_have_the_same_texts_with_the_same_places() -> None:
    assert set(CATALOGUES) == {"fr", "de", "es", "zh"}
    for catalogue in CATALOGUES.values():
        assert catalogue.keys() == CATALOGUES["fr"].keys()
        for key, text in catalogue.items():
            assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(key)), key


@pytest.mark.parametrize(
    ("header", "code"), [("de-CH,de;q=0.9", "de"), ("nl,fr;q=0.5", "fr"), ("zh-CN", "zh"), ("nl", "en"), ("", "en")]
)
def test_the_browser_chooses_the_language(languages: Languages, header: str, code: str) -> None:
    assert languages.accepted(header).code == code


def test_receipts_and_errors_are_translated_with_their_figures(languages: Languages) -> None:
    german = languages.accepted("de")
    receipt = "read once: 41 pages, 28,731 tokens, 12.3 s - this answer: 0.80 s, re-read: 0"
    expected = "einmal gelesen: 41 Seiten, 28,731 Token, 12.3 s - diese Antwort: 0.80 s, erneut gelesen: 0"
    assert german.text(receipt) == expected
    looked_at = german.text(f"{receipt} · looked at 312 tokens · stopped")
    assert looked_at == f"{expected} · angesehen: 312 Token · angehalten"
    assert german.text("'a.pdf' is empty (0 bytes): choose a file with content, or download it again.").startswith(
        "„a.pdf“ ist leer"
    )
    assert german.text("Something new.") == "Something new."


def raised(folder: str) -> Iterator[str]:
    """The messages of the errors that the code of a folder raises, and what it tells a session; {} for what varies."""
    top = ROOT / folder
    for path in [top] if top.is_file() else sorted(top.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""
            if name.endswith("Error") or name in ("PasswordNeeded", "tell", "refuse"):
                yield template(node.args[0]) if node.args else ""


def template(node: ast.expr) -> str:
    """A text with {} for what varies in it, quoted where it is; empty for anything else."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if not isinstance(node, ast.JoinedStr):
        return ""
    quoted = ord("r")
    return "".join(
        str(part.value)
        if isinstance(part, ast.Constant)
        else ("'{}'" if isinstance(part, ast.FormattedValue) and part.conversion == quoted else "{}")
        for part in node.values
    )


@pytest.mark.parametrize("folder", SAID)
def test_every_error_that_the_page_can_show_is_in_the_catalogue(folder: str) -> None:
    known = {PLACES.sub("{}", key) for key in CATALOGUES["fr"]}
    said = {text for text in raised(folder) if text.strip("{}' ") and not text.startswith(NEVER_SHOWN)}
    assert said <= known


def test_a_text_with_a_semicolon_is_translated_as_one(languages: Languages) -> None:
    german = languages.accepted("de")
    assert german.text("The list has 501 questions; the limit is 500 at once. Ask the first ones, then the rest.") == (
        "Die Liste hat 501 Fragen; höchstens 500 auf einmal. Stellen Sie die ersten, dann den Rest."
    )
    assert "Ein Dokument wird einmal gelesen" in german.html(panels.documents([], [], ""))
    assert german.text("'a.exe' is a Windows program, not a document. These can be read: PDF.") == (
        "„a.exe“ ist ein Windows-Programm, kein Dokument. Lesbar sind: PDF."
    )


def test_the_banner_is_translated_and_the_name_stays(languages: Languages) -> None:
    loading = CheckpointState(
        phase="loading", name="starting", stage="merging the adapter (first start only)", fraction=0.5, notice="Why."
    )
    shown = languages.accepted("de").html(panels.banner(loading))
    assert '<strong translate="no">starting</strong>' in shown
    assert "wird geladen: der Adapter wird eingerechnet (nur beim ersten Start), 50%" in shown
    assert "Why. Stattdessen läuft das eingebaute Modell." in shown


def test_panels_are_translated_and_foreign_text_stays(languages: Languages) -> None:
    document = loaded("Forget everything")
    html = languages.accepted("fr").html(panels.documents([document], [document], ""))
    assert ">Tout oublier</button>" in html
    assert '<span class="name" translate="no">Forget everything</span>' in html
    assert "1 page · 10 tokens" in html
    assert 'aria-label="Oublier Forget everything"' in html


def test_english_is_left_as_it_is(languages: Languages) -> None:
    assert languages.accepted("en").html("<p>Ask</p>") == "<p>Ask</p>"


def test_the_other_tabs_are_translated_too(languages: Languages) -> None:
    german = languages.accepted("de")
    document = loaded("Answers", a_page(1, "The lamp is lit. Answers"))
    html = german.html(panels.page_text(document, 1) + panels.hits(search([document.document], "answers")))
    assert "Was das Modell sah" in html
    assert "1 Stelle mit „answers“" in html
    assert '<mark translate="no">Answers</mark>' in html
    assert german.text("3 of 12 answers · stopped") == "3 von 12 Antworten · angehalten"
    assert german.text("The list has 0 questions. Write one a line.").startswith("Die Liste hat 0 Fragen")
