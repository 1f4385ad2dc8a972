"""What every section of the tree is: frozen, closed, described; and the types that several share."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

Dtype = Literal["float32", "bfloat16"]  # float16 would need loss scaling, which there is not
FREE: dict[str, Any] = {"resume": "free"}
"""Marks a field whose change on resume cannot alter the numbers; see `melama_jax.config.resume`."""


class Section(BaseModel):
    """Base of all sections: frozen, closed, its field docstrings in the JSON schema."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        protected_namespaces=(),
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_truth_as_number(cls, value: Any, info: ValidationInfo) -> Any:
        """`keep_every: true` would otherwise mean 1."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and bool not in (annotation, *get_args(annotation)):
            raise PydanticCustomError("truth", "true and false are not accepted")
        return value


def divisors(number: int) -> str:
    """The divisors of a number, for a message that says what would work."""
    small = [n for n in range(1, math.isqrt(number) + 1) if number % n == 0]
    return ", ".join(str(n) for n in sorted({*small, *(number // n for n in small)}))
