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

_ASCII = "abcdefghijklmnopqrstuvwxyz"
_WEST = ("English", "German", "French", "Dutch", "Italian", "Spanish", "Portuguese", "Swedish", "Norwegian", "Finnish", "Danish")
_CENTRE = ("Polish", "Czech", "Hungarian", "Romanian", "Slovene", "Slovak", "Croatian", "German")
_CYRILLIC = ("Russian", "Ukrainian", "Bulgarian", "Serbian")
_BALTIC = ("Lithuanian", "Latvian", "Estonian")
LANGUAGES: dict[str, tuple[str, ...]] = {  # of each encoding, the usual ones first: of equal texts the first counts
    "cp1252": _WEST, "gb18030": ("Chinese",), "big5hkscs": ("Traditional Chinese",), "cp932": ("Japanese",),
    "cp949": ("Korean",), "euc_jp": ("Japanese",), "cp1251": _CYRILLIC, "koi8_r": ("Russian",), "koi8_u": ("Ukrainian",),
    "cp1250": _CENTRE, "cp1253": ("Greek",), "cp1254": ("Turkish",), "cp1255": ("Hebrew",), "cp1256": ("Arabic", "Farsi"),
    "cp1257": _BALTIC, "cp1258": ("Vietnamese",), "cp874": ("Thai",), "iso8859_2": _CENTRE, "iso8859_5": _CYRILLIC,
    "iso8859_7": ("Greek",), "iso8859_8": ("Hebrew",), "iso8859_6": ("Arabic",), "iso8859_9": ("Turkish",),
    "iso8859_13": _BALTIC, "iso8859_15": _WEST, "iso8859_16": ("Romanian",), "mac_roman": _WEST, "mac_latin2": _CENTRE,
    "utf-16-le": ("Chinese", "Japanese", "Korean", "Traditional Chinese"), "utf-16-be": ("Chinese", "Japanese", "Korean"),
    "mac_cyrillic": ("Russian",), "cp866": ("Russian",), "cp852": _CENTRE, "cp850": _WEST, "cp437": _WEST,
}  # fmt: skip
RARE = {"mac_roman": 6.0, "mac_latin2": 6.0, "mac_cyrillic": 4.0, "cp866": 2.0, "cp852": 5.0, "cp850": 5.0, "cp437": 6.0,
        "iso8859_16": 3.0, "iso8859_13": 2.0, "iso8859_6": 2.0, "iso8859_8": 2.0, "iso8859_5": 2.0, "iso8859_15": 2.0,
        "iso8859_2": 1.0, "iso8859_7": 1.0, "iso8859_9": 1.0, "cp1258": 2.0, "cp1257": 1.0, "utf-16-le": 3.0, "utf-16-be": 4.0}  # fmt: skip
_MORE_LETTERS = {  # of alphabets, the least frequent last
    "German": "ß", "French": "êçùâîôûëïœÿ", "Dutch": "éïóèöü", "Italian": "ùìé", "Polish": "śżćńź", "Spanish": "úñü¿¡",
    "Russian": "шюэщфёъ", "Portuguese": "êíúâôàõü", "Swedish": "é", "Ukrainian": "ишюєщфґ", "Norwegian": "éø",
    "Finnish": "å", "Czech": "ěšžůúťďňó", "Hungarian": "üőűúí", "Turkish": "ğöâîû", "Romanian": "ţşâ", "Danish": "é",
    "Lithuanian": "ųūęį", "Slovak": "žťľúéôďňäĺŕó", "Bulgarian": "шюьфя", "Croatian": "đ", "Estonian": "šž",
    "Greek": "ςέθφβξζψϊϋΐΰώ", "Hebrew": "ף", "Arabic": "ثذغزضئءؤآظلإّ", "Farsi": "چژصذضثظغئ", "Serbian": "чћшђжљњџф",
    "Vietnamese": "êôơưăâéèẻẽẹáàảãạíìỉĩịóòỏõọúùủũụýỳ\u0301\u0300\u0309\u0303\u0323", "Thai": "ิีึืุูเแโใไ่้๊๋์ัำฉซญฎฏฐฑฒณธผฝฟภศษฬฮๆ",
    "Korean": "습니입합했었있것들부제전자구상정수장주동해보비",
}  # fmt: skip
_FURTHER = {
    "Latvian": "asietrnuākmdpoīlēvzšgjbcūņļžčķģf",
    "Traditional Chinese": "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成"
    "方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心本前開但因只從想實日者意無力它與長機十民第公此已工使情明性知全三又關點"
    "正業外將兩高間由問很最重並物手應向頭文體政美相見被利什二等產或新己制身果加西月話合回特代內信表化老給世位次度門任常先海通教原東提立及"
    "比員解水名真論處走義各入幾口認條平系氣題活更別打女變四總何電數安少報才結反受目太量再感建務做接必場件計管期市直資命山金指許統區保至",
}
_MORE_CHINESE = (
    "日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应向头文体政美相见被利什二等产或新己制身果加西"
    "月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活更别打女变四总何电数安少报才结反"
    "受目太量再感建务做接必场件计管期市直资命山金指许统区保至队形社便空决治展科司五基书非则界达光放强即难且权思设式色路记南品住告类求据程北边"
)
_MARKS = frozenset("“”„‘’‚–—…«»‹›·•°§€£©®™№¿¡ªº\u00a0，。、；：？！（）「」『』《》【】・ー～％")
_EAST = frozenset({"Chinese", "Traditional Chinese", "Japanese", "Korean"})
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_IN_WORD = re.compile(r"(?<=[^\W\d_])[^\w\s\x00-\x7f’‘–—…·\u00a0\u0300-\u036f\u0e30-\u0e4e\u064b-\u0652](?=[^\W\d_])")
_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")
PLAIN = 0.5  # the weight of ASCII letters: they are the same in all encodings, and tell the language, unless words are foreign
SHARES = {"mark": 0.02, "other letter": 2e-5, "sign": 1e-5, "unreadable": 1e-9}
_SIGN_AFTER_WORD = re.compile(r"(?<=[^\W\d_])[\u00a1-\u00a9\u00ac\u00af-\u00b6\u00b8-\u00bf](?=[\s.,;:)]|$)")
_ODD_ORDER = re.compile(  # letters that stand only at the end of a word, only elsewhere, or never at its beginning
    r"[םןףךץ](?=[א-ת])|(?<=[א-ת])[מנצכפ](?![א-ת\u0590-\u05c7])|ς(?=[α-ωά-ώ])|σ(?![α-ωά-ώΑ-Ω’'])|(?<![\w])[ъыьЪЫЬ]|(?<![\w\u0e01-\u0e4e])[\u0e31\u0e33-\u0e3a\u0e47-\u0e4e]"
)
_NO_VOWEL = re.compile(r"(?<!\w)[бвгджзклмнпрстфхцчшщ]{3,}(?!\w)|[бвгджзйклмнпрстфхцчшщъь]{5,}", re.I)
_COST_OF_CASES, _COST_OF_SIGN, _COST_OF_SCRIPTS, _COST_OF_ORDER, _COST_OF_CAPITALS = 5.0, 4.0, 6.0, 3.0, 1.0


def letters_likelihood(text: str, encoding: str) -> float:
    """The logarithm of the likelihood of the letters of a text that was read in this encoding, in its likeliest language."""
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
    letters = list(dict.fromkeys(_FURTHER.get(language) or [*FREQUENCIES[language], *_MORE_LETTERS.get(language, "")]))
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
        signs = [*FREQUENCIES["Chinese"], *_MORE_CHINESE]
    else:
        signs = list(_FURTHER.get(language) or [*FREQUENCIES[language], *_MORE_LETTERS.get(language, "")])
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
        "Chinese": ("gb2312", 0xB0, 0xD7), "Traditional Chinese": ("big5", 0xA4, 0xC6), "Japanese": ("euc_jp", 0xA4, 0xCF),
        "Korean": ("euc_kr", 0xB0, 0xC8),
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
