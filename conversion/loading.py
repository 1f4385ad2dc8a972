"""Open weights onto devices, one array at a time: read, fingerprinted, an adapter added, quantized."""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from conversion.adapter import Adapter, Factor, factor_shape, frozen_dtype
from conversion.direct import load_weight
from conversion.mapping import EMBEDDING, HEAD, Item, Weight, weights_of
from conversion.stream import Totals
from conversion.weights import Weights
from melama_jax.inference.quantize import quantize_leaf
from melama_jax.model import lora
from melama_jax.model.llama import Params
from melama_jax.parallel.agreement import together
from melama_jax.training.fingerprint import fingerprint


def load(
    base: Weights, abstract: Any, *, num_tokens: int, adapter: Adapter | None = None, quantization: str | None = None
) -> tuple[Params, dict[str, int]]:
    """The parameters on their shardings; every process of the job must call this.

    No more than one array is there twice.

    Args:
        base: Open weights of the model's sizes, without the adapter.
        abstract: Nested dict of `jax.ShapeDtypeStruct` with shardings.
        num_tokens: Rows of the vocabulary that are fingerprinted; those that pad it depend on the mesh.
        adapter: What is added to them, in float32 and rounded once.
        quantization: int8, or None.

    Returns:
        The parameters, and the fingerprints of the base in the dtypes of `abstract`.

    Raises:
        ConversionError: They cannot be read, or are not finite; or the base is not the adapter's.
        CheckpointError: They are a damaged checkpoint.
    """
    known = adapter if adapter is not None and adapter.base["fingerprint"] is not None else None
    params: Params = {}
    prints: dict[str, int] = {}
    frozen: dict[str, int] = {}
    for weight in weights_of(base.sizes):
        *parents, last = weight.ours.split("/")
        node, wanted = params, abstract
        for parent in parents:
            node, wanted = node.setdefault(parent, {}), wanted[parent]
        wanted = wanted[last]
        checked = wanted.dtype if known is None else frozen_dtype(known.config)
        wide = jnp.promote_types(wanted.dtype, checked)
        read = jax.ShapeDtypeStruct(wanted.shape, wide, sharding=wanted.sharding)
        value = load_weight(base, weight, read, Totals())
        prints[weight.ours] = int(_print(value, weight.ours, num_tokens, wanted.dtype))
        if known is not None:
            frozen[weight.ours] = int(_print(value, weight.ours, num_tokens, checked))
        if adapter is not None and adapter.has(weight):
            value = _merged(adapter, weight, value, wanted)
        elif value.dtype != wanted.dtype:
            value = value.astype(wanted.dtype)
        node[last] = jax.block_until_ready(_quantize(weight.ours, value)) if quantization == "int8" else value
        del value  # before the next one is read
    if known is not None:
        known.check_base(frozen, base.folder)
    return params, prints


_quantize = jax.jit(quantize_leaf, static_argnums=0)


@functools.partial(jax.jit, static_argnums=(1, 2, 3))
def _print(value: jax.Array, path: str, num_tokens: int, dtype: Any) -> jax.Array:
    dims = {EMBEDDING.ours: 0, HEAD.ours: 1}
    if path in dims:
        value = jax.lax.slice_in_dim(value, 0, num_tokens, axis=dims[path])
    return fingerprint({path: value.astype(dtype)})[path]


def _merged(adapter: Adapter, weight: Weight, value: jax.Array, wanted: jax.ShapeDtypeStruct) -> jax.Array:
    """W + scale A B, whose factors are cut as the matrix is."""
    factors = {factor.lower(): _factor(adapter, weight, factor, wanted) for factor in ("A", "B")}
    merge = jax.jit(lora.merge_matrix, static_argnums=(2, 3), out_shardings=wanted.sharding)
    return jax.block_until_ready(merge(value, factors, lora.scale(adapter.config), wanted.dtype))


def _factor(adapter: Adapter, weight: Weight, factor: Factor, wanted: jax.ShapeDtypeStruct) -> jax.Array:
    shape = factor_shape(weight, wanted.shape, adapter.config.rank, factor)
    sharding: Any = wanted.sharding
    spec = [*sharding.spec, *(None for _ in range(len(wanted.shape) - len(sharding.spec)))]
    inputs = 1 + len(weight.columns)
    cut = [*spec[:inputs], None] if factor == "A" else [spec[0], None, *spec[inputs:]]

    def stack() -> np.ndarray:
        layers = [adapter.read(Item(weight, layer), factor).T for layer in range(adapter.num_layers)]
        return np.stack(layers).reshape(shape)

    whole: Any = together("opening the model", stack)
    return jax.make_array_from_callback(
        shape, NamedSharding(sharding.mesh, PartitionSpec(*cut)), lambda index: whole[index]
    )
