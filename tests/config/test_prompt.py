"""Prompt files: all that are shipped can be read, and mistakes are named."""

import hashlib
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from melama_jax.config.prompt import PROMPTS, PromptConfig, load_prompt
from melama_jax.errors import ConfigError
from melama_jax.evaluation.example import Kind

GOOD = {"name": "own", "version": 1, "kind": "label", "template": "Q {{ text }}", "answer": " {{ label }}"}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({**GOOD, "max_new_tokens": 8, **changes}), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", sorted(PROMPTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_prompt_is_found_by_the_name_it_says(path: Path) -> None:
    prompt = load_prompt(path.stem)
    assert prompt.name == path.stem
    assert prompt.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_kinds_are_those_of_the_examples() -> None:
    assert PromptConfig.model_fields["kind"].annotation == Kind


def test_there_are_four_paraphrases_of_a_choice() -> None:
    assert [load_prompt(f"choice_paraphrase{n}").kind for n in range(1, 5)] == [get_args(Kind)[0]] * 4


def test_path_of_a_file_is_taken_too(tmp_path: Path) -> None:
    assert load_prompt(written(tmp_path)).template == GOOD["template"]


def test_unknown_name_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"'medqaa'.*nearest: medqa"):
        load_prompt("medqaa")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"templat": "x"}, "unknown key templat; did you mean template"),
        ({"kind": "letter"}, "kind"),
        ({"version": 0}, "version"),
        ({"template": "{{ text"}, "line 1 of the template"),
        ({"answer": "{{ label }}"}, "must start with the space"),
        ({"stop": [""]}, "stop: an empty text"),
        ({"sha256": "00"}, "sha256: is computed"),
    ],
)
def test_mistake_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        load_prompt(written(tmp_path, **changes))
    assert "own.yaml" in str(error.value)
