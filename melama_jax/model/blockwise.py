"""Exact attention in plain XLA, a block of queries at a time, so that scores [H, T, S] never exist whole.

Shapes: B batch, T query tokens, S key tokens, H query heads, K key/value heads, G = H / K, E head dim, R a block's
queries. The backward pass computes the scores again from the log-sums of the forward pass (FlashAttention, arXiv
2205.14135), and causal blocks leave out the keys that none of their queries sees.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.ad_checkpoint import checkpoint_name
from jaxtyping import Array, Float, Int

_BLOCK, _MOST_BLOCKS = 128, 8
_HIDDEN = -1e30  # -inf would make a row without keys NaN


class Marks(NamedTuple):
    """What decides which keys a query sees: those of its segment whose order is not above its own.

    Attributes:
        query_order: Of the queries [B, T].
        key_order: Of the keys [B, S].
        query_segments: Documents of the queries [B, T], or None.
        key_segments: Documents of the keys [B, S], or None.
    """

    query_order: Int[Array, "B T"]
    key_order: Int[Array, "B S"]
    query_segments: Int[Array, "B T"] | None
    key_segments: Int[Array, "B S"] | None


class Layout(NamedTuple):
    """How the work is cut.

    Attributes:
        by_index: Queries and keys are the same tokens in order, so later blocks of keys are left out.
        row_by_row: One row after another, whose scores then stay in a CPU's cache; else all rows at once.
    """

    by_index: bool
    row_by_row: bool


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def blockwise(
    layout: Layout, q: Float[Array, "B T H E"], k: Float[Array, "B S K E"], v: Float[Array, "B S K E"], marks: Marks
) -> Float[Array, "B T H E"]:
    """Scaled dot-product attention; scores, softmax and sums are float32."""
    return _forward(layout, q, k, v, marks)[0]


def _forward(layout: Layout, q: jax.Array, k: jax.Array, v: jax.Array, marks: Marks) -> tuple[jax.Array, Any]:
    def row(inputs: Any) -> tuple[jax.Array, jax.Array]:
        q, k, v, marks = inputs
        queries, keys, values = _by_head(q, k.shape[1]), k.swapaxes(0, 1), v.swapaxes(0, 1)
        found, logs = [], []
        for begin, end, seen in _blocks(layout, q.shape[0], k.shape[0]):
            scores = _scores(queries[:, :, begin:end], keys[:, :seen], marks, begin, end)
            largest = jnp.max(scores, axis=-1, keepdims=True)
            weights = jnp.exp(scores - largest)
            total = jnp.sum(weights, axis=-1, keepdims=True)
            out = _flat_product(weights.astype(v.dtype), values[:, :seen], "krs,kse->kre") / total
            found.append(out.astype(v.dtype))
            logs.append(largest + jnp.log(total))
        return _by_token(jnp.concatenate(found, 2)), jnp.concatenate(logs, 2)

    out, logs = _rows(layout, row, (q, k, v, marks))
    out, logs = checkpoint_name(out, "attention"), checkpoint_name(logs, "attention")
    return out, (q, k, v, marks, logs)


def _backward(layout: Layout, residuals: Any, gradient: jax.Array) -> Any:
    def row(inputs: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
        q, k, v, marks, logs, gradient = inputs
        kv_heads, scale = k.shape[1], q.shape[-1] ** -0.5
        queries, keys, values = _by_head(q, kv_heads), k.swapaxes(0, 1), v.swapaxes(0, 1)
        incoming = _by_head(gradient, kv_heads)
        dq: list[jax.Array] = []
        dk, dv = jnp.zeros(keys.shape, jnp.float32), jnp.zeros(values.shape, jnp.float32)
        for begin, end, seen in _blocks(layout, q.shape[0], k.shape[0]):
            block = queries[:, :, begin:end]
            scores = _scores(block, keys[:, :seen], marks, begin, end)
            weights = jnp.exp(scores - logs[:, :, begin:end])
            own = incoming[:, :, begin:end]
            dweights = _flat_product(own, values[:, :seen], "kre,kse->krs")
            shared = jnp.sum(weights * dweights, axis=-1, keepdims=True)
            dscores = weights * (dweights - shared) * scale
            dscores, weights = dscores.astype(q.dtype), weights.astype(v.dtype)
            dq.append(_flat_product(dscores, keys[:, :seen], "krs,kse->kre").astype(q.dtype))
            dk = dk.at[:, :seen].add(_over_queries(dscores, block))
            dv = dv.at[:, :seen].add(_over_queries(weights, own))
        dkeys, dvalues = dk.swapaxes(0, 1).astype(k.dtype), dv.swapaxes(0, 1).astype(v.dtype)
        return _by_token(jnp.concatenate(dq, 2)), dkeys, dvalues

    return *_rows(layout, row, (*residuals, gradient)), None


blockwise.defvjp(_forward, _backward)


def _rows(layout: Layout, row: Callable, inputs: Any) -> Any:
    return lax.map(row, inputs) if layout.row_by_row else jax.vmap(row)(inputs)


def _blocks(layout: Layout, length: int, keys: int) -> Iterator[tuple[int, int, int]]:
    """First and last query of every block, and how many keys it may see."""
    size = max(_BLOCK, -(-length // _MOST_BLOCKS))
    for begin in range(0, length, size):
        end = min(begin + size, length)
        yield begin, end, end if layout.by_index else keys


def _by_head(x: Float[Array, "T H E"], kv_heads: int) -> Float[Array, "K G T E"]:
    length, heads, width = x.shape
    return x.reshape(length, kv_heads, heads // kv_heads, width).transpose(1, 2, 0, 3)


def _by_token(x: Float[Array, "K G T E"]) -> Float[Array, "T H E"]:
    kv_heads, groups, length, width = x.shape
    return x.transpose(2, 0, 1, 3).reshape(length, kv_heads * groups, width)


def _scores(
    block: Float[Array, "K G R E"], keys: Float[Array, "K S E"], marks: Marks, begin: int, end: int
) -> Float[Array, "K G R S"]:
    """Scaled scores of a block of queries, those that must not be seen hidden."""
    seen = keys.shape[1]
    mask = marks.query_order[begin:end, None] >= marks.key_order[None, :seen]
    if marks.query_segments is not None and marks.key_segments is not None:
        mask &= marks.query_segments[begin:end, None] == marks.key_segments[None, :seen]
    return jnp.where(mask, _flat_product(block, keys, "kre,kse->krs") * block.shape[-1] ** -0.5, _HIDDEN)


def _flat_product(x: Float[Array, "K G R N"], y: Float[Array, "K S M"], equation: str) -> Float[Array, "K G R O"]:
    """A product with what the G heads of a group share, as one matrix product for each key/value head."""
    kv_heads, groups, rows, _ = x.shape
    out = jnp.einsum(equation, x.reshape(kv_heads, groups * rows, -1), y, preferred_element_type=jnp.float32)
    return out.reshape(kv_heads, groups, rows, -1)


def _over_queries(x: Float[Array, "K G R S"], y: Float[Array, "K G R E"]) -> Float[Array, "K S E"]:
    """Sum over the queries of all heads of a group."""
    return jnp.einsum("kgrs,kgre->kse", x, y, preferred_element_type=jnp.float32)
