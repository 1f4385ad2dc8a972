"""Planned memory of answering: sizes known by hand, and the compiled programs' own."""

from __future__ import annotations

import dataclasses
import importlib.util
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from melama_jax.config import MeshConfig, ModelConfig
from melama_jax.errors import ConfigError
from melama_jax.inference import decoder
from melama_jax.inference.quantize import quantize
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.mesh import build_mesh
from melama_jax.planning import decode
from melama_jax.planning.decode import DecodePlan, num_parameters, plan_decode, weight_bytes
from melama_jax.planning.targets import parse_target

LARGE = LlamaConfig.build(ModelConfig(preset="llama2-70b", param_dtype="bfloat16"))
TINY = LlamaConfig.build(ModelConfig(preset="tiny", param_dtype="bfloat16"))


def plan(hardware: str, dtype: decode.WeightDtype, model: LlamaConfig = LARGE) -> DecodePlan:
    return plan_decode(
        model, hardware, dtype, prompt_tokens=128, new_tokens=128, max_length=4096, compile_programs=False
    )


def test_weights_of_70b() -> None:
    assert num_parameters(LARGE) == 68_976_648_192
    held, read = weight_bytes(LARGE, "bfloat16")
    assert held == 2 * 68_976_648_192
    assert held - read == 2 * 32000 * 8192
    # One byte for each of the layers' weights, four for each of their outputs.
    matrices = 80 * (2 * 8192 * 8192 + 2 * 8192 * 1024 + 3 * 8192 * 28672)
    outputs = 80 * (8192 + 2 * 1024 + 8192 + 2 * 28672 + 8192)
    rest = 2 * (68_976_648_192 - matrices)
    assert weight_bytes(LARGE, "int8")[0] == matrices + 4 * outputs + rest
    assert weight_bytes(LARGE, "int4")[0] == matrices // 2 + 2 * matrices // 128 + rest


@pytest.mark.parametrize("dtype", ["bfloat16", "int8"])
def test_bytes_are_those_of_the_weights_that_decoding_holds(dtype: decode.WeightDtype) -> None:
    def made() -> Any:
        params: Any = llama.initialize(TINY, jax.random.key(0))
        params = params if dtype == "bfloat16" else quantize(params)
        layers = [decoder.prepare_layer(TINY, params["layers"], jnp.int32(n)) for n in range(TINY.num_hidden_layers)]
        return {name: value for name, value in params.items() if name != "layers"}, layers

    leaves = jax.tree.leaves(jax.eval_shape(made))
    assert weight_bytes(TINY, dtype)[0] == sum(leaf.size * leaf.dtype.itemsize for leaf in leaves)


def test_cache_and_devices_of_70b() -> None:
    found = plan("a100-80gb", "bfloat16")
    assert found.cache == 80 * 2 * 8 * 128 * (4096 + 16) * 2
    assert (found.devices, found.target, found.fits) == (2, "a100-80gb:1x2", True)
    assert found.weights + found.cache < found.total < 1.05 * (found.weights + found.cache)
    assert [plan("a100-80gb", dtype).devices for dtype in ("int8", "int4")] == [1, 1]
    assert plan("h200", "bfloat16").devices == 2


def test_times_are_bounds_by_bandwidth() -> None:
    found = plan("h200", "bfloat16")
    past = found.cache * (128 + 64) / (4096 + 16)
    assert found.token_seconds == pytest.approx((2 * (68_976_648_192 - 32000 * 8192) + past) / (2 * 4800e9 * 0.8))
    assert found.flops == 2 * 68_976_648_192 * 256
    assert found.answer_seconds == pytest.approx(found.prompt_seconds + 128 * found.token_seconds)
    assert plan("h200", "int8").token_seconds < 1.1 * found.token_seconds  # half the bytes on half the devices


def test_a_model_that_no_node_holds_does_not_fit() -> None:
    huge = dataclasses.replace(LARGE, num_hidden_layers=800)
    found = plan("a100-80gb", "bfloat16", huge)
    assert (found.devices, found.fits) == (8, False)


@pytest.mark.parametrize("hardware", ["v5p", "cpu", "abacus"])
def test_hardware_that_cannot_be_planned_for_is_refused(hardware: str) -> None:
    with pytest.raises(ConfigError, match=r"--target|no GPU"):
        plan(hardware, "bfloat16")


def test_workspace_of_few_layers_is_carried_on_to_all(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {32: lambda layers: 100 + 11 * layers, 0: lambda layers: 400 + 2 * layers}  # prefill, decode
    monkeypatch.setattr(decode, "_temporary", lambda model, *_: sizes[_[2]](model.num_hidden_layers))
    for layers in (2, 4, 30, 80):
        model = dataclasses.replace(TINY, num_hidden_layers=layers)
        found = decode._compiled_workspace.__wrapped__(model, parse_target("cpu:1"), "bfloat16", 32, 64)
        assert found == max(size(layers) for size in sizes.values())


def test_the_decode_program_is_compiled_for_the_devices_that_are_given() -> None:
    mesh = build_mesh(MeshConfig(fsdp=1, tensor=1), jax.devices()[:1])
    model = dataclasses.replace(TINY, num_hidden_layers=1)
    past = 2 * TINY.num_key_value_heads * TINY.head_dim * 2  # bytes of a token's keys and values, which decode copies
    assert decode._temporary(model, mesh, "int8", 0, 1024) >= 512 * past


@pytest.mark.skipif(importlib.util.find_spec("jax_cuda12_plugin") is None, reason="needs the compiler of cuda12")
def test_workspace_of_an_absent_gpu_is_compiled() -> None:
    found = plan_decode(TINY, "h100", "int8", prompt_tokens=32, new_tokens=8, max_length=128)
    assert (found.compiled, found.devices, found.fits) == (True, 1, True)
    assert found.workspace > 0
