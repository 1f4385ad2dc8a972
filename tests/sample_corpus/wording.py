"""Reproducible choice, small rules of English, and a guard against near-copies."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

_T = TypeVar("_T")

# First words that keep their capital inside a sentence.
_PROPER = frozenset(
    [
        "Helicobacter",
        "Staphylococcus",
        "Streptococcus",
        "Escherichia",
        "Neisseria",
        "Mycobacterium",
        "Plasmodium",
        "Borrelia",
        "Polaris",
        "Sirius",
        "Orion",
        "Proxima",
        "Edwin",
        "Galileo",
        "Isaac",
        "Mercury",
        "Venus",
        "Mars",
        "Jupiter",
        "Saturn",
        "Uranus",
        "Neptune",
        "Titan",
        "Olympus",
        "Vesuvius",
        "Antarctica",
        "Mount",
        "Johannes",
        "Christiaan",
        "Augustin",
        "Alexander",
        "Melvil",
        "John",
        "Julius",
        "Venice",
        "Japan",
        "Roman",
        "Early",
        "Polynesian",
        "Robusta",
        "IgM",
        "IgG",
        "IgA",
        "ATP",
        "T",
        "B",
        "GABA",
        "C-peptide",
        "Ultraviolet",
        "Kupffer",
        "Toll-like",
        "Varroa",
        "Mary",
        "Stegosaurus",
        "Triceratops",
        "Andromeda",
        "Medieval",
        "Greek",
        "Rome",
        "Virchow",
    ]
) - {"Early", "Robusta", "Ultraviolet", "Toll-like", "Medieval"}


class Chooser:
    """Random choice that gives the same result on every Python version.

    Only ``random.Random.random`` is used below, because the algorithms behind ``shuffle``, ``sample`` and
    ``choice`` may change between versions of Python, whereas the sequence of ``random`` is guaranteed.
    """

    def __init__(self, seed: str) -> None:
        """Starts the sequence that belongs to ``seed``."""
        self._random = random.Random(seed)

    def below(self, bound: int) -> int:
        """Returns an integer from 0 to ``bound - 1``."""
        return int(self._random.random() * bound)

    def between(self, low: int, high: int) -> int:
        """Returns an integer from ``low`` to ``high``, both included."""
        return low + self.below(high - low + 1)

    def chance(self, probability: float) -> bool:
        """Returns True with the given probability."""
        return self._random.random() < probability

    def pick(self, options: Sequence[_T]) -> _T:
        """Returns one of ``options``."""
        return options[self.below(len(options))]

    def shuffled(self, options: Iterable[_T]) -> list[_T]:
        """Returns the options in random order."""
        result = list(options)
        for i in range(len(result) - 1, 0, -1):
            j = self.below(i + 1)
            result[i], result[j] = result[j], result[i]
        return result

    def some(self, options: Sequence[_T], low: int, high: int) -> list[_T]:
        """Returns between ``low`` and ``high`` different options in random order."""
        count = min(len(options), self.between(low, high))
        return self.shuffled(options)[:count]


def cap(text: str) -> str:
    """Capitalizes the first letter and leaves the rest alone."""
    return text[:1].upper() + text[1:]


def uncap(sentence: str) -> str:
    """Lowers the first letter of a sentence unless it starts with a name or an abbreviation."""
    first = re.split(r"[ ,']", sentence, maxsplit=1)[0]
    if first in _PROPER or sum(ch.isupper() for ch in first) > 1:
        return sentence
    return sentence[:1].lower() + sentence[1:]


def clause(sentence: str) -> str:
    """Turns a full sentence into a clause without its full stop."""
    return uncap(sentence).rstrip(".")


def sentence(text: str) -> str:
    """Turns a clause into a sentence."""
    text = cap(text.strip())
    return text if text.endswith((".", "!", "?", '."', '?"', '!"')) else text + "."


def listed(items: Sequence[str], word: str = "and") -> str:
    """Joins items to "a, b and c", with semicolons where an item has a comma or an "and" of its own."""
    items = list(items)
    if len(items) == 1:
        return items[0]
    nested = any(", " in item or " and " in item or " or " in item for item in items)
    if len(items) == 2:
        return f"{items[0]}, {word} {items[1]}" if nested else f"{items[0]} {word} {items[1]}"
    if nested:
        return "; ".join(items[:-1]) + f"; {word} {items[-1]}"
    return ", ".join(items[:-1]) + f" {word} {items[-1]}"


def infinitive(imperative: str) -> str:
    """Turns advice such as "do not drive" into "not to drive" and "rest" into "to rest"."""
    for start, replacement in (("do not ", "not to "), ("never ", "never to ")):
        if imperative.startswith(start):
            return replacement + imperative[len(start) :]
    return "to " + imperative


def number_article(number: int) -> str:
    """Returns the indefinite article that goes before a spoken number."""
    return "an" if number in (8, 11, 18) or 80 <= number <= 89 else "a"


def fill_numbers(text: str, chooser: Chooser) -> str:
    """Replaces every ``{low:high}`` by a number of that range, with as many decimals as the bounds have."""

    def replace(match: re.Match[str]) -> str:
        low, high = match.groups()
        decimals = max(len(bound.partition(".")[2]) for bound in (low, high))
        scale = 10**decimals
        value = chooser.between(round(float(low) * scale), round(float(high) * scale))
        # Laboratories round large counts, so a note should not state one to the last digit.
        if not decimals and value >= 300:
            value -= value % 10
        text = f"{value / scale:.{decimals}f}"
        return f"{value:,}" if not decimals and value >= 1000 else text

    return re.sub(r"\{([0-9.]+):([0-9.]+)\}", replace, text)


def shingles(text: str, width: int = 8) -> set[str]:
    """Returns the set of runs of ``width`` consecutive words, in lower case and without punctuation."""
    words = re.findall(r"[a-z0-9]+(?:[-'][a-z0-9]+)*", text.lower())
    return {" ".join(words[i : i + width]) for i in range(len(words) - width + 1)}


class NearCopyGuard:
    """Accepts only texts that share a limited part of their 8-word shingles with any earlier text."""

    def __init__(self, limit: float) -> None:
        """Starts empty.

        Args:
            limit: Largest accepted share of common shingles, relative to the shorter of two texts.
        """
        self._limit = limit
        self._owners: dict[str, list[int]] = {}
        self._sizes: list[int] = []

    def accept(self, text: str) -> bool:
        """Returns whether ``text`` is new enough, and remembers it if so."""
        own = shingles(text)
        if not own:
            return False
        common: dict[int, int] = {}
        for shingle in own:
            for owner in self._owners.get(shingle, ()):
                common[owner] = common.get(owner, 0) + 1
        if any(n > self._limit * min(len(own), self._sizes[owner]) for owner, n in common.items()):
            return False
        for shingle in own:
            self._owners.setdefault(shingle, []).append(len(self._sizes))
        self._sizes.append(len(own))
        return True
