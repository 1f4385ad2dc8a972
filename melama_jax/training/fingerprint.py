"""A number per array that changes with any bit of it and not with the mesh: what a checkpoint is checked by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def fingerprint(tree: Any) -> dict[str, jax.Array]:
    """A uint32 per leaf over its bits and their places, the same on every mesh; run it under `jax.jit`.

    The bits of element i (as a 32-bit word) are multiplied by the odd number 2 i + 1 and summed modulo 2^32: any change
    of one element changes it, as does an exchange of two that differ.
    """

    def one(x: jax.Array) -> jax.Array:
        bits = x if x.dtype == jnp.uint32 else lax.bitcast_convert_type(x, jnp.dtype(f"uint{8 * x.dtype.itemsize}"))
        place = jnp.zeros(x.shape, jnp.uint32)
        for dim, stride in enumerate(np.cumprod([1, *x.shape[:0:-1]], dtype=object)[::-1] if x.ndim else []):
            place += lax.broadcasted_iota(jnp.uint32, x.shape, dim) * np.uint32(int(stride) % 2**32)
        return jnp.sum(bits.astype(jnp.uint32) * (2 * place + 1), dtype=jnp.uint32)

    return {leaf_name(path): one(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def digest(prints: Mapping[str, Any]) -> str:
    """One sha256 of many fingerprints by leaf."""
    return hashlib.sha256(json.dumps(prints, sort_keys=True).encode()).hexdigest()


def leaf_name(path: Any) -> str:
    """A leaf's path with slashes, such as params/layers/mlp/gate."""
    return jax.tree_util.keystr(path, simple=True, separator="/")
