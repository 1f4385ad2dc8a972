"""PEFT folders: `adapter_config.json` beside `adapter_model.safetensors` or an older `adapter_model.bin`.

A setting that would change what the adapter computes, and that ours have no place for, is refused, also one that is
not known here. Which matrices have factors is told by the keys of the file, not by `target_modules`, which may be a
pattern. Checked against PEFT 0.21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conversion.adapter import Adapter, Factor
from conversion.hf import open_tensor_file
from conversion.json_files import Description, read_description, shown, write_json
from conversion.mapping import ADAPTED, Item, Weight
from conversion.safetensors_file import SafetensorsWriter
from conversion.stream import cast, describe
from conversion.tensor_file import TensorInfo
from conversion.weights import listed
from melama_jax.config import AdapterConfig
from melama_jax.errors import ConversionError

CONFIG = "adapter_config.json"
_WEIGHTS, _PICKLE = "adapter_model.safetensors", "adapter_model.bin"
_READ = {"r", "lora_alpha", "lora_dropout", "use_rslora", "bias", "rank_pattern", "alpha_pattern", "target_modules"}
_HARMLESS = {
    # Who wrote it, and for what.
    *("peft_type", "task_type", "auto_mapping", "peft_version", "base_model_name_or_path", "revision"),
    *("inference_mode", "runtime_config", "megatron_core", "qalora_group_size", "fan_in_fan_out"),
    # Where factors are, which the keys of the file tell.
    *("exclude_modules", "layers_to_transform", "layers_pattern"),
    # How they began; `init_lora_weights` itself is looked at.
    *("init_lora_weights", "eva_config", "corda_config", "lora_ga_config", "loftq_config", "ensure_weight_tying"),
}
_CHANGE_THE_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga", "mica")
"""Ways to begin (of `init_lora_weights`) after which the base is not what it was, or the product is another one."""
_ELSE = "merge it with PEFT (merge_and_unload), and take those weights"


class PeftAdapter(Adapter):
    """An adapter in PEFT's layout, open for reading."""

    format = "peft"

    def __init__(self, folder: Path):
        """Read the description and the header.

        Raises:
            ConversionError: A file is missing or damaged, the adapter is no plain LoRA, or its keys are not those of
                the same matrices in every layer.
        """
        self.folder = folder
        file = read_description(folder / CONFIG)
        _refuse_others(file)
        self.path = next((folder / name for name in (_WEIGHTS, _PICKLE) if (folder / name).is_file()), None)
        if self.path is None:
            raise ConversionError(f"{folder}: has {CONFIG}, but neither {_WEIGHTS} nor {_PICKLE}; copy it too")
        self._file = open_tensor_file(self.path)
        self.num_layers = 1 + max(
            (int(n) for key in self._file.tensors for n in re.findall(r"\.(\d+)\.", key)), default=0
        )
        targets = self._check_keys(file)
        self.config = _config(file, targets)
        self._check_shapes()
        self.base = {"from": _name(file, "base_model_name_or_path"), "fingerprint": None}
        self.origin = {}

    def _check_keys(self, file: Description) -> tuple[str, ...]:
        """The targets, after a check that each has both factors in every layer, and that there is nothing else."""
        if self.num_layers > len(self._file.tensors):
            raise ConversionError(f"{self.path}: holds no factors, or keys of layers that are not there")
        stacks = {name: [Item(weight, layer) for layer in range(self.num_layers)] for name, weight in ADAPTED.items()}
        keys = {name: [item.peft(f) for item in stack for f in ("A", "B")] for name, stack in stacks.items()}
        extra = sorted(self._file.tensors.keys() - {key for stack in keys.values() for key in stack})
        if extra:
            raise ConversionError(
                f"{self.path}: {len(extra)} keys are no LoRA factors of a LLaMA's layers: {listed(extra, 1)}; only "
                f"those of {', '.join(weight.module for weight in ADAPTED.values())} can be read"
            )
        targets = tuple(name for name, stack in keys.items() if self._file.tensors.keys() & set(stack))
        missing = [key for name in targets for key in keys[name] if key not in self._file.tensors]
        if missing:
            raise ConversionError(
                f"{self.path}: {len(missing)} factors are missing: {listed(missing, 1)}; an adapter of some layers "
                f"alone cannot be read"
            )
        named = file.values.get("target_modules")
        for name in named if isinstance(named, list) else []:  # else it is a pattern
            if str(name).rsplit(".", 1)[-1] not in _modules(targets):
                raise ConversionError(f"{self.path}: holds nothing of {name}, which {CONFIG} names in target_modules")
        return targets

    def _check_shapes(self) -> None:
        rank = self.config.rank
        for item in self.items():
            for factor, dim in (("A", 0), ("B", 1)):
                key = item.peft(factor)
                info, first = self._file.tensors[key], self._file.tensors[Item(item.weight, 0).peft(factor)]
                if len(info.shape) != 2 or info.shape[dim] != rank:
                    raise ConversionError(f"{self.path}: {key} has shape {info.shape}, but r is {rank} in {CONFIG}")
                if info.shape != first.shape:
                    raise ConversionError(
                        f"{self.path}: {key} has shape {info.shape}, but {first.shape} in the first layer"
                    )

    def width(self, weight: Weight) -> tuple[int, int]:
        """[out, in] of a matrix."""
        a, b = (self._file.tensors[Item(weight, 0).peft(factor)].shape for factor in ("A", "B"))
        return b[0], a[1]

    def read(self, item: Item, factor: Factor) -> np.ndarray:
        """A factor of one matrix."""
        return self._file.read(item.peft(factor)).astype(np.float32)


def _modules(targets: tuple[str, ...]) -> list[str]:
    return [ADAPTED[name].module for name in targets]


def _refuse_others(file: Description) -> None:
    """Refuse what is no plain LoRA."""
    if file.values.get("peft_type") != "LORA":
        raise file.error("peft_type", '"LORA", the only kind there is here')
    if file.values.get("bias") not in (None, "none"):
        raise file.error("bias", f'"none": a LLaMA has none; {_ELSE}')
    start = file.values.get("init_lora_weights")
    if isinstance(start, str) and start.startswith(_CHANGE_THE_BASE):
        raise file.error("init_lora_weights", "a plain LoRA, which PEFT makes of it when it is saved as one")
    for pattern, key in (("rank_pattern", "r"), ("alpha_pattern", "lora_alpha")):
        found = file.values.get(pattern) or {}
        default = file.values.get(key, 8)
        if not isinstance(found, dict) or any(value != default for value in found.values()):
            raise file.error(pattern, f"none, or {key} {shown(default)} for all matrices; {_ELSE}")
    for key, value in file.values.items():
        if value and key not in _READ | _HARMLESS:
            raise file.error(key, f"none: only plain LoRA of the layers' matrices can be read; {_ELSE}")


def _config(file: Description, targets: tuple[str, ...]) -> AdapterConfig:
    dropout = 0.0 if file.values.get("lora_dropout") in (None, 0) else file.number("lora_dropout")
    if dropout >= 1:
        raise file.error("lora_dropout", "a number below 1")
    return AdapterConfig(
        rank=file.integer("r", 8),
        alpha=file.number("lora_alpha", 8.0),
        rank_stabilized=file.truth("use_rslora"),
        dropout=dropout,
        targets=targets,  # pyright: ignore[reportArgumentType] - names of the table
    )


def _name(file: Description, key: str) -> str | None:
    value = file.values.get(key)
    if value is not None and not isinstance(value, str):
        raise file.error(key, "a name or null")
    return value or None


def write_peft(folder: Path, adapter: Adapter, *, base_name: str | None, dtype: np.dtype) -> None:
    """Write an adapter as PEFT saves one, in the keys that its versions since 0.9 and vLLM read.

    Args:
        folder: Where the two files go.
        adapter: It.
        base_name: A folder or a name on the hub, for `base_model_name_or_path`.
        dtype: Of the stored factors.

    Raises:
        ConversionError: A value does not fit the dtype, or the files cannot be written.
    """
    infos: dict[str, TensorInfo] = {}
    for item in adapter.items():
        out, into = adapter.width(item.weight)
        infos[item.peft("A")] = TensorInfo((adapter.config.rank, into), dtype, str(dtype))
        infos[item.peft("B")] = TensorInfo((out, adapter.config.rank), dtype, str(dtype))
    writer = SafetensorsWriter(folder / _WEIGHTS, infos)
    try:
        for item in adapter.items():
            for factor in ("A", "B"):
                name = f"{adapter.folder}: {factor} of {describe(item)}"
                writer.write(item.peft(factor), cast(adapter.read(item, factor), dtype, name))
        writer.close()
    finally:
        writer.abandon()
    write_json(folder / CONFIG, _peft_config(adapter.config, base_name))


def _peft_config(config: AdapterConfig, base_name: str | None) -> Mapping[str, Any]:
    return {
        "alpha_pattern": {},
        "auto_mapping": None,
        "base_model_name_or_path": base_name,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "init_lora_weights": True,
        "layers_pattern": None,
        "layers_to_transform": None,
        "lora_alpha": int(config.alpha) if config.alpha == int(config.alpha) else config.alpha,
        "lora_dropout": config.dropout,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": config.rank,
        "rank_pattern": {},
        "revision": None,
        "target_modules": _modules(config.targets),
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": config.rank_stabilized,
    }
