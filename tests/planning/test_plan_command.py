"""The plan of a run as a user asks for it, on fake CPU devices; on absent GPUs where their compiler is installed."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.runs import REPOSITORY, small_tree

KEYS = {
    "target",
    "devices",
    "peak_bytes_per_device",
    "device_memory_bytes",
    "fits",
    "model_flops_per_step",
    "estimated_step_seconds",
    "estimated_tokens_per_second_per_device",
    "estimated_mfu",
    "collectives",
}


def plan(tmp_path: Path, target: str, *arguments: str, **sections: Any) -> tuple[int, dict[str, Any], str]:
    """Exit status, the JSON if there is any, and what was printed."""
    tree = small_tree(tmp_path / "run", tmp_path / "cache", **sections)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tree))
    out = tmp_path / "plan.json"
    command = [sys.executable, "-m", "melama_jax.plan", "--config", str(tmp_path / "config.yaml"), "--target", target]
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"} | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [*command, "--json", str(out), *arguments], capture_output=True, text=True, env=environment, check=False
    )
    return done.returncode, json.loads(out.read_text()) if out.is_file() else {}, done.stdout + done.stderr


def test_a_mesh_of_fake_devices(tmp_path: Path) -> None:
    status, found, shown = plan(tmp_path, "cpu:8", "--set", "mesh.fsdp=4", "--set", "mesh.tensor=2")
    assert status == 0, shown
    assert set(found) >= KEYS
    assert (found["devices"], found["fits"], found["estimated_step_seconds"]) == (8, None, None)
    assert found["mesh"] == {"data": 1, "fsdp": 4, "context": 1, "tensor": 2}
    kinds = {(one["kind"], one["axis"]) for one in found["collectives"]}
    assert ("all-gather", "fsdp") in kinds
    parts = found["bytes_per_device"]
    assert parts["optimizer"] == pytest.approx(2 * parts["weights"], rel=0.01)
    assert parts["peak"] >= parts["weights"] + parts["optimizer"] + parts["gradients"]
    assert "bytes of one device" in shown


def test_flops_of_the_program_against_the_convention(tmp_path: Path) -> None:
    """Without recomputation they are the model's, but for attention, which XLA computes whole and not causally."""
    train = {"global_batch_size": 8, "sequence_length": 64, "remat": "none", "attention": "xla", "steps": 1}
    _, plain, shown = plan(tmp_path, "cpu:1", train=train)
    assert plain["hardware_flops_per_step"] / plain["model_flops_per_step"] == pytest.approx(1.0, abs=0.06), shown
    _, full, _ = plan(tmp_path, "cpu:1", train=train | {"remat": "full"})
    assert 1.05 < full["hardware_flops_per_step"] / plain["hardware_flops_per_step"] < 1.34


def test_accumulation_repeats_collectives(tmp_path: Path) -> None:
    _, once, _ = plan(tmp_path, "cpu:8")
    _, four, _ = plan(
        tmp_path, "cpu:8", "--set", "train.global_batch_size=32", "--set", "train.gradient_accumulation_steps=4"
    )
    gathered = [sum(c["bytes_per_step"] for c in p["collectives"] if c["kind"] == "all-gather") for p in (once, four)]
    assert gathered[0] < gathered[1] <= 4.01 * gathered[0]  # XLA takes some out of the loop of a small model


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--target", "a100:1x8"], "choose one of a100-80gb"),
        (["--matmul-efficiency", "1.5"], "--matmul-efficiency 1.5 must be above 0"),
        (["--set", "mesh.fsdp=3"], "mesh"),
        (["--search"], "there is no data sheet of cpu:8"),
        (["--tokens", "nan"], "--tokens nan must be above 0 and finite"),
        (["--price-per-kwh", "-1"], "--price-per-kwh -1 must be above 0 and finite"),
        (["--search", "--max-minutes", "nan"], "--max-minutes nan must be above 0 and finite"),
        (["--search", "--tokens", "1e9"], "--tokens has no effect on --search"),
        (["--write", "best.yaml"], "--write is for --search"),
        (["--json", "nowhere/plan.json"], "'nowhere/plan.json' cannot be written: there is no folder nowhere"),
        (["--json", "."], "'.' cannot be written: it is a folder"),
        (["--frob"], "unrecognized arguments: --frob; see python -m melama_jax.plan --help"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], says: str, tmp_path: Path) -> None:
    status, _, shown = plan(tmp_path, "cpu:8", *arguments)
    assert status == 2
    assert says in shown
    assert len(shown.splitlines()) == 1


needs_cuda = pytest.mark.skipif(
    importlib.util.find_spec("jax_cuda12_plugin") is None, reason="needs the compiler of the cuda12 extra"
)


@needs_cuda
def test_absent_gpus(tmp_path: Path) -> None:
    status, found, shown = plan(tmp_path, "a100-80gb:2x8", "--tokens", "1e9", "--price-per-device-hour", "2")
    assert status == 0, shown
    assert found["fits"] is True
    assert found["estimated_step_seconds"] > 0
    assert 0 < found["estimated_mfu"] < 1
    assert found["estimated_cost_devices"] == pytest.approx(2 * found["estimated_device_hours"])
    assert found["steps"] * found["tokens_per_step"] >= 1e9


@needs_cuda
@pytest.mark.skipif(importlib.util.find_spec("libtpu") is None, reason="needs the compiler of the tpu extra")
def test_the_program_for_a_tpu_counts_as_much_as_that_for_a_gpu(tmp_path: Path) -> None:
    """Products are the same; in attention's backward pass splash does 7 of them where cuDNN does 5."""
    sections = {
        "model": {"preset": "tiny", "compute_dtype": "bfloat16", "head_dim": 128, "vocab_size": 4096},
        "train": {"steps": 1, "global_batch_size": 8, "sequence_length": 512, "remat": "full"},
        "mesh": {"fsdp": 4},
    }
    found = []
    for target in ("a100-80gb:1x4", "v5e:2x2"):
        status, one, shown = plan(tmp_path, target, **sections)
        assert status == 0, shown
        assert one["estimated_step_seconds"] > 0
        assert sum(c["bytes_per_step"] for c in one["collectives"] if c["axis"] == "fsdp") > 0
        found.append(one["hardware_flops_per_step"])
    model = {"layers": 2, "heads": 4, "tokens": 8 * 512, "row": 512, "head_dim": 128}
    attention = 0.5 * 2 * math.prod(model.values())
    assert found[1] - found[0] == pytest.approx(2 * attention, rel=0.05)


@needs_cuda
def test_what_does_not_fit_says_by_how_much(tmp_path: Path) -> None:
    sections = {
        "model": {"preset": "llama2-70b"},
        "train": {"steps": 1, "global_batch_size": 8, "sequence_length": 4096},
    }
    status, found, shown = plan(tmp_path, "a100-80gb:1x8", **sections)
    assert (status, found["fits"]) == (1, False)
    assert "does not fit" in shown
    assert "LoRA" in shown
