"""What `config.json` and `params.json` say is what we read, and other people's readers read what we write."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from conversion.description import (
    ModelSizes,
    generation_config,
    hf_config,
    is_llama3,
    meta_params,
    preset_of,
    read_hf_config,
    read_meta_params,
)
from melama_jax.config import from_mapping
from melama_jax.config.presets import PRESETS
from melama_jax.errors import ConversionError

WEIGHTS = Path(__file__).parents[2].parent / "shared" / "weights"
MISSING = object()
LLAMA3_IDS = {"bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "pad_token_id": None}
SCALING = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
STORIES = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 172,
    "num_hidden_layers": 5,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 8,
    "rope_theta": 1e4,
    "rope_scaling": None,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": False,
    "max_position_embeddings": 512,
}
LLAMA32_1B = PRESETS["llama3.1-8b"] | {
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "head_dim": 64,
    "rope_scaling": PRESETS["llama3.1-8b"]["rope_scaling"] | {"factor": 32.0},
    "tie_word_embeddings": True,
}
LLAMA31_405B = PRESETS["llama3.1-70b"] | {
    "hidden_size": 16384,
    "intermediate_size": 53248,
    "num_hidden_layers": 126,
    "num_attention_heads": 128,
}


def published_hf(d: int, f: int, layers: int, heads: int, kv_heads: int, **other: Any) -> dict[str, Any]:
    """A config.json as on the Hub: LLaMA 2's keys, and others over them."""
    return {
        "_name_or_path": "meta-llama/somewhere",
        "architectures": ["LlamaForCausalLM"],
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": d,
        "initializer_range": 0.02,
        "intermediate_size": f,
        "max_position_embeddings": 4096,
        "model_type": "llama",
        "num_attention_heads": heads,
        "num_hidden_layers": layers,
        "num_key_value_heads": kv_heads,
        "pretraining_tp": 1,
        "rms_norm_eps": 1e-05,
        "rope_scaling": None,
        "tie_word_embeddings": False,
        "torch_dtype": "float16",
        "transformers_version": "4.31.0.dev0",
        "use_cache": True,
        "vocab_size": 32000,
    } | other


LLAMA3_KEYS = {
    "attention_bias": False,
    "attention_dropout": 0.0,
    "bos_token_id": 128000,
    "eos_token_id": 128001,
    "max_position_embeddings": 8192,
    "rope_theta": 500000.0,
    "torch_dtype": "bfloat16",
    "transformers_version": "4.40.0.dev0",
    "vocab_size": 128256,
}
LLAMA31_KEYS = LLAMA3_KEYS | {"max_position_embeddings": 131072, "mlp_bias": False, "rope_scaling": SCALING}
PUBLISHED_HF = {
    "llama2-7b": published_hf(4096, 11008, 32, 32, 32),
    "llama2-13b": published_hf(5120, 13824, 40, 40, 40),
    "llama2-70b": published_hf(8192, 28672, 80, 64, 8),
    "llama3-8b": published_hf(4096, 14336, 32, 32, 8, **LLAMA3_KEYS),
    "llama3.1-8b": published_hf(4096, 14336, 32, 32, 8, **LLAMA31_KEYS),
}
PUBLISHED_META = {
    "llama2-7b": {"dim": 4096, "multiple_of": 256, "n_heads": 32, "n_layers": 32, "norm_eps": 1e-5, "vocab_size": -1},
    "llama2-13b": {"dim": 5120, "multiple_of": 256, "n_heads": 40, "n_layers": 40, "norm_eps": 1e-5, "vocab_size": -1},
    "llama2-70b": {
        "dim": 8192,
        "multiple_of": 4096,
        "ffn_dim_multiplier": 1.3,
        "n_heads": 64,
        "n_kv_heads": 8,
        "n_layers": 80,
        "norm_eps": 1e-5,
        "vocab_size": -1,
    },
    "llama3-8b": {
        "dim": 4096,
        "n_layers": 32,
        "n_heads": 32,
        "n_kv_heads": 8,
        "vocab_size": 128256,
        "multiple_of": 1024,
        "ffn_dim_multiplier": 1.3,
        "norm_eps": 1e-5,
        "rope_theta": 500000.0,
    },
}
PUBLISHED_META["llama3.1-8b"] = PUBLISHED_META["llama3-8b"] | {"use_scaled_rope": True}
PUBLISHED_META_1B = PUBLISHED_META["llama3.1-8b"] | {
    "dim": 2048,
    "n_layers": 16,
    "multiple_of": 256,
    "ffn_dim_multiplier": 1.5,
}


def folder_with(folder: Path, name: str, values: Mapping[str, Any]) -> Path:
    """The folder, after writing one description without the keys that are MISSING."""
    kept = {key: value for key, value in values.items() if value is not MISSING}
    (folder / name).write_text(json.dumps(kept))
    return folder


def ffn_by_the_formula(dim: int, keys: Mapping[str, Any]) -> int:
    """F as formats.md has it."""
    inner, multiple_of = int(8 * dim / 3), keys["multiple_of"]
    if "ffn_dim_multiplier" in keys:
        inner = int(keys["ffn_dim_multiplier"] * inner)
    return multiple_of * ((inner + multiple_of - 1) // multiple_of)


# The sample folders


@pytest.mark.parametrize("name", ["stories260K-meta", "stories260K-meta-mp2"])
def test_sample_meta_folders(name: str) -> None:
    if not (WEIGHTS / name).is_dir():
        pytest.skip(f"../shared/weights/{name} is not here")
    sizes = read_meta_params(WEIGHTS / name, vocab_size=512, intermediate_size=172, max_position_embeddings=512)
    assert sizes == STORIES
    assert meta_params(sizes) == json.loads((WEIGHTS / name / "params.json").read_text())


def test_sample_hf_folder() -> None:
    folder = WEIGHTS / "stories260K-hf"
    if not folder.is_dir():
        pytest.skip("../shared/weights/stories260K-hf is not here")
    sizes, extras = read_hf_config(folder)
    assert sizes == STORIES | {"tie_word_embeddings": True}
    ids = {"bos_token_id": 1, "eos_token_id": 2}
    assert extras == {**ids, "pad_token_id": None, "initializer_range": 0.02, "dtype": "float32"}
    theirs = json.loads((folder / "generation_config.json").read_text())
    assert ids.items() <= generation_config(extras).items()
    assert ids.items() <= theirs.items()


# Published descriptions


@pytest.mark.parametrize("name", PUBLISHED_HF)
def test_published_hf_is_the_preset(name: str, tmp_path: Path) -> None:
    published = PUBLISHED_HF[name]
    sizes, extras = read_hf_config(folder_with(tmp_path, "config.json", published))
    assert sizes == PRESETS[name]
    assert preset_of(sizes) == name
    assert extras["dtype"] == published["torch_dtype"]
    assert extras["eos_token_id"] == published["eos_token_id"]


def test_published_llama32_1b(tmp_path: Path) -> None:
    other = {"head_dim": 64, "tie_word_embeddings": True, "rope_scaling": SCALING | {"factor": 32.0}}
    published = published_hf(2048, 8192, 16, 32, 8, **(LLAMA31_KEYS | other))
    assert read_hf_config(folder_with(tmp_path, "config.json", published))[0] == LLAMA32_1B
    assert preset_of(LLAMA32_1B) is None


def test_first_hf_files_have_few_keys(tmp_path: Path) -> None:
    published = published_hf(4096, 11008, 32, 32, 32, pad_token_id=-1)
    absent = ["num_key_value_heads", "max_position_embeddings", "rope_scaling", "tie_word_embeddings", "torch_dtype"]
    absent += ["rms_norm_eps"]
    sizes, extras = read_hf_config(folder_with(tmp_path, "config.json", published | dict.fromkeys(absent, MISSING)))
    assert preset_of(sizes) == "llama1-7b"
    assert "dtype" not in extras
    assert hf_config(sizes, dtype="float16", token_ids=extras)["pad_token_id"] is None
    assert generation_config(extras) == {"bos_token_id": 1, "eos_token_id": 2, "transformers_version": "4.40.0"}


@pytest.mark.parametrize("name", PUBLISHED_META)
def test_published_meta_is_the_preset(name: str, tmp_path: Path) -> None:
    preset, folder = PRESETS[name], folder_with(tmp_path, "params.json", PUBLISHED_META[name])
    sizes = read_meta_params(folder, vocab_size=preset["vocab_size"], intermediate_size=preset["intermediate_size"])
    assert sizes == preset
    assert meta_params(sizes) == PUBLISHED_META[name] | {"vocab_size": preset["vocab_size"]}


def test_published_meta_llama32_1b_scales_by_8(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "params.json", PUBLISHED_META_1B)
    sizes = read_meta_params(folder, vocab_size=128256, intermediate_size=8192)
    expected = {"tie_word_embeddings": False, "rope_scaling": PRESETS["llama3.1-8b"]["rope_scaling"]}
    assert sizes == LLAMA32_1B | expected
    assert meta_params(sizes) == PUBLISHED_META_1B


def test_405b_has_its_published_ffn_keys() -> None:
    assert {"multiple_of": 4096, "ffn_dim_multiplier": 1.2}.items() <= meta_params(LLAMA31_405B).items()


# Round trips


@pytest.mark.parametrize("sizes", [*PRESETS.values(), LLAMA32_1B, LLAMA31_405B, STORIES])
@pytest.mark.parametrize("ids", [LLAMA3_IDS, {"bos_token_id": 1, "initializer_range": 0.01}], ids=["chat", "few"])
def test_hf_round_trip(sizes: ModelSizes, ids: dict[str, Any], tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "config.json", hf_config(sizes, dtype="bfloat16", token_ids=ids))
    found, extras = read_hf_config(folder)
    assert found == sizes
    assert list(found) == list(PRESETS["tiny"])
    assert extras == {"initializer_range": 0.02, **ids, "dtype": "bfloat16"}
    from_mapping({"model": {"preset": None, **found}})  # our own configuration takes them


@pytest.mark.parametrize(
    "sizes", [*PRESETS.values(), LLAMA32_1B | {"tie_word_embeddings": False}, LLAMA31_405B, STORIES]
)
def test_meta_round_trip(sizes: ModelSizes, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "params.json", meta_params(sizes))
    tensors = {key: sizes[key] for key in ("vocab_size", "intermediate_size")}
    known = {} if sizes != STORIES else {"max_position_embeddings": 512}
    found = read_meta_params(folder, **tensors, **known)
    assert found == sizes
    assert list(found) == list(PRESETS["tiny"])


def test_a_llama3_vocabulary_with_llama2s_base_keeps_its_base(tmp_path: Path) -> None:
    sizes = PRESETS["llama3-8b"] | {"rope_theta": 1e4}  # a key left out would mean 5e5 to LLaMA 3's code
    folder = folder_with(tmp_path, "params.json", meta_params(sizes))
    assert read_meta_params(folder, vocab_size=128256, intermediate_size=14336)["rope_theta"] == 1e4


@pytest.mark.parametrize(
    ("changes", "vocab_size", "base"),
    [({}, 128256, 5e5), ({}, 32000, 1e4), ({"use_scaled_rope": True}, 32000, 5e5)],
    ids=["vocabulary", "llama2", "scaled"],
)
def test_absent_base_is_that_of_the_code_base(
    changes: dict[str, Any], vocab_size: int, base: float, tmp_path: Path
) -> None:
    values = PUBLISHED_META["llama3-8b"] | {"rope_theta": MISSING, "vocab_size": -1} | changes
    folder = folder_with(tmp_path, "params.json", values)
    assert read_meta_params(folder, vocab_size=vocab_size, intermediate_size=14336)["rope_theta"] == base


# Other people's readers


@pytest.mark.parametrize("sizes", [*PRESETS.values(), LLAMA32_1B, LLAMA31_405B, STORIES])
def test_transformers_reads_ours(sizes: ModelSizes) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    ours = json.loads(json.dumps(hf_config(sizes, dtype="bfloat16", token_ids=LLAMA3_IDS)))
    theirs = transformers.LlamaConfig.from_dict(ours)
    for key in sizes.keys() - {"rope_theta", "rope_scaling"}:
        assert getattr(theirs, key) == sizes[key], key
    if transformers.__version__ >= "5":
        rope = dict(theirs.rope_parameters)
    else:
        rope = {"rope_theta": theirs.rope_theta, **(theirs.rope_scaling or {"rope_type": "default"})}
    scaling = {"rope_type": "default"} if sizes["rope_scaling"] is None else SCALING | sizes["rope_scaling"]
    assert rope == {"rope_theta": sizes["rope_theta"], **scaling}
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id) == tuple(LLAMA3_IDS.values())
    assert (theirs.hidden_act, theirs.attention_bias, theirs.mlp_bias) == ("silu", False, False)
    assert (getattr(theirs, "dtype", None) or theirs.torch_dtype) in (torch.bfloat16, "bfloat16")


@pytest.mark.parametrize("sizes", [PRESETS["llama3.1-8b"], LLAMA32_1B, PRESETS["llama2-7b"]])
def test_transformers_writes_what_we_read(sizes: ModelSizes, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.LlamaConfig.from_dict(hf_config(sizes, dtype="bfloat16", token_ids=LLAMA3_IDS))
    theirs.save_pretrained(tmp_path)
    found, extras = read_hf_config(tmp_path)
    assert found == sizes
    assert LLAMA3_IDS.items() <= extras.items()


def test_transformers_reads_our_generation_config(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    folder = folder_with(tmp_path, "generation_config.json", generation_config(LLAMA3_IDS))
    theirs = transformers.GenerationConfig.from_pretrained(folder)
    assert (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id) == tuple(LLAMA3_IDS.values())


def test_llama2s_code_knows_every_key() -> None:
    known = {"dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "multiple_of", "ffn_dim_multiplier", "norm_eps"}
    for name in ("tiny", "small-20m", "llama1-7b", "llama2-7b", "llama2-13b", "llama2-70b"):
        assert meta_params(PRESETS[name]).keys() <= known, name


@pytest.mark.parametrize(("sizes", "expected"), [(LLAMA32_1B, True), (STORIES, False)])
def test_llama3_by_sizes(sizes: ModelSizes, expected: bool) -> None:
    assert is_llama3(sizes) is expected


def test_llama3_by_preset() -> None:
    assert {name for name, sizes in PRESETS.items() if is_llama3(sizes)} == {n for n in PRESETS if "llama3" in n}
    assert not is_llama3(PRESETS["llama2-7b"] | {"rope_theta": 1e6, "vocab_size": 32016})  # Code Llama
    assert is_llama3(PRESETS["tiny"] | {"rope_theta": 5e5})
    assert is_llama3(PRESETS["llama3-8b"] | {"rope_theta": 2e6})


# Meta's feed-forward formula


def test_every_ffn_size_can_be_said() -> None:
    draw = random.Random(0)
    seen = set()
    for _ in range(4000):
        dim = 2 * draw.randint(1, draw.choice([32, 1024, 16384]))
        size = draw.randint(1, draw.choice([100, 2 * dim, 8 * dim]))
        keys = meta_params(STORIES | _plain_heads(dim) | {"intermediate_size": size})
        assert ffn_by_the_formula(dim, keys) == size, (dim, keys)
        seen.add("ffn_dim_multiplier" in keys)
    assert seen == {True, False}


def test_every_small_ffn_size_reads_back(tmp_path: Path) -> None:
    for dim, size in [(dim, size) for dim in (2, 6, 10, 64) for size in range(1, 200)]:
        sizes = STORIES | _plain_heads(dim) | {"intermediate_size": size}
        folder = folder_with(tmp_path, "params.json", meta_params(sizes))
        found = read_meta_params(folder, vocab_size=512, intermediate_size=size, max_position_embeddings=512)
        assert found == sizes


def _plain_heads(dim: int) -> dict[str, int]:
    return {"hidden_size": dim, "head_dim": dim, "num_attention_heads": 1, "num_key_value_heads": 1}


@pytest.mark.parametrize(
    ("size", "keys"),
    [
        (170, {"multiple_of": 1}),  # just the formula's 8 D / 3
        (172, {"multiple_of": 4}),
        (169, {"multiple_of": 1, "ffn_dim_multiplier": 0.997}),
        (128, {"multiple_of": 128, "ffn_dim_multiplier": 0.4}),
    ],
)
def test_ffn_keys_are_plain(size: int, keys: dict[str, Any]) -> None:
    params = meta_params(STORIES | {"intermediate_size": size})
    assert {key: params[key] for key in ("multiple_of", "ffn_dim_multiplier") if key in params} == keys


# The context that params.json does not have


@pytest.mark.parametrize(
    ("changes", "context"),
    [
        ({"use_scaled_rope": True}, 131072),
        ({"rope_theta": 500000.0}, 8192),
        ({"norm_eps": 1e-6}, 2048),
        ({}, 4096),
        ({"rope_theta": 1000000.0}, 8192),
    ],
)
def test_probable_context(changes: dict[str, Any], context: int, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "params.json", meta_params(STORIES) | changes)
    assert read_meta_params(folder, vocab_size=512, intermediate_size=172)["max_position_embeddings"] == context
    given = read_meta_params(folder, vocab_size=512, intermediate_size=172, max_position_embeddings=77)
    assert given["max_position_embeddings"] == 77


# Rotary keys of config.json


LLAMA3_ROPE = PRESETS["llama3.1-8b"]["rope_scaling"]


@pytest.mark.parametrize(
    ("changes", "base", "scaling"),
    [
        ({}, 1e4, None),
        ({"rope_theta": 500000}, 5e5, None),
        ({"rope_scaling": SCALING, "rope_theta": 5e5}, 5e5, LLAMA3_ROPE),
        ({"rope_scaling": SCALING | {"rope_type": MISSING, "type": "llama3"}}, 1e4, LLAMA3_ROPE),
        ({"rope_scaling": {"type": "default"}}, 1e4, None),
        ({"rope_scaling": {}, "rope_parameters": {"rope_theta": 5e5}}, 5e5, None),
        ({"rope_parameters": {"rope_theta": 5e5, **SCALING}}, 5e5, LLAMA3_ROPE),
        (
            {"rope_parameters": {"rope_theta": 5e5, **SCALING}, "rope_theta": 5e5, "rope_scaling": SCALING},
            5e5,
            LLAMA3_ROPE,
        ),
        ({"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 1.0}}, 1e4, None),
    ],
)
def test_rope_is_read_as_transformers_reads_it(
    changes: dict[str, Any], base: float, scaling: dict[str, Any] | None, tmp_path: Path
) -> None:
    changes = json.loads(json.dumps(_without_missing(changes)))
    values = published_hf(64, 172, 5, 8, 4, max_position_embeddings=131072) | changes
    sizes, _ = read_hf_config(folder_with(tmp_path, "config.json", values))
    assert (sizes["rope_theta"], sizes["rope_scaling"]) == (base, scaling)
    transformers = pytest.importorskip("transformers", minversion="5")
    theirs = transformers.LlamaConfig.from_pretrained(tmp_path).rope_parameters
    assert theirs["rope_theta"] == base
    assert theirs["rope_type"] == ("default" if scaling is None else "llama3")
    assert (scaling or {}).items() <= theirs.items()


def _without_missing(tree: Any) -> Any:
    if not isinstance(tree, dict):
        return tree
    return {key: _without_missing(value) for key, value in tree.items() if value is not MISSING}


def test_of_two_dtypes_the_new_key_counts(tmp_path: Path) -> None:
    values = PUBLISHED_HF["llama2-7b"] | {"dtype": "bfloat16"}
    assert read_hf_config(folder_with(tmp_path, "config.json", values))[1]["dtype"] == "bfloat16"


def test_wide_heads_are_read(tmp_path: Path) -> None:
    values = published_hf(100, 172, 5, 8, 4, head_dim=32)
    assert read_hf_config(folder_with(tmp_path, "config.json", values))[0]["head_dim"] == 32


# Mistakes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mistral"}, 'model_type is "mistral"; expected "llama"'),
        ({"model_type": MISSING}, 'model_type is missing; expected "llama"'),
        ({"vocab_size": MISSING}, "vocab_size is missing; expected a positive integer"),
        ({"hidden_size": 0}, "hidden_size is 0; expected a positive integer"),
        ({"intermediate_size": 172.0}, "intermediate_size is 172.0; expected a positive integer"),
        ({"num_hidden_layers": True}, "num_hidden_layers is true; expected a positive integer"),
        ({"num_hidden_layers": None}, "num_hidden_layers is null; expected a positive integer"),
        ({"num_attention_heads": "8"}, 'num_attention_heads is "8"; expected a positive integer'),
        (
            {"num_attention_heads": 7},
            "num_attention_heads is 7; expected a divisor of hidden_size 64, or head_dim beside it",
        ),
        ({"num_key_value_heads": 3}, "num_key_value_heads is 3; expected a divisor of num_attention_heads 8"),
        ({"num_key_value_heads": -1}, "num_key_value_heads is -1; expected a positive integer"),
        ({"head_dim": 7}, "head_dim is 7; the rotary embedding needs an even one"),
        ({"num_attention_heads": 64}, "head_dim is 1; the rotary embedding needs an even one"),
        ({"max_position_embeddings": -5}, "max_position_embeddings is -5; expected a positive integer"),
        ({"rms_norm_eps": "1e-5"}, 'rms_norm_eps is "1e-5"; expected a positive number'),
        ({"rms_norm_eps": float("nan")}, "rms_norm_eps is NaN; expected a positive number"),
        ({"rope_theta": float("inf")}, "rope_theta is Infinity; expected a positive number"),
        ({"rope_theta": 10**400}, f"rope_theta is 1{'0' * 76}...; expected a positive number"),
        ({"rope_theta": None}, "rope_theta is null; expected a positive number"),
        ({"initializer_range": -1}, "initializer_range is -1; expected a positive number"),
        ({"tie_word_embeddings": 1}, "tie_word_embeddings is 1; expected true or false"),
        ({"eos_token_id": "</s>"}, 'eos_token_id is "</s>"; expected a token id, a list of them, or null'),
        ({"torch_dtype": 16}, 'torch_dtype is 16; expected the name of a dtype, such as "bfloat16"'),
        ({"hidden_act": "gelu"}, 'hidden_act is "gelu"; expected "silu", the only one there is here'),
        ({"attention_bias": True}, "attention_bias is true; expected false, the only one there is here"),
        ({"mlp_bias": True}, "mlp_bias is true; expected false, the only one there is here"),
        (
            {"quantization_config": {"quant_method": "awq"}},
            'quantization_config is {"quant_method": "awq"}; expected null, the only one there is here',
        ),
        ({"partial_rotary_factor": 0.5}, "partial_rotary_factor is 0.5; expected 1.0, the only one there is here"),
        (
            {"rope_parameters": {"partial_rotary_factor": 0.5}},
            "rope_parameters.partial_rotary_factor is 0.5; expected 1.0, the only one there is here",
        ),
        ({"rope_scaling": "llama3"}, 'rope_scaling is "llama3"; expected an object or null'),
        ({"rope_scaling": {"factor": 2.0}}, 'rope_scaling.rope_type is missing; expected "llama3" or "default"'),
        (
            {"rope_scaling": {"rope_type": "llama3", "low_freq_factor": 1, "high_freq_factor": 4}},
            "rope_scaling.factor is missing; expected a positive number",
        ),
        (
            {"rope_scaling": SCALING | {"low_freq_factor": 4.0}},
            "rope_scaling.low_freq_factor is 4.0; expected less than high_freq_factor 4",
        ),
        (
            {"rope_parameters": SCALING | {"original_max_position_embeddings": 8192.5}},
            "rope_parameters.original_max_position_embeddings is 8192.5; expected a positive integer",
        ),
        (
            {"rope_theta": 1e4, "rope_parameters": {"rope_theta": 5e5}},
            "rope_theta is said twice, as 10000.0 and 500000.0; keep the one the weights have",
        ),
        *(
            (
                {"rope_scaling": {key: kind, "factor": 2.0}},
                f'rope_scaling.{key} is "{kind}"; expected "llama3" or "default"',
            )
            for key, kind in [("type", "linear"), ("type", "dynamic"), ("rope_type", "yarn"), ("rope_type", "longrope")]
        ),
    ],
)
def test_hf_mistake(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "config.json", published_hf(64, 172, 5, 8, 4) | changes)
    with pytest.raises(ConversionError) as found:
        read_hf_config(folder)
    assert str(found.value) == f"{folder / 'config.json'}: {message}"


def test_two_scalings_are_refused(tmp_path: Path) -> None:
    changes = {"rope_scaling": SCALING, "rope_parameters": SCALING | {"factor": 32.0}}
    with pytest.raises(ConversionError, match=r"config.json: rope_scaling is said twice, as .*8\.0.* and .*32\.0"):
        read_hf_config(folder_with(tmp_path, "config.json", PUBLISHED_HF["llama2-7b"] | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dim": MISSING}, "dim is missing; expected a positive integer"),
        ({"dim": -64}, "dim is -64; expected a positive integer"),
        ({"n_layers": MISSING}, "n_layers is missing; expected a positive integer"),
        ({"multiple_of": MISSING}, "multiple_of is missing; expected a positive integer"),
        ({"norm_eps": MISSING}, "norm_eps is missing; expected a positive number"),
        ({"n_heads": 7}, "n_heads is 7; expected a divisor of dim 64 that leaves heads of an even width"),
        ({"n_heads": 64}, "n_heads is 64; expected a divisor of dim 64 that leaves heads of an even width"),
        ({"n_kv_heads": 3}, "n_kv_heads is 3; expected a divisor of n_heads 8"),
        ({"head_dim": 32}, "head_dim is 32; expected dim / n_heads, 8"),
        ({"vocab_size": 32000}, "vocab_size is 32000; expected the tensors' 512, or -1"),
        (
            {"multiple_of": 256},
            "multiple_of 256 makes dim 64 an intermediate size of 256; expected the tensors' 172",
        ),
        (
            {"ffn_dim_multiplier": 1.3},
            "multiple_of 4 with ffn_dim_multiplier 1.3 makes dim 64 an intermediate size of 224; "
            "expected the tensors' 172",
        ),
        ({"ffn_dim_multiplier": -1}, "ffn_dim_multiplier is -1; expected a positive number"),
        ({"rope_theta": "1e4"}, 'rope_theta is "1e4"; expected a positive number'),
        ({"use_scaled_rope": 1}, "use_scaled_rope is 1; expected true or false"),
        ({"use_scaled_rope": True, "rope_scaling_factor": 0}, "rope_scaling_factor is 0; expected a positive number"),
        (
            {"use_scaled_rope": True, "rope_high_freq_factor": 1},
            "rope_high_freq_factor is 1; expected 4, as in every LLaMA 3",
        ),
        *(
            ({key: value}, f"{key} is {json.dumps(value)}; expected none: such weights are not a plain LLaMA's")
            for key, value in [
                ("quantization_args", {"group_size": 32}),
                ("lora_args", {"rank": 16}),
                ("moe_args", {}),
                ("vision_chunk_size", 448),
                ("vision_model", {}),
            ]
        ),
    ],
)
def test_meta_mistake(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "params.json", meta_params(STORIES) | changes)
    with pytest.raises(ConversionError) as found:
        read_meta_params(folder, vocab_size=512, intermediate_size=172)
    assert str(found.value) == f"{folder / 'params.json'}: {message}"


@pytest.mark.parametrize("changes", [{"vocab_size": MISSING}, {"vocab_size": -1}, {"max_seq_len": 2048, "other": [1]}])
def test_meta_keys_that_may_be(changes: dict[str, Any], tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "params.json", meta_params(STORIES) | changes)
    assert read_meta_params(folder, vocab_size=512, intermediate_size=172)["vocab_size"] == 512


@pytest.mark.parametrize("name", ["config.json", "params.json"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read the description of the weights: No such file or directory"),
        (b'{"dim": ', "is not valid JSON: Expecting value: line 1 column 9 (char 8)"),
        (b"\xff\xfe", "is not valid JSON: not UTF-8 text"),
        (b"[1, 2]", "expected a JSON object, found [1, 2]"),
        (b"[" * 100_000, "is not valid JSON: "),
    ],
    ids=["missing", "cut", "binary", "list", "deep"],
)
def test_broken_file(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    read = partial(read_meta_params, vocab_size=512, intermediate_size=172) if name == "params.json" else read_hf_config
    with pytest.raises(ConversionError) as found:
        read(tmp_path)
    assert str(found.value).startswith(f"{tmp_path / name}: {message}")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"head_dim": 16},
            "params.json: head_dim 16 has no key; it can only be hidden_size 64 / num_attention_heads 8",
        ),
        *(
            (
                {"rope_scaling": LLAMA3_ROPE | {key: value}},
                f"params.json: rope_scaling.{key} {value:g} has no key; only ",
            )
            for key, value in [
                ("low_freq_factor", 2.0),
                ("high_freq_factor", 8.0),
                ("original_max_position_embeddings", 4096),
            ]
        ),
    ],
)
def test_what_params_cannot_say(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConversionError) as found:
        meta_params(STORIES | changes)
    assert str(found.value).startswith(message)


def test_what_transformers_does_not_open() -> None:
    with pytest.raises(ConversionError, match=r"config.json: num_attention_heads 7 does not divide hidden_size 64"):
        hf_config(STORIES | {"num_attention_heads": 7, "num_key_value_heads": 7}, dtype="float32", token_ids={})


def test_writing_leaves_the_sizes_alone() -> None:
    before = json.dumps([LLAMA32_1B, LLAMA3_IDS])
    hf_config(LLAMA32_1B, dtype="bfloat16", token_ids=LLAMA3_IDS)["rope_scaling"]["factor"] = 1.0
    meta_params(LLAMA32_1B)
    assert json.dumps([LLAMA32_1B, LLAMA3_IDS]) == before
