"""The catalogue: what it translates, what it leaves alone, and that every language has every text."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
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
from app.serving.provider import CheckpointState
from app.sessions.pictures import Pictures
from app.web.refusals import RequestRefused
from model.answering.messages import about_file, impossible, nothing_found
from model.checkpoints.hub import _refusal
from model.checkpoints.placement import DISK, Placement
from model.errors import ReadonceError
from model.types import Intent
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
MET = ("app", "model")
ELSEWHERE = (  # these are met on the terminal, or by other programs
    "app/api", "app/bench", "app/cli", "app/cluster/__main__.py", "app/cluster/simulation.py", "app/cluster/start.py",
    "app/library/adding.py", "app/library/exchange.py", "app/library/opening.py", "app/people", "app/settings.py",
    "app/settings_file.py", "app/turns.py", "model/training",
)  # fmt: skip
NEVER_SHOWN = (  # of a stop, which is said in other words; of an address that no page asks for; or of the command line
    "Stopped ", "The document reader is closed", "The list was stopped", "There are no questions",
    "No document is chosen", "The library {} cannot be used", "A page is drawn", "A page cannot be drawn",
    "There is no page {} of this document here", "'{}' has no page", "'{}' is not a file: name a document",
    "'{}' cannot be read ({}): check the path", "Native code and its Python bindings disagree",
    "{} has {} pages and no text{}",  # in the catalogue twice: with a remark, and without
)  # fmt: skip

FIX = (
    "Answers come from PyTorch's operations instead, in about twice the time. To have native code, install a C++17"
    " compiler with OpenMP, GCC 11 or later (on Debian or Ubuntu: apt install g++)."
)
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
    receipt = "read once: 41 pages, 28,731 tokens, 12.3 s - this answer: 0.80 s, re-read: 0"
    expected = "einmal gelesen: 41 Seiten, 28.731 Token, 12,3 s - diese Antwort: 0,80 s, erneut gelesen: 0"
    assert german.text(receipt) == expected
    looked_at = german.text(f"{receipt} · looked at 312 tokens · stopped")
    assert looked_at == f"{expected} · angesehen: 312 Token · angehalten"
    assert german.text("'a.pdf' is empty (0 bytes): choose a file with content, or download it again.").startswith(
        "„a.pdf“ ist leer"
    )
    assert german.text("Something new.") == "Something new."


def errors() -> set[str]:
    """The names of our errors, whether their modules are loaded or not, but for those that HTTP answers with."""
    trees = [ast.parse(path.read_text("utf-8")) for folder in MET for path in (ROOT / folder).rglob("*.py")]
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {one.name: {ast.unparse(base).rpartition(".")[2] for base in one.bases} for one in classes}
    found = {ReadonceError.__name__}
    while more := {name for name, of in bases.items() if of & found} - found - {RequestRefused.__name__}:
        found |= more
    return found


def raised(folder: str) -> Iterator[str]:
    """The messages of our errors that the code of a folder raises, and what it tells a session; {} for what varies."""
    speakers = errors() | {"tell", "refuse", "PageError"}
    for path in sorted((ROOT / folder).rglob("*.py")):
        if path.relative_to(ROOT).as_posix().startswith(ELSEWHERE):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).rpartition(".")[2] in speakers:
                yield from templates(node.args[0], functions)


def templates(node: ast.expr, functions: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """Texts with {} for what varies in them, quoted where it is; none for anything else."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from templates(node.body, functions)
        yield from templates(node.orelse, functions)
    elif isinstance(node, ast.Call) and (function := functions.get(ast.unparse(node.func).rpartition(".")[2])):
        for one in ast.walk(function):
            if isinstance(one, ast.Return) and one.value is not None:
                yield from templates(one.value, functions)
    elif isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value)
            if isinstance(part, ast.Constant)
            else ("'{}'" if isinstance(part, ast.FormattedValue) and part.conversion == ord("r") else "{}")
            for part in node.values
        )


@pytest.mark.parametrize("folder", MET)
def test_every_error_that_the_page_can_show_is_in_the_catalogue(folder: str) -> None:
    """Of every language: the one above says that all have the same texts."""
    known = {PLACES.sub("{}", key) for key in CATALOGUES["fr"]}
    said = {text for text in raised(folder) if text.strip("{}' :.") and not text.startswith(NEVER_SHOWN)}
    assert len(said) > 40
    assert said <= known


@pytest.mark.parametrize("name", ["Ann's letter.pdf", "a; b · c.pdf", "12,345.pdf", "Page 1 of 2.txt", "it's 3 pages"])
def test_whatever_a_file_is_called_its_errors_are_translated_and_the_name_stays(
    languages: Languages, name: str
) -> None:
    german = languages.accepted("de")
    for key in CATALOGUES["de"]:
        if "{name}" in key and "({" not in key:
            values = {place.strip("{}"): "7" for place in PLACES.findall(key)} | {"name": name}
            said = key.replace("'{name}'", repr(name)).format(**values)
            shown = german.text(said)
            assert shown != said and name in shown, key


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
    assert "Stattdessen läuft das eingebaute Modell." in shown


def test_why_a_checkpoint_does_not_run_is_translated_with_its_causes(languages: Languages) -> None:
    """In the words of `model/checkpoints`; what a library said is kept."""
    french = languages.accepted("fr")
    offline = (
        "a/b cannot be fetched: the hub does not answer: timed out (check the network and the proxy), and it was never"
        " downloaded to this machine. Or use the checkpoint that needs no network: --model embedded."
    )
    banner = french.html(panels.banner(CheckpointState(phase="ready", name="embedded", notice=offline)))
    assert "le hub ne répond pas : timed out (vérifiez" in banner and "et il n'a jamais été" in banner
    assert "Le modèle intégré tourne à la place." in banner
    slow = "There is no C++ compiler for native code. " + FIX
    assert "Il n'y a pas de compilateur C++" in (shown := french.text(slow)) and "installez un compilateur" in shown
    weights = replace(CRAMPED, needed=2_000_000_000, free=1_000_000_000)
    assert french.text(f"loading a/b ({weights})") == (
        "chargement de a/b (2,0 Go de mémoire sur cpu, 1,0 Go sont libres, poids en partie sur disk : 1,5 Go)"
    )
    assert french.text(weights.remark).startswith("1,5 Go de ses poids sont sur le disque et")


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("has_token", [True, False])
def test_what_the_hub_refuses_is_translated(languages: Languages, status: int, has_token: bool) -> None:
    answer = Response(status, request=HttpRequest("GET", "https://huggingface.co/a/b"))
    for kind in (HfHubHTTPError, GatedRepoError, RepositoryNotFoundError):
        refusal = _refusal("a/b", kind("no", response=answer), has_token=has_token)
        assert refusal is not None and languages.accepted("zh").text(refusal) != refusal


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
