"""Which tasks a run reads and at what rates."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from melama_jax.config import DOMAINS, Config, DataConfig, Source
from melama_jax.config.conversations import INSTRUCT_TASKS, ME_LLAMA_INSTRUCT
from melama_jax.errors import ConfigError

MIXTURES: dict[str, dict[str, float]] = {
    "me_llama_pretrain": {"biomedical": 15, "clinical": 1, "general": 4},
    "me_llama_instruct": dict(ME_LLAMA_INSTRUCT),
}
"""Named mixtures: token rate of each task (Me-LLaMA, arXiv 2402.12749: biomedical, clinical, general 15:1:4), or the
number of its training records."""


def check_epochs(config: Config) -> None:
    """Refuse `train.epochs` of tasks that are mixed by rates, whose rows have no end.

    Raises:
        ConfigError: Naming what would work.
    """
    data, epochs = config.data, config.train.epochs
    if epochs is not None and records_by_task(data) is None and len(resolve_mixture(data)) > 1:
        raise ConfigError(
            f"train.epochs {epochs:g}: the tasks of data.mixture {data.mixture!r} are mixed by rates, so nothing is "
            f"seen once; give train.steps instead, or a single task as data.mixture, or data.conversations.records"
        )


def resolve_mixture(data: DataConfig) -> dict[str, float]:
    """The tasks that the configuration asks for, with their positive rates.

    Args:
        data: `data.mixture` names an entry of `MIXTURES` or a single task, that is a key of `data.sources`;
            `data.rates` or `data.conversations.records`, when given, replaces the mixture's own rates.

    Raises:
        ConfigError: An unknown mixture or task, both rates and records, or no positive rate.
    """
    known = [*MIXTURES, *DOMAINS, *data.sources]
    if data.mixture not in known:
        raise ConfigError(f"data.mixture {data.mixture!r} is not known{_nearest(data.mixture, known, INSTRUCT_TASKS)}")
    if data.conversations.records is not None and data.rates is not None:
        raise ConfigError("data.rates and data.conversations.records are both given; keep one of them")
    records = records_by_task(data)
    key = "data.rates" if records is None else "data.conversations.records"
    rates: Mapping[str, float] | None = data.rates if records is None else records
    if rates is None:
        rates = MIXTURES.get(data.mixture, {data.mixture: 1.0})
    for task in rates:
        if task not in data.sources:
            raise ConfigError(f"{key}.{task}: data.sources has no such task{_nearest(task, data.sources)}")
        if records is not None and all(source.format == "text" for source in data.sources[task]):
            raise ConfigError(f"{key}.{task}: holds text, not conversations; mix it by data.rates")
    for task, sources in data.sources.items():
        if task not in rates and task not in DOMAINS and not _is_usual(task, sources):
            raise ConfigError(
                f"data.sources.{task}: {data.mixture!r} does not use this task{_nearest(task, rates)} "
                f"(or name it in {key})"
            )
    positive = {task: float(rate) for task, rate in rates.items() if rate > 0}
    if not positive:
        raise ConfigError(
            f"{key}: no task has a positive rate (found {', '.join(rates) or 'no tasks'}); "
            f"give one, such as {{{next(iter(data.sources))}: 1}}"
        )
    return positive


def records_by_task(data: DataConfig) -> dict[str, int] | None:
    """Training records to draw of each task; None for a mixture by rates, or a single task whose records all count."""
    if data.conversations.records is not None:
        return dict(data.conversations.records)
    if data.mixture == "me_llama_instruct" and data.rates is None:
        return dict(ME_LLAMA_INSTRUCT)
    return None


def integer_rates(rates: Mapping[str, float]) -> dict[str, int]:
    """Positive rates as the smallest whole numbers in exactly the same proportions; 0.1 is read as one tenth."""
    exact = {task: Fraction(repr(rate)) for task, rate in rates.items()}
    common = math.lcm(*(rate.denominator for rate in exact.values()))
    whole = {task: int(rate * common) for task, rate in exact.items()}
    divisor = math.gcd(*whole.values())
    return {task: rate // divisor for task, rate in whole.items()}


def _is_usual(task: str, sources: Sequence[Source]) -> bool:
    """Whether a task of instructions has just the source that the configuration gives it by itself."""
    return task in INSTRUCT_TASKS and [s.model_dump(exclude_defaults=True) for s in sources] == [
        {"glob": f"{task}/*", "format": task}
    ]


def _nearest(name: str, names: Iterable[str], more: Iterable[str] = ()) -> str:
    names = list(dict.fromkeys(names))
    near = difflib.get_close_matches(name, [*names, *more], n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; valid: {', '.join(names)}"
