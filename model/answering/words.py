"""Words as they are compared: in plain letters, by their beginnings, without stop words.

Scripts that write no space between words have no words to compare; there pairs of neighbouring characters stand for
them.
"""

import re
import unicodedata

from model.answering.stop_words import STOP_WORDS

UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"[^\W\d_]{2,}")
STEM = 6  # characters of a word that are compared, since endings differ


def plain_letters(text: str) -> str:
    """Lower case, without accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", text.lower()) if not unicodedata.combining(char))


def content_words(text: str) -> list[str]:
    """Stems of the words that carry meaning; of scripts without spaces, pairs of characters."""
    words: list[str] = []
    for word in _WORD.findall(plain_letters(text)):
        if UNSPACED.search(word):
            words += character_pairs(word)
        elif word not in STOP_WORDS:
            words.append(word[:STEM])
    return words


def character_pairs(word: str) -> list[str]:
    """Each two neighbouring characters of a word; of a single one, that one."""
    return [word[first : first + 2] for first in range(max(1, len(word) - 1))]
