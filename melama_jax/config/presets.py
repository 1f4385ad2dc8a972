"""Published LLaMA sizes, and tiny ones for tests and for the quickstart.

Sources: the `params.json` and `config.json` files released with LLaMA 2 (arXiv 2307.09288) and LLaMA 3 / 3.1
(arXiv 2407.21783).
"""

from __future__ import annotations

from typing import Any

_LLAMA31_ROPE_SCALING = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}


def _sizes(
    hidden_size: int,
    num_hidden_layers: int,
    num_attention_heads: int,
    num_key_value_heads: int,
    intermediate_size: int,
    vocab_size: int,
    **other: Any,
) -> dict[str, Any]:
    return {
        "vocab_size": vocab_size,
        "hidden_size": hidden_size,
        "intermediate_size": intermediate_size,
        "num_hidden_layers": num_hidden_layers,
        "num_attention_heads": num_attention_heads,
        "num_key_value_heads": num_key_value_heads,
        "head_dim": other.pop("head_dim", hidden_size // num_attention_heads),
        "rope_theta": other.pop("rope_theta", 1e4),
        "rope_scaling": other.pop("rope_scaling", None),
        "rms_norm_eps": other.pop("rms_norm_eps", 1e-5),
        "tie_word_embeddings": other.pop("tie_word_embeddings", False),
        "max_position_embeddings": other.pop("max_position_embeddings", 4096),
    }


PRESETS: dict[str, dict[str, Any]] = {
    # D, L, h, k, F, V
    "tiny": _sizes(64, 2, 4, 2, 176, 256, max_position_embeddings=2048),
    "quickstart": _sizes(128, 4, 4, 2, 384, 4096, max_position_embeddings=2048),
    "small-20m": _sizes(256, 6, 8, 4, 704, 32000, max_position_embeddings=2048),
    "llama1-7b": _sizes(4096, 32, 32, 32, 11008, 32000, rms_norm_eps=1e-6, max_position_embeddings=2048),
    "llama2-7b": _sizes(4096, 32, 32, 32, 11008, 32000),
    "llama2-13b": _sizes(5120, 40, 40, 40, 13824, 32000),
    "llama2-70b": _sizes(8192, 80, 64, 8, 28672, 32000),
    "llama3-8b": _sizes(4096, 32, 32, 8, 14336, 128256, rope_theta=5e5, max_position_embeddings=8192),
    "llama3-70b": _sizes(8192, 80, 64, 8, 28672, 128256, rope_theta=5e5, max_position_embeddings=8192),
    "llama3.1-8b": _sizes(
        4096,
        32,
        32,
        8,
        14336,
        128256,
        rope_theta=5e5,
        rope_scaling=_LLAMA31_ROPE_SCALING,
        max_position_embeddings=131072,
    ),
    "llama3.1-70b": _sizes(
        8192,
        80,
        64,
        8,
        28672,
        128256,
        rope_theta=5e5,
        rope_scaling=_LLAMA31_ROPE_SCALING,
        max_position_embeddings=131072,
    ),
}
"""Every LLaMA size field by preset name; any of them can be overridden in the `model` section."""
