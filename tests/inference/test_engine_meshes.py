"""One model on many meshes: the tokens, the draws and the scores of one device."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import numpy as np
import pytest

from melama_jax.config import MeshConfig
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import MeshError
from melama_jax.inference.engine import Completion, Engine, Request, SamplingOptions
from melama_jax.inference.scoring import Score
from melama_jax.model import llama
from melama_jax.parallel import mesh as meshes
from tests.inference.small import PADDED, assert_greedy, random_params, texts

MESHES = [{"data": 4}, {"fsdp": 2}, {"tensor": 2}, {"context": 2}]
MODEL = dataclasses.replace(PADDED, num_hidden_layers=1)  # compiles faster; all layers are split alike
PROMPTS = texts(3, 28, 9, 1, 30, 17)
REQUESTS = [
    Request(prompt, SamplingOptions(max_new_tokens=12, temperature=float(number % 3 == 2), top_k=50, seed=number))
    for number, prompt in enumerate(PROMPTS)
]
CONTEXT, *OPTIONS = texts(20, 7, 3, 12, seed=1)
PAIRS = [*((CONTEXT, option) for option in OPTIONS), *((text[:5], text[5:]) for text in texts(30, 12, seed=2))]


@pytest.fixture(scope="module")
def params() -> dict[str, Any]:
    return random_params(MODEL)


def engine(params: dict[str, Any], vocabulary: Vocabulary, sizes: dict[str, int] | None, **options: Any) -> Engine:
    """Fewer slots than requests; None is no mesh at all."""
    mesh = None
    if sizes is not None:
        config = MeshConfig(**({"fsdp": 1} | sizes))
        mesh = meshes.build_mesh(config, jax.devices()[: math.prod(sizes.values())])
        axes = {path: axes for path, (_, axes, _) in llama.declaration(MODEL).items()}

        def placed(path: tuple[Any, ...], value: Any) -> jax.Array:
            name = "/".join(part.key for part in path)
            return jax.device_put(value, meshes.sharding_of(mesh, axes[name]))

        params = jax.tree_util.tree_map_with_path(placed, params)
    return Engine(MODEL, params, vocabulary, mesh, max_length=48, batch_size=4, **options)


Found = tuple[list[Completion], list[Score]]


def run(built: Engine) -> Found:
    return built.generate(REQUESTS), built.score(PAIRS)


def assert_same(found: Found, expected: Found) -> None:
    for got, want in zip(found[0], expected[0], strict=True):
        assert (got.tokens, got.text, got.finish) == (want.tokens, want.text, want.finish)
        np.testing.assert_allclose(got.log_probs, want.log_probs, rtol=0, atol=1e-4)
    for got, want in zip(found[1], expected[1], strict=True):
        assert got == dataclasses.replace(want, log_likelihood=got.log_likelihood)
        assert got.log_likelihood == pytest.approx(want.log_likelihood, rel=1e-5)


@pytest.fixture(scope="module")
def on_one_device(params: dict[str, Any], vocabulary: Vocabulary) -> Found:
    found = run(engine(params, vocabulary, None))
    assert_greedy(MODEL, params, PROMPTS[1], found[0][1])
    return found


@pytest.mark.parametrize("sizes", MESHES, ids=str)
def test_tokens_and_scores_are_those_of_one_device(
    sizes: dict[str, int], params: dict[str, Any], vocabulary: Vocabulary, on_one_device: Found
) -> None:
    assert_same(run(engine(params, vocabulary, sizes)), on_one_device)


def test_int8_on_a_mesh_is_int8_on_one_device(params: dict[str, Any], vocabulary: Vocabulary) -> None:
    options = {"weights": "int8", "cache_dtype": "int8"}
    sizes = {"data": 2, "fsdp": 2, "tensor": 2}
    found, expected = (engine(params, vocabulary, each, **options).generate(REQUESTS) for each in (sizes, None))
    assert_same((found, []), (expected, []))


def test_slots_are_made_a_multiple_of_the_shards(params: dict[str, Any], vocabulary: Vocabulary) -> None:
    mesh = meshes.build_mesh(MeshConfig(data=3, fsdp=1), jax.devices()[:3])
    built = Engine(MODEL, params, vocabulary, mesh, max_length=48, batch_size=4)
    assert built.batch_size == 6


def test_a_mesh_that_does_not_divide_the_model_is_refused(params: dict[str, Any], vocabulary: Vocabulary) -> None:
    mesh = meshes.build_mesh(MeshConfig(fsdp=1, tensor=4), jax.devices()[:4])
    with pytest.raises(MeshError, match="tensor"):
        Engine(MODEL, params, vocabulary, mesh, max_length=48)
