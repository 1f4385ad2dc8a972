"""The stub of a model card: what is known of the weights, and what their owner has to fill in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from conversion.adapter import Adapter, Merged
from conversion.mapping import Item
from conversion.origin import public_name
from conversion.weights import Weights
from melama_jax import __version__

_FORMATS = {
    "hf": "Hugging Face (safetensors)",
    "meta": "Meta (consolidated .pth)",
    "checkpoint": "melama_jax checkpoint",
    "peft": "PEFT adapter",
}
_TO_FILL_IN = """
## Licence

To fill in. Weights that descend from LLaMA are under the licence of that LLaMA; a model trained on credentialed
clinical text may not be shared outside the terms of the data use agreement.

## Training data and intended use

To fill in: what text it saw, what it is for, what it must not be used for, how it was evaluated.
"""


def model_card(source: Weights, name: str, format: str, dtypes: Mapping[Item, np.dtype]) -> str:
    """Markdown with the provenance of exported weights; names of folders, no paths and no text of records."""
    sizes = source.sizes
    facts = {
        "Layout": _FORMATS[format],
        "Converted from": f"{_FORMATS[source.format]} by melama_jax {__version__}",
        "Dtype": ", ".join(dict.fromkeys(str(dtype) for dtype in dtypes.values())),
        "Hidden size, layers, heads (key/value)": f"{sizes['hidden_size']}, {sizes['num_hidden_layers']}, "
        f"{sizes['num_attention_heads']} ({sizes['num_key_value_heads']})",
        "Vocabulary, context": f"{source.num_tokens}, {sizes['max_position_embeddings']}",
    }
    facts |= _history(source)
    if isinstance(source, Merged):
        facts |= _adapter(source.adapter) | {"Merged into": public_name(source.base.folder)}
    front = "---\nlibrary_name: transformers\nlicense: other\n---\n\n" if format == "hf" else ""
    return f"{front}# {name}\n\nWeights of a LLaMA model. {_table(facts)}{_TO_FILL_IN}"


def adapter_card(adapter: Adapter, name: str, base_name: str | None) -> str:
    """The same of an exported adapter."""
    facts = {"Layout": _FORMATS["peft"], "Converted by": f"melama_jax {__version__}"}
    facts |= _history(adapter) | _adapter(adapter) | {"Base": base_name or "to fill in"}
    base = "" if base_name is None else f"base_model: {json.dumps(base_name)}\n"
    front = f"---\nlibrary_name: peft\n{base}license: other\n---\n\n"
    return f"{front}# {name}\n\nA LoRA adapter of a LLaMA model. {_table(facts)}{_TO_FILL_IN}"


def _table(facts: Mapping[str, Any]) -> str:
    rows = "\n".join(f"| {key} | {value} |" for key, value in facts.items())
    return f"This card is a stub: fill in what is marked before you share the folder.\n\n| | |\n|---|---|\n{rows}\n"


def _adapter(adapter: Adapter) -> dict[str, Any]:
    config = adapter.config
    stabilized = ", rank-stabilized" if config.rank_stabilized else ""
    return {"Adapter": f"LoRA, rank {config.rank}, alpha {config.alpha:g}{stabilized}, {', '.join(config.targets)}"}


def _history(source: Weights | Adapter) -> dict[str, Any]:
    meta = source.meta
    if meta is None:
        return {}
    facts: dict[str, Any] = {}
    if source.origin:
        form = _FORMATS.get(str(source.origin.get("format")), "unknown")
        facts["Descends from"] = f"{form}, {source.origin.get('folder', 'unknown')}"
    train, data, init = (meta.config.get(section, {}) for section in ("train", "data", "init"))
    if train:
        tokens = meta.step * train["global_batch_size"] * train["sequence_length"]
        facts["Training steps, tokens"] = f"{meta.step}, {tokens:,}"
        facts["Mixture"] = data.get("mixture")
        start = str(init["from"]).rstrip("/").rsplit("/", 1)[-1] if init.get("from") else "random parameters"
        facts["Started from"] = start
    return facts
