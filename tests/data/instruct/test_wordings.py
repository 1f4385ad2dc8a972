"""Wordings: what a file may say, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from melama_jax.config import Source
from melama_jax.config.wordings import load_wordings
from melama_jax.data.instruct import wordings_of
from melama_jax.errors import ConfigError
from tests.data.instruct.reading import read, said, write, write_lines


def own(path: Path, **changes: Any) -> Path:
    tree = {"name": "own", "version": 1, "user": ["Tell: {{ question }}"], **changes}
    return write(path / "own.yaml", yaml.safe_dump({key: value for key, value in tree.items() if value is not None}))


def test_a_file_of_your_own_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    path = own(tmp_path, answer="So: {{ answer }}")
    source = write_lines(tmp_path / "a.jsonl", {"input": "{{ 7 * 7 }}?", "output": "{% raw %}"})
    (conversation,), _ = read(source, "wikidoc", prompts=str(path))
    assert said(conversation) == ("Tell: {{ 7 * 7 }}?", "So: {% raw %}")
    assert load_wordings(path).sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user": []}, "user: tuple should have at least 1 item"),
        ({"user": ["{{ question"]}, "wording 1, line 1: "),
        ({"user": None}, "user: field required"),
        ({"users": ["x"]}, r"unknown key users; did you mean user\?"),
        ({"sha256": "0"}, "sha256: is computed from the file"),
    ],
)
def test_mistakes_name_file_and_key(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        load_wordings(own(tmp_path, **changes))
    assert "own.yaml" in str(error.value)


def test_an_unknown_name_lists_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"wordings 'flashcards': not in .*; nearest: flash_cards"):
        load_wordings("flashcards")


def test_fields_that_a_format_does_not_have_are_refused_before_reading(tmp_path: Path) -> None:
    path = own(tmp_path, user=["{{ question }} {{ patient }}"])
    with pytest.raises(
        ConfigError, match=r"wordings own: patient is no field of wikidoc; it has answer, labels, quest"
    ):
        wordings_of(Source(glob="*", format="wikidoc", prompts=str(path)))


def test_a_wording_that_fails_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    source = write_lines(tmp_path / "a.jsonl", {"input": "secret", "output": "x"})
    with pytest.raises(ConfigError, match=r"wordings own: a wording fails with TypeError") as error:
        read(source, "wikidoc", prompts=str(own(tmp_path, user=["{{ question + 1 }}"])))
    assert "secret" not in str(error.value)


def test_conversations_have_no_wordings() -> None:
    assert wordings_of(Source(glob="*", format="messages")) is None
