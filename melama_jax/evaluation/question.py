"""A task as it is asked: its items, their prompts, and every choice that the answers depend on."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from melama_jax.config import EvaluationConfig
from melama_jax.config.prompt import PromptConfig, load_prompt
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation.answers import sha256_of
from melama_jax.evaluation.datasets import DATASETS, RESPLIT, draw, resplit
from melama_jax.evaluation.example import Example, Loaded, Split
from melama_jax.evaluation.prompts import answer_text, choose_shots, render
from melama_jax.evaluation.suites import Task

_FEW = 10
"""Files of a dataset whose hashes are shown one by one."""


class Question:
    """A task's items as they are asked: examples, prompts and the protocol that they belong to."""

    def __init__(self, task: Task, config: EvaluationConfig):
        """Read the dataset and the prompt; asks nothing yet.

        Raises:
            ConfigError: The prompt is unknown, or no way of answering fits the task.
            DataError: The dataset cannot be read, or is empty.
        """
        assert task.dataset is not None
        self.task, self.config, self.dataset = task, config, task.dataset
        folder = dataset_folder(config, self.dataset.name)
        self.folder = Path(config.output) / task.name
        self.split = config.data.splits.get(self.dataset.name, config.data.split)
        self.loaded = self._load(folder, self.split)
        if not self.loaded.examples:
            raise DataError(f"{folder}: {task.name} has no items in its {self.split} split")
        self.examples = self._chosen(self.loaded.examples)
        self.prompt: PromptConfig = load_prompt(config.protocol.prompts.get(self.dataset.name, self.dataset.prompt))
        if self.prompt.kind != self.kind:
            raise ConfigError(
                f"protocol.prompts.{self.dataset.name}: the prompt {self.prompt.name} is for answers of kind "
                f"{self.prompt.kind}; {self.dataset.name} needs one of kind {self.kind}"
            )
        choosing = self.kind in ("choice", "label")
        self.answering = [way for way in config.protocol.answering if choosing or way == "generate"]
        if not self.answering:
            raise ConfigError(f"protocol.answering: {task.name} has no answers to choose among; add generate")
        train: list[Example] = []
        self.files = list(self.loaded.files)
        if config.protocol.shots:
            loaded = self._load(folder, "train")
            train, self.files = loaded.examples, [*self.files, *loaded.files]
        self.prompts = [self._render(example, train) for example in self.examples]

    def _load(self, folder: Path, split: Split) -> Loaded:
        """A split, official or as the paper parts the training split anew."""
        if not self.config.data.resplit or self.dataset.name not in RESPLIT or split == "test":
            return self.dataset.load(folder, split)
        loaded = self.dataset.load(folder, "train")
        parts = resplit(loaded.examples, seed=self.config.seed)
        return dataclasses.replace(loaded, examples=parts[0] if split == "train" else parts[1])

    @property
    def kind(self) -> str:
        """What an answer is."""
        return self.dataset.kind

    @property
    def max_new_tokens(self) -> int:
        """Tokens of a generated answer at the most."""
        return self.config.protocol.max_new_tokens or self.prompt.max_new_tokens

    def _chosen(self, examples: Sequence[Example]) -> list[Example]:
        """The items of the task's own draw, and of `data.max_examples`, in the order of the file."""
        limits = [limit for limit in (self.task.draw, self.config.data.max_examples) if limit is not None]
        return draw(examples, min([len(examples), *limits]), self.config.seed)

    def _render(self, example: Example, train: Sequence[Example]) -> str:
        shots = choose_shots(train, self.config.protocol.shots, self.config.seed, example) if train else []
        return render(self.prompt, example, shots)

    def answers(self, example: Example) -> dict[str, str]:
        """The answers to choose among: label -> its text, with the space that comes before it."""
        return {label: answer_text(self.prompt, example, label) for label in example.labels}

    def protocol(self) -> dict[str, Any]:
        """Every choice that the answers depend on."""
        asked = self.config.protocol
        return {
            "prompt": self.prompt.name,
            "prompt_version": self.prompt.version,
            "prompt_sha256": self.prompt.sha256,
            "shots": asked.shots,
            "seed": self.config.seed,
            "split": self.split,
            "resplit": self.config.data.resplit and self.dataset.name in RESPLIT,
            "items": len(self.examples),
            "chat_template": asked.chat_template,
            "answering": self.answering,
            "max_new_tokens": self.max_new_tokens,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "files": _hashes(self.files),
        }


def dataset_folder(config: EvaluationConfig, name: str) -> Path:
    """Where a dataset's files lie; several datasets may share a folder."""
    folder = DATASETS[name].folder
    return Path(config.data.folders.get(name) or config.data.folders.get(folder) or Path(config.data.root, folder))


def _hashes(files: Sequence[Path]) -> dict[str, str]:
    """Hashes of the files by name; of more than a few, one over all."""
    hashes = [(path.name, sha256_of(path)) for path in files]
    if len(hashes) <= _FEW and len(dict(hashes)) == len(hashes):
        return dict(hashes)
    return {f"{len(hashes)} files": sha256_of(json.dumps(sorted(hashes)))}
