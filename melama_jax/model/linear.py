"""The layers' matrix product, whose gradient comes out in the matrix's own order."""

from __future__ import annotations

import functools
import math

import jax
from jax import lax
from jaxtyping import Array, Float


def product(x: Float[Array, "*_"], matrix: Float[Array, "*_"], contracted: int = 1) -> Float[Array, "*_"]:
    """`jnp.tensordot(x, matrix, contracted)`.

    JAX would compute the matrix's gradient transposed and turn it, for which XLA's CPU backend lays out the incoming
    gradient by columns: several times the work of the product.

    Args:
        x: Activations [B, T, ...], contracted over their last dimensions.
        matrix: Contracted over its first ones.
        contracted: How many those are.
    """
    return _product(x, matrix, contracted)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _product(x: jax.Array, matrix: jax.Array, contracted: int) -> jax.Array:
    return _forward(x, matrix, contracted)[0]


def _forward(x: jax.Array, matrix: jax.Array, contracted: int) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    # Plain here, so that a rematerialization policy sees the product.
    inner = tuple(range(x.ndim - contracted, x.ndim))
    return lax.dot_general(x, matrix, ((inner, tuple(range(contracted))), ((), ()))), (x, matrix)


def _backward(
    contracted: int, residuals: tuple[jax.Array, jax.Array], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x, matrix = residuals
    leading = x.ndim - contracted
    features = tuple(range(leading, gradient.ndim))
    dx = lax.dot_general(gradient, matrix, ((features, tuple(range(contracted, matrix.ndim))), ((), ())))
    tokens = tuple(range(leading))
    if _whole_sequences():  # one contracted dimension, else XLA's CPU backend transposes `x`
        rows = math.prod(x.shape[:leading])
        x, gradient, tokens = x.reshape(rows, -1), gradient.reshape(rows, -1), (0,)
    return dx, lax.dot_general(x, gradient, ((tokens, tokens), ((), ()))).reshape(matrix.shape)


def _whole_sequences() -> bool:
    """Whether no mesh axis splits the sequence, so that rows and tokens can be one dimension."""
    mesh = jax.sharding.get_abstract_mesh()
    return mesh.empty or mesh.shape["context"] * mesh.shape["tensor"] == 1


_product.defvjp(_forward, _backward)
