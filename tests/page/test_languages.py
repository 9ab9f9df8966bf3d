"""The catalogue: what it translates, what it leaves alone, and that every language has every text."""

from __future__ import annotations

import json
import re

import pytest

from app.inside.search import search
from app.languages import FOLDER, Languages
from app.page import panels
from tests.page.stand_ins import a_page, loaded

CATALOGUES = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
PLACES = re.compile(r"{\w+}")


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
    assert german.text("'a.pdf' is empty (0 bytes): choose a file with content, or download it again.").startswith(
        "„a.pdf“ ist leer"
    )
    assert german.text("Something new.") == "Something new."


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
