"""What int8 costs: how far from the weights and the keys and values it is, and how many bytes it takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import qwix

from melama_jax.data.vocabulary import Vocabulary
from melama_jax.inference import cache as caches
from melama_jax.inference.engine import Engine, Request, SamplingOptions
from melama_jax.inference.quantize import product, quantize
from melama_jax.model import llama
from tests.inference.small import MODEL, log_probs, random_params, texts

Params = dict[str, Any]
MATRICES = {"query", "key", "value", "out", "gate", "up", "down"}


@pytest.fixture(scope="module")
def params() -> Params:
    return random_params(MODEL)


@pytest.fixture(scope="module")
def quantized(params: Params) -> Params:
    return quantize(params)


def leaves(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """By slash-separated path."""
    found = {}
    for name, value in tree.items():
        found |= leaves(value, f"{prefix}{name}/") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return found


def restored(tree: Mapping[str, Any]) -> Params:
    """Quantized matrices as the float matrices that they stand for."""
    return {
        name: restored(value)
        if isinstance(value, Mapping)
        else (qwix.dequantize(value) if isinstance(value, qwix.QArray) else value)
        for name, value in tree.items()
    }


def test_the_matrices_of_the_layers_lose_at_most_half_a_step_and_nothing_else_changes(
    params: Params, quantized: Params
) -> None:
    before, after = leaves(params), leaves(quantized)
    assert before.keys() == after.keys()
    for path, value in before.items():
        if path.startswith("layers/") and path.rsplit("/", 1)[-1] in MATRICES:
            found = after[path]
            assert (found.qvalue.dtype, found.qvalue.shape) == (jnp.int8, value.shape)
            error = np.abs(np.asarray(qwix.dequantize(found)) - value)
            assert (error <= np.asarray(found.scale) * 0.5001).all(), path
            assert np.abs(found.qvalue).max() == 127  # the whole range is used
        else:
            np.testing.assert_array_equal(after[path], value)


def test_each_output_has_a_scale_of_its_own(params: Params) -> None:
    """A column a thousand times as large as its neighbours leaves them as they are."""
    large = jax.tree.map(np.array, params)
    large["layers"]["mlp"]["up"][:, :, 0] *= 1000
    plain, changed = (quantize(tree)["layers"]["mlp"]["up"] for tree in (params, large))
    np.testing.assert_array_equal(plain.qvalue, changed.qvalue)
    np.testing.assert_array_equal(plain.scale[..., 1:], changed.scale[..., 1:])


def test_layers_take_half_the_bytes_of_bfloat16(quantized: Params) -> None:
    wide = dataclasses.replace(MODEL, hidden_size=512, intermediate_size=1024, param_dtype="bfloat16")
    shapes = {
        path: jax.ShapeDtypeStruct(shape, jnp.bfloat16)
        for path, (shape, _, _) in llama.declaration(wide).items()
        if path.rsplit("/", 1)[-1] in MATRICES
    }
    small = jax.eval_shape(
        lambda tree: quantize({"layers": {k.removeprefix("layers/"): v for k, v in tree.items()}}), shapes
    )
    size = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(small))
    assert size < 0.52 * sum(x.size * 2 for x in shapes.values())
    for path, value in leaves(quantized).items():
        assert not isinstance(value, qwix.QArray) or value.scale.size * 8 <= value.qvalue.size, path


def test_a_product_is_that_of_the_matrix_it_stands_for(quantized: Params) -> None:
    x = jax.random.normal(jax.random.key(1), (2, 3, MODEL.hidden_size))
    matrix = jax.tree.map(lambda a: a[0].T, quantized["layers"]["mlp"]["up"])
    expected = x @ np.asarray(matrix.qvalue * matrix.scale).T
    np.testing.assert_allclose(jax.jit(product)(x, matrix), expected, rtol=0, atol=5e-5 * np.abs(expected).max())


def test_an_engine_of_int8_weights_computes_with_what_they_stand_for(
    params: Params, quantized: Params, vocabulary: Vocabulary
) -> None:
    """And it does the same whether it quantizes them or gets them so."""
    prompt, *continuations = texts(20, 9, 5)
    pairs = [(prompt, continuation) for continuation in continuations]
    given = Engine(MODEL, quantized, vocabulary, max_length=64).score(pairs)
    made = Engine(MODEL, params, vocabulary, max_length=64, weights="int8").score(pairs)
    assert given == made
    exact = restored(quantized)
    for continuation, score in zip(continuations, given, strict=True):
        text = [*prompt, *continuation]
        expected, plain = (log_probs(MODEL, tree, text)[len(prompt) - 1 : -1] for tree in (exact, params))
        rows = np.arange(len(continuation))
        assert score.log_likelihood == pytest.approx(expected[rows, continuation].sum(), abs=1e-3)
        # From the model in float it differs, but little: the stated cost of int8.
        assert np.abs(expected - plain).max() > 1e-3
        assert np.abs(np.exp(expected) - np.exp(plain)).sum(-1).max() < 0.4


def test_int8_keys_and_values_lose_at_most_half_a_step() -> None:
    key, value = jax.random.normal(jax.random.key(0), (2, 3, 7, 2, 16))
    value = value.at[0, 0].set(0.0)  # a scale of 0
    store = jax.jit(caches.encode, static_argnums=2)(key, value, jnp.dtype("int8"))
    for name, x in (("key", key), ("value", value)):
        scale = store[f"{name}_scale"][..., None]
        assert store[name].dtype == jnp.int8
        found = np.swapaxes(store[name], 2, 3) if name == "key" else store[name]  # keys lie transposed
        assert (np.abs(found * scale - np.swapaxes(x, 1, 2)) <= scale * 0.5001).all()


def test_an_int8_cache_takes_half_the_bytes_of_bfloat16() -> None:
    wide = dataclasses.replace(MODEL, head_dim=128)
    sizes = {}
    for dtype in ("bfloat16", "int8"):
        cache = jax.eval_shape(lambda dtype=dtype: caches.allocate(wide, 4, 64, dtype))
        sizes[dtype] = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(cache))
    assert 0.5 * sizes["bfloat16"] < sizes["int8"] < 0.52 * sizes["bfloat16"]


def test_an_int8_cache_changes_probabilities_little(params: Params, vocabulary: Vocabulary) -> None:
    """Of the same tokens: the engine's own, scored by a plain forward pass."""
    engine = Engine(MODEL, params, vocabulary, max_length=64, batch_size=4, cache_dtype="int8")
    prompts = texts(30, 12, 5, 21)
    found = engine.generate([Request(prompt, SamplingOptions(max_new_tokens=24)) for prompt in prompts])
    differences = []
    for prompt, completion in zip(prompts, found, strict=True):
        count = len(completion.tokens)
        expected = log_probs(MODEL, params, [*prompt, *completion.tokens])[len(prompt) - 1 : -1]
        differences += np.abs(expected[np.arange(count), completion.tokens] - completion.log_probs).tolist()
        # What it took for the most likely token is close to being so.
        assert (expected.max(-1) - expected[np.arange(count), completion.tokens]).max() < 0.2
    assert 1e-5 < max(differences) < 0.2
