"""One model, one batch, many meshes: the same loss, the same gradients, the same training."""

from __future__ import annotations

import functools
import math
from typing import Any

import jax
import numpy as np
import pytest

from melama_jax.config import Config, MeshConfig, from_mapping
from melama_jax.parallel import mesh as meshes
from melama_jax.training import state, step

ROWS, LENGTH = 32, 32
MESHES = [(1, 1, 1, 1), (8, 1, 1, 1), (1, 8, 1, 1), (1, 2, 2, 2), (2, 2, 1, 2)]


def configuration(accumulation: int, packed: bool, **model: Any) -> Config:
    return from_mapping(
        {
            "model": {"preset": "tiny", "compute_dtype": "float32"} | model,
            "data": {"attend_across_documents": not packed},
            "train": {
                "steps": 20,
                "global_batch_size": ROWS,
                "sequence_length": LENGTH,
                "gradient_accumulation_steps": accumulation,
                "loss_chunk_size": 48,
                "z_loss": 1e-4,
            },
            "optimizer": {"learning_rate": 1e-3},
        }
    )


def build(config: Config, sizes: tuple[int, ...]) -> Any:
    mesh_config = MeshConfig(**dict(zip(meshes.MESH_AXES, sizes, strict=True)))
    return meshes.build_mesh(mesh_config, jax.devices()[: math.prod(sizes)])


def batch(config: Config, mesh: Any, seed: int) -> dict[str, jax.Array]:
    random = np.random.default_rng(seed)
    tokens = random.integers(0, config.model.num_tokens, (ROWS, LENGTH + 1))
    arrays = {
        "inputs": tokens[:, :-1],
        "targets": tokens[:, 1:],
        "loss_weights": (random.random((ROWS, LENGTH)) > 0.1).astype(np.float32),
        "positions": np.broadcast_to(np.arange(LENGTH), (ROWS, LENGTH)),
    }
    if not config.data.attend_across_documents:
        cut = random.integers(1, LENGTH, (ROWS, 1))
        second = np.arange(LENGTH) >= cut
        arrays["segment_ids"] = 1 + second
        arrays["positions"] = np.where(second, np.arange(LENGTH) - cut, np.arange(LENGTH))
    return {
        key: jax.device_put(arrays[key].reshape(leaf.shape).astype(leaf.dtype), leaf.sharding)
        for key, leaf in step.abstract_batch(config, mesh).items()
    }


def first_gradients(config: Config, sizes: tuple[int, ...], params: Any = None) -> tuple[Any, float]:
    mesh = build(config, sizes)
    params = state.initialize_state(config, mesh, params).params
    with jax.set_mesh(mesh):
        grads, sums = jax.jit(functools.partial(step.gradients, config))(params, batch(config, mesh, 0))
        return jax.tree.map(np.asarray, grads), float(sums.total / sums.weight)


@functools.cache
def on_one_device(packed: bool) -> tuple[Any, float]:
    return first_gradients(configuration(1, packed), MESHES[0])


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize("accumulation", [1, 4])
@pytest.mark.parametrize("sizes", MESHES, ids=lambda sizes: "x".join(map(str, sizes)))
def test_first_loss_and_every_gradient_are_those_of_one_device(
    sizes: tuple[int, ...], accumulation: int, packed: bool
) -> None:
    expected, expected_loss = on_one_device(packed)
    grads, loss = first_gradients(configuration(accumulation, packed), sizes)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for (path, got), want in zip(jax.tree_util.tree_leaves_with_path(grads), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(
            got, want, rtol=1e-5, atol=1e-5 * float(np.abs(want).max()), err_msg=jax.tree_util.keystr(path)
        )


def train_20_steps(config: Config, sizes: tuple[int, ...]) -> np.ndarray:
    mesh = build(config, sizes)
    train_state = state.initialize_state(config, mesh)
    compiled = step.compile_train_step(config, mesh, state.abstract_state(config, mesh))
    losses = []
    for number in range(20):
        train_state, metrics = compiled(train_state, batch(config, mesh, number % 4))
        losses.append(float(metrics["loss"]))
    return np.array(losses)


@functools.cache
def trained_on_one_device(packed: bool) -> np.ndarray:
    return train_20_steps(configuration(1, packed), MESHES[0])


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize(("sizes", "accumulation"), [((1, 8, 1, 1), 1), ((1, 2, 2, 2), 4), ((2, 2, 1, 2), 1)], ids=str)
def test_twenty_adamw_steps_stay_together(sizes: tuple[int, ...], accumulation: int, packed: bool) -> None:
    expected = trained_on_one_device(packed)
    assert expected[-1] < expected[0] - 0.05  # it learns, so the comparison means something
    np.testing.assert_allclose(train_20_steps(configuration(accumulation, packed), sizes), expected, rtol=1e-3)


def test_tied_embeddings_on_a_full_mesh() -> None:
    config = configuration(1, True, tie_word_embeddings=True)
    expected, expected_loss = first_gradients(config, MESHES[0])
    grads, loss = first_gradients(config, (1, 2, 2, 2))
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    jax.tree.map(
        lambda got, want: np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * float(np.abs(want).max())),
        grads,
        expected,
    )


@pytest.mark.parametrize("tied", [False, True], ids=["head", "tied"])
def test_padding_of_the_vocabulary_trains_the_same_model(tied: bool) -> None:
    """251 tokens, which no axis divides, padded by 5 rows that would win every softmax."""
    plain = configuration(1, True, vocab_size=251, tie_word_embeddings=tied)
    padded = configuration(1, True, vocab_size=256, vocab_padding=5, tie_word_embeddings=tied)
    tables = {"embedding": 0} if tied else {"embedding": 0, "head": 1}
    params = jax.tree.map(np.asarray, state.initialize_state(plain, build(plain, MESHES[0])).params)
    for name, dim in tables.items():
        params[name] = np.pad(params[name], [(0, 5 if dim == d else 0) for d in range(2)], constant_values=9.0)
    sizes = (1, 2, 2, 2)
    abstract = state.abstract_state(padded, build(padded, sizes)).params
    placed = jax.tree.map(lambda leaf, shape: jax.device_put(leaf, shape.sharding), params, abstract)
    expected, expected_loss = first_gradients(plain, MESHES[0])
    grads, loss = first_gradients(padded, sizes, placed)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    for name, dim in tables.items():
        kept, padding = np.split(grads[name], [251], axis=dim)
        assert (padding == 0).all(), name
        grads[name] = kept
    jax.tree.map(
        lambda got, want: np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5 * float(np.abs(want).max())),
        grads,
        expected,
    )
