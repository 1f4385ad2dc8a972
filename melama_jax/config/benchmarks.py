"""Where benchmarks lie, and which of them are asked while training."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator

from melama_jax.config.section import Section


def task_names(value: Any) -> Any:
    """Names of suites and datasets: `mibe,mirage` as well as a list."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


class BenchmarkDataConfig(Section):
    """Where the benchmarks' files lie; docs/benchmarks_data.md names them."""

    root: str = "benchmarks"
    """Folder with a folder for each dataset, by its name."""
    folders: dict[str, str] = Field(default_factory=dict)
    """Folder or file of a dataset that lies elsewhere, by its name."""
    split: Literal["test", "validation"] = "test"
    """Which split is asked ..."""
    splits: dict[str, Literal["test", "validation"]] = Field(default_factory=dict)
    """... but of these datasets, by name."""
    resplit: bool = False
    """Part the training split of PubMedQA, MedMCQA and EmrQA 90/10 by seed into training and validation, as the paper
    does; false keeps the official splits."""
    max_examples: PositiveInt | None = None
    """Ask a seeded draw of so many items of each dataset; null asks all."""
    allow_missing: bool = False
    """Report a dataset whose files are not there as not run, instead of refusing to start."""

    @field_validator("root")
    @classmethod
    def _expand(cls, value: str) -> str:
        return os.path.expanduser(value)

    @field_validator("folders")
    @classmethod
    def _expand_each(cls, value: dict[str, str]) -> dict[str, str]:
        return {name: os.path.expanduser(path) for name, path in value.items()}


class TrainingBenchmarksConfig(Section):
    """Benchmarks that are asked by log-likelihood while training."""

    tasks: tuple[str, ...] = ()
    """Suites and datasets of options or single labels, as `melama_jax.evaluate --tasks` takes them; none by default."""
    interval: PositiveInt = 1000
    """Steps between them; the last step is always evaluated."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    """Seed of the draw of items."""
    batch_size: PositiveInt = 8
    """Rows of a batch over all devices."""
    data: BenchmarkDataConfig = Field(default_factory=lambda: BenchmarkDataConfig(max_examples=200))
    """Where the benchmarks lie, and how many items are asked (200 of each by default)."""

    _split = field_validator("tasks", mode="before")(task_names)
