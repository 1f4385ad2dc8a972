"""A short continuation after training, for a first look at what was learnt."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from melama_jax.config import Config
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig


def sample(config: Config, mesh: Mesh, params: llama.Params) -> str:
    """A prompt (`log.sample_prompt`) with a continuation drawn from the model."""
    vocabulary = load_vocabulary(config.data.vocabulary)
    prompt = vocabulary.encode(config.log.sample_prompt or "") or [vocabulary.eos_id or 0]
    if config.data.add_bos and vocabulary.bos_id is not None:
        prompt = [vocabulary.bos_id, *prompt]
    with jax.set_mesh(mesh):
        drawn = continue_tokens(
            LlamaConfig.build(config.model),  # attention chosen anew: the length is another
            params,
            prompt,
            num_tokens=min(config.log.sample_tokens, max(1, config.train.sequence_length - len(prompt))),
            stop=vocabulary.eos_id,
            seed=config.run.seed,
        )
    return vocabulary.decode([*prompt, *drawn])


def continue_tokens(
    model: LlamaConfig,
    params: llama.Params,
    prompt: Sequence[int],
    *,
    num_tokens: int,
    stop: int | None,
    seed: int,
) -> list[int]:
    """Sample a continuation at temperature 0.7, the whole sequence recomputed for each token (no cache).

    Args:
        model: The model.
        params: Its parameters, on the mesh that is set.
        prompt: Token ids; at least one.
        num_tokens: Tokens to draw at the most.
        stop: Token that ends the text (not returned), or None.
        seed: Seed of the draws.

    Returns:
        The new token ids.
    """
    mesh = jax.sharding.get_abstract_mesh()
    split, copies = 1, 1
    if not mesh.empty:
        split = mesh.shape["context"] * mesh.shape["tensor"]
        copies = mesh.shape["data"] * mesh.shape["fsdp"]
    length = -(-(len(prompt) + num_tokens) // split) * split
    tokens = np.zeros((copies, length), np.int32)
    tokens[:, : len(prompt)] = prompt

    def draw(params: llama.Params, tokens: jax.Array, position: int) -> jax.Array:
        hidden = llama.forward(model, params, tokens)
        last = jax.lax.dynamic_slice_in_dim(hidden, position, 1, axis=1)
        scores = llama.logits(model, params, last)[0, 0]
        return jax.random.categorical(jax.random.fold_in(jax.random.key(seed), position), scores / 0.7)

    # Every process must be able to read the token.
    draw = jax.jit(draw, out_shardings=None if mesh.empty else PartitionSpec())
    drawn: list[int] = []
    for position in range(len(prompt) - 1, len(prompt) - 1 + num_tokens):
        token = int(jax.device_get(draw(params, tokens, position)))
        if token == stop:
            break
        drawn.append(token)
        tokens[:, position + 1] = token
    return drawn
