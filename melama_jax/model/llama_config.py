"""The plain frozen description of a LLaMA that model code sees; no YAML, no defaults to guess."""

from __future__ import annotations

import dataclasses

import jax.numpy as jnp

from melama_jax.config import ModelConfig, TrainConfig


@dataclasses.dataclass(frozen=True)
class RopeScaling:
    """LLaMA 3.1's frequency scaling; see `melama_jax.model.rope`."""

    factor: float
    low_freq_factor: float
    high_freq_factor: float
    original_max_position_embeddings: int


@dataclasses.dataclass(frozen=True)
class LlamaConfig:
    """Sizes and execution choices of one LLaMA.

    Attributes:
        vocab_size: V, padding included.
        hidden_size: D.
        intermediate_size: F.
        num_hidden_layers: L.
        num_attention_heads: H.
        num_key_value_heads: K.
        head_dim: E.
        rope_theta: Base of the rotary frequencies.
        rope_scaling: LLaMA 3.1's scaling, or None.
        rms_norm_eps: Added to the mean square.
        tie_word_embeddings: Whether the head is the embedding transposed.
        initializer_range: Standard deviation of the initial matrices, before they are cut off at twice it.
        param_dtype: Dtype name of the stored parameters.
        compute_dtype: Dtype name of matrix products.
        matmul_dtype: fp8 for the layers' products in 8 bits (`melama_jax.model.fp8`), else None.
        attention: Attention backend, see `melama_jax.model.attention`.
        remat: Rematerialization policy, see `melama_jax.model.llama`.
        vocab_padding: Last rows of the vocabulary that stand for no token and are never predicted.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    rope_theta: float
    rope_scaling: RopeScaling | None
    rms_norm_eps: float
    tie_word_embeddings: bool
    initializer_range: float = 0.02
    param_dtype: str = "float32"
    compute_dtype: str = "bfloat16"
    matmul_dtype: str | None = None
    attention: str = "auto"
    remat: str = "none"
    vocab_padding: int = 0

    @classmethod
    def build(cls, model: ModelConfig, train: TrainConfig | None = None) -> LlamaConfig:
        """The description of a `model:` section, executed as a `train:` section says (or plainly without one)."""
        values = {f.name: getattr(model, f.name) for f in dataclasses.fields(cls) if hasattr(model, f.name)}
        if model.rope_scaling is not None:
            values["rope_scaling"] = RopeScaling(**model.rope_scaling.model_dump())
        if train is not None:
            values |= {"attention": train.attention, "remat": train.remat}
        return cls(**values)

    @property
    def compute(self) -> jnp.dtype:
        """Dtype of matrix products."""
        return jnp.dtype(self.compute_dtype)

    @property
    def num_tokens(self) -> int:
        """Rows of the vocabulary that stand for a token: ids lie below this."""
        return self.vocab_size - self.vocab_padding

    @property
    def matmul_parameters(self) -> int:
        """Parameters that take part in matrix products (head included, input embedding and norms not)."""
        d, e = self.hidden_size, self.head_dim
        attention = 2 * d * e * (self.num_attention_heads + self.num_key_value_heads)
        return self.num_hidden_layers * (attention + 3 * d * self.intermediate_size) + d * self.vocab_size

    def flops_per_token(self, sequence_length: int, adapter_parameters: int | None = None) -> float:
        """Model FLOPs of training per token: 6 N_matmul + 6 L T h d, causal; recomputation does not count.

        Args:
            sequence_length: T.
            adapter_parameters: Those of an adapter, beside which N_matmul counts 4 times; None trains all.
        """
        attention = 6 * self.num_hidden_layers * sequence_length * self.num_attention_heads * self.head_dim
        if adapter_parameters is not None:
            return 4 * self.matmul_parameters + 6 * adapter_parameters + attention
        return 6 * self.matmul_parameters + attention
