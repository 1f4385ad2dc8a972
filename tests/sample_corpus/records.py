"""Record types of the knowledge tables and the parsers of their line format.

A table is one string. ``# name`` opens a record, ``key: value`` adds a field, a line that starts with two
spaces continues the value above it, and ``- text`` adds one fact. Lists are separated by ``"; "`` and clauses
or structured entries by ``" | "``. A plain format keeps the facts readable next to each other, which matters
because their correctness can only be checked by reading.
"""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Test:
    """A diagnostic test of a condition: its name, the typical finding and the finding as a note states it."""

    name: str
    typical: str
    noted: str


@dataclasses.dataclass(frozen=True)
class Prescription:
    """A drug with the dose that a clinical note may state."""

    drug: str
    dose: str


@dataclasses.dataclass(frozen=True)
class Imaging:
    """The radiology report of a condition."""

    modality: str
    findings: tuple[str, ...]
    impression: str


@dataclasses.dataclass(frozen=True)
class Condition:
    """A disease with everything that articles and notes may say about it."""

    name: str
    short: str
    field: str
    sex: str
    ages: tuple[int, int]
    informant: str
    vitals: tuple[str, ...]
    onsets: tuple[str, ...]
    definition: str
    mechanisms: tuple[str, ...]
    epidemiology: tuple[str, ...]
    risks: tuple[str, ...]
    symptoms: tuple[str, ...]
    silent: str
    signs: tuple[str, ...]
    negatives: tuple[str, ...]
    tests: tuple[Test, ...]
    differentials: tuple[str, ...]
    first_line: tuple[str, ...]
    second_line: tuple[str, ...]
    prescriptions: tuple[Prescription, ...]
    pick: int
    acute: tuple[str, ...]
    home: tuple[str, ...]
    complications: tuple[str, ...]
    outlook: tuple[str, ...]
    follow_up: tuple[str, ...]
    advice: tuple[str, ...]
    warnings: tuple[str, ...]
    imaging: Imaging | None
    course: tuple[str, ...]
    nursing: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Drug:
    """A drug monograph."""

    name: str
    drug_class: str
    mechanism: str
    kinetics: tuple[str, ...]
    uses: tuple[str, ...]
    common_effects: tuple[str, ...]
    serious_effects: tuple[str, ...]
    avoid: tuple[str, ...]
    monitoring: tuple[str, ...]
    interaction: str
    dose: str
    advice: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Lab:
    """A laboratory test with its usual adult range."""

    name: str
    reference: str
    what: str
    high: tuple[str, ...]
    low: tuple[str, ...]
    notes: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Topic:
    """A subject with facts that can be read in any order."""

    name: str
    facts: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Animal:
    """An animal (named in the plural) with clauses about it."""

    name: str
    group: str
    home: str
    food: str
    size: str
    facts: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Country:
    """A country with stable facts."""

    name: str
    place: str
    capital: str
    language: str
    neighbors: tuple[str, ...]
    nature: tuple[str, ...]
    products: str
    landmark: str


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A recipe with its steps in order."""

    name: str
    serves: str
    ingredients: tuple[str, ...]
    steps: tuple[str, ...]
    tips: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Plot:
    """A plot: sets of slot values that belong together, and the wordings of each step."""

    name: str
    slots: tuple[tuple[tuple[str, str], ...], ...]
    steps: tuple[tuple[str, ...], ...]


def parse_blocks(text: str) -> list[tuple[str, dict[str, str], list[str]]]:
    """Splits a table into ``(name, fields, facts)`` triples.

    Args:
        text: A table in the line format of this module.

    Returns:
        One triple per record, in the order of the table.

    Raises:
        ValueError: If a line has no place in the format or a field occurs twice.
    """
    blocks: list[tuple[str, dict[str, str], list[str]]] = []
    key = ""
    for line in text.splitlines():
        if not line.strip():
            continue
        if line.startswith("# "):
            blocks.append((line[2:].strip(), {}, []))
            key = ""
            continue
        name, fields, facts = blocks[-1]
        if line.startswith("  "):
            if key:
                fields[key] += " " + line.strip()
            else:
                facts[-1] += " " + line.strip()
        elif line.startswith("- "):
            facts.append(line[2:].strip())
            key = ""
        else:
            key, separator, value = line.partition(":")
            if not separator or key in fields:
                raise ValueError(f"{name}: bad line {line!r}")
            fields[key] = value.strip()
    return blocks


def _items(value: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in value.split("; ") if item.strip())


def _clauses(value: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in value.split(" | ") if item.strip())


def _imaging(value: str) -> Imaging | None:
    if not value:
        return None
    modality, findings, impression = value.split(" => ")
    return Imaging(modality, _items(findings), impression)


def _prescriptions(value: str) -> tuple[Prescription, ...]:
    return tuple(Prescription(*entry.split(" = ")) for entry in _clauses(value))


def _condition(name: str, fields: dict[str, str]) -> Condition:
    low, high = fields["age"].split("-")
    prescriptions = _prescriptions(fields.get("rx", ""))
    every_drug = "; ".join(p.drug for p in prescriptions)
    symptoms = _items(fields["sx"])
    home = fields.get("home", every_drug)
    acute = fields.get("acute", every_drug)
    return Condition(
        name=name,
        short=fields.get("short", name),
        field=fields["field"],
        sex=fields.get("sex", "any"),
        ages=(int(low), int(high)),
        informant=fields.get("informant", "self"),
        vitals=tuple(fields.get("vitals", "").split()),
        onsets=_items(fields["onset"]),
        definition=fields["def"],
        mechanisms=_clauses(fields["mech"]),
        epidemiology=_clauses(fields["epi"]),
        risks=_items(fields["risk"]),
        symptoms=tuple(s for s in symptoms if not s.startswith("no symptoms")),
        silent=next((s for s in symptoms if s.startswith("no symptoms")), ""),
        signs=_items(fields["signs"]),
        negatives=_items(fields["neg"]),
        tests=tuple(Test(*(part.strip() for part in t.split(" => "))) for t in _clauses(fields["tests"])),
        differentials=_items(fields["ddx"]),
        first_line=_items(fields["tx1"]),
        second_line=_items(fields["tx2"]),
        prescriptions=prescriptions,
        pick=int(fields.get("pick", len(prescriptions))),
        acute=() if acute == "none" else _items(acute),
        home=() if home == "none" else _items(home),
        complications=_items(fields["comp"]),
        outlook=_clauses(fields["prog"]),
        follow_up=_items(fields["fu"]),
        advice=_items(fields["teach"]),
        warnings=_items(fields["warn"]),
        imaging=_imaging(fields.get("img", "")),
        course=_clauses(fields.get("course", "")),
        nursing=_items(fields.get("nurse", "")),
    )


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """Parses a table of conditions."""
    return tuple(_condition(name, fields) for name, fields, _ in parse_blocks(text))


def parse_drugs(text: str) -> tuple[Drug, ...]:
    """Parses a table of drugs."""
    return tuple(
        Drug(
            name=name,
            drug_class=fields["class"],
            mechanism=fields["mech"],
            kinetics=_clauses(fields["pk"]),
            uses=_items(fields["use"]),
            common_effects=_items(fields["ae"]),
            serious_effects=_items(fields["serious"]),
            avoid=_items(fields["avoid"]),
            monitoring=_items(fields["mon"]),
            interaction=fields["inter"],
            dose=fields["dose"],
            advice=_items(fields["teach"]),
        )
        for name, fields, _ in parse_blocks(text)
    )


def parse_labs(text: str) -> tuple[Lab, ...]:
    """Parses a table of laboratory tests."""
    return tuple(
        Lab(
            name=name,
            reference=fields["range"],
            what=fields["what"],
            high=_items(fields["high"]),
            low=_items(fields["low"]),
            notes=_clauses(fields["note"]),
        )
        for name, fields, _ in parse_blocks(text)
    )


def parse_topics(text: str) -> tuple[Topic, ...]:
    """Parses a table of topics with facts."""
    return tuple(Topic(name, tuple(facts)) for name, _, facts in parse_blocks(text))


def parse_animals(text: str) -> tuple[Animal, ...]:
    """Parses a table of animals."""
    return tuple(
        Animal(name, f["group"], f["home"], f["food"], f["size"], _clauses(f["fact"]))
        for name, f, _ in parse_blocks(text)
    )


def parse_countries(text: str) -> tuple[Country, ...]:
    """Parses a table of countries."""
    countries = []
    for name, f, _ in parse_blocks(text):
        products, landmark = _clauses(f["known"])
        countries.append(
            Country(
                name=name,
                place=f["place"],
                capital=f["capital"],
                language=f["language"],
                neighbors=_items(f["near"]),
                nature=_clauses(f["nature"]),
                products=products,
                landmark=landmark,
            )
        )
    return tuple(countries)


def parse_recipes(text: str) -> tuple[Recipe, ...]:
    """Parses a table of recipes."""
    return tuple(
        Recipe(name, f["serves"], _items(f["need"]), _clauses(f["steps"]), _items(f["tip"]))
        for name, f, _ in parse_blocks(text)
    )


def parse_plots(text: str) -> tuple[Plot, ...]:
    """Parses a table of plots."""
    plots = []
    for name, _, lines in parse_blocks(text):
        slots = [line.removeprefix("slots: ") for line in lines if line.startswith("slots: ")]
        steps = [line.removeprefix("step: ") for line in lines if line.startswith("step: ")]
        plots.append(
            Plot(
                name,
                tuple(tuple(_pair(item) for item in _items(values)) for values in slots),
                tuple(_clauses(step) for step in steps),
            )
        )
    return tuple(plots)


def _pair(item: str) -> tuple[str, str]:
    name, value = item.split(" = ")
    return name, value
