"""Stop words of the page's languages that put spaces between words.

They are in plain letters, as `words.py` compares words. Words that carry a meaning in another of
the languages ("war", "son", "die") are left out.
"""

from typing import Final

_ENGLISH = """
a about an and are as at be been being but by can could did do does for from had has have he her his how i if in into is
it its may me might must my no not of on or our shall she should so such than that the their them then there these they
this those to was we were what when where which who whom whose why will with would you your
"""
_FRENCH = """
a ai au aux avec ce ces cet cette combien comment d dans de des du elle elles en est et etait il ils j je l la le les
leur leurs lui ma mes mon n ne nous on ont ou par pas pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans
se ses sont sous sur une un vous y
"""
_GERMAN = """
als am an auf aus bei bis das dass dem den der des durch ein eine einem einen einer eines er es haben hatte hatten ich
ihr ihre im in ist mit nach nicht oder sein seine sich sie sind uber um und vom von vor wann waren warum was welche
welchem welchen welcher welches wem wen wer werden weshalb wessen wie wird wo wofur woher wohin womit wurde wurden zu
zum zur
"""
_SPANISH = """
a al como con cual cuales cuando cuanta cuantas cuanto cuantos de del donde el ella ellos en es esta este esto fue
fueron ha la las le lo los o para por que quien quienes se ser si sobre su sus un una unas unos y
"""

BY_LANGUAGE: Final = {
    code: frozenset(words.split())
    for code, words in {"en": _ENGLISH, "fr": _FRENCH, "de": _GERMAN, "es": _SPANISH}.items()
}
STOP_WORDS: Final = frozenset(f"{_ENGLISH} {_FRENCH} {_GERMAN} {_SPANISH}".split())
