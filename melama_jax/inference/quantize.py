"""Weights in 8 bits: the layers' matrices as int8 with one float scale for each output, by Qwix.

A product takes the int8 matrix into the dtype of the activations and multiplies its result by the scales, so no matrix
ever exists in more than 8 bits in memory. Embedding, head and norms stay as they are: they are a few percent of a
large model, and the head's error would go straight into the logits.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import qwix
from jax.typing import DTypeLike
from jaxtyping import Array, Float

Matrix = Array | qwix.QArray
_FEW_ROWS = 16
_CONTRACTED = {"query": 1, "key": 1, "value": 1, "out": 2, "gate": 1, "up": 1, "down": 1}
"""Matrices of a layer, and how many dimensions (after the stack's) a product contracts."""


def quantize_leaf(path: str, value: Array) -> Matrix:
    """One parameter of `llama.declaration`: int8 if it is a matrix of the layers, else as it is.

    Scales are float32, of the largest entry of each output's column; pure, so it may run under `jax.jit` on the
    parameter's own sharding.

    Args:
        path: The parameter's path, as "layers/mlp/gate".
        value: It, [L, ...] with all layers stacked.
    """
    name = path.rsplit("/", 1)[-1]
    if not path.startswith("layers/") or name not in _CONTRACTED:
        return value
    outputs = range(1 + _CONTRACTED[name], value.ndim)
    return qwix.quantize(value.astype(jnp.float32), jnp.int8, channelwise_axes=(0, *outputs))


def quantize(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """All parameters by `quantize_leaf`; what is quantized already stays."""
    one = jax.jit(quantize_leaf, static_argnums=0)
    found = {}
    for name, value in params.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            found[name] = quantize(value, f"{path}/")
        else:
            found[name] = value if isinstance(value, qwix.QArray) else one(path, value)
    return found


def product(x: Float[Array, "... I"], matrix: Matrix, dtype: DTypeLike | None = None) -> Float[Array, "... O"]:
    """Activations times a matrix stored by outputs [O, I], in either form.

    Args:
        x: Activations.
        matrix: Its scales are [O, 1].
        dtype: Of the result; that of `x` without one.
    """
    rows = x.reshape(-1, x.shape[-1])
    if len(rows) > _FEW_ROWS:
        out = _product(rows, matrix, dtype)
    else:
        on_cpu, elsewhere = (functools.partial(f, dtype=dtype) for f in (_product_of_few_rows, _product))
        out = jax.lax.platform_dependent(rows, matrix, cpu=on_cpu, default=elsewhere)
    return out.astype(dtype or x.dtype).reshape(*x.shape[:-1], -1)


def _product(rows: Float[Array, "N I"], matrix: Matrix, dtype: DTypeLike | None) -> Float[Array, "N O"]:
    if isinstance(matrix, qwix.QArray):
        return _product(rows, matrix.qvalue.astype(rows.dtype), jnp.float32) * matrix.scale[:, 0]
    return jax.lax.dot_general(rows, matrix, (((1,), (1,)), ((), ())), preferred_element_type=dtype)


def _product_of_few_rows(rows: Float[Array, "N I"], matrix: Matrix, dtype: DTypeLike | None) -> Float[Array, "N O"]:
    """The same on a CPU, whose XLA has no fast product of a single bfloat16 row, nor of int8 with floats.

    So a single row gets a second one; and for an int8 matrix each row is written as two of int8, the second one what
    the first one's rounding lost, which keeps 16 bits of it. Several rows are the right-hand side, with the result
    turned afterwards: three quarters of the time, if XLA is kept from turning the product back.
    """
    if not isinstance(matrix, qwix.QArray):
        single = len(rows) == 1
        if single and matrix.dtype != jnp.bfloat16:
            return _product(rows, matrix, dtype)
        columns = jnp.concatenate([rows, rows]) if single else rows
        out = jax.lax.dot_general(matrix, columns, (((1,), (1,)), ((), ())), preferred_element_type=dtype)
        return jax.lax.optimization_barrier(out).T[: len(rows)]
    rows = rows.astype(jnp.float32)
    scale = jnp.max(jnp.abs(rows), axis=1, keepdims=True) / 127
    scaled = rows / jnp.where(scale > 0, scale, 1)
    high = jnp.round(scaled)
    low = jnp.round((scaled - high) * 254)
    both = _product(jnp.concatenate([high, low]).astype(jnp.int8), matrix.qvalue, jnp.int32).astype(jnp.float32)
    return (both[: len(rows)] + both[len(rows) :] / 254) * scale * matrix.scale[:, 0]
