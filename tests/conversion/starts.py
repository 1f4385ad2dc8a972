"""Weights of any format as our model, and runs that start from them."""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
import yaml

from conversion import direct
from melama_jax import train
from melama_jax.config import Config, MeshConfig, from_mapping
from melama_jax.data.loader import training_batches, training_rows
from melama_jax.data.prepare import ensure_prepared
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.training import state
from tests import runs
from tests.conversion import shaped
from tests.data.corpora import train_vocabulary, words


class Loaded(NamedTuple):
    """A model in float32 on one device."""

    config: LlamaConfig
    params: dict[str, Any]


def load(folder: Path) -> Loaded:
    """What a run that starts from a folder would compute with: sizes by `model.preset: auto`, then the weights."""
    model = direct.describe_initial(str(folder))["model"] | {"compute_dtype": "float32"}
    config = from_mapping({"model": model, "init": {"from": str(folder)}})
    mesh = meshes.build_mesh(MeshConfig(), jax.devices()[:1])
    abstract = state.abstract_params(LlamaConfig.build(config.model), mesh)
    return Loaded(LlamaConfig.build(config.model), direct.load_initial(config, abstract, lambda text: None))


def logits(model: Loaded, tokens: np.ndarray) -> np.ndarray:
    """Logits [B, T, tokens of the vocabulary]; what is after a token cannot reach it, so rows may be filled up."""
    return np.asarray(_logits(model.config, model.params, tokens))[..., : model.config.num_tokens]


@functools.partial(jax.jit, static_argnums=0)
def _logits(config: LlamaConfig, params: dict[str, Any], tokens: jax.Array) -> jax.Array:
    return llama.logits(config, params, llama.forward(config, params, tokens))


def write_folder(folder: Path, **sizes: Any) -> Path:
    """A Hugging Face folder with a vocabulary of 320 tokens."""
    shaped.write_hf(folder, shaped.sizes(**sizes))
    train_vocabulary(folder / "tokenizer.model")
    return folder


def run_tree(run: Path, folder: Path, cache_dir: Path, **sections: Mapping[str, Any]) -> dict[str, Any]:
    """A step on one batch that leaves the weights of a folder as they are; the same rows for every run."""
    text = run.with_name(f"{run.name}-text") / "general" / "a.txt"
    text.parent.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    text.write_text("\n\n".join(words(rng, 60) for _ in range(60)))
    tree = runs.small_tree(run, cache_dir, init={"from": str(folder)}, eval={"interval": None})
    tree["model"] = {"compute_dtype": "float32"}
    tree["optimizer"] = {"learning_rate": 0.0}
    tree["train"] = {"steps": 1, "global_batch_size": 8, "sequence_length": 32, "remat": "none"}
    tree["data"] |= {"root": str(text.parents[1]), "mixture": "general", "validation_fraction": 0.0}
    for section, values in sections.items():
        tree[section] = {**tree.get(section, {}), **values}
    return tree


def run(tree: Mapping[str, Any], *overrides: str, devices: int = 8) -> int:
    """The training command as a user gives it, in this process and on the first few of its devices."""
    run_dir = Path(tree["run"]["dir"])
    run_dir.parent.mkdir(parents=True, exist_ok=True)
    config = run_dir.with_name(f"{run_dir.name}.yaml")
    config.write_text(yaml.safe_dump(dict(tree)))
    shown = jax.devices()[:devices]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "devices", lambda *backend: shown)
        return train.main(["--config", str(config), *(word for text in overrides for word in ("--set", text))])


def described(tree: Mapping[str, Any]) -> Config:
    """A tree that starts from a folder, as the training command resolves it."""
    known = direct.describe_initial(tree["init"]["from"])
    return from_mapping({**tree, **{section: tree[section] | values for section, values in known.items()}})


def batches(config: Config, count: int) -> list[dict[str, np.ndarray]]:
    """The rows [B, T] of the first steps, from the package's own loader."""
    prepared = ensure_prepared(config, echo=lambda text: None)
    reader = training_batches(
        training_rows(prepared, seed=config.run.seed, attend_across_documents=config.data.attend_across_documents),
        first_row=0,
        global_rows=config.train.global_batch_size,
        local_rows=range(config.train.global_batch_size),
        num_threads=1,
        prefetch=1,
    )
    try:
        return [next(reader) for _ in range(count)]
    finally:
        reader.close()


def plain_losses(folder: Path, rows: Sequence[Mapping[str, np.ndarray]]) -> list[float]:
    """The loss of each batch by a plain forward pass of the whole model on one device."""
    model = load(folder)
    losses = []
    for batch in rows:
        logs = np.asarray(jax.nn.log_softmax(logits(model, batch["inputs"])))
        each = -np.take_along_axis(logs, batch["targets"][..., None], -1)[..., 0]
        losses.append(float((each * batch["loss_weights"]).sum() / batch["loss_weights"].sum()))
    return losses


def put_nan(folder: Path, key: str) -> None:
    """Make the last element of a float32 tensor NaN."""
    put_last(folder, key, np.nan)


def put_last(folder: Path, key: str, value: float) -> None:
    """Change the last element of a float32 tensor."""
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    length = int.from_bytes(content[:8], "little")
    end = 8 + length + json.loads(content[8 : 8 + length])[key]["data_offsets"][1]
    content[end - 4 : end] = np.float32(value).tobytes()
    path.write_bytes(content)
