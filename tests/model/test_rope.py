"""Rotary frequencies and rotations against formulas written independently."""

from __future__ import annotations

import importlib
import math
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.model import rope
from melama_jax.model.llama_config import RopeScaling

LLAMA31 = RopeScaling(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)


@pytest.mark.parametrize(("head_dim", "theta"), [(2, 1e4), (16, 1e4), (128, 5e5)])
def test_frequencies_are_powers_of_the_base(head_dim: int, theta: float) -> None:
    expected = [theta ** (-2 * i / head_dim) for i in range(head_dim // 2)]
    found = rope.frequencies(head_dim, theta)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=6e-8)  # one rounding to float32


def by_wavelength(head_dim: int, theta: float, s: RopeScaling) -> list[float]:
    """LLaMA 3.1's rule as its release states it: by wavelength, one frequency at a time."""
    result = []
    for i in range(head_dim // 2):
        frequency = theta ** (-2 * i / head_dim)
        wavelength = 2 * math.pi / frequency
        if wavelength < s.original_max_position_embeddings / s.high_freq_factor:
            result.append(frequency)
        elif wavelength > s.original_max_position_embeddings / s.low_freq_factor:
            result.append(frequency / s.factor)
        else:
            smooth = s.original_max_position_embeddings / wavelength - s.low_freq_factor
            smooth /= s.high_freq_factor - s.low_freq_factor
            result.append((1 - smooth) * frequency / s.factor + smooth * frequency)
    return result


@pytest.mark.parametrize(
    ("head_dim", "theta", "scaling"),
    [(128, 5e5, LLAMA31), (64, 5e5, RopeScaling(32.0, 1.0, 4.0, 8192)), (32, 1e4, RopeScaling(2.0, 0.5, 3.0, 256))],
)
def test_scaling_is_that_of_the_release(head_dim: int, theta: float, scaling: RopeScaling) -> None:
    expected = by_wavelength(head_dim, theta, scaling)
    np.testing.assert_allclose(rope.frequencies(head_dim, theta, scaling), expected, rtol=2e-7)
    plain = rope.frequencies(head_dim, theta)
    ratio = plain / rope.frequencies(head_dim, theta, scaling)
    assert ratio[0] == 1
    assert ratio[-1] == scaling.factor
    assert ((ratio > 1) & (ratio < scaling.factor)).any()  # all three regimes take part


def test_scaling_is_that_of_transformers() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    functions = importlib.import_module("transformers.modeling_rope_utils").ROPE_INIT_FUNCTIONS
    parameters = {
        "rope_type": "llama3",
        "rope_theta": 5e5,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    config = SimpleNamespace(
        rope_parameters=parameters,
        rope_scaling=parameters,
        rope_theta=5e5,
        head_dim=128,
        hidden_size=4096,
        num_attention_heads=32,
        max_position_embeddings=131072,
        standardize_rope_params=lambda: None,
    )
    expected, attention_factor = functions["llama3"](config, "cpu")
    assert attention_factor == 1.0
    np.testing.assert_allclose(rope.frequencies(128, 5e5, LLAMA31), expected.numpy(), rtol=1e-6)


@pytest.mark.parametrize(("head_dim", "heads"), [(8, 3), (16, 1), (2, 2)])
def test_rotation_is_multiplication_by_a_unit_complex_number(head_dim: int, heads: int) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(2, 5, heads, head_dim)).astype(np.float32)
    positions = random.integers(0, 500, size=(2, 5))
    inverse = rope.frequencies(head_dim, 1e4)
    half = head_dim // 2
    number = x[..., :half].astype(np.complex128) + 1j * x[..., half:]
    angle = positions[..., None, None] * inverse.astype(np.float64)
    turned = number * np.exp(1j * angle)
    found = rope.rotate(jnp.asarray(x), jnp.asarray(positions), inverse)
    np.testing.assert_allclose(found, np.concatenate([turned.real, turned.imag], -1), atol=2e-4)  # angles to 500


def test_scores_depend_on_the_distance_alone() -> None:
    random = np.random.default_rng(1)
    q, k = (jnp.asarray(random.normal(size=(1, 1, 1, 16)), jnp.float32) for _ in range(2))
    inverse = rope.frequencies(16, 1e4)

    def score(at_q: int, at_k: int) -> float:
        turned = [rope.rotate(x, jnp.asarray([[at]]), inverse) for x, at in ((q, at_q), (k, at_k))]
        return float((turned[0] * turned[1]).sum())

    assert score(9, 4) == pytest.approx(score(105, 100), abs=1e-4)
    assert abs(score(9, 4) - score(9, 5)) > 1e-2


def test_position_zero_and_dtype_are_kept() -> None:
    x = jnp.asarray(np.random.default_rng(2).normal(size=(1, 3, 2, 8)), jnp.bfloat16)
    turned = rope.rotate(x, jnp.zeros((1, 3), jnp.int32), rope.frequencies(8, 1e4))
    assert turned.dtype == jnp.bfloat16
    np.testing.assert_array_equal(turned, x)


def test_far_positions_keep_float32_angles_under_bfloat16() -> None:
    x = jnp.ones((1, 1, 1, 2), jnp.bfloat16)
    position = 4095  # bfloat16 would round this to 4096
    first, second = np.asarray(rope.rotate(x, jnp.asarray([[position]]), rope.frequencies(2, 1e4)), np.float64).ravel()
    assert first == pytest.approx(math.cos(position) - math.sin(position), abs=1e-2)
    assert second == pytest.approx(math.cos(position) + math.sin(position), abs=1e-2)
