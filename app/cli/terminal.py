"""Text from outside on a terminal."""

import unicodedata


def harmless(text: str) -> str:
    """The text without control characters: a document or a file name may not move the cursor or recolour the screen."""
    return "".join(" " if character in "\n\t" else _visible(character) for character in text)


def _visible(character: str) -> str:
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) == "Cc" else character
