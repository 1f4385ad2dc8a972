"""Descriptions of weight folders, in and out: Hugging Face's `config.json`, Meta's `params.json`, our `model:` sizes.

A description is refused, not guessed at, where reading it wrongly would change what the model computes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conversion.json_files import Description, is_integer, read_description, shown
from melama_jax.config.presets import PRESETS
from melama_jax.errors import ConversionError

ModelSizes = dict[str, Any]
"""The size fields of a `model:` section: exactly the keys of a preset."""

_TOKEN_IDS = ("bos_token_id", "eos_token_id", "pad_token_id")
_HF_DEFAULT_THETA = 1e4
_HF_ONLY = {
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "quantization_config": None,
    "per_layer_config": None,
    "partial_rotary_factor": 1.0,
}
"""Keys of config.json that may only say what our model does."""

_LLAMA2_THETA, _LLAMA3_THETA = 1e4, 5e5
_LLAMA3_VOCAB_SIZE = 128256
_META_SCALING = dict(PRESETS["llama3.1-8b"]["rope_scaling"])
"""What `use_scaled_rope` means: the numbers stand in the text of Meta's code."""
_META_REFUSED = ("quantization_args", "lora_args", "moe_args", "vision_")
_PUBLISHED_FFN = ((256, None), (256, 1.5), (4096, 1.3), (1024, 1.3), (4096, 1.2))
"""multiple_of and ffn_dim_multiplier of Meta's releases: LLaMA 1 and 2, 3.2 1B, the 70Bs, 3 8B, 3.1 405B."""


def read_hf_config(folder: Path) -> tuple[ModelSizes, dict[str, Any]]:
    """Read a Hugging Face folder's `config.json`, with transformers' meaning of every absent key but the five sizes.

    Rotary keys are taken from the top of the file (transformers 4), from `rope_parameters` (5), or from both where
    they agree.

    Args:
        folder: Holds `config.json`.

    Returns:
        The sizes, and what else is worth keeping of `bos_token_id`, `eos_token_id`, `pad_token_id`,
        `initializer_range` and `dtype` (also found as `torch_dtype`), each only if the file has it. For absent
        `bos_token_id` and `eos_token_id` transformers takes 1 and 2.

    Raises:
        ConversionError: No such file, not a LLaMA, or a value that our model has no place for.
    """
    file = read_description(folder / "config.json")
    if file.values.get("model_type") != "llama":
        raise file.error("model_type", '"llama"')
    _refuse_other_models(file)
    rope_theta, rope_scaling = _hf_rope(file)
    sizes = {
        **{key: file.integer(key) for key in ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers")},
        **_hf_heads(file),
        "rope_theta": rope_theta,
        "rope_scaling": rope_scaling,
        "rms_norm_eps": file.number("rms_norm_eps", 1e-6),
        "tie_word_embeddings": file.truth("tie_word_embeddings"),
        "max_position_embeddings": file.integer("max_position_embeddings", 2048),
    }
    return sizes, _hf_extras(file)


def _refuse_other_models(part: Description) -> None:
    for key, only in _HF_ONLY.items():
        if part.values.get(key) not in (only, None):
            raise part.error(key, f"{shown(only)}, the only one there is here")


def _hf_heads(file: Description) -> ModelSizes:
    hidden_size, heads = file.integer("hidden_size"), file.integer("num_attention_heads")
    kv_heads = file.integer("num_key_value_heads", heads)
    if file.values.get("head_dim") is None and hidden_size % heads:
        raise file.error("num_attention_heads", f"a divisor of hidden_size {hidden_size}, or head_dim beside it")
    if heads % kv_heads:
        raise file.error("num_key_value_heads", f"a divisor of num_attention_heads {heads}")
    head_dim = file.integer("head_dim", hidden_size // heads)
    if head_dim % 2:
        raise ConversionError(f"{file.path}: head_dim is {head_dim}; the rotary embedding needs an even one")
    return {"num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": head_dim}


def _hf_rope(file: Description) -> tuple[float, dict[str, Any] | None]:
    """Base and scaling. A file may say them twice, but transformers 4 and 5 would then read different places."""
    sections = [part for part in (file.section("rope_scaling"), file.section("rope_parameters")) if part is not None]
    bases = [part.number("rope_theta") for part in (file, *sections) if "rope_theta" in part.values]
    scalings = [_hf_scaling(part) for part in sections]
    for key, found in (("rope_theta", bases), ("rope_scaling", scalings)):
        if any(value != found[0] for value in found):
            places = " and ".join(shown(value) for value in found)
            raise ConversionError(f"{file.path}: {key} is said twice, as {places}; keep the one the weights have")
    return (bases or [_HF_DEFAULT_THETA])[0], (scalings or [None])[0]


def _hf_scaling(part: Description) -> dict[str, Any] | None:
    _refuse_other_models(part)
    # transformers 5 takes an object without a type for unscaled; one with a factor was hardly meant so.
    unnamed = None if "factor" in part.values else "default"
    key = "rope_type" if "rope_type" in part.values or "type" not in part.values else "type"
    kind = part.values.get(key, unnamed)
    if kind == "default":
        return None
    if kind != "llama3":
        raise part.error(key, '"llama3" or "default"')
    low, high = part.number("low_freq_factor"), part.number("high_freq_factor")
    if low >= high:
        raise part.error("low_freq_factor", f"less than high_freq_factor {high:g}")
    return {
        "factor": part.number("factor"),
        "low_freq_factor": low,
        "high_freq_factor": high,
        "original_max_position_embeddings": part.integer("original_max_position_embeddings"),
    }


def _hf_extras(file: Description) -> dict[str, Any]:
    extras: dict[str, Any] = {key: file.token_id(key) for key in _TOKEN_IDS if key in file.values}
    if file.values.get("initializer_range") is not None:
        extras["initializer_range"] = file.number("initializer_range")
    for key in ("torch_dtype", "dtype"):  # of both, transformers keeps `dtype`
        if (dtype := file.values.get(key)) is not None:
            if not isinstance(dtype, str):
                raise file.error(key, 'the name of a dtype, such as "bfloat16"')
            extras["dtype"] = dtype
    return extras


def hf_config(sizes: ModelSizes, *, dtype: str, token_ids: Mapping[str, Any]) -> dict[str, Any]:
    """The `config.json` of a model, in the keys that transformers 4.40 and later, 5, and vLLM all read.

    Rotary keys stand at the top and `torch_dtype` alone names the dtype: transformers 5 moves both to their new
    places, while 4 knows no others. Said in both places, 5 would silently prefer one.

    Args:
        sizes: The model.
        dtype: Of the stored weights, such as "bfloat16".
        token_ids: As `read_hf_config` returns, or the tokenizer's. An absent `bos_token_id` or `eos_token_id` means
            LLaMA 2's 1 and 2 to transformers; None means that there is none.

    Raises:
        ConversionError: The heads do not divide the width, which transformers 5 refuses.
    """
    hidden_size, heads = sizes["hidden_size"], sizes["num_attention_heads"]
    if hidden_size % heads:
        raise ConversionError(
            f"config.json: num_attention_heads {heads} does not divide hidden_size {hidden_size}; transformers opens "
            f"no such LLaMA"
        )
    scaling = sizes["rope_scaling"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "mlp_bias": False,
        "initializer_range": token_ids.get("initializer_range", 0.02),
        **{key: sizes[key] for key in PRESETS["tiny"]},
        "rope_scaling": None if scaling is None else {"rope_type": "llama3", **_with_floats(scaling)},
        **_written_ids(token_ids),
        "torch_dtype": dtype,
        "use_cache": True,
        # The first that reads such a file. Without a version, 4.57.3 takes a local LLaMA 3 tokenizer for Mistral's.
        "transformers_version": "4.40.0" if scaling is None else "4.43.0",
    }


def _with_floats(scaling: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers as JSON shall have them: transformers 4 warns of factors that are integers."""
    return {key: int(scaling[key]) if key.startswith("original") else float(scaling[key]) for key in _META_SCALING}


def _written_ids(token_ids: Mapping[str, Any]) -> dict[str, Any]:
    """The first LLaMA files say -1 for none, which transformers 5 warns of."""
    found = {key: token_ids[key] for key in _TOKEN_IDS if key in token_ids}
    return {key: None if is_integer(value) and value < 0 else value for key, value in found.items()}


def generation_config(token_ids: Mapping[str, Any]) -> dict[str, Any]:
    """The `generation_config.json` of a model: where a text begins and ends, and no way of sampling."""
    known = {key: value for key, value in _written_ids(token_ids).items() if value is not None}
    return {**known, "transformers_version": "4.40.0"}


def read_meta_params(
    folder: Path, *, vocab_size: int, intermediate_size: int, max_position_embeddings: int | None = None
) -> ModelSizes:
    """Read a Meta folder's `params.json`.

    `tie_word_embeddings` is False: the file cannot say it, and Meta writes `output.weight` out for tied models too.

    Args:
        folder: Holds `params.json`.
        vocab_size: V of the tensors; the file may have -1 or nothing.
        intermediate_size: F of the tensors; the file only has a formula for it.
        max_position_embeddings: The context in tokens, which the file does not know; a guess from the other sizes
            when not given.

    Raises:
        ConversionError: No such file, a value that our model has no place for, or one that the tensors contradict.
    """
    file = read_description(folder / "params.json")
    for key, value in file.values.items():
        if key.startswith(_META_REFUSED) and value is not None:
            raise file.error(key, "none: such weights are not a plain LLaMA's")
    if file.values.get("vocab_size", -1) not in (-1, vocab_size):
        raise file.error("vocab_size", f"the tensors' {vocab_size}, or -1")
    dim, heads, kv_heads = _meta_heads(file)
    _check_meta_ffn(file, dim, intermediate_size)
    scaling = _read_meta_scaling(file)
    # The key has another default in each of Meta's two code bases.
    theta = _LLAMA3_THETA if scaling is not None or vocab_size >= _LLAMA3_VOCAB_SIZE else _LLAMA2_THETA
    sizes = {
        "vocab_size": vocab_size,
        "hidden_size": dim,
        "intermediate_size": intermediate_size,
        "num_hidden_layers": file.integer("n_layers"),
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": dim // heads,
        "rope_theta": file.number("rope_theta", theta),
        "rope_scaling": scaling,
        "rms_norm_eps": file.number("norm_eps"),
        "tie_word_embeddings": False,
    }
    return {**sizes, "max_position_embeddings": max_position_embeddings or _probable_context(sizes)}


def _meta_heads(file: Description) -> tuple[int, int, int]:
    """D, H and K."""
    dim, heads = file.integer("dim"), file.integer("n_heads")
    kv_heads = file.integer("n_kv_heads", heads)
    if dim % (2 * heads):
        raise file.error("n_heads", f"a divisor of dim {dim} that leaves heads of an even width")
    if heads % kv_heads:
        raise file.error("n_kv_heads", f"a divisor of n_heads {heads}")
    if file.values.get("head_dim") not in (None, dim // heads):
        raise file.error("head_dim", f"dim / n_heads, {dim // heads}")
    return dim, heads, kv_heads


def _ffn_size(dim: int, multiple_of: int, ffn_dim_multiplier: float | None = None) -> int:
    """F by Meta's formula, with its roundings."""
    size = int(2 * (4 * dim) / 3)
    if ffn_dim_multiplier is not None:
        size = int(ffn_dim_multiplier * size)
    return multiple_of * -(-size // multiple_of)


def _check_meta_ffn(file: Description, dim: int, intermediate_size: int) -> None:
    multiple_of, multiplier = file.integer("multiple_of"), None
    if file.values.get("ffn_dim_multiplier") is not None:
        multiplier = file.number("ffn_dim_multiplier")
    formula = _ffn_size(dim, multiple_of, multiplier)
    if formula != intermediate_size:
        scaled = "" if multiplier is None else f" with ffn_dim_multiplier {multiplier:g}"
        raise ConversionError(
            f"{file.path}: multiple_of {multiple_of}{scaled} makes dim {dim} an intermediate size of "
            f"{shown(formula)}; expected the tensors' {intermediate_size}"
        )


def _read_meta_scaling(file: Description) -> dict[str, Any] | None:
    if not file.truth("use_scaled_rope"):
        return None
    if file.values.get("rope_high_freq_factor") not in (None, _META_SCALING["high_freq_factor"]):
        raise file.error("rope_high_freq_factor", "4, as in every LLaMA 3")
    return {**_META_SCALING, "factor": file.number("rope_scaling_factor", _META_SCALING["factor"])}


def _probable_context(sizes: ModelSizes) -> int:
    """The context of the preset with these other sizes, else of the family they look like."""
    for preset in PRESETS.values():
        if all(preset[key] == value for key, value in sizes.items()):
            return preset["max_position_embeddings"]
    if sizes["rope_scaling"] is not None:
        return 131072
    if sizes["rope_theta"] >= _LLAMA3_THETA:
        return 8192
    return 2048 if sizes["rms_norm_eps"] == 1e-6 else 4096


def meta_params(sizes: ModelSizes) -> dict[str, Any]:
    """The `params.json` of a model, with no key that the Meta code of its family does not know.

    LLaMA 2's code refuses unknown keys. LLaMA 3's ignores them, `rope_scaling_factor` in most versions too, and then
    scales by 8.

    Raises:
        ConversionError: The file has no key for what the model needs.
    """
    dim, heads, kv_heads = sizes["hidden_size"], sizes["num_attention_heads"], sizes["num_key_value_heads"]
    if heads * sizes["head_dim"] != dim:
        raise ConversionError(
            f"params.json: head_dim {sizes['head_dim']} has no key; it can only be hidden_size {dim} / "
            f"num_attention_heads {heads}"
        )
    return {
        "dim": dim,
        "n_layers": sizes["num_hidden_layers"],
        "n_heads": heads,
        **({"n_kv_heads": kv_heads} if kv_heads != heads else {}),
        "vocab_size": sizes["vocab_size"],
        **_ffn_keys(dim, sizes["intermediate_size"]),
        "norm_eps": sizes["rms_norm_eps"],
        **({"rope_theta": sizes["rope_theta"]} if sizes["rope_theta"] != _LLAMA2_THETA or is_llama3(sizes) else {}),
        **_meta_scaling_keys(sizes["rope_scaling"]),
    }


def _ffn_keys(dim: int, intermediate_size: int) -> dict[str, Any]:
    """multiple_of and, only where it is needed, ffn_dim_multiplier, from which Meta's formula makes F."""
    for multiple_of, multiplier in _PUBLISHED_FFN:
        if _ffn_size(dim, multiple_of, multiplier) == intermediate_size:
            return {"multiple_of": multiple_of} | ({} if multiplier is None else {"ffn_dim_multiplier": multiplier})
    plain = _ffn_size(dim, 1)
    if intermediate_size >= plain:
        # A divisor of F whose multiple before F is still below the plain size; F itself is one.
        candidates = range(intermediate_size - plain + 1, intermediate_size + 1)
        return {"multiple_of": next(m for m in candidates if intermediate_size % m == 0)}
    # The middle of what is rounded up to F, in as few digits as will do.
    multiple_of = math.gcd(intermediate_size, 256)
    middle = (intermediate_size + 1 - multiple_of / 2) / plain
    rounded = (round(middle, digits) for digits in range(1, 18))
    return {
        "multiple_of": multiple_of,
        "ffn_dim_multiplier": next(x for x in rounded if _ffn_size(dim, multiple_of, x) == intermediate_size),
    }


def _meta_scaling_keys(scaling: Mapping[str, Any] | None) -> dict[str, Any]:
    if scaling is None:
        return {}
    for key, fixed in _META_SCALING.items():
        if key != "factor" and scaling[key] != fixed:
            raise ConversionError(f"params.json: rope_scaling.{key} {scaling[key]:g} has no key; only {fixed:g} goes")
    factor = scaling["factor"]
    return {"use_scaled_rope": True} | ({} if factor == _META_SCALING["factor"] else {"rope_scaling_factor": factor})


def preset_of(sizes: ModelSizes) -> str | None:
    """The preset with just these sizes, if there is one."""
    return next((name for name, preset in PRESETS.items() if preset == sizes), None)


def is_llama3(sizes: ModelSizes) -> bool:
    """Whether LLaMA 3's code reads a Meta folder of these sizes; that code splits the token embedding by rows.

    LLaMA 1's and 2's splits it by width. Any other base than theirs is not enough: Code Llama is one of them with 1e6.
    """
    return (
        sizes["rope_scaling"] is not None
        or sizes["rope_theta"] == _LLAMA3_THETA
        or sizes["vocab_size"] >= _LLAMA3_VOCAB_SIZE
    )
