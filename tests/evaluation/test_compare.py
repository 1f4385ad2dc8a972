"""Pairing two evaluations item by item."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from melama_jax.errors import ConfigError
from melama_jax.evaluation.answers import sha256_of
from melama_jax.evaluation.compare import check_output, compare_runs, write_comparison

pytest.importorskip("scipy", reason="the tests need the extra eval")


def write_run(run: Path, scores: dict[str, list[float]], *, prompt: str = "p", shift: int = 0) -> Path:
    """A finished evaluation: by task, the strict score of each item."""
    for task, values in scores.items():
        folder = run / task
        folder.mkdir(parents=True)
        rows: list[dict[str, Any]] = [
            {"id": f"{number + shift}", "answering": "generate", "item_scores": {"strict": value}}
            for number, value in enumerate(values)
        ]
        (folder / "outputs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        entry = {"task": task, "protocol": {"prompt": prompt, "files": {"test.json": "0"}}}
        (folder / "scores.json").write_text(json.dumps(entry))
    return run


def test_items_are_paired_and_tested(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {"medqa": [0.0] * 20, "squad": [0.25, 0.5] * 10})
    b = write_run(tmp_path / "b", {"medqa": [1.0] * 10 + [0.0] * 10, "squad": [0.25, 0.5] * 10})
    medqa, squad = compare_runs(a, b, seed=0).pairs
    assert (medqa.items, medqa.a, medqa.b, medqa.only_a, medqa.only_b) == (20, 0.0, 0.5, 0, 10)
    assert medqa.p == pytest.approx(2 / 2**10)  # ten discordant items, all one way
    assert medqa.adjusted == pytest.approx(2 * medqa.p)
    assert medqa.low > 0.2
    assert (squad.only_a, squad.p, squad.low, squad.high) == (None, 1.0, 0.0, 0.0)


def test_the_order_of_items_does_not_matter_and_the_rest_is_counted(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {"medqa": [1.0, 0.0, 1.0, 0.0]})
    b = write_run(tmp_path / "b", {"medqa": [0.0, 1.0, 0.0, 1.0], "hoc": [1.0]}, shift=1)
    found = compare_runs(a, b, seed=0)
    (pair,) = found.pairs
    assert (pair.items, pair.only_a, pair.only_b) == (3, 0, 0)
    assert found.warnings == [f"only {b} has hoc", "medqa: 2 answers have no counterpart and are left out"]


def test_other_protocols_are_told(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {"medqa": [1.0]})
    b = write_run(tmp_path / "b", {"medqa": [1.0]}, prompt="q")
    assert compare_runs(a, b, seed=0).warnings == ["medqa: prompt is 'p' in A, 'q' in B"]


@pytest.mark.parametrize("name", ["out.json", "out.md"])
def test_it_can_be_written(tmp_path: Path, name: str) -> None:
    a, b = (write_run(tmp_path / run, {"medqa": [1.0, 0.0]}) for run in "ab")
    write_comparison(tmp_path / name, compare_runs(a, b, seed=0))
    text = (tmp_path / name).read_text()
    assert (json.loads(text)["pairs"][0]["task"] if name == "out.json" else text.splitlines()[6][:9]) == (
        "medqa" if name == "out.json" else "| medqa |"
    )


@pytest.mark.parametrize("name", ["out.txt", "out", "out.md.gz"])
def test_an_output_of_another_ending_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=f"--output {name}: must end in .json or .md"):
        check_output(Path(name))


def test_runs_without_an_item_in_common_are_refused(tmp_path: Path) -> None:
    a, b = (write_run(tmp_path / run, {"medqa": [1.0]}, shift=shift) for run, shift in (("a", 0), ("b", 1)))
    with pytest.raises(ConfigError, match="have medqa, but no item that both have a score of"):
        compare_runs(a, b, seed=0)


def test_a_run_that_still_writes_is_left_as_it_is(tmp_path: Path) -> None:
    a, b = (write_run(tmp_path / run, {"medqa": [1.0, 0.0]}) for run in "ab")
    answers = b / "medqa" / "outputs.jsonl"
    with answers.open("a") as file:
        file.write('{"id": "2", "answ')
    before = sha256_of(answers)
    assert compare_runs(a, b, seed=0).pairs[0].items == 2
    assert sha256_of(answers) == before


def test_a_text_and_a_file_of_it_have_one_hash(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes("f\u00fcr".encode())
    assert sha256_of(tmp_path / "file") == sha256_of("f\u00fcr")


def test_a_folder_without_an_evaluation_is_refused(tmp_path: Path) -> None:
    a = write_run(tmp_path / "a", {"medqa": [1.0]})
    with pytest.raises(ConfigError, match="holds no finished task"):
        compare_runs(a, tmp_path / "none", seed=0)
    with pytest.raises(ConfigError, match="no task in common"):
        compare_runs(a, write_run(tmp_path / "b", {"hoc": [1.0]}), seed=0)
