"""Inputs of the attention tests, and the formula written as loops."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from melama_jax.model.attention import attention


def draw(
    *, batch: int = 2, length: int = 12, heads: int = 4, kv_heads: int = 2, head_dim: int = 8, dtype: Any = jnp.float32
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Queries, keys and values."""
    random = np.random.default_rng(heads * 100 + length)
    shapes = (batch, length, heads, head_dim), (batch, length, kv_heads, head_dim), (batch, length, kv_heads, head_dim)
    q, k, v = (jnp.asarray(random.normal(size=shape), dtype) for shape in shapes)
    return q, k, v


def packed(length: int, batch: int = 2) -> jax.Array:
    """Segment ids: documents of uneven lengths, then padding; the last row is all padding."""
    row = np.zeros(length, np.int32)
    row[: length // 3], row[length // 3 : length - 2] = 1, 2
    ids = np.tile(row, (batch, 1))
    ids[-1] = 0
    return jnp.asarray(ids)


def restarting(segment_ids: jax.Array) -> jax.Array:
    """Positions that count from 0 in every segment."""
    ids = np.asarray(segment_ids)
    return jnp.asarray([[int(i - np.flatnonzero(row == row[i])[0]) for i in range(len(row))] for row in ids], jnp.int32)


def by_loops(q: Any, k: Any, v: Any, segment_ids: Any = None, positions: Any = None) -> np.ndarray:
    """Attention of one query at a time, in float64."""
    q, k, v = (np.asarray(x, np.float64) for x in (q, k, v))
    batch, length, heads, head_dim = q.shape
    group = heads // k.shape[2]
    out = np.zeros_like(q)
    for b in range(batch):
        for h in range(heads):
            for t in range(length):
                seen = []
                for s in range(length):
                    order = (s, t) if positions is None else (int(positions[b, s]), int(positions[b, t]))
                    if order[0] <= order[1] and (segment_ids is None or segment_ids[b, s] == segment_ids[b, t]):
                        seen.append(s)
                scores = np.array([q[b, t, h] @ k[b, s, h // group] for s in seen]) / np.sqrt(head_dim)
                weights = np.exp(scores - scores.max())
                out[b, t, h] = (weights / weights.sum()) @ v[b, seen, h // group]
    return out


def value_and_gradients(backend: str, q: Any, k: Any, v: Any, **masks: Any) -> tuple[jax.Array, ...]:
    """The result, and the gradients of a sum of it with uneven weights, jitted."""
    weights = jnp.asarray(np.random.default_rng(7).normal(size=q.shape), jnp.float32)

    def loss(q: jax.Array, k: jax.Array, v: jax.Array, masks: Any) -> tuple[jax.Array, jax.Array]:
        out = attention(q, k, v, backend=backend, **masks)
        return (out.astype(jnp.float32) * weights).sum(), out

    (_, out), gradients = jax.jit(jax.value_and_grad(loss, (0, 1, 2), has_aux=True))(q, k, v, masks)
    return out, *gradients


def assert_close(found: Any, expected: Any, tolerance: float) -> None:
    """Every array within the tolerance of the largest entry of its counterpart, in the same dtype."""
    assert len(found) == len(expected)
    for name, a, b in zip(("result", "dq", "dk", "dv"), found, expected, strict=False):
        assert a.dtype == b.dtype, name
        a, b = np.asarray(a, np.float32), np.asarray(b, np.float32)
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * (np.abs(b).max() or 1.0), err_msg=name)
