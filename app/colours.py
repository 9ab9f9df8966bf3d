"""The colour that most of a picture has, by the names that people have for colours."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 64  # pixels: a colour that is most of a picture is so in a small one, too
MOST = 0.5  # share of a picture from which it is mostly of one colour
_DARK, _BRIGHT, _PALE = 0.22, 0.82, 0.18  # of brightness and saturation, 0..1
_HUES = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
_BORDERS = np.array([15, 42, 70, 165, 260, 290, 335, 360])  # degrees at which a hue ends; the last is red again
_NAMES = (*_HUES, "red", "black", "white", "grey", "brown")
_BLACK, _WHITE, _GREY, _BROWN = range(len(_BORDERS), len(_NAMES))
_BROWN_BELOW = 0.6  # brightness under which orange is brown


def main_colour(picture: NDArray[np.uint8]) -> str:
    """The colour of at least half of a picture's area; empty where there is none. (height, width, 3), red first."""
    small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BOX).convert("HSV")
    hue, saturation, brightness = np.moveaxis(np.asarray(small, np.float32) / 255, -1, 0)
    kind = np.searchsorted(_BORDERS, hue * 360, side="right").clip(max=len(_BORDERS) - 1)
    kind[(kind == _HUES.index("orange")) & (brightness < _BROWN_BELOW)] = _BROWN
    kind[saturation < _PALE] = _GREY
    kind[(saturation < _PALE) & (brightness > _BRIGHT)] = _WHITE
    kind[brightness < _DARK] = _BLACK
    shares = dict.fromkeys(_NAMES, 0.0)
    for index, count in zip(*np.unique(kind, return_counts=True), strict=True):
        shares[_NAMES[index]] += count / kind.size
    best = max(shares, key=shares.__getitem__)
    return best if shares[best] >= MOST else ""
