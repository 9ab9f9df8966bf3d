"""Answers are spelt as the document spells them, and figures are never corrected."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.answering.judgements import side
from model.answering.sentences import around, spans
from model.answering.wording import mended
from model.types import Page, Table

TEXT = (
    "Tove Lindqvist keeps 41,250 volumes, well-known ones, in Northgate. Electricity rose to 3.75 a day.\nHenrike Sol"
)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("Tove Lindkvist", "Tove Lindqvist"),  # a letter is another one
        ("Henrik Sol", "Henrike Sol"),  # a letter is missing
        ("Northgatte", "Northgate"),  # a letter is too many
        ("elec- tricity", "electricity"),
        ("well- known ones", "well-known ones"),
        ("Lindq", "Lindqvist"),
        ("250", "41,250"),
        ("41", "41,250"),
        ("3.7", "3.75"),
        ("volumes", "volumes"),
    ],
)
def test_the_texts_spelling_is_taken(answer: str, right: str) -> None:
    assert mended(answer, TEXT) == right


@pytest.mark.parametrize("answer", ["41,260", "3.76", "No", "Vor- und Nachteile", "Tova Lindkvist", "", "Yes.", "Nort"])
def test_other_figures_and_other_words_are_left_alone(answer: str) -> None:
    assert mended(answer, TEXT) == answer


def test_a_judgement_is_no_misspelt_word() -> None:
    assert mended("Nein", "Um neun Uhr") == "Nein" and mended("No", "North of it") == "No"


@given(st.text(max_size=60), st.text(max_size=120))
def test_any_text_keeps_its_figures_however_often_it_is_mended(answer: str, shown: str) -> None:
    once = mended(answer, shown)
    for text in (once, mended(once, shown)):
        assert {char for char in answer if char.isdigit()} <= set(text)


@given(st.text(alphabet="ab. \n!?。-#", max_size=80))
def test_sentences_cover_every_character_that_is_not_space(text: str) -> None:
    found = list(spans(text))
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())
    assert all(first[1] <= second[0] for first, second in pairwise(found))


def a_page(text: str, *tables: Table) -> Page:
    return Page(number=1, text=text, words=(), width=600, height=800, tables=tables)


def test_a_sentence_over_several_lines_is_quoted_whole() -> None:
    text = "The lamp was lit.\nIt shines as far\nas the isle of Tarn. Nobody knows why."
    start = text.index("isle")
    first, last = around(a_page(text), start, start + 4)
    assert text[first:last] == "It shines as far\nas the isle of Tarn."


def test_a_sentence_at_the_very_beginning_is_quoted_whole() -> None:
    text = "The keeper is Ada Holm.\nShe lit the lamp in 1902."
    for words, sentence in (("Ada Holm", "The keeper is Ada Holm."), ("1902", "She lit the lamp in 1902.")):
        first, last = around(a_page(text), text.index(words), text.index(words) + len(words))
        assert text[first:last] == sentence


def test_in_a_table_or_a_form_its_line_is_quoted() -> None:
    text = "Bread - 2023: 548,900; 2024: 601,750\nCakes - 2023: 155,200; 2024: 163,400\nNote"
    start = text.index("155,200")
    table = Table(start=0, end=len(text) - 5, rows=2, columns=3, cells=())
    for page in (a_page(text, table), a_page(text)):
        first, last = around(page, start, start + 7)
        assert text[first:last] == "Cakes - 2023: 155,200; 2024: 163,400"


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        ("Yes.", "yes"),
        ("No, it is old", "no"),
        ("Ja", "yes"),
        ("是。", "yes"),
        ("North", None),
        ("", None),
        ("no one", "no"),
    ],
)
def test_judgements_are_told_by_their_first_word(answer: str, judged: str | None) -> None:
    assert side(answer) == judged
