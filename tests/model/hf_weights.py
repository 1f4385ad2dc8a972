"""Weights as Hugging Face stores them, laid out as ours; independent of `conversion`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from melama_jax.model.llama_config import LlamaConfig


def params_of(config: LlamaConfig, weights: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Our nested dict: [out, in] matrices become [in, out], heads get their own dimension, layers are stacked."""
    d, e = config.hidden_size, config.head_dim

    def stack(name: str, *shape: int) -> jnp.ndarray:
        layers = [weights[f"model.layers.{i}.{name}.weight"] for i in range(config.num_hidden_layers)]
        return jnp.asarray(np.stack([np.asarray(layer).T.reshape(shape) for layer in layers]))

    params: dict[str, Any] = {
        "embedding": jnp.asarray(weights["model.embed_tokens.weight"]),
        "final_norm": jnp.asarray(weights["model.norm.weight"]),
        "layers": {
            "attention_norm": stack("input_layernorm", d),
            "mlp_norm": stack("post_attention_layernorm", d),
            "attention": {
                "query": stack("self_attn.q_proj", d, config.num_attention_heads, e),
                "key": stack("self_attn.k_proj", d, config.num_key_value_heads, e),
                "value": stack("self_attn.v_proj", d, config.num_key_value_heads, e),
                "out": stack("self_attn.o_proj", config.num_attention_heads, e, d),
            },
            "mlp": {
                "gate": stack("mlp.gate_proj", d, config.intermediate_size),
                "up": stack("mlp.up_proj", d, config.intermediate_size),
                "down": stack("mlp.down_proj", config.intermediate_size, d),
            },
        },
    }
    if not config.tie_word_embeddings:
        params["head"] = jnp.asarray(np.asarray(weights["lm_head.weight"]).T)
    return params
