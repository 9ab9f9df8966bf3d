"""Messages in other languages: each is a template and its values, every catalogue has it, and a name stays as it is."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from app.documents import formats
from app.languages import END_OF_ISOLATE, FOLDER, ISOLATE, Language, Languages
from app.web.refusals import RequestRefused
from model.errors import PLACE, DocumentError, Message, ReadonceError, raise_if_cancelled
from model.kernels import build

ROOT = Path(__file__).resolve().parents[3]
CATALOGUES = {path.stem: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.json")}
PLACES = re.compile(r"{\w*}")
MET = ("app", "model")
TREES = {path: ast.parse(path.read_text("utf-8")) for folder in MET for path in sorted((ROOT / folder).rglob("*.py"))}
ELSEWHERE = (  # these are met on the terminal, or by other programs
    "app/api", "app/bench", "app/cli", "app/cluster/__main__.py", "app/cluster/simulation.py", "app/cluster/start.py",
    "app/library/adding.py", "app/library/exchange.py", "app/library/opening.py", "app/people", "app/settings.py",
    "app/settings_file.py", "app/turns.py", "model/training",
)  # fmt: skip
NEVER_SHOWN = (  # of a stop, which is said in other words; of an address that no page asks for; or of the command line
    "Stopped ", "The document reader is closed", "The list was stopped", "There are no questions",
    "No document is chosen", "The library {folder} cannot be used", "A page is drawn", "A page cannot be drawn",
    "There is no page {number} of this document here", "'{name}' has no page", "'{path}' is not a file: name a",
    "'{path}' cannot be read ({why}): check the path", "Native code and its Python bindings disagree",
)  # fmt: skip


@pytest.fixture(scope="module")
def languages() -> Languages:
    return Languages()


def errors() -> set[str]:
    """The names of our errors, whether their modules are loaded or not."""
    classes = [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    bases = {one.name: {ast.unparse(base).rpartition(".")[2] for base in one.bases} for one in classes}
    found = {ReadonceError.__name__}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


SPEAKERS = errors() | {Message.__name__, "tell", "_refuse", raise_if_cancelled.__name__}


def told(path: Path) -> Iterator[tuple[ast.Call, list[ast.expr]]]:
    """Where a file makes a message for people: the call, and the templates that it may have."""
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Call) and node.args and (name := called(node)) in SPEAKERS:
            template = node.args[1 if name == raise_if_cancelled.__name__ else 0]
            yield node, [template.body, template.orelse] if isinstance(template, ast.IfExp) else [template]


def called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def raised(folder: str) -> Iterator[Message]:
    """The templates of what the code of a folder may show on the page."""
    for path in TREES:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(f"{folder}/") and not name.startswith(ELSEWHERE):
            for call, templates in told(path):
                for one in templates:
                    if isinstance(one, ast.Constant) and called(call) != RequestRefused.__name__:
                        yield Message(one.value)


def test_a_message_is_a_template_and_each_of_its_places_has_a_value() -> None:
    """And none is made of a text that has been filled in already."""
    for call, templates in itertools.chain.from_iterable(map(told, TREES)):
        given = {keyword.arg for keyword in call.keywords}
        for one in templates:
            assert not isinstance(one, (ast.JoinedStr, ast.BinOp)) and ast.unparse(one) != "str(error)"
            if isinstance(one, ast.Constant):
                places = {place["name"] for place in PLACE.finditer(one.value)}
                assert places == given - ({"status", "code"} - places), ast.unparse(call)


@pytest.mark.parametrize("folder", MET)
def test_every_error_that_the_page_can_show_is_in_every_catalogue(folder: str) -> None:
    said = {one.key for one in raised(folder) if not one.key.startswith(NEVER_SHOWN)}
    assert len(said) > 40
    for catalogue in CATALOGUES.values():
        assert said <= catalogue.keys()


def test_what_a_file_is_and_what_to_do_about_it_is_in_every_catalogue() -> None:
    kinds = {*formats._FOREIGN.values(), *formats._IWORK.values(), *itertools.chain(*formats._OLE_KINDS.values())}
    for catalogue in CATALOGUES.values():
        assert kinds | {formats.READABLE, build._FIX, build._INSTEAD} <= catalogue.keys()


@pytest.mark.parametrize("code", CATALOGUES)
@pytest.mark.parametrize(
    "name",
    [
        "Ann's letter.pdf",
        'a "b".pdf',
        "a; b · c.pdf",
        "12,345.pdf",
        "Page 1 of 2.txt",
        "Ask",
        "{x} {n} {name}.pdf",
        "é.b",
    ],
)
def test_whatever_a_file_is_called_what_is_said_of_it_is_translated_and_the_name_stays(
    languages: Languages, code: str, name: str
) -> None:
    language = languages.accepted(code)
    for key in CATALOGUES["de"]:
        if "{name}" in key and "({" not in key:
            values = {place.strip("{}"): "7" for place in PLACES.findall(key)} | {"name": name}
            said = Message(key.replace("'{name}'", "{name!r}"), **values)
            shown = language.message(said)
            assert shown != said and name in shown and name in unescape(language.html(language.markup(said))), key


def test_numbers_in_a_message_are_the_language_s_own_and_those_in_a_name_stay(languages: Languages) -> None:
    said = DocumentError(
        "{name!r} has {width:,} x {height:,} = {pixels:,.0f} million pixels, and {limit:,.0f} million is the limit:"
        " scale it down or crop it.",
        name="1,234.5",
        width=94_182,
        height=1_200,
        pixels=113_018_400 / 1e4,
        limit=178.9,
    ).message
    assert said.startswith("'1,234.5' has 94,182 x 1,200 = 11,302 million pixels, and 179 million")
    assert "„1,234.5“ hat 94.182 x 1.200 = 11.302 " in languages.accepted("de").message(said)
    assert languages.accepted("en").message(said) == said


def test_a_name_in_a_message_turns_no_sign_around_that_stands_beside_it(languages: Languages) -> None:
    """Where one of the two runs from right to left: both are isolated from each other (Unicode, UAX 9)."""
    said = Message("{name!r} is empty (0 bytes): choose a file with content, or download it again.", name="a (2).pdf")
    assert languages.accepted("ar").message(said).startswith(f"«{ISOLATE}a (2).pdf{END_OF_ISOLATE}» ")
    assert ISOLATE not in languages.accepted("de").message(said)
    hebrew = Message(said.template, name="שלום (2).txt")
    german = languages.accepted("de").message(hebrew)
    assert german.startswith(f"„{ISOLATE}שלום (2).txt{END_OF_ISOLATE}“ ist leer (0 Byte)")
    assert languages.accepted("en").message(hebrew).startswith(f"{ISOLATE}'שלום (2).txt'{END_OF_ISOLATE} is empty (0")


def test_endings_and_options_in_a_text_from_right_to_left_stand_as_they_do_elsewhere(languages: Languages) -> None:
    arabic = languages.accepted("ar")
    shown = arabic.message(Message("an old Word file (.doc)")) + arabic.message(
        Message("{name!r} is no Excel workbook: save the questions as .xlsx or .csv, and drop that.", name="a")
    )
    assert all(f"{ISOLATE}{one}{END_OF_ISOLATE}" in shown for one in (".doc", ".xlsx", ".csv"))
    for text in languages.fixed_texts()["ar"].values():
        for bare in re.findall(r"(?<![\w.{/-])(\.[a-z]+|--[a-z]+)", text):
            assert f"{ISOLATE}{bare}" in text, text


def test_a_reason_in_a_message_is_translated_and_one_that_a_library_gives_is_not(languages: Languages) -> None:
    kind = Message("a ZIP archive of {number} files with no document in it", number=12)
    inner = DocumentError(
        "{name!r} is {kind}, not a document. These can be read: {readable}.", name="b", kind=kind, readable="PDF"
    )
    said = Message("{name} was not read: {reason}", name="a", reason=inner.message)
    assert languages.accepted("de").message(said) == (
        "a wurde nicht gelesen: „b“ ist ein ZIP-Archiv mit 12 Dateien und keinem Dokument darin, kein Dokument."
        " Lesbar sind: PDF."
    )
    foreign = Message("{name!r} is damaged ({why}); export or download it again.", name="a", why="Ask")
    assert "(Ask)" in languages.accepted("de").message(foreign)


def test_a_plural_in_a_message_is_the_language_s_own() -> None:
    texts = {"{n} files wait": {"one": "ملف واحد", "two": "ملفان", "few": "{n} ملفات", "other": "{n} ملف"}}
    arabic = Language("ar", texts)
    shown = [arabic.message(Message("{n:,} files wait", n=n)) for n in (1, 2, 3, 100)]
    assert shown == ["ملف واحد", "ملفان", "3 ملفات", "100 ملف"]


def test_what_no_catalogue_has_is_said_in_english(languages: Languages) -> None:
    said = Message("{n:,} new things about {name!r} {x}", n=1234, name="a")
    assert languages.accepted("de").message(said) == "1.234 new things about 'a' {x}"
    assert languages.accepted("de").html(f"<p>{languages.accepted('de').markup(Message('Ask; Stop'))}</p>") == (
        '<p><span lang="de">Ask; Stop</span></p>'
    )
