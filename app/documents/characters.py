"""Characters: which of them are kept, and where words begin and end."""

import re
import unicodedata
from collections.abc import Iterator

_CJK = "\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")
_UNWANTED = re.compile(  # controls, soft hyphens, zero-width marks, direction overrides, tags
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)
_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LIGATURE = re.compile("[\ufb00-\ufb06\ufb50-\ufdfb\ufe70-\ufefc]")  # Latin ligatures, Arabic letters as they join
_UNMAPPED = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff]")

VOWELS = frozenset("aeiouyäöüáéíóúàèìòùâêîôûåøæаеёиоуыэюяіїєαεηιουωάέήίόύώ")


def clean(text: str) -> str:
    """The text without marks that nobody reads: one kind of line end, ligatures as letters, no lone surrogates."""
    text = _LINE_END.sub("\n", text)
    text = _UNWANTED.sub("", text)
    text = _LIGATURE.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)
    return _SURROGATE.sub("\ufffd", text)


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each word; where a script writes no spaces (Chinese, Japanese) each character is one."""
    return (match.span() for match in _WORD.finditer(text))


def is_unmapped(word: str) -> bool:
    """Whether glyphs of a word have no known meaning; a single one is a bullet or a box to tick."""
    return len(word) > 1 and ("\ufffd" in word or len(_UNMAPPED.findall(word)) > 1)


def unmapped_share(text: str) -> float:
    """The share of characters, 0..1, that stand for glyphs without a known meaning."""
    return len(_UNMAPPED.findall(text)) / max(len(text), 1)
