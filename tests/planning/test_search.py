"""The search: which settings it tries, in which order, and what it tells when it is stopped."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console

from melama_jax.config import Config, from_mapping, load
from melama_jax.parallel import hardware
from melama_jax.planning import search
from melama_jax.planning.estimate import Efficiency
from melama_jax.planning.search import Candidate, Search, candidates, fragment, variants
from melama_jax.planning.targets import Target, parse_target
from melama_jax.planning.worker import Worker
from tests.runs import small_tree

EFFICIENCY = Efficiency()
FAKE = Target("fake:2", "cpu", hardware.H100, (2,), 1.0)
"""CPU devices with the data sheet of a GPU: compiled for real, and timed as if they were fast."""


def large(**train: Any) -> Config:
    values = {"global_batch_size": 128, "sequence_length": 4096} | train
    return from_mapping({"model": {"preset": "llama2-7b"}, "train": values})


class FakeWorker:
    """Answers at once; counts what it was asked."""

    asked: ClassVar[list[Config]] = []
    answer: ClassVar[Callable[[Config], dict[str, Any] | None]] = staticmethod(lambda config: None)

    def __init__(self, target: Target, efficiency: Efficiency):
        self.alive = True

    def plan(self, config: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        parsed = from_mapping(config)
        type(self).asked.append(parsed)
        return type(self).answer(parsed)

    def close(self) -> None:
        pass


def plan_of(config: Config) -> dict[str, Any]:
    """More rows at a time are faster; recomputing nothing takes too much memory."""
    fits = config.train.remat != "none"
    speed = 1000.0 / config.train.gradient_accumulation_steps + config.train.loss_chunk_size / 1e6
    return {
        "fits": fits,
        "estimated_tokens_per_second_per_device": speed,
        "estimated_mfu": 0.5,
        "no_estimate": None,
        "peak_bytes_per_device": 10**9,
    }


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Search, str]]:
    def run(answer: Any = plan_of, minutes: float = 10.0, config: Config | None = None) -> tuple[Search, str]:
        monkeypatch.setattr(search, "Worker", FakeWorker)
        monkeypatch.setattr(FakeWorker, "asked", [])
        monkeypatch.setattr(FakeWorker, "answer", staticmethod(answer))
        with (tmp_path / "shown").open("w") as stream:
            one = Search(
                config or large(),
                parse_target("a100-80gb:1x8"),
                EFFICIENCY,
                tmp_path / "plans",
                Console(file=stream, width=200),
            )
            one.run(minutes)
        return one, (tmp_path / "shown").read_text()

    return run


def test_what_is_tried_divides_the_model_and_could_fit() -> None:
    config, target = large(), parse_target("a100-80gb:1x8")
    found = candidates(config, target)
    assert found
    for one in found:
        assert one.data * one.fsdp * one.context * one.tensor == 8
        assert one.rows * one.accumulation * one.data * one.fsdp == 128
    # Weights, moments and gradients of 7B in float32 are 108 GB: one device cannot hold them.
    assert min(one.fsdp * one.tensor for one in found) > 1
    assert len(found) == len(set(found))
    assert found[0].tensor == 1, "communication that nothing hides comes last"


def test_long_rows_are_split() -> None:
    config = from_mapping(
        {"model": {"preset": "llama3.1-8b"}, "train": {"global_batch_size": 8, "sequence_length": 65536}}
    )
    assert {one.context for one in candidates(config, parse_target("h100:1x8"))} >= {1, 2, 4}


def test_variants_of_a_good_one() -> None:
    best = Candidate(1, 8, 1, 1, "full", 1, 16, "auto", 1024)
    found = variants(large(), parse_target("a100-80gb:1x8"), best)
    assert {one.chunk for one in found if one.attention == "auto"} == {512, 2048, 4096}
    assert [one.attention for one in found if one.chunk == 1024] == ["xla"]
    # Scores of 64k tokens by 64k would take the device's memory many times.
    config = from_mapping(
        {"model": {"preset": "llama3.1-8b"}, "train": {"global_batch_size": 8, "sequence_length": 65536}}
    )
    assert {one.attention for one in variants(config, parse_target("h100:1x8"), best)} == {"auto"}


def test_results_are_ranked_and_kept(run: Callable[..., tuple[Search, str]]) -> None:
    one, shown = run()
    results = one.results
    speeds = [r["estimated_tokens_per_second_per_device"] for r in results if r["fits"]]
    assert speeds == sorted(speeds, reverse=True)
    assert results[0]["chunk"] == 4096, "variants of the best were tried"
    assert shown.count("does not fit") == sum(r["fits"] is False for r in results)
    asked = len(FakeWorker.asked)
    assert asked == len(results)
    again, _ = run()
    assert again.results == results
    assert not FakeWorker.asked, "what is in the cache was planned again"


def test_more_of_what_does_not_fit_is_not_tried(run: Callable[..., tuple[Search, str]]) -> None:
    run(lambda config: plan_of(config) | {"fits": False})
    assert len(FakeWorker.asked) < len(candidates(large(), parse_target("a100-80gb:1x8")))
    meshes = {(c.mesh.data, c.mesh.fsdp, c.mesh.tensor) for c in FakeWorker.asked}
    assert meshes == {(c.data, c.fsdp, c.tensor) for c in candidates(large(), parse_target("a100-80gb:1x8"))}


def test_an_interrupted_search_tells_what_it_has(run: Callable[..., tuple[Search, str]]) -> None:
    def answer(config: Config) -> dict[str, Any]:
        if len(FakeWorker.asked) == 3:
            raise KeyboardInterrupt
        return plan_of(config)

    one, shown = run(answer)
    assert len(one.results) == 2
    assert "interrupted" in shown


def test_time_is_over(run: Callable[..., tuple[Search, str]]) -> None:
    one, shown = run(lambda config: plan_of(config) if len(FakeWorker.asked) < 3 else None)
    assert len(one.results) == 2
    assert "were not tried; give more --max-minutes" in shown


def test_what_has_no_estimate_is_no_winner(run: Callable[..., tuple[Search, str]]) -> None:
    nothing = dict.fromkeys(("estimated_tokens_per_second_per_device", "estimated_mfu"))
    one, shown = run(lambda config: plan_of(config) | nothing | {"no_estimate": "it cannot be counted"})
    assert one.results
    assert not any(search.ranked(result) for result in one.results)
    assert "no estimate (it cannot be counted), 1.0 GB" in shown
    assert search.table(one.results).row_count == 0


def test_a_compiler_that_dies_is_no_answer_to_keep(run: Callable[..., tuple[Search, str]], tmp_path: Path) -> None:
    one, shown = run(lambda config: {"failed": "the compiler ended with status -9"})
    assert all("fits" not in result for result in one.results)
    assert "ended with status -9" in shown
    assert not list((tmp_path / "plans").glob("*.json"))


def test_the_winner_is_a_base(run: Callable[..., tuple[Search, str]], tmp_path: Path) -> None:
    one, _ = run()
    best = one.results[0]
    (tmp_path / "winner.yaml").write_text(fragment(large(), best, parse_target("a100-80gb:1x8")))
    (tmp_path / "run.yaml").write_text(
        "model: {preset: llama2-7b}\nmesh: {fsdp: 2}\ntrain: {sequence_length: 4096, remat: none}\n"
    )
    (tmp_path / "config.yaml").write_text("base: [run.yaml, winner.yaml]\n")
    loaded = load(tmp_path / "config.yaml")
    assert (loaded.mesh.fsdp, loaded.train.remat) == (best["fsdp"], best["remat"])
    assert loaded.train.gradient_accumulation_steps == best["accumulation"]
    assert loaded.train.global_batch_size == 128


def test_a_process_plans_and_can_be_ended(tmp_path: Path) -> None:
    config = small_tree(tmp_path, tmp_path, mesh={"fsdp": 2})
    worker = Worker(FAKE, EFFICIENCY)
    try:
        found = worker.plan(config, 300)
        assert found is not None
        assert found["devices"] == 2
        assert math.isfinite(found["estimated_step_seconds"])
        assert json.dumps(found)
        started = time.monotonic()
        assert worker.plan(config | {"train": {"global_batch_size": 16}}, 0.1) is None
        assert time.monotonic() - started < 5
        assert not worker.alive
    finally:
        worker.close()
