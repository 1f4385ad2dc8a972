"""Token lookup in an embedding whose rows lie on `tensor` and whose columns lie on `fsdp`.

Shapes: B batch, T tokens, D hidden, V vocabulary.

Left to the partitioner, the gradient of this lookup (a scatter into a sharded table) would gather every device's hidden
states first. Here each device scatters its own tokens, in float32, and one reduce-scatter adds them up.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from melama_jax.parallel import collectives
from melama_jax.parallel.mesh import spec_of

Table = Float[Array, "V D"]
Tokens = Int[Array, "B T"]
Hidden = Float[Array, "B T D"]
Static = tuple[str, str, int]
"""Compute dtype, table dtype, V."""


@jax.named_scope("embedding")
def embed(table: Table, tokens: Tokens, dtype: jnp.dtype) -> Hidden:
    """Rows of the table for tokens, in `dtype`, the tokens split over context and tensor.

    Args:
        table: The embedding as stored; gathered over fsdp in `dtype`.
        tokens: Ids below V.
        dtype: Dtype of the result.
    """
    return _embed((jnp.dtype(dtype).name, table.dtype.name, table.shape[0]), table, tokens)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _embed(static: Static, table: Table, tokens: Tokens) -> Hidden:
    def local(table: jax.Array, tokens: jax.Array) -> jax.Array:
        rows = collectives.all_gather(table.astype(static[0]), "fsdp", 1)
        place, mine = _own_rows(tokens, rows.shape[0])
        found = jnp.where(mine[..., None], rows[place], 0)
        return collectives.psum_scatter(found, "tensor", 1)

    if jax.sharding.get_abstract_mesh().empty:
        return table.astype(static[0])[tokens]
    return jax.shard_map(
        local,
        in_specs=(spec_of(("vocab", "embed")), spec_of(("batch", "sequence"))),
        out_specs=spec_of(("batch", "residual_sequence", None)),
        check_vma=False,  # never differentiated through
    )(table, tokens)


def _forward(static: Static, table: Table, tokens: Tokens) -> tuple[Hidden, Tokens]:
    return _embed(static, table, tokens), tokens


def _backward(static: Static, tokens: Tokens, gradient: Hidden) -> tuple[Table, None]:
    _, dtype, vocab_size = static

    def local(gradient: jax.Array, tokens: jax.Array) -> jax.Array:
        gradient = collectives.all_gather(gradient, "tensor", 1).astype(jnp.float32)
        rows = vocab_size // lax.axis_size("tensor")
        place, mine = _own_rows(tokens, rows)
        summed = jnp.zeros((rows, gradient.shape[-1]), jnp.float32)
        summed = summed.at[place].add(jnp.where(mine[..., None], gradient, 0))
        summed = collectives.psum_scatter(summed, "fsdp", 1)
        return collectives.psum(summed, "data", "context").astype(dtype)

    if jax.sharding.get_abstract_mesh().empty:
        zeros = jnp.zeros((vocab_size, gradient.shape[-1]), jnp.float32)
        return zeros.at[tokens].add(gradient.astype(jnp.float32)).astype(dtype), None
    summed = jax.shard_map(
        local,
        in_specs=(spec_of(("batch", "residual_sequence", None)), spec_of(("batch", "sequence"))),
        out_specs=spec_of(("vocab", "embed")),
        check_vma=False,
    )(gradient, tokens)
    return summed, None


def _own_rows(tokens: jax.Array, rows: int) -> tuple[jax.Array, jax.Array]:
    """Row of each token in this device's part of the table, and whether it lies there at all."""
    place = tokens - lax.axis_index("tensor") * rows
    mine = (place >= 0) & (place < rows)
    return jnp.where(mine, place, 0), mine


_embed.defvjp(_forward, _backward)
