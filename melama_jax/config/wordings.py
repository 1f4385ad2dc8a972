"""Wordings as data: one YAML file says how the records of an instruction format become a question and an answer."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path

import jinja2
import jinja2.meta
from pydantic import Field, ValidationError, field_validator

from melama_jax.config.loading import read_mapping
from melama_jax.config.section import Section
from melama_jax.errors import ConfigError

WORDINGS = Path(__file__).resolve().parents[2] / "configs" / "instruct"
"""Where the wordings that a name stands for are kept."""


class Wordings(Section):
    """How a record is put into words."""

    name: str
    """Name of the file without its ending."""
    version: int = Field(ge=1)
    """Raised with every change of a wording."""
    user: tuple[str, ...] = Field(min_length=1)
    """Jinja2 of what the user says, over the record's fields and `labels`; one is drawn for each record. White space
    at both ends is taken off."""
    answer: str = "{{ answer }}"
    """Jinja2 of what the assistant says."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Words for the values of a record's `label`, in the order in which a wording lists them."""
    notes: str = ""
    """What a reader should know."""
    sha256: str = ""
    """Of the file; set when it is read."""

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
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = WORDINGS / f"{name_or_path}.yaml"
        if not path.is_file():
            known = sorted(file.stem for file in WORDINGS.glob("*.yaml"))
            near = difflib.get_close_matches(str(name_or_path), known, n=3, cutoff=0.5) or known
            raise ConfigError(f"wordings {str(name_or_path)!r}: not in {WORDINGS}; nearest: {', '.join(near)}")
    tree = read_mapping(path)
    if "sha256" in tree:
        raise ConfigError(f"{path}: sha256: is computed from the file; remove it")
    try:
        return Wordings.model_validate({**tree, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    except ValidationError as error:
        raise ConfigError(f"{path}: {'; '.join(_explain(item) for item in error.errors())}") from None


def _explain(item: object) -> str:
    """One mistake: the key, what is wrong with it, and the nearest valid key of an unknown one."""
    assert isinstance(item, dict)
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key {key}; did you mean {difflib.get_close_matches(key, Wordings.model_fields, 1, 0.0)[0]}?"
    return f"{key}: {item['ctx']['error'] if item['type'] == 'value_error' else item['msg'].lower()}"
