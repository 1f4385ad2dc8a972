"""The plan of a run with an adapter: what the frozen weights take, and how much work is left."""

from __future__ import annotations

from typing import Any

import jax
import pytest

from melama_jax.config import Config, from_mapping
from melama_jax.parallel.mesh import build_mesh
from melama_jax.planning.estimate import Efficiency, Memory, Plan, make_plan
from melama_jax.planning.plan_report import shortfall
from melama_jax.planning.targets import parse_target
from melama_jax.training import state

LAYERS, LENGTH = 3, 64


def config_of(**adapter: Any) -> Config:
    return from_mapping(
        {
            "model": {"preset": "tiny", "compute_dtype": "float32", "num_hidden_layers": LAYERS},
            "train": {"global_batch_size": 8, "sequence_length": LENGTH, "remat": "none", "attention": "xla"},
            "init": {"from": "weights"},
            "adapter": {"rank": 4, "dropout": 0.0, "base_dtype": "nf4"} | adapter,
        }
    )


@pytest.fixture(scope="module")
def plan(quick_compilation: None) -> Plan:
    return make_plan(config_of(), parse_target("cpu:1"), efficiency=Efficiency(), devices=jax.devices()[:1])


def test_flops_of_the_program_against_the_convention(plan: Plan) -> None:
    """Nothing is recomputed and no gradient of a frozen matrix computed; XLA's attention is whole, not causal."""
    assert plan.hardware_flops_per_step is not None
    model = config_of().model
    causal = 6 * LAYERS * LENGTH * model.num_attention_heads * model.head_dim * plan.tokens_per_step
    assert plan.hardware_flops_per_step / (plan.model_flops_per_step + causal) == pytest.approx(1.0, abs=0.05)


def test_frozen_weights_are_counted_apart(plan: Plan) -> None:
    config, memory = config_of(), plan.memory
    weights = state.abstract_weights(config, build_mesh(config.mesh, jax.devices()[:1]))
    layers = state.num_parameters(weights["layers"])
    rest = state.num_parameters(weights) - layers
    assert memory.frozen == pytest.approx(layers * 4.25 / 8 + rest * 2, rel=0.01)
    assert memory.optimizer == pytest.approx(2 * memory.weights, rel=0.01)
    assert memory.activations is not None
    held = memory.frozen + memory.weights + memory.optimizer
    assert memory.peak == pytest.approx(held + memory.gradients + memory.activations + memory.temporaries, rel=0.02)


def test_what_would_fit_beside_a_base_of_16_bits() -> None:
    target = parse_target("h100:1x8")
    assert target.accelerator is not None
    memory = Memory(10**9, 2 * 10**9, 10**9, 0, 10**11, 10**11, 17 * 10**9)
    mesh = {"data": 1, "fsdp": 8, "context": 1, "tensor": 1}
    plan = Plan(
        "h100:1x8", 8, mesh, memory, target.accelerator.memory_bytes, False, 0.0, None, None, [], 0.0, 1, 1, 1.0
    )
    assert "adapter.base_dtype: nf4" in "\n".join(shortfall(config_of(base_dtype="bfloat16"), target, plan))
    assert "adapter.base_dtype" not in "\n".join(shortfall(config_of(), target, plan))
