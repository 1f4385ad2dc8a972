"""How sure a score is: bootstrap and Wilson intervals, tests of two models on the same items, spread over runs.

A score is a function of the means, over items, of what each item counts for: [N, C] counts of N items give [C] means,
and the function gives the score. So a resample costs one product of matrices, whatever the score. All intervals are of
95%; bootstrap intervals are percentiles over resamples of the items.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

Score = Callable[[Float[np.ndarray, "*R C"]], Float[np.ndarray, "*R"]]
"""From the means of the items' counts to a score, for any number of resamples at once."""
_CHUNK = 64
"""Resamples drawn at a time: 64 x 26,804 items are 14 MB."""


def mean(means: Float[np.ndarray, "*R C"]) -> Float[np.ndarray, "*R"]:
    """The score whose items have one count each: its mean."""
    return means[..., 0]


def bootstrap_interval(
    score: Score,
    counts: Float[np.ndarray, "N C"] | Float[np.ndarray, " N"],
    *,
    resamples: int = 1000,
    seed: int = 0,
    share: bool = False,
) -> tuple[float, float] | None:
    """95% percentile interval of a score over resamples of its items.

    Where every resample has the same score, that is no knowledge of its spread: a share of none or of all then gets
    Wilson's interval over as many items, any other score none.

    Args:
        score: The score.
        counts: What each item counts for.
        resamples: How many.
        seed: Of the draws; with the same number of items, the same draws.
        share: Whether the score is a mean of shares, each from 0 to 1.

    Returns:
        Both ends; None where nothing can be said, also where the score is undefined on a resample.

    Raises:
        ValueError: There are no items.
    """
    values = np.concatenate([score(means) for (means,) in _resampled([counts], resamples, seed)])
    low, high = map(float, np.percentile(values, [2.5, 97.5]))
    if math.isnan(low + high):
        return None
    if not math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-12):
        return low, high
    return wilson_interval(round(low) * len(counts), len(counts)) if share and low in (0.0, 1.0) else None


def paired_bootstrap(
    score: Score,
    a: Float[np.ndarray, "N C"] | Float[np.ndarray, " N"],
    b: Float[np.ndarray, "N C"] | Float[np.ndarray, " N"],
    seed: int = 0,
    *,
    resamples: int = 1000,
) -> dict[str, float]:
    """The difference b - a of two models on the same items, each resample drawing the same items for both.

    Args:
        score: The score; `mean` for a number an item.
        a: What each item counts for, of the first model.
        b: The same of the second.
        seed: Of the draws.
        resamples: How many.

    Returns:
        `difference`, `low` and `high` of its 95% interval, and `p`: twice the share of resamples on the lesser side of
        no difference, the sample itself counted, at most 1.

    Raises:
        ValueError: There are no items, or not as many of one model as of the other.
    """
    if len(a) != len(b):
        raise ValueError(f"paired items differ in number: {len(a)} and {len(b)}")
    values = np.concatenate([score(second) - score(first) for first, second in _resampled([a, b], resamples, seed)])
    low, high = np.percentile(values, [2.5, 97.5])
    means = [_matrix(counts).mean(axis=0) for counts in (a, b)]
    lesser = min(int(np.sum(values <= 0)), int(np.sum(values >= 0)))
    p = min(1.0, 2 * (lesser + 1) / (resamples + 1))  # never 0, which no number of resamples shows
    difference = float(score(means[1]) - score(means[0]))
    return {"difference": difference, "low": float(low), "high": float(high), "p": p}


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Wilson's 95% interval of a share, without correction for continuity.

    Raises:
        ValueError: There are no trials.
    """
    from scipy.stats import binomtest

    interval = binomtest(successes, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def mcnemar(a: Sequence[bool] | np.ndarray, b: Sequence[bool] | np.ndarray) -> dict[str, float]:
    """McNemar's exact test of two models' right and wrong answers to the same items.

    Args:
        a: Whether the first model is right, of each item.
        b: The same of the second.

    Returns:
        `only_a` and `only_b`, the items that one alone has right, and the two-sided `p` (1 where both are 0).

    Raises:
        ValueError: The models have not as many items.
    """
    from scipy.stats import binomtest

    first, second = np.asarray(a, bool), np.asarray(b, bool)
    if first.shape != second.shape:
        raise ValueError(f"paired items differ in number: {len(first)} and {len(second)}")
    only_a, only_b = int((first & ~second).sum()), int((second & ~first).sum())
    p = float(binomtest(only_a, only_a + only_b, 0.5).pvalue) if only_a + only_b else 1.0
    return {"only_a": only_a, "only_b": only_b, "p": p}


def standard_deviation(values: Sequence[float]) -> float:
    """Standard deviation of a sample, over n - 1.

    Raises:
        ValueError: There are fewer than two values.
    """
    if len(values) < 2:
        raise ValueError(f"a standard deviation needs two values or more, found {len(values)}")
    return float(np.std(values, ddof=1))


def pick(log_likelihoods: Mapping[str, Sequence[float]], normalized: bool) -> str | None:
    """The label whose text is the most likely.

    Args:
        log_likelihoods: Of each label: sum over its tokens, number of tokens, number of characters without the leading
            space.
        normalized: Divide by the characters, as the acc_norm of lm-evaluation-harness does.

    Returns:
        The label, of equal ones the first; None where a likelihood is not a number.
    """
    values = [row[0] / max(row[2], 1) if normalized else row[0] for row in log_likelihoods.values()]
    return None if np.isnan(values).any() else list(log_likelihoods)[int(np.argmax(values))]


def likeliest_of(log_likelihoods: Mapping[str, float]) -> str | None:
    """`pick` among sums of log-likelihoods."""
    return pick({label: (value,) for label, value in log_likelihoods.items()}, normalized=False)


def _matrix(counts: Any) -> Float[np.ndarray, "N C"]:
    matrix = np.asarray(counts, np.float64)
    return matrix[:, None] if matrix.ndim == 1 else matrix


def _resampled(sets: Sequence[Any], resamples: int, seed: int) -> Iterator[list[Float[np.ndarray, "R C"]]]:
    """Means of the counts over resamples, a chunk of resamples at a time, the same items for every set."""
    matrices = [_matrix(counts) for counts in sets]
    n = len(matrices[0])
    if n == 0:
        raise ValueError("there are no items to resample")
    rng = np.random.default_rng(seed)
    for start in range(0, resamples, _CHUNK):
        drawn = [np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(min(_CHUNK, resamples - start))]
        weights = np.stack(drawn).astype(np.float64)
        yield [weights @ matrix / n for matrix in matrices]
