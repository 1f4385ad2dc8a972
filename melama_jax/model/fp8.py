"""Matrix products in 8-bit floating point (arXiv 2209.05433): E4M3 operands, E5M2 gradients, by Qwix.

Scales are current ones, from the largest entry of the very array: one for each token of an activation and each output
of a matrix. So the step keeps no state for them, and in the forward pass no device needs another's maximum unless the
contracted dimension is split.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import qwix

_OPERAND, _GRADIENT = jnp.float8_e4m3fn, jnp.float8_e5m2


def product(x: jax.Array, matrix: jax.Array, contracted: int = 1) -> jax.Array:
    """`melama_jax.model.linear.product` with both operands in E4M3, and in its gradients the incoming one in E5M2."""
    return _product(x, matrix, contracted)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _product(x: jax.Array, matrix: jax.Array, contracted: int) -> jax.Array:
    return _forward(x, matrix, contracted)[0]


def _forward(x: jax.Array, matrix: jax.Array, contracted: int) -> tuple[jax.Array, tuple[qwix.QArray, qwix.QArray]]:
    inner, outer = _axes(x, matrix, contracted)
    x8 = qwix.quantize(x, _OPERAND, channelwise_axes=range(inner[0]))
    matrix8 = qwix.quantize(matrix, _OPERAND, channelwise_axes=outer)
    out = qwix.dot_general(x8, matrix8, ((inner, tuple(range(contracted))), ((), ())))
    return out.astype(x.dtype), (x8, matrix8)


def _backward(
    contracted: int, residuals: tuple[qwix.QArray, qwix.QArray], gradient: jax.Array
) -> tuple[jax.Array, jax.Array]:
    x8, matrix8 = residuals
    inner, outer = _axes(x8.qvalue, matrix8.qvalue, contracted)
    tokens = tuple(range(inner[0]))
    features = tuple(range(len(tokens), gradient.ndim))
    # A scale that varies along the dimension that is now contracted cannot be taken out of the product: it goes into
    # the gradient before that is quantized.
    by_output = gradient * matrix8.scale.reshape(matrix8.scale.shape[contracted:])
    by_output8 = qwix.quantize(by_output, _GRADIENT, channelwise_axes=tokens)
    dx = qwix.dot_general(by_output8, matrix8.qvalue, ((features, outer), ((), ())))
    by_token = gradient * x8.scale.reshape(*gradient.shape[: len(tokens)], *(1 for _ in features))
    by_token8 = qwix.quantize(by_token, _GRADIENT, channelwise_axes=features)
    dmatrix = qwix.dot_general(x8.qvalue, by_token8, ((tokens, tokens), ((), ())))
    return dx.astype(x8.scale.dtype), dmatrix.astype(matrix8.scale.dtype)


def _axes(x: jax.Array, matrix: jax.Array, contracted: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Contracted dimensions of `x`, and those of `matrix` that are not."""
    return tuple(range(x.ndim - contracted, x.ndim)), tuple(range(contracted, matrix.ndim))


_product.defvjp(_forward, _backward)
