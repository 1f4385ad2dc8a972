"""One item of a benchmark, as every dataset's loader gives it and every prompt and scorer takes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

Kind = Literal["choice", "label", "labels", "span", "entities", "summary", "case"]
"""What an answer is: a letter of the item's options; one label; any number of labels; a piece of the text (or one of
several accepted ones); entities in a sentence; a free text compared with a reference; ranked diagnoses."""
Split = Literal["train", "validation", "test"]


@dataclasses.dataclass(frozen=True)
class Example:
    """One item.

    Attributes:
        id: Unique in its split.
        fields: What a prompt may show. choice: question, options (letter -> text), perhaps context. label and labels:
            any of context, question, text, sentence, premise, hypothesis. span: context, question. entities: tokens
            (list), sentence. summary: text. case: case.
        gold: choice: the letter; label: the label; labels: a tuple of labels, perhaps empty; span: a tuple of accepted
            answers; entities: a tuple of BIO tags, one a token; summary and case: the reference text.
        labels: The answers there are: the item's letters, or the dataset's labels (entity types); () for free text.
    """

    id: str
    fields: Mapping[str, Any]
    gold: Any
    labels: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A split of a dataset.

    Attributes:
        examples: Its items, in the order of the file.
        left_out: How many records were not taken, by reason.
        files: What was read.
    """

    examples: list[Example]
    left_out: dict[str, int]
    files: list[Path]
