"""Documents on drugs and laboratory tests."""

from __future__ import annotations

from collections.abc import Callable

from tests.sample_corpus import knowledge
from tests.sample_corpus.records import Drug, Lab
from tests.sample_corpus.wording import Chooser, cap, infinitive, listed, sentence


def _join(title: str, parts: list[str], gap: str = "\n\n") -> str:
    return title + "\n\n" + gap.join(part for part in parts if part)


def _class(d: Drug, ch: Chooser) -> str:
    # The sound decides, not the letter: "an HMG-CoA inhibitor", "a urinary drug".
    vowel = d.drug_class.startswith(("a", "e", "i", "o", "HMG"))
    article = "an" if vowel else "a"
    return ch.pick(
        (
            f"{cap(d.name)} is {article} {d.drug_class} that {d.mechanism}.",
            f"{cap(d.name)} belongs to the following class: {d.drug_class}. It {d.mechanism}.",
            f"As {article} {d.drug_class}, {d.name} {d.mechanism}.",
        )
        if not d.mechanism.startswith(("levodopa", "clavulanate", "budesonide", "artemether"))
        else (
            f"{cap(d.name)} is {article} {d.drug_class}. {sentence(d.mechanism)}",
            f"{cap(d.name)} can be described as {article} {d.drug_class}: {d.mechanism}.",
        )
    )


def _uses(d: Drug, ch: Chooser) -> str:
    items = listed(ch.some(d.uses, 2, 4))
    return ch.pick(
        (
            f"Established uses include {items}.",
            f"It is prescribed for {items}.",
            f"Indications include {items}.",
            f"In practice {d.name} is chosen for {items}.",
        )
    )


def _effects(d: Drug, ch: Chooser) -> str:
    common = listed(ch.some(d.common_effects, 2, 4))
    serious = listed(ch.some(d.serious_effects, 2, 4))
    return ch.pick(
        (
            f"Common adverse effects include {common}. Serious but less frequent problems include {serious}.",
            f"Patients may notice {common}. The prescriber should be alert to {serious}.",
            f"The most frequent complaints are {common}. Rare or severe reactions include {serious}.",
        )
    )


def _avoid(d: Drug, ch: Chooser) -> str:
    items = listed(ch.some(d.avoid, 2, 4))
    return ch.pick(
        (
            f"Contraindications and cautions include {items}.",
            f"Situations in which it should be avoided include {items}.",
            f"Before prescribing, ask about the following: {items}.",
        )
    )


def _monitoring(d: Drug, ch: Chooser) -> str:
    items = listed(ch.some(d.monitoring, 2, 3))
    return ch.pick(
        (
            f"Monitoring covers {items}.",
            f"During treatment, attention should be paid to {items}.",
            f"Follow-up of treatment with {d.name} includes {items}.",
        )
    )


def _kinetics(d: Drug, ch: Chooser) -> str:
    fact = ch.pick(d.kinetics)
    return ch.pick(
        (sentence(fact), f"With regard to pharmacokinetics, {fact}.", f"Prescribers should know that {fact}.")
    )


def _interaction(d: Drug, ch: Chooser) -> str:
    return ch.pick(
        (
            sentence(d.interaction),
            f"An important interaction is that {d.interaction}.",
            f"Note that {d.interaction}.",
        )
        if "not known" not in d.interaction
        else (sentence(d.interaction),)
    )


def _dose(d: Drug, ch: Chooser) -> str:
    return ch.pick((sentence(d.dose), f"In routine use, {d.dose}.", f"As a guide to dosing, {d.dose}."))


def _advice(d: Drug, ch: Chooser) -> str:
    items = [infinitive(a).replace("yourself", "themselves").replace("your ", "their ") for a in d.advice]
    return ch.pick(
        (
            f"Patients are advised {listed(items)}.",
            f"Counseling points: patients should be told {listed(items)}.",
        )
    )


def profile(d: Drug, ch: Chooser) -> str:
    """A narrative drug profile."""
    title = ch.pick(
        (
            f"Drug profile: {d.name}",
            f"{cap(d.name)} in practice",
            f"Prescribing {d.name}",
            f"{cap(d.name)}: a brief review",
        )
    )
    middle = ch.shuffled([_avoid(d, ch), _monitoring(d, ch), _interaction(d, ch)])
    return _join(
        title,
        [
            f"{_class(d, ch)} {_uses(d, ch)} {_kinetics(d, ch)}",
            f"{_dose(d, ch)} {_effects(d, ch)}",
            f"{' '.join(middle)} {_advice(d, ch) if ch.chance(0.6) else ''}".strip(),
        ],
    )


def monograph(d: Drug, ch: Chooser) -> str:
    """A monograph with headed sections."""
    sections = [
        f"Class: {cap(d.drug_class)}.",
        f"Mechanism: {_class(d, ch)}",
        f"Indications: {cap(listed(ch.shuffled(d.uses)))}.",
        f"Dose: {sentence(d.dose)}",
        f"Pharmacokinetics: {_kinetics(d, ch)}",
        f"Adverse effects: {_effects(d, ch)}",
        f"Contraindications and cautions: {cap(listed(ch.shuffled(d.avoid)))}.",
        f"Monitoring: {cap(listed(ch.shuffled(d.monitoring)))}.",
        f"Interactions: {sentence(d.interaction)}",
        f"Patient information: {cap(listed(ch.shuffled(d.advice)))}.",
    ]
    kept = [sections[i] for i in sorted(ch.some(range(len(sections)), 6, 8))]
    return _join(f"Monograph: {d.name}", kept, "\n")


def leaflet(d: Drug, ch: Chooser) -> str:
    """A patient leaflet in question form."""
    pairs = [
        ("What is this medicine?", _class(d, ch)),
        ("What is it used for?", _uses(d, ch)),
        ("How is it taken?", _dose(d, ch)),
        ("What side effects may occur?", _effects(d, ch)),
        ("Who needs special care?", _avoid(d, ch)),
        ("Which checks are needed?", _monitoring(d, ch)),
        ("What else matters?", f"{_interaction(d, ch)} {_advice(d, ch)}"),
    ]
    kept = [pairs[i] for i in sorted(ch.some(range(len(pairs)), 4, 6))]
    title = ch.pick(
        (f"Patient leaflet: {d.name}", f"Your questions about {d.name}", f"{cap(d.name)}: what patients ask")
    )
    return _join(title, [f"{question} {answer}" for question, answer in kept])


def safety(d: Drug, ch: Chooser) -> str:
    """A note on safe prescribing."""
    title = ch.pick((f"Safety note: {d.name}", f"Safe use of {d.name}", f"Adverse effects of {d.name}"))
    return _join(
        title,
        [
            f"{_effects(d, ch)} {_avoid(d, ch)}",
            f"{_interaction(d, ch)} {_monitoring(d, ch)} {_advice(d, ch)}",
        ],
    )


def pair(d: Drug, other: Drug, ch: Chooser) -> str:
    """Two drugs that share an indication, side by side."""
    parts = [f"{_class(each, ch)} {_uses(each, ch)} {_dose(each, ch)} {_effects(each, ch)}" for each in (d, other)]
    parts.append(f"A final point on {d.name}: {ch.pick((d.interaction, *d.kinetics))}.")
    return _join(f"{cap(d.name)} and {other.name} compared", parts)


def lab_note(lab: Lab, ch: Chooser) -> str:
    """A note on the interpretation of a laboratory test."""
    title = ch.pick((f"Laboratory note: {lab.name}", f"Interpreting {lab.name}", f"{cap(lab.name)} at the bedside"))
    high = listed(ch.some(lab.high, 3, 4))
    plain = "value" in lab.low[0]
    low = sentence(lab.low[0]) if plain else f"Low values occur with {listed(ch.some(lab.low, 2, 4))}."
    note = ch.pick(lab.notes)
    opening = ch.pick(
        (
            f"{cap(lab.name)} is {lab.what}. The usual adult reference range is {lab.reference}.",
            f"The usual adult range of {lab.name} is {lab.reference}. By definition, it is {lab.what}.",
            f"The adult reference range of {lab.name} is {lab.reference}. Briefly, it is {lab.what}.",
        )
    )
    rise = ch.pick((f"Causes of a high value include {high}.", f"High values are seen with {high}."))
    close = ch.pick(
        (
            sentence(note),
            f"When the result is interpreted, remember that {note}.",
            f"A practical point: {note}.",
        )
    )
    limits = ch.pick(
        (
            "Reference ranges differ slightly between laboratories.",
            "Trends are often more useful than one value.",
            "",
        )
    )
    return _join(title, [opening, f"{rise} {low}", f"{close} {limits}".strip()])


def makers(turn: int) -> list[Callable[[Chooser], str]]:
    """Returns one document maker per drug for this turn, and in some turns one per laboratory test."""
    drugs = knowledge.load_drugs()
    kinds = (profile, monograph, leaflet, safety)
    result: list[Callable[[Chooser], str]] = []
    for i, drug in enumerate(drugs):
        if (turn + i) % 5 < 4:
            result.append(lambda ch, d=drug, kind=kinds[(turn + i) % 5]: kind(d, ch))
        else:
            partners = [o for o in drugs if o is not drug and set(o.uses) & set(drug.uses)]
            if partners:
                result.append(lambda ch, d=drug, p=partners: pair(d, ch.pick(p), ch))
    if turn % 3 == 0:
        result += [(lambda ch, lab=lab: lab_note(lab, ch)) for lab in knowledge.load_labs()]
    return result
