"""The best checkpoint by a figure of the evaluations, and when to stop looking for a better one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from melama_jax.config import BestConfig
from melama_jax.errors import ConfigError, TrainingError

BEST_FILE = "best.json"
"""Of a run folder: metric, step and value of the best checkpoint, which is there."""
_SMALL = ("loss", "perplexity")


def check_metric(config: BestConfig, held_out: Sequence[str], benchmarks: Sequence[str]) -> None:
    """Refuse a metric that no evaluation of the run writes.

    Args:
        config: What is asked for.
        held_out: Tasks whose held-out loss is measured.
        benchmarks: Benchmarks that are asked while training.

    Raises:
        ConfigError: Naming the figures that there are.
    """
    figures = [f"eval/{task}/{figure}" for task in held_out for figure in _SMALL]
    figures += [f"eval/{name}/{figure}" for name in benchmarks for figure in ("accuracy", "accuracy_normalized")]
    if config.metric not in figures:
        there = f"choose one of {', '.join(figures)}" if figures else "nothing is evaluated: set eval.interval"
        raise ConfigError(f"eval.best.metric {config.metric!r}: no evaluation of this run measures it; {there}")


def named_best(run_dir: Path) -> int | None:
    """The step that `best.json` of a run names, if there is one."""
    try:
        found = json.loads((run_dir / BEST_FILE).read_text(encoding="utf-8"))["step"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, int) else None


class Best:
    """The best figure so far, and how many evaluations have brought no better one since.

    A better figure becomes public (`best.json`) only when the checkpoint that belongs to it has been written: a killed
    run's file names a checkpoint that is there.
    """

    def __init__(self, config: BestConfig, run_dir: Path, stored: Mapping[str, Any] | None):
        """Begin, or go on.

        Args:
            config: Which figure.
            run_dir: The run folder.
            stored: `state()` of the run that is resumed; of another figure it counts for nothing.
        """
        self.metric, self._patience, self._path = config.metric, config.patience, run_dir / BEST_FILE
        larger = config.larger_is_better
        self._larger = config.metric.rsplit("/", 1)[-1] not in _SMALL if larger is None else larger
        self.step: int | None = None
        """Step of the best figure; None before the first."""
        self.value, self._waited = 0.0, 0
        if stored is not None and (stored["metric"], stored["larger_is_better"]) == (self.metric, self._larger):
            self.step, self.value, self._waited = stored["step"], stored["value"], stored["waited"]

    def consider(self, step: int, record: Mapping[str, Any]) -> bool:
        """Whether the record of a step has a better figure than all before; a record without the figure says nothing.

        An equal figure is not better, nor is one that is not finite.
        """
        if self.metric not in record:
            return False
        value = record[self.metric]
        finite = float("-inf") < value < float("inf")
        if finite and (self.step is None or (value > self.value if self._larger else value < self.value)):
            self.step, self.value, self._waited = step, value, 0
            return True
        self._waited += 1
        return False

    @property
    def exhausted(self) -> bool:
        """Whether `patience` evaluations in a row were no better."""
        return self._patience is not None and self._waited >= self._patience

    def state(self) -> dict[str, Any]:
        """All that a checkpoint keeps, as JSON."""
        return {
            "metric": self.metric,
            "larger_is_better": self._larger,
            "step": self.step,
            "value": self.value,
            "waited": self._waited,
        }

    def publish(self, state: Mapping[str, Any]) -> None:
        """Write a state whose checkpoint is whole to `best.json`, at once; one without a figure writes nothing.

        Raises:
            TrainingError: The file cannot be written.
        """
        if state["step"] is None:
            return
        shown = {key: state[key] for key in ("metric", "step", "value")}
        beside = self._path.with_suffix(".tmp")
        try:
            beside.write_text(json.dumps(shown) + "\n", encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            raise TrainingError(f"{self._path}: cannot be written: {error.strerror or error}") from None

    def describe(self) -> str:
        """One line: the best figure and its step, and how long ago that was."""
        if self.step is None:
            return f"{self._waited} evaluation(s) without a finite {self.metric}"
        return f"best {self.metric} {self.value:.4g} at step {self.step}, {self._waited} evaluation(s) ago"
