"""The continuation that a finished training run shows."""

from __future__ import annotations

from pathlib import Path

import jax
import pytest

from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.inference.preview import sample
from melama_jax.parallel.mesh import build_mesh
from melama_jax.training.state import initialize_state
from tests import runs

LONG = "The patient was seen. " * 30
"""More than the 64 tokens of a row."""


@pytest.mark.parametrize(
    ("prompt", "sizes"),
    [("The patient", {"fsdp": 2, "context": 2, "tensor": 2}), ("", {}), (LONG, {})],
    ids=["on all axes", "nothing", "more than a row"],
)
def test_a_prompt_is_shown_with_what_the_model_makes_of_it(
    prompt: str, sizes: dict[str, int], tmp_path: Path, cache_dir: Path, quick_compilation: None
) -> None:
    log = {"sample_prompt": prompt, "sample_tokens": 12}
    config = runs.small_config(tmp_path, cache_dir, log=log, mesh=sizes)
    mesh = build_mesh(config.mesh, jax.devices() if sizes else jax.devices()[:1])
    text = sample(config, mesh, initialize_state(config, mesh, None).params)
    prompt = prompt.strip()
    assert text.startswith(prompt)
    encode = load_vocabulary(None).encode
    assert 0 < len(encode(text)) - len(encode(prompt)) < 60  # random tokens are parted otherwise when encoded again
