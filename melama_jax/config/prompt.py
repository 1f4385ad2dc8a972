"""Prompts as data: one YAML file says how a benchmark's items are put to a model, and how its answers are written."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import jinja2
from pydantic import Field, field_validator, model_validator

from melama_jax.config.named_file import NamedFile, load_named

PROMPTS = Path(__file__).resolve().parents[2] / "configs" / "prompts"
"""Where the prompts that a name stands for are kept."""


class PromptConfig(NamedFile):
    """How the items of a benchmark are asked."""

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
    return load_named(PromptConfig, name_or_path, PROMPTS, "prompt")
