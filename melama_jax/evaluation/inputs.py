"""Everything an evaluation reads besides the model, read first, so that mistakes are told before devices are busy."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from melama_jax.config import EvaluationConfig, load
from melama_jax.config.loading import CONFIG_FILE
from melama_jax.data.cache import plan_caches, why_stale
from melama_jax.data.prepared import PreparedData, load_prepared
from melama_jax.errors import ConfigError
from melama_jax.evaluation import deployment, fairness, forgetting, stability
from melama_jax.evaluation.cases import make_judges
from melama_jax.evaluation.datasets import DATASETS
from melama_jax.evaluation.datasets.files import MissingData
from melama_jax.evaluation.question import Question
from melama_jax.evaluation.suites import Task

SUITES: dict[str, ModuleType] = {
    "fairness": fairness,
    "stability": stability,
    "deployment": deployment,
    "forgetting": forgetting,
}
"""The suites that are no datasets: `check(config)` reads what one needs and gives its hashes, and `run(interview,
config)` asks."""


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What is asked.

    Attributes:
        questions: By task, the items of a dataset.
        absent: By task, why it cannot run.
        trained: The rows that are searched for the items, if any.
    """

    questions: dict[str, Question]
    absent: dict[str, str]
    trained: PreparedData | None


def read_inputs(config: EvaluationConfig, tasks: Sequence[Task]) -> Inputs:
    """Read datasets, prompts and the suites' files.

    Raises:
        ConfigError: A setting cannot work, or a dataset is not there and `data.allow_missing` is false.
        DataError: A file cannot be read.
    """
    _check_names(config)
    _check_folders(config)
    questions, absent = {}, {}
    for task in tasks:
        if task.dataset is None:
            continue
        try:
            question = questions[task.name] = Question(task, config)
        except MissingData as error:
            absent[task.name] = str(error)
            continue
        if question.kind == "case":
            make_judges(config, question.folder, protected=question.dataset.protected)
    if absent and not config.data.allow_missing:
        raise ConfigError(
            f"tasks: {', '.join(absent)}: the files are not there ({next(iter(absent.values()))}); set data.root or "
            f"data.folders (docs/benchmarks_data.md says what belongs there), or data.allow_missing: true to report "
            f"them as not run"
        )
    for task in tasks:
        if task.dataset is None:
            SUITES[task.name].check(config)
    return Inputs(questions, absent, _trained_rows(config))


def _check_names(config: EvaluationConfig) -> None:
    """Refuse settings of datasets that do not exist, which would otherwise be without effect."""
    folders = {dataset.folder for dataset in DATASETS.values()}
    for key, given, known in (
        ("protocol.prompts", config.protocol.prompts, set(DATASETS)),
        ("data.splits", config.data.splits, set(DATASETS)),
        ("data.folders", config.data.folders, {*DATASETS, *folders}),
    ):
        for name in _unknown(given, known):
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else "docs/benchmarks_data.md lists the datasets"
            raise ConfigError(f"{key}.{name}: there is no such dataset; {hint}")


def _unknown(given: Iterable[str], known: set[str]) -> list[str]:
    return [name for name in given if name not in known]


def _check_folders(config: EvaluationConfig) -> None:
    for name in ("bertscore_model", "bartscore_model"):
        folder = getattr(config.metrics, name)
        if folder is not None and not Path(folder).is_dir():
            raise ConfigError(f"metrics.{name}: there is no folder {folder}")


def _trained_rows(config: EvaluationConfig) -> PreparedData | None:
    run = config.contamination.run
    if run is None:
        return None
    path = Path(run) / CONFIG_FILE
    if not path.is_file():
        raise ConfigError(f"contamination.run: {run} is no run folder, it has no {CONFIG_FILE}")
    trained = load(path)
    plan = plan_caches(trained, echo=lambda text: None, remember=False)
    stale = [f"{task.task}: {reason}" for task in plan.tasks if (reason := why_stale(task)) is not None]
    if stale:
        raise ConfigError(
            f"contamination.run: the rows that {run} was trained on are not there ({'; '.join(stale)}); "
            f"python -m melama_jax.data.prepare --config {path} makes them again"
        )
    return load_prepared(plan, trained, echo=lambda text: None)
