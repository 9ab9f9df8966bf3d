"""Where a sentence that is quoted ends: behind its last word, and not behind an abbreviation."""

from __future__ import annotations

import pytest

from model.answering.sentences import around, spans
from tests.helpers.tiny import document


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in spans(text)]


@pytest.mark.parametrize(
    "whole",
    [
        "As Fig. 3 and Eqs. (4) and (5) of Sec. II show, the lamp of No. 7 burns.",
        "It was seen by Prof. Ada Holm and Dr. Reid of Stanford Univ. Press on Jan. 26 at noon.",
        "Lamps, wicks, oil etc. were kept in approx. Twelve rooms of vol. 2, pp. 3 to 9.",
        "Some of it, e.g. Oil or i.e. Fat, was bought by Mills Inc. Holding in St. Gallen.",
        "Am 3. Dezember kam Prof. Dr. Huber, vgl. Abb. 2 und Art. 5 Abs. 1, in die Hauptstr. 12 zurück.",
        "Die 2. Auflage kostet ca. 20 Euro inkl. Versand, z. B. Nach Wien bzw. Graz.",
        "Mme. Durand paie env. 30 euros, cf. Annexe, le 4 janv. 2020 au chap. 3 de l'art. 2.",
        "La Sra. García vive en la pág. 7 del núm. 12, aprox. 3 años, p. ej. En Madrid.",
        "The boats of Vale et al. and of Smith vs. Jones lie in the harbour.",
    ],
)
def test_an_abbreviation_ends_no_quote(whole: str) -> None:
    assert sentences(f"{whole} A second one.") == [whole, "A second one."]
    start = len("A first one. ")
    page = document(f"A first one. {whole} A second one.").pages[0]
    assert around(page, start + 3, start + 6) == (start, start + len(whole))


@pytest.mark.parametrize(
    "two",
    [
        ["It was no.", "Then we left."],
        ["She said no.", "I went."],
        ["He paints art.", "The rest is silence."],
        ["It was bought by Mills Inc.", "The house was sold."],
        ["We had lamps, oil etc.", "They burned."],
        ["It was found by Vale et al.", "However, nobody knew."],
        ["He came in Dec.", "The lamp was lit."],
        ["That is all there is to it.", "The lamp was lit."],
        ["It was lit in 1902.", "August Holm kept it."],
        ["Er kam im Jahr 1902.", "Dezember war es."],
        ["It has 12 rooms, of which I saw 3.", "Others were closed."],
        ["She asked what?", "inside was dark."],
    ],
)
def test_a_sentence_ends_behind_words_that_look_like_abbreviations(two: list[str]) -> None:
    assert sentences(" ".join(two)) == two
