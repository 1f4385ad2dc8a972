"""Rows of the process on the right devices, for every layout."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from melama_jax.config import MeshConfig
from melama_jax.parallel.mesh import build_mesh
from melama_jax.training.batches import Placement, ahead

ROWS, LENGTH = 8, 16
KEYS = {"inputs": np.int32, "loss_weights": np.float32}
MESHES = [
    {"fsdp": 8},
    {"data": 2, "fsdp": 4},
    {"data": 2, "fsdp": 1, "context": 4},
    {"fsdp": 2, "context": 2, "tensor": 2},
    {"fsdp": 1, "tensor": 8},
]


def place(
    sizes: dict[str, int], micro_batches: int | None
) -> tuple[Placement, dict[str, np.ndarray], dict[str, jax.Array]]:
    mesh = build_mesh(MeshConfig(**sizes))
    placement = Placement(mesh, KEYS, micro_batches=micro_batches, rows=ROWS, sequence_length=LENGTH)
    count = len(placement.local_rows)
    batch = {
        "inputs": np.arange(count * LENGTH, dtype=np.int64).reshape(count, LENGTH),
        "loss_weights": np.random.default_rng(0).random((count, LENGTH)),
    }
    return placement, batch, placement(batch)


@pytest.mark.parametrize("sizes", MESHES)
@pytest.mark.parametrize("micro_batches", [None, 1, 3])
def test_global_array_is_the_batch(sizes: dict[str, int], micro_batches: int | None) -> None:
    placement, batch, placed = place(sizes, micro_batches)
    assert list(placement.local_rows) == list(range(ROWS * (micro_batches or 1)))
    shape = (ROWS, LENGTH) if micro_batches is None else (micro_batches, ROWS, LENGTH)
    for key, dtype in KEYS.items():
        assert placed[key].dtype == dtype
        np.testing.assert_array_equal(placed[key], batch[key].astype(dtype).reshape(shape))


@pytest.mark.parametrize("sizes", MESHES)
@pytest.mark.parametrize("micro_batches", [None, 2])
def test_every_device_holds_its_rows_and_tokens(sizes: dict[str, int], micro_batches: int | None) -> None:
    placement, batch, placed = place(sizes, micro_batches)
    mesh = placement.sharding.mesh
    per_rows = ROWS // (mesh.shape["data"] * mesh.shape["fsdp"])
    per_tokens = LENGTH // mesh.shape["context"]
    stacked = batch["inputs"].reshape(-1, ROWS, LENGTH)
    shards = {shard.device: np.asarray(shard.data) for shard in placed["inputs"].addressable_shards}
    assert len(shards) == 8
    for (data, fsdp, context, _), device in np.ndenumerate(build_mesh(MeshConfig(**sizes)).devices):
        row, token = (data * mesh.shape["fsdp"] + fsdp) * per_rows, context * per_tokens
        expected = stacked[:, row : row + per_rows, token : token + per_tokens]
        np.testing.assert_array_equal(shards[device], expected if micro_batches else expected[0])


def test_process_that_holds_some_rows_reads_only_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second of two processes: rows 4 to 7 of every micro-batch."""
    monkeypatch.setattr("melama_jax.training.batches.local_rows", lambda sharding, rows: [4, 5, 6, 7])
    mesh = build_mesh(MeshConfig(fsdp=2), jax.devices()[:2])
    placement = Placement(mesh, KEYS, micro_batches=2, rows=ROWS, sequence_length=LENGTH)
    assert list(placement.local_rows) == [4, 5, 6, 7, 12, 13, 14, 15]
    batch = {key: np.arange(8.0)[:, None] * np.ones(LENGTH) for key in KEYS}
    asked: list[Any] = []

    def callback(shape: Any, sharding: Any, part: Any) -> Any:
        asked.append(part((slice(None), slice(4, 8), slice(0, LENGTH))))
        return jax.numpy.zeros(shape)

    monkeypatch.setattr(jax, "make_array_from_callback", callback)
    placement(batch)
    np.testing.assert_array_equal(asked[0][..., 0], [[0, 1, 2, 3], [4, 5, 6, 7]])


def test_missing_array_is_an_error() -> None:
    placement, batch, _ = place({"fsdp": 8}, None)
    with pytest.raises(KeyError, match="loss_weights"):
        placement({"inputs": batch["inputs"]})


def test_wrong_number_of_rows_is_an_error() -> None:
    placement, batch, _ = place({"fsdp": 8}, None)
    with pytest.raises(ValueError, match="reshape"):
        placement({key: value[:-1] for key, value in batch.items()})


@pytest.mark.parametrize("count", [0, 1, 4])
def test_ahead_keeps_order_and_places_one_batch_early(count: int) -> None:
    placement, batch, _ = place({"fsdp": 8}, None)
    drawn: list[int] = []

    def batches() -> Any:
        for number in range(count):
            drawn.append(number)
            yield {key: value + number for key, value in batch.items()}

    seen = []
    for number, placed in enumerate(ahead(batches(), placement)):
        seen.append(int(placed["inputs"][0, 0]))
        assert len(drawn) == min(number + 2, count)
    assert seen == list(range(count))
