"""Generated documents with known answers: letters, invoices, reports, forms, tables, notices.

Each is a list of facts (`facts.py`) set as text the way PDF text comes out: label and value on one line, on two lines,
in a sentence, or in a table row.
"""

import random
from dataclasses import dataclass

from model.adapt.facts import FACTS, Fact, Source, Split, words


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
    for word in " ".join(fact.sentence for fact in facts).split(" "):
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


def _heading(source: Source) -> str:
    kind = source.rng.choice(
        ["INVOICE", "Letter of confirmation", "Annual report", "Order form", "Minutes", "Rental agreement",
         "Delivery note", "Application", "Notice", "Certificate", "Work order", "Quotation", "Travel booking"]
    )  # fmt: skip
    company = source.company()
    return source.rng.choice([f"{company}\n{kind}", f"{kind}\n{company}", f"{company}\n{source.address()}\n{kind}"])


def make_record(rng: random.Random, split: Split) -> Record:
    """One document of 60 to 200 tokens with 4 to 10 facts, some in lines, some in prose, often with a table."""
    source = Source(rng, split)
    facts = _facts(source, rng.randint(4, 9))
    cut = rng.randint(0, len(facts))
    parts = [_heading(source)]
    pairs = [(rng.choice(fact.questions), fact.value) for fact in facts]
    blocks = []
    if cut:
        blocks.append(_set_as_lines(source, facts[:cut]))
    if facts[cut:]:
        blocks.append(_set_as_prose(source, facts[cut:]))
    if rng.random() < 0.45:
        table, cells = _item_table(source)
        blocks.append(table)
        pairs += rng.sample(cells, 3)
    rng.shuffle(blocks)
    rng.shuffle(pairs)
    return Record(text=rng.choice(["\n", "\n\n"]).join(parts + blocks), pairs=tuple(pairs))
