"""Rows of the training sources that no training sees: answers in other languages are checked on them.

Split by title, as the sources name them.
"""

from collections.abc import Mapping
from typing import Any
from zlib import crc32

_XQUAD = frozenset(("Chloroplast", "Nikola_Tesla", "Genghis_Khan", "Apollo_program"))
_SQUAD_ES = ("Imperialismo", "Rin", "Varsovia", "Hugonotes")
_PIAF = 8  # one in so many titles


def held_out(row: Mapping[str, Any]) -> bool:
    """Whether a row is kept for checking, or in English and of an article that `dev/short` has passages of, too."""
    title = row["document"]
    match row["source"]:
        case "piaf":
            return crc32(title.encode()) % _PIAF == 0
        case "xquad":
            return title in _XQUAD or row["language"] == "en"
        case "squad_es":
            return bool(title.endswith(_SQUAD_ES))
    return False
