"""Which tasks there are: a dataset asked in one way, and the suites that a user names."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable

from melama_jax.errors import ConfigError
from melama_jax.evaluation.datasets import DATASETS, Dataset
from melama_jax.evaluation.datasets.choice import MMLU_GENERAL, MMLU_MEDICAL

SUITES: dict[str, tuple[str, ...]] = {
    "mibe": (
        "pubmedqa",
        "medqa",
        "medmcqa",
        "emrqa",
        "i2b2_2010",
        "ddi2013",
        "hoc",
        "mtsample",
        "pubmed_summarization",
        "mimic_cxr",
        "bionli",
        "mednli",
    ),
    "mirage": ("mirage_mmlu", "mirage_medqa", "mirage_medmcqa", "mirage_pubmedqa", "mirage_bioasq"),
    "mmlu_medical": tuple(f"mmlu_{subject}" for subject in MMLU_MEDICAL),
    "mmlu_general": tuple(f"mmlu_{subject}" for subject in MMLU_GENERAL),
    "further": ("ncbi_disease", "bc5cdr", "nli4ct", "mediqa_rqe", "meqsum", "bioasq"),
    "related": ("gpqa_bio", "nejm_medqa", "medqa_4options", "medmcqa", "clip_200", "mts_specialty"),
    "cases": ("agentclinic_cases", "craft_md_cases", "own_cases"),
    "fairness": ("fairness",),
    "stability": ("stability",),
    "deployment": ("deployment",),
    "forgetting": ("forgetting",),
}
"""Suites by name; the last four are no datasets, but questions of their own."""
SPECIAL = ("fairness", "stability", "deployment", "forgetting")


@dataclasses.dataclass(frozen=True)
class Task:
    """A dataset as one suite asks it.

    Attributes:
        name: What a user names it, and the name of its folder in a run.
        suite: The suite that it was named by, or its own name.
        dataset: Where its items come from; None for a special suite.
        draw: Items of a seeded draw that the task is defined by; None takes all.
    """

    name: str
    suite: str
    dataset: Dataset | None
    draw: int | None = None


_DRAWS = {"clip_200": ("clip", 200), "mts_specialty": ("mtsample", 200)}
"""Tasks that are a draw of a dataset."""


def resolve(names: Iterable[str]) -> list[Task]:
    """The tasks that suites and datasets stand for, each once, in the order they were named.

    Raises:
        ConfigError: A name is neither.
    """
    tasks: dict[str, Task] = {}
    for name in names:
        if name not in SUITES and name not in DATASETS and name not in _DRAWS:
            known = [*SUITES, *DATASETS, *_DRAWS]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"suites are {', '.join(SUITES)}; or name a dataset"
            raise ConfigError(f"tasks: unknown task {name!r}; {hint}")
        for member in SUITES.get(name, (name,)):
            tasks.setdefault(member, _task(member, name))
    return list(tasks.values())


def _task(name: str, suite: str) -> Task:
    if name in SPECIAL:
        return Task(name, suite, None)
    dataset, draw = _DRAWS.get(name, (name, None))
    return Task(name, suite, DATASETS[dataset], draw)
