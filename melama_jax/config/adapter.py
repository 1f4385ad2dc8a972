"""How a model is tuned without changing its weights."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, PositiveInt, field_validator

from melama_jax.config.section import Section

Target = Literal["query", "key", "value", "out", "gate", "up", "down"]


class AdapterConfig(Section):
    """LoRA (arXiv 2106.09685): a trained low-rank product beside frozen matrices.

    The defaults are those of Me-LLaMA's framework.
    """

    kind: Literal["lora"] = "lora"
    """The only kind there is."""
    rank: PositiveInt = 16
    """Inner size r of the product."""
    alpha: Annotated[float, Field(gt=0)] = 32.0
    """The product is scaled by alpha / r."""
    rank_stabilized: bool = False
    """Scale by alpha / sqrt(r) instead (rsLoRA, arXiv 2312.03732)."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Share of the product's inputs that are dropped while training."""
    targets: Annotated[tuple[Target, ...], Field(min_length=1)] = ("query", "key", "value", "out", "gate", "up", "down")
    """Matrices of every layer that get a product, in any order."""
    base_dtype: Literal["float32", "bfloat16", "int8", "nf4"] = "bfloat16"
    """How the frozen weights are kept, whatever model.param_dtype: int8 and nf4 (QLoRA, arXiv 2305.14314) hold the
    layers' matrices in 8 and 4 bits, the rest in bfloat16. The adapter itself is float32."""

    @field_validator("targets")
    @classmethod
    def _in_order(cls, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        twice = sorted({target for target in targets if targets.count(target) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is given twice; name each matrix once")
        return tuple(sorted(targets, key=get_args(Target).index))
