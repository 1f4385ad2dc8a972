"""The training command as a user meets it: learning, being killed, resuming, and being given what cannot work."""

from __future__ import annotations

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jax
import pytest
import yaml

from melama_jax import train
from melama_jax.config import EvaluationConfig, from_mapping, load, load_tree
from melama_jax.config.loading import read_mapping
from melama_jax.config.prompt import load_prompt
from melama_jax.config.published import load_published
from melama_jax.config.wordings import load_wordings
from melama_jax.errors import CheckpointError, ConfigError, ConversionError, DataError, MeshError, TrainingError
from melama_jax.training.run_folder import open_run
from tests import runs


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Path:
    """A whole run of 12 steps in a process of its own."""
    run = tmp_path_factory.mktemp("uninterrupted")
    tree = runs.small_tree(run, cache_dir, log={"interval": 1, "tensorboard": True, "sample_prompt": "The patient"})
    assert runs.finish(runs.start_processes(tree, run)) == [0], (run / "log0").read_text()[-3000:]
    return run


def test_a_run_leaves_what_the_documentation_names(uninterrupted: Path) -> None:
    assert sorted(path.name for path in (uninterrupted / "checkpoints").iterdir()) == ["12", "4", "8"]
    assert (uninterrupted / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert list((uninterrupted / "tensorboard").iterdir())
    assert load(uninterrupted / "config.yaml").train.steps == 12
    log = (uninterrupted / "log0").read_text()
    for text in (
        "cluster: single process",
        "Training plan",
        "tokens in all",
        "6 N_matmul",
        "MFU n/a",
        "sample: The patient",
    ):
        assert text in log
    assert log.count("run:\n") == 1  # the resolved configuration, once


def test_loss_falls_and_every_domain_is_measured(uninterrupted: Path) -> None:
    records = runs.records(uninterrupted)
    assert [record["step"] for record in records] == list(range(1, 13))
    assert records[-1]["train/loss"] < records[0]["train/loss"] - 0.1
    for domain in ("biomedical", "clinical", "general"):
        assert (
            records[11][f"eval/{domain}/loss"]
            < records[5][f"eval/{domain}/loss"]
            < records[0][f"baseline/{domain}/loss"]
        )
    assert {"train/grad_norm", "train/learning_rate", "tokens_per_second", "data_wait_fraction"} <= records[0].keys()


def test_killed_at_any_moment_it_resumes_bit_for_bit(uninterrupted: Path, tmp_path: Path, cache_dir: Path) -> None:
    run = tmp_path / "killed"
    tree = runs.small_tree(run, cache_dir)
    for kill in ("while a checkpoint is written", "between checkpoints"):
        [process] = runs.start_processes(tree, run)
        deadline = time.monotonic() + 120
        lines_before = len(runs.records(run)) if (run / "metrics.jsonl").exists() else 0
        while process.poll() is None and time.monotonic() < deadline:
            if kill == "between checkpoints":
                if (run / "metrics.jsonl").exists() and len((run / "metrics.jsonl").read_text().splitlines()) > max(
                    lines_before, 5
                ):
                    break
            elif any("tmp" in path.name for path in (run / "checkpoints").glob("*")):
                break
            time.sleep(0.005)
        process.kill()
        assert process.wait() == -signal.SIGKILL, (run / "log0").read_text()[-3000:]
    assert runs.finish(runs.start_processes(tree, run)) == [0]
    assert runs.losses(run) == runs.losses(uninterrupted)
    assert runs.held_out(run) == runs.held_out(uninterrupted)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1], ids=["TERM", "USR1"])
def test_a_signal_saves_and_leaves_with_the_requeue_code(
    number: signal.Signals, tmp_path: Path, cache_dir: Path
) -> None:
    tree = runs.small_tree(
        tmp_path, cache_dir, train={"steps": 100000}, eval={"interval": None}, checkpoint={"interval": 100000}
    )
    tree["run"]["requeue_exit_code"] = 99
    tree["train"] |= {"global_batch_size": 8, "sequence_length": 64}
    [process] = runs.start_processes(tree, tmp_path)
    deadline = time.monotonic() + 120
    while not (tmp_path / "metrics.jsonl").exists() or len((tmp_path / "metrics.jsonl").read_text().splitlines()) < 3:
        assert time.monotonic() < deadline, (tmp_path / "log0").read_text()[-2000:]
        time.sleep(0.02)
    process.send_signal(number)
    assert runs.finish([process]) == [99]
    [saved] = [int(path.name) for path in (tmp_path / "checkpoints").iterdir()]
    assert runs.losses(tmp_path)[-1][0] == saved


def in_process(folder: Path, cache_dir: Path, **sections: Any) -> int:
    sections.setdefault("mesh", {"fsdp": len(jax.devices())})
    return train.train(runs.small_config(folder, cache_dir, **sections))


@pytest.fixture(scope="module")
def half_done(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> Path:
    """Two steps of a run on an eight-device mesh, in this process."""
    run = tmp_path_factory.mktemp("half")
    assert in_process(run, cache_dir, train={"steps": 2, "global_batch_size": 8, "sequence_length": 64}) == 0
    return run


def test_resumed_on_another_mesh_the_next_loss_is_the_same(
    uninterrupted: Path, tmp_path: Path, cache_dir: Path
) -> None:
    tree = runs.small_tree(tmp_path, cache_dir, checkpoint={"interval": 6})
    [process] = runs.start_processes(tree, tmp_path)
    deadline = time.monotonic() + 120
    while not (tmp_path / "checkpoints" / "6").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.wait()
    mesh = {"data": 1, "fsdp": 2, "context": 2, "tensor": 2}
    assert in_process(tmp_path, cache_dir, mesh=mesh, checkpoint={"interval": 6}) == 0
    assert runs.losses(tmp_path) == [(s, pytest.approx(x, rel=1e-5)) for s, x in runs.losses(uninterrupted)]


def test_a_harmless_change_is_listed_on_resume(half_done: Path, cache_dir: Path, capsys: pytest.CaptureFixture) -> None:
    train_section = {"steps": 3, "global_batch_size": 16, "sequence_length": 64}
    assert in_process(half_done, cache_dir, train=train_section, log={"interval": 2, "tensorboard": False}) == 0
    said = capsys.readouterr().out
    assert "train.global_batch_size changed from 8 to 16" in said
    assert "log.interval changed from 1 to 2" in said
    meta = json.loads((half_done / "checkpoints" / "3" / "meta" / "metadata").read_text())
    assert meta["data"]["next_row"] == 2 * 8 + 16  # rows already seen are not seen again


@pytest.mark.parametrize(
    ("sections", "key"),
    [
        ({"model": {"preset": "tiny", "vocab_size": 4096, "hidden_size": 128}}, "model.hidden_size was 64 and is 128"),
        ({"optimizer": {"mu_dtype": "bfloat16"}}, "optimizer.mu_dtype was 'float32' and is 'bfloat16'"),
        ({"run": {"seed": 5}}, "run.seed was 0 and is 5"),
        ({"train": {"steps": 9, "sequence_length": 128}}, "train.sequence_length was 64 and is 128"),
        ({"data": {"mixture": "general"}}, "data.mixture"),
        ({"data": {"rates": {"biomedical": 1.0}}}, "data.rates"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_model_or_other_data_is_refused(
    sections: dict[str, Any], key: str, half_done: Path, cache_dir: Path
) -> None:
    if "run" in sections:
        sections = {"run": {**sections["run"], "dir": str(half_done)}}
    with pytest.raises(CheckpointError, match=key):
        in_process(half_done, cache_dir, **sections)


def test_changed_source_text_is_refused(tmp_path: Path, cache_dir: Path) -> None:
    sources = tmp_path / "text"
    for domain in ("biomedical", "clinical", "general"):
        (sources / domain).mkdir(parents=True)
        (sources / domain / "a.txt").write_text("\n\n".join(f"{domain} document {n} " * 40 for n in range(40)))
    sections = {"data": {"root": str(sources), "validation_fraction": 0.1}, "eval": {"interval": None}}
    sections["train"] = {"steps": 1, "global_batch_size": 8, "sequence_length": 64}
    in_process(tmp_path / "run", cache_dir, **sections)
    (sources / "general" / "a.txt").write_text("\n\n".join(f"other text {n} " * 40 for n in range(40)))
    with pytest.raises(CheckpointError, match="was trained on other rows"):
        in_process(tmp_path / "run", cache_dir, **(sections | {"train": {"steps": 2, "sequence_length": 64}}))


def test_parameters_of_another_run_start_this_one(half_done: Path, tmp_path: Path, cache_dir: Path) -> None:
    assert (
        in_process(tmp_path, cache_dir, init={"from": str(half_done)}, train={"steps": 1, "sequence_length": 64}) == 0
    )
    assert runs.losses(tmp_path)[0][1] < runs.losses(half_done)[0][1]


def test_resume_false_refuses_a_folder_with_checkpoints(half_done: Path, cache_dir: Path) -> None:
    with pytest.raises(CheckpointError, match=r"checkpoint\.resume is false"):
        in_process(half_done, cache_dir, checkpoint={"resume": False})


def test_non_finite_steps_are_skipped_counted_and_stop_the_run(tmp_path: Path, cache_dir: Path) -> None:
    sections = {
        "optimizer": {"learning_rate": 1e30, "warmup_ratio": 0.0, "clip_norm": None},
        "train": {"steps": 12, "sequence_length": 64, "max_consecutive_nonfinite_steps": 3},
    }
    with pytest.raises(TrainingError, match=r"[34] steps in a row had a non-finite loss"):
        in_process(tmp_path, cache_dir, **sections)
    last = runs.records(tmp_path)[-1]
    assert last["train/loss"] is None
    assert last["train/skipped_steps"] >= 3
    assert not list((tmp_path / "checkpoints").glob("[0-9]*"))  # a run that fails writes nothing


def test_a_second_signal_does_not_lose_the_save(tmp_path: Path, cache_dir: Path) -> None:
    tree = runs.small_tree(
        tmp_path, cache_dir, train={"steps": 100000}, eval={"interval": None}, checkpoint={"interval": 100000}
    )
    tree["train"] |= {"global_batch_size": 8, "sequence_length": 64}
    [process] = runs.start_processes(tree, tmp_path)
    deadline = time.monotonic() + 120
    while not (tmp_path / "metrics.jsonl").exists() or len((tmp_path / "metrics.jsonl").read_text().splitlines()) < 3:
        assert time.monotonic() < deadline, (tmp_path / "log0").read_text()[-2000:]
        time.sleep(0.02)
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.05)
    assert process.returncode == 75
    assert [path.name.isdigit() for path in (tmp_path / "checkpoints").iterdir()] == [True]


def test_the_best_checkpoint_stays_and_without_a_better_one_the_run_ends(
    tmp_path: Path, cache_dir: Path, capsys: pytest.CaptureFixture
) -> None:
    sections: dict[str, Any] = {
        "data": {"mixture": "general"},
        "eval": {"interval": 2, "max_rows": 8, "before_training": False},
        "checkpoint": {"interval": 100, "keep_last": 1},
        "train": {"steps": 4, "global_batch_size": 8, "sequence_length": 64},
    }
    # The loss falls, so that the first is the largest.
    looked_for: dict[str, Any] | None = {"metric": "eval/general/loss", "larger_is_better": True, "patience": 3}

    def go_on(steps: int) -> str:
        sections["train"]["steps"] = steps
        assert in_process(tmp_path, cache_dir, **(sections | {"eval": sections["eval"] | {"best": looked_for}})) == 0
        return capsys.readouterr().out

    assert f"step 2, 1 evaluation(s) ago; checkpoint {tmp_path}/checkpoints/2" in go_on(4)
    assert "stopping at step 8: best eval/general/loss" in go_on(20)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["2", "8"]
    public = json.loads((tmp_path / "best.json").read_text())
    value = next(record["eval/general/loss"] for record in runs.records(tmp_path) if record["step"] == 2)
    assert public == {"metric": "eval/general/loss", "step": 2, "value": value}
    (tmp_path / "best.json").write_text(json.dumps(public | {"step": 1}))  # as a run that was killed leaves it
    assert "nothing to do: stopped early at step 8" in go_on(20)
    assert json.loads((tmp_path / "best.json").read_text()) == public
    shutil.rmtree(tmp_path / "checkpoints" / "2")
    assert "the best checkpoint, 2, is gone" in go_on(10)
    assert json.loads((tmp_path / "best.json").read_text())["step"] == 10
    looked_for = None
    go_on(12)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["10", "12"]


def conversations(folder: Path, count: int, *, split: str, **more: Any) -> dict[str, Any]:
    """A source of so many records, each of which fills most of a row of 64 tokens."""
    folder.mkdir(exist_ok=True)
    turns = ({"role": "user", "content": "a b c d e f g h " * 3}, {"role": "assistant", "content": "yes no"})
    records = ({"messages": [{**turns[0], "content": f"{n} {turns[0]['content']}"}, turns[1]]} for n in range(count))
    (folder / f"{split}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return {"glob": f"{split}.jsonl", "format": "messages", "split": split, **more}


def test_epochs_become_steps_that_a_resumed_run_counts_alike(
    tmp_path: Path, cache_dir: Path, capsys: pytest.CaptureFixture
) -> None:
    sources = [
        conversations(tmp_path / "text", 20, split="train"),
        conversations(tmp_path / "text", 2, split="validation"),
    ]
    sections: dict[str, Any] = {
        "data": {
            "mixture": "asked",
            "root": str(tmp_path / "text"),
            "sources": {"asked": sources},
            "attend_across_documents": False,
        },
        "train": {"steps": 50, "epochs": 1.5, "global_batch_size": 8, "sequence_length": 64},
        "eval": {"interval": None},
    }
    assert in_process(tmp_path / "run", cache_dir, **sections) == 0
    said = capsys.readouterr().out
    assert "train.epochs 1.5 of 20 rows, 8 a step: 4 steps instead of train.steps 50" in said
    assert [record["step"] for record in runs.records(tmp_path / "run")] == [1, 2, 3, 4]
    assert load(tmp_path / "run" / "config.yaml").train.steps == 4
    meta = json.loads((tmp_path / "run" / "checkpoints" / "4" / "meta" / "metadata").read_text())
    assert meta["config"]["train"] | {"steps": 4, "epochs": 1.5} == meta["config"]["train"]
    assert in_process(tmp_path / "run", cache_dir, **sections) == 0
    said = capsys.readouterr().out
    assert "nothing to do: step 4 of 4 is done (raise train.epochs to go on)" in said
    assert "resuming with" not in said
    # 32 rows are done; of 100 there are 68 left, 16 a step.
    sections["train"] |= {"epochs": 5, "global_batch_size": 16}
    assert in_process(tmp_path / "run", cache_dir, **sections) == 0
    assert [record["step"] for record in runs.records(tmp_path / "run")][-1] == 9


def test_epochs_of_tasks_that_are_mixed_by_rates_are_refused(tmp_path: Path, cache_dir: Path) -> None:
    sections = {"train": {"epochs": 1, "sequence_length": 64}}
    with pytest.raises(ConfigError, match=r"train\.epochs 1: .* give train\.steps instead, or a single task"):
        in_process(tmp_path, cache_dir, **sections)


def test_a_dry_run_shows_what_is_learned_from_but_nothing_protected(
    tmp_path: Path, cache_dir: Path, capsys: pytest.CaptureFixture
) -> None:
    open_one = conversations(tmp_path / "text", 4, split="train")
    secret = conversations(tmp_path / "secret", 4, split="validation", protected=True)
    (tmp_path / "secret" / "validation.jsonl").rename(tmp_path / "text" / "validation.jsonl")
    tree = runs.small_tree(tmp_path / "run", cache_dir, mesh={"fsdp": 8}, train={"epochs": 2, "sequence_length": 64})
    tree["data"] |= {
        "mixture": "asked",
        "root": str(tmp_path / "text"),
        "sources": {"asked": [open_one, secret]},
        "attend_across_documents": False,
    }
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(tree))
    assert train.main(["--config", str(tmp_path / "c.yaml"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "--- asked, train.jsonl: " in said
    assert "[[yes no</s>]]" in said
    assert "validation.jsonl: 4" in said
    assert said.count("Human:") == 1
    assert "protected: its text is not shown" in said
    assert "train.steps 12 is no more than a guess" in said
    assert not (tmp_path / "run").exists()
    tree["data"]["root"] = str(tmp_path / "gone")
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(tree))
    assert train.main(["--config", str(tmp_path / "c.yaml"), "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "Training plan" in said
    assert f"the records were not looked at: data.root: {tmp_path / 'gone'} is not a folder" in said


def test_a_figure_that_is_not_measured_is_refused_before_training(tmp_path: Path, cache_dir: Path) -> None:
    sections = {"train": {"steps": 1, "sequence_length": 64}, "eval": {"best": {"metric": "eval/geneal/loss"}}}
    with pytest.raises(ConfigError, match=r"choose one of eval/biomedical/loss, .*eval/general/loss"):
        in_process(tmp_path, cache_dir, **sections)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_two_jobs_cannot_share_a_run_folder(half_done: Path, cache_dir: Path) -> None:
    lock = open_run(half_done)
    with pytest.raises(ConfigError, match="another job is at work here"):
        in_process(half_done, cache_dir)
    lock.close()


def test_a_mistake_in_the_data_is_found_before_the_run_folder_is_made(tmp_path: Path, cache_dir: Path) -> None:
    with pytest.raises(DataError, match=r"\*\.nothing"):
        in_process(tmp_path / "run", cache_dir, data={"sources": {"general": [{"glob": "*.nothing"}]}})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("sections", "error", "message"),
    [
        ({"train": {"global_batch_size": 12}}, MeshError, r"12 rows .* mesh.data x mesh.fsdp = 8; .* 8 or 16 rows"),
        ({"mesh": {"fsdp": 16}}, MeshError, "needs 16 devices, but there are 8"),
        ({"mesh": {"fsdp": 1, "tensor": 8}}, MeshError, "kv_heads 2 is not divisible by mesh.tensor 8"),
        ({"data": {"root": "/nowhere"}}, (DataError, ConfigError), "/nowhere"),
        ({"model": {"preset": "tiny", "vocab_size": 256}}, (DataError, ConfigError), "4096.*256|256.*4096"),
        ({"init": {"from": "/nowhere"}}, ConversionError, "init.from: /nowhere: no such folder"),
    ],
    ids=["batch", "devices", "heads", "root", "vocabulary", "init"],
)
def test_what_cannot_work_is_refused(
    sections: dict[str, Any], error: Any, message: str, tmp_path: Path, cache_dir: Path
) -> None:
    sections = {"mesh": {"fsdp": 8}, "train": {"steps": 2, "sequence_length": 64}} | sections
    with pytest.raises(error, match=message):
        in_process(tmp_path, cache_dir, **sections)


def test_a_user_error_is_one_line_and_exit_status_2(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text(yaml.safe_dump({"train": {"stps": 3}}))
    command = [sys.executable, "-m", "melama_jax.train", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=runs.REPOSITORY, check=False)
    assert done.returncode == 2
    assert done.stderr == f"error: {config}: unknown key train.stps; did you mean train.steps?\n"


def test_70b_on_160_absent_devices_is_planned_in_seconds(capsys: pytest.CaptureFixture) -> None:
    paper = str(runs.REPOSITORY / "configs" / "pretrain" / "70b_a100_160.yaml")
    started = time.monotonic()
    assert train.main(["--config", paper, "--dry-run", "--devices", "160"]) == 0
    assert time.monotonic() - started < 30
    said = capsys.readouterr().out
    assert "68,976,648,192 parameters" in said
    assert "data 5 x fsdp 32 x context 1 x tensor 1 = 160" in said
    assert "10,485,760 tokens per step" in said
    with pytest.raises(MeshError, match=r"embed 8192 is not divisible by mesh.fsdp 160; .*data 5 x fsdp 32"):
        train.main(
            ["--config", paper, "--dry-run", "--devices", "160", "--set", "mesh.data=1", "--set", "mesh.fsdp=160"]
        )


READ_BY = {
    "evaluate": functools.partial(load_tree, EvaluationConfig),
    "prompts": load_prompt,
    "instruct": load_wordings,
    "published": load_published,
    "fairness": read_mapping,  # what the suites make of these is tested beside them
    "diagnoses": read_mapping,
}
"""What reads the files of a folder of configs/; `load` reads the others."""


@pytest.mark.parametrize("path", sorted((runs.REPOSITORY / "configs").rglob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_configuration_is_valid(path: Path) -> None:
    read: Any = READ_BY.get(path.parent.name, load)
    assert read(path)


def test_training_never_imports_tensorflow(uninterrupted: Path, tmp_path: Path, cache_dir: Path) -> None:
    tree = runs.small_tree(tmp_path / "run", cache_dir, train={"steps": 1, "sequence_length": 64})
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(tree))
    program = (
        "import sys\nfrom melama_jax import train\n"
        f"assert train.main(['--config', {str(tmp_path / 'c.yaml')!r}]) == 0\n"
        "print('FOUND', [m for m in ('tensorflow', 'seqio', 'tensorflow_datasets') if m in sys.modules])"
    )
    environment = {**os.environ, "XLA_FLAGS": ""}
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=runs.REPOSITORY,
        env=environment,
        check=True,
    )
    assert "FOUND []" in done.stdout
    assert from_mapping(tree).train.steps == 1
