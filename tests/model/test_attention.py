"""Attention backends that a CPU can run, against the reference, and the reference against loops."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import MeshConfig
from melama_jax.errors import ConfigError
from melama_jax.model import blockwise
from melama_jax.model.attention import attention, auto_backend
from melama_jax.parallel.mesh import build_mesh
from tests.model import attention_inputs as inputs

FLOAT32 = 2e-6
"""Rounding of sums of a few dozen float32 products, relative to the largest entry."""
BFLOAT16 = 2e-2
"""The reference rounds once at the end; a backend also rounds the softmax to 8 bits."""


def masks(length: int, kind: str) -> dict[str, Any]:
    segment_ids = inputs.packed(length)
    return {
        "causal": {},
        "segments": {"segment_ids": segment_ids},
        "positions": {"positions": jnp.tile(2 * jnp.arange(length, dtype=jnp.int32), (2, 1))},
        "both": {"segment_ids": segment_ids, "positions": inputs.restarting(segment_ids)},
    }[kind]


@pytest.mark.parametrize("kind", ["causal", "segments", "positions", "both"])
def test_reference_is_the_formula(kind: str) -> None:
    q, k, v = inputs.draw(length=9)
    given = masks(9, kind)
    found = attention(q, k, v, backend="reference", **given)
    np.testing.assert_allclose(found, inputs.by_loops(q, k, v, **given), atol=2e-6)


def test_reference_follows_positions_out_of_order() -> None:
    q, k, v = inputs.draw(length=7)
    positions = jnp.asarray([[3, 1, 0, 2, 5, 4, 6], [0, 0, 1, 1, 2, 2, 3]])
    found = attention(q, k, v, positions=positions, backend="reference")
    np.testing.assert_allclose(found, inputs.by_loops(q, k, v, None, positions), atol=2e-6)


@pytest.mark.parametrize(
    ("heads", "kv_heads", "length", "kind", "dtype", "tolerance"),
    [
        (4, 4, 12, "causal", jnp.float32, FLOAT32),
        (4, 2, 12, "causal", jnp.float32, FLOAT32),
        (4, 1, 12, "segments", jnp.float32, FLOAT32),
        (4, 2, 13, "segments", jnp.float32, FLOAT32),
        (6, 2, 33, "positions", jnp.float32, FLOAT32),
        (4, 4, 7, "both", jnp.float32, FLOAT32),
        (4, 2, 1, "causal", jnp.float32, FLOAT32),
        (4, 2, 13, "segments", jnp.bfloat16, BFLOAT16),
        (4, 4, 33, "causal", jnp.bfloat16, BFLOAT16),
    ],
)
def test_xla_values_and_gradients(
    heads: int, kv_heads: int, length: int, kind: str, dtype: Any, tolerance: float
) -> None:
    arrays = inputs.draw(length=length, heads=heads, kv_heads=kv_heads, dtype=dtype)
    given = masks(length, kind)
    found = inputs.value_and_gradients("xla", *arrays, **given)
    inputs.assert_close(found, inputs.value_and_gradients("reference", *arrays, **given), tolerance)


@pytest.mark.parametrize("kind", ["causal", "segments", "positions", "both"])
@pytest.mark.parametrize("row_by_row", [True, False])
@pytest.mark.parametrize("length", [33, 40])
def test_xla_in_several_blocks(monkeypatch: pytest.MonkeyPatch, kind: str, row_by_row: bool, length: int) -> None:
    real = blockwise._rows
    monkeypatch.setattr(blockwise, "_BLOCK", 8)
    monkeypatch.setattr(blockwise, "_rows", lambda layout, *given: real(layout._replace(row_by_row=row_by_row), *given))
    arrays, given = inputs.draw(length=length, heads=6, kv_heads=2), masks(length, kind)
    found = inputs.value_and_gradients("xla", *arrays, **given)
    inputs.assert_close(found, inputs.value_and_gradients("reference", *arrays, **given), FLOAT32)


@pytest.mark.parametrize("kind", ["causal", "segments", "both"])
def test_xla_under_a_mesh(kind: str) -> None:
    arrays = inputs.draw(length=16)
    given = masks(16, kind)
    expected = inputs.value_and_gradients("reference", *arrays, **given)
    with jax.set_mesh(build_mesh(MeshConfig(fsdp=2, context=2, tensor=2))):
        inputs.assert_close(inputs.value_and_gradients("xla", *arrays, **given), expected, FLOAT32)


@pytest.fixture
def cudnn_on_cpu(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Serve what is asked of cuDNN by XLA, and note how it was asked."""
    real, asked = jax.nn.dot_product_attention, []

    def route(q: Any, k: Any, v: Any, **options: Any) -> Any:
        if options.pop("implementation") == "cudnn":
            asked.append({name: getattr(value, "shape", value) for name, value in options.items()} | {"q": q.shape})
        return real(q, k, v, implementation="xla", **options)

    monkeypatch.setattr(jax.nn, "dot_product_attention", route)
    return asked


@pytest.mark.parametrize("kind", ["causal", "segments", "positions", "both"])
@pytest.mark.parametrize("sizes", [None, {"fsdp": 2, "tensor": 2}, {"context": 2, "tensor": 2}, {"context": 4}])
def test_masks_built_for_cudnn(cudnn_on_cpu: list[dict[str, Any]], sizes: dict[str, int] | None, kind: str) -> None:
    arrays = inputs.draw(length=16, dtype=jnp.bfloat16)
    given = masks(16, kind)
    expected = attention(*arrays, backend="reference", **given)
    if sizes is None:
        found = attention(*arrays, backend="cudnn", **given)
    else:
        count = int(np.prod(list(sizes.values())))
        with jax.set_mesh(build_mesh(MeshConfig(**({"fsdp": 1} | sizes)), jax.devices()[:count])):
            found = jax.jit(lambda *a: attention(*a, backend="cudnn", **given))(*arrays)
    inputs.assert_close([found], [expected], BFLOAT16)
    context, tensor = (sizes or {}).get("context", 1), (sizes or {}).get("tensor", 1)
    rows = 2 // (sizes or {}).get("fsdp", 1)
    (call,) = cudnn_on_cpu
    assert call["q"] == (rows, 16 // context, 4 // tensor, 8)
    if kind == "causal" and context == 1:
        assert call.get("is_causal") is True  # the kernel's own causal path; no mask is read
        assert "mask" not in call
    else:
        assert call["mask"] == (rows, 1, 16 // context, 16)


def test_gradients_through_the_masks_for_cudnn(cudnn_on_cpu: list[dict[str, Any]]) -> None:
    arrays = inputs.draw(length=16, dtype=jnp.bfloat16)
    given = masks(16, "segments")
    expected = inputs.value_and_gradients("reference", *arrays, **given)
    with jax.set_mesh(build_mesh(MeshConfig(fsdp=2, context=2, tensor=2))):
        found = inputs.value_and_gradients("cudnn", *arrays, **given)
    inputs.assert_close(found, expected, BFLOAT16)
    assert cudnn_on_cpu


@pytest.mark.parametrize(
    ("dtype", "head_dim", "problem"),
    [
        (jnp.float32, 64, "found float32 and 64; set model.compute_dtype: bfloat16, or train.attention: xla"),
        (jnp.bfloat16, 256, "found bfloat16 and 256"),
        (jnp.bfloat16, 12, "found bfloat16 and 12"),
    ],
)
def test_cudnn_refuses_what_it_cannot_serve(dtype: Any, head_dim: int, problem: str) -> None:
    q, k, v = inputs.draw(head_dim=head_dim, dtype=dtype)
    with pytest.raises(ConfigError) as caught:
        attention(q, k, v, backend="cudnn")
    assert problem in str(caught.value)


def test_heads_that_do_not_divide_are_refused() -> None:
    q, k, v = inputs.draw(heads=4, kv_heads=3)
    with pytest.raises(ConfigError, match="3 key/value heads do not divide 4 query heads"):
        attention(q, k, v)


@pytest.mark.parametrize(
    ("platform", "dtype", "head_dim", "length", "has_positions", "backend"),
    [
        ("gpu", jnp.bfloat16, 128, 4096, False, "cudnn"),
        ("cuda", jnp.float16, 64, 100, True, "cudnn"),
        ("gpu", jnp.float32, 128, 4096, False, "xla"),
        ("gpu", jnp.bfloat16, 256, 4096, False, "xla"),
        ("gpu", jnp.bfloat16, 20, 4096, False, "xla"),
        ("tpu", jnp.bfloat16, 128, 4096, False, "splash"),
        ("tpu", jnp.float32, 256, 128, False, "splash"),
        ("tpu", jnp.bfloat16, 64, 4096, False, "xla"),
        ("tpu", jnp.bfloat16, 128, 4000, False, "xla"),
        ("tpu", jnp.bfloat16, 128, 4096, True, "xla"),
        ("cpu", jnp.bfloat16, 128, 4096, False, "xla"),
        (None, jnp.bfloat16, 128, 4096, False, "xla"),  # this machine's: the tests run on the CPU
    ],
)
def test_auto_by_platform(
    platform: str | None, dtype: Any, head_dim: int, length: int, has_positions: bool, backend: str
) -> None:
    assert auto_backend(dtype, head_dim, length, has_positions, platform) == backend


@pytest.mark.parametrize("backend", ["reference", "xla", "cudnn"])
def test_no_backend_attends_across_documents(backend: str, cudnn_on_cpu: list[dict[str, Any]]) -> None:
    q, k, v = inputs.draw(length=16, dtype=jnp.bfloat16)
    ids = inputs.packed(16)
    other = (ids == 1)[..., None, None]
    before = attention(q, k, v, segment_ids=ids, backend=backend)
    after = attention(q, jnp.where(other, k + 3, k), jnp.where(other, v - 5, v), segment_ids=ids, backend=backend)
    kept, changed = np.asarray(ids != 1), np.asarray(ids == 1)
    np.testing.assert_array_equal(np.asarray(before)[kept], np.asarray(after)[kept])
    assert (np.asarray(before)[changed] != np.asarray(after)[changed]).any()
    assert len(cudnn_on_cpu) == (2 if backend == "cudnn" else 0)
