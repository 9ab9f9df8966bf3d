"""Generated documents with known answers: letters, invoices, reports, forms, tables, notices.

Each is a list of facts (`facts.py`) set as text the way PDF text comes out: label and value on one line, on two lines,
in a sentence, or in a table row.
"""

import random
from dataclasses import dataclass

from model.adapt.facts import FACTS, Fact, Source, Split, words

_KINDS = (
    "Invoice", "Letter", "Annual report", "Order form", "Minutes", "Rental agreement", "Delivery note", "Application",
    "Notice", "Certificate", "Work order", "Quotation", "Travel booking", "Contract", "Receipt",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A generated document and what can be asked about it: pairs of a question and its answer."""

    text: str
    pairs: tuple[tuple[str, str], ...]


def _facts(source: Source, count: int) -> list[Fact]:
    facts: dict[str, Fact] = {}
    while len(facts) < count:
        fact = source.rng.choice(FACTS)(source)
        facts.setdefault(fact.label.lower(), fact)
    return list(facts.values())


def _set_as_lines(source: Source, facts: list[Fact]) -> str:
    style = source.rng.choice(["{}: {}", "{} {}", "{}\n{}", "{}:\n{}", "{}  {}", "{}. {}", "{} | {}", "{} - {}"])
    return "\n".join(style.format(fact.label, fact.value) for fact in facts)


def _set_as_prose(source: Source, facts: list[Fact]) -> str:
    width = source.rng.choice([48, 72, 96, 10_000])
    lines, line = [], ""
    sentences = [fact.sentence for fact in facts]
    sentences += source.rng.sample(words()["fillers"], source.rng.choice([0, 0, 1, 3]))
    source.rng.shuffle(sentences)
    for word in " ".join(sentences).split(" "):
        if len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def _item_table(source: Source) -> tuple[str, list[tuple[str, str]]]:
    """A price list or an order: rows of item, quantity and price, and questions about single cells."""
    gap = source.rng.choice([" ", "  ", " | ", "\n"])
    rows, pairs = [gap.join(["Item", "Quantity", "Price"])], []
    items = source.rng.sample(words()["items"], source.rng.randint(2, 5))
    for item in items:
        quantity, price = str(source.rng.randint(1, 60)), source.amount(1, 900)
        rows.append(gap.join([item.capitalize(), quantity, price]))
        pairs.append((f"How many of {item} were ordered?", quantity))
        pairs.append((f"What is the quantity of {item}?", quantity))
        pairs.append((f"What is the price of the {item}?", price))
        pairs.append((f"How much does the {item} cost?", price))
    return "\n".join(rows), pairs


def _heading(source: Source, kind: str) -> tuple[str, list[tuple[str, str]]]:
    """The top of the page, and what can be asked about it."""
    company, code = source.company(), source.code()
    plain = f"{source.rng.choice([kind, kind.upper()])}"
    numbered = source.rng.random() < 0.3
    title = f"{plain} {source.rng.choice(['', 'No. ', 'no. '])}{code}" if numbered else plain
    address = source.rng.choice(["", "", f"{source.address()}\n"])
    text = source.rng.choice([f"{company}\n{address}{title}", f"{title}\n{company}"])
    return text, [(f"What is the {kind.lower()} number?", code)] if numbered else []


def _ask_otherwise(question: str, kind: str, rng: random.Random) -> str:
    """The same question as somebody else would ask it."""
    if len(question.split()) < 4 or rng.random() < 0.6:
        return question
    where = rng.choice(["of the {}", "in the {}", "according to the {}", "in this {}", "on the {}"]).format(
        kind.lower()
    )
    return f"{question[:-1]} {where}{question[-1]}"


def make_record(rng: random.Random, split: Split) -> Record:
    """One document of 60 to 250 tokens with 4 to 11 facts, some in lines, some in prose, often with a table."""
    source = Source(rng, split)
    kind = rng.choice(_KINDS)
    facts = _facts(source, rng.randint(4, 9))
    listed = [fact for fact in facts if not fact.told_only]
    in_lines = listed[: rng.randint(0, len(listed))]
    in_prose = [fact for fact in facts if fact not in in_lines]
    heading, pairs = _heading(source, kind)
    pairs += [(rng.choice(fact.questions), fact.value) for fact in facts]
    blocks = [_set_as_lines(source, in_lines)] if in_lines else []
    if in_prose:
        blocks.append(_set_as_prose(source, in_prose))
    if rng.random() < 0.45:
        table, cells = _item_table(source)
        blocks.append(table)
        pairs += rng.sample(cells, 3)
    rng.shuffle(blocks)
    rng.shuffle(pairs)
    if rng.random() < 0.3:
        blocks.append(f"{source.company()}, {kind.lower()}, page {rng.randint(1, 9)} of 9")
    asked = tuple((_ask_otherwise(question, kind, rng), answer) for question, answer in pairs)
    return Record(text=rng.choice(["\n", "\n\n"]).join([heading, *blocks]), pairs=asked)
