"""The timed step: what it reports, on one device and on several, and what a plan says beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from melama_jax import benchmark
from melama_jax.config import MeshConfig
from melama_jax.errors import ConfigError
from melama_jax.parallel.mesh import build_mesh
from melama_jax.planning.measure import synthetic_batch
from tests.runs import small_config, small_tree

pytestmark = pytest.mark.usefixtures("quick_compilation")


def run(tmp_path: Path, *arguments: str, **sections: Any) -> dict[str, Any]:
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(small_tree(tmp_path / "run", tmp_path / "cache", **sections)))
    out = tmp_path / "out.json"
    command = ["--config", str(tmp_path / "config.yaml"), "--steps", "2", "--warmup", "1", "--json", str(out)]
    assert benchmark.main([*command, *arguments]) == 0
    return json.loads(out.read_text())


def test_figures_of_a_step(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"peak_bytes_per_device": 10**6, "devices": 16, "target": "a100-80gb:2x8"}))
    found = run(tmp_path, "--compare", str(plan), mesh={"fsdp": 4, "tensor": 2})
    assert {"tokens_per_second", "step_seconds", "mfu", "peak_bytes", "compile_seconds", "versions"} <= set(found)
    assert len(found["step_seconds"]) == 2
    assert found["tokens_per_second"] == pytest.approx(8 * 64 / np.median(found["step_seconds"]))
    assert found["mfu"] is None
    assert found["peak_bytes_source"] == "compiled"
    assert np.isfinite(found["loss"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "measured / plan" in shown
    assert "a100-80gb:2x8" in shown
    assert "the plan is of something else: A100-80GB, here no data sheet; devices 16, here 8" in shown


def test_a_trace_is_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    run(tmp_path, "--profile", mesh={"fsdp": 8}, profile={"num_steps": 2})
    shown = capsys.readouterr().out
    assert f"{tmp_path / 'run' / 'profile' / 'benchmark'}: 1 host file(s), 8 device(s), 2 step(s)" in shown
    assert "longest operations" in shown


@pytest.mark.parametrize("command", ["benchmark", "profile"])
def test_needs_no_tensorflow(command: str) -> None:
    program = f"""import sys
sys.modules |= dict.fromkeys(["tensorflow", "seqio", "tensorflow_datasets", "torch"])  # their import now fails
from melama_jax import {command}
{command}.main(["--help"])"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "usage: python -m melama_jax" in done.stdout


def test_rows_are_packed_of_documents(tmp_path: Path) -> None:
    config = small_config(tmp_path, tmp_path, data={"attend_across_documents": False})
    batch = {k: np.asarray(v) for k, v in synthetic_batch(config, build_mesh(MeshConfig())).items()}
    assert batch["segment_ids"].max() > 1
    new = np.diff(batch["segment_ids"], axis=-1) == 1
    assert (batch["positions"][..., 1:][new] == 0).all()
    assert (np.diff(batch["positions"], axis=-1)[~new] == 1).all()
    np.testing.assert_array_equal(batch["inputs"][..., 1:], batch["targets"][..., :-1])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--steps", "0"], "--steps 0 must be at least 1"),
        (["--compare", "nowhere.json"], "nowhere.json: cannot be read"),
        (["--json", "nowhere/out.json"], "there is no folder nowhere"),
    ],
)
def test_mistakes(arguments: list[str], says: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{}")
    with pytest.raises(ConfigError, match=says):
        benchmark.main(["--config", str(tmp_path / "config.yaml"), *arguments])
