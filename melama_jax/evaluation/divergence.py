"""Means over pairs, by cluster of pairs, with intervals that resample whole clusters."""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np

from melama_jax.config import EvaluationConfig
from melama_jax.evaluation.asking import metric
from melama_jax.evaluation.statistics import bootstrap_interval


class Tally:
    """Sums and counts of each cluster under each of several names."""

    def __init__(self, clusters: Iterable[Hashable], names: Iterable[str]):
        """Nothing is counted yet."""
        self._row = {cluster: number for number, cluster in enumerate(dict.fromkeys(clusters))}
        self._column = {name: number for number, name in enumerate(names)}
        self._sums = np.zeros((len(self._row), len(self._column), 2))

    def add(self, cluster: Hashable, name: str, value: float) -> None:
        """Count a value of a cluster."""
        self._sums[self._row[cluster], self._column[name]] += value, 1

    def compare(self, cluster: Hashable, name: str, first: str | None, second: str | None) -> None:
        """Count whether two decisions differ; not, if either could not be read."""
        if first is not None and second is not None:
            self.add(cluster, name, first != second)

    def metrics(
        self, config: EvaluationConfig, means: Mapping[str, tuple[str, ...]] | None = None, *, share: bool = True
    ) -> dict[str, Any]:
        """The mean under each name, and means of such means, with intervals; None where nothing was counted.

        Args:
            config: For the seed and the number of resamples.
            means: Further metrics: name -> the names whose means are averaged.
            share: Whether what was counted are yes and no; a share of none or all gets Wilson's interval over clusters.
        """
        wanted = {**(means or {}), **{name: (name,) for name in self._column}}
        return {name: self._metric([self._column[part] for part in of], config, share) for name, of in wanted.items()}

    def _metric(self, columns: list[int], config: EvaluationConfig, share: bool) -> dict[str, Any]:
        sums = self._sums[:, columns]
        counts = sums[sums[..., 1].any(axis=1)]  # clusters that take no part would only thin the resamples out

        def score(means: np.ndarray) -> np.ndarray:
            cells = means.reshape(*means.shape[:-1], -1, 2)
            with np.errstate(invalid="ignore", divide="ignore"):
                return (cells[..., 0] / cells[..., 1]).mean(axis=-1)

        flat = counts.reshape(len(counts), 2 * len(columns))
        value = float(score(flat.mean(axis=0))) if len(flat) else math.nan
        if math.isnan(value):
            return metric(None)
        resamples = config.metrics.resamples
        return metric(value, bootstrap_interval(score, flat, resamples=resamples, seed=config.seed, share=share))
