"""Questions about the sample corpus, which lie in the package: nothing to download."""

from __future__ import annotations

from pathlib import Path

from melama_jax.data import samples
from melama_jax.evaluation.datasets import choice
from melama_jax.evaluation.example import Loaded, Split

FOLDER = samples.root() / "questions"
"""Where questions about facts lie, asked with their options ..."""
NAMES = samples.root() / "names"
"""... and open ones about what a name stands for."""


def load(folder: Path, split: Split) -> Loaded:
    """The questions, in MedQA's layout with four options; what one split asks, no other does."""
    return choice.medqa(folder, split, num_options=4)
