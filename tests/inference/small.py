"""Random models small enough to run in a test, and what the engine is measured against: whole rows, no cache."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from melama_jax.config import from_mapping
from melama_jax.inference.engine import Completion
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from tests.data.corpora import VOCAB_SIZE

LENGTH = 192
"""Of the rows here; more than any text of these tests."""
MODEL = dataclasses.replace(
    LlamaConfig.build(
        from_mapping(
            {
                "model": {
                    "preset": "tiny",
                    "compute_dtype": "float32",
                    "vocab_size": VOCAB_SIZE,
                    "num_attention_heads": 4,
                    "num_key_value_heads": 2,
                }
            }
        ).model
    ),
    initializer_range=0.2,  # random text that does not go round in circles
)
PADDED = dataclasses.replace(MODEL, vocab_size=VOCAB_SIZE + 8, vocab_padding=8)
"""The same with rows of the vocabulary that stand for no token."""


def random_params(model: LlamaConfig, seed: int = 0) -> dict[str, Any]:
    """Parameters; those of the vocabulary's padding would win every softmax."""
    params = jax.jit(llama.initialize, static_argnums=0)(
        dataclasses.replace(model, vocab_size=model.num_tokens, vocab_padding=0), jax.random.key(seed)
    )
    return pad_vocabulary(params, model.vocab_padding)


def pad_vocabulary(params: dict[str, Any], rows: int) -> dict[str, Any]:
    """Add rows to the embedding and columns to the head that would win every softmax."""
    tables = {"embedding": [(0, rows), (0, 0)], "head": [(0, 0), (0, rows)]}
    return {
        name: np.pad(np.asarray(value), tables[name], constant_values=9.0) if name in tables else value
        for name, value in params.items()
    }


def texts(*lengths: int, seed: int = 0) -> list[list[int]]:
    """BOS and random ordinary tokens, of these lengths."""
    rng = np.random.default_rng(seed)
    return [[1, *rng.integers(3, VOCAB_SIZE, length - 1).tolist()] for length in lengths]


@functools.partial(jax.jit, static_argnums=0)
def _log_probs(model: LlamaConfig, params: dict[str, Any], tokens: jax.Array) -> jax.Array:
    return jax.nn.log_softmax(llama.logits(model, params, llama.forward(model, params, tokens)))


def log_probs(model: LlamaConfig, params: dict[str, Any], tokens: Sequence[int]) -> np.ndarray:
    """Log-probabilities [T, V] of what comes after each token, by one forward pass over the whole row."""
    row = np.zeros((1, LENGTH), np.int32)
    row[0, : len(tokens)] = tokens
    return np.asarray(_log_probs(model, params, row))[0, : len(tokens)]


def assert_greedy(model: LlamaConfig, params: dict[str, Any], prompt: Sequence[int], completion: Completion) -> None:
    """Each token is the most likely one after those before it, with that log-probability, and so is EOS (2) after."""
    found = log_probs(model, params, [*prompt, *completion.tokens])[len(prompt) - 1 :]
    ended = [2] * (completion.finish == "stop")
    count = len(completion.tokens)
    assert found.argmax(-1)[: count + len(ended)].tolist() == [*completion.tokens, *ended]
    np.testing.assert_allclose(completion.log_probs, found.max(-1)[:count], rtol=0, atol=1e-4)
