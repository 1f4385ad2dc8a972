"""Which tasks a run reads and at what rates."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from fractions import Fraction

from melama_jax.config import DOMAINS, DataConfig
from melama_jax.errors import ConfigError

MIXTURES: dict[str, dict[str, float]] = {"me_llama_pretrain": {"biomedical": 15, "clinical": 1, "general": 4}}
"""Named mixtures: token rate of each task (Me-LLaMA, arXiv 2402.12749: biomedical, clinical, general 15:1:4)."""


def resolve_mixture(data: DataConfig) -> dict[str, float]:
    """The tasks that the configuration asks for, with their positive rates.

    Args:
        data: `data.mixture` names an entry of `MIXTURES` or a single task, that is a key of `data.sources`;
            `data.rates`, when given, replaces the mixture's own rates.

    Raises:
        ConfigError: An unknown mixture or task, or no positive rate.
    """
    names = [*MIXTURES, *(name for name in (*DOMAINS, *data.sources) if name not in MIXTURES)]
    if data.mixture not in names:
        raise ConfigError(f"data.mixture {data.mixture!r} is not known{_nearest(data.mixture, names)}")
    rates = MIXTURES.get(data.mixture, {data.mixture: 1.0}) if data.rates is None else data.rates
    for task in rates:
        if task not in data.sources:
            raise ConfigError(f"data.rates.{task}: data.sources has no such task{_nearest(task, data.sources)}")
    for task in data.sources:
        if task not in rates and task not in DOMAINS:
            raise ConfigError(
                f"data.sources.{task}: {data.mixture!r} does not use this task{_nearest(task, rates)} "
                f"(or name it in data.rates)"
            )
    positive = {task: float(rate) for task, rate in rates.items() if rate > 0}
    if not positive:
        raise ConfigError(
            f"data.rates: no task has a positive rate (found {', '.join(rates) or 'no tasks'}); "
            f"give one, such as {{{next(iter(data.sources))}: 1}}"
        )
    return positive


def integer_rates(rates: Mapping[str, float]) -> dict[str, int]:
    """Positive rates as the smallest whole numbers in exactly the same proportions; 0.1 is read as one tenth."""
    exact = {task: Fraction(repr(rate)) for task, rate in rates.items()}
    common = math.lcm(*(rate.denominator for rate in exact.values()))
    whole = {task: int(rate * common) for task, rate in exact.items()}
    divisor = math.gcd(*whole.values())
    return {task: rate // divisor for task, rate in whole.items()}


def _nearest(name: str, names: Iterable[str]) -> str:
    names = list(dict.fromkeys(names))
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else f"; valid: {', '.join(names)}"
