"""A small vocabulary, and rows prepared once for all tests that only read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from melama_jax.config import Config
from melama_jax.data.prepare import prepare
from melama_jax.data.prepared import PreparedData
from tests.data.corpora import MakeConfig, train_vocabulary, write_corpus


@pytest.fixture(scope="session")
def vocabulary_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_vocabulary(tmp_path_factory.mktemp("vocabulary") / "tokenizer.model")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture
def make_config(corpus: Path, vocabulary_path: Path, tmp_path: Path) -> MakeConfig:
    return MakeConfig(corpus, vocabulary_path, tmp_path / "cache")


@pytest.fixture(scope="session")
def prepared_config(corpus: Path, vocabulary_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    return MakeConfig(corpus, vocabulary_path, tmp_path_factory.mktemp("prepared") / "cache")()


@pytest.fixture(scope="session")
def prepared(prepared_config: Config) -> PreparedData:
    return prepare(prepared_config, workers=1)
