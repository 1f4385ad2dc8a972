"""Programs of this folder's tests are compiled cheaply, and all of them speak one vocabulary."""

from __future__ import annotations

import pytest

from melama_jax.data.vocabulary import Vocabulary, load_vocabulary
from tests.data.corpora import train_vocabulary


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every module of this folder."""


@pytest.fixture(scope="session")
def vocabulary(tmp_path_factory: pytest.TempPathFactory) -> Vocabulary:
    """320 tokens: control tokens, the 256 bytes, and pieces of clinical words."""
    return load_vocabulary(train_vocabulary(tmp_path_factory.mktemp("vocabulary") / "tokenizer.model"))
