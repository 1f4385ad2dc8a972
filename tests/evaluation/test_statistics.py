"""Intervals and tests against figures known otherwise."""

import time

import numpy as np
import pytest

from melama_jax.evaluation import statistics
from melama_jax.evaluation.metrics import macro_f1


def test_bootstrap_interval_of_a_mean_is_near_the_normal_one() -> None:
    values = np.random.default_rng(0).normal(0.5, 0.2, 2000)
    interval = statistics.bootstrap_interval(statistics.mean, values, seed=1)
    half = 1.96 * values.std() / np.sqrt(2000)
    assert interval == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)


def test_seed_decides_the_draws() -> None:
    values = np.random.default_rng(0).random(50)
    first, again, other = (statistics.bootstrap_interval(statistics.mean, values, seed=seed) for seed in (3, 3, 4))
    assert first == again != other


def test_number_of_resamples_is_kept_beyond_a_chunk() -> None:
    drawn = [means for (means,) in statistics._resampled([np.ones(3)], 150, 0)]
    assert sum(map(len, drawn)) == 150


def test_what_does_not_vary_has_no_interval_but_a_share_of_none_or_all() -> None:
    for same in (np.ones(77), np.full(77, 0.3), np.zeros(77)):
        assert statistics.bootstrap_interval(statistics.mean, same) is None
    assert statistics.bootstrap_interval(statistics.mean, np.full(77, 0.3), share=True) is None
    for value, successes in ((0.0, 0), (1.0, 77)):
        found = statistics.bootstrap_interval(statistics.mean, np.full(77, value), share=True)
        assert found is not None
        assert found == statistics.wilson_interval(successes, 77)
        assert found[0] < found[1]


def test_a_score_that_a_resample_has_not_has_no_interval() -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        assert statistics.bootstrap_interval(lambda means: means[..., 0] / means[..., 1], np.eye(2) * [[1, 0]]) is None


def test_interval_of_a_macro_f1_over_a_large_set_is_a_matter_of_seconds() -> None:
    counts = (np.random.default_rng(0).random((26_804, 30)) < 0.1).astype(float)
    started = time.monotonic()
    interval = statistics.bootstrap_interval(macro_f1, counts)
    assert interval is not None
    assert interval[0] < interval[1]
    assert time.monotonic() - started < 60


def test_wilson_interval_of_a_published_example() -> None:
    # Newcombe 1998, table I: 81 of 263.
    assert statistics.wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_mcnemar_counts_the_items_that_differ() -> None:
    a = [True] * 10 + [False] * 2 + [True] * 30
    b = [False] * 10 + [True] * 2 + [True] * 30
    found = statistics.mcnemar(a, b)
    assert (found["only_a"], found["only_b"]) == (10, 2)
    assert found["p"] == pytest.approx(2 * (1 + 12 + 66) / 2**12)
    assert statistics.mcnemar([True], [True])["p"] == 1.0


def test_paired_bootstrap_sees_what_separate_intervals_do_not() -> None:
    rng = np.random.default_rng(0)
    a = (rng.random(400) < 0.5).astype(float)
    b = a.copy()
    b[np.flatnonzero(a == 0)[:12]] = 1.0
    found = statistics.paired_bootstrap(statistics.mean, a, b, 0)
    assert found["difference"] == pytest.approx(0.03)
    assert 0 < found["low"] < 0.03 < found["high"]
    assert found["p"] < 0.01
    assert statistics.paired_bootstrap(statistics.mean, a, a, 0) == {"difference": 0, "low": 0, "high": 0, "p": 1}


@pytest.mark.parametrize(
    "paired", [lambda a, b: statistics.paired_bootstrap(statistics.mean, a, b), statistics.mcnemar]
)
def test_items_that_are_not_pairs_are_refused(paired) -> None:
    with pytest.raises(ValueError, match="differ in number: 3 and 2"):
        paired(np.ones(3), np.ones(2))


def test_standard_deviation_is_over_n_minus_one() -> None:
    assert statistics.standard_deviation([1.0, 2.0, 3.0]) == 1.0
    with pytest.raises(ValueError, match="two values"):
        statistics.standard_deviation([1.0])


def test_pick_takes_the_sum_or_divides_by_characters() -> None:
    rows = {"yes": (-3.0, 1, 3), "perhaps": (-3.5, 2, 7)}
    assert statistics.pick(rows, normalized=False) == "yes"
    assert statistics.pick(rows, normalized=True) == "perhaps"


def test_pick_takes_the_first_of_equals_and_none_of_what_is_no_number() -> None:
    assert statistics.likeliest_of({"A": -2.0, "B": -1.0}) == "B"
    assert statistics.likeliest_of({"A": float("nan"), "B": -1.0}) is None
    assert statistics.pick({"A": (-1.0, 1, 1), "B": (-1.0, 1, 1)}, normalized=False) == "A"
    assert statistics.pick({"A": (-1.0, 1, 1), "B": (float("nan"), 1, 1)}, normalized=False) is None
