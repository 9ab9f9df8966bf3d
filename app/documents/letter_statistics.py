"""How likely a reading of bytes is, as text of some language: by its letters, and by what stands inside words.

The frequencies of letters are those of charset-normalizer. Its own choice of an encoding needs long texts; as a
likelihood over encodings and their languages the same figures tell a line of text apart.
"""

import math
import re
import unicodedata
from collections import Counter
from functools import cache
from itertools import pairwise

from charset_normalizer.constant import FREQUENCIES

from app.documents.alphabets import FURTHER, LANGUAGES, MORE_CHINESE, MORE_LETTERS, RARE

_ASCII = "abcdefghijklmnopqrstuvwxyz"

_MARKS = frozenset("“”„‘’‚–—…«»‹›·•°§€£©®™№¿¡ªº\u00a0，。、；：？！（）「」『』《》【】・ー～％")
_EAST = frozenset({"Chinese", "Traditional Chinese", "Japanese", "Korean"})
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_IN_WORD = re.compile(
    r"(?<=[^\W\d_])[^\w\s\x00-\x7f’‘–—…·\u00a0\u0300-\u036f\u0e30-\u0e4e\u064b-\u0652](?=[^\W\d_])"
)
_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")
PLAIN = 0.5  # the weight of ASCII letters: the same in all encodings, they tell the language unless words are foreign
SHARES = {"mark": 0.02, "other letter": 2e-5, "sign": 1e-5, "unreadable": 1e-9}
_SIGN_AFTER_WORD = re.compile(r"(?<=[^\W\d_])[\u00a1-\u00a9\u00ac\u00af-\u00b6\u00b8-\u00bf](?=[\s.,;:)]|$)")
_ODD_ORDER = re.compile(  # letters that stand only at the end of a word, only elsewhere, or never at its beginning
    r"[םןףךץ](?=[א-ת])|(?<=[א-ת])[מנצכפ](?![א-ת\u0590-\u05c7])|ς(?=[α-ωά-ώ])|σ(?![α-ωά-ώΑ-Ω’'])"
    r"|(?<![\w])[ъыьЪЫЬ]|(?<![\w\u0e01-\u0e4e])[\u0e31\u0e33-\u0e3a\u0e47-\u0e4e]"
)
_NO_VOWEL = re.compile(r"(?<!\w)[бвгджзклмнпрстфхцчшщ]{3,}(?!\w)|[бвгджзйклмнпрстфхцчшщъь]{5,}", re.I)
_COST_OF_CASES, _COST_OF_SIGN, _COST_OF_SCRIPTS, _COST_OF_ORDER, _COST_OF_CAPITALS = 5.0, 4.0, 6.0, 3.0, 1.0


def letters_likelihood(text: str, encoding: str) -> float:
    """The logarithm of the likelihood of a text's letters, read in this encoding, in its likeliest language."""
    counts = Counter(text.lower())
    plain = {char: count for char, count in counts.items() if char.isascii() and char.isalpha()}
    other = {char: count for char, count in counts.items() if not char.isascii()}
    best = max(_of_letters(plain, one) * PLAIN + _of_letters(other, one) for one in LANGUAGES[encoding])
    return best - RARE.get(encoding, 0.0)


def _of_letters(letters: dict[str, int], language: str) -> float:
    shares = _shares(language)
    return sum(count * math.log(shares.get(char) or _share_of_other(char, language)) for char, count in letters.items())


@cache
def _shares(language: str) -> dict[str, float]:
    """The share of each letter of a language. The frequent ones follow charset-normalizer's order."""
    if language in _EAST:
        return _shares_of_signs(language)
    letters = list(dict.fromkeys(FURTHER.get(language) or [*FREQUENCIES[language], *MORE_LETTERS.get(language, "")]))
    weights = {letter: math.exp(-rank / 7) + 2e-3 for rank, letter in enumerate(letters)}
    total = sum(weights.values())
    shares = {letter: weight / total for letter, weight in weights.items()}
    for comma, cedilla in zip("șț", "şţ", strict=True):  # two ways to write the same letters
        if comma in shares:
            shares[cedilla] = shares[comma]
    return {**dict.fromkeys(_ASCII, 2e-3), **shares}


def _shares_of_signs(language: str) -> dict[str, float]:
    """Of languages with thousands of signs: some hundred make up half of a text."""
    if language == "Japanese":
        signs = [*FREQUENCIES["Japanese——"][:70], *FREQUENCIES["Japanese—"][:75], *FREQUENCIES["Japanese"]]
    elif language == "Chinese":
        signs = [*FREQUENCIES["Chinese"], *MORE_CHINESE]
    else:
        signs = list(FURTHER.get(language) or [*FREQUENCIES[language], *MORE_LETTERS.get(language, "")])
    signs = list(dict.fromkeys(signs))
    weights = {sign: 1 / (rank + 12) for rank, sign in enumerate(signs)}
    total = 2 * sum(weights.values())
    return {**dict.fromkeys(_ASCII, 2e-3), **{sign: weight / total for sign, weight in weights.items()}}


def _share_of_other(char: str, language: str) -> float:
    if char in _MARKS:
        return SHARES["mark"] / 4
    category = unicodedata.category(char)
    if category in ("Cc", "Co", "Cn", "Cs") or char == "\ufffd":
        return SHARES["unreadable"]
    if language in _EAST and category == "Lo":
        return _share_of_rare_sign(char, language)
    return SHARES["other letter"] if category[0] in "LM" else SHARES["sign"]


def _share_of_rare_sign(char: str, language: str) -> float:
    """Of a sign that is not frequent: those of the country's first, small standard are half of what is left."""
    if language == "Korean" and not "\uac00" <= char <= "\ud7a3":
        return 1e-5
    standard, first, last = {
        "Chinese": ("gb2312", 0xB0, 0xD7), "Traditional Chinese": ("big5", 0xA4, 0xC6),
        "Japanese": ("euc_jp", 0xA4, 0xCF), "Korean": ("euc_kr", 0xB0, 0xC8),
    }[language]  # fmt: skip
    try:
        lead = char.encode(standard)[0]
    except UnicodeEncodeError:
        return 1e-6
    return 1.2e-4 if first <= lead <= last else 1e-5


def oddities(text: str) -> float:
    """What hardly stands inside words: a capital letter after a small one, a sign, letters of two scripts."""
    cost = _COST_OF_SIGN * (len(_SIGN_IN_WORD.findall(text)) + len(_SIGN_AFTER_WORD.findall(text)) / 2)
    cost += _COST_OF_ORDER * (len(_ODD_ORDER.findall(text)) + len(_NO_VOWEL.findall(text)))
    for match in _WORD.finditer(_WIDE.sub(" ", text)):
        word = match[0]
        if not word.isascii():
            if word.isupper():
                cost += _COST_OF_CAPITALS
            else:
                cost += _COST_OF_CASES * sum(one.islower() and other.isupper() for one, other in pairwise(word))
            scripts = {unicodedata.name(char, "?").partition(" ")[0] for char in set(word) if char.isalpha()}
            cost += _COST_OF_SCRIPTS * (len(scripts) - 1)
    return cost
