"""Scripts that write no space between words, in which pairs of neighbouring characters stand for words."""

import re

UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")


def character_pairs(word: str) -> list[str]:
    """Each two neighbouring characters of a word; of a single one, that one."""
    return [word[first : first + 2] for first in range(max(1, len(word) - 1))]
