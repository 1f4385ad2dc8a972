"""Training beside frozen weights: what changes, what a checkpoint holds, and how a run goes on."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from melama_jax.config import Config, from_mapping
from melama_jax.errors import run_command
from melama_jax.model import lora
from melama_jax.parallel import mesh as meshes
from melama_jax.training import state, step
from tests import runs
from tests.conversion import starts

pytestmark = pytest.mark.usefixtures("quick_compilation")
ROWS, LENGTH = 4, 16


def config_of(adapter: dict[str, Any], **sections: Any) -> Config:
    tree = {
        "model": {"preset": "tiny", "compute_dtype": "float32"},
        "train": {"steps": 20, "global_batch_size": ROWS, "sequence_length": LENGTH},
        "optimizer": {"learning_rate": 1e-2, "schedule": "constant", "warmup_ratio": 0.0},
        "init": {"from": "weights"},
        "adapter": {"rank": 4} | adapter,
    }
    return from_mapping(tree | sections)


def batch(config: Config, mesh: Any) -> dict[str, jax.Array]:
    tokens = np.random.default_rng(0).integers(0, config.model.num_tokens, (ROWS, LENGTH + 1))
    arrays = {
        "inputs": tokens[:, :-1],
        "targets": tokens[:, 1:],
        "loss_weights": np.ones((ROWS, LENGTH)),
        "positions": np.broadcast_to(np.arange(LENGTH), (ROWS, LENGTH)),
        "segment_ids": np.ones((ROWS, LENGTH)),
    }
    return {
        key: jax.device_put(arrays[key].reshape(leaf.shape).astype(leaf.dtype), leaf.sharding)
        for key, leaf in step.abstract_batch(config, mesh).items()
    }


def started(config: Config) -> tuple[Any, state.TrainState, Any]:
    """Mesh, first state and compiled step on one device."""
    mesh = meshes.build_mesh(config.mesh, jax.devices()[:1])
    return (
        mesh,
        state.initialize_state(config, mesh),
        step.compile_train_step(config, mesh, state.abstract_state(config, mesh)),
    )


@pytest.mark.parametrize("base_dtype", ["float32", "bfloat16", "int8", "nf4"])
def test_the_adapter_learns_and_nothing_else_moves(base_dtype: str) -> None:
    config = config_of({"base_dtype": base_dtype, "targets": ["query", "down"]})
    mesh, found, compiled = started(config)
    assert config.adapter is not None
    declared = lora.declaration(state.model_of(config), config.adapter)
    assert state.num_parameters(found.params) == sum(np.prod(shape) for shape, _ in declared.values())
    moments = [leaf for leaf in jax.tree.leaves(found.opt_state) if leaf.ndim]
    assert state.num_parameters(moments) == 2 * state.num_parameters(found.params)
    before = jax.tree.map(np.asarray, found.base)
    kinds = {"float32": "float32", "bfloat16": "bfloat16", "int8": "int8", "nf4": "uint8"}
    stored = jax.tree.leaves(found.base["layers"]["mlp"]["down"])
    assert stored[0].dtype == kinds[base_dtype]
    losses = []
    for _ in range(12):
        found, metrics = compiled(found, batch(config, mesh))
        losses.append(float(metrics["loss"]))
    assert losses[-1] < losses[0] - 0.1
    jax.tree.map(np.testing.assert_array_equal, jax.tree.map(np.asarray, found.base), before)


def test_dropout_is_drawn_anew_each_step_and_never_while_evaluating() -> None:
    config = config_of({"dropout": 0.3, "base_dtype": "float32"}, optimizer={"learning_rate": 0.0})
    mesh, found, compiled = started(config)
    found = dataclasses.replace(found, params=jax.tree.map(lambda x: x + 0.1, found.params))
    rows = batch(config, mesh)
    with jax.set_mesh(mesh):
        still = jax.jit(step.make_eval_step(config))(found.params, found.base, jax.tree.map(lambda x: x[0], rows))
    losses = []
    for _ in range(3):
        found, metrics = compiled(found, rows)
        losses.append(float(metrics["loss"]))
    assert len({*losses, float(still.total / still.weight)}) == 4


def test_the_whole_model_is_the_sum() -> None:
    config = config_of({"base_dtype": "nf4"})
    mesh = meshes.build_mesh(config.mesh, jax.devices()[:1])
    found = state.initialize_state(config, mesh)
    found = dataclasses.replace(found, params=jax.tree.map(lambda x: x + 0.1, found.params))
    whole = state.make_whole_params(config, mesh)(found)
    for got, want in zip(jax.tree.leaves(whole), jax.tree.leaves(state.abstract_weights(config, mesh)), strict=True):
        assert (got.shape, got.dtype) == (want.shape, want.dtype)
    plain = dataclasses.replace(found, params=jax.tree.map(jnp.zeros_like, found.params))
    moved = whole["layers"]["mlp"]["up"] != state.make_whole_params(config, mesh)(plain)["layers"]["mlp"]["up"]
    assert moved.mean() > 0.9


# Runs.


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starts.write_folder(tmp_path_factory.mktemp("base") / "base", vocab_size=320, num_key_value_heads=4)


def tree(run: Path, base: Path, cache_dir: Path, steps: int, **adapter: Any) -> dict[str, Any]:
    return starts.run_tree(
        run,
        base,
        cache_dir,
        adapter={"rank": 4, "dropout": 0.2, "base_dtype": "nf4", **adapter},
        train={"steps": steps},
        optimizer={"learning_rate": 1e-2, "schedule": "constant", "warmup_ratio": 0.0},
        checkpoint={"interval": 100},
    )


def meta(run: Path, number: int) -> dict[str, Any]:
    return json.loads((run / "checkpoints" / str(number) / "meta" / "metadata").read_text())


def test_a_run_that_goes_on_is_one_that_never_stopped(base: Path, tmp_path: Path, cache_dir: Path) -> None:
    set_ = "train.gradient_accumulation_steps=2"
    assert starts.run(tree(tmp_path / "whole", base, cache_dir, 4), set_, devices=1) == 0
    assert starts.run(tree(tmp_path / "cut", base, cache_dir, 2), set_, devices=1) == 0
    assert starts.run(tree(tmp_path / "cut", base, cache_dir, 4), set_, devices=1) == 0
    assert runs.losses(tmp_path / "cut") == runs.losses(tmp_path / "whole")
    assert len(runs.losses(tmp_path / "cut")) == 4
    whole, cut = (meta(tmp_path / run, 4) for run in ("whole", "cut"))
    assert cut["fingerprints"] == whole["fingerprints"]
    assert cut["base"] == whole["base"]


def test_a_mesh_of_every_axis_trains_the_same(base: Path, tmp_path: Path, cache_dir: Path) -> None:
    one, eight = (tree(tmp_path / name, base, cache_dir, 3) for name in ("one", "eight"))
    assert starts.run(one, devices=1) == 0
    assert starts.run(eight, "mesh.data=1", "mesh.fsdp=2", "mesh.context=2", "mesh.tensor=2") == 0
    values = [np.array(runs.losses(tmp_path / name)) for name in ("one", "eight")]
    np.testing.assert_allclose(values[1], values[0], rtol=1e-4)
    assert meta(tmp_path / "one", 3)["base"] == meta(tmp_path / "eight", 3)["base"]


def test_a_checkpoint_holds_the_adapter_and_the_hash_of_its_base(
    base: Path, tmp_path: Path, cache_dir: Path, capsys: pytest.CaptureFixture
) -> None:
    run = tmp_path / "run"
    assert starts.run(tree(run, base, cache_dir, 1), devices=1) == 0
    stored = {path.name for path in (run / "checkpoints" / "1" / "state").iterdir() if path.is_dir()}
    arrays = {name for name in stored if name.startswith("params.")}
    assert len(arrays) == 14
    assert all(name.endswith((".a", ".b")) for name in arrays)
    assert not any(name.startswith("base") for name in stored)
    found = meta(run, 1)["base"]
    assert found["from"] == str(base)
    assert len(found["fingerprint"]) == 64

    other = Path(shutil.copytree(base, tmp_path / "other"))
    weights = safetensors.numpy.load_file(base / "model.safetensors")
    name = "model.layers.1.mlp.up_proj.weight"
    weights[name] = weights[name] * np.float32(1.01)
    safetensors.numpy.save_file(weights, other / "model.safetensors")
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        run_command(lambda: starts.run(tree(run, other, cache_dir, 2), devices=1))
    assert left.value.code == 2
    said = capsys.readouterr()
    assert "its adapter was trained beside the weights of" in said.out + said.err
    assert (run / "checkpoints" / "1").is_dir()
    moved = Path(shutil.copytree(base, tmp_path / "moved"))
    assert starts.run(tree(run, moved, cache_dir, 2), devices=1) == 0
