"""Which format a folder has, and opening it."""

from __future__ import annotations

from pathlib import Path

from conversion.adapter import Adapter, Merged
from conversion.adapter_checkpoint import AdapterCheckpoint, holds_adapter
from conversion.checkpoint import CheckpointWeights
from conversion.hf import HuggingFaceWeights, is_hf_folder
from conversion.meta import MetaWeights, is_meta_folder
from conversion.peft import CONFIG, PeftAdapter
from conversion.weights import Weights
from melama_jax.errors import CheckpointError, ConversionError
from melama_jax.training.checkpoint import find_checkpoint, read_meta


def format_of(folder: Path) -> str:
    """hf, meta or checkpoint; peft, or adapter where a checkpoint holds one.

    Raises:
        ConversionError: The folder does not exist, or is none or more than one of them.
        CheckpointError: It is a checkpoint whose description is damaged.
    """
    if not folder.is_dir():
        raise ConversionError(
            f"{folder}: {'is a file' if folder.exists() else 'no such folder'}; give a folder of weights"
        )
    if (folder / CONFIG).is_file():
        if any(path for pattern in ("model*.safetensors", "pytorch_model*") for path in folder.glob(pattern)):
            raise ConversionError(f"{folder}: holds whole weights and an adapter at once; put {CONFIG} elsewhere")
        return "peft"
    found = [name for name, test in (("hf", is_hf_folder), ("meta", is_meta_folder)) if test(folder)]
    if len(found) > 1:
        raise ConversionError(f"{folder}: holds Hugging Face and Meta weights at once; keep one of them in the folder")
    if found:
        return found[0]
    if (folder / "config.json").is_file():
        return "hf"  # whose weights are missing
    try:
        step = find_checkpoint(folder)
    except CheckpointError:
        pass
    else:
        return "adapter" if holds_adapter(read_meta(step)) else "checkpoint"
    if (folder / "params.json").is_file():
        raise ConversionError(f"{folder}: has params.json, but no consolidated.00.pth; copy the weights too")
    raise ConversionError(
        f"{folder}: no weights here; expected a Hugging Face folder (config.json and model.safetensors), a Meta folder "
        f"(params.json and consolidated.00.pth), a PEFT folder ({CONFIG}), or a checkpoint"
    )


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter, in PEFT's layout or ours.

    Raises:
        ConversionError: As `format_of` raises.
        CheckpointError: The same.
    """
    return format_of(folder) in ("peft", "adapter")


def open_weights(folder: Path, *, base: Path | None = None, max_position_embeddings: int | None = None) -> Weights:
    """Open a folder of any of the formats; reads descriptions and headers only.

    Args:
        folder: The folder; of a run, its newest checkpoint. An adapter is opened as its base with it added.
        base: The weights that an adapter belongs to; None takes those that it names.
        max_position_embeddings: Longest context of the model, where the folder does not say (Meta's).

    Raises:
        ConversionError: It is none, or is damaged; or the base is not here, or of other sizes.
        CheckpointError: It is a checkpoint whose description is damaged.
    """
    kind = format_of(folder)
    if kind in ("peft", "adapter"):
        return open_merged(open_adapter(folder), base)
    if base is not None:
        raise ConversionError(f"{folder}: holds whole weights, so --base means nothing; leave it out")
    if kind == "hf":
        return HuggingFaceWeights(folder)
    if kind == "meta":
        return MetaWeights(folder, max_position_embeddings=max_position_embeddings)
    return CheckpointWeights(folder)


def open_adapter(folder: Path) -> Adapter:
    """Open an adapter of either format, without its base.

    Raises:
        ConversionError: It is none, or is damaged.
        CheckpointError: It is a checkpoint whose description is damaged.
    """
    kind = format_of(folder)
    if kind not in ("peft", "adapter"):
        raise ConversionError(f"{folder}: holds whole weights; give the folder of an adapter")
    return PeftAdapter(folder) if kind == "peft" else AdapterCheckpoint(folder)


def open_merged(adapter: Adapter, base: Path | None = None) -> Merged:
    """An adapter with the weights that it belongs to.

    Args:
        adapter: It.
        base: The folder of those weights; None takes the one that it names.

    Raises:
        ConversionError: They are not here, damaged, or of other sizes.
        CheckpointError: They are a checkpoint whose description is damaged.
    """
    named, fingerprint = adapter.base["from"], adapter.base["fingerprint"]
    if base is None and named is None:
        raise ConversionError(f"{adapter.folder}: names no base; give the folder of its base weights with --base")
    if base is None and not Path(str(named)).is_dir():
        expected = "" if fingerprint is None else f" (weights with fingerprint {fingerprint[:12]})"
        raise ConversionError(f"{adapter.folder}: its base {named}{expected} is not here; give its folder with --base")
    where = base or Path(str(named))
    if is_adapter(where):
        raise ConversionError(f"{where}: is an adapter itself, no base; merge it into its own first")
    sizes = adapter.sizes or {}
    weights = open_weights(where, max_position_embeddings=sizes.get("max_position_embeddings"))
    return Merged(weights, adapter)
