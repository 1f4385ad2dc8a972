"""Items of a split as a loader gathers them, and the count of what it could not take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from melama_jax.errors import DataError
from melama_jax.evaluation.datasets.files import Folder
from melama_jax.evaluation.example import Example, Loaded


class Items:
    """Items of a split as they gather.

    Args:
        folder: What they are read from.
    """

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._examples: dict[str, Example] = {}
        self._left_out: Counter[str] = Counter()

    def leave_out(self, reason: str) -> None:
        """Count a record that gives no item."""
        self._left_out[reason] += 1

    def add(
        self, id: str, fields: Mapping[str, Any], gold: Any, labels: tuple[str, ...] = (), *, may_be_empty: str = ""
    ) -> None:
        """Take an item, or count why not: an empty field, no gold answer, a letter that is no option, a duplicate.

        A record that repeats another in all is left out; one that shares only the identifier gets `#2`, `#3`, ...
        """
        empty = [name for name, value in fields.items() if not (value.strip() if isinstance(value, str) else value)]
        if empty and empty != [may_be_empty]:
            return self.leave_out(f"empty {empty[0]}")
        if gold is None or gold == "":
            return self.leave_out("no gold answer")
        if "options" in fields and gold not in fields["options"]:
            return self.leave_out("gold answer not among the options")
        name, count = id, 1
        while name in self._examples:
            other = self._examples[name]
            if (other.fields, other.gold) == (fields, gold):
                return self.leave_out("duplicate record")
            count += 1
            name = f"{id}#{count}"
        self._examples[name] = Example(name, fields, gold, labels)

    def loaded(self) -> Loaded:
        """The split.

        Raises:
            DataError: It has no item.
        """
        files = list(self._folder.taken)
        if not self._examples:
            reasons = ", ".join(f"{count} {reason}" for reason, count in self._left_out.items()) or "no records"
            raise DataError(f"{', '.join(map(str, files)) or self._folder.path}: no item of this split ({reasons})")
        return Loaded(list(self._examples.values()), dict(self._left_out), files)


def add_choice(items: Items, id: str, question: str, options: Mapping[str, str], gold: str | None) -> None:
    """Take a multiple-choice question whose options are all filled."""
    if not all(isinstance(text, str) and text.strip() for text in options.values()):
        return items.leave_out("empty option")
    items.add(id, {"question": question, "options": dict(options)}, gold, tuple(options))


def strip_lines(lines: Iterable[str]) -> str:
    """Lines as one text, without blank ones."""
    return "\n".join(line.strip() for line in lines if line.strip())
