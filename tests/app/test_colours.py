"""The main colour of a picture: a name where one colour is most of it, and none where none is."""

import numpy as np
import pytest

from app.colours import main_colour

PAINTS = {
    "red": [(200, 20, 30), (254, 0, 10), (150, 0, 0)],
    "orange": [(250, 140, 20)],
    "yellow": [(250, 230, 40)],
    "green": [(30, 150, 60), (120, 220, 120)],
    "blue": [(30, 60, 200), (120, 180, 240), (0, 0, 128)],
    "purple": [(130, 40, 170)],
    "pink": [(250, 120, 190)],
    "black": [(10, 10, 12)],
    "white": [(250, 250, 248)],
    "grey": [(128, 128, 128), (90, 92, 88)],
    "brown": [(120, 70, 30)],
}
EACH = [(name, paint) for name, paints in PAINTS.items() for paint in paints]


@pytest.mark.parametrize(("name", "paint"), EACH)
def test_what_is_painted_in_one_colour_has_its_name(name, paint):
    picture = np.full((90, 160, 3), paint, np.uint8)
    assert main_colour(picture) == name
    picture[:36] = 255 - np.array(paint, np.uint8)  # two fifths of something else
    assert main_colour(picture) == name


def test_a_picture_of_many_colours_is_of_none():
    assert main_colour(np.array([[paint] for _, paint in EACH], np.uint8)) == ""


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4_000, 3), (3_000, 2, 3)])
def test_a_picture_may_have_any_shape(shape):
    assert main_colour(np.zeros(shape, np.uint8)) == "black"
