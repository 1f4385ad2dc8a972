"""The set that a token is drawn from, how often each is drawn, and what the draws depend on."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np
import pytest

from melama_jax.errors import ConfigError
from melama_jax.inference.sampling import SamplingOptions, draw, filtered

PROBABILITIES = np.array([0.05, 0.3, 0.02, 0.25, 0.13, 0.25], np.float32)
LOGITS = np.log(PROBABILITIES)


def draws(*options: SamplingOptions, number: int = 0) -> dict[str, np.ndarray]:
    """The arrays for these slots."""
    each = [one.draws(number) for one in options]
    return {name: np.stack([one[name] for one in each]) for name in each[0]}


def kept(logits: np.ndarray, **options: Any) -> set[int]:
    """Tokens that can be drawn."""
    found = jax.jit(filtered)(logits[None], draws(SamplingOptions(temperature=1.0, **options)))
    return set(np.flatnonzero(np.isfinite(found[0])).tolist())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {0, 1, 2, 3, 4, 5}),
        ({"top_k": 1}, {1}),
        ({"top_k": 3}, {1, 3, 5}),
        ({"top_k": 2}, {1, 3, 5}),  # 3 and 5 are equal
        ({"top_k": 4}, {1, 3, 4, 5}),
        ({"top_k": 100}, {0, 1, 2, 3, 4, 5}),
        ({"top_p": 1e-6}, {1}),
        ({"top_p": 0.29}, {1}),
        ({"top_p": 0.7}, {1, 3, 5}),
        ({"top_p": 0.9}, {1, 3, 4, 5}),
        ({"top_p": 0.97}, {0, 1, 3, 4, 5}),
        ({"top_k": 4, "top_p": 0.84}, {1, 3, 5}),  # of the four: 0.86 = 0.8 / 0.93
        ({"top_k": 4, "top_p": 0.88}, {1, 3, 4, 5}),
    ],
    ids=str,
)
def test_top_k_and_top_p_keep_exactly_these(options: dict[str, Any], expected: set[int]) -> None:
    assert kept(LOGITS, **options) == expected


def test_what_is_no_token_is_never_kept() -> None:
    padded = np.append(LOGITS, np.float32(-np.inf))
    for options in ({}, {"top_k": 7}, {"top_k": 6}, {"top_p": 0.9999999}):
        assert kept(padded, **options) == set(range(6))


def test_top_p_counts_probabilities_at_the_temperature() -> None:
    at_half = jax.jit(filtered)(LOGITS[None], draws(SamplingOptions(temperature=0.5, top_p=0.7)))
    squared = PROBABILITIES**2 / (PROBABILITIES**2).sum()  # the three likeliest: 0.40, 0.28, 0.28
    assert set(np.flatnonzero(np.isfinite(at_half[0])).tolist()) == {1, 3, 5}
    assert squared[1] + squared[3] < 0.7 < squared[[1, 3, 5]].sum()
    at_two = jax.jit(filtered)(LOGITS[None], draws(SamplingOptions(temperature=2.0, top_p=0.7)))
    assert set(np.flatnonzero(np.isfinite(at_two[0])).tolist()) == {1, 3, 4, 5}


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ({"temperature": 1.0}, PROBABILITIES),
        ({"temperature": 0.5}, PROBABILITIES**2),
        ({"temperature": 1.0, "top_k": 3}, PROBABILITIES * [0, 1, 0, 1, 0, 1]),
        ({"temperature": 2.0, "top_p": 0.7}, PROBABILITIES**0.5 * [0, 1, 0, 1, 1, 1]),
    ],
    ids=["plain", "cold", "top-k", "hot-top-p"],
)
def test_draws_follow_the_distribution(options: dict[str, Any], weights: np.ndarray) -> None:
    count = 8192
    seeds = draws(*(SamplingOptions(seed=seed, **options) for seed in range(count)))
    token, _ = jax.jit(draw)(np.tile(LOGITS, (count, 1)), seeds)
    found = np.bincount(np.asarray(token), minlength=6)
    expected = count * weights / weights.sum()
    assert (found[expected == 0] == 0).all()
    seen = expected > 0
    assert (((found - expected)[seen] ** 2) / expected[seen]).sum() < 25  # 5 degrees of freedom: 1 in 7000


def test_one_slots_draws_over_its_tokens_follow_the_distribution_too() -> None:
    count = 4096
    slot = draws(*[SamplingOptions(temperature=1.0, seed=5)] * count) | {"number": np.arange(count, dtype=np.int32)}
    token, _ = jax.jit(draw)(np.tile(LOGITS, (count, 1)), slot)
    found, expected = np.bincount(np.asarray(token), minlength=6), count * PROBABILITIES
    assert (((found - expected) ** 2) / expected).sum() < 25


def test_a_draw_depends_on_seed_and_number_alone() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(6, 50)).astype(np.float32)
    options = [
        SamplingOptions(temperature=1.0, seed=1),
        SamplingOptions(),
        SamplingOptions(temperature=0.7, seed=2, top_k=9),
        SamplingOptions(temperature=1.5, seed=2**63, top_p=0.5),
        SamplingOptions(temperature=1.0, seed=-1),
        SamplingOptions(temperature=1.0, seed=1 + 2**32),
    ]
    run = jax.jit(draw)
    for number in (0, 3):
        together, _ = run(logits, draws(*options, number=number))
        alone = [run(logits[i : i + 1], draws(one, number=number))[0][0] for i, one in enumerate(options)]
        order = [4, 2, 0, 5, 3, 1]
        turned, _ = run(logits[order], draws(*(options[i] for i in order), number=number))
        assert together.tolist() == [int(token) for token in alone]
        assert turned.tolist() == [int(together[i]) for i in order]


def test_each_half_of_a_seed_and_each_number_draw_anew() -> None:
    logits = np.zeros((4, 100_000), np.float32)
    seeds = [1, 2, 1 + 2**32, 1 + 2**33]
    token, _ = jax.jit(draw)(logits, draws(*(SamplingOptions(temperature=1.0, seed=seed) for seed in seeds)))
    later, _ = jax.jit(draw)(logits, draws(*(SamplingOptions(temperature=1.0, seed=seed) for seed in seeds), number=1))
    assert len({*token.tolist(), *later.tolist()}) == 8


def test_log_probability_is_the_models_at_temperature_one_whatever_was_cut() -> None:
    options = [SamplingOptions(), SamplingOptions(temperature=0.3, top_k=2), SamplingOptions(temperature=3.0)]
    token, log_prob = jax.jit(draw)(np.tile(LOGITS + 2, (3, 1)), draws(*options))
    assert int(token[0]) == 1
    np.testing.assert_allclose(log_prob, LOGITS[np.asarray(token)], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"max_new_tokens": -1}, "max_new_tokens"),
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"temperature": float("inf")}, "temperature"),
        ({"top_k": -1}, "top_k"),
        ({"top_p": 0.0}, "top_p"),
        ({"top_p": 1.1}, "top_p"),
        ({"stop_strings": ("a", "")}, "stop_strings"),
    ],
    ids=str,
)
def test_options_out_of_range_are_refused_by_name(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name} .*: give "):
        SamplingOptions(**options)
