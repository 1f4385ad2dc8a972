"""Attention within the documents of packed rows on GPUs, without a mask [B, T, T].

Two kernels: cuDNN's packed layout, which computes each document alone (Hopper and later, a bound on the documents of a
row), and JAX's Triton kernel, which compares segment ids (Ampere and later, any packing). Shapes as in `attention`.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

Query = Float[Array, "B T H E"]
KeyValue = Float[Array, "B T K E"]
Ids = Int[Array, "B T"]

MOST_DOCUMENTS = 64
"""Documents of a row, its padding counted as one, up to which cuDNN's packed layout is taken. cuDNN writes as many
softmax statistics: 64 H T float32 a row, 32 MiB for 32 heads of 4096 tokens."""
TRITON_BLOCK = 128
"""The Triton kernel takes whole blocks of so many tokens."""
_FIXED_FOR_GROUPED = (0, 12)
"""Before this version of JAX the packed layout reads wrong keys where queries share them (its pull request 39521)."""


def document_bounds(
    segment_ids: Ids, most: int = MOST_DOCUMENTS
) -> tuple[Int[Array, "B M+1"], Int[Array, "B M"], Bool[Array, ""]]:
    """Where the documents of each row start and how long they are, as cuDNN's packed layout takes it.

    A document is a run of equal ids, padding (0) too, so that every token lies in one.

    Args:
        segment_ids: Documents by token.
        most: M, the documents of a row that can be described.

    Returns:
        Starts and lengths, -1 where there is no document, and whether they say the same as the ids: no row has more
        than M runs, and no id comes back after another one.
    """
    changes = segment_ids[:, 1:] != segment_ids[:, :-1]
    number = jnp.pad(jnp.cumsum(changes, axis=1, dtype=jnp.int32), ((0, 0), (1, 0)))
    count = number[:, -1:] + 1
    document = jnp.arange(most + 1, dtype=jnp.int32)
    starts = jnp.sum(number[:, None, :] < document[:, None], axis=2, dtype=jnp.int32)  # T from the last document on
    lengths = starts[:, 1:] - starts[:, :-1]
    there = document < count
    ids = jnp.take_along_axis(segment_ids, jnp.minimum(starts, segment_ids.shape[1] - 1), axis=1)
    pairs = there[:, :, None] & there[:, None, :] & (document[:, None] < document)
    repeated = jnp.any(pairs & (ids[:, :, None] == ids[:, None, :]))
    fits = jnp.all(count <= most) & ~repeated
    return jnp.where(there, starts, -1), jnp.where(there[:, :-1], lengths, -1), fits


def cudnn_packed(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids) -> Query:
    """Causal attention within documents by cuDNN, or by the Triton kernel where they cannot be described to it."""
    starts, lengths, fits = document_bounds(segment_ids)
    return jax.lax.cond(
        fits,
        lambda q, k, v, starts, lengths, ids: _cudnn_call(q, k, v, starts, lengths),
        lambda q, k, v, starts, lengths, ids: triton(q, k, v, ids),
        *(q, k, v, starts, lengths, segment_ids),
    )


def _cudnn_call(q: Query, k: KeyValue, v: KeyValue, starts: Array, lengths: Array) -> Query:
    from jax._src.cudnn import fused_attention_stablehlo as fused  # jax.nn does not pass offsets on

    if jax.__version_info__ < _FIXED_FOR_GROUPED:
        k, v = _one_head_each(q, k, v)
    if jax.default_backend() != "gpu":
        # A program for absent devices: the check would ask for a GPU of this process, and `attention` has checked.
        fused.check_compute_capability = lambda capability: True
    out: Any = fused.dot_product_attention(
        *(q, k, v),
        q_seqlen=lengths,
        kv_seqlen=lengths,
        q_offsets=starts,
        kv_offsets=starts,
        scale=q.shape[-1] ** -0.5,
        mask_type=fused.MaskType.PADDING_CAUSAL,
    )
    return out


def triton(q: Query, k: KeyValue, v: KeyValue, segment_ids: Ids | None, *, interpret: bool = False) -> Query:
    """Causal attention within documents by JAX's Triton kernel; T is a multiple of `TRITON_BLOCK`."""
    from jax.experimental.pallas.ops.gpu.attention import mha

    k, v = _one_head_each(q, k, v)
    return mha(q, k, v, segment_ids, sm_scale=q.shape[-1] ** -0.5, causal=True, interpret=interpret)


def _one_head_each(q: Query, k: KeyValue, v: KeyValue) -> tuple[Query, Query]:
    groups = q.shape[2] // k.shape[2]
    return jnp.repeat(k, groups, axis=2), jnp.repeat(v, groups, axis=2)
