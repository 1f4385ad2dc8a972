"""Sentence frames about a condition; every function returns one correct sentence or short passage."""

from __future__ import annotations

from tests.sample_corpus.records import Condition
from tests.sample_corpus.wording import Chooser, cap, infinitive, listed, sentence


def definition(c: Condition, ch: Chooser) -> str:
    """Says what the condition is."""
    return ch.pick(
        (
            f"{cap(c.name)} is {c.definition}.",
            f"{cap(c.name)} can be defined as {c.definition}.",
            f"The term {c.name} refers to {c.definition}.",
            f"By {c.name}, clinicians mean {c.definition}.",
            f"In {c.field}, {c.name} is understood as {c.definition}.",
        )
    )


def epidemiology(c: Condition, ch: Chooser) -> str:
    """Says how often or in whom the condition occurs."""
    fact = ch.pick(c.epidemiology)
    return ch.pick(
        (
            sentence(fact),
            f"From the point of view of public health, {fact}.",
            f"It is worth knowing that {fact}.",
            f"Population studies agree that {fact}.",
        )
    )


def mechanism(c: Condition, ch: Chooser, count: int) -> str:
    """Explains ``count`` steps of the disease process, in the order of the table."""
    chosen = set(ch.some(c.mechanisms, count, count))
    steps = [m for m in c.mechanisms if m in chosen]
    first = ch.pick(
        (
            sentence(steps[0]),
            f"At the level of mechanism, {steps[0]}.",
            f"The disease process can be outlined as follows: {steps[0]}.",
            f"With regard to pathophysiology, {steps[0]}.",
            f"Much of the illness is explained by the fact that {steps[0]}.",
        )
    )
    links = ch.shuffled(("In addition, ", "Moreover, ", "It is also known that ", "", "", ""))
    rest = [sentence(links[i] + step) for i, step in enumerate(steps[1:])]
    return " ".join([first, *rest])


def risks(c: Condition, ch: Chooser) -> str:
    """Lists risk factors."""
    items = listed(ch.some(c.risks, 3, 5))
    return ch.pick(
        (
            f"Recognized risk factors include {items}.",
            f"The likelihood of {c.short} is increased by {items}.",
            f"Among the factors that predispose to {c.short} are {items}.",
            f"A careful history looks for {items}.",
            f"Factors associated with {c.short} include {items}.",
        )
    )


def symptoms(c: Condition, ch: Chooser) -> str:
    """Lists what patients notice."""
    items = ch.some(c.symptoms, 3, 4)
    if c.silent:
        return ch.pick(
            (
                f"Many patients have {c.silent}, while others notice {listed(items)}.",
                f"There may be {c.silent}; possible complaints include {listed(items)}.",
            )
        )
    first, *rest = items
    return ch.pick(
        (
            f"Patients commonly report {listed(items)}.",
            f"Typical symptoms include {listed(items)}.",
            f"A frequent complaint is {first}, and many patients also describe {listed(rest)}.",
            f"The history often contains {listed(items)}.",
            f"{cap(listed(items))} are features that should bring {c.short} to mind.",
        )
    )


def signs(c: Condition, ch: Chooser) -> str:
    """Lists what the examination may show; empty if every finding is a normal one."""
    usual = ("a normal", "an otherwise normal", "an unremarkable", "no ")
    found = [s for s in c.signs if not s.startswith(usual)]
    if not found:
        return ""
    items = listed(ch.some(found, 2, 3))
    return ch.pick(
        (
            f"Physical findings may include {items}.",
            f"On examination the clinician may find {items}.",
            f"Signs that support the diagnosis are {items}."
            if len(found) > 1
            else f"A sign that supports the diagnosis is {items}.",
            f"The examination should look for {items}.",
        )
    )


def tests(c: Condition, ch: Chooser, count: int) -> str:
    """Describes ``count`` tests with the finding that is typical of each."""
    sentences = []
    frames = ch.shuffled(range(5))
    for i, test in enumerate(ch.some(c.tests, count, count)):
        sentences.append(
            (
                f"{cap(test.name)} typically shows {test.typical}.",
                f"On {test.name}, the expected finding is {test.typical}.",
                f"A useful investigation is {test.name}, which may show {test.typical}.",
                f"The result to look for on {test.name} is {test.typical}.",
                f"{cap(test.name)} helps to confirm the suspicion by showing {test.typical}.",
            )[frames[i]]
        )
    return " ".join(sentences)


def differentials(c: Condition, ch: Chooser) -> str:
    """Lists conditions that can look alike."""
    items = ch.some(c.differentials, 2, 4)
    return ch.pick(
        (
            f"The differential diagnosis includes {listed(items)}.",
            f"Conditions that may resemble {c.short} include {listed(items)}.",
            f"Before the diagnosis is accepted, the clinician should consider {listed(items)}.",
            f"Alternative explanations such as {listed(items)} must be kept in mind.",
        )
    )


def first_line(c: Condition, ch: Chooser) -> str:
    """Lists initial treatment."""
    items = listed(ch.some(c.first_line, 2, 4))
    return ch.pick(
        (
            f"Initial management options include {items}.",
            f"First-line measures include {items}.",
            f"The mainstays of treatment include {items}.",
            f"Treatment usually begins with measures such as {items}.",
        )
    )


def second_line(c: Condition, ch: Chooser) -> str:
    """Lists further treatment."""
    items = listed(ch.some(c.second_line, 2, 3))
    return ch.pick(
        (
            f"Further options include {items}.",
            f"When initial treatment is not enough or not suitable, possibilities include {items}.",
            f"In selected patients the next steps include {items}.",
            f"Specialists may also consider {items}.",
        )
    )


def complications(c: Condition, ch: Chooser) -> str:
    """Lists complications."""
    items = listed(ch.some(c.complications, 3, 4))
    return ch.pick(
        (
            f"Complications include {items}.",
            f"Possible consequences of {c.short} include {items}.",
            f"Clinicians should watch for {items}.",
            f"Among the complications are {items}.",
        )
    )


def outlook(c: Condition, ch: Chooser) -> str:
    """Says what to expect."""
    fact = ch.pick(c.outlook)
    return ch.pick(
        (
            sentence(fact),
            f"As for the outlook, {fact}.",
            f"Patients can be told that {fact}.",
            f"With regard to prognosis, {fact}.",
        )
    )


def follow_up(c: Condition, ch: Chooser) -> str:
    """Lists what follow-up consists of."""
    items = listed(ch.some(c.follow_up, 2, 3))
    return ch.pick(
        (
            f"Follow-up usually includes {items}.",
            f"A reasonable plan for follow-up includes {items}.",
            f"After the first visit, arrangements should be made for {items}.",
        )
    )


def advice(c: Condition, ch: Chooser) -> str:
    """Lists advice to patients."""
    items = [
        infinitive(a).replace("yourself", "themselves").replace("your ", "their ") for a in ch.some(c.advice, 2, 3)
    ]
    who = "Families" if c.informant != "self" else "Patients"
    return ch.pick(
        (
            f"{who} are advised {listed(items)}.",
            f"{who} should be encouraged {listed(items)}.",
            f"In counseling, {who.lower()} are asked {listed(items)}.",
        )
    )


def warnings(c: Condition, ch: Chooser) -> str:
    """Lists reasons to seek help at once."""
    items = listed(ch.some(c.warnings, 2, 3), "or")
    return ch.pick(
        (
            f"Prompt review is needed in case of {items}.",
            f"Medical help should be sought without delay for {items}.",
            f"Warning features that call for urgent assessment are {listed(ch.some(c.warnings, 2, 3))}.",
        )
    )
