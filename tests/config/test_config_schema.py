"""Every key is described, presets are the published sizes, and combinations that cannot work say what would."""

from __future__ import annotations

import math
from typing import Any

import pytest

from melama_jax.config import PRESETS, Config, from_mapping
from melama_jax.errors import ConfigError
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig

# shared/formats.md: D, L, h, k, F, V, theta, eps, context
PUBLISHED = {
    "llama2-7b": (4096, 32, 32, 32, 11008, 32000, 1e4, 1e-5, 4096),
    "llama2-13b": (5120, 40, 40, 40, 13824, 32000, 1e4, 1e-5, 4096),
    "llama2-70b": (8192, 80, 64, 8, 28672, 32000, 1e4, 1e-5, 4096),
    "llama3-8b": (4096, 32, 32, 8, 14336, 128256, 5e5, 1e-5, 8192),
    "llama3-70b": (8192, 80, 64, 8, 28672, 128256, 5e5, 1e-5, 8192),
    "llama3.1-8b": (4096, 32, 32, 8, 14336, 128256, 5e5, 1e-5, 131072),
}
# The counts that the released files hold.
PARAMETERS = {
    "llama2-7b": 6_738_415_616,
    "llama2-13b": 13_015_864_320,
    "llama2-70b": 68_976_648_192,
    "llama3-8b": 8_030_261_248,
    "llama3-70b": 70_553_706_496,
    "llama3.1-8b": 8_030_261_248,
    "llama3.1-70b": 70_553_706_496,
}


def model(**values: Any) -> Any:
    return from_mapping({"model": values}).model


def refusal(tree: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        from_mapping(tree)
    return str(caught.value)


def test_every_field_of_every_section_is_described() -> None:
    schema = Config.model_json_schema(by_alias=True)
    sections = {"Config": schema, **schema["$defs"]}

    def description(field: dict[str, Any]) -> str:
        # Pydantic leaves out a field's description that repeats its section's.
        section = field.get("$ref", "").rpartition("/")[2]
        return field.get("description") or sections.get(section, {}).get("description", "")

    fields = {f"{name}.{key}": field for name, body in sections.items() for key, field in body["properties"].items()}
    assert [key for key, field in fields.items() if len(description(field)) < 10] == []
    assert {"Config.run", "RunConfig.seed", "Source.glob", "InitConfig.from", "RopeScaling.factor"} <= set(fields)
    assert len(sections) >= 11
    assert all(body["additionalProperties"] is False and body["description"] for body in sections.values())


@pytest.mark.parametrize("preset", PUBLISHED)
def test_preset_has_the_published_sizes(preset: str) -> None:
    m = model(preset=preset)
    sizes = m.hidden_size, m.num_hidden_layers, m.num_attention_heads, m.num_key_value_heads, m.intermediate_size
    found = *sizes, m.vocab_size, m.rope_theta, m.rms_norm_eps, m.max_position_embeddings
    assert found == PUBLISHED[preset]
    assert m.head_dim == 128
    assert m.tie_word_embeddings is False


@pytest.mark.parametrize("preset", [name for name in PRESETS if name.startswith("llama")])
def test_rope_scaling_is_that_of_llama_3_1_alone(preset: str) -> None:
    scaling = model(preset=preset).rope_scaling
    if not preset.startswith("llama3.1"):
        assert scaling is None
        return
    assert scaling.model_dump() == {
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }


@pytest.mark.parametrize("preset", PARAMETERS)
def test_preset_has_the_released_number_of_parameters(preset: str) -> None:
    declared = llama.declaration(LlamaConfig.build(model(preset=preset)))
    assert sum(math.prod(shape) for shape, _, _ in declared.values()) == PARAMETERS[preset]


def test_tied_model_has_no_head() -> None:
    sizes = {"preset": "tiny", "vocab_size": 300}
    counts = [
        sum(math.prod(shape) for shape, _, _ in llama.declaration(LlamaConfig.build(model(**sizes, **tie))).values())
        for tie in ({}, {"tie_word_embeddings": True})
    ]
    assert counts[0] - counts[1] == 300 * 64


OVERRIDES = {
    "vocab_size": 999,
    "hidden_size": 256,
    "intermediate_size": 321,
    "num_hidden_layers": 3,
    "num_attention_heads": 64,
    "num_key_value_heads": 4,
    "head_dim": 24,
    "rope_theta": 123.0,
    "rms_norm_eps": 1e-3,
    "tie_word_embeddings": True,
    "max_position_embeddings": 1 << 20,
}


@pytest.mark.parametrize("field", OVERRIDES)
def test_every_size_of_a_preset_can_be_overridden(field: str) -> None:
    given, preset = model(preset="llama3-8b", **{field: OVERRIDES[field]}), model(preset="llama3-8b")
    changed = {name for name in type(given).model_fields if getattr(given, name) != getattr(preset, name)}
    assert getattr(given, field) == OVERRIDES[field]
    derived = {"head_dim"} if field in ("hidden_size", "num_attention_heads") else set()
    assert changed == {field} | derived


def test_padding_is_the_rows_that_stand_for_no_token() -> None:
    m = model(preset="tiny", vocab_padding=255)
    assert (m.vocab_size, m.num_tokens, LlamaConfig.build(m).num_tokens) == (256, 1, 1)
    assert (model().vocab_padding, model().num_tokens) == (0, 256)


def test_rope_scaling_can_be_added_and_removed() -> None:
    assert model(preset="llama3.1-8b", rope_scaling=None).rope_scaling is None
    assert model(preset="tiny", rope_scaling={"factor": 4}).rope_scaling.factor == 4.0


@pytest.mark.parametrize("hidden", [128, "128", 128.0])
def test_head_dim_follows_the_width_however_it_is_written(hidden: Any) -> None:
    assert model(preset="tiny", hidden_size=hidden).head_dim == 32


def test_model_without_a_preset_says_what_it_needs() -> None:
    assert "these are needed too: model.vocab_size, model.hidden_size" in refusal({"model": {"preset": None}})
    sizes = {"vocab_size": 10, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 512}
    m = model(preset=None, **sizes, **heads)
    assert (m.head_dim, m.rope_theta, m.rms_norm_eps, m.rope_scaling) == (4, 1e4, 1e-5, None)


@pytest.mark.parametrize(
    ("tree", "advice"),
    [
        (
            {"model": {"num_key_value_heads": 3}},
            "model.num_key_value_heads 3 does not divide model.num_attention_heads 4; choose one of 1, 2, 4",
        ),
        (
            {"model": {"hidden_size": 100, "num_attention_heads": 3}},
            "model.num_attention_heads 3 does not divide model.hidden_size 100; give model.head_dim",
        ),
        ({"model": {"head_dim": 7}}, "model.head_dim 7 is odd"),
        ({"model": {"vocab_padding": 256}}, "model.vocab_padding 256 leaves no token of model.vocab_size 256"),
        ({"model": {"vocab_padding": -1}}, "model.vocab_padding: input should be greater than or equal to 0"),
        (
            {"mesh": {"data": -1}},
            "mesh.data and mesh.fsdp are all -1; only one axis can take the devices left",
        ),
        ({"mesh": {"tensor": 0}}, "mesh.tensor 0 must be at least 1, or -1"),
        ({"mesh": {"tensor": -2}}, "mesh.tensor -2 must be at least 1, or -1"),
        (
            {"train": {"global_batch_size": 12, "gradient_accumulation_steps": 5}},
            "train.gradient_accumulation_steps 5 does not divide train.global_batch_size 12; "
            "choose one of 1, 2, 3, 4, 6, 12",
        ),
        (
            {"train": {"sequence_length": 4096}},
            "train.sequence_length 4096 is longer than model.max_position_embeddings 2048",
        ),
        (
            {"model": {"rope_scaling": {"low_freq_factor": 4, "high_freq_factor": 4.0}}},
            "model.rope_scaling.low_freq_factor 4 must be less than model.rope_scaling.high_freq_factor 4",
        ),
        (
            {"data": {"attend_across_documents": False, "add_eos": False}},
            "data.attend_across_documents is false, so data.add_eos or data.add_bos must be true",
        ),
    ],
)
def test_combination_that_cannot_work_says_what_would(tree: dict[str, Any], advice: str) -> None:
    assert advice in refusal(tree)


@pytest.mark.parametrize("key", ["run.dir", "data.root", "data.vocabulary", "data.cache_dir", "init.from"])
def test_home_folder_in_a_path_is_expanded(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    section, _, name = key.partition(".")
    for written, meant in (("~/x", "/home/someone/x"), ("x/~y", "x/~y")):
        tree = from_mapping({"model": {"preset": "tiny"}, section: {name: written}}).model_dump(by_alias=True)
        assert tree[section][name] == meant
