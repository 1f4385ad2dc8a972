"""Multiple-choice questions about facts that the sample corpus states.

A wrong option is the right answer to another fact of the same relation, so options are alike in kind, length and
wording. Two facts clash, and never share a question, when the answer to one might also be right for the other
(see ``question_tables``).
"""

from __future__ import annotations

import collections
import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from tests.sample_corpus import knowledge
from tests.sample_corpus.question_tables import AREAS, EFFECTS, NEAR_FIELDS, VAGUE_TESTS, VAGUE_USE
from tests.sample_corpus.records import Condition
from tests.sample_corpus.wording import Chooser, cap, listed

SPLITS = ("train", "validation", "test")
_SHARES = {"validation": 0.12, "test": 0.29}
_LETTERS = "ABCD"
_NUM_USES, _NUM_SYMPTOMS = 2, 3
_GENERIC = "acute blocker cause chronic disease disorder from inhibitor primary receptor syndrome with"
"""Words that may stand in a question and in its answer without giving it away."""


@dataclasses.dataclass(frozen=True)
class Fact:
    """What the corpus says about a subject.

    Attributes:
        relation: A key of ``RELATIONS``.
        subject: A drug, a condition or a country.
        object: What is true of it.
        evidence: Strings that a document must hold together with the subject to state the fact.
    """

    relation: str
    subject: str
    object: str
    evidence: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Relation:
    """A kind of fact and how it is asked.

    Attributes:
        facts: All facts, in a fixed order.
        clash: Whether the answer to one of two facts might be right for the other.
        forms: Question templates; one with ``{object}`` asks for the subject, one with ``{subject}`` for the object.
    """

    facts: Callable[[], Iterable[Fact]]
    clash: Callable[[Fact, Fact], bool]
    forms: tuple[str, ...]


def _areas(drug: str) -> frozenset[str]:
    return frozenset(area for area, drugs in AREAS.items() if drug in drugs)


def _near_drugs(one: Fact, other: Fact) -> bool:
    return bool(_areas(one.subject) & _areas(other.subject))


def _near_effects(one: Fact, other: Fact) -> bool:
    return _near_drugs(one, other) or any(
        ({b.subject} | _areas(b.subject)) & EFFECTS[a.subject][1] for a, b in ((one, other), (other, one))
    )


def _condition(fact: Fact) -> Condition:
    return next(c for c in knowledge.load_conditions() if c.name == fact.subject)


def _near_conditions(one: Fact, other: Fact) -> bool:
    """Whether two conditions are of near fields, or one is among the other's differential diagnoses."""
    a, b = _condition(one), _condition(other)
    if NEAR_FIELDS.get(a.field, a.field) == NEAR_FIELDS.get(b.field, b.field):
        return True
    return any(y.short.lower() in item.lower() for x, y in ((a, b), (b, a)) for item in x.differentials)


def _near_symptoms(one: Fact, other: Fact) -> bool:
    a, b = _condition(one), _condition(other)
    shown, all_others = _stems(one.object), _stems(" ".join(b.symptoms))
    return _near_conditions(one, other) or bool(
        shown & all_others or _stems(" ".join(a.symptoms)) & _stems(other.object)
    )


def _never_near(one: Fact, other: Fact) -> bool:
    return False


def _stems(text: str) -> set[str]:
    words = re.findall(r"[a-z0-9]{4,}", text.lower())
    return {word[:5] for word in words if word not in _GENERIC.split()}


def _class_facts() -> Iterable[Fact]:
    return (Fact("class", d.name, d.drug_class, (d.drug_class,)) for d in knowledge.load_drugs())


def _mechanism_facts() -> Iterable[Fact]:
    return (Fact("mechanism", d.name, d.mechanism, (d.mechanism,)) for d in knowledge.load_drugs())


def _use_facts() -> Iterable[Fact]:
    for drug in knowledge.load_drugs():
        uses = [use for use in drug.uses if not VAGUE_USE.search(use)]
        yield from (Fact("use", drug.name, use, (use,)) for use in uses[:_NUM_USES])


def _effect_facts() -> Iterable[Fact]:
    for drug in knowledge.load_drugs():
        if drug.name in EFFECTS:
            effect = EFFECTS[drug.name][0]
            if effect not in (*drug.common_effects, *drug.serious_effects):
                raise ValueError(f"{drug.name}: the table of drugs does not list {effect!r}")
            yield Fact("side effect", drug.name, effect, (effect,))


def _definition_facts() -> Iterable[Fact]:
    return (Fact("definition", c.name, c.definition, (c.definition,)) for c in knowledge.load_conditions())


def _symptom_facts() -> Iterable[Fact]:
    for c in knowledge.load_conditions():
        shown = c.symptoms[:_NUM_SYMPTOMS]
        if len(shown) == _NUM_SYMPTOMS and not c.silent:
            yield Fact("symptoms", c.name, listed(shown), shown)


def _finding_facts() -> Iterable[Fact]:
    count = collections.Counter(test.name for c in knowledge.load_conditions() for test in c.tests)
    for c in knowledge.load_conditions():
        for test in c.tests:
            if count[test.name] == 1 and test.name not in VAGUE_TESTS:
                yield Fact("finding", c.name, f"{test.typical} on {test.name}", (test.name, test.typical))


def _capital_facts() -> Iterable[Fact]:
    return (
        Fact("capital", c.name, c.capital, (c.capital,)) for c in knowledge.load_countries() if "," not in c.capital
    )


RELATIONS: Mapping[str, Relation] = {
    "class": Relation(
        _class_facts,
        _near_drugs,
        (
            "To which class of drugs does {subject} belong?",
            "How is {subject} classified?",
            "A patient asks what kind of medicine {subject} is. What is the right answer?",
            "Which of these drugs belongs to the following class: {object}?",
            "A drug is described as follows: {object}. Which drug is it?",
        ),
    ),
    "mechanism": Relation(
        _mechanism_facts,
        _near_drugs,
        (
            "What does {subject} do in the body?",
            "Which statement describes the mechanism of {subject}?",
            "How does {subject} act?",
            "Which of these drugs acts as follows: it {object}?",
            "Of one of these drugs it is known that it {object}. Which one?",
        ),
    ),
    "use": Relation(
        _use_facts,
        _near_drugs,
        (
            "Which of the following is an established use of {subject}?",
            "For what is {subject} prescribed?",
            "Which of these drugs has the following indication: {object}?",
            "Which of these medicines is chosen for {object}?",
            "A clinician wants a drug for {object}. Which of these is suitable?",
        ),
    ),
    "side effect": Relation(
        _effect_facts,
        _near_effects,
        (
            "Which adverse effect is known of {subject}?",
            "A patient starts {subject}. Which of these problems may the drug cause?",
            "Which of these drugs may cause {object}?",
            "An adverse reaction is reported: {object}. Which of these drugs is the likely cause?",
        ),
    ),
    "definition": Relation(
        _definition_facts,
        _never_near,
        (
            "What is {subject}?",
            "How can {subject} be defined?",
            "Which condition is defined as {object}?",
            "Which term refers to {object}?",
            "A textbook describes {object}. Which condition is meant?",
        ),
    ),
    "symptoms": Relation(
        _symptom_facts,
        _near_symptoms,
        (
            "What do patients with {subject} typically report?",
            "Which complaints fit {subject} best?",
            "A patient describes {object}. Which diagnosis fits best?",
            "Which condition should come to mind with {object}?",
            "In which of these conditions are {object} typical?",
        ),
    ),
    "finding": Relation(
        _finding_facts,
        _near_conditions,
        (
            "Which finding is expected in {subject}?",
            "Which result supports the diagnosis of {subject}?",
            "Which condition typically shows {object}?",
            "The result of an investigation is {object}. Which condition does it suggest?",
        ),
    ),
    "capital": Relation(
        _capital_facts,
        _never_near,
        (
            "What is the capital of {subject}?",
            "Which of these cities is the capital of {subject}?",
            "{object} is the capital of which country?",
            "Of which country is {object} the capital?",
        ),
    ),
}


def facts(documents: Sequence[str]) -> list[Fact]:
    """Returns the facts that can be asked: ``documents`` state them, and no word of theirs gives the answer away."""
    lowered = [text.lower() for text in documents]
    result = []
    for relation in RELATIONS.values():
        for fact in relation.facts():
            about = [text for text in lowered if fact.subject.lower() in text]
            stated = all(any(part.lower() in text for text in about) for part in fact.evidence)
            if stated and not _stems(fact.subject) & _stems(fact.object):
                result.append(fact)
    return result


def split(known: Sequence[Fact], ch: Chooser) -> dict[str, list[Fact]]:
    """Parts the facts into splits, each relation in the same proportion, and shuffles each split."""
    parts: dict[str, list[Fact]] = {name: [] for name in SPLITS}
    for name in RELATIONS:
        rest = ch.shuffled(fact for fact in known if fact.relation == name)
        counts = {part: round(share * len(rest)) for part, share in _SHARES.items()}
        for part, count in counts.items():
            parts[part] += rest[:count]
            rest = rest[count:]
        parts["train"] += rest
    return {name: ch.shuffled(part) for name, part in parts.items()}


def ask(fact: Fact, others: Sequence[Fact], letter: str, ch: Chooser) -> dict[str, Any]:
    """Returns the question about ``fact`` in MedQA's layout, with its answer at ``letter``.

    Args:
        fact: What is asked.
        others: Facts of its relation, those to prefer first; the wrong options are answers to the first that serve.
        letter: Where the answer goes.
        ch: Chooses the wording.

    Raises:
        ValueError: Fewer than three of them serve.
    """
    relation = RELATIONS[fact.relation]
    form = ch.pick(relation.forms)
    asked: Literal["subject", "object"] = "subject" if "{object}" in form else "object"
    wrong = dict.fromkeys(getattr(other, asked) for other in others if not relation.clash(fact, other))
    wrong.pop(getattr(fact, asked), None)
    if len(wrong) < len(_LETTERS) - 1:
        raise ValueError(f"{fact.relation} of {fact.subject}: only {len(wrong)} wrong options")
    options = iter(wrong)
    texts = {each: cap(getattr(fact, asked) if each == letter else next(options)) for each in _LETTERS}
    return {
        "question": cap(form.format(subject=fact.subject, object=fact.object)),
        "options": texts,
        "answer": texts[letter],
        "answer_idx": letter,
        "meta_info": fact.relation,
    }


def build(seed: int, documents: Sequence[str]) -> dict[str, bytes]:
    """Returns the questions of each split as JSON lines; every letter answers equally many.

    The wrong options of a training question are answers to other training questions, and those of a held-out one
    answers to held-out ones. Otherwise an option known as an answer from training would be wrong for that alone.

    Args:
        seed: Seed of the choice of splits, wordings and options.
        documents: The corpus; facts that it does not state are not asked.
    """
    ch = Chooser(f"questions-{seed}")
    parts = split(facts(documents), ch)
    held_out = parts["validation"] + parts["test"]
    result = {}
    for name, part in parts.items():
        letters = ch.shuffled(_LETTERS[i % len(_LETTERS)] for i in range(len(part)))
        shown: collections.Counter[str] = collections.Counter()
        lines = []
        for number, (fact, letter) in enumerate(zip(part, letters, strict=True)):
            pool = [other for other in (part if name == "train" else held_out) if other.relation == fact.relation]
            others = sorted(ch.shuffled(pool), key=lambda other: shown[cap(other.subject)] + shown[cap(other.object)])
            record = ask(fact, others, letter, ch)
            shown.update(text for each, text in record["options"].items() if each != letter)
            lines.append(json.dumps({"id": f"{name}-{number:03d}", **record}, ensure_ascii=False) + "\n")
        result[name] = "".join(lines).encode()
    return result
