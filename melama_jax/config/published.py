"""What was published of a model, from `configs/published/`: figures that a report puts beside its own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError, model_validator

from melama_jax.config.loading import read_mapping
from melama_jax.config.section import Section
from melama_jax.errors import ConfigError

ME_LLAMA = Path(__file__).parents[2] / "configs" / "published" / "me_llama.yaml"
Certainty = Literal["primary", "secondary", "recollected"]
"""Read in the paper or its authors' repositories; read elsewhere; from memory: a target, never a proof."""


class Figure(NamedTuple):
    """One published score, on the scale from 0 to 1, with how sure it is and what has to be known of it."""

    value: float
    certainty: Certainty
    note: str = ""


class Deviation(Section):
    """Figures of a table that are more or less sure than the rest."""

    tasks: tuple[str, ...] | None = None
    """Of which tasks; None is all."""
    models: tuple[str, ...]
    """Of which models."""
    certainty: Certainty | None = None
    """Instead of the table's."""
    note: str = ""
    """What has to be known of them."""


class PublishedTable(Section):
    """A published table."""

    name: str
    """Short name."""
    title: str
    """What it measures."""
    certainty: Certainty
    """Of its figures, but for the exceptions."""
    models: tuple[str, ...]
    """Its columns."""
    shown: dict[str, str] = Field(default_factory=dict)
    """The columns that a report's main table has: heading -> model."""
    scores: dict[str, dict[str, tuple[float | None, ...]]]
    """Task -> metric -> one score a model, 0 to 1; null where none was published."""
    exceptions: tuple[Deviation, ...] = ()
    """Where the certainty differs; the last that fits counts."""

    @model_validator(mode="after")
    def _check(self) -> PublishedTable:
        for task, metrics in self.scores.items():
            for metric, row in metrics.items():
                if len(row) != len(self.models) or any(v is not None and not 0 <= v <= 1 for v in row):
                    raise ValueError(
                        f"tables.{self.name}.scores.{task}.{metric}: needs {len(self.models)} scores from 0 to 1"
                    )
        named = {*self.shown.values(), *(model for one in self.exceptions for model in one.models)}
        if named - set(self.models):
            raise ValueError(f"tables.{self.name}: has no column {min(named - set(self.models))!r}")
        return self

    def figures(self, task: str, metric: str) -> dict[str, Figure]:
        """The scores of a task in a metric by model; empty where the table has none."""
        row = self.scores.get(task, {}).get(metric, ())
        return {m: self._figure(task, m, v) for m, v in zip(self.models, row, strict=False) if v is not None}

    def _figure(self, task: str, model: str, value: float) -> Figure:
        certainty, note = self.certainty, ""
        for one in self.exceptions:
            if model in one.models and (one.tasks is None or task in one.tasks):
                certainty, note = one.certainty or certainty, one.note or note
        return Figure(value, certainty, note)


class RelatedFigure(Section):
    """A figure of another paper's table, in its own unit."""

    task: str
    """Of which task of ours."""
    metric: str
    """In which metric of ours."""
    title: str
    """What it is called."""
    value: float
    """In `unit`."""
    unit: Literal["%", "fraction", "points", "GiB"]
    """% and fraction say on which scale a score is."""
    model: str
    """Of which model."""
    source: str
    """Which paper."""
    certainty: Certainty
    """How sure it is."""
    note: str = ""
    """What has to be known of it."""


class Published(Section):
    """All that is known to be published of a model."""

    title: str
    """Which publication."""
    tables: tuple[PublishedTable, ...]
    """Its tables."""
    notes: dict[str, str] = Field(default_factory=dict)
    """By task: what has to be known before comparing."""
    related: tuple[RelatedFigure, ...] = ()
    """The model in other papers' tables."""

    def metrics(self, task: str) -> list[str]:
        """The metrics in which a task was published."""
        return list(dict.fromkeys(metric for table in self.tables for metric in table.scores.get(task, {})))


@functools.cache
def load_published(path: Path = ME_LLAMA) -> Published:
    """Read published figures.

    Raises:
        ConfigError: Naming the file, the key and what is wrong.
    """
    try:
        return Published.model_validate(read_mapping(path))
    except ValidationError as error:
        first: Any = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = str(first["ctx"]["error"]) if first["type"] == "value_error" else f"{where}: {first['msg']}"
        raise ConfigError(f"{path}: {message}") from None
