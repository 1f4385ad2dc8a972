"""Collectives inside `shard_map` that leave out axes of one device, which XLA's CPU backend would still copy for."""

from __future__ import annotations

import jax
from jax import lax


def psum(x: jax.Array, *axes: str) -> jax.Array:
    """Sum over mesh axes."""
    real = _real(axes)
    return lax.psum(x, real) if real else x


def pmax(x: jax.Array, *axes: str) -> jax.Array:
    """Maximum over mesh axes."""
    real = _real(axes)
    return lax.pmax(x, real) if real else x


def all_gather(x: jax.Array, axis: str, dimension: int) -> jax.Array:
    """The shards of a mesh axis, one after another along a dimension."""
    return lax.all_gather(x, axis, axis=dimension, tiled=True) if _real((axis,)) else x


def psum_scatter(x: jax.Array, axis: str, dimension: int) -> jax.Array:
    """This device's shard, along a dimension, of the sum over a mesh axis."""
    return lax.psum_scatter(x, axis, scatter_dimension=dimension, tiled=True) if _real((axis,)) else x


def _real(axes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(axis for axis in axes if lax.axis_size(axis) > 1)
