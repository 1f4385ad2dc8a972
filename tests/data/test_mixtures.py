from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from melama_jax.config import DataConfig
from melama_jax.config.conversations import ME_LLAMA_INSTRUCT
from melama_jax.data.mixtures import integer_rates, records_by_task, resolve_mixture
from melama_jax.errors import ConfigError


def resolve(**data: Any) -> dict[str, float]:
    return resolve_mixture(DataConfig.model_validate(data))


def test_the_default_is_the_papers() -> None:
    assert resolve() == {"biomedical": 15, "clinical": 1, "general": 4}


def test_single_domain_and_own_rates() -> None:
    assert resolve(mixture="clinical") == {"clinical": 1}
    assert resolve(rates={"clinical": 0.5, "general": 0}) == {"clinical": 0.5}
    own = {"notes": [{"glob": "notes/*"}]}
    assert resolve(mixture="notes", sources=own) == {"notes": 1}
    assert resolve(rates={"notes": 2, "general": 1}, sources=own) == {"notes": 2, "general": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"mixture": "me_lama_pretrain"}, "did you mean me_llama_pretrain"),
        ({"mixture": "zzz"}, "valid: me_llama_pretrain, me_llama_instruct, biomedical, clinical, general"),
        ({"mixture": "alpacca"}, "did you mean alpaca"),
        ({"rates": {"clincal": 1}}, r"data\.rates\.clincal.*did you mean clinical"),
        ({"rates": {"clinical": 0}}, "no task has a positive rate"),
        ({"rates": {}}, "no task has a positive rate"),
    ],
)
def test_mistakes_name_what_would_work(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(**data)


def test_integer_rates_are_exact() -> None:
    assert integer_rates({"a": 15.0, "b": 1.0, "c": 4.0}) == {"a": 15, "b": 1, "c": 4}
    assert integer_rates({"a": 0.75, "b": 0.05, "c": 0.2}) == {"a": 15, "b": 1, "c": 4}
    whole = integer_rates({"a": 0.1, "b": 0.7, "c": 1e-7})
    assert Fraction(whole["a"], whole["b"]) == Fraction(1, 7)
    assert Fraction(whole["c"], whole["a"]) == Fraction(1, 10**6)


def test_a_task_that_nothing_uses_is_refused() -> None:
    data = DataConfig.model_validate({"sources": {"clinicl": [{"glob": "notes/*"}]}})
    with pytest.raises(ConfigError, match=r"data\.sources\.clinicl: .*did you mean clinical\?"):
        resolve_mixture(data)
    named = data.model_copy(update={"rates": {"clinicl": 1.0}})
    assert resolve_mixture(named) == {"clinicl": 1.0}


def test_a_mixture_by_records() -> None:
    instruct = {"mixture": "me_llama_instruct", "attend_across_documents": False}
    assert sum(resolve(**instruct).values()) == 219_484  # the sum of the paper's table
    assert records_by_task(DataConfig.model_validate(instruct)) == ME_LLAMA_INSTRUCT
    own = instruct | {"sources": {"mine": [{"glob": "*", "format": "messages"}]}}
    records = {"mine": 5, "medquad": 7}
    assert resolve(**own, conversations={"records": records}) == records
    assert resolve(**own, rates={"mine": 2, "alpaca": 1}) == {"mine": 2, "alpaca": 1}
    assert records_by_task(DataConfig.model_validate(own | {"rates": {"mine": 1}})) is None
    assert resolve(mixture="alpaca", attend_across_documents=False) == {"alpaca": 1}
    assert records_by_task(DataConfig()) is None
    with pytest.raises(ConfigError, match=r"data\.sources\.medquad: .*does not use this task"):
        resolve(**instruct, sources={"medquad": [{"glob": "elsewhere/*", "format": "medquad"}]})
