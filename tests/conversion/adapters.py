"""LoRA adapters as PEFT folders and as runs leave them; their keys and sums are written here once more.

What PEFT's layout means: y = x W^T + scale * x A^T B^T for lora_A [r, in], lora_B [out, r], under the module's name.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import safetensors.numpy

from conversion import direct
from melama_jax.config import Config, MeshConfig, from_mapping
from melama_jax.model import llama, lora
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.training import checkpoint, state
from melama_jax.training.base import BaseIntake
from tests.conversion import starts

MODULES = {
    "query": "self_attn.q_proj",
    "key": "self_attn.k_proj",
    "value": "self_attn.v_proj",
    "out": "self_attn.o_proj",
    "gate": "mlp.gate_proj",
    "up": "mlp.up_proj",
    "down": "mlp.down_proj",
}
CONFIG = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "lora_dropout": 0.05, "bias": "none"}


def key(layer: int, target: str, factor: str) -> str:
    return f"base_model.model.model.layers.{layer}.{MODULES[target]}.lora_{factor}.weight"


def write_peft(
    folder: Path,
    base: Path,
    targets: Sequence[str] = tuple(MODULES),
    *,
    size: float = 0.2,
    dtype: Any = np.float32,
    **settings: Any,
) -> Path:
    """A PEFT folder of random factors for the matrices of a Hugging Face folder."""
    config = CONFIG | {"base_model_name_or_path": str(base), "target_modules": [MODULES[t] for t in targets]} | settings
    weights = safetensors.numpy.load_file(base / "model.safetensors")
    rng, rank = np.random.default_rng(0), config["r"]
    tensors = {}
    for layer in range(2):
        for target in targets:
            out, into = weights[f"model.layers.{layer}.{MODULES[target]}.weight"].shape
            tensors[key(layer, target, "A")] = (size * rng.standard_normal((rank, into))).astype(dtype)
            tensors[key(layer, target, "B")] = (size * rng.standard_normal((out, rank))).astype(dtype)
    folder.mkdir(parents=True)
    safetensors.numpy.save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


def write_merged(folder: Path, base: Path, adapter: Path) -> Path:
    """The Hugging Face folder that base and adapter come to, by sums in float64."""
    shutil.copytree(base, folder)
    weights = safetensors.numpy.load_file(base / "model.safetensors")
    factors = safetensors.numpy.load_file(adapter / "adapter_model.safetensors")
    config = json.loads((adapter / "adapter_config.json").read_text())
    scale = config["lora_alpha"] / (config["r"] ** 0.5 if config.get("use_rslora") else config["r"])
    for name in {k.removesuffix(".lora_A.weight") for k in factors if k.endswith(".lora_A.weight")}:
        own = f"{name.removeprefix('base_model.model.')}.weight"
        a, b = (factors[f"{name}.lora_{factor}.weight"].astype(np.float64) for factor in "AB")
        weights[own] = (weights[own] + scale * (b @ a)).astype(weights[own].dtype)
    safetensors.numpy.save_file(weights, folder / "model.safetensors")
    return folder


def run_config(base: Path, adapter: dict[str, Any] | None = None, **sections: Any) -> Config:
    """Of a run that tunes an adapter beside the weights of a folder."""
    known = direct.describe_initial(str(base))
    chosen = {"rank": 4, "alpha": 8.0, "base_dtype": "float32"} | (adapter or {})
    tree = {**known, "init": {"from": str(base)}, "adapter": chosen}
    return from_mapping(tree | {name: tree.get(name, {}) | values for name, values in sections.items()})


def save_run(folder: Path, config: Config, *, size: float = 0.2) -> dict[str, Any]:
    """What a run leaves at its second step, with random factors; they are returned."""
    model, rng = LlamaConfig.build(config.model), np.random.default_rng(1)
    assert config.adapter is not None
    tree: dict[str, Any] = {}
    for path, (shape, _) in lora.declaration(model, config.adapter).items():
        *parents, name = path.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = jax.numpy.asarray(size * rng.standard_normal(shape), np.float32)
    folder.mkdir()
    direct.remember_initial(config, folder)
    mesh = meshes.build_mesh(MeshConfig(), jax.devices()[:1])
    checkpointer = checkpoint.Checkpointer(folder / "checkpoints", config.checkpoint)
    intake = BaseIntake(config, mesh)
    direct.load_each(config, state.abstract_weights(config, mesh), lambda text: None, intake)
    checkpointer.base = intake.meta
    zero = jax.device_put(np.zeros((), np.int32), jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec()))
    trained = state.TrainState(zero, tree, {"mu": zero}, jax.random.key_data(jax.random.key(0)), zero, zero, zero)
    stated = config.model_dump(mode="json", by_alias=True)
    checkpointer.save(trained, step=2, config=stated, data={})
    checkpointer.close()
    return tree


def unmerged_logits(base: Path, config: Config, factors: dict[str, Any], tokens: np.ndarray) -> np.ndarray:
    """What the training step computes, with the adapter beside the weights."""
    loaded, adapter = starts.load(base), config.adapter
    assert adapter is not None

    def run(params: Any, factors: Any) -> jax.Array:
        beside = lora.attach(loaded.config, adapter, factors)
        hidden = llama.forward(loaded.config, params, jax.numpy.asarray(tokens), adapter=beside)
        return llama.logits(loaded.config, params, hidden)

    return np.asarray(jax.jit(run)(loaded.params, factors))[..., : loaded.config.num_tokens]
