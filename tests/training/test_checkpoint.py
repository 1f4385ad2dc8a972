"""Checkpoints come back bit for bit on any mesh, and damage is never taken for a checkpoint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from melama_jax.config import CheckpointConfig, Config, MeshConfig, from_mapping
from melama_jax.errors import CheckpointError
from melama_jax.parallel import mesh as meshes
from melama_jax.training import checkpoint, fingerprint, state

CONFIG = from_mapping({"model": {"preset": "tiny"}, "optimizer": {"mu_dtype": "bfloat16"}})
WRITER = MeshConfig(data=1, fsdp=2, context=2, tensor=2)
READER = MeshConfig(data=2, fsdp=4)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, state.TrainState]:
    """Checkpoints 4, 6 and 7 of 1..7: the last two, and every fourth."""
    folder = tmp_path_factory.mktemp("run") / "checkpoints"
    train_state = state.initialize_state(CONFIG, meshes.build_mesh(WRITER))
    checkpointer = checkpoint.Checkpointer(folder, CheckpointConfig(keep_last=2, keep_every=4))
    for step in range(1, 8):
        save(checkpointer, train_state, step)
    checkpointer.close()
    return folder, train_state


def save(
    checkpointer: checkpoint.Checkpointer, train_state: state.TrainState, step: int, config: Config = CONFIG
) -> None:
    tree = config.model_dump(mode="json", by_alias=True)
    checkpointer.save(train_state, step=step, config=tree, data={"fingerprint": "rows", "next_row": 8 * step})


@pytest.fixture
def copied(written: tuple[Path, state.TrainState], tmp_path: Path) -> Path:
    return Path(shutil.copytree(written[0], tmp_path / "run" / "checkpoints"))


def restore(folder: Path, echo: Any = lambda text: None) -> Any:
    abstract = state.abstract_state(CONFIG, meshes.build_mesh(READER))
    checkpointer = checkpoint.Checkpointer(folder, CheckpointConfig(keep_last=2, keep_every=4), echo=echo)
    try:
        return checkpointer.restore_newest(abstract, accept=lambda meta: None)
    finally:
        checkpointer.close()


def assert_equal(got: Any, want: Any) -> None:
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(np.asarray(a), np.asarray(b)), got, want)


def largest_file(folder: Path) -> Path:
    return max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)


def test_keeps_the_last_ones_and_every_nth(written: tuple[Path, state.TrainState]) -> None:
    assert sorted(int(path.name) for path in written[0].iterdir()) == [4, 6, 7]


def test_restores_bit_for_bit_onto_another_mesh(written: tuple[Path, state.TrainState], copied: Path) -> None:
    restored, meta = restore(copied)
    assert (meta.step, meta.data) == (7, {"fingerprint": "rows", "next_row": 56})
    assert meta.config["model"]["preset"] == "tiny"
    assert_equal(restored, written[1])
    query = restored.params["layers"]["attention"]["query"]
    assert query.sharding.shard_shape(query.shape)[1] == query.shape[1] // 4


def lose_a_chunk(step: Path) -> None:
    largest_file(step / "state" / "params.embedding").unlink()


def flip_a_bit(step: Path) -> None:
    file = largest_file(step / "state" / "params.head")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def cut_a_chunk(step: Path) -> None:
    file = largest_file(step / "state" / "params.head")
    file.write_bytes(file.read_bytes()[:100])


def empty_the_description(step: Path) -> None:
    (step / "meta" / "metadata").write_text("{")


@pytest.mark.parametrize("damage", [lose_a_chunk, flip_a_bit, cut_a_chunk, empty_the_description])
def test_a_damaged_checkpoint_is_set_aside_and_the_one_before_it_used(
    damage: Any, copied: Path, written: tuple[Path, state.TrainState]
) -> None:
    damage(copied / "7")
    said: list[str] = []
    restored, meta = restore(copied, said.append)
    assert meta.step == 6
    assert_equal(restored.params, written[1].params)
    assert len(said) == 2
    assert "7 is damaged" in said[0]
    assert "moved" in said[1]
    assert (copied.parent / "damaged" / "7").is_dir()
    assert not (copied / "7").exists()


def test_an_unfinished_write_is_not_a_checkpoint(copied: Path) -> None:
    shutil.copytree(copied / "7", copied / "9.orbax-checkpoint-tmp")
    restored = restore(copied)
    assert restored[1].step == 7


def test_nothing_but_damage_is_an_error_every_time_and_nothing_moves(copied: Path) -> None:
    for step in (4, 6, 7):
        flip_a_bit(copied / str(step))
    for _ in range(2):
        with pytest.raises(CheckpointError, match="none of the checkpoints 4, 6, 7 is whole"):
            restore(copied)
    assert sorted(path.name for path in copied.iterdir()) == ["4", "6", "7"]


def test_another_form_of_state_is_refused_and_is_not_damage(copied: Path) -> None:
    other = from_mapping({"model": {"preset": "tiny"}})  # first moment in float32
    checkpointer = checkpoint.Checkpointer(copied, CheckpointConfig())
    with pytest.raises(CheckpointError, match="is float32 in this configuration, but bfloat16 in the checkpoint"):
        checkpointer.restore_newest(state.abstract_state(other, meshes.build_mesh(READER)), accept=lambda meta: None)
    checkpointer.close()
    assert sorted(path.name for path in copied.iterdir()) == ["4", "6", "7"]


def test_a_machine_out_of_memory_is_not_damage(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ValueError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr("orbax.checkpoint.PyTreeCheckpointHandler.restore", fail)
    with pytest.raises(CheckpointError, match="cannot be read now: ValueError: RESOURCE_EXHAUSTED"):
        restore(copied)
    assert sorted(path.name for path in copied.iterdir()) == ["4", "6", "7"]


def test_an_empty_folder_restores_nothing(tmp_path: Path) -> None:
    assert restore(tmp_path / "checkpoints") is None


def test_a_refusal_ends_the_search_and_moves_nothing(copied: Path) -> None:
    def refuse(meta: checkpoint.CheckpointMeta) -> None:
        raise CheckpointError(f"refused {meta.step}")

    checkpointer = checkpoint.Checkpointer(copied, CheckpointConfig())
    with pytest.raises(CheckpointError, match="refused 7"):
        checkpointer.restore_newest(state.abstract_state(CONFIG, meshes.build_mesh(READER)), accept=refuse)
    checkpointer.close()
    assert (copied / "7").is_dir()


@pytest.mark.parametrize("part", ["", "checkpoints", "checkpoints/6"])
def test_parameters_load_from_a_run_its_checkpoints_or_one_step(
    part: str, copied: Path, written: tuple[Path, state.TrainState]
) -> None:
    abstract = state.abstract_state(CONFIG, meshes.build_mesh(READER)).params
    assert_equal(checkpoint.load_params(copied.parent / part, abstract), written[1].params)


def test_parameters_of_another_model_are_refused_by_name_and_shape(copied: Path) -> None:
    other = from_mapping({"model": {"preset": "tiny", "vocab_size": 512}})
    abstract = state.abstract_state(other, meshes.build_mesh(READER)).params
    with pytest.raises(CheckpointError, match=r"params/embedding has shape \(512, 64\).*\(256, 64\)"):
        checkpoint.load_params(copied, abstract)


def test_damaged_parameters_are_refused(copied: Path) -> None:
    flip_a_bit(copied / "7")
    abstract = state.abstract_state(CONFIG, meshes.build_mesh(READER)).params
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load_params(copied / "7", abstract)


def test_no_checkpoint_is_said_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        checkpoint.find_checkpoint(tmp_path)


def test_fingerprint_sees_one_bit_and_an_exchange_and_not_the_mesh() -> None:
    values = np.random.default_rng(0).standard_normal((16, 24)).astype(np.float32)
    compute = jax.jit(fingerprint.fingerprint)
    plain = int(compute({"x": values})["x"])
    flipped = values.copy()
    flipped.view(np.uint32)[7, 3] ^= 1 << 31
    exchanged = values.copy()
    exchanged[0, 0], exchanged[5, 5] = values[5, 5], values[0, 0]
    assert int(compute({"x": flipped})["x"]) != plain
    assert int(compute({"x": exchanged})["x"]) != plain
    mesh = meshes.build_mesh(WRITER)
    spread = jax.device_put(values, meshes.sharding_of(mesh, ("embed", "vocab")))
    assert int(compute({"x": spread})["x"]) == plain


def test_a_stack_is_cut_by_layer_and_along_fsdp_so_that_a_slice_is_little_to_read(tmp_path: Path) -> None:
    config = from_mapping({"model": {"preset": "small-20m", "vocab_size": 1024}})
    mesh = meshes.build_mesh(MeshConfig(data=1, fsdp=4, tensor=2))
    checkpointer = checkpoint.Checkpointer(tmp_path / "checkpoints", CheckpointConfig())
    save(checkpointer, state.initialize_state(config, mesh), 1, config)
    checkpointer.close()
    array = json.loads((tmp_path / "checkpoints/1/state/params.layers.mlp.gate/zarr.json").read_text())
    assert array["shape"] == [6, 256, 704]
    layers, embed, mlp = array["chunk_grid"]["configuration"]["chunk_shape"]
    assert layers == 1
    assert embed <= 256 // 4
    assert mlp <= 704 // 2


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(CheckpointError, match="checkpoints: cannot be made a folder: File exists"):
        checkpoint.Checkpointer(tmp_path / "checkpoints", CheckpointConfig())
