"""The same logits as other people's LLaMA: transformers on random weights, stories260K on trained ones."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from melama_jax.config import from_mapping
from melama_jax.model import llama
from melama_jax.model.llama_config import LlamaConfig, RopeScaling
from tests.model.hf_weights import params_of

SHARED = Path(__file__).parents[2].parent / "shared" / "weights"
TINY = LlamaConfig.build(from_mapping({"model": {"compute_dtype": "float32"}}).model)
SCALING = RopeScaling(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64)


@pytest.mark.parametrize(
    "changes",
    [
        {"num_key_value_heads": 4},
        {"num_key_value_heads": 2},
        {"num_key_value_heads": 1, "tie_word_embeddings": True},
        {"rope_theta": 5e5, "rope_scaling": SCALING},
        {"head_dim": 32, "rms_norm_eps": 1e-3, "rope_theta": 5e5, "num_hidden_layers": 3},
    ],
    ids=["mha", "gqa", "mqa-tied", "llama3.1", "wide-heads"],
)
def test_logits_are_those_of_transformers(changes: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    config = dataclasses.replace(TINY, **changes)
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    names += ("num_key_value_heads", "head_dim", "rms_norm_eps", "tie_word_embeddings")
    rope = {"rope_type": "default"}
    if config.rope_scaling:
        rope = {"rope_type": "llama3", **dataclasses.asdict(config.rope_scaling)}
    theirs = transformers.LlamaConfig(
        **{name: getattr(config, name) for name in names},
        rope_parameters={"rope_theta": config.rope_theta, **rope},
        max_position_embeddings=2048,
        initializer_range=0.2,
        attn_implementation="eager",
    )
    torch.manual_seed(0)
    model = transformers.LlamaForCausalLM(theirs).eval()
    tokens = np.random.default_rng(0).integers(0, config.vocab_size, (2, 96))
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("norm.weight"):
                weight.uniform_(0.5, 1.5)
        expected = model(torch.from_numpy(tokens)).logits.numpy()
    params = params_of(config, {name: weight.numpy() for name, weight in model.state_dict().items()})
    hidden = llama.forward(config, params, jnp.asarray(tokens))
    found = np.asarray(llama.logits(config, params, hidden))
    assert np.abs(expected).max() > 3  # logits large enough for the tolerance to mean something
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.fixture(scope="module")
def stories() -> tuple[LlamaConfig, dict[str, Any]]:
    """A trained LLaMA of 260 thousand parameters."""
    safetensors = pytest.importorskip("safetensors.numpy")
    folder = SHARED / "stories260K-hf"
    if not folder.is_dir():
        pytest.skip("../shared/weights/stories260K-hf is not here")
    theirs = json.loads((folder / "config.json").read_text())
    sizes = {name: theirs[name] for name in LlamaConfig.__dataclass_fields__ if name in theirs}
    config = dataclasses.replace(TINY, **sizes, rope_theta=theirs["rope_parameters"]["rope_theta"])
    return config, params_of(config, safetensors.load_file(folder / "model.safetensors"))


@pytest.fixture(scope="module")
def golden() -> list[dict[str, Any]]:
    path = SHARED / "golden.json.gz"
    if not path.is_file():
        pytest.skip("../shared/weights/golden.json.gz is not here")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)["cases"]


@pytest.fixture(scope="module")
def whole_logits(stories: tuple[LlamaConfig, dict[str, Any]]) -> Any:
    """Logits [B, T, V] of padded rows [B, T]; what is after a token cannot reach it."""
    config, params = stories

    @jax.jit
    def run(tokens: jax.Array) -> jax.Array:
        return llama.logits(config, params, llama.forward(config, params, tokens))

    return run


def test_last_logits_of_every_prompt(golden: list[dict[str, Any]], whole_logits: Any) -> None:
    tokens = np.zeros((len(golden), 64), np.int32)
    for row, case in zip(tokens, golden, strict=True):
        row[: len(case["ids"])] = case["ids"]
    found = np.asarray(whole_logits(tokens))
    for logits, case in zip(found, golden, strict=True):
        np.testing.assert_allclose(logits[len(case["ids"]) - 1], case["last_logits"], rtol=0, atol=1e-4)


def test_greedy_ids(golden: list[dict[str, Any]], whole_logits: Any) -> None:
    lengths = [len(case["ids"]) for case in golden]
    tokens = np.zeros((len(golden), 64), np.int32)
    for row, case in zip(tokens, golden, strict=True):
        row[: len(case["ids"])] = case["ids"]
    for position in range(min(lengths), 64):
        best = np.asarray(whole_logits(tokens)[:, position - 1].argmax(-1))
        for row, token, length in zip(tokens, best, lengths, strict=True):
            if position >= length:
                row[position] = token
    assert [row.tolist() for row in tokens] == [case["greedy_ids_64"] for case in golden]


def test_prompt_likelihood(golden: list[dict[str, Any]], whole_logits: Any) -> None:
    for case in golden:
        ids = case["ids"]
        if case["prompt_nll"] is None:
            continue
        tokens = np.zeros((len(golden), 64), np.int32)
        tokens[0, : len(ids)] = ids
        logs = np.asarray(jax.nn.log_softmax(whole_logits(tokens)[0, : len(ids) - 1]))
        nll = -np.mean([logs[i, target] for i, target in enumerate(ids[1:])])
        assert nll == pytest.approx(case["prompt_nll"], abs=1e-4)
