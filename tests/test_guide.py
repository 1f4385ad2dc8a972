"""Every command of docs/guide.md, run in its order with a tiny model on the shipped text."""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from melama_jax.data import samples
from tests.conversion import shaped
from tests.runs import REPOSITORY

GUIDE = (REPOSITORY / "docs" / "guide.md").read_text(encoding="utf-8")
SIZES = {"vocab_size": 4096, "max_position_embeddings": 256}
SMALL: dict[str, dict[str, Any]] = {
    "model": {"preset": "tiny", **SIZES, "compute_dtype": "float32"},
    "mesh": {"data": 1, "fsdp": 1},
    "train": {"global_batch_size": 4, "gradient_accumulation_steps": 1, "sequence_length": 64},
    "checkpoint": {"interval": 2},
    "eval": {"interval": 2, "max_rows": 4},
    "log": {"interval": 1, "tensorboard": False},
}
"""Laid over the files of the guide."""
OWN = {
    "pretrain.yaml": {
        "train": {"steps": 4},
        "data": {
            "prepare_workers": 1,
            "validation_fraction": 0.02,
            "sources": {
                "biomedical": [{"glob": "biomedical/*.jsonl.gz"}],
                "clinical": [{"glob": "clinical/*.csv.gz"}],
                "general": [{"glob": "general/*.txt.gz"}],
            },
        },
    },
    "instruct.yaml": {
        "train": {"epochs": 1},
        "data": {"prepare_workers": 1, "validation_fraction": 0.1},
        "adapter": {"base_dtype": "float32"},
    },
}


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


COMMANDS = [line for block in blocks("sh") for line in block.splitlines()]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the guide takes for granted: weights, text, instruction records, and its two files."""
    folder = tmp_path_factory.mktemp("project")
    sizes = shaped.sizes("tiny", **SIZES)
    weights = shaped.write_hf(folder / "weights" / "llama2-13b-hf", sizes)
    shutil.copy(Path(samples.root()) / "tokenizer.model", weights)
    for domain in ("biomedical", "clinical", "general"):
        shutil.copytree(Path(samples.root()) / domain, folder / "text" / domain)
    questions = Path(samples.root()) / "questions" / "train.jsonl.gz"
    lines = gzip.decompress(questions.read_bytes()).decode().splitlines()
    texts = [json.loads(line)["question"] for line in lines]
    for task, records in (("flash_cards", texts[:60]), ("wikidoc_patient", texts[60:120])):
        (folder / "instruct" / task).mkdir(parents=True)
        tree = [{"instruction": "Answer.", "input": text, "output": f"Number {n}."} for n, text in enumerate(records)]
        (folder / "instruct" / task / f"{task}.json").write_text(json.dumps(tree), encoding="utf-8")
    for name, block in zip(OWN, blocks("yaml"), strict=True):
        tree = yaml.safe_load(in_project(block, folder).replace("/where/the/repository/is", str(REPOSITORY)))
        for layer in (SMALL, OWN[name]):
            for section, values in layer.items():
                tree[section] = {**tree.get(section, {}), **values}
        (folder / name).write_text(yaml.safe_dump(tree), encoding="utf-8")
    return folder


def in_project(text: str, folder: Path) -> str:
    """With the variable written out."""
    return text.replace("$PROJECT", str(folder))


def on_one_cpu(command: str) -> Iterator[list[str]]:
    """What is run for a command of the guide: on the device that is here, and without SLURM."""
    smaller = {"a100-80gb:20x8": "cpu:1", "--devices 160": "--devices 1", "--tasks mibe": "--tasks samples"}
    for word, small in smaller.items():
        command = command.replace(word, small)
    words = shlex.split(command)
    if words[0] == "sbatch":
        script = next(n for n, word in enumerate(words) if word.endswith(".sbatch"))
        yield ["bash", words[script], "--dry-run", *words[script + 1 :]]
        yield [sys.executable, "-m", "melama_jax.train", *words[script + 1 :]]
        return
    assert words[:2] == ["python", "-m"], command
    asked = words[2] == "melama_jax.evaluate" and words[3] != "compare"
    yield [sys.executable, *words[1:], *(["--set", "data.max_examples=4"] if asked else [])]


def test_every_command_of_the_guide_works(project: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "XLA", "JAX_", "MELAMA"))}
    environment |= {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(REPOSITORY)}
    ran = 0
    for line in COMMANDS:
        for command in on_one_cpu(in_project(line, project)):
            done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=300)
            assert done.returncode == 0, f"{line}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            ran += 1
    assert ran >= len(COMMANDS) >= 18
    for made in ("runs/13b/checkpoints/4", "runs/eval-chat/report.html", "out/13b-chat-hf/config.json"):
        assert (project / made).exists(), made
    card = (project / "out" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "LoRA" in card


def test_files_that_the_guide_names_are_there() -> None:
    for name in re.findall(r"\]\(([\w./]+)\)", GUIDE):
        assert (REPOSITORY / "docs" / name).exists(), name
