"""The same greedy text as other people's LLaMA: transformers on random weights, stories260K on trained ones."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from conversion.serving import ServedModel, open_model
from melama_jax.config import MeshConfig
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.inference.engine import Engine, Request, SamplingOptions
from tests.conversion import starts
from tests.inference.small import MODEL, pad_vocabulary, texts

SHARED = Path(__file__).parents[2].parent / "shared" / "weights"
PROMPTS = texts(1, 32, 9, 17, 30, 3)


@pytest.mark.parametrize(
    ("changes", "padding"),
    [({}, 0), ({"tie_word_embeddings": True, "num_key_value_heads": 1, "head_dim": 32}, 6)],
    ids=["gqa", "tied-mqa-padded"],
)
def test_greedy_tokens_are_those_of_transformers(
    changes: dict[str, Any], padding: int, vocabulary: Vocabulary, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    names += ("num_key_value_heads", "head_dim", "rms_norm_eps", "rope_theta", "tie_word_embeddings")
    torch.manual_seed(0)
    theirs = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            **{name: getattr(MODEL, name) for name in names} | changes,
            initializer_range=0.2,
            attn_implementation="eager",
        )
    ).eval()
    theirs.save_pretrained(tmp_path)
    expected = []
    for prompt in PROMPTS:
        with torch.no_grad():
            out = theirs.generate(
                torch.tensor([prompt]), max_new_tokens=24, do_sample=False, eos_token_id=2, pad_token_id=0
            )
        tokens = out[0, len(prompt) :].tolist()
        expected.append(tokens[: tokens.index(2)] if 2 in tokens else tokens)
    loaded = starts.load(tmp_path)
    model = loaded.config
    if padding:
        model = dataclasses.replace(model, vocab_size=model.vocab_size + padding, vocab_padding=padding)
    engine = Engine(model, pad_vocabulary(loaded.params, padding), vocabulary, max_length=64, batch_size=4)
    requests = [Request(prompt, SamplingOptions(max_new_tokens=24)) for prompt in PROMPTS]
    assert [completion.tokens for completion in engine.generate(requests)] == expected
    assert len({token for tokens in expected for token in tokens}) > 20


@pytest.fixture(scope="module")
def served() -> ServedModel:
    """A trained LLaMA of 260 thousand parameters."""
    folder = SHARED / "stories260K-hf"
    if not folder.is_dir():
        pytest.skip(f"needs ../shared/weights/{folder.name} beside the repository")
    shown = jax.devices()[:1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "devices", lambda *backend: shown)
        return open_model(folder, MeshConfig(fsdp=1), dtype="float32")


@pytest.fixture(scope="module")
def golden() -> list[dict[str, Any]]:
    """Prompts with what a float64 forward pass makes of them."""
    path = SHARED / "golden.json.gz"
    if not path.is_file():
        pytest.skip("needs ../shared/weights/golden.json.gz beside the repository")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)["cases"]


def engine_of(served: ServedModel, **options: Any) -> Engine:
    """Two slots."""
    return Engine(served.model, served.params, served.vocabulary, served.mesh, max_length=64, batch_size=2, **options)


@pytest.fixture(scope="module")
def engine(served: ServedModel) -> Engine:
    """In float32."""
    return engine_of(served)


def requests_of(golden: list[dict[str, Any]]) -> list[Request]:
    """As many new tokens as make 64 in all."""
    return [Request(case["ids"], SamplingOptions(max_new_tokens=64 - len(case["ids"]))) for case in golden]


def test_stories_are_told_token_by_token_as_expected(engine: Engine, golden: list[dict[str, Any]]) -> None:
    """Three prompts of different lengths in two slots."""
    found = engine.generate(requests_of(golden))
    for completion, case in zip(found, golden, strict=True):
        assert [*case["ids"], *completion.tokens] == case["greedy_ids_64"]
    assert found[0].text == golden[0]["greedy_text"]


def test_stories_have_the_expected_likelihood(engine: Engine, golden: list[dict[str, Any]]) -> None:
    cases = [case for case in golden if case["prompt_nll"] is not None]
    for case, score, rolling in zip(
        cases,
        engine.score([(case["ids"][:1], case["ids"][1:]) for case in cases]),
        engine.score_rolling([case["ids"][1:] for case in cases]),
        strict=True,
    ):
        assert -score.log_likelihood / score.num_tokens == pytest.approx(case["prompt_nll"], abs=1e-4)
        assert rolling.log_likelihood == pytest.approx(score.log_likelihood, rel=1e-5)


@pytest.mark.parametrize("options", [{"cache_dtype": "int8"}, {"weights": "int8"}], ids=str)
def test_int8_tells_nearly_the_same_stories(
    served: ServedModel, engine: Engine, golden: list[dict[str, Any]], options: dict[str, Any]
) -> None:
    """What is stated of int8: on a trained model, most of its choices stay, and likelihoods within a few percent."""
    small = engine_of(served, **options)
    agreements = []
    for case in golden:
        # Each of its choices after the expected text, one by one, so that a single other one does not count many times.
        ids, start = case["greedy_ids_64"], len(case["ids"])
        places = range(start, 33)
        found = small.generate([Request(ids[:place], SamplingOptions(max_new_tokens=2)) for place in places])
        agreements += [c.tokens == ids[place : place + 2] for place, c in zip(places, found, strict=True)]
    assert np.mean(agreements) > 0.9
    exact, close = (
        np.array([score.log_likelihood for score in e.score([(c["ids"][:1], c["greedy_ids_64"][1:]) for c in golden])])
        for e in (engine, small)
    )
    np.testing.assert_allclose(close, exact, rtol=0.03)
