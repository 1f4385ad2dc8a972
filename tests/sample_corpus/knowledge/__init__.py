"""Hand-written facts from which the sample corpus is composed.

The modules of this package hold plain text in a small line format (see
``tests.sample_corpus.records``); the functions here parse it once and return immutable records.
"""

from __future__ import annotations

import functools

from tests.sample_corpus import records
from tests.sample_corpus.knowledge import (
    animals,
    blood_joint_skin,
    bowel,
    brain_mind,
    countries,
    digestion,
    drugs_circulation,
    drugs_infection,
    drugs_metabolism,
    drugs_nerves,
    heart,
    hormones,
    infection_family,
    kidneys,
    labs,
    lungs,
    physiology,
    plots,
    recipes,
    topics_crafts,
    topics_culture,
    topics_nature,
    vessels,
)

_CONDITION_MODULES = (
    heart,
    vessels,
    lungs,
    hormones,
    kidneys,
    digestion,
    bowel,
    brain_mind,
    blood_joint_skin,
    infection_family,
)
_DRUG_MODULES = (drugs_metabolism, drugs_circulation, drugs_infection, drugs_nerves)
_TOPIC_MODULES = (topics_nature, topics_crafts, topics_culture)


@functools.cache
def load_conditions() -> tuple[records.Condition, ...]:
    """Returns all conditions in a fixed order."""
    return tuple(c for module in _CONDITION_MODULES for c in records.parse_conditions(module.TEXT))


@functools.cache
def load_drugs() -> tuple[records.Drug, ...]:
    """Returns all drug monograph records in a fixed order."""
    return tuple(d for module in _DRUG_MODULES for d in records.parse_drugs(module.TEXT))


@functools.cache
def load_labs() -> tuple[records.Lab, ...]:
    """Returns all laboratory tests in a fixed order."""
    return records.parse_labs(labs.TEXT)


@functools.cache
def load_physiology() -> tuple[records.Topic, ...]:
    """Returns the topics of physiology, pharmacology and clinical method."""
    return records.parse_topics(physiology.TEXT)


@functools.cache
def load_topics() -> tuple[records.Topic, ...]:
    """Returns the topics of general knowledge."""
    return tuple(t for module in _TOPIC_MODULES for t in records.parse_topics(module.TEXT))


@functools.cache
def load_animals() -> tuple[records.Animal, ...]:
    """Returns the animals."""
    return records.parse_animals(animals.TEXT)


@functools.cache
def load_countries() -> tuple[records.Country, ...]:
    """Returns the countries."""
    return records.parse_countries(countries.TEXT)


@functools.cache
def load_recipes() -> tuple[records.Recipe, ...]:
    """Returns the recipes."""
    return records.parse_recipes(recipes.TEXT)


@functools.cache
def load_plots() -> tuple[records.Plot, ...]:
    """Returns the plots of the short stories."""
    return records.parse_plots(plots.TEXT)


@functools.cache
def drug_lexicon() -> frozenset[str]:
    """Returns every drug name that a monograph or a prescription of the tables uses, in lower case."""
    names = {drug.name.lower() for drug in load_drugs()}
    for condition in load_conditions():
        names.update(prescription.drug.lower() for prescription in condition.prescriptions)
    return frozenset(names)
