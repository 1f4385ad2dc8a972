"""The layers' product against `jnp.tensordot`, in values and gradients."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.ad_checkpoint import print_saved_residuals

from melama_jax.model import llama
from melama_jax.model.linear import product


@pytest.mark.parametrize(
    ("x_shape", "matrix_shape", "contracted"),
    [((2, 5, 6), (6, 7), 1), ((2, 5, 6), (6, 3, 4), 1), ((3, 4, 2, 5), (2, 5, 6), 2), ((1, 1, 4), (4, 1), 1)],
)
def test_values_and_gradients(x_shape: tuple[int, ...], matrix_shape: tuple[int, ...], contracted: int) -> None:
    rng = np.random.default_rng(0)
    x, matrix = (jnp.asarray(rng.normal(size=shape), jnp.float32) for shape in (x_shape, matrix_shape))
    out = jnp.tensordot(x, matrix, contracted)
    weights = jnp.asarray(rng.normal(size=out.shape), jnp.float32)
    np.testing.assert_allclose(product(x, matrix, contracted), out, rtol=1e-6, atol=1e-6)
    found = jax.grad(lambda x, m: (product(x, m, contracted) * weights).sum(), (0, 1))(x, matrix)
    expected = jax.grad(lambda x, m: (jnp.tensordot(x, m, contracted) * weights).sum(), (0, 1))(x, matrix)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("policy", "kept"), [("dots", 1), ("full", 0)])
def test_a_policy_sees_the_product(capsys: pytest.CaptureFixture[str], policy: str, kept: int) -> None:
    x, matrix = jnp.ones((2, 3, 4)), jnp.ones((4, 5))

    def layer(x: jax.Array, matrix: jax.Array) -> tuple[jax.Array, None]:
        return jnp.sin(product(jnp.sin(x), matrix)), None

    print_saved_residuals(lambda x, m: llama.rematerialized(layer, policy)(x, m)[0].sum(), x, matrix)
    assert capsys.readouterr().out.count("f32[2,3,5]") == kept
