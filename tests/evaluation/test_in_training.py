"""Benchmarks asked while training: the same figures as the evaluation of the checkpoint, in the metrics file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from melama_jax import evaluate, train
from melama_jax.errors import ConfigError
from tests import runs
from tests.evaluation.asked import write_medqa

pytest.importorskip("sklearn", reason="scores need the extra eval")
TASK = "medqa_4options"


def test_accuracies_are_logged_and_equal_those_of_the_checkpoint(tmp_path: Path, cache_dir: Path) -> None:
    root = write_medqa(tmp_path / "benchmarks", count=12)
    benchmarks = {"tasks": TASK, "interval": 4, "data": {"root": str(root)}}
    sections = {"train": {"steps": 6}, "checkpoint": {"interval": 4}, "eval": {"benchmarks": benchmarks}}
    config = runs.small_config(tmp_path / "run", cache_dir, **sections)
    assert train.train(config) == 0
    records = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    measured = {
        record["step"]: record[f"eval/{TASK}/accuracy"] for record in records if f"eval/{TASK}/accuracy" in record
    }
    assert measured.keys() == {4, 6}
    assert records[0][f"baseline/{TASK}/items"] == 12
    out = tmp_path / "evaluated"
    settings = ["--set", f"data.root={root}", "--set", "protocol.answering=[likelihood]"]
    run = str(tmp_path / "run")
    assert evaluate.main(["--checkpoint", run, "--tasks", TASK, "--output", str(out), *settings]) == 0
    raw = json.loads((out / TASK / "scores.json").read_text())["scores"][0]
    assert raw["metrics"]["accuracy"]["value"] == measured[6]


@pytest.mark.parametrize(
    ("tasks", "message"),
    [("hoc", "has no answers to choose among"), ("stability", "has no answers"), ("nothing", "unknown task 'nothing'")],
)
def test_what_cannot_be_asked_is_refused_before_training(
    tmp_path: Path, cache_dir: Path, tasks: str, message: str
) -> None:
    config = runs.small_config(tmp_path / "run", cache_dir, eval={"benchmarks": {"tasks": tasks}})
    with pytest.raises(ConfigError, match=message):
        train.train(config)
    assert not list(tmp_path.glob("run/checkpoints/[0-9]*"))
