"""Folders of random weights in the shape of any LLaMA: tiny for tests, or as large as the real ones for measurements.

python -m tests.conversion.shaped --preset llama2-7b --layers 32 --dtype bfloat16 --output DIR
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conversion.hf import HuggingFaceWriter
from conversion.mapping import Item, items
from conversion.meta import MetaWriter
from conversion.tensor_file import DTYPES
from conversion.weights import WeightsWriter, block_rows
from melama_jax.config.presets import PRESETS

TOKEN_IDS = {"bos_token_id": 1, "eos_token_id": 2}


def sizes(preset: str = "tiny", **other: Any) -> dict[str, Any]:
    """The sizes of a preset, some of them changed; the head dim follows."""
    found = PRESETS[preset] | other
    if "head_dim" not in other:
        found["head_dim"] = found["hidden_size"] // found["num_attention_heads"]
    return found


def values(item: Item, shape: tuple[int, ...], dtype: np.dtype, seed: int) -> np.ndarray:
    """Random values of about the size of trained ones: norms around one, matrices around zero."""
    rng = np.random.default_rng([seed, item.layer or 0, sum(map(ord, item.weight.ours))])
    drawn = rng.standard_normal(shape, np.float32)
    return (1 + 0.1 * drawn if len(shape) == 1 else 0.1 * drawn).astype(dtype)


def fast_values(shape: tuple[int, ...], dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """Random bits with small exponents, as fast as a disk: for folders of many gigabytes."""
    word = np.dtype(f"uint{8 * dtype.itemsize}")
    bits = np.frombuffer(rng.bytes(int(np.prod(shape)) * word.itemsize), word).reshape(shape)
    sign_and_mantissa, exponent = {"float32": (0x807FFFFF, 0x3C000000), "bfloat16": (0x807F, 0x3C00)}[str(dtype)]
    return ((bits & sign_and_mantissa) | exponent).astype(word).view(dtype)


def fill(
    writer: WeightsWriter, model: Mapping[str, Any], dtype: np.dtype, *, seed: int = 0, fast: bool = False
) -> None:
    """Write random weights."""
    rng = np.random.default_rng(seed)
    for item in items(model):
        shape = item.weight.shape(model)
        step = block_rows(shape, dtype.itemsize, writer.row_multiple(item)) if fast else shape[0]
        whole = None if fast else values(item, shape, dtype, seed)
        for start in range(0, shape[0], step):
            rows = min(step, shape[0] - start)
            block = fast_values((rows, *shape[1:]), dtype, rng) if whole is None else whole
            writer.write(item, writer.prepare(item, block, start), start)
    writer.close()


def write_hf(
    folder: Path, model: Mapping[str, Any], *, dtype: str = "float32", max_shard_bytes: int = 5 * 10**9, **options: Any
) -> Path:
    """Make a Hugging Face folder."""
    folder.mkdir(parents=True)
    chosen = DTYPES[dtype]
    writer = HuggingFaceWriter(
        folder, model, dict.fromkeys(items(model), chosen), max_shard_bytes=max_shard_bytes, token_ids=TOKEN_IDS
    )
    fill(writer, model, chosen, **options)
    return folder


def write_meta(
    folder: Path,
    model: Mapping[str, Any],
    *,
    dtype: str = "float32",
    num_shards: int = 1,
    llama3: bool = False,
    **options: Any,
) -> Path:
    """Make a Meta folder; needs torch."""
    folder.mkdir(parents=True)
    chosen = DTYPES[dtype]
    writer = MetaWriter(folder, model, dict.fromkeys(items(model), chosen), num_shards=num_shards, llama3=llama3)
    fill(writer, model, chosen, **options)
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=PRESETS, default="llama2-7b")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    changed = {"num_hidden_layers": arguments.layers} if arguments.layers else {}
    write_hf(arguments.output, sizes(arguments.preset, **changed), dtype=arguments.dtype, fast=True)
