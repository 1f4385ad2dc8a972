"""Keys and values of past tokens: for each layer one array of every slot, in float or in int8 with a scale each.

Shapes: N slots, S positions, C tokens of a dispatch, K key/value heads, G query heads of each, E head dim.

Slots lie on data and fsdp, heads on tensor. A dispatch of several decode steps reads the positions in use and writes
into a few columns of its own, the same for all slots; `merge` then puts each slot's new tokens where its text ends. So
no step copies the cache or scatters into it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.mesh import spec_of

Store = dict[str, Array]
"""One layer: key [N, K, E, S] and value [N, K, S, E]; of int8 also key_scale and value_scale [N, K, S]."""
AXES = ("batch", "kv_heads", None, None)
_POSITION = {"key": 3, "value": 2, "key_scale": 2, "value_scale": 2}
"""Which dimension the positions are. Keys lie transposed, as the product with a query reads them."""


def allocate(model: LlamaConfig, slots: int, length: int, dtype: str) -> list[Store]:
    """An empty cache; to run under `jax.jit` with the shardings of `AXES`."""
    heads, width = model.num_key_value_heads, model.head_dim
    shapes = {"key": (slots, heads, width, length), "value": (slots, heads, length, width)}
    if dtype == "int8":
        shapes |= {f"{name}_scale": (slots, heads, length) for name in ("key", "value")}
    dtypes = {name: "float32" if name.endswith("_scale") else dtype for name in shapes}
    return [
        {name: jnp.zeros(shape, dtypes[name]) for name, shape in shapes.items()} for _ in range(model.num_hidden_layers)
    ]


def past(store: Store, length: int) -> Store:
    """The first positions of a layer."""
    return {name: jax.lax.slice_in_dim(array, 0, length, axis=_POSITION[name]) for name, array in store.items()}


def room(store: Store, block: int) -> Store:
    """Empty columns of a layer for the tokens of one dispatch."""
    shapes = {name: [*array.shape] for name, array in store.items()}
    for name, shape in shapes.items():
        shape[_POSITION[name]] = block
    return {name: jnp.zeros(shapes[name], array.dtype) for name, array in store.items()}


def encode(key: Float[Array, "B T K E"], value: Float[Array, "B T K E"], dtype: jnp.dtype) -> Store:
    """Keys and values as the cache holds them."""
    stored = {}
    for name, x in (("key", key), ("value", value)):
        x = jnp.swapaxes(x, 1, 2)
        if dtype == jnp.int8:
            scale = jnp.max(jnp.abs(x), axis=-1).astype(jnp.float32) / 127
            stored[f"{name}_scale"] = scale
            x = jnp.round(x / jnp.where(scale > 0, scale, 1)[..., None])
        stored[name] = (jnp.swapaxes(x, 2, 3) if name == "key" else x).astype(dtype)
    return stored


def write(store: Store, new: Store, column: Int[Array, ""]) -> Store:
    """The same with one token of every slot at a column."""
    return {
        name: jax.lax.dynamic_update_slice_in_dim(store[name], new[name], column, axis=_POSITION[name])
        for name in store
    }


def attend(
    q: Float[Array, "N K G E"], stores: Sequence[Store], seen: Sequence[Bool[Array, "N S"]]
) -> Float[Array, "N K G E"]:
    """One query token of every slot over the positions that it sees of some stores; softmax in float32."""

    def scores_of(store: Store, seen: Array) -> Array:
        scores = jnp.einsum("nkge,nkes->nkgs", q, store["key"].astype(q.dtype), preferred_element_type=jnp.float32)
        if "key_scale" in store:
            scores = scores * store["key_scale"][:, :, None]
        return jnp.where(seen[:, None, None], scores * q.shape[-1] ** -0.5, -jnp.inf)

    def values_of(store: Store, weights: Array) -> Array:
        if "value_scale" in store:
            weights = weights * store["value_scale"][:, :, None]
        return jnp.einsum("nkgs,nkse->nkge", weights.astype(q.dtype), store["value"].astype(q.dtype))

    weights = jax.nn.softmax(jnp.concatenate([*map(scores_of, stores, seen)], axis=-1), axis=-1)
    ends = [*itertools.accumulate(x.shape[-1] for x in seen)]
    return functools.reduce(jnp.add, map(values_of, stores, jnp.split(weights, ends[:-1], axis=-1)))


def insert(cache: list[Store], rows: list[Store], place: Int[Array, ""] | Bool[Array, " N"]) -> list[Store]:
    """Put prompts [R, K, T, E] at the beginning of their slots.

    Args:
        cache: The cache.
        rows: The prompts' keys and values.
        place: The first slot of the rows, or which slots take the row of their own number.
    """

    def one(old: Array, new: Array) -> Array:
        if place.ndim == 0:
            return jax.lax.dynamic_update_slice(old, new, (place, *[0] * (old.ndim - 1)))
        there = jax.lax.slice(old, [0] * old.ndim, new.shape)
        taken = jnp.where(place.reshape(-1, *[1] * (old.ndim - 1)), new, there)
        return jax.lax.dynamic_update_slice(old, taken, [0] * old.ndim)

    return jax.tree.map(one, cache, rows)


def merge(cache: list[Store], recent: list[Store], start: Int[Array, " N"]) -> list[Store]:
    """Put each slot's new columns at its own position, from which all of them must lie within the cache."""

    def local(cache: list[Store], recent: list[Store], start: Array) -> list[Store]:
        def one(path: tuple[Any, ...], old: Array, new: Array) -> Array:
            for slot in range(old.shape[0]):
                place: list[Any] = [slot, *[0] * (old.ndim - 1)]
                place[_POSITION[path[-1].key]] = start[slot]
                old = jax.lax.dynamic_update_slice(old, new[slot : slot + 1], place)
            return old

        return jax.tree_util.tree_map_with_path(one, cache, recent)

    if jax.sharding.get_abstract_mesh().empty:
        return local(cache, recent, start)
    specs = jax.tree.map(lambda x: spec_of(AXES[: x.ndim]), cache)
    return jax.shard_map(local, in_specs=(specs, specs, spec_of(("batch",))), out_specs=specs, check_vma=False)(
        cache, recent, start
    )
