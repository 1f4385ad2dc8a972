"""The compiled programs of one model on its devices, called with numpy arrays."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from melama_jax.inference import cache as caches
from melama_jax.inference import decoder, scoring
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.mesh import spec_of

Cache = list[caches.Store]
Arrays = Mapping[str, np.ndarray]
_BLOCK = 16
"""Tokens of each slot that one dispatch draws at the most."""
_POSITIONS = 512
"""Logits [_POSITIONS, V] that scoring holds at a time."""


class Programs:
    """Weights laid out for inference, and the programs over them; each is compiled when it is first called.

    Attributes:
        compilations: Programs compiled so far.
        block: Tokens of each slot that one call of `decode` draws at the most.
    """

    block = _BLOCK

    def __init__(
        self, model: LlamaConfig, params: llama.Params, mesh: Mesh | None, cache_dtype: str, *, donated: bool = False
    ) -> None:
        """Lay out the weights; see `load`."""
        self._model, self._mesh, self._cache_dtype = model, mesh, cache_dtype
        self._compiled: dict[tuple[Any, ...], Callable] = {}
        self.load(params, donated=donated)

    def load(self, params: llama.Params | None, *, donated: bool = False) -> None:
        """Lay out other weights, or let go of those there are; donated ones are deleted as they are used up."""
        with self._on_mesh():
            self._weights: decoder.Weights = {} if params is None else self._prepare(params, donated=donated)

    @property
    def compilations(self) -> int:
        """Programs compiled so far."""
        return len(self._compiled)

    @property
    def platform(self) -> str:
        """Of the devices: cpu, gpu or tpu."""
        return next(iter(self._weights["embedding"].devices())).platform

    def allocate(self, slots: int, length: int) -> Cache:
        """An empty cache, with room for a last block after `length` positions."""
        function = functools.partial(caches.allocate, self._model, slots, length + _BLOCK, self._cache_dtype)
        return self._run(("cache", slots, length), function, out_shardings=self._cache_shardings)

    def prefill(
        self, cache: Cache, tokens: np.ndarray, lengths: np.ndarray, place: np.ndarray, draws: Arrays
    ) -> tuple[Cache, list[int], list[float]]:
        """`decoder.prefill`; the cache given is used up."""
        cache, *drawn = self._run(
            ("prefill", _slots(cache), *tokens.shape),
            functools.partial(decoder.prefill, self._model),
            *(self._weights, cache, tokens, lengths, place, draws),
            donate_argnums=1,
            out_shardings=(self._cache_shardings, *self._read_by_all(2)),
        )
        token, log_prob = jax.device_get(drawn)
        return cache, token.tolist(), log_prob.tolist()

    def decode(
        self, cache: Cache, attended: int, slots: Arrays, draws: Arrays, steps: int, *, leave: bool
    ) -> tuple[Cache, np.ndarray, np.ndarray]:
        """`decoder.decode`: the cache (that given is used up), tokens and log-probabilities [steps taken, N]."""
        cache, *drawn = self._run(
            ("decode", _slots(cache), attended, slots["stops"].shape[1]),
            functools.partial(decoder.decode, self._model, attended, block=_BLOCK),
            *(self._weights, cache, slots, draws, np.int32(steps), np.bool_(leave)),
            donate_argnums=1,
            out_shardings=(self._cache_shardings, *self._read_by_all(3)),
        )
        tokens, log_probs, taken = jax.device_get(drawn)
        return cache, tokens[:taken], log_probs[:taken]

    def likelihoods(self, batch: scoring.Batch) -> tuple[np.ndarray, np.ndarray]:
        """Log-probability [P] of each target of a batch, and whether it is the most likely token."""
        shape = batch.tokens.shape
        hidden = self._run(
            ("rows", *shape),
            functools.partial(decoder.packed_hidden, self._model),
            *(self._weights, batch.tokens, batch.positions, batch.segment_ids, batch.branches),
        )
        results = []
        for start in range(0, len(batch.index), _POSITIONS):
            index, targets = (x[start : start + _POSITIONS] for x in (batch.index, batch.targets))
            count = len(index)
            size = scoring.bucket(count, 64, _POSITIONS)
            index, targets = (np.pad(x, (0, size - count)) for x in (index, targets))
            found = self._run(
                ("likelihoods", *shape, size),
                functools.partial(decoder.likelihoods, self._model),
                *(self._weights, hidden, index, targets),
                out_shardings=self._read_by_all(2),
            )
            results.append((found, count))
        found = [[x[:count] for x in jax.device_get(pair)] for pair, count in results]
        values, best = (np.concatenate(x) for x in zip(*found, strict=True))
        return values, best

    def _run(
        self, key: tuple[Any, ...], function: Callable, *arguments: Any, out_shardings: Any = None, **options: Any
    ) -> Any:
        """Call the compiled function of a key, which holds all that its shapes depend on."""
        if key not in self._compiled:
            if self._mesh is not None:
                options["out_shardings"] = out_shardings
            self._compiled[key] = jax.jit(function, **options)
        with self._on_mesh():
            return self._compiled[key](*arguments)

    def _on_mesh(self) -> contextlib.AbstractContextManager:
        return contextlib.nullcontext() if self._mesh is None else jax.set_mesh(self._mesh)

    def _sharding(self, *axes: str | None) -> NamedSharding | None:
        return None if self._mesh is None else NamedSharding(self._mesh, spec_of(axes))

    def _read_by_all(self, count: int) -> tuple[NamedSharding | None, ...]:
        """Results that every process reads."""
        return (None if self._mesh is None else NamedSharding(self._mesh, PartitionSpec()),) * count

    @functools.cached_property
    def _cache_shardings(self) -> Any:
        stores = jax.eval_shape(lambda: caches.allocate(self._model, 1, 1, self._cache_dtype))
        return jax.tree.map(lambda x: self._sharding(*caches.AXES[: x.ndim]), stores)

    def _prepare(self, params: llama.Params, *, donated: bool) -> decoder.Weights:
        def sharding(path: tuple[Any, ...], x: Any) -> NamedSharding | None:
            axes = decoder.AXES[path[0].key]
            return self._sharding(*(axis if size > 1 else None for axis, size in zip(axes, x.shape, strict=True)))

        def laid_out(function: Callable, *arguments: Any) -> Any:
            abstract = jax.eval_shape(function, *arguments)
            shardings = None if self._mesh is None else jax.tree_util.tree_map_with_path(sharding, abstract)
            return jax.jit(function, out_shardings=shardings)

        others = {name: value for name, value in params.items() if name != "layers"}
        weights = laid_out(functools.partial(decoder.prepare_others, self._model), others)(others)
        layers: list[decoder.Weights] = [{} for _ in range(self._model.num_hidden_layers)]
        for name in decoder.SOURCES:
            sources = decoder.sources_of(name, params["layers"])

            def part(sources: list[Any], index: Any, name: str = name) -> decoder.Weights:
                return {name: decoder.prepare_part(self._model, name, sources, index)}

            part_of = laid_out(part, sources, np.int32(0))
            for index, layer in enumerate(layers):
                layer |= part_of(sources, np.int32(index))
            if donated:  # so that no more than these arrays are there twice
                jax.block_until_ready(layers)
                jax.tree.map(lambda x: x.delete(), sources)
        return {**weights, "layers": layers}


def _slots(cache: Cache) -> int:
    return cache[0]["value"].shape[0]
