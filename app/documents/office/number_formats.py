"""Numbers of a sheet as they are shown there: 0.125 under the format `0.0%` is 12.5%.

Formats are those of ECMA-376, part 1, section 18.8.31; colours, fill characters and conditions are left out.
"""

import re
from datetime import datetime, timedelta

BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0;(#,##0)", 38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)", 41: "#,##0", 42: "#,##0", 43: "#,##0.00", 44: "#,##0.00",
    45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
}  # fmt: skip
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]*)[^\]]*\]|(?P<elapsed>\[(?:h+|m+|s+)\])'
    r"|\[[^\]]*\]"
    r"|(?P<general>General)|(?P<noon>AM/PM|A/P)|(?P<date>y+|m+|d+|h+|s+(?:\.0+)?|e+|b+|g+|a{3,4})"
    r"|(?P<digits>[0#?][0#?,.]*(?:E[+-][0#?]+)?|\.[0#?]+)"
    r"|(?P<other>.)",
    re.I | re.S,
)
_DAYS_BEFORE_1904 = 1_462
_LAST_DAY = 2_958_465  # 31 December 9999
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Token = tuple[str, str]  # the kind of a token, and its text


def shown_number(value: float, code: str, *, from_1904: bool = False) -> str:
    """A number as its format shows it. code: `#,##0.00 "€";[Red]-#,##0.00`. from_1904: days count from 1904."""
    sections = _sections(code)
    index = 0
    if len(sections) > 1 and value < 0:
        index, value = 1, -value
    elif len(sections) > 2 and value == 0:
        index = 2
    tokens = _tokens(sections[index])
    kinds = {kind for kind, _ in tokens}
    if kinds & {"date", "elapsed"}:
        return _date(value, tokens, from_1904=from_1904)
    if "digits" not in kinds or "general" in kinds:
        literal = "".join(text for kind, text in tokens if kind == "literal").strip()
        is_general = "general" in kinds or not literal
        return f"{_general(value)} {literal}".strip() if is_general else literal
    return _number(value, tokens)


def _sections(code: str) -> list[str]:
    """The parts for positive numbers, negative ones, zero and text."""
    return re.findall(r'(?:^|;)((?:"[^"]*"?|\\.|\[[^\]]*\]|[^;"\\\[])*)', code) or [code]


def _tokens(section: str) -> list[Token]:
    tokens: list[Token] = []
    for match in _TOKEN.finditer(section):
        kind = match.lastgroup
        if kind in ("quoted", "escaped", "currency", "other"):
            tokens.append(("literal", match[kind]))
        elif kind is not None:
            tokens.append((kind, match[0]))
        elif match[0].startswith("_"):
            tokens.append(("literal", " "))
    return tokens


def _general(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.11g}" if 1e-5 <= abs(value) < 1e15 else f"{value:.6G}"


def _number(value: float, tokens: list[Token]) -> str:
    patterns = [text for kind, text in tokens if kind == "digits"]
    if any(kind == "literal" and text == "/" for kind, text in tokens):
        return _general(value)  # a fraction: 1 3/4
    value *= 100 ** sum(kind == "literal" and "%" in text for kind, text in tokens)
    number = _digits(abs(value), max(patterns, key=len))
    sign = "-" if value < 0 and re.search("[1-9]", number) else ""
    parts, is_set = [sign], False
    for kind, text in tokens:
        if kind == "literal":
            parts.append(text)
        elif kind == "digits" and not is_set:
            parts.append(number)
            is_set = True
    return "".join(parts).strip()


def _digits(value: float, pattern: str) -> str:
    if "E" in pattern.upper():
        places = len(pattern.upper().partition("E")[0].partition(".")[2])
        return f"{value:.{places}E}"
    whole, _, fraction = pattern.partition(".")
    scale = len(whole) - len(whole.rstrip(",")) + len(fraction) - len(fraction.rstrip(","))
    value /= 1_000**scale
    least, most = fraction.count("0"), len(fraction.replace(",", ""))
    text = f"{value:,.{most}f}" if "," in whole.rstrip(",") else f"{value:.{most}f}"
    for _ in range(most - least):
        text = text.removesuffix("0")
    text = text.removesuffix(".")
    least_whole = whole.count("0")
    before, point, after = text.partition(".")
    if least_whole == 0 and before == "0" and point:
        before = ""
    return before.rjust(least_whole, "0") + point + after


def _date(value: float, tokens: list[Token], *, from_1904: bool) -> str:
    days = value + (_DAYS_BEFORE_1904 if from_1904 else 0)
    if not 0 <= days <= _LAST_DAY:
        return _general(value)
    shift = 1 if days < 60 else 0  # Excel counts a 29 February 1900, which never was
    moment = datetime(1899, 12, 30) + timedelta(days=shift, seconds=round((days) * 86_400, 3))
    has_noon = any(kind == "noon" for kind, _ in tokens)
    parts, before = [], ""
    for index, (kind, text) in enumerate(tokens):
        if kind == "date":
            is_minute = text.lower()[0] == "m" and (before in ("h", "e") or _next_date(tokens, index) == "s")
            parts.append(_minute(moment, text) if is_minute else _part_of_date(moment, text, has_noon=has_noon))
            before = text.lower()[0]
        elif kind == "elapsed":
            unit = {"h": 3_600, "m": 60, "s": 1}[text[1].lower()]
            parts.append(str(int(value * 86_400 / unit + 1e-6)))
            before = "h"
        elif kind == "noon":
            parts.append("AM" if moment.hour < 12 else "PM")
        elif kind == "literal":
            parts.append(text)
    return "".join(parts).strip()


def _next_date(tokens: list[Token], index: int) -> str:
    return next((text.lower()[0] for kind, text in tokens[index + 1 :] if kind in ("date", "elapsed")), "")


def _minute(moment: datetime, text: str) -> str:
    return f"{moment.minute:02}" if len(text) > 1 else str(moment.minute)


def _part_of_date(moment: datetime, text: str, *, has_noon: bool) -> str:
    letter, length = text.lower()[0], len(text)
    if letter in "ye":
        return f"{moment.year % 100:02}" if letter == "y" and length <= 2 else str(moment.year)
    if letter == "m" and length > 2:
        name = _MONTHS[moment.month - 1]
        return name[:3] if length == 3 else name[0] if length == 5 else name
    if letter in "da" and length > 2:
        name = _WEEKDAYS[moment.weekday()]
        return name[:3] if length == 3 else name
    hour = (moment.hour - 1) % 12 + 1 if has_noon else moment.hour
    number = {"m": moment.month, "d": moment.day, "h": hour, "s": moment.second}.get(letter)
    if number is None:
        return ""
    return f"{number:02}" if length > 1 else str(number)
