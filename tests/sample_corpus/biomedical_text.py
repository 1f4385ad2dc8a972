"""Biomedical documents: reviews, guideline passages, case discussions, monographs and teaching notes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.sample_corpus import disease_frames as say
from tests.sample_corpus import drug_text, knowledge
from tests.sample_corpus.records import Condition, Topic
from tests.sample_corpus.wording import (
    Chooser,
    NearCopyGuard,
    cap,
    clause,
    fill_numbers,
    listed,
    number_article,
    sentence,
)

# Largest share of 8-word shingles that a new document may have in common with an earlier one.
SHARED_LIMIT = 0.5


def paragraphs(title: str, *parts: str) -> str:
    """Joins a title and paragraphs, leaving out empty ones."""
    return "\n\n".join(" ".join(part.split()) for part in (title, *parts) if part.strip())


def overview(c: Condition, ch: Chooser) -> str:
    """A short review article on the whole condition."""
    title = ch.pick(
        (
            f"{cap(c.name)}: an overview",
            f"A short review of {c.short}",
            f"{cap(c.short)} in clinical practice",
            f"What every clinician should know about {c.short}",
        )
    )
    background = [say.definition(c, ch), say.epidemiology(c, ch), say.mechanism(c, ch, 2), say.risks(c, ch)]
    clinical = [say.symptoms(c, ch), say.signs(c, ch), say.tests(c, ch, 2), say.differentials(c, ch)]
    care = [say.first_line(c, ch), say.second_line(c, ch), say.complications(c, ch), say.outlook(c, ch)]
    if ch.chance(0.5):
        care.append(say.follow_up(c, ch))
    return paragraphs(title, " ".join(background), " ".join(clinical), " ".join(care))


def pathogenesis(c: Condition, ch: Chooser) -> str:
    """An article on causes and consequences."""
    title = ch.pick(
        (
            f"Mechanisms of {c.short}",
            f"Pathophysiology of {c.name}",
            f"How {c.short} develops",
            f"From cause to complication: {c.short}",
        )
    )
    middle = [say.risks(c, ch), say.epidemiology(c, ch)]
    last = [say.symptoms(c, ch), say.complications(c, ch), say.outlook(c, ch)]
    return paragraphs(
        title,
        f"{say.definition(c, ch)} {say.mechanism(c, ch, len(c.mechanisms))}",
        " ".join(ch.shuffled(middle)),
        " ".join(last),
    )


def diagnosis(c: Condition, ch: Chooser) -> str:
    """An article on the diagnostic approach."""
    title = ch.pick(
        (
            f"Diagnosis of {c.name}",
            f"Recognizing {c.short}",
            f"Diagnostic approach to suspected {c.short}",
            f"Tests and findings in {c.short}",
        )
    )
    opening = ch.pick(
        (
            f"The diagnosis of {c.short} rests on history, examination and selected tests.",
            f"A structured approach shortens the path to the diagnosis of {c.short}.",
            f"Suspicion of {c.short} usually arises from the history.",
            "",
        )
    )
    return paragraphs(
        title,
        f"{opening} {say.symptoms(c, ch)} {say.signs(c, ch)} {say.risks(c, ch) if ch.chance(0.5) else ''}",
        say.tests(c, ch, len(c.tests)),
        f"{say.differentials(c, ch)} {say.warnings(c, ch)}",
    )


def guideline(c: Condition, ch: Chooser) -> str:
    """A numbered guideline passage."""
    title = ch.pick(
        (
            f"Guideline passage: care of patients with {c.short}",
            f"Recommendations for the management of {c.name}",
            f"Practice points for {c.short}",
        )
    )
    test = ch.pick(c.tests)
    points = [
        f"Confirm the diagnosis with suitable tests such as {test.name}; look for {test.typical}.",
        f"Consider alternative diagnoses, in particular {listed(ch.some(c.differentials, 2, 3))}.",
        say.first_line(c, ch),
        say.second_line(c, ch),
        f"Look for complications, which include {listed(ch.some(c.complications, 2, 4))}.",
        say.advice(c, ch),
        say.follow_up(c, ch),
        say.warnings(c, ch),
    ]
    kept = [points[i] for i in sorted(ch.some(range(len(points)), 5, 7))]
    numbered = [f"{i}. {point}" for i, point in enumerate(kept, 1)]
    scope = ch.pick(
        (
            f"Scope: this passage addresses {c.name} and is intended for clinicians in {c.field}.",
            f"These points summarize usual care of {c.short} and do not replace clinical judgment.",
            say.definition(c, ch),
        )
    )
    return paragraphs(title, scope, *numbered)


def questions(c: Condition, ch: Chooser) -> str:
    """Questions and answers for patients and families."""
    title = ch.pick(
        (
            f"Questions and answers about {c.short}",
            f"{cap(c.short)}: information for patients and families",
            f"Understanding {c.short}",
        )
    )
    pairs = [
        (f"What is {c.short}?", f"{cap(c.short)} is {c.definition}."),
        ("Why does it occur?", f"{say.mechanism(c, ch, 1)} {say.risks(c, ch)}"),
        ("What are the symptoms?", say.symptoms(c, ch)),
        ("How is it diagnosed?", say.tests(c, ch, 2)),
        ("How is it treated?", f"{say.first_line(c, ch)} {say.second_line(c, ch) if ch.chance(0.5) else ''}"),
        ("What can I do myself?", say.advice(c, ch)),
        ("What is the outlook?", say.outlook(c, ch)),
        ("When is help needed quickly?", say.warnings(c, ch)),
    ]
    kept = [pairs[i] for i in sorted({0, *ch.some(range(1, len(pairs)), 4, 6)})]
    return paragraphs(title, *(f"{question} {answer}" for question, answer in kept))


def abstract(c: Condition, ch: Chooser) -> str:
    """A structured abstract of a narrative review."""
    title = ch.pick(
        (
            f"Abstract: current concepts in {c.short}",
            f"Abstract: {c.name}, a narrative review",
            f"{cap(c.short)}: summary of a clinical review",
        )
    )
    aims = listed(ch.some(("causes", "presentation", "diagnosis", "treatment", "follow-up"), 3, 3))
    return paragraphs(
        title,
        f"Background: {say.definition(c, ch)} {say.epidemiology(c, ch)}",
        f"Objective: To summarize {aims} of {c.short} for readers in {c.field}.",
        f"Main points: {say.mechanism(c, ch, 1)} {say.symptoms(c, ch)} {say.tests(c, ch, 1)} "
        f"{say.first_line(c, ch)} {say.complications(c, ch)}",
        f"Conclusion: {ch.pick((say.outlook(c, ch), say.second_line(c, ch), say.follow_up(c, ch)))}",
    )


def case_discussion(c: Condition, ch: Chooser) -> str:
    """A teaching case followed by its explanation."""
    age = ch.between(*c.ages)
    sex = c.sex if c.sex != "any" else ch.pick(("female", "male"))
    person = ("girl" if sex == "female" else "boy") if age < 18 else ("woman" if sex == "female" else "man")
    subject = "she" if sex == "female" else "he"
    complaints = [c.symptoms[0], *ch.some(c.symptoms[1:], 2, 3)]
    title = ch.pick((f"Teaching case in {c.field}", "Case discussion", f"Case-based learning: {c.field}"))
    results = []
    for test in ch.some(c.tests, 2, 3):
        results.append(f"{cap(test.name)}: {fill_numbers(test.noted, ch)}.")
    first = (
        f"{cap(number_article(age))} {age}-year-old {person} is seen because of {complaints[0]}. "
        f"Over the last {ch.pick(c.onsets).removeprefix('1 ')}, {subject} has also noticed "
        f"{listed(complaints[1:])}. "
        f"Examination reveals {listed(ch.some(c.signs, 1, 2))}. {' '.join(results)}"
    )
    answer = ch.pick(
        (
            f"The findings point to {c.name}.",
            f"The most likely diagnosis is {c.name}.",
            f"Taken together, these features are best explained by {c.name}.",
        )
    )
    second = f"{answer} {say.mechanism(c, ch, 1)} {say.differentials(c, ch)}"
    third = f"{say.first_line(c, ch)} {say.outlook(c, ch)} {say.warnings(c, ch)}"
    return paragraphs(title, first, second, third)


def multiple_choice(c: Condition, ch: Chooser) -> str:
    """An examination question with its answer explained."""
    age = ch.between(*c.ages)
    complaints = listed(ch.some(c.symptoms, 2, 3))
    stem = [
        f"{cap(number_article(age))} {age}-year-old patient presents with {complaints}.",
        f"Examination reveals {listed(ch.some(c.signs, 2, 2))}.",
    ]
    test = ch.pick(c.tests)
    stem.append(f"{cap(test.name)}: {fill_numbers(test.noted, ch)}.")
    options = ch.shuffled([c.name, *ch.some(c.differentials, 3, 3)])
    lines = [f"{letter}. {cap(option)}" for letter, option in zip("ABCD", options, strict=False)]
    letter = "ABCD"[options.index(c.name)]
    explanation = f"{say.definition(c, ch)} {say.mechanism(c, ch, 1)} {say.tests(c, ch, 2)} {say.first_line(c, ch)}"
    return paragraphs(
        f"Self-assessment question: {c.field}",
        " ".join(stem) + " Which diagnosis is most likely?",
        "; ".join(lines) + ".",
        f"Answer: {letter}. {explanation}",
    )


def comparison(c: Condition, other: Condition, ch: Chooser) -> str:
    """Two conditions side by side."""
    title = ch.pick((f"Comparing {c.short} and {other.short}", f"{cap(c.short)} and {other.short}: key differences"))
    sections = []
    for i, each in enumerate((c, other)):
        lead = "" if i == 0 else ch.pick(("Turning to the second condition: ", "By way of contrast: ", ""))
        definition = say.definition(each, ch)
        if lead and definition.startswith(("The term", "In ", "By ")):
            definition = definition[0].lower() + definition[1:]
        body = [
            lead + definition,
            say.mechanism(each, ch, 1),
            say.symptoms(each, ch),
            say.tests(each, ch, 1),
            say.first_line(each, ch),
        ]
        if ch.chance(0.5):
            body.append(say.outlook(each, ch))
        sections.append(" ".join(body))
    return paragraphs(title, *sections)


def physiology(topic: Topic, ch: Chooser) -> str:
    """A teaching note on a topic of basic science or clinical method."""
    title = ch.pick(
        (
            f"Teaching note: {topic.name}",
            cap(topic.name),
            f"Essentials of {topic.name}",
            f"Key facts: {topic.name}",
        )
    )
    facts = ch.some(topic.facts, 5, 7)
    links = ch.shuffled(("In addition, ", "Furthermore, ", "It should be added that ", "", "", "", ""))
    told = [facts[0]] + [sentence(f"{link}{clause(f)}") for link, f in zip(links, facts[1:], strict=False)]
    opening = ch.pick(
        (
            f"This note reviews {topic.name}.",
            f"Students often ask for a compact account of {topic.name}.",
            f"A few principles explain much of {topic.name}.",
            "",
        )
    )
    half = len(told) // 2 + 1
    return paragraphs(title, f"{opening} {' '.join(told[:half])}", " ".join(told[half:]))


_ARTICLES = (
    overview,
    pathogenesis,
    diagnosis,
    guideline,
    questions,
    abstract,
    case_discussion,
    multiple_choice,
    comparison,
)


def _condition_article(kind, c: Condition, ch: Chooser) -> str:
    if kind is comparison:
        others = [o for o in knowledge.load_conditions() if o.field == c.field and o is not c]
        return comparison(c, ch.pick(others or [o for o in knowledge.load_conditions() if o is not c]), ch)
    return kind(c, ch)


def documents(seed: int, target: int) -> Iterator[str]:
    """Yields different biomedical documents until they add up to about ``target`` characters.

    Args:
        seed: Seed of the corpus.
        target: Number of characters after which no further document is started.

    Yields:
        The text of one document: a title line, an empty line, and paragraphs.
    """
    ch = Chooser(f"biomedical-{seed}")
    guard = NearCopyGuard(SHARED_LIMIT)
    written = 0
    kinds = {c.name: ch.shuffled(_ARTICLES) for c in knowledge.load_conditions()}
    for turn in range(1000):
        makers = []
        for c in knowledge.load_conditions():
            kind = kinds[c.name][turn % len(_ARTICLES)]
            makers.append(lambda ch, c=c, kind=kind: _condition_article(kind, c, ch))
        makers += drug_text.makers(turn)
        if turn % 3 == 1:
            makers += [(lambda ch, t=t: physiology(t, ch)) for t in knowledge.load_physiology()]
        for make in ch.shuffled(makers):
            for _ in range(4):
                text = make(ch)
                if guard.accept(text):
                    written += len(text)
                    yield text
                    break
            if written >= target:
                return
    raise RuntimeError(f"the facts do not suffice for {target} characters of different documents")
