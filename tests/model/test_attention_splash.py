"""The TPU kernel, interpreted on the CPU, against the reference."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import MeshConfig
from melama_jax.errors import ConfigError
from melama_jax.model.attention import attention
from melama_jax.parallel.mesh import build_mesh
from tests.model import attention_inputs as inputs

TOLERANCE = 1e-5
"""Online softmax in float32: other sums than the reference's, of 256 terms."""


def arrays(**sizes: Any) -> tuple[jax.Array, jax.Array, jax.Array]:
    return inputs.draw(**({"batch": 2, "length": 256, "heads": 2, "kv_heads": 1, "head_dim": 128} | sizes))


@pytest.mark.parametrize("segmented", [False, True])
def test_values_and_gradients(segmented: bool) -> None:
    given = {"segment_ids": inputs.packed(256)} if segmented else {}
    found = inputs.value_and_gradients("splash", *arrays(), **given)
    inputs.assert_close(found, inputs.value_and_gradients("reference", *arrays(), **given), TOLERANCE)


@pytest.mark.parametrize("segmented", [False, True])
def test_under_tensor_and_context(segmented: bool) -> None:
    given = {"segment_ids": inputs.packed(256)} if segmented else {}
    q, k, v = arrays(heads=4, kv_heads=2)
    expected = inputs.value_and_gradients("reference", q, k, v, **given)
    with jax.set_mesh(build_mesh(MeshConfig(fsdp=2, context=2, tensor=2))):
        found = inputs.value_and_gradients("splash", q, k, v, **given)
    inputs.assert_close(found, expected, TOLERANCE)


def test_does_not_attend_across_documents() -> None:
    q, k, v = arrays(batch=1)
    ids = inputs.packed(256, batch=2)[:1]
    other = (ids == 1)[..., None, None]
    run = jax.jit(lambda k, v: attention(q, k, v, segment_ids=ids, backend="splash"))
    before, after = run(k, v), run(jnp.where(other, k + 3, k), jnp.where(other, v - 5, v))
    kept = np.asarray(ids != 1)
    np.testing.assert_array_equal(np.asarray(before)[kept], np.asarray(after)[kept])


@pytest.mark.parametrize(
    ("sizes", "problem"),
    [
        ({"head_dim": 64}, "found 64 and 256"),
        ({"length": 200}, "found 128 and 200"),
    ],
)
def test_refuses_what_it_cannot_serve(sizes: dict[str, int], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        attention(*arrays(**sizes), backend="splash")
    assert f"{problem}; use train.attention: xla" in str(caught.value)


def test_refuses_positions() -> None:
    with pytest.raises(ConfigError, match="splash is causal by index and takes no positions"):
        attention(*arrays(), positions=jnp.tile(jnp.arange(256), (2, 1)), backend="splash")


def test_auto_takes_xla_for_short_context_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("melama_jax.model.attention._platform", lambda: "tpu")
    expected = attention(*arrays(), backend="reference")
    with jax.set_mesh(build_mesh(MeshConfig(context=4), jax.devices()[:4])):
        found = attention(*arrays(), backend="auto")
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=0, atol=TOLERANCE)


def test_refuses_short_context_shards() -> None:
    with (
        jax.set_mesh(build_mesh(MeshConfig(context=4), jax.devices()[:4])),
        pytest.raises(ConfigError, match="found 128 and 64"),
    ):
        attention(*arrays(), backend="splash")
