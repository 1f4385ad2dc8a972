"""How commands end: exit status 2 with one line for a user's mistake, quietly when the reader of a pipe leaves."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from melama_jax import errors
from melama_jax.config import Config, load


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "melama_jax.config", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_schema_is_valid_json() -> None:
    done = run("--schema")
    assert (done.returncode, done.stderr) == (0, "")
    assert set(json.loads(done.stdout)["properties"]) == set(Config.model_fields)


def test_schema_into_a_closed_pipe_is_quiet() -> None:
    command = [sys.executable, "-m", "melama_jax.config", "--schema"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()  # before the first byte, as a `head` that has enough
        complaints = process.stderr.read()
    assert complaints == b""
    assert process.returncode == 141


def test_mistake_is_one_line_and_status_2(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("train: {stepz: [")
    done = run("--config", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {path}: is not valid YAML")
    assert done.stderr.count("\n") == 1


def test_resolved_configuration_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("train: {steps: 3}")
    done = run("--config", str(path), "--set", "run.dir=x")
    assert done.returncode == 0
    resolved = tmp_path / "resolved.yaml"
    resolved.write_text(done.stdout)
    assert load(resolved) == load(path, ["run.dir=x"])
    assert yaml.safe_load(done.stdout)["train"]["steps"] == 3


def test_sizes_in_weights_that_are_not_read_say_how_to_see_them(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("init: {from: weights}")
    done = run("--config", str(path))
    assert (done.returncode, done.stdout) == (2, "")
    assert "python -m melama_jax.train --dry-run" in done.stderr
    assert run("--config", str(path), "--set", "model.preset=tiny").returncode == 0


def test_neither_option_is_a_mistake() -> None:
    done = run()
    assert done.returncode == 2
    assert done.stderr == "error: give --schema, or --config FILE\n"


@pytest.mark.parametrize(
    ("raised", "status", "said"),
    [
        (None, 0, ""),
        (errors.ConfigError("two\nlines"), 2, "error: two lines\n"),
        (errors.DataError("x"), 2, "error: x\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
)
def test_exit_status(raised: BaseException | None, status: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    def main() -> None:
        if raised is not None:
            raise raised

    with pytest.raises(SystemExit) as left:
        errors.run_command(main)
    assert left.value.code == status
    assert capsys.readouterr().err == said


def test_returned_status_is_the_exit_status() -> None:
    with pytest.raises(SystemExit) as left:
        errors.run_command(lambda: 75)
    assert left.value.code == 75


def test_defect_of_ours_keeps_its_traceback() -> None:
    def main() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        errors.run_command(main)


def test_pipe_broken_elsewhere_keeps_its_traceback() -> None:
    program = "from melama_jax.errors import run_command\ndef main(): raise BrokenPipeError(32, 'a worker died')\n"
    done = subprocess.run(
        [sys.executable, "-c", program + "run_command(main)"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "BrokenPipeError" in done.stderr
