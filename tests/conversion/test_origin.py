"""What a run keeps of the weights it started from (tokenizer, ids, settings), and that it can go on without them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conversion.__main__ import main
from conversion.safetensors_file import SafetensorsFile
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConversionError
from tests import runs
from tests.conversion import shaped, starts

pytestmark = pytest.mark.usefixtures("quick_compilation")


def edit(path: Path, **values: Any) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose description says more than sizes."""
    folder = starts.write_folder(tmp_path_factory.mktemp("chat") / "chat-model", vocab_size=320)
    edit(folder / "config.json", eos_token_id=[2, 5, 7], pad_token_id=0, initializer_range=0.01)
    (folder / "generation_config.json").write_text(json.dumps({"temperature": 0.6, "eos_token_id": [2, 5, 7]}))
    return folder


@pytest.fixture(scope="module")
def run_dir(chat: Path, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, quick_compilation: None) -> Path:
    """A run of one step from it."""
    folder = tmp_path_factory.mktemp("runs") / "chat"
    assert starts.run(starts.run_tree(folder, chat, cache_dir), devices=1) == 0
    return folder


def test_an_export_of_a_run_says_what_its_origin_said(run_dir: Path, tmp_path: Path) -> None:
    assert main(["export", "--checkpoint", str(run_dir), "--format", "hf", "--output", str(tmp_path / "out")]) == 0
    config, generation = (read(tmp_path / "out" / name) for name in ("config.json", "generation_config.json"))
    assert (config["eos_token_id"], config["pad_token_id"], config["initializer_range"]) == ([2, 5, 7], 0, 0.01)
    assert (generation["temperature"], generation["eos_token_id"]) == (0.6, [2, 5, 7])
    assert "chat-model" in (tmp_path / "out" / "README.md").read_text()


def test_a_run_keeps_its_tokenizer_to_the_byte(run_dir: Path, chat: Path, tmp_path: Path) -> None:
    assert (run_dir / "tokenizer/tokenizer.model").read_bytes() == (chat / "tokenizer.model").read_bytes()
    assert main(["export", "--checkpoint", str(run_dir), "--format", "hf", "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out/tokenizer.model").read_bytes() == (chat / "tokenizer.model").read_bytes()


def test_a_run_on_the_samples_keeps_their_tokenizer(tmp_path: Path, cache_dir: Path) -> None:
    tree = runs.small_tree(tmp_path / "run", cache_dir, train={"steps": 1}, eval={"interval": None})
    assert starts.run(tree, devices=1) == 0
    assert load_vocabulary(tmp_path / "run/tokenizer").vocab_size == 4096


def test_a_run_goes_on_when_its_initial_weights_are_gone(tmp_path: Path, cache_dir: Path) -> None:
    folder = starts.write_folder(tmp_path / "weights", vocab_size=320)
    tree = starts.run_tree(tmp_path / "run", folder, cache_dir)
    assert starts.run(tree, devices=1) == 0
    folder.rename(tmp_path / "elsewhere")
    assert starts.run(tree, "train.steps=2", devices=1) == 0
    assert [step for step, _ in runs.losses(tmp_path / "run")] == [1, 2]


def test_a_run_without_checkpoints_needs_them(tmp_path: Path, cache_dir: Path) -> None:
    tree = starts.run_tree(tmp_path / "run", tmp_path / "nowhere", cache_dir)
    with pytest.raises(ConversionError, match="nowhere: no such folder"):
        starts.run(tree, devices=1)


def test_relative_paths_through_the_parent(run_dir: Path, chat: Path, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    source = os.path.relpath(chat)
    assert source.startswith("..")
    assert main(["import", "--source", source, "--output", "../ckpt"]) == 0
    assert main(["export", "--checkpoint", "../ckpt", "--format", "hf", "--output", "../out"]) == 0
    assert main(["verify", "../ckpt", source]) == 0
    assert main(["inspect", os.path.relpath(run_dir)]) == 0


def test_an_output_that_is_a_link_stays_one(chat: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    assert main(["import", "--source", str(chat), "--output", str(tmp_path / "link")]) == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "disk/meta/metadata").is_file()


def test_sigterm_takes_away_what_was_half_written(tmp_path: Path) -> None:
    source = shaped.write_hf(tmp_path / "source", shaped.sizes("quickstart", num_hidden_layers=40))
    command = [sys.executable, "-m", "conversion", "import", "--source", str(source), "--output", str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": str(runs.REPOSITORY), "JAX_PLATFORMS": "cpu"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "out.incomplete").exists() and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert sorted(p.name for p in tmp_path.iterdir()) == ["source"]


def test_added_tokens_start_at_the_mean_also_in_spare_rows(tmp_path: Path) -> None:
    folder = starts.write_folder(tmp_path / "source", vocab_size=328)  # eight rows more than tokens
    command = ["import", "--source", str(folder), "--output", str(tmp_path / "ckpt"), "--add-token", "<pad>"]
    assert main(command) == 0
    export = ["export", "--checkpoint", str(tmp_path / "ckpt"), "--format", "hf", "--output", str(tmp_path / "out")]
    assert main(export) == 0
    before, after = (SafetensorsFile(p / "model.safetensors") for p in (folder, tmp_path / "out"))
    old, new = before.read("model.embed_tokens.weight"), after.read("model.embed_tokens.weight")
    np.testing.assert_allclose(new[320], old[:320].mean(axis=0), atol=1e-6)
    np.testing.assert_array_equal(np.delete(new, 320, axis=0), np.delete(old, 320, axis=0))


def test_an_added_padding_token_goes_before_an_old_one(tmp_path: Path) -> None:
    folder = starts.write_folder(tmp_path / "source", vocab_size=320)
    edit(folder / "config.json", pad_token_id=-1)
    command = ["import", "--source", str(folder), "--output", str(tmp_path / "ckpt"), "--add-token", "<pad>"]
    assert main(command) == 0
    export = ["export", "--checkpoint", str(tmp_path / "ckpt"), "--format", "hf", "--output", str(tmp_path / "out")]
    assert main(export) == 0
    assert read(tmp_path / "out/config.json")["pad_token_id"] == 320


def test_dry_run_checks_the_weights(chat: Path, tmp_path: Path, cache_dir: Path, capsys: Any) -> None:
    from melama_jax import train

    tree = starts.run_tree(tmp_path / "run", chat, cache_dir, model={"preset": "tiny"})
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps(tree))  # JSON is YAML
    with pytest.raises(ConversionError, match=r"has vocab_size 320, but model.vocab_size is 256"):
        train.main(["--config", str(config), "--dry-run", "--devices", "8"])
    gone = ["--config", str(config), "--set", f"init.from={tmp_path / 'gone'}", "--set", "data.vocabulary=x"]
    assert train.main([*gone, "--dry-run", "--devices", "8"]) == 0
    assert "was not checked" in capsys.readouterr().out
