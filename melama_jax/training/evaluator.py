"""Held-out loss per domain: how learning, and forgetting, are seen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import jax
import numpy as np
from jax.sharding import Mesh

from melama_jax.config import Config
from melama_jax.training.batches import Placement, ahead
from melama_jax.training.state import TrainState
from melama_jax.training.step import batch_keys, make_eval_step


class Evaluator:
    """Measures every domain on the same rows every time."""

    def __init__(self, config: Config, mesh: Mesh):
        """Prepare the evaluation step; domains are added afterwards.

        Args:
            config: The resolved configuration.
            mesh: The device mesh.
        """
        train = config.train
        self.batch_rows = config.eval.batch_size or train.global_batch_size // train.gradient_accumulation_steps
        """Rows of a batch over all devices."""
        self._mesh = mesh
        self._step = jax.jit(make_eval_step(config))
        self._placement = Placement(
            mesh, batch_keys(config), micro_batches=None, rows=self.batch_rows, sequence_length=train.sequence_length
        )
        self._batches: dict[str, Sequence[Mapping[str, np.ndarray]]] = {}

    @property
    def local_rows(self) -> Sequence[int]:
        """Rows of a batch that this process must read."""
        return self._placement.local_rows

    def add(self, domain: str, batches: Sequence[Mapping[str, np.ndarray]]) -> None:
        """Measure a domain on these batches [len(local_rows), T]; none leaves it out of the results."""
        self._batches[domain] = batches

    def __call__(self, state: TrainState) -> dict[str, float]:
        """`eval/<domain>/loss` in nats per token and `eval/<domain>/perplexity`."""
        results: dict[str, float] = {}
        with jax.set_mesh(self._mesh):
            for domain, rows in self._batches.items():
                sums = [self._step(state.params, state.base, placed) for placed in ahead(rows, self._placement)]
                entropy, weight = np.sum([[float(s.cross_entropy), float(s.weight)] for s in sums] or [[0, 0]], axis=0)
                if weight:
                    loss = float(entropy / weight)
                    results[f"eval/{domain}/loss"] = loss
                    results[f"eval/{domain}/perplexity"] = math.exp(min(loss, 700.0))
        return results
