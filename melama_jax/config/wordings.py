"""Wordings as data: one YAML file says how the records of an instruction format become a question and an answer."""

from __future__ import annotations

from pathlib import Path

import jinja2
import jinja2.meta
from pydantic import Field, field_validator

from melama_jax.config.named_file import NamedFile, load_named

WORDINGS = Path(__file__).resolve().parents[2] / "configs" / "instruct"
"""Where the wordings that a name stands for are kept."""


class Wordings(NamedFile):
    """How a record is put into words."""

    user: tuple[str, ...] = Field(min_length=1)
    """Jinja2 of what the user says, over the record's fields and `labels`; one is drawn for each record. White space
    at both ends is taken off."""
    answer: str = "{{ answer }}"
    """Jinja2 of what the assistant says."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Words for the values of a record's `label`, in the order in which a wording lists them."""

    @field_validator("user", "answer")
    @classmethod
    def _is_jinja(cls, given: tuple[str, ...] | str) -> tuple[str, ...] | str:
        for number, text in enumerate([given] if isinstance(given, str) else given, 1):
            try:
                jinja2.Environment().from_string(text)
            except jinja2.TemplateSyntaxError as error:  # Also of a filter or test that there is none of.
                raise ValueError(f"wording {number}, line {error.lineno}: {error.message}") from None
        return given

    def fields(self) -> set[str]:
        """The fields that any of the wordings uses."""
        parse = jinja2.Environment().parse
        return set().union(*(jinja2.meta.find_undeclared_variables(parse(text)) for text in (*self.user, self.answer)))


def load_wordings(name_or_path: str | Path) -> Wordings:
    """Read wordings.

    Args:
        name_or_path: A name such as `mediqa`, of the files in configs/instruct, or the path of a YAML file.

    Raises:
        ConfigError: There are no such wordings, with the nearest names; or a key or value cannot work.
    """
    return load_named(Wordings, name_or_path, WORDINGS, "wordings")
