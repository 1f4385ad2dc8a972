"""Short stories from consistent plots.

A plot is a list of steps, each with several wordings. The slots of a story (name, pronouns, place, goal, the
thing that helps) are fixed before the first sentence is written, so that every wording fits every other.
"""

from __future__ import annotations

from tests.sample_corpus import knowledge
from tests.sample_corpus.wording import Chooser, cap

_WOMEN = ("Mina", "Ada", "Lotte", "Ines", "Tamar", "Oda", "Rosa", "Keiko", "Zola", "Marit", "Dina", "Sunniva")
_MEN = (
    "Emil",
    "Tomas",
    "Bruno",
    "Jonas",
    "Arvid",
    "Kofi",
    "Milo",
    "Pavel",
    "Rafi",
    "Otto",
    "Samir",
    "Teodor",
)
_PLACES = (
    "Alder Bridge",
    "Brackwater",
    "Cold Spring",
    "Dunmarsh",
    "Eastfold",
    "Fern Hollow",
    "Gull Point",
    "Harrow Mill",
    "Larkfield",
    "Millbrook Ford",
    "Northhaven",
    "Oak Landing",
    "Pebble Bay",
    "Quarry Hill",
    "Stonecross",
    "Thistle End",
)
# Times of the story by season, so that snow never falls in August.
_TIMES = {
    "winter": (
        "on a gray morning in February",
        "on a still winter day",
        "one dark afternoon in January",
        "a week before midwinter",
    ),
    "warm": (
        "one bright day in May",
        "on the first warm evening of the year",
        "late in June",
        "one mild morning in spring",
    ),
    "autumn": (
        "on a windy afternoon in October",
        "on the last Sunday of September",
        "one cool day in autumn",
    ),
    "fog": ("early one foggy morning", "on a damp morning in November", "one gray evening in autumn"),
    "rain": (
        "after a week of rain",
        "in the wettest April anyone could remember",
        "the day after a great storm",
    ),
}
_ANY_TIME = tuple(time for season in ("winter", "warm", "autumn") for time in _TIMES[season])


def story(ch: Chooser) -> str:
    """Returns one short story as a single paragraph."""
    woman = ch.chance(0.5)
    name = ch.pick(_WOMEN if woman else _MEN)
    others = [n for n in (*_WOMEN, *_MEN) if n != name]
    friend, second = ch.some(others, 2, 2)
    plot = ch.pick(knowledge.load_plots())
    slots = dict(ch.pick(plot.slots))
    when = ch.pick(_TIMES.get(slots.get("season", ""), _ANY_TIME))
    subject, possessive, object_ = ("she", "her", "her") if woman else ("he", "his", "him")
    slots |= {
        "name": name,
        "friend": friend,
        "second": second,
        "place": ch.pick(_PLACES),
        "when": when,
        "When": cap(when),
        "he": subject,
        "He": cap(subject),
        "his": possessive,
        "His": cap(possessive),
        "him": object_,
        "a_child": "a girl" if woman else "a boy",
        "Lost": cap(slots.get("lost", "")),
    }
    return " ".join(ch.pick(wordings).format(**slots) for wordings in plot.steps)


def people(ch: Chooser) -> tuple[str, str, str]:
    """Returns a first name with its subject and possessive pronouns."""
    if ch.chance(0.5):
        return ch.pick(_WOMEN), "she", "her"
    return ch.pick(_MEN), "he", "his"


def place(ch: Chooser) -> str:
    """Returns the name of an invented town."""
    return ch.pick(_PLACES)
