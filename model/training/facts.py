"""Facts for generated documents: a field, its value, and the ways to ask for it.

Names, places and things for training and for checking come from disjoint parts of the lists (`split`), so that a
checked value was never seen.
"""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

Split = Literal["train", "check"]

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A field of a document. `sentence` tells it in prose; questions ask for it."""

    label: str
    value: str
    questions: tuple[str, ...]
    sentence: str = ""
    told_only: bool = False  # set in a sentence, never as a field with a label


@cache
def words() -> dict[str, list]:
    """Names, places, things: the lists that records draw from."""
    lists: dict[str, list] = json.loads(Path(__file__).with_name("words.json").read_text(encoding="utf-8"))
    return lists


class FactSource:
    """Draws names, amounts and dates from one half of the lists."""

    def __init__(self, rng: random.Random, split: Split) -> None:
        self.rng = rng
        self.split = split

    def pick(self, kind: str) -> str:
        """A word of that kind, from this split's part of the list."""
        values = words()[kind]
        cut = len(values) * 3 // 4
        return self.rng.choice(values[:cut] if self.split == "train" else values[cut:])

    def person(self) -> str:
        title = self.rng.choice(["", "", "", "Dr. ", "Ms. ", "Mr. "])
        return f"{title}{self.pick('first_names')} {self.pick('last_names')}"

    def company(self) -> str:
        tail = self.rng.choice(["", "", " Ltd", " Inc.", " GmbH", " & Co.", " LLC", " S.A."])
        return f"{self.pick('company_names')} {self.pick('company_kinds')}{tail}"

    def date(self) -> str:
        """A day between 1994 and 2029, as one of six ways writes it."""
        day, month, year = self.rng.randint(1, 28), self.rng.randint(1, 12), self.rng.randint(1994, 2029)
        name = _MONTHS[month - 1]
        return self.rng.choice(
            [
                f"{day} {name} {year}",
                f"{name} {day}, {year}",
                f"{day:02}/{month:02}/{year}",
                f"{year}-{month:02}-{day:02}",
                f"{day:02}.{month:02}.{year}",
                f"{name[:3]} {day}, {year}",
            ]
        )

    def amount(self, low: int = 3, high: int = 90_000) -> str:
        value = round(self.rng.uniform(low, high) ** self.rng.choice([1, 0.7]), 2)
        sign = self.rng.choice(["${}", "€{}", "£{}", "{} EUR", "USD {}", "{} €", "{}", "CHF {}"])
        return sign.format(self.rng.choice([f"{value:,.2f}", f"{value:.2f}", f"{int(value):,}"]))

    def code(self) -> str:
        letters = "".join(self.rng.choices("ABCDEFGHKLMNPRSTUVWX", k=self.rng.randint(1, 3)))
        digits = "".join(self.rng.choices("0123456789", k=self.rng.randint(3, 7)))
        return self.rng.choice(
            [f"{letters}-{digits}", digits, f"{letters}{digits}", f"{digits[:3]}/{digits[3:] or '7'}"]
        )

    def phone(self) -> str:
        return f"+{self.rng.randint(1, 99)} {self.rng.randint(100, 999)} {self.rng.randint(100000, 9999999)}"

    def email(self) -> str:
        host = self.pick("company_names") + self.pick("company_kinds")
        return f"{self.pick('first_names')}.{self.pick('last_names')}@{host}.com".lower()

    def address(self) -> str:
        street = self.rng.choice(["Street", "Road", "Avenue", "Lane", "Square"])
        return f"{self.rng.randint(1, 240)} {self.pick('company_names')} {street}, {self.pick('places')}"

    def quantity(self) -> str:
        return self.rng.choice([str(self.rng.randint(2, 990)), f"{self.rng.randint(1000, 99999):,}"])


def _ask(label: str, *more: str) -> tuple[str, ...]:
    low = label.lower()
    asked = (
        f"What is the {low}?",
        f"{label}?",
        f"Which {low} is given?",
        f"What {low} is stated?",
        f"Tell me the {low}.",
    )
    return (*asked, *more)


def _person_fact(source: FactSource) -> Fact:
    role, person = source.pick("roles"), source.person()
    return Fact(
        label=role.capitalize(),
        value=person,
        questions=(f"Who is the {role}?", f"What is the name of the {role}?", f"Who is named as {role}?"),
        sentence=source.rng.choice(
            [f"The {role} is {person}.", f"{person} is the {role}.", f"As {role} we name {person}."]
        ),
    )


def _date_fact(source: FactSource) -> Fact:
    label, verb, told = source.rng.choice(
        [
            ("Due date", "is the payment due", "Payment is due on {}."),
            ("Delivery date", "is the delivery", "The goods will be delivered on {}."),
            ("Start date", "does it start", "Work starts on {}."),
            ("End date", "does it end", "It ends on {}."),
            ("Date of issue", "was it issued", "This paper was issued on {}."),
            ("Meeting date", "is the meeting", "The meeting takes place on {}."),
            ("Inspection date", "was the inspection", "The inspection was carried out on {}."),
            ("Date of birth", "was the person born", "The person was born on {}."),
            ("Departure", "is the departure", "Departure is on {}."),
            ("Expiry date", "does it expire", "It expires on {}."),
        ]
    )
    value = source.date()
    return Fact(label=label, value=value, questions=_ask(label, f"When {verb}?"), sentence=told.format(value))


def _amount_fact(source: FactSource) -> Fact:
    label, told = source.rng.choice(
        [
            ("Total", "The total comes to {}."),
            ("Subtotal", "Before tax this is {}."),
            ("VAT", "Tax of {} is included."),
            ("Deposit", "A deposit of {} is required."),
            ("Monthly rent", "The rent is {} a month."),
            ("Grant", "A grant of {} was awarded."),
            ("Salary", "The salary is {} a year."),
            ("Shipping cost", "Shipping costs {}."),
            ("Membership fee", "The membership fee is {}."),
            ("Budget", "The budget for this is {}."),
            ("Discount", "A discount of {} applies."),
            ("Balance due", "There remains a balance of {}."),
        ]
    )
    value = source.amount()
    low = label.lower()
    return Fact(
        label=label,
        value=value,
        questions=_ask(label, f"How much is the {low}?", f"State the {low}."),
        sentence=told.format(value),
    )


def _code_fact(source: FactSource) -> Fact:
    label = source.rng.choice(
        ["Invoice number", "Order number", "Customer number", "Reference", "Contract number", "Ticket number",
         "Serial number", "Policy number", "Tax number", "Booking code", "Case number", "Room", "Account"]
    )  # fmt: skip
    value = source.code()
    return Fact(label=label, value=value, questions=_ask(label), sentence=f"The {label.lower()} is {value}.")


def _contact_fact(source: FactSource) -> Fact:
    label, value, question = source.rng.choice(
        [
            ("Phone", source.phone(), "What is the phone number?"),
            ("E-mail", source.email(), "What is the e-mail address?"),
            ("Address", source.address(), "What is the address?"),
            ("Place", source.pick("places"), "Where does it take place?"),
            ("City", source.pick("places"), "In which city is it?"),
            ("Company", source.company(), "Which company is named?"),
            ("Supplier", source.company(), "Who is the supplier?"),
            ("Customer", source.company(), "Who is the customer?"),
            ("Issued by", source.company(), "Who issued this document?"),
        ]
    )
    return Fact(label=label, value=value, questions=(question, *_ask(label)), sentence=f"{label}: {value}.")


def _measure_fact(source: FactSource) -> Fact:
    label, value = source.pick("measures"), source.quantity()
    year = source.rng.randint(1999, 2027)
    return Fact(
        label=f"{label.capitalize()}",
        value=value,
        questions=_ask(label, f"How high was the {label} in {year}?", f"What was the {label}?"),
        sentence=f"In {year} the {label} came to {value}.",
    )


def _event_fact(source: FactSource) -> Fact:
    """A fact that is told in a sentence only, as letters and reports do."""
    kind, draw = source.rng.choice(
        [
            ("person", source.person),
            ("date", source.date),
            ("quantity", source.quantity),
            ("amount", source.amount),
            ("places", lambda: source.pick("places")),
            ("company", source.company),
        ]
    )
    told, question = source.rng.choice(words()[f"events {kind}"])
    value = draw()
    return Fact(label=question, value=value, questions=(question,), sentence=told.format(value), told_only=True)


FACTS: tuple[Callable[[FactSource], Fact], ...] = (
    _person_fact, _date_fact, _amount_fact, _code_fact, _contact_fact, _measure_fact, _event_fact, _event_fact
)  # fmt: skip
