"""The `model:` section: a LLaMA's sizes, from a preset, from the weights to start from, or by hand."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from melama_jax.config.presets import PRESETS
from melama_jax.config.section import FREE, Dtype, Section, divisors

_FROM_PRESET: Any = None
"""A size without a default of its own: `_fill_from_preset` gives every one a value before validation, so that a checked
configuration never holds None there."""


class RopeScaling(Section):
    """LLaMA 3.1's frequency scaling of the rotary embedding (arXiv 2407.21783)."""

    factor: Annotated[float, Field(gt=0)] = 8.0
    """Divisor of the low frequencies."""
    low_freq_factor: Annotated[float, Field(gt=0)] = 1.0
    """Wavelengths longer than original context / this are divided by `factor`."""
    high_freq_factor: Annotated[float, Field(gt=0)] = 4.0
    """Wavelengths shorter than original context / this stay as they are."""
    original_max_position_embeddings: PositiveInt = 8192
    """Context length before the scaling, in tokens."""

    @model_validator(mode="after")
    def _check(self) -> RopeScaling:
        if self.low_freq_factor >= self.high_freq_factor:
            raise ValueError(
                f"model.rope_scaling.low_freq_factor {self.low_freq_factor:g} must be less than "
                f"model.rope_scaling.high_freq_factor {self.high_freq_factor:g}"
            )
        return self


class ModelConfig(Section):
    """A LLaMA: a preset, any of its sizes overridden, and the dtypes."""

    preset: Annotated[str | None, Field(json_schema_extra=FREE)] = "auto"
    """Name of a published or test size; the size fields below start from it. auto takes the sizes of the weights of
    `init.from`, or tiny without them; null takes none."""
    vocab_size: PositiveInt = _FROM_PRESET
    """Rows of the token embedding and columns of the head (V)."""
    vocab_padding: Annotated[int, Field(ge=0)] = 0
    """Last rows of the vocabulary that stand for no token and are never predicted; they only make V a multiple that
    the mesh divides."""
    hidden_size: PositiveInt = _FROM_PRESET
    """Width of the residual stream (D)."""
    intermediate_size: PositiveInt = _FROM_PRESET
    """Width of the SwiGLU block (F)."""
    num_hidden_layers: PositiveInt = _FROM_PRESET
    """Decoder layers (L)."""
    num_attention_heads: PositiveInt = _FROM_PRESET
    """Query heads (H)."""
    num_key_value_heads: PositiveInt = _FROM_PRESET
    """Key/value heads (K); divides the query heads."""
    head_dim: PositiveInt = _FROM_PRESET
    """Width of one head (E); hidden_size / num_attention_heads unless given."""
    rope_theta: Annotated[float, Field(gt=0)] = _FROM_PRESET
    """Base of the rotary frequencies."""
    rope_scaling: RopeScaling | None = None
    """LLaMA 3.1's frequency scaling; null for none."""
    rms_norm_eps: Annotated[float, Field(gt=0)] = _FROM_PRESET
    """Added to the mean square inside RMSNorm."""
    tie_word_embeddings: bool = _FROM_PRESET
    """Whether the head is the token embedding transposed."""
    max_position_embeddings: PositiveInt = _FROM_PRESET
    """Longest context the weights are meant for, in tokens."""
    initializer_range: Annotated[float, Field(gt=0)] = 0.02
    """Standard deviation of the normal draws of the initial matrices, before they are cut off at twice it."""
    param_dtype: Dtype = "float32"
    """Dtype of the stored parameters."""
    compute_dtype: Dtype = "bfloat16"
    """Dtype of matrix products and activations; norms, softmax and logits stay in float32."""
    matmul_dtype: Literal["fp8"] | None = None
    """fp8: the layers' matrix products in 8 bits (E4M3, their gradients E5M2), on H100 and later, emulated on a CPU;
    embedding, head and attention stay in compute_dtype. null: all in compute_dtype."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        preset = data.get("preset", "auto")
        if preset is None or preset == "auto":
            sizes: dict[str, Any] = {"rope_theta": 1e4, "rms_norm_eps": 1e-5, "tie_word_embeddings": False}
        elif not isinstance(preset, str) or preset not in PRESETS:
            raise ValueError(f"model.preset {preset!r} is unknown; choose one of {', '.join(PRESETS)}, or auto")
        else:
            sizes = dict(PRESETS[preset])
        given = {key: value for key, value in data.items() if value is not None or key in ("rope_scaling", "preset")}
        if "head_dim" not in given and (
            {"hidden_size", "num_attention_heads"} & given.keys() or "head_dim" not in sizes
        ):
            hidden = _whole(given.get("hidden_size", sizes.get("hidden_size")))
            heads = _whole(given.get("num_attention_heads", sizes.get("num_attention_heads")))
            if hidden and heads:
                if hidden % heads:
                    raise ValueError(
                        f"model.num_attention_heads {heads} does not divide model.hidden_size {hidden}; "
                        f"give model.head_dim, or a number of heads that divides it"
                    )
                sizes["head_dim"] = hidden // heads
        merged = sizes | given
        missing = [name for name in PRESETS["tiny"] if name not in merged and name != "rope_scaling"]
        if missing:
            why = "model.preset is null, so these are needed too:"
            if preset == "auto":
                why = (
                    "model.preset is auto, but the sizes of the weights in init.from are not known here (python -m "
                    "melama_jax.train --dry-run reads them); name a preset, or give"
                )
            raise ValueError(f"{why} model.{', model.'.join(missing)}")
        return merged | {"preset": None if preset == "auto" else preset}

    @model_validator(mode="after")
    def _check(self) -> ModelConfig:
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"model.num_key_value_heads {self.num_key_value_heads} does not divide model.num_attention_heads "
                f"{self.num_attention_heads}; choose one of {divisors(self.num_attention_heads)}"
            )
        if self.head_dim % 2:
            raise ValueError(f"model.head_dim {self.head_dim} is odd; the rotary embedding needs an even one")
        if self.vocab_padding >= self.vocab_size:
            raise ValueError(
                f"model.vocab_padding {self.vocab_padding} leaves no token of model.vocab_size {self.vocab_size}"
            )
        return self

    @property
    def num_tokens(self) -> int:
        """Rows of the vocabulary that stand for a token: ids lie below this."""
        return self.vocab_size - self.vocab_padding


def _whole(value: Any) -> int | None:
    """A positive whole number, also one written as text or 64.0, as the fields themselves accept; else None."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number > 0 else None
