"""The stub of a model card: what is known of the weights, and what their owner has to fill in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from conversion.checkpoint import CheckpointWeights
from conversion.mapping import Item
from conversion.weights import Weights
from melama_jax import __version__

_FORMATS = {
    "hf": "Hugging Face (safetensors)",
    "meta": "Meta (consolidated .pth)",
    "checkpoint": "melama_jax checkpoint",
}


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
    if isinstance(source, CheckpointWeights):
        facts |= _history(source)
    rows = "\n".join(f"| {key} | {value} |" for key, value in facts.items())
    front = "---\nlibrary_name: transformers\nlicense: other\n---\n\n" if format == "hf" else ""
    return f"""{front}# {name}

Weights of a LLaMA model. This card is a stub: fill in what is marked before you share the folder.

| | |
|---|---|
{rows}

## Licence

To fill in. Weights that descend from LLaMA are under the licence of that LLaMA; a model trained on credentialed
clinical text may not be shared outside the terms of the data use agreement.

## Training data and intended use

To fill in: what text it saw, what it is for, what it must not be used for, how it was evaluated.
"""


def _history(source: CheckpointWeights) -> dict[str, Any]:
    meta = source.meta
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
