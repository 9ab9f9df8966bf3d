"""A section is found by its name, and a question that asks only what it says is told from one that asks for more."""

from __future__ import annotations

import pytest

from model.answering.sections import only_section, section
from tests.helpers.tiny import document

HARBOUR = """Harbour of Tarn

2 Costs of the repair
The town paid for the lamp and the tower. Nobody else was asked for money. The harbour lent its crane for a week.
It was returned in June.

3 Outlook
The tower is painted next year. A second keeper is looked for in the villages."""

STATUTE = """## § 1 Lampen
Jede Lampe brennt nachts. Sie wird nach § 2 gereinigt.

## § 2
Gereinigt wird mit weichen Tüchern.

Section 3 describes the tower as it was before. It is not there.

3. Storm warnings and flags
A black ball is hoisted before a storm.

4 - Wind: 7; Sea: 5

Chapter 4: The harbour master
The harbour master is chosen by the town."""


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What does the section Costs of the repair say?", "The town paid for the lamp and the tower."),
        ("section 2?", "The town paid for the lamp and the tower."),
        ('Was steht unter "Outlook"?', "The tower is painted next year."),
        ("What is on page 2?", "The keeper lives in the tower."),
    ],
)
def test_a_section_is_found_by_its_name_its_number_or_its_page(question: str, first: str) -> None:
    found = section(question, [document(HARBOUR, "The keeper lives in the tower.")])
    assert first in [one.text for one in found]
    assert not any("second keeper" in one.text for one in found) or "Outlook" in question


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("What does Note 2 deal with?", "Note 2 - Sale of the tower"),
        ("Was steht in Punkt 7?", "7) Die Lampe"),
        ("What does the part about noise estimation say?", "Noise estimation"),
    ],
)
def test_a_section_is_found_by_its_own_kind_and_where_its_text_goes_on_in_the_line(question: str, first: str) -> None:
    text = (
        "Note 1 - Stock\nThe stock is kept in the cellar of the house.\nNote 2 - Sale of the tower\n"
        "The town has sold the tower.\nNoise estimation. All other sources of noise that reach the lamp are estimated"
        " here by counting the ships which pass at night, one by one, and by asking.\n7) Die Lampe\nSie brennt nachts."
    )
    assert section(question, [document(text)])[0].text == first


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Was steht in § 2?", "§ 2"),
        ("What does section 3 say?", "3. Storm warnings and flags"),
        ("What does chapter 4 deal with?", "Chapter 4: The harbour master"),
        ("What does the part on storm warning say?", "3. Storm warnings and flags"),
        ("Summarise the section on flags", "3. Storm warnings and flags"),
        ("¿Qué dice el capítulo 4?", "Chapter 4: The harbour master"),
        ("Que dit la section 3 ?", "3. Storm warnings and flags"),
    ],
)
def test_a_question_that_asks_only_what_a_section_says_is_answered_with_it(question: str, first: str) -> None:
    assert only_section(question, [document(STATUTE)])[0].text == first


@pytest.mark.parametrize(
    "question",
    [
        "When is the lamp cleaned according to § 2?",
        "Who chooses the harbour master?",
        "What is a storm?",
        "Which flag does section 3 name for ice?",
        "What does the mayor say?",
        "What is this document about?",
    ],
)
def test_a_question_that_asks_for_more_than_a_section_is_left_to_the_decoder(question: str) -> None:
    assert only_section(question, [document(STATUTE)]) == ()


@pytest.mark.parametrize("question", ["What does section 9 say?", "the section on whales", "page 30"])
def test_a_section_that_is_not_there_is_not_made_up(question: str) -> None:
    assert section(question, [document(HARBOUR)]) == ()
