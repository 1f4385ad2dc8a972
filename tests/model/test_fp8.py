"""Products in 8-bit floating point, emulated on the CPU: what is quantized, how far that is off, and training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import Config, MeshConfig, from_mapping
from melama_jax.errors import ConfigError
from melama_jax.model import fp8, linear, llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.hardware import has_fp8
from melama_jax.parallel.mesh import build_mesh
from melama_jax.training import state, step

pytestmark = pytest.mark.usefixtures("quick_compilation")
E4M3, E5M2 = "float8_e4m3fn", "float8_e5m2"
ROUNDING = {"result": 2**-4, "dx": 2**-3, "dmatrix": 2**-3}
"""Unit roundoff, 2^-4 of E4M3 and 2^-3 of E5M2: no sum of rounded products is further off than about this, relative to
its norm."""


def results(multiply: Any, x: jax.Array, matrix: jax.Array, contracted: int) -> dict[str, jax.Array]:
    out, pull = jax.vjp(lambda x, matrix: multiply(x, matrix, contracted), x, matrix)
    weights = jnp.asarray(np.random.default_rng(1).normal(size=out.shape), out.dtype)
    return dict(zip(ROUNDING, (out, *pull(weights)), strict=True))


def far(found: jax.Array, exact: jax.Array, axis: int | None = None) -> np.ndarray:
    """Norm of the difference, relative to that of the exact array."""
    a, b = (np.asarray(x, np.float64) for x in (found, exact))
    return np.asarray(np.sqrt(((a - b) ** 2).sum(axis)) / np.sqrt((b**2).sum(axis)))


@pytest.mark.parametrize(("shape", "contracted"), [((64, 4, 16), 1), ((4, 16, 64), 2), ((64, 96), 1)])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_close_to_exact_and_yet_rounded(shape: tuple[int, ...], contracted: int, dtype: Any) -> None:
    random = np.random.default_rng(0)
    x = jnp.asarray(random.normal(size=(2, 16, *shape[:contracted])), dtype)
    matrix = jnp.asarray(random.normal(size=shape) * 0.02, dtype)
    found = results(fp8.product, x, matrix, contracted)
    exact = results(linear.product, x.astype(jnp.float32), matrix.astype(jnp.float32), contracted)
    for name, bound in ROUNDING.items():
        assert found[name].dtype == dtype, name
        assert 0.1 * bound < far(found[name], exact[name]) < bound, name  # bfloat16 alone would be nearer


def test_a_large_token_and_a_large_output_spoil_no_other() -> None:
    """A scale for the whole array would round the others to nothing: E4M3 spans 18 powers of two."""
    random = np.random.default_rng(0)
    x, matrix = (jnp.asarray(random.normal(size=size), jnp.float32) for size in ((1, 16, 64), (64, 32)))
    for one, other, axis in ((x.at[:, 3].multiply(1e7), matrix, 2), (x, matrix.at[:, 5].multiply(1e7), 1)):
        found, exact = fp8.product(one, other, 1), linear.product(one, other, 1)
        assert (far(found, exact, axis) < ROUNDING["result"]).all()


def test_zeros_stay_zeros_and_nothing_overflows() -> None:
    x = jnp.zeros((1, 4, 8), jnp.bfloat16).at[0, 0].set(1e30)
    found = results(fp8.product, x, jnp.ones((8, 8), jnp.bfloat16) * 1e-30, 1)
    assert (np.asarray(found["result"][0, 1:], np.float32) == 0).all()
    assert all(np.isfinite(np.asarray(array, np.float32)).all() for array in found.values())


def dots(jaxpr: Any) -> Iterator[tuple[str, str]]:
    """Operand dtypes of every product of a program."""
    for equation in jaxpr.eqns:
        if equation.primitive.name == "dot_general":
            yield tuple(str(v.aval.dtype) for v in equation.invars)  # type: ignore[misc]
        for inner in jax.tree.leaves(equation.params, is_leaf=lambda leaf: hasattr(leaf, "eqns")):
            if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                yield from dots(getattr(inner, "jaxpr", inner))


def test_the_layers_products_and_no_others() -> None:
    config = LlamaConfig.build(from_mapping({"model": {"matmul_dtype": "fp8"}}).model)
    params = jax.eval_shape(lambda: llama.initialize(config, jax.random.key(0)))
    tokens = jnp.zeros((1, 8), jnp.int32)

    def loss(params: Any) -> jax.Array:
        return llama.logits(config, params, llama.forward(config, params, tokens)).sum()

    found = list(dots(jax.make_jaxpr(jax.grad(loss))(params).jaxpr))
    in_8_bits = [pair for pair in found if any(dtype.startswith("float8") for dtype in pair)]
    assert sorted(in_8_bits) == [(E4M3, E4M3)] * 7 + [(E4M3, E5M2)] * 7 + [(E5M2, E4M3)] * 7
    assert len(found) > len(in_8_bits)  # attention and the head


def configuration(matmul_dtype: str | None) -> Config:
    return from_mapping(
        {
            "model": {"preset": "tiny", "matmul_dtype": matmul_dtype},
            "train": {"steps": 25, "global_batch_size": 8, "sequence_length": 32, "remat": "full"},
            "optimizer": {"learning_rate": 3e-3},
        }
    )


def losses(config: Config, mesh: MeshConfig) -> list[float]:
    """Of each step, on rows that count upwards by a number of their own, which a small model learns."""
    devices = build_mesh(mesh, jax.devices()[: math.prod((mesh.data, mesh.fsdp, mesh.tensor))])
    abstract = state.abstract_state(config, devices)
    train_step = step.compile_train_step(config, devices, abstract)
    current, found = state.initialize_state(config, devices), []
    random = np.random.default_rng(0)
    for _ in range(config.train.steps):
        rows = (random.integers(0, 256, (8, 1)) + random.integers(1, 4, (8, 1)) * np.arange(33)) % 256
        arrays = {
            "inputs": rows[:, :-1],
            "targets": rows[:, 1:],
            "loss_weights": np.ones((8, 32)),
            "positions": np.tile(np.arange(32), (8, 1)),
        }
        batch = {
            key: jax.device_put(arrays[key].reshape(leaf.shape).astype(leaf.dtype), leaf.sharding)
            for key, leaf in step.abstract_batch(config, devices).items()
        }
        current, metrics = train_step(current, batch)
        found.append(float(metrics["loss"]))
    return found


def test_training_follows_that_in_bfloat16() -> None:
    """Scanned, rematerialized, sharded by fsdp and tensor: each loss within 2%, and as much is learnt."""
    exact = losses(configuration(None), MeshConfig(fsdp=1))
    found = losses(configuration("fp8"), MeshConfig(fsdp=2, tensor=2))
    assert exact[-1] < 0.85 * exact[0]
    np.testing.assert_allclose(found, exact, rtol=0.02)
    assert (np.asarray(found) != np.asarray(exact)).all()


@pytest.mark.parametrize(
    ("platform", "kind", "capability", "expected"),
    [
        ("gpu", "NVIDIA A100-SXM4-80GB", "8.0", False),
        ("gpu", "NVIDIA L40S", "8.9", True),
        ("gpu", "NVIDIA H100 80GB HBM3", None, True),  # absent: known by its name
        ("gpu", "NVIDIA A100-SXM4-80GB", None, False),
        ("gpu", "NVIDIA B200", "10.0", True),
        ("tpu", "TPU v5p", None, False),
        ("tpu", "TPU7x", None, True),
        ("cpu", "cpu", None, True),
    ],
)
def test_which_devices_have_it(platform: str, kind: str, capability: str | None, expected: bool) -> None:
    device = SimpleNamespace(platform=platform, device_kind=kind, compute_capability=capability)
    assert has_fp8(device) is expected


def test_refused_where_devices_lack_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step, "has_fp8", lambda device: False)
    mesh = build_mesh(MeshConfig(fsdp=8))
    with pytest.raises(ConfigError, match=r"model\.matmul_dtype fp8 needs a GPU .* found cpu; set .*: null"):
        step.check_layout(configuration("fp8"), mesh)
    step.check_layout(configuration(None), mesh)
