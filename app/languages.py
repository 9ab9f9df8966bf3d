"""The page in the person's language. The English text is the key, so the code reads as the page does.

One catalogue, `assets/languages/*.json`, serves three places: the fixed texts of components (`fixed_texts`, for
`gr.I18n`), errors, receipts, remarks and all else that a person is told (`Language.message`, by template and values),
the panels (`Language.html`, applied once to what a panel has drawn). A key may hold places, `{pages} of {document}`;
what stands in them is kept, but counted nouns and our own words in them are translated, too, and numbers are written
as the language writes them. Where a language has several plurals, the text is an object of them by CLDR's names
(`one`, `few`, `other`), and the place `{n}` chooses. Foreign text, of documents, models and people, is marked
`translate="no"` by the panels and stays as it is; so do the reasons that a library gives, and the names of image
tags.
"""

import json
import re
from collections.abc import Mapping
from functools import cached_property
from html import escape, unescape
from pathlib import Path
from types import MappingProxyType
from unicodedata import bidirectional

from babel import Locale
from babel.numbers import format_decimal

from model.errors import PLACE, Message, Value, filled, in_english

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "languages"
ENGLISH = "en"
_PIECES = re.compile(r"(<[^>]*>)")
_LABELS = re.compile(r'(?<= )(aria-label|title|alt|placeholder|data-said)="([^"]*)"')
_PLACE = re.compile(r"\\{(\w+)\\}")
_QUOTED = re.compile(r"'\\{(\w+)\\}'")  # a name as `repr` writes it, in double quotes where it has a single one
_COUNTED = re.compile(r"[\d,.]+ [A-Za-z]+")  # so many pages, seconds, megabytes
_COUNT = r"\d[\d,.]*"
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+")  # as this program writes them in English
_FOREIGN = ("name", "text", "document")  # places that hold what somebody else wrote
_OUR_WORDS = (  # places that hold texts of ours
    "cause", "fix", "found", "kind", "pages", "place", "readable", "reason", "stage", "tried", "where",
)  # fmt: skip
_QUOTE = "quote_"  # before the name of a place: the quotes around it
_ALSO_CALLED = {"zh": ("zh-CN", "zh-TW")}  # Gradio knows Chinese by these names only
_OF_GRADIO = {"upload_text.drop_file": "Drop files here", "upload_text.click_to_upload": "or click to choose"}
_JOINS = re.compile(r"( · |; )")
ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"
_LATIN = re.compile(  # endings of files, options, ranges, names with strokes: what begins with a sign or has one within
    r"(?<![\w.{/-])(?:(?:[a-z]+ )?-+[A-Za-z][\w-]*(?: [a-z][\w.]*\w)*|\.[A-Za-z]\w*"
    r"|[A-Za-z0-9_]+(?:[=/,-]+[\w.{}-]*[\w}])+)",
    re.ASCII,
)
Text = str | Mapping[str, str]  # by plural, where it depends on a number


class Language:
    """Texts in one language. What its catalogue does not have stays English."""

    def __init__(self, code: str = ENGLISH, texts: Mapping[str, Text] = MappingProxyType({})) -> None:
        self.code = code
        self._locale = Locale.parse(code)
        self._catalogue = texts
        self._texts = {key: text for key, text in texts.items() if isinstance(text, str) and "{" not in key}
        self._patterns = {key: text for key, text in texts.items() if "{" in key}
        self._known: dict[str, str] = {}

    @property
    def direction(self) -> str:
        """`ltr`, or `rtl` where the page is mirrored."""
        return self._locale.text_direction

    def number(self, text: str) -> str:
        """A number that is written in English, `28,731.5`, as this language writes it; anything else as it is."""
        if not _NUMBER.fullmatch(text):
            return text
        digits = len(text.partition(".")[2])
        return str(
            format_decimal(
                text.replace(",", ""), format=f"#,##0{'.' + '0' * digits if digits else ''}", locale=self._locale
            )
        )

    def message(self, message: Message) -> str:
        """What a person is told, by its template, and messages among its values, too. Names stay as they are."""
        if not self._catalogue:
            return filled(message.template, message.values, self._shown)
        shown = {
            place["name"]: self._shown(message.values[place["name"]], place)
            for place in PLACE.finditer(message.template)
            if place["name"] in message.values
        }
        return filled(self._translated(message.key, message.values), shown, lambda text, _: str(text))

    def _shown(self, value: Value, place: re.Match[str]) -> str:
        if isinstance(value, Message):
            return self.message(value)
        if not isinstance(value, str):
            return self.number(format(value, place["format"] or ""))
        if not place["quoted"]:
            return self._apart(value)
        if not self._catalogue:
            return self._apart(in_english(value, place))
        return self._apart("".join(one if one.isprintable() else repr(one)[1:-1] for one in value))

    def _apart(self, value: str) -> str:
        """A text that may run the other way than what it stands in, so that neither turns the other's signs around."""
        runs_apart = self.direction == "rtl" or any(bidirectional(one) in ("R", "AL") for one in value)
        return f"{ISOLATE}{value}{END_OF_ISOLATE}" if runs_apart and value else value

    def markup(self, message: Message) -> str:
        """A message for a panel to hold: `html` leaves it as it is."""
        return f'<span lang="{self.code}">{escape(self.message(message))}</span>' if message else ""

    def html(self, markup: str) -> str:
        """What a panel has drawn, translated: text between tags, and labels."""
        if not self._texts and not self._patterns:
            return markup
        pieces = _PIECES.split(markup)
        kept = False
        for index, piece in enumerate(pieces):
            if index % 2:
                kept = 'translate="no"' in piece or " lang=" in piece
                pieces[index] = piece if kept else _LABELS.sub(self._label, piece)
            elif piece.strip() and not kept:
                pieces[index] = escape(self.text(unescape(piece)), quote=False)
        return "".join(pieces)

    def text(self, text: str) -> str:
        """A text as it is shown, with figures and names in it."""
        if text not in self._known:
            if len(self._known) > 5_000:
                self._known.clear()
            self._known[text] = self._several(text)
        return self._known[text]

    def _several(self, text: str) -> str:
        """Texts that are joined, each by itself; where one is unknown, it may be one text, whose name holds a join."""
        parts = _JOINS.split(text)
        found = [self._part(part) for part in parts[::2]]
        if None in found and (whole := self._part(text)) is not None:
            return whole
        parts[::2] = [part if one is None else one for part, one in zip(parts[::2], found, strict=True)]
        return "".join(parts)

    def _label(self, match: re.Match[str]) -> str:
        return f'{match[1]}="{escape(self.text(unescape(match[2])))}"'

    def _part(self, part: str) -> str | None:
        """One text; None where it is none that is known."""
        core = part.strip()
        if core in self._texts:
            return part.replace(core, self._texts[core])
        for key, pattern in self._compiled:
            if found := pattern.fullmatch(core):
                places = {name: value for name, value in found.groupdict().items() if not name.startswith(_QUOTE)}
                values = {name: self._value(name, value) for name, value in places.items()}
                return part.replace(core, self._translated(key, places).format(**values))
        return None

    def _value(self, name: str, value: str) -> str:
        """What stands in a place of a text: words of ours, a number, or something foreign."""
        if name in _FOREIGN:
            return self._apart(value.replace("\\'", "'"))
        if name in _OUR_WORDS or _COUNTED.fullmatch(value):
            return self._part(value) or value
        return self.number(value)

    def _translated(self, key: str, values: Mapping[str, Value]) -> str:
        """The text for a key, in the plural that its number takes; the key itself where there is none."""
        text = self._catalogue.get(key, key)
        if isinstance(text, str):
            return text
        number = str(values.get("n", "")).replace(",", "")
        form = self._locale.plural_form(int(number)) if number.isdecimal() else "other"
        return text.get(form, text["other"])

    @cached_property
    def _compiled(self) -> list[tuple[str, re.Pattern[str]]]:
        """Keys with places and the patterns that they are, the most telling first."""
        ordered = sorted(self._patterns, key=lambda key: -len(_PLACE.sub("", re.escape(key))))
        return [(key, re.compile(_pattern(key), re.DOTALL)) for key in ordered]


def _pattern(key: str) -> str:
    """What the texts of a key look like."""
    quoted = _QUOTED.sub(rf"""(?P<{_QUOTE}\1>['"])(?P<\1>.+?)(?P={_QUOTE}\1)""", re.escape(key))
    counted = quoted.replace(r"\{n\}", rf"(?P<n>{_COUNT})")
    return _PLACE.sub(r"(?P<\1>.+?)", counted)


def _with_latin_apart(text: Text) -> Text:
    """A text that runs from right to left, in which ".docx" and "3-10,12" stand as they do elsewhere."""
    if isinstance(text, str):
        return _LATIN.sub(rf"{ISOLATE}\g<0>{END_OF_ISOLATE}", text)
    return {form: str(_with_latin_apart(one)) for form, one in text.items()}


class Languages:
    """All languages there are."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._all = {ENGLISH: Language()}
        self._catalogues: dict[str, dict[str, Text]] = {}
        for path in sorted(folder.glob("*.json")):
            texts = json.loads(path.read_text(encoding="utf-8"))
            if Locale.parse(path.stem).text_direction == "rtl":
                texts = {key: _with_latin_apart(text) for key, text in texts.items()}
            self._catalogues[path.stem] = texts
            self._all[path.stem] = Language(path.stem, texts)

    def accepted(self, header: str) -> Language:
        """The first language of an `Accept-Language` header that there is; English where there is none."""
        for wanted in header.split(","):
            code = wanted.partition(";")[0].strip().partition("-")[0].lower()
            if code in self._all:
                return self._all[code]
        return self._all[ENGLISH]

    def fixed_texts(self) -> dict[str, dict[str, str]]:
        """By language, the texts without places in them: what `gr.I18n` is made of. Some take the place of Gradio's."""
        english = {text: text for catalogue in self._catalogues.values() for text in catalogue if "{" not in text}
        english |= _OF_GRADIO
        fixed = {
            code: {key: str(known.get(text, text)) for key, text in english.items()}
            for code, known in self._catalogues.items()
        }
        return {ENGLISH: english} | {
            name: texts for code, texts in fixed.items() for name in (code, *_ALSO_CALLED.get(code, ()))
        }
