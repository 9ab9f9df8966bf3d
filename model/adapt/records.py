"""Generated documents with known answers: letters, invoices, reports, forms, tables, notices.

Each is a list of facts (a field, its value, ways to ask for it) set as text the way PDF text comes out: label and value
on one line, on two lines, in a sentence, or in a table row. Names and phrasings for training and for checking come from
disjoint halves of the lists (`split`), so that a checked value was never seen.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "check"]

_FIRST = [
    "Ada",
    "Amir",
    "Anna",
    "Bao",
    "Boris",
    "Carla",
    "Chidi",
    "Clara",
    "Daniel",
    "Devi",
    "Diego",
    "Elena",
    "Emeka",
    "Erik",
    "Fatima",
    "Felix",
    "Grace",
    "Hana",
    "Hugo",
    "Ines",
    "Isaac",
    "Ivan",
    "Jane",
    "Jonas",
    "Julia",
    "Karim",
    "Kenji",
    "Lars",
    "Leila",
    "Linda",
    "Lucas",
    "Maja",
    "Marco",
    "Maria",
    "Mehmet",
    "Mina",
    "Nadia",
    "Noah",
    "Olga",
    "Omar",
    "Paul",
    "Petra",
    "Priya",
    "Rachel",
    "Rafael",
    "Rosa",
    "Ruth",
    "Samir",
    "Sara",
    "Sofia",
    "Stefan",
    "Tara",
    "Thomas",
    "Tomas",
    "Uma",
    "Vera",
    "Victor",
    "Wei",
    "Yara",
    "Yusuf",
    "Zoe",
]
_LAST = [
    "Abbott",
    "Achterberg",
    "Adeyemi",
    "Alvarez",
    "Baker",
    "Becker",
    "Bianchi",
    "Brandt",
    "Castro",
    "Chen",
    "Clarke",
    "Costa",
    "Dahl",
    "Diaz",
    "Dubois",
    "Eriksen",
    "Ferrari",
    "Fischer",
    "Foster",
    "Garcia",
    "Grant",
    "Haddad",
    "Hansen",
    "Hoffmann",
    "Ivanova",
    "Jansen",
    "Johnson",
    "Kaplan",
    "Keller",
    "Khan",
    "Kim",
    "Kowalski",
    "Larsen",
    "Lopez",
    "Martin",
    "Meyer",
    "Moreau",
    "Murphy",
    "Nguyen",
    "Novak",
    "Okafor",
    "Olsen",
    "Patel",
    "Pereira",
    "Quinn",
    "Rao",
    "Richter",
    "Rossi",
    "Sanders",
    "Sato",
    "Schmidt",
    "Silva",
    "Singh",
    "Tanaka",
    "Taylor",
    "Thomsen",
    "Torres",
    "Vogel",
    "Walker",
    "Weber",
    "Wilson",
    "Wong",
    "Yilmaz",
    "Young",
    "Zhang",
    "Ziegler",
]
_PLACES = [
    "Aarhus",
    "Antwerp",
    "Bergen",
    "Bologna",
    "Boston",
    "Bristol",
    "Cardiff",
    "Chicago",
    "Cologne",
    "Dublin",
    "Dundee",
    "Exeter",
    "Geneva",
    "Ghent",
    "Girona",
    "Granada",
    "Hamburg",
    "Helsinki",
    "Izmir",
    "Jakarta",
    "Krakow",
    "Leeds",
    "Leipzig",
    "Lisbon",
    "Lyon",
    "Malmo",
    "Marseille",
    "Milan",
    "Montreal",
    "Munich",
    "Nairobi",
    "Nantes",
    "Naples",
    "Oslo",
    "Ottawa",
    "Perth",
    "Porto",
    "Prague",
    "Quito",
    "Riga",
    "Rotterdam",
    "Seattle",
    "Seville",
    "Tallinn",
    "Turin",
    "Utrecht",
    "Valencia",
    "Vienna",
    "Warsaw",
    "York",
    "Zagreb",
    "Zurich",
]
_TRADE = [
    "Alpine",
    "Amber",
    "Anchor",
    "Apex",
    "Aurora",
    "Beacon",
    "Blue",
    "Bright",
    "Cedar",
    "Central",
    "Clear",
    "Coastal",
    "Copper",
    "Crescent",
    "Crystal",
    "Delta",
    "Eagle",
    "East",
    "Elm",
    "Emerald",
    "Falcon",
    "First",
    "Forest",
    "Global",
    "Golden",
    "Grand",
    "Green",
    "Harbor",
    "Highland",
    "Horizon",
    "Iron",
    "Lake",
    "Maple",
    "Marble",
    "Meridian",
    "Metro",
    "Mountain",
    "Noble",
    "Northern",
    "Oak",
    "Ocean",
    "Orchid",
    "Pacific",
    "Pine",
    "Pioneer",
    "Prime",
    "Quarry",
    "River",
    "Rock",
    "Royal",
    "Silver",
    "Solar",
    "Southern",
    "Stone",
    "Summit",
    "Sunrise",
    "Swift",
    "Terra",
    "Union",
    "Valley",
    "Velvet",
    "Vista",
    "West",
    "Willow",
]
_KIND = [
    "Bakery",
    "Books",
    "Brothers",
    "Builders",
    "Catering",
    "Clinic",
    "Consulting",
    "Electric",
    "Energy",
    "Engineering",
    "Farms",
    "Foods",
    "Freight",
    "Furniture",
    "Gardens",
    "Glass",
    "Group",
    "Hardware",
    "Hotels",
    "Insurance",
    "Kitchens",
    "Labs",
    "Logistics",
    "Machines",
    "Media",
    "Motors",
    "Museum",
    "Optics",
    "Outfitters",
    "Paper",
    "Partners",
    "Pharmacy",
    "Plumbing",
    "Press",
    "Printing",
    "Roofing",
    "Security",
    "Services",
    "Software",
    "Solutions",
    "Studio",
    "Supplies",
    "Systems",
    "Textiles",
    "Tiles",
    "Tools",
    "Trading",
    "Transport",
    "Travel",
    "Ventures",
    "Works",
]
_ITEMS = """adhesive tape,air filter,alarm clock,armchair,backpack,bicycle pump,blanket,bookshelf,box of screws,brass hinge,
bucket,cable reel,camera tripod,candle,carpet,ceiling lamp,clipboard,coffee grinder,copper pipe,cotton towel,cutting board,
desk lamp,door handle,drill bit,electric kettle,envelope,extension cord,fire blanket,flower pot,folding chair,garden hose,
glass jar,glue stick,hammer,headphones,helmet,iron gate,jar of honey,keyboard,ladder,laptop stand,leather belt,light bulb,
mirror,mouse pad,notebook,office chair,oil filter,paint roller,paper clip,picture frame,pillow,plywood sheet,printer toner,
rain jacket,router,safety gloves,saucepan,screwdriver,shower curtain,sofa cover,solar lamp,spare tyre,stapler,steel beam,
suitcase,sunglasses,table cloth,tea pot,thermos flask,toolbox,torch,umbrella,USB cable,vacuum cleaner,wall paint,
wash basin,water filter,whiteboard,window blind,wood varnish,wool scarf""".replace("\n", "").split(",")
_ROLES = """chair,treasurer,secretary,head of sales,site manager,project lead,chief engineer,head librarian,auditor,
safety officer,contact person,tenant,landlord,buyer,seller,driver,technician,editor,curator,coordinator,inspector,
accountant,supervisor,doctor,patient,applicant,sponsor,speaker,host,author""".replace("\n", "").split(",")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MEASURES = """number of visitors,members,employees,loans,new readers,orders,deliveries,complaints,events,volunteers,
average rating,total distance,energy use,water use,floor area,waiting time,opening days,pages printed,seats,
trees planted""".replace("\n", "").split(",")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A field of a document. `sentence` tells it in prose; questions ask for it."""

    label: str
    value: str
    questions: tuple[str, ...]
    sentence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A generated document and what can be asked about it: pairs of a question and its answer."""

    text: str
    pairs: tuple[tuple[str, str], ...]


class _Source:
    """Draws names, amounts and dates from one half of the lists."""

    def __init__(self, rng: random.Random, split: Split) -> None:
        self.rng = rng
        self.split = split

    def pick(self, values: list[str]) -> str:
        cut = len(values) * 3 // 4
        return self.rng.choice(values[:cut] if self.split == "train" else values[cut:])

    def person(self) -> str:
        title = self.rng.choice(["", "", "", "Dr. ", "Ms. ", "Mr. "])
        return f"{title}{self.pick(_FIRST)} {self.pick(_LAST)}"

    def company(self) -> str:
        tail = self.rng.choice(["", "", " Ltd", " Inc.", " GmbH", " & Co.", " LLC", " S.A."])
        return f"{self.pick(_TRADE)} {self.pick(_KIND)}{tail}"

    def date(self) -> str:
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
        return f"{self.pick(_FIRST)}.{self.pick(_LAST)}@{self.pick(_TRADE)}{self.pick(_KIND)}.com".lower()

    def address(self) -> str:
        street = self.rng.choice(["Street", "Road", "Avenue", "Lane", "Square"])
        return f"{self.rng.randint(1, 240)} {self.pick(_TRADE)} {street}, {self.pick(_PLACES)}"

    def quantity(self) -> str:
        return self.rng.choice([str(self.rng.randint(2, 990)), f"{self.rng.randint(1000, 99999):,}"])


def _ask(label: str, *more: str) -> tuple[str, ...]:
    return (f"What is the {label.lower()}?", f"{label}?", f"Which {label.lower()} is given?", *more)


def _person_fact(source: _Source) -> Fact:
    role, person = source.pick(_ROLES), source.person()
    return Fact(
        label=role.capitalize(),
        value=person,
        questions=(f"Who is the {role}?", f"What is the name of the {role}?", f"Who is named as {role}?"),
        sentence=source.rng.choice(
            [f"The {role} is {person}.", f"{person} is the {role}.", f"As {role} we name {person}."]
        ),
    )


def _date_fact(source: _Source) -> Fact:
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


def _amount_fact(source: _Source) -> Fact:
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


def _code_fact(source: _Source) -> Fact:
    label = source.rng.choice(
        ["Invoice number", "Order number", "Customer number", "Reference", "Contract number", "Ticket number",
         "Serial number", "Policy number", "Tax number", "Booking code", "Case number", "Room", "Account"]
    )  # fmt: skip
    value = source.code()
    return Fact(label=label, value=value, questions=_ask(label), sentence=f"The {label.lower()} is {value}.")


def _contact_fact(source: _Source) -> Fact:
    label, value, question = source.rng.choice(
        [
            ("Phone", source.phone(), "What is the phone number?"),
            ("E-mail", source.email(), "What is the e-mail address?"),
            ("Address", source.address(), "What is the address?"),
            ("Place", source.pick(_PLACES), "Where does it take place?"),
            ("City", source.pick(_PLACES), "In which city is it?"),
            ("Company", source.company(), "Which company is named?"),
            ("Supplier", source.company(), "Who is the supplier?"),
            ("Customer", source.company(), "Who is the customer?"),
            ("Issued by", source.company(), "Who issued this document?"),
        ]
    )
    return Fact(label=label, value=value, questions=(question, *_ask(label)), sentence=f"{label}: {value}.")


def _measure_fact(source: _Source) -> Fact:
    label, value = source.pick(_MEASURES), source.quantity()
    year = source.rng.randint(1999, 2027)
    return Fact(
        label=f"{label.capitalize()}",
        value=value,
        questions=_ask(label, f"How high was the {label} in {year}?", f"What was the {label}?"),
        sentence=f"In {year} the {label} came to {value}.",
    )


_FACTS: tuple[Callable[[_Source], Fact], ...] = (
    _person_fact, _date_fact, _amount_fact, _code_fact, _contact_fact, _measure_fact
)  # fmt: skip


def _facts(source: _Source, count: int) -> list[Fact]:
    facts: dict[str, Fact] = {}
    while len(facts) < count:
        fact = source.rng.choice(_FACTS)(source)
        facts.setdefault(fact.label.lower(), fact)
    return list(facts.values())


def _set_as_lines(source: _Source, facts: list[Fact]) -> str:
    style = source.rng.choice(["{}: {}", "{} {}", "{}\n{}", "{}:\n{}", "{}  {}", "{}. {}", "{} | {}", "{} - {}"])
    return "\n".join(style.format(fact.label, fact.value) for fact in facts)


def _set_as_prose(source: _Source, facts: list[Fact]) -> str:
    width = source.rng.choice([48, 72, 96, 10_000])
    lines, line = [], ""
    for word in " ".join(fact.sentence for fact in facts).split(" "):
        if len(line) + len(word) >= width:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def _item_table(source: _Source) -> tuple[str, list[tuple[str, str]]]:
    """A price list or an order: rows of item, quantity and price, and questions about single cells."""
    gap = source.rng.choice([" ", "  ", " | ", "\n"])
    rows, pairs = [gap.join(["Item", "Quantity", "Price"])], []
    items = source.rng.sample(_ITEMS, source.rng.randint(2, 5))
    for item in items:
        quantity, price = str(source.rng.randint(1, 60)), source.amount(1, 900)
        rows.append(gap.join([item.capitalize(), quantity, price]))
        pairs.append((f"How many of {item} were ordered?", quantity))
        pairs.append((f"What is the quantity of {item}?", quantity))
        pairs.append((f"What is the price of the {item}?", price))
        pairs.append((f"How much does the {item} cost?", price))
    return "\n".join(rows), pairs


def _heading(source: _Source) -> str:
    kind = source.rng.choice(
        ["INVOICE", "Letter of confirmation", "Annual report", "Order form", "Minutes", "Rental agreement",
         "Delivery note", "Application", "Notice", "Certificate", "Work order", "Quotation", "Travel booking"]
    )  # fmt: skip
    company = source.company()
    return source.rng.choice([f"{company}\n{kind}", f"{kind}\n{company}", f"{company}\n{source.address()}\n{kind}"])


def make_record(rng: random.Random, split: Split) -> Record:
    """One document of 60 to 200 tokens with 4 to 10 facts, some in lines, some in prose, often with a table."""
    source = _Source(rng, split)
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
