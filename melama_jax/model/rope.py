"""Rotary position embedding (arXiv 2104.09864) with LLaMA 3.1's frequency scaling.

Heads are rotated by halves (i, i + E/2), as in Hugging Face files; Meta's adjacent pairs are the same rotation with the
rows of the query and key matrices in another order, which `conversion` takes care of.
"""

from __future__ import annotations

import math

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from melama_jax.model.llama_config import RopeScaling


def frequencies(head_dim: int, theta: float, scaling: RopeScaling | None = None) -> np.ndarray:
    """Angular frequencies [E/2] in radians per position, float32.

    Computed on the host in float64 and rounded once, so that they do not depend on the device.

    Args:
        head_dim: E, even.
        theta: Base.
        scaling: With it, wavelengths beyond original context / low_freq_factor are stretched by `factor`, those below
            original context / high_freq_factor stay, and those between are interpolated (LLaMA 3.1).
    """
    inverse = theta ** (-np.arange(0, head_dim, 2, dtype=np.float64) / head_dim)
    if scaling is not None:
        context = scaling.original_max_position_embeddings
        rotations = context * inverse / (2 * math.pi)
        keep = (rotations - scaling.low_freq_factor) / (scaling.high_freq_factor - scaling.low_freq_factor)
        keep = np.clip(keep, 0.0, 1.0)
        inverse = inverse * (keep + (1 - keep) / scaling.factor)
    return inverse.astype(np.float32)


def rotate(x: Float[Array, "B T N E"], positions: Int[Array, "B T"], inverse: np.ndarray) -> Float[Array, "B T N E"]:
    """Rotate every head by its position; computed in float32, returned in the dtype of `x`.

    Args:
        x: Queries or keys of N heads.
        positions: Position of each token.
        inverse: From `frequencies`.
    """
    angle = positions.astype(jnp.float32)[..., None, None] * inverse
    cos, sin = jnp.cos(angle), jnp.sin(angle)
    first, second = jnp.split(x.astype(jnp.float32), 2, axis=-1)
    return jnp.concatenate([first * cos - second * sin, second * cos + first * sin], axis=-1).astype(x.dtype)
