"""AdamW against plain numpy, its schedules as numbers, and which parameters decay."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import Config, OptimizerConfig
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.training.optimizer import build_optimizer, decay_mask, learning_rate, parameter_group

SHAPES = {
    "embedding": (5, 3),
    "final_norm": (3,),
    "head": (3, 5),
    "layers": {"attention": {"query": (2, 3, 4)}, "attention_norm": (2, 3), "mlp": {"up": (2, 3, 7)}},
}


def tree(seed: int, scale: float = 1.0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return jax.tree.map(
        lambda shape: (scale * random.normal(size=shape)).astype(np.float32),
        SHAPES,
        is_leaf=lambda node: isinstance(node, tuple),
    )


def flat(values: Any) -> dict[str, np.ndarray]:
    leaves = jax.tree_util.tree_leaves_with_path(values)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf) for path, leaf in leaves}


def by_numpy(config: OptimizerConfig, gradients: list[Any], rates: list[float]) -> dict[str, np.ndarray]:
    """AdamW as its paper states it (arXiv 1711.05101), in float64."""
    params = {path: value.astype(np.float64) for path, value in flat(tree(0)).items()}
    first = {path: np.zeros_like(value) for path, value in params.items()}
    second = {path: np.zeros_like(value) for path, value in params.items()}
    for number, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        grads = {path: value.astype(np.float64) for path, value in flat(gradient).items()}
        norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
        for path, g in grads.items():
            if config.clip_norm is not None and norm > config.clip_norm:
                g = g * config.clip_norm / norm
            first[path] = config.b1 * first[path] + (1 - config.b1) * g
            second[path] = config.b2 * second[path] + (1 - config.b2) * g**2
            m = first[path] / (1 - config.b1**number)
            v = second[path] / (1 - config.b2**number)
            step = m / (np.sqrt(v) + config.eps)
            group = "norm" if path.endswith("norm") else path
            if group not in config.no_decay:
                step = step + config.weight_decay * params[path]
            params[path] = params[path] - rate * step
    return params


def by_optax(config: OptimizerConfig, gradients: list[Any], rates: list[float]) -> tuple[dict[str, np.ndarray], Any]:
    optimizer = build_optimizer(config)
    params = jax.tree.map(jnp.asarray, tree(0))
    state = optimizer.init(params)
    for gradient, rate in zip(gradients, rates, strict=True):
        updates, state = optimizer.update(gradient, state, params)
        params = jax.tree.map(lambda p, u, rate=rate: p - rate * u, params, updates)
    return flat(params), state


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"clip_norm": None},
        {"clip_norm": 1e6},
        {"clip_norm": 0.1, "weight_decay": 0.3},
        {"weight_decay": 0.3, "no_decay": ()},
        {"weight_decay": 0.3, "no_decay": ("head", "norm", "embedding")},
        {"b1": 0.0, "b2": 0.5, "eps": 1e-3},
    ],
    ids=["defaults", "no-clip", "loose-clip", "tight-clip", "decay-all", "decay-matrices", "other-moments"],
)
def test_several_steps_are_adamw(values: dict[str, Any]) -> None:
    config = OptimizerConfig(**values)
    gradients = [tree(seed, scale) for seed, scale in ((1, 1.0), (2, 0.01), (3, 5.0), (4, 0.3))]
    rates = [0.01, 0.1, 0.05, 0.02]
    found, _ = by_optax(config, gradients, rates)
    for path, expected in by_numpy(config, gradients, rates).items():
        np.testing.assert_allclose(found[path], expected, atol=2e-6, err_msg=path)


@pytest.mark.parametrize(("mu", "nu"), [("float32", "float32"), ("bfloat16", "float32"), ("bfloat16", "bfloat16")])
def test_moments_are_stored_as_asked(mu: str, nu: str) -> None:
    config = OptimizerConfig(mu_dtype=mu, nu_dtype=nu)  # type: ignore[arg-type]
    gradients = [tree(seed) for seed in (1, 2, 3)]
    found, state = by_optax(config, gradients, [0.1] * 3)
    adam = state[1]
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(adam.mu)} == {mu}
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(adam.nu)} == {nu}
    started = flat(tree(0))
    for path, expected in by_numpy(config, gradients, [0.1] * 3).items():
        moved = found[path] - started[path], expected - started[path]
        np.testing.assert_allclose(*moved, atol=1e-5 if mu == "float32" else 5e-3, err_msg=path)


def test_moments_keep_their_dtype_through_an_update() -> None:
    optimizer = build_optimizer(OptimizerConfig(mu_dtype="bfloat16", nu_dtype="bfloat16"))
    params = tree(0)
    state = jax.eval_shape(optimizer.init, params)
    _, after = jax.eval_shape(optimizer.update, params, state, params)
    assert jax.tree.map(lambda leaf: leaf.dtype, after) == jax.tree.map(lambda leaf: leaf.dtype, state)


def test_groups_of_a_real_model() -> None:
    groups = {path: parameter_group(path) for path in llama.declaration(LlamaConfig.build(Config().model))}
    assert {path for path, group in groups.items() if group == "norm"} == {
        "final_norm",
        "layers/attention_norm",
        "layers/mlp_norm",
    }
    assert (groups["embedding"], groups["head"]) == ("embedding", "head")
    assert {group for path, group in groups.items() if path.startswith(("layers/attention/", "layers/mlp/"))} == {
        "matrix"
    }


@pytest.mark.parametrize("spared", [(), ("norm",), ("embedding", "head"), ("norm", "embedding", "head")])
def test_decay_spares_the_named_groups(spared: tuple[Any, ...]) -> None:
    mask = decay_mask(OptimizerConfig(no_decay=spared), tree(0))
    assert {parameter_group(path) for path, decays in flat(mask).items() if not decays} == set(spared)
    assert {parameter_group(path) for path, decays in flat(mask).items() if decays} == {
        "matrix",
        "norm",
        "embedding",
        "head",
    } - set(spared)


def rates(steps: int, **values: Any) -> np.ndarray:
    schedule = learning_rate(OptimizerConfig(learning_rate=1.0, **values), steps)
    return np.asarray([schedule(step) for step in range(steps + 1)], np.float64)


def test_warm_up_rises_from_the_first_step_to_the_peak() -> None:
    found = rates(100, warmup_ratio=0.1, schedule="constant")
    np.testing.assert_allclose(found[:10], np.arange(1, 11) / 10, rtol=1e-6)
    np.testing.assert_allclose(found[10:], 1.0)


@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_cosine_falls_from_peak_to_floor(floor: float) -> None:
    found = rates(40, warmup_ratio=0.25, schedule="cosine", min_learning_rate_ratio=floor)
    after = np.arange(31) / 30
    expected = floor + (1 - floor) * (1 + np.cos(np.pi * after)) / 2
    np.testing.assert_allclose(found[10:], expected, atol=1e-6)


@pytest.mark.parametrize("floor", [0.0, 0.25])
def test_linear_falls_from_peak_to_floor(floor: float) -> None:
    found = rates(40, warmup_ratio=0.25, schedule="linear", min_learning_rate_ratio=floor)
    np.testing.assert_allclose(found[10:], 1 - (1 - floor) * np.arange(31) / 30, atol=1e-6)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_no_warm_up_starts_at_the_peak(schedule: str) -> None:
    assert rates(10, warmup_ratio=0.0, schedule=schedule)[0] == 1.0
    assert rates(3, warmup_ratio=0.05, schedule=schedule)[0] == 1.0  # 0.15 of a step rounds to none


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_warm_up_of_the_whole_run(schedule: str) -> None:
    np.testing.assert_allclose(rates(8, warmup_ratio=1.0, schedule=schedule)[:8], np.arange(1, 9) / 8, rtol=1e-6)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
@pytest.mark.parametrize("ratio", [0.0, 0.5, 1.0])
def test_run_of_one_step_has_a_rate(schedule: str, ratio: float) -> None:
    assert rates(1, warmup_ratio=ratio, schedule=schedule)[0] == 1.0


def test_rate_past_the_end_stays_at_the_floor() -> None:
    schedule = learning_rate(OptimizerConfig(learning_rate=1.0, min_learning_rate_ratio=0.1), 20)
    np.testing.assert_allclose(np.asarray(schedule(500)), 0.1, rtol=1e-6)
