"""Which format a folder has, and opening it."""

from __future__ import annotations

from pathlib import Path

from conversion.checkpoint import CheckpointWeights
from conversion.hf import HuggingFaceWeights, is_hf_folder
from conversion.meta import MetaWeights, is_meta_folder
from conversion.weights import Weights
from melama_jax.errors import CheckpointError, ConversionError
from melama_jax.training.checkpoint import find_checkpoint


def format_of(folder: Path) -> str:
    """hf, meta or checkpoint.

    Raises:
        ConversionError: The folder does not exist, or is none or more than one of the three.
    """
    if not folder.is_dir():
        raise ConversionError(
            f"{folder}: {'is a file' if folder.exists() else 'no such folder'}; give a folder of weights"
        )
    found = [name for name, test in (("hf", is_hf_folder), ("meta", is_meta_folder)) if test(folder)]
    if len(found) > 1:
        raise ConversionError(f"{folder}: holds Hugging Face and Meta weights at once; keep one of them in the folder")
    if found:
        return found[0]
    if (folder / "config.json").is_file():
        return "hf"  # whose weights are missing
    try:
        find_checkpoint(folder)
        return "checkpoint"
    except CheckpointError:
        pass
    if (folder / "params.json").is_file():
        raise ConversionError(f"{folder}: has params.json, but no consolidated.00.pth; copy the weights too")
    raise ConversionError(
        f"{folder}: no weights here; expected a Hugging Face folder (config.json and model.safetensors), a Meta folder "
        f"(params.json and consolidated.00.pth), or a checkpoint"
    )


def open_weights(folder: Path, *, max_position_embeddings: int | None = None) -> Weights:
    """Open a folder of any of the three formats; reads descriptions and headers only.

    Args:
        folder: The folder; of a run, its newest checkpoint.
        max_position_embeddings: Longest context of the model, where the folder does not say (Meta's).

    Raises:
        ConversionError: It is none, or is damaged.
        CheckpointError: It is a checkpoint whose description is damaged.
    """
    kind = format_of(folder)
    if kind == "hf":
        return HuggingFaceWeights(folder)
    if kind == "meta":
        return MetaWeights(folder, max_position_embeddings=max_position_embeddings)
    return CheckpointWeights(folder)
