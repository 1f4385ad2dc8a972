"""What an estimate is made of besides the program: links, memory that XLA refuses, and what would fit instead."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import jax
import numpy as np
import pytest
from jax.sharding import AxisType

from melama_jax.config import Config, from_mapping
from melama_jax.planning.estimate import Efficiency, Memory, Plan, _exhausted, _Links, _miscounted
from melama_jax.planning.plan_report import shortfall
from melama_jax.planning.program import Collective, Program, parse
from melama_jax.planning.targets import parse_target
from melama_jax.training.state import abstract_state

GIGABYTE = 10**9


def links(target_name: str, *, fsdp: int, tensor: int) -> _Links:
    target = parse_target(target_name)
    if target.platform == "tpu":
        places = itertools.product(*(range(size) for size in target.dims))
        devices = [SimpleNamespace(id=n, coords=(*place, 0, 0)[:3]) for n, place in enumerate(places)]
    else:
        devices = [SimpleNamespace(id=n) for n in range(target.num_devices)]
    mesh: Any = SimpleNamespace(
        shape={"data": 1, "fsdp": fsdp, "context": 1, "tensor": tensor}, devices=np.array(devices, dtype=object)
    )
    return _Links(target, mesh, Efficiency(links=1.0), Program({}, ""))


def gather(*devices: int) -> Collective:
    return Collective("all-gather", "?", devices, len(devices) * GIGABYTE, 1, True, "bf16", "g", "")


@pytest.mark.parametrize(
    ("target", "devices", "gigabytes_per_second"),
    [
        ("a100-80gb:2x8", range(8), 300),
        ("a100-80gb:2x8", range(16), 200),  # eight adapters of 25
        ("a100-80gb:2x8", (0, 8), 25),
        ("v5p:4x4x8", range(8), 200),  # a ring of the last dimension
        ("v5p:4x4x8", range(4), 100),  # half of it is a line
        ("v5p:4x4x8", range(32), 400),
        ("v5e:4x4", range(4), 50),
        ("v5e:16x16", range(256), 200),
    ],
)
def test_bandwidth_of_a_group(target: str, devices: Any, gigabytes_per_second: float) -> None:
    group = tuple(devices)
    seconds = links(target, fsdp=parse_target(target).num_devices, tensor=1).seconds_of(gather(*group))
    assert (len(group) - 1) / seconds == pytest.approx(gigabytes_per_second)


def config_of(preset: str) -> Config:
    return from_mapping({"model": {"preset": preset}, "train": {"global_batch_size": 8, "sequence_length": 4096}})


@pytest.mark.parametrize(
    ("message", "peak"),
    [
        ("Ran out of memory in memory space hbm. Used 20.50G of 15.75G hbm. Exceeded hbm capacity by 4.75G.", 20.5),
        (
            "Ran out of memory on HBM, the total memory required for HLO temporaries (16.10G) exceeds available HBM.",
            91.5,
        ),
    ],
)
def test_memory_that_the_compiler_for_tpus_refuses(message: str, peak: float) -> None:
    mesh = jax.make_mesh((1, 1, 1, 1), ("data", "fsdp", "context", "tensor"), axis_types=(AxisType.Auto,) * 4)
    found = _exhausted(f"RESOURCE_EXHAUSTED: {message}", abstract_state(config_of("llama2-7b"), mesh))
    assert found is not None
    assert found.activations is None
    assert found.peak / 1024**3 == pytest.approx(peak, rel=0.01)


def test_other_failures_are_no_lack_of_memory() -> None:
    assert _exhausted("INTERNAL: Mosaic failed to compile", SimpleNamespace()) is None  # type: ignore[arg-type]


def refused(target_name: str, sharded: int) -> str:
    """What is said of 70B, sharded over so many devices."""
    target = parse_target(target_name)
    parameters = 68_976_648_192
    weights, moments, gradients = (k * parameters // sharded for k in (4, 8, 4))
    memory = Memory(weights, moments, gradients, 0, 10**10, weights + moments + gradients + 10**10)
    mesh = {"data": target.num_devices // sharded, "fsdp": sharded, "context": 1, "tensor": 1}
    assert target.accelerator is not None
    held = target.accelerator.memory_bytes
    plan = Plan(target_name, target.num_devices, mesh, memory, held, False, 0.0, None, None, [], 0.0, 1, 1, 1.0)
    return "\n".join(shortfall(config_of("llama2-70b"), target, plan))


def test_what_would_fit_instead() -> None:
    """16 bytes of state for each of 69e9 parameters: 138 GB on each of 8 devices, of which 79 are usable."""
    shown = refused("a100-80gb:1x8", 8)
    assert "148.0 GB of 79.0 GB usable on each device (68.9 GB too many)" in shown
    assert "at least 14 such devices" in shown
    assert "17.2 GB in bfloat16 (fits) or 8.6 GB in int8 (fits)" in shown
    assert "mesh.fsdp x mesh.tensor up to" not in shown
    alone = refused("h200:1x1", 1)
    assert "138.0 GB in bfloat16 (does not fit) or 69.0 GB in int8 (fits)" in alone
    assert "mesh.fsdp x mesh.tensor up to 32: 34.5 GB" in refused("a100-80gb:20x8", 8)


def test_a_count_that_cannot_be_trusted() -> None:
    loop = "ROOT %w = (s32[]) while(%a), condition=%c, body=%b"
    bodies = "".join(f"%{name} (p: (s32[])) -> {out} {{\n  %p = (s32[]) parameter(0)\n}}\n" for name, out in BODIES)
    program = parse(f"HloModule m\n\n{bodies}\nENTRY %main (a: (s32[])) -> (s32[]) {{\n  {loop}\n}}\n")
    assert _miscounted(program, 2.0, 1.0) == "the compiled program does not say how often its loop w runs"
    known = parse("HloModule m\n\nENTRY %main (a: f32[]) -> f32[] {\n  ROOT %a = f32[] parameter(0)\n}\n")
    assert _miscounted(known, 0.59, 1.0) == "only 59% of the model's FLOPs were found in the compiled program"
    assert _miscounted(known, 0.99, 1.0) is None


BODIES = (("c", "pred[]"), ("b", "(s32[])"))
