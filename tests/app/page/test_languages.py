"""The catalogue: what it translates, what it leaves alone, and that every language has every text."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from httpx import Request as HttpRequest
from httpx import Response
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from app.captions import Caption, Request
from app.languages import FOLDER, Languages
from app.overview.search import search
from app.page import panels
from app.provenance import Noun, counted, megabytes, receipt, seconds
from app.serving.provider import CheckpointState
from app.sessions.pictures import Pictures
from model.answering.messages import about_file, impossible, nothing_found
from model.checkpoints.hub import _obstacle, _refusal
from model.checkpoints.placement import DISK, Placement
from model.errors import KernelError, Message
from model.kernels import build
from model.types import Answer, Intent
from tests.helpers.stand_ins import CountedImages, a_page, loaded

CATALOGUES = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
PLACES = re.compile(r"{\w*}")
ROOT = Path(__file__).resolve().parents[3]
FIXED = {  # the texts of components
    node.args[0].value
    for path in (ROOT / "app" / "page").rglob("*.py")
    for node in ast.walk(ast.parse(path.read_text("utf-8")))
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "say" and isinstance(node.args[0], ast.Constant)
}
CRAMPED = Placement(
    device=torch.device("cpu"), dtype=torch.float32, needed=0, free=0, offloaded={"layer": DISK},
    offloaded_bytes=1_500_000_000,
)  # fmt: skip


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages()


def test_all_languages_have_the_same_texts_with_the_same_places() -> None:
    assert set(CATALOGUES) == {"fr", "de", "es", "zh", "ar"}
    for code, catalogue in CATALOGUES.items():
        assert catalogue.keys() == CATALOGUES["fr"].keys() >= FIXED
        for key, text in catalogue.items():
            if isinstance(text, str) and code != "ar":
                assert sorted(PLACES.findall(text)) == sorted(PLACES.findall(key)), key
            else:  # one, two: the word says it
                forms = [text] if isinstance(text, str) else text.values()
                assert all(set(PLACES.findall(form)) <= set(PLACES.findall(key)) for form in forms), key


def test_numbers_and_plurals_are_the_language_s_own(languages: Languages) -> None:
    assert languages.accepted("de").text("94,182 tokens") == "94.182 Token"
    assert languages.accepted("fr").text("94,182 tokens") == "94\u202f182 tokens"
    assert languages.accepted("de").text("1.4 MB") == "1,4 MB"
    assert languages.accepted("fr").text("1 page · 1.4 MB") == "1 page · 1,4 Mo"
    arabic = languages.accepted("ar")
    assert [arabic.text(f"{n} pages") for n in (2, 3, 12)] == ["صفحتان", "3 صفحات", "12 صفحة"]
    assert (arabic.direction, languages.accepted("de").direction) == ("rtl", "ltr")


def test_a_name_that_is_a_number_stays_as_it_is(languages: Languages) -> None:
    german = languages.accepted("de")
    assert german.text("Forget 1,234.5") == "1,234.5 vergessen"
    assert german.text("Page 1234") == "Seite 1234"


@pytest.mark.parametrize(
    ("header", "code"), [("de-CH,de;q=0.9", "de"), ("nl,fr;q=0.5", "fr"), ("zh-CN", "zh"), ("nl", "en"), ("", "en")]
)
def test_the_browser_chooses_the_language(languages: Languages, header: str, code: str) -> None:
    assert languages.accepted(header).code == code


def test_receipts_and_errors_are_translated_with_their_figures(languages: Languages) -> None:
    german = languages.accepted("de")
    read = loaded("a.pdf", *(a_page(number, "one") for number in range(1, 42)), tokens=28_731).encoded
    said = receipt([read], Answer(question="?", seconds=0.8, shown_tokens=312))
    assert said == (
        "read once: 41 pages, 28,731 tokens, 12.3 s - this answer: 0.80 s, re-read: 0 · looked at 312 tokens"
    )
    expected = "einmal gelesen: 41 Seiten, 28.731 Token, 12,3 s - diese Antwort: 0,80 s, erneut gelesen: 0"
    assert german.message(said) == f"{expected} · angesehen: 312 Token"
    assert "صفحتان" in languages.accepted("ar").message(counted(2, "page"))
    assert [languages.accepted("fr").message(one) for one in (seconds(125), megabytes(1_400_000))] == [
        "2 min 5 s", "1,4 Mo",
    ]  # fmt: skip
    empty = Message("{name!r} is empty (0 bytes): choose a file with content, or download it again.", name="a.pdf")
    assert german.message(empty).startswith("„a.pdf“ ist leer")
    assert german.text("Something new.") == "Something new."


def test_every_counted_noun_is_in_every_catalogue() -> None:
    keys = {counted(number, noun).key for noun in get_args(Noun) for number in (1, 2)}
    assert len(keys) == 2 * len(get_args(Noun)) and all(keys <= catalogue.keys() for catalogue in CATALOGUES.values())


def test_a_text_with_a_semicolon_is_translated_as_one(languages: Languages) -> None:
    german = languages.accepted("de")
    assert "Ein Dokument wird einmal gelesen" in german.html(panels.documents([], [], ""))


def test_the_banner_is_translated_and_the_name_stays(languages: Languages) -> None:
    stage = Message("merging the adapter (first start only)")
    loading = CheckpointState(phase="loading", name="starting", stage=stage, fraction=0.5, notice=Message("Why."))
    german = languages.accepted("de")
    shown = german.html(panels.banner(loading, german))
    assert '<strong translate="no">starting</strong>' in shown
    assert "wird geladen: der Adapter wird eingerechnet (nur beim ersten Start), 50%" in shown
    assert "Stattdessen läuft das eingebaute Modell." in shown


def test_why_a_checkpoint_does_not_run_is_translated_with_its_causes(languages: Languages) -> None:
    """In the words of `model/checkpoints`; what a library said is kept."""
    french = languages.accepted("fr")
    offline = Message(
        "{name} cannot be fetched: {reason}, and {found}. Or use the checkpoint that needs no network: --model"
        " embedded.",
        name="a/b",
        reason=_obstacle(TimeoutError("timed out")),
        found=Message("it was never downloaded to this machine"),
    )
    banner = panels.banner(CheckpointState(phase="ready", name="embedded", notice=offline), french)
    assert "le hub ne répond pas : timed out (vérifiez" in banner and "et il n&#x27;a jamais été" in banner
    assert "Le modèle intégré tourne à la place." in french.html(banner)
    slow = KernelError("There is no C++ compiler for native code. {fix}", fix=build._FIX)
    assert "Il n'y a pas de compilateur C++" in (shown := french.message(slow.message))
    assert "installez un compilateur" in shown
    weights = replace(CRAMPED, needed=2_000_000_000, free=1_000_000_000)
    assert french.message(Message("loading {name} ({where})", name="a/b", where=weights.message)) == (
        "chargement de a/b (2,0 Go de mémoire sur cpu, 1,0 Go sont libres, poids en partie sur disk : 1,5 Go)"
    )
    assert french.message(weights.remark).startswith("1,5 Go de ses poids sont sur le disque et")


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("has_token", [True, False])
def test_what_the_hub_refuses_is_translated(languages: Languages, status: int, has_token: bool) -> None:
    answer = Response(status, request=HttpRequest("GET", "https://huggingface.co/a/b"))
    for kind in (HfHubHTTPError, GatedRepoError, RepositoryNotFoundError):
        refusal = _refusal("a/b", kind("no", response=answer), has_token=has_token)
        assert refusal is not None and languages.accepted("zh").message(refusal.message) != str(refusal)


def test_captions_are_translated_and_what_stands_in_the_picture_is_not(languages: Languages) -> None:
    german = languages.accepted("de")
    named = "Probably crossword puzzle (97%), mostly white, with the writing “Answer; · Page 1 of 2”"
    said = Caption(document="a.png", request=Request(task="caption"), by="image tags", text=named, ours=named)
    unread = "(2 places with writing could not be read.)"
    text = f"Answer\n{unread}"
    read = Caption(document="a.png", request=Request(task="read"), by="text recognition", text=text, ours=unread)
    html = german.html(panels.captions("a.png", Pictures(CountedImages()), [said, read]))
    assert (
        "<p>Wahrscheinlich crossword puzzle (97%), überwiegend weiß, mit dem Text „Answer; · Page 1 of 2“</p>" in html
    )
    unknown = "I don't recognise what is in this picture, which is mostly blue."
    assert german.text(unknown) == "Ich erkenne nicht, was auf diesem Bild ist, das überwiegend blau ist."
    assert '<p translate="no">Answer</p><p>(2 Stellen mit Text konnten nicht gelesen werden.)</p>' in html


def test_what_is_said_in_place_of_an_answer_is_translated(languages: Languages) -> None:
    said = {impossible(intent) or nothing_found(intent) for intent in get_args(Intent)}
    assert all(said <= catalogue.keys() for catalogue in CATALOGUES.values())
    document = loaded("a.pdf", a_page(1, "one two three")).document
    assert languages.accepted("de").text(about_file(document)) == "a.pdf hat 1 Seite und 3 Wörter"


def test_panels_are_translated_and_foreign_text_stays(languages: Languages) -> None:
    document = loaded("Forget everything")
    html = languages.accepted("fr").html(panels.documents([document], [document], ""))
    assert ">Tout oublier</button>" in html
    assert '<span class="name" translate="no" dir="auto">Forget everything</span>' in html
    assert "1 page · 10 tokens" in html
    assert 'aria-label="Oublier Forget everything"' in html


def test_english_is_left_as_it_is(languages: Languages) -> None:
    assert languages.accepted("en").html("<p>Ask</p>") == "<p>Ask</p>"


def test_the_other_tabs_are_translated_too(languages: Languages) -> None:
    german = languages.accepted("de")
    document = loaded("Answers", a_page(1, "The lamp is lit. Answers"))
    html = german.html(panels.page_text(document, 1) + panels.hits(search([document.document], "answers")))
    assert "Gelesener Text dieser Seite" in html
    assert "1 Stelle mit „answers“" in html
    assert '<mark translate="no">Answers</mark>' in html
    assert german.text("3 of 12 answers · stopped") == "3 von 12 Antworten · angehalten"
    assert german.text("The list has 0 questions. Write one a line.").startswith("Die Liste hat 0 Fragen")
