"""General documents: essays, talks, animals, countries, recipes, weather, sums and stories.

Every document is one paragraph without an empty line inside, on one line or on several.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator

from tests.sample_corpus import everyday, knowledge, stories
from tests.sample_corpus.records import Animal, Country, Recipe, Topic
from tests.sample_corpus.wording import Chooser, NearCopyGuard, cap, clause, listed, sentence, uncap

SHARED_LIMIT = 0.6

_LINKS = ("In addition, ", "It is also true that ", "Besides, ", "At the same time, ", "Another point: ")


def _linked(facts: list[str], ch: Chooser) -> list[str]:
    """Adds a linking phrase to some of the facts."""
    links = ch.shuffled((*_LINKS[: 1 + len(facts) // 3], *[""] * len(facts)))[: len(facts) - 1]
    return [
        facts[0],
        *(sentence(f"{link}{clause(f)}") if link else f for link, f in zip(links, facts[1:], strict=True)),
    ]


def essay(topic: Topic, ch: Chooser) -> str:
    """A plain encyclopedic paragraph."""
    opening = ch.pick(
        (
            "",
            "",
            f"A few words about {topic.name} may be useful.",
            f"Few subjects reward curiosity as much as {topic.name}.",
            f"There is more to say about {topic.name} than many people expect.",
            f"Here is a short introduction to {topic.name}.",
        )
    )
    return f"{opening} {' '.join(_linked(ch.some(topic.facts, 5, 8), ch))}".strip()


def conversation(topic: Topic, ch: Chooser) -> str:
    """Two people exchange facts."""
    first, subject, _ = stories.people(ch)
    second = next(name for name in iter(lambda: stories.people(ch)[0], "") if name != first)
    facts = ch.some(topic.facts, 4, 6)
    openings = (
        f'"What do you know about {topic.name}?" asked {first}.',
        f"{first} and {second} had been talking about {topic.name} all afternoon.",
        f"{first} was preparing a talk about {topic.name} and wanted to try it out on {second}.",
    )
    told = [ch.pick(openings)]
    for i, fact in enumerate(facts):
        speaker = second if i % 2 == 0 else first
        plain = clause(fact)
        turns = (
            f'"{cap(plain)}," said {speaker}.',
            f'"I have read that {plain}," {speaker} replied.',
            f'"{fact[:-1]}," {speaker} added.',
            f'"Did you know that {plain}?" asked {speaker}.',
        )
        # Nobody adds something or asks in return before anything has been said.
        told.append(ch.pick(turns if i else turns[:2]))
    told.append(
        ch.pick(
            (
                f'"Then we have both learned something today," said {first}.',
                f"{first} wrote everything down.",
                f"After that {first} and {second} went for a walk.",
                f"{first} said that {subject} would look up the rest in the library.",
            )
        )
    )
    return " ".join(told)


def report(topic: Topic, ch: Chooser) -> str:
    """What somebody learned on a visit or from a book."""
    name, subject, possessive = stories.people(ch)
    facts = [clause(f) for f in ch.some(topic.facts, 5, 7)]
    opening = ch.pick(
        (
            f"For {possessive} school report on {topic.name}, {name} collected several facts.",
            f"At an exhibition about {topic.name}, {name} took notes.",
            f"{name} borrowed a book about {topic.name} and read it in one evening.",
            f"In a letter to {possessive} grandfather, {name} wrote about {topic.name}.",
        )
    )
    verbs = ch.shuffled(("learned", "noted", "read", "found out", "was surprised", "remembered"))
    told = [opening]
    for i in range(0, len(facts) - 1, 2):
        told.append(f"{cap(subject)} {verbs[i // 2]} that {facts[i]}, and that {facts[i + 1]}.")
    if len(facts) % 2:
        told.append(f"The last line said that {facts[-1]}.")
    return " ".join(told)


def animal_profile(a: Animal, ch: Chooser) -> str:
    """A paragraph about one animal."""
    group = ch.pick((f"{cap(a.name)} are {a.group}.", f"Among the {a.group}, {a.name} are well known."))
    home = ch.pick((f"They live in {a.home}.", f"They can be found in {a.home}."))
    food = ch.pick((f"They feed on {a.food}.", f"Their food consists of {a.food}.", f"On the menu: {a.food}."))
    size = sentence(a.size) if ch.chance(0.8) else ""
    facts = _linked([sentence(f) for f in ch.some(a.facts, 4, 5)], ch)
    middle = ch.shuffled([home, food, size])
    close = ch.pick(("", "", f"Anyone who watches {a.name} for a while will discover more.", f"So much for {a.name}."))
    return " ".join(part for part in (group, *middle, *facts, close) if part)


def animal_comparison(a: Animal, b: Animal, ch: Chooser) -> str:
    """Two animals side by side."""
    opening = ch.pick(
        (
            f"{cap(a.name)} and {b.name} differ in many ways.",
            f"Let us compare {a.name} with {b.name}.",
            f"What do {a.name} and {b.name} have in common, and what sets them apart?",
        )
    )
    kin = f"Both are {a.group}." if a.group == b.group else f"The former are {a.group}, and the latter are {b.group}."
    food = f"{cap(a.name)} eat {uncap(a.food)}, while {b.name} eat {uncap(b.food)}."
    size = f"Among {a.name}, {a.size}; among {b.name}, {b.size}."
    facts = []
    for each in (a, b):
        first, second = ch.some(each.facts, 2, 2)
        facts.append(
            ch.pick(
                (
                    f"As for {each.name}, {first}, and {second}.",
                    f"Turning to {each.name}: {first}. {cap(second)}.",
                    f"With regard to {each.name}, it is worth knowing that {first}. {cap(second)}.",
                )
            )
        )
    return " ".join((opening, kin, *ch.shuffled((food, size)), *facts))


def _single_neighbor(c: Country) -> str:
    """Describes the land borders of a country with one neighbor or none in the table."""
    return f"Its main neighbor on land is {c.neighbors[0]}." if c.neighbors else "It has no neighbors on land."


def country_profile(c: Country, ch: Chooser) -> str:
    """A paragraph about one country."""
    capital = ch.pick((f"Its capital is {c.capital}.", f"The capital is {c.capital}."))
    if " and " in c.capital:
        capital = f"Its capitals are {c.capital}."
    where = ch.pick((f"{cap(c.name)} lies in {c.place}.", f"In {c.place} lies {c.name}."))
    parts = [
        capital,
        ch.pick(
            (f"People there speak {c.language}.", f"Among the languages spoken is {c.language}.")
            if " and " not in c.language
            else (f"Languages spoken there include {c.language}.",)
        ),
        ch.pick(
            (
                f"Neighbors on land include {listed(ch.some(c.neighbors, 2, 4))}.",
                f"It shares borders with {listed(ch.some(c.neighbors, 2, 4))}.",
            )
        )
        if len(c.neighbors) > 1
        else _single_neighbor(c),
        f"It is known for {c.products}.",
        sentence(c.landmark),
        *(sentence(n) for n in c.nature),
    ]
    return " ".join((where, *ch.shuffled(parts)[: ch.between(5, 8)]))


def country_letter(c: Country, ch: Chooser) -> str:
    """A short letter from a traveler."""
    friend = stories.people(ch)[0]
    name = next(n for n in iter(lambda: stories.people(ch)[0], "") if n != friend)
    nature = ch.some(c.nature, 2, 3)
    opening = ch.pick(
        (
            f"I am writing to you from {c.name}.",
            f"Greetings from {c.name}, where I have been for {ch.between(3, 12)} days.",
            f"At last I have reached {c.name}.",
        )
    )
    body = [
        f"My guidebook says that {nature[0]}, and I can tell you that it makes a great impression.",
        f"Did you know that {nature[1]}?",
        f"The shops are proud of what the country is known for: {c.products}.",
        f"I also learned that {c.landmark}.",
        f"With a small dictionary I try to learn some words, for people here speak {c.language}.",
        f"The food is good and the {ch.pick(('evenings', 'mornings', 'markets'))} are lively.",
    ]
    close = ch.pick(
        (
            "I hope that all is well at home.",
            "I will show you my pictures when I return.",
            "Please water my plants and greet the neighbors.",
        )
    )
    return "\n".join(
        (
            f"Dear {friend},",
            " ".join((opening, *ch.shuffled(body)[: ch.between(4, 5)], close)),
            f"Yours, {name}",
        )
    )


def country_comparison(a: Country, b: Country, ch: Chooser) -> str:
    """Two countries side by side."""
    rows = [
        f"{cap(a.name)} lies in {a.place}, whereas {b.name} lies in {b.place}.",
        f"Travelers to {a.name} hear {a.language}; in {b.name} they hear {b.language}.",
        f"{cap(a.name)} is known for {a.products}, and {b.name} for {b.products}.",
        f"About {a.name} one may add that {ch.pick(a.nature)}.",
        f"About {b.name} one may add that {ch.pick(b.nature)}.",
        f"In the case of {a.name}, {a.landmark}; in the case of {b.name}, {b.landmark}.",
    ]
    opening = ch.pick(
        (
            f"This note sets {a.name} beside {b.name}.",
            f"Two countries, two characters: {a.name} and {b.name}.",
            f"Pupils were asked to compare {a.name} and {b.name}.",
        )
    )
    return " ".join((opening, *ch.shuffled(rows)[: ch.between(5, 6)]))


def recipe_card(r: Recipe, ch: Chooser) -> str:
    """A recipe with one step per line."""
    lines = [
        f"{cap(r.name)} (serves {r.serves})",
        f"{ch.pick(('You need', 'Ingredients'))}: {listed(r.ingredients)}.",
        *(f"{i}. {step}." for i, step in enumerate(r.steps, 1)),
        f"{ch.pick(('Tip', 'Note'))}: {'; '.join(ch.some(r.tips, 1, 3))}.",
    ]
    return "\n".join(lines)


def recipe_story(r: Recipe, ch: Chooser) -> str:
    """A recipe told while somebody cooks."""
    name, subject, possessive = stories.people(ch)
    opening = ch.pick(
        (
            f"{name} wanted to cook something for {possessive} family and chose {r.name}.",
            f"On Sundays {name} often makes {r.name}.",
            f"It was {name}'s turn to cook, and {subject} decided on {r.name}.",
        )
    )
    needs = f"On the table lay {listed(r.ingredients)}."
    order = [
        "First the instructions said",
        "Then they said",
        "The next line read",
        "After that they said",
        "Finally they said",
    ]
    steps = [f'{lead}: "{step}."' for lead, step in zip(order, r.steps, strict=False)]
    tips = ch.some(r.tips, 1, 2)
    close = ch.pick(
        (
            f"There was enough for {r.serves}, and nothing was left over.",
            f"{name} remembered one more piece of advice: {tips[0]}.",
            f"A note in the margin read: {'; '.join(tips)}.",
        )
    )
    return " ".join((opening, needs, *steps, close))


def _topic_makers(turn: int) -> list[Callable[[Chooser], str]]:
    kinds = (essay, conversation, report)
    return [(lambda ch, t=t, kind=kinds[(turn + i) % 3]: kind(t, ch)) for i, t in enumerate(knowledge.load_topics())]


def _other_makers(turn: int) -> list[Callable[[Chooser], str]]:
    animals, countries, recipes = (
        knowledge.load_animals(),
        knowledge.load_countries(),
        knowledge.load_recipes(),
    )
    makers: list[Callable[[Chooser], str]] = []
    if turn % 2 == 0:
        makers += [(lambda ch, a=a: animal_profile(a, ch)) for a in animals]
        makers += [(lambda ch, c=c: country_letter(c, ch)) for c in countries]
    else:
        for i, a in enumerate(animals):
            b = animals[(i + 1 + 5 * turn) % len(animals)]
            makers += [lambda ch, a=a, b=b: animal_comparison(a, b, ch)] if a is not b else []
        makers += [(lambda ch, c=c: country_profile(c, ch)) for c in countries]
        for i, c in enumerate(countries[: len(countries) // 2]):
            d = countries[(i + 7 + 3 * turn) % len(countries)]
            makers += [lambda ch, c=c, d=d: country_comparison(c, d, ch)] if c is not d else []
    if turn < 2:
        kind = (recipe_card, recipe_story)[turn]
        makers += [(lambda ch, r=r: kind(r, ch)) for r in recipes]
    makers += [stories.story] * 32 + [everyday.weather_report] * 16 + [everyday.shopping_sum] * 12
    makers += [everyday.town] * 12 + [everyday.timetable] * 6 + [everyday.diary] * 12
    return makers


def documents(seed: int, target: int) -> Iterator[str]:
    """Yields different general documents until they add up to about ``target`` characters.

    Args:
        seed: Seed of the corpus.
        target: Number of characters after which no further document is started.

    Yields:
        One paragraph per document; about a third of the long ones are wrapped over several lines.
    """
    ch = Chooser(f"general-{seed}")
    guard = NearCopyGuard(SHARED_LIMIT)
    written = 0
    for turn in range(1000):
        for make in ch.shuffled([*_topic_makers(turn), *_other_makers(turn)]):
            for _ in range(4):
                text = make(ch)
                if guard.accept(text):
                    if "\n" not in text and ch.chance(0.35):
                        text = textwrap.fill(text, 96, break_long_words=False, break_on_hyphens=False)
                    written += len(text)
                    yield text
                    break
            if written >= target:
                return
    raise RuntimeError(f"the facts do not suffice for {target} characters of different documents")
