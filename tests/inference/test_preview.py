"""The continuation that a finished training run shows."""

from __future__ import annotations

from pathlib import Path

import jax
import pytest

from melama_jax.config import MeshConfig
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.inference.preview import sample
from melama_jax.parallel.mesh import build_mesh
from melama_jax.training.state import initialize_state
from tests import runs

MESHES = {"one device": ({}, 1), "all axes": ({"data": 1, "fsdp": 2, "context": 2, "tensor": 2}, 8)}


@pytest.mark.parametrize("mesh", MESHES)
def test_a_prompt_is_shown_with_what_the_model_makes_of_it(
    mesh: str, tmp_path: Path, cache_dir: Path, quick_compilation: None
) -> None:
    sizes, devices = MESHES[mesh]
    vocabulary = load_vocabulary(None)
    built = build_mesh(MeshConfig.model_validate(sizes), jax.devices()[:devices])

    def shown(prompt: str, **log: int) -> str:
        config = runs.small_config(tmp_path, cache_dir, log={"sample_prompt": prompt, "sample_tokens": 12, **log})
        config = config.model_copy(update={"mesh": MeshConfig.model_validate(sizes)})
        return sample(config, built, initialize_state(config, built, None).params)

    text = shown("The patient")
    assert text.startswith("The patient")
    assert len(vocabulary.encode(text)) > 2 * len(vocabulary.encode("The patient"))
    assert text == shown("The patient")
    assert shown("")  # from BOS
    long = "The patient was seen. " * 30  # more than a row has
    assert shown(long).startswith(long.strip())
