"""Prompts as data: one YAML file says how a benchmark's items are put to a model, and how its answers are written."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Literal

import jinja2
from pydantic import Field, ValidationError, field_validator, model_validator

from melama_jax.config.loading import read_mapping
from melama_jax.config.section import Section
from melama_jax.errors import ConfigError

PROMPTS = Path(__file__).resolve().parents[2] / "configs" / "prompts"
"""Where the prompts that a name stands for are kept."""


class PromptConfig(Section):
    """How the items of a benchmark are asked."""

    name: str
    """Name of the file without its ending."""
    version: int = Field(ge=1)
    """Raised with every change of the wording."""
    kind: Literal["choice", "label", "labels", "span", "entities", "summary", "case"]
    """What an answer is."""
    template: str = Field(min_length=1)
    """Jinja2 of one item: its fields, `labels`, and `first`, true in the first block of a prompt with examples.
    White space at the end is taken off."""
    answer: str = Field(min_length=1)
    """Jinja2 of an answer, as an example shows it and as log-likelihood measures it: `label` (entities: the sentence
    with its markup) besides the item's fields. Starts with the white space that parts it from the question."""
    shot_separator: str = "\n\n"
    """Between the blocks of a prompt with examples."""
    stop: tuple[str, ...] = ()
    """Texts before which an answer ends."""
    max_new_tokens: int = Field(ge=1)
    """Tokens an answer may have."""
    notes: str = ""
    """What a reader of a report should know."""
    sha256: str = ""
    """Of the file; set when it is read."""

    @field_validator("template", "answer")
    @classmethod
    def _is_jinja(cls, text: str) -> str:
        try:
            jinja2.Environment().parse(text)
        except jinja2.TemplateSyntaxError as error:
            raise ValueError(f"line {error.lineno} of the template: {error.message}") from None
        return text

    @model_validator(mode="after")
    def _is_parted(self) -> PromptConfig:
        if not self.answer[0].isspace():
            raise ValueError(f"answer: must start with the space or newline after the question, found {self.answer!r}")
        if "" in self.stop:
            raise ValueError("stop: an empty text would end every answer at once")
        return self


def load_prompt(name_or_path: str | Path) -> PromptConfig:
    """Read a prompt.

    Args:
        name_or_path: A name such as `medqa`, of the files in configs/prompts, or the path of a YAML file.

    Raises:
        ConfigError: There is no such prompt, with the nearest names; or a key or value cannot work.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = PROMPTS / f"{name_or_path}.yaml"
        if not path.is_file():
            known = sorted(file.stem for file in PROMPTS.glob("*.yaml"))
            near = difflib.get_close_matches(str(name_or_path), known, n=3, cutoff=0.5) or known
            raise ConfigError(f"prompt {str(name_or_path)!r}: not in {PROMPTS}; nearest: {', '.join(near)}")
    tree = read_mapping(path)
    if "sha256" in tree:
        raise ConfigError(f"{path}: sha256: is computed from the file; remove it")
    try:
        return PromptConfig.model_validate({**tree, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    except ValidationError as error:
        raise ConfigError(f"{path}: {'; '.join(_explain(item) for item in error.errors())}") from None


def _explain(item: object) -> str:
    """One mistake: the key, what is wrong with it, and the nearest valid key of an unknown one."""
    assert isinstance(item, dict)
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, list(PromptConfig.model_fields), n=1, cutoff=0.0)
        return f"unknown key {key}; did you mean {near[0]}?"
    message = str(item["ctx"]["error"]) if item["type"] == "value_error" else item["msg"].lower()
    return f"{key}: {message}" if key else message
