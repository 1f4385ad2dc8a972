"""Asking, keeping, resuming and scoring a task, with a model that answers by rule."""

from __future__ import annotations

import dataclasses
import functools
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from melama_jax.config import EvaluationConfig
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation.question import Question
from melama_jax.evaluation.runner import ANSWERS_FILE, SCORES_FILE, Runner, ask
from melama_jax.evaluation.scoring import score_cases_task
from melama_jax.evaluation.suites import resolve
from tests.evaluation.asked import RuleAsker, write_medqa

TASK = "medqa_4options"


def configure(tmp_path: Path, **sections: Any) -> EvaluationConfig:
    root = write_medqa(tmp_path / "benchmarks")
    tree = {"checkpoint": "-", "tasks": [TASK], "output": str(tmp_path / "run"), "data": {"root": str(root)}}
    for name, section in sections.items():
        tree[name] = tree.get(name, {}) | section
    return EvaluationConfig.model_validate(tree)


def evaluate(config: EvaluationConfig, asker: RuleAsker, model: str = "m") -> dict[str, Any]:
    question = Question(resolve([TASK])[0], config)
    runner = Runner(config, asker, {"fingerprint": model}, source="s", track=lambda title, total: lambda: None)
    return runner.run(TASK, functools.partial(ask, question), protocol=question.protocol())


def rows(config: EvaluationConfig) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(config.output) / TASK / ANSWERS_FILE).read_text().splitlines()]


def test_a_task_is_asked_in_both_ways_and_scored(tmp_path: Path) -> None:
    config = configure(tmp_path)
    result = evaluate(config, RuleAsker())
    found = {(score["answering"], score["scorer"]): score["metrics"]["accuracy"]["value"] for score in result["scores"]}
    # Always B, or always the last label: one of four is right either way.
    assert {found["generate", "strict"], found["likelihood", "raw"], found["likelihood", "normalized"]} == {0.25}
    assert result["n"] == 8
    assert result["chance"] == 0.25
    assert len(result["failures"]) == config.failure_examples
    assert all(failure["gold"] != "B" for failure in result["failures"])
    kept = rows(config)
    assert [row["answering"] for row in kept] == ["generate"] * 8 + ["likelihood"] * 8
    assert all(row["output"] == "B." and row["strict"] == "B" for row in kept[:8])
    assert kept[8]["log_likelihoods"]["D"][0] == -6


def test_an_interrupted_task_goes_on_and_ends_with_the_same_files(tmp_path: Path) -> None:
    whole = configure(tmp_path / "whole")
    evaluate(whole, RuleAsker())
    config = configure(tmp_path / "parts")
    for answers in (3, 7):
        with pytest.raises(KeyboardInterrupt):
            evaluate(config, RuleAsker(stops_after=answers))
    path = Path(config.output) / TASK / ANSWERS_FILE
    assert len(rows(config)) == 10
    with path.open("a") as file:
        file.write('{"answering": "likelihood", "id": "half')  # as a kill leaves it
    last = RuleAsker()
    result = evaluate(config, last)
    assert len(last.asked) == 6
    assert path.read_bytes() == (Path(whole.output) / TASK / ANSWERS_FILE).read_bytes()
    assert result["scores"][0]["metrics"]["accuracy"]["value"] == 0.25


def test_a_finished_task_is_not_asked_again_but_scored_again_for_other_metrics(tmp_path: Path) -> None:
    config = configure(tmp_path)
    first = evaluate(config, RuleAsker())
    again = RuleAsker()
    assert evaluate(config, again) == json.loads(json.dumps(first))
    other = configure(tmp_path, metrics={"resamples": 50})
    assert evaluate(other, again)["scoring"]["metrics"]["resamples"] == 50
    assert json.loads((Path(config.output) / TASK / SCORES_FILE).read_text())["scoring"]["metrics"]["resamples"] == 50
    assert again.asked == []


@pytest.mark.parametrize(
    ("sections", "model", "named"),
    [({}, "other", "model.fingerprint"), ({"protocol": {"temperature": 0.5}}, "m", "protocol.temperature was 0.0")],
)
def test_answers_got_otherwise_are_not_mixed(tmp_path: Path, sections: dict, model: str, named: str) -> None:
    evaluate(configure(tmp_path), RuleAsker())
    with pytest.raises(ConfigError, match=named):
        evaluate(configure(tmp_path, **sections), RuleAsker(), model)


def test_a_draw_is_the_same_every_time_and_no_more_than_asked(tmp_path: Path) -> None:
    config = configure(tmp_path, data={"max_examples": 3})
    drawn = [example.id for example in Question(resolve([TASK])[0], config).examples]
    assert len(drawn) == 3
    assert drawn == [example.id for example in Question(resolve([TASK])[0], config).examples]


def test_answers_and_scores_are_for_the_owner_alone(tmp_path: Path) -> None:
    config = configure(tmp_path)
    evaluate(config, RuleAsker())
    for name in (ANSWERS_FILE, SCORES_FILE):
        assert stat.S_IMODE((Path(config.output) / TASK / name).stat().st_mode) == 0o600


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    config = configure(tmp_path)
    evaluate(config, RuleAsker())
    folder = Path(config.output) / TASK
    lines = (folder / ANSWERS_FILE).read_text().splitlines()
    lines[2] = lines[2][:-9]
    (folder / ANSWERS_FILE).write_text("\n".join(lines) + "\n")
    (folder / SCORES_FILE).unlink()
    with pytest.raises(DataError, match=r"outputs.jsonl: line 3 is damaged"):
        evaluate(config, RuleAsker())


def test_an_unknown_task_is_named_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown task 'medqu'; did you mean medqa\?"):
        resolve(["medqu"])


def test_suites_name_their_tasks_once() -> None:
    names = [task.name for task in resolve(["mibe", "medqa", "related"])]
    assert len(names) == len(set(names)) == 17


def test_a_training_split_is_parted_as_the_paper_does(tmp_path: Path) -> None:
    rows = [
        {
            "question": f"q{number}",
            "opa": "a",
            "opb": "b",
            "opc": "c",
            "opd": "d",
            "cop": 1 + number % 4,
            "id": f"{number}",
        }
        for number in range(30)
    ]
    folder = tmp_path / "benchmarks" / "medmcqa"
    folder.mkdir(parents=True)
    (folder / "train.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = {"resplit": True, "split": "validation"}
    config = configure(tmp_path, data=data, protocol={"shots": 2})
    question = Question(resolve(["medmcqa"])[0], config)
    assert len(question.examples) == 3
    assert question.protocol()["resplit"]
    held_out = {example.fields["question"] for example in question.examples}
    assert not any(
        f"Question: {text}\n" in prompt.rsplit("Question:", 1)[0] for text in held_out for prompt in question.prompts
    )


def test_sampled_answers_have_seeds_of_their_own(tmp_path: Path) -> None:
    config = configure(tmp_path, protocol={"temperature": 0.7})
    evaluate(config, RuleAsker())
    seeds = {row["sampling"]["seed"] for row in rows(config) if row["answering"] == "generate"}
    assert len(seeds) == 8


def test_a_prompt_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"protocol.prompts.medqa_4options: the prompt meqsum is for .* kind summary"):
        evaluate(configure(tmp_path, protocol={"prompts": {TASK: "meqsum"}}), RuleAsker())


def test_the_confusion_is_that_of_the_first_way_whose_answers_could_be_read(tmp_path: Path) -> None:
    class Silent(RuleAsker):
        answer = ""

    read = evaluate(configure(tmp_path / "a"), RuleAsker())["confusion"]
    assert read["answered_by"] == "generate strict"
    assert read["matrix"] == [[0, 2, 0, 0, 0]] * 4  # always B
    unread = evaluate(configure(tmp_path / "b"), Silent())["confusion"]
    assert unread["answered_by"] == "likelihood raw"
    assert unread["matrix"] == [[0, 0, 0, 2, 0]] * 4  # always D


def test_scores_of_a_judge_that_is_no_longer_asked_are_not_kept(tmp_path: Path) -> None:
    folder = tmp_path / "benchmarks" / "own_cases"
    folder.mkdir(parents=True)
    (folder / "cases.jsonl").write_text(json.dumps({"id": "1", "case": "a case", "diagnosis": "gout"}) + "\n")
    question = Question(resolve(["own_cases"])[0], configure(tmp_path))
    row = {"id": "1", "output": "1. gout", "gold": "gout", "dropped_tokens": 0, "item_scores": {"judge": 1.0}}
    score_cases_task(question, {"generate": [row]})
    assert row["item_scores"] == {"normalized": 1.0, "synonyms": 1.0}


def test_cut_prompts_are_counted_and_told(tmp_path: Path) -> None:
    class Cutting(RuleAsker):
        def generate(self, prompts, **options):  # type: ignore[override]
            asked, options["on_complete"] = options["on_complete"], None
            done = [
                dataclasses.replace(c, dropped_tokens=n) for n, c in enumerate(super().generate(prompts, **options))
            ]
            for number, completion in enumerate(done):
                asked(number, completion)
            return done

    result = evaluate(configure(tmp_path), Cutting())
    assert result["cut_prompts"] == {"items": 7, "most_tokens": 7}
    assert "7 of 8 prompts were longer than the context" in result["protocol"]["notes"][-1]
