"""Generated documents with known answers: letters, invoices, reports, forms, tables, notices.

A sketch is what stands in a document: facts (`facts.py`) as fields with labels, others told in sentences, a table of
items. Here it is set as text the way PDF text comes out: label and value on one line, on two lines, in a sentence, or
in a table row. `app/bench/paper.py` sets it as a PDF instead.
"""

import random
from dataclasses import dataclass

from model.training.facts import FACTS, Fact, FactSource, Split, words

KINDS = (
    "Invoice", "Letter", "Annual report", "Order form", "Minutes", "Rental agreement", "Delivery note", "Application",
    "Notice", "Certificate", "Work order", "Quotation", "Travel booking", "Contract", "Receipt",
)  # fmt: skip


Pair = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """What stands in a document, and what can be asked about it: pairs of a question and its answer."""

    kind: str
    heading: tuple[str, ...]  # lines
    fields: tuple[Fact, ...]  # with their labels
    sentences: tuple[str, ...]
    table: tuple[tuple[str, ...], ...]  # rows, the first of them names the columns; may be empty
    footer: str  # may be empty
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A generated document as text, and the pairs of its sketch."""

    text: str
    pairs: tuple[Pair, ...]


def distinct_facts(source: FactSource, count: int) -> list[Fact]:
    """`count` facts (some hundred at most) of which no two are called the same."""
    facts: dict[str, Fact] = {}
    while len(facts) < count:
        fact = source.rng.choice(FACTS)(source)
        facts.setdefault(fact.label.lower(), fact)
    return list(facts.values())


def _item_table(source: FactSource) -> tuple[list[tuple[str, ...]], list[Pair]]:
    """A price list or an order: rows of item, quantity and price, and questions about single cells."""
    rows: list[tuple[str, ...]] = [("Item", "Quantity", "Price")]
    pairs: list[Pair] = []
    for item in source.rng.sample(words()["items"], source.rng.randint(2, 5)):
        quantity, price = str(source.rng.randint(1, 60)), source.amount(1, 900)
        rows.append((item.capitalize(), quantity, price))
        pairs.append((f"How many of {item} were ordered?", quantity))
        pairs.append((f"What is the quantity of {item}?", quantity))
        pairs.append((f"What is the price of the {item}?", price))
        pairs.append((f"How much does the {item} cost?", price))
    return rows, pairs


def _heading(source: FactSource, kind: str) -> tuple[list[str], list[Pair]]:
    """The top of the page, and what can be asked about it."""
    company, code = source.company(), source.code()
    plain = source.rng.choice([kind, kind.upper()])
    numbered = source.rng.random() < 0.3
    title = f"{plain} {source.rng.choice(['', 'No. ', 'no. '])}{code}" if numbered else plain
    address = source.rng.choice([[], [], [source.address()]])
    lines = source.rng.choice([[company, *address, title], [title, company]])
    return lines, [(f"What is the {kind.lower()} number?", code)] if numbered else []


def _ask_otherwise(question: str, kind: str, rng: random.Random) -> str:
    """The same question as somebody else would ask it."""
    if len(question.split()) < 4 or rng.random() < 0.6:
        return question
    where = rng.choice(["of the {}", "in the {}", "according to the {}", "in this {}", "on the {}"]).format(
        kind.lower()
    )
    return f"{question[:-1]} {where}{question[-1]}"


def make_sketch(source: FactSource) -> Sketch:
    """4 to 11 facts, some as fields, some in sentences, often with a table."""
    rng, kind = source.rng, source.rng.choice(KINDS)
    facts = distinct_facts(source, rng.randint(4, 9))
    listed = [fact for fact in facts if not fact.told_only]
    fields = listed[: rng.randint(0, len(listed))]
    sentences = [fact.sentence for fact in facts if fact not in fields]
    if sentences:
        sentences += rng.sample(words()["fillers"], rng.choice([0, 0, 1, 3]))
    rng.shuffle(sentences)
    heading, pairs = _heading(source, kind)
    pairs += [(rng.choice(fact.questions), fact.value) for fact in facts]
    table: list[tuple[str, ...]] = []
    if rng.random() < 0.45:
        table, cells = _item_table(source)
        pairs += rng.sample(cells, 3)
    rng.shuffle(pairs)
    footer = f"{source.company()}, {kind.lower()}, page {rng.randint(1, 9)} of 9" if rng.random() < 0.3 else ""
    return Sketch(
        kind=kind,
        heading=tuple(heading),
        fields=tuple(fields),
        sentences=tuple(sentences),
        table=tuple(table),
        footer=footer,
        pairs=tuple((_ask_otherwise(question, kind, rng), answer) for question, answer in pairs),
    )


def make_record(rng: random.Random, split: Split) -> Record:
    """One document of 60 to 250 tokens as text."""
    sketch = make_sketch(FactSource(rng, split))
    blocks = []
    if sketch.fields:
        style = rng.choice(["{}: {}", "{} {}", "{}\n{}", "{}:\n{}", "{}  {}", "{}. {}", "{} | {}", "{} - {}"])
        blocks.append("\n".join(style.format(fact.label, fact.value) for fact in sketch.fields))
    if sketch.sentences:
        blocks.append(_broken(" ".join(sketch.sentences), rng.choice([48, 72, 96, 10_000])))
    if sketch.table:
        gap = rng.choice([" ", "  ", " | ", "\n"])
        blocks.append("\n".join(gap.join(row) for row in sketch.table))
    rng.shuffle(blocks)
    blocks = ["\n".join(sketch.heading), *blocks, *([sketch.footer] if sketch.footer else [])]
    return Record(text=rng.choice(["\n", "\n\n"]).join(blocks), pairs=sketch.pairs)


def _broken(text: str, width: int) -> str:
    """The text in lines of less than `width` characters, broken at single spaces."""
    lines, line = [], ""
    for word in text.split(" "):
        if len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])
