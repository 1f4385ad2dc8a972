"""The evaluate command on a small model of random weights, as a user types it."""

from __future__ import annotations

import functools
import json
import shutil
from pathlib import Path

import pytest

from melama_jax import evaluate
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConfigError, ConversionError
from melama_jax.evaluation.answers import AnswerFile
from tests import runs
from tests.conversion import adapters, shaped
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


def words(model: Path, root: Path, *more: str) -> list[str]:
    settings = [f"data.root={root / 'benchmarks'}", "protocol.max_new_tokens=4", "metrics.resamples=50", *more]
    overrides = [word for setting in settings for word in ("--set", setting)]
    where = ["--checkpoint", str(model), "--output", str(root / "run")]
    return [*where, "--tasks", f"{TASK},samples", *overrides, "--set", "data.max_examples=6"]


def run(model: Path, root: Path, *more: str) -> int:
    return evaluate.main(words(model, root, *more))


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


def test_an_adapter_is_evaluated_beside_its_base(model: Path, done: Path, tmp_path: Path) -> None:
    shutil.copytree(done / "benchmarks", tmp_path / "benchmarks")
    adapter = adapters.write_peft(tmp_path / "adapter", model, base_model_name_or_path="moved")
    with pytest.raises(ConversionError, match="adapter: its base moved is not here; give its folder with --base"):
        evaluate.main([*words(adapter, tmp_path), "--output", str(tmp_path / "refused")])
    assert evaluate.main([*words(adapter, tmp_path), "--base", str(model), "--tasks", TASK]) == 0
    reported = json.loads((tmp_path / "run" / "report.json").read_text())["model"]
    alone = json.loads((done / "run" / "report.json").read_text())["model"]
    assert (reported["format"], reported["adapter"]["rank"]) == ("peft", 4)
    assert reported["base"]["fingerprint"] == alone["fingerprint"] != reported["fingerprint"]


FAILING = """
from melama_jax import errors, evaluate
from melama_jax.evaluation import runner
def fail(question, rows):
    raise errors.DataError(f"{question.task.name}: cannot be scored")
runner.score_task = fail
errors.run_command(evaluate.main)
"""


def test_two_processes_write_what_one_writes(model: Path, done: Path, tmp_path: Path) -> None:
    shutil.copytree(done / "benchmarks", tmp_path / "benchmarks")
    # A process beside the first writes nothing, also where it is told another folder.
    start = functools.partial(
        runs.start_processes,
        {"checkpoint": str(model)},
        tmp_path,
        processes=2,
        arguments=[*words(model, tmp_path), "--tasks", TASK],
        module="melama_jax.evaluate",
    )
    elsewhere = ["--output", str(tmp_path / "second")]
    assert runs.finish(start(own={0: ["-c", FAILING], 1: elsewhere})) == [2, 2]
    for process in range(2):
        log = (tmp_path / f"log{process}").read_text()
        assert f"error: {TASK}: cannot be scored" in log
        assert "Traceback" not in log
    assert runs.finish(start(own={1: elsewhere})) == [0, 0], (tmp_path / "log0").read_text()[-2000:]
    assert not (tmp_path / "second").exists()
    alone, both = (json.loads((root / "run" / TASK / "scores.json").read_text()) for root in (done, tmp_path))
    differing = {"seconds": None, "scoring": None}  # the clock, and the version of the program
    assert both | differing == alone | differing
    answers = [AnswerFile(root / "run" / TASK / "outputs.jsonl").rows for root in (done, tmp_path)]
    assert [row.get("output") for row in answers[0].values()] == [row.get("output") for row in answers[1].values()]


def test_two_runs_are_compared(model: Path, done: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    shutil.copytree(done / "benchmarks", tmp_path / "benchmarks")
    assert run(model, tmp_path, "protocol.max_new_tokens=3") == 0
    capsys.readouterr()
    assert evaluate.main(["compare", str(done / "run"), str(tmp_path / "run")]) == 0
    assert TASK in capsys.readouterr().out


def test_a_missing_dataset_ends_it_before_the_model_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pubmedqa: the files are not there .*data.allow_missing"):
        evaluate.main(["--checkpoint", "nowhere", "--tasks", "pubmedqa", "--set", f"data.root={tmp_path}"])


def test_answers_that_leave_no_room_for_a_prompt_are_refused_before_anything_is_asked(
    model: Path, done: Path, tmp_path: Path
) -> None:
    shutil.copytree(done / "benchmarks", tmp_path / "benchmarks")
    with pytest.raises(ConfigError, match=rf"protocol.max_new_tokens: {TASK} may write 64 tokens, .* at most 63 work"):
        run(model, tmp_path, "protocol.max_new_tokens=null", "engine.max_length=64")
    assert not (tmp_path / "run" / TASK).exists()


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
