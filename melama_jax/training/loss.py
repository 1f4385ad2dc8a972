"""Next-token cross-entropy whose float32 logits [B, T, V] never exist whole.

Shapes: B batch, T tokens, D hidden, V vocabulary.

The head's product and the softmax are computed a chunk of tokens at a time, and the gradients of the hidden states and
of the head are accumulated in the same pass, so that no logits are kept or computed twice. Every device works on its
own tokens and its own columns of the vocabulary; sums cross the mesh explicitly.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from melama_jax.parallel import collectives
from melama_jax.parallel.mesh import spec_of

Hidden = Float[Array, "B T D"]
Head = Float[Array, "D V"]
Static = tuple[float, int, str, int, bool]
"""z-loss weight, chunk size, dtype name, padding of V, whether the head is frozen."""
_TOKENS = ("data", "fsdp", "context")


class LossSums(NamedTuple):
    """Sums over target tokens; divide by `weight` after adding over micro-batches.

    Attributes:
        total: What is minimized: cross-entropy plus z-loss.
        cross_entropy: Negative log-likelihood alone, nats.
        weight: Target tokens (sum of the loss weights).
    """

    total: Float[Array, ""]
    cross_entropy: Float[Array, ""]
    weight: Float[Array, ""]


@jax.named_scope("loss")
def cross_entropy(
    hidden: Hidden,
    head: Head,
    targets: Int[Array, "B T"],
    weights: Float[Array, "B T"],
    *,
    z_loss: float = 0.0,
    chunk_size: int = 1024,
    compute_dtype: jnp.dtype | None = None,
    vocab_padding: int = 0,
    frozen_head: bool = False,
) -> LossSums:
    """Weighted sums of next-token cross-entropy.

    Args:
        hidden: Final hidden states, split over batch and context.
        head: The head as stored, split over fsdp and tensor; gathered over fsdp in `compute_dtype`.
        targets: Token to predict at each position; ids must lie below V - vocab_padding.
        weights: 0 where a position is not to be predicted.
        z_loss: Weight of the squared log-partition.
        chunk_size: Tokens per device whose logits exist at a time.
        compute_dtype: Dtype of the products; None takes that of `hidden`. Logits are float32.
        vocab_padding: Last columns of the head that stand for no token: they take no probability and no gradient.
        frozen_head: Leave out the gradient of the head, a third of the work.
    """
    dtype = jnp.dtype(compute_dtype or hidden.dtype)
    sums: Any = _loss((z_loss, chunk_size, dtype.name, vocab_padding, frozen_head), hidden, head, targets, weights)
    return LossSums(*sums)


def reference(
    hidden: Hidden,
    head: Head,
    targets: Int[Array, "B T"],
    weights: Float[Array, "B T"],
    *,
    z_loss: float = 0.0,
    vocab_padding: int = 0,
) -> LossSums:
    """The same from whole logits, by the plain formula."""
    head = head[:, : head.shape[1] - vocab_padding]
    logits = jnp.einsum("btd,dv->btv", hidden, head, preferred_element_type=jnp.float32)
    partition = jax.nn.logsumexp(logits, axis=-1)
    nll = partition - jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return LossSums(
        total=jnp.sum(weights * (nll + z_loss * partition**2)),
        cross_entropy=jnp.sum(weights * nll),
        weight=jnp.sum(weights),
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _loss(static: Static, hidden, head, targets, weights) -> Any:
    return _sharded(static, False, hidden, head, targets, weights)


def _loss_forward(static, hidden, head, targets, weights):
    found = _sharded(static, True, hidden, head, targets, weights)
    return found[:3], found[3:]


def _loss_backward(static, residuals, cotangents):
    # Only `total` is differentiated; the two other sums are reports.
    hidden_gradient, *head_gradient = residuals
    scale = cotangents[0]
    return (
        (hidden_gradient.astype(jnp.float32) * scale).astype(hidden_gradient.dtype),
        head_gradient[0] * scale.astype(head_gradient[0].dtype) if head_gradient else None,
        None,
        None,
    )


def _sharded(static, with_gradients, hidden, head, targets, weights):
    """Run `_local` on every device's tokens and vocabulary columns."""
    mesh = jax.sharding.get_abstract_mesh()
    if mesh.empty:
        return _local(static, with_gradients, False, hidden, head, targets, weights)
    hidden_spec = spec_of(("batch", "sequence", None))
    head_spec = spec_of(("embed", "vocab"))
    row_spec = spec_of(("batch", "sequence"))
    scalar = spec_of(())
    gradient_specs = (hidden_spec,) if static[-1] else (hidden_spec, head_spec)
    return jax.shard_map(
        functools.partial(_local, static, with_gradients, True),
        in_specs=(hidden_spec, head_spec, row_spec, row_spec),
        out_specs=(scalar, scalar, scalar, *(gradient_specs if with_gradients else ())),
        check_vma=False,  # no differentiation passes through: the gradients are outputs
    )(hidden, head, targets, weights)


def _local(static, with_gradients, on_mesh, hidden, head, targets, weights):
    z_loss, chunk_size, dtype, vocab_padding, frozen_head = static

    def over(reduce, x, *axes):
        return reduce(x, *axes) if on_mesh else x

    matrix = head.astype(dtype)
    if on_mesh:
        matrix = collectives.all_gather(matrix, "fsdp", 0)
    columns = matrix.shape[1]
    first_column = lax.axis_index("tensor") * columns if on_mesh else 0
    num_tokens = columns * (lax.axis_size("tensor") if on_mesh else 1) - vocab_padding

    batch, length, width = hidden.shape
    tokens = batch * length
    chunk = min(chunk_size, tokens)
    num_chunks = -(-tokens // chunk)

    def chunked(x, fill=0):
        x = x.reshape(tokens, *x.shape[2:])
        padding = [(0, num_chunks * chunk - tokens)] + [(0, 0)] * (x.ndim - 1)
        return jnp.pad(x, padding, constant_values=fill).reshape(num_chunks, chunk, *x.shape[1:])

    def step(carry, rows):
        total, entropy, head_gradient = carry
        x, target, weight = rows
        logits = jnp.dot(x.astype(dtype), matrix, preferred_element_type=jnp.float32)
        if vocab_padding:
            logits = jnp.where(first_column + jnp.arange(columns) < num_tokens, logits, -jnp.inf)
        largest = over(collectives.pmax, jnp.max(logits, axis=-1), "tensor")
        exponentials = jnp.exp(logits - largest[:, None])
        denominator = over(collectives.psum, jnp.sum(exponentials, axis=-1), "tensor")
        partition = largest + jnp.log(denominator)
        column = target - first_column
        is_target = lax.broadcasted_iota(jnp.int32, logits.shape, 1) == column[:, None]
        chosen = over(collectives.psum, jnp.sum(jnp.where(is_target, logits, 0.0), axis=-1), "tensor")
        nll = partition - chosen
        total += jnp.sum(weight * (nll + z_loss * partition**2))
        entropy += jnp.sum(weight * nll)
        if not with_gradients:
            return (total, entropy, head_gradient), None
        scale = weight * (1.0 + 2.0 * z_loss * partition) / denominator
        dlogits = exponentials * scale[:, None] - jnp.where(is_target, weight[:, None], 0.0)
        dlogits = dlogits.astype(dtype)
        # Products of sums over V and over tokens; float32 out, so that shards add exactly as one device would.
        dx = lax.dot_general(dlogits, matrix, (((1,), (1,)), ((), ())), preferred_element_type=jnp.float32)
        dx = over(collectives.psum, dx, "tensor").astype(hidden.dtype)
        if frozen_head:
            return (total, entropy, head_gradient), dx
        dhead = lax.dot_general(x.astype(dtype), dlogits, (((0,), (0,)), ((), ())), preferred_element_type=jnp.float32)
        return (total, entropy, head_gradient + dhead), dx

    zero = jnp.zeros((), jnp.float32)
    accumulator = jnp.zeros((width, columns) if with_gradients and not frozen_head else (), jnp.float32)
    rows = chunked(hidden), chunked(targets), chunked(weights.astype(jnp.float32))
    scanned: Any = lax.scan(step, (zero, zero, accumulator), rows)
    (total, entropy, head_gradient), dx = scanned
    sums = tuple(over(collectives.psum, x, *_TOKENS) for x in (total, entropy, jnp.sum(weights, dtype=jnp.float32)))
    if not with_gradients:
        return sums
    hidden_gradient = dx.reshape(num_chunks * chunk, width)[:tokens].reshape(hidden.shape)
    if frozen_head:
        return *sums, hidden_gradient
    if on_mesh:
        head_gradient = collectives.psum_scatter(head_gradient, "fsdp", 0)
        head_gradient = collectives.psum(head_gradient, "data", "context")
    return *sums, hidden_gradient, head_gradient.astype(head.dtype)


_loss.defvjp(_loss_forward, _loss_backward)
