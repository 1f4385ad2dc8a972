"""Frozen matrices: products without a gradient of theirs, and weights kept in int8 (by Qwix) or in NF4.

NF4 (QLoRA, arXiv 2305.14314) gives each weight the nearest of 16 values, the quantiles of a normal distribution, times
the largest entry of its block of 64. Qwix knows these values but, on a CPU, keeps each code in a byte of its own, and
finds them by a search that no mesh can split; here a byte holds two codes and scales are bfloat16: 4.25 bits a weight.

Blocks lie along the hidden dimension, which every matrix of a layer has and only `fsdp` splits. The parts of a
quantized matrix have its dimensions, so they are sharded, stacked and scanned as it would be.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from typing import Any

import jax
import jax.numpy as jnp
import qwix
from jax import lax
from jax.typing import DTypeLike
from jaxtyping import Array, BFloat16, Float, UInt8

from melama_jax.errors import ConfigError
from melama_jax.parallel.mesh import gather

Axes = tuple[str, ...]
BLOCK = 64
"""Weights that share a scale in NF4; fewer where the hidden size is no multiple of it."""
NF4_VALUES = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453),
    *(-0.28444138169288635, -0.18477343022823334, -0.09105003625154495, 0.0),
    *(0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
"""From appendix E of the paper."""


@functools.partial(jax.tree_util.register_dataclass, data_fields=["packed", "scale"], meta_fields=["dim"])
@dataclasses.dataclass(frozen=True)
class NF4:
    """A matrix in NF4.

    Attributes:
        packed: Two codes in a byte, so half as long in `dim`: of each block the first half in the low bits, the second
            half in the high ones.
        scale: Largest entry of each block.
        dim: The dimension that is cut into blocks, counted from the end.
    """

    packed: UInt8[Array, "*_"]
    scale: BFloat16[Array, "*_"]
    dim: int


Stored = Array | qwix.QArray | NF4


def num_inputs(axes: Axes) -> int:
    """How many of a matrix's dimensions (after the layers') its product contracts, by its logical axes.

    The hidden dimension is the whole of one side of every matrix of a layer.
    """
    axes = axes[axes[0] == "layers" :]
    return 1 if axes[0] == "embed" else len(axes) - 1


def quantize(value: Array, axes: Axes, dtype: str) -> Stored:
    """A parameter as it is kept frozen; pure, and the same on any mesh.

    Args:
        value: A parameter of `llama.declaration`, with all layers stacked.
        axes: Its logical axes.
        dtype: int8 (a float32 scale for each output) or nf4, for the matrices of the layers. Other parameters, and
            those of any other dtype, stay as they are.

    Raises:
        ConfigError: The hidden size is odd, so that NF4 has no pairs to pack.
    """
    if dtype not in ("int8", "nf4") or axes[0] != "layers" or "embed" not in axes:
        return value
    value = value.astype(jnp.float32)
    if dtype == "int8":
        return qwix.quantize(value, jnp.int8, channelwise_axes=(0, *range(1 + num_inputs(axes), len(axes))))
    return _to_nf4(value, axes.index("embed") - len(axes))


def dequantize(stored: Stored, dtype: DTypeLike) -> Float[Array, "*_"]:
    """The matrix in `dtype`."""
    if isinstance(stored, NF4):
        return _from_nf4(stored).astype(dtype)
    if isinstance(stored, qwix.QArray):
        return (stored.qvalue.astype(jnp.float32) * stored.scale).astype(dtype)
    return stored.astype(dtype)


def use(stored: Stored, axes: Axes, dtype: DTypeLike) -> Float[Array, "*_"]:
    """A matrix in `dtype`, gathered over `fsdp`: a plain one in `dtype`, a quantized one as it is stored.

    Args:
        stored: The matrix; inside a scan its layer axis is gone.
        axes: Its logical axes, the layers' among them.
        dtype: Of its use.
    """
    if isinstance(stored, (NF4, qwix.QArray)):
        return dequantize(jax.tree.map(lambda part: gather(part, part_axes(part, axes)), stored), dtype)
    return gather(stored.astype(dtype), axes[len(axes) - stored.ndim :])


def part_axes(part: Any, axes: Axes) -> tuple[str | None, ...]:
    """Logical axes of a part (or its shape) of a matrix that has these: none where one scale serves the dimension."""
    own = axes[len(axes) - part.ndim :]
    return tuple(None if size == 1 else axis for size, axis in zip(part.shape, own, strict=True))


def product(x: Float[Array, "B T ..."], stored: Stored, axes: Axes, dtype: DTypeLike) -> Float[Array, "B T ..."]:
    """Activations times a frozen matrix as `use` gives it.

    Only what is stored is kept for the backward pass, which gathers and dequantizes it again.
    """
    return _product((axes, jnp.dtype(dtype).name), x, stored)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _product(static: tuple[Axes, str], x: jax.Array, stored: Stored) -> jax.Array:
    return _forward(static, x, stored)[0]


def _forward(static: tuple[Axes, str], x: jax.Array, stored: Stored) -> tuple[jax.Array, Stored]:
    matrix = use(stored, *static)
    inner = num_inputs(static[0])
    contracted = tuple(range(x.ndim - inner, x.ndim)), tuple(range(inner))
    return lax.dot_general(x, matrix, (contracted, ((), ()))), stored


def _backward(static: tuple[Axes, str], stored: Stored, gradient: jax.Array) -> tuple[jax.Array, None]:
    matrix = use(stored, *static)
    outputs = tuple(range(num_inputs(static[0]), matrix.ndim))
    contracted = tuple(range(gradient.ndim - len(outputs), gradient.ndim)), outputs
    return lax.dot_general(gradient, matrix, (contracted, ((), ()))), None


_product.defvjp(_forward, _backward)


def _to_nf4(value: Float[Array, "*_"], dim: int) -> NF4:
    if value.shape[dim] % 2:
        raise ConfigError(f"adapter.base_dtype nf4: needs an even hidden size, not {value.shape[dim]}; int8 takes any")
    blocks = _in_blocks(value, dim, math.gcd(BLOCK, value.shape[dim]))
    scale = jnp.max(jnp.abs(blocks), axis=dim, keepdims=True).astype(jnp.bfloat16)
    unit = blocks / jnp.where(scale > 0, scale, 1)
    codes = jnp.zeros(unit.shape, jnp.uint8)
    for low, high in itertools.pairwise(NF4_VALUES):
        codes += (unit > (low + high) / 2).astype(jnp.uint8)
    first, second = jnp.split(codes, 2, axis=dim)
    return NF4(_joined(first | second << 4, dim), _joined(scale, dim), dim)


def _from_nf4(stored: NF4) -> Float[Array, "*_"]:
    dim = stored.dim
    packed = _in_blocks(stored.packed, dim, stored.packed.shape[dim] // stored.scale.shape[dim])
    codes = jnp.concatenate([packed & 15, packed >> 4], axis=dim)
    # Products with 0 and 1, then selects: both run in vectors on every device, unlike look-ups. A select between
    # constants would need them as whole arrays, which a scan with a gradient makes beforehand and keeps.
    odd = (codes & 1).astype(jnp.float32)
    values = [odd * high + (1 - odd) * low for low, high in zip(NF4_VALUES[::2], NF4_VALUES[1::2], strict=True)]
    for bit in range(1, 4):
        is_set = (codes >> bit & 1) == 1
        values = [jnp.where(is_set, values[n + 1], values[n]) for n in range(0, len(values), 2)]
    return _joined(values[0] * _in_blocks(stored.scale, dim, 1).astype(jnp.float32), dim)


def _in_blocks(x: jax.Array, dim: int, size: int) -> jax.Array:
    """[..., N, ...] as [..., N / size, size, ...], where `dim` from the end is the place in a block."""
    split = x.ndim + dim
    return x.reshape(*x.shape[:split], x.shape[split] // size, size, *x.shape[split + 1 :])


def _joined(blocks: jax.Array, dim: int) -> jax.Array:
    """`_in_blocks` taken back."""
    split = blocks.ndim + dim
    return blocks.reshape(*blocks.shape[: split - 1], -1, *blocks.shape[split + 1 :])
