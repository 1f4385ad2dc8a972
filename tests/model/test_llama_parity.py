"""The same logits as other people's LLaMA: transformers on random weights, stories260K on trained ones.

The weights come through `conversion`, so a key, a transposition or an order of rotary rows that it got wrong shows too.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from conversion import commands
from melama_jax.config import from_mapping
from melama_jax.model.llama_config import LlamaConfig, RopeScaling
from tests.conversion import starts

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
def test_logits_are_those_of_transformers(changes: dict[str, Any], tmp_path: Path) -> None:
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
    model.save_pretrained(tmp_path)
    ours = starts.load(tmp_path)
    assert ours.config == config
    found = starts.logits(ours, tokens)
    assert np.abs(expected).max() > 3  # logits large enough for the tolerance to mean something
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.fixture(scope="module", params=["hf", "meta", "meta-mp2"])
def layout(request: pytest.FixtureRequest) -> Path:
    """A trained LLaMA of 260 thousand parameters, in each of three layouts."""
    if request.param != "hf":
        pytest.importorskip("torch", reason="Meta's files need torch")
    folder = SHARED / f"stories260K-{request.param}"
    if not folder.is_dir():
        pytest.skip(f"../shared/weights/{folder.name} is not here")
    return folder


@pytest.fixture(scope="module", params=["direct", "imported"])
def stories(request: pytest.FixtureRequest, layout: Path, tmp_path_factory: pytest.TempPathFactory) -> starts.Loaded:
    """The model straight from the folder, and from a checkpoint that the folder was imported to."""
    if request.param == "direct":
        return starts.load(layout)
    checkpoint = tmp_path_factory.mktemp("imported") / "checkpoint"
    commands.import_weights(layout, checkpoint, echo=lambda text: None)
    return starts.load(checkpoint)


@pytest.fixture(scope="module")
def golden() -> list[dict[str, Any]]:
    path = SHARED / "golden.json.gz"
    if not path.is_file():
        pytest.skip("../shared/weights/golden.json.gz is not here")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)["cases"]


def filled_up(golden: list[dict[str, Any]]) -> np.ndarray:
    """The prompts as rows [B, 64]."""
    tokens = np.zeros((len(golden), 64), np.int32)
    for row, case in zip(tokens, golden, strict=True):
        row[: len(case["ids"])] = case["ids"]
    return tokens


def test_last_logits_of_every_prompt(golden: list[dict[str, Any]], stories: starts.Loaded) -> None:
    found = starts.logits(stories, filled_up(golden))
    for logits, case in zip(found, golden, strict=True):
        np.testing.assert_allclose(logits[len(case["ids"]) - 1], case["last_logits"], rtol=0, atol=1e-4)


def test_greedy_ids(golden: list[dict[str, Any]], stories: starts.Loaded) -> None:
    lengths = [len(case["ids"]) for case in golden]
    tokens = filled_up(golden)
    for position in range(min(lengths), 64):
        best = starts.logits(stories, tokens)[:, position - 1].argmax(-1)
        for row, token, length in zip(tokens, best, lengths, strict=True):
            if position >= length:
                row[position] = token
    assert [row.tolist() for row in tokens] == [case["greedy_ids_64"] for case in golden]


def test_prompt_likelihood(golden: list[dict[str, Any]], stories: starts.Loaded) -> None:
    logs = np.asarray(jax.nn.log_softmax(starts.logits(stories, filled_up(golden))))
    for row, case in zip(logs, golden, strict=True):
        if case["prompt_nll"] is not None:
            nll = -np.mean([row[i, target] for i, target in enumerate(case["ids"][1:])])
            assert nll == pytest.approx(case["prompt_nll"], abs=1e-4)
