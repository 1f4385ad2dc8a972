"""The evaluate command on a small model of random weights, as a user types it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from melama_jax import evaluate
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConfigError
from tests.conversion import shaped
from tests.evaluation.asked import write_medqa

pytest.importorskip("sklearn", reason="scores need the extra eval")
TASK = "medqa_4options"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of random weights with the samples' tokenizer."""
    folder = tmp_path_factory.mktemp("model") / "hf"
    shaped.write_hf(folder, shaped.sizes(vocab_size=load_vocabulary(None).vocab_size))
    shutil.copy(load_vocabulary(None).path, folder / "tokenizer.model")
    return folder


@pytest.fixture(scope="module")
def done(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished evaluation."""
    root = tmp_path_factory.mktemp("evaluated")
    write_medqa(root / "benchmarks", count=6)
    assert run(model, root) == 0
    return root


def run(model: Path, root: Path, *more: str) -> int:
    settings = [f"data.root={root / 'benchmarks'}", "protocol.max_new_tokens=4", "metrics.resamples=50", *more]
    overrides = [word for setting in settings for word in ("--set", setting)]
    where = ["--checkpoint", str(model), "--output", str(root / "run")]
    return evaluate.main([*where, "--tasks", f"{TASK},samples", *overrides, "--set", "data.max_examples=6"])


def test_a_run_leaves_a_report_and_every_answer(done: Path) -> None:
    report = json.loads((done / "run" / "report.json").read_text())
    assert [task["task"] for task in report["tasks"]] == [TASK, "samples"]
    for task in report["tasks"]:
        assert task["n"] == 6
        assert {score["scorer"] for score in task["scores"]} >= {"strict", "raw", "normalized"}
        rows = (done / "run" / task["task"] / "outputs.jsonl").read_text().splitlines()
        assert len(rows) == 12
    for name in ("report.html", "report.md", "evaluation.yaml"):
        assert (done / "run" / name).stat().st_size > 0
    assert report["model"]["fingerprint"]


def test_the_same_command_asks_nothing_again(model: Path, done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (done / "run" / TASK / "outputs.jsonl").stat().st_mtime_ns
    monkeypatch.setattr(evaluate.Engine, "generate", None)
    monkeypatch.setattr(evaluate.Engine, "score", None)
    assert run(model, done) == 0
    assert (done / "run" / TASK / "outputs.jsonl").stat().st_mtime_ns == before


def test_two_runs_are_compared(model: Path, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    shutil.copytree(done / "benchmarks", tmp_path / "benchmarks")
    assert run(model, tmp_path, "protocol.max_new_tokens=3") == 0
    capsys.readouterr()
    assert evaluate.main(["compare", str(done / "run"), str(tmp_path / "run")]) == 0
    assert TASK in capsys.readouterr().out


def test_a_missing_dataset_ends_it_before_the_model_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pubmedqa: the files are not there .*data.allow_missing"):
        evaluate.main(["--checkpoint", "nowhere", "--tasks", "pubmedqa", "--set", f"data.root={tmp_path}"])


def test_what_is_not_there_can_be_reported_as_not_run(model: Path, tmp_path: Path) -> None:
    write_medqa(tmp_path / "benchmarks", count=2)
    arguments = ["--checkpoint", str(model), "--tasks", f"pubmedqa,{TASK}", "--output", str(tmp_path / "run")]
    settings = [f"data.root={tmp_path / 'benchmarks'}", "data.allow_missing=true", "protocol.answering=[likelihood]"]
    assert evaluate.main([*arguments, *(word for setting in settings for word in ("--set", setting))]) == 0
    missing, _ = json.loads((tmp_path / "run" / "report.json").read_text())["tasks"]
    assert str(tmp_path / "benchmarks" / "pubmedqa") in missing["not_run"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "give --checkpoint DIR, or --config FILE"),
        (["--checkpoint", "x", "--tasks", "mibee"], "unknown task 'mibee'; did you mean mibe?"),
        (["--checkpoint", "x", "--set", "protocol.shot=1"], "did you mean protocol.shots?"),
        (["--checkpoint", "x", "--set", "protocol.answering=[]"], "protocol.answering is empty"),
        (["compare", "x"], "the following arguments are required: RUN"),
    ],
)
def test_a_wrong_command_line_says_what_would_work(arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        evaluate.main(arguments)
    assert message in str(refused.value)
