"""Items into prompts: templates rendered in a sandbox, examples drawn from a training split by seed.

A prompt ends without white space, and an answer starts with the white space that its file gives it (as a rule one
space), so that the tokens of question and answer meet where they do in running text. In a chat the render is the
user's message, and the answer's leading white space belongs to the chat template. Examples are whole items with their
gold answers, one after another.
"""

from __future__ import annotations

import functools
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment

from melama_jax.config.prompt import PromptConfig
from melama_jax.errors import ConfigError
from melama_jax.evaluation.example import Example
from melama_jax.evaluation.markup import mark_up

_JINJA = SandboxedEnvironment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def render(prompt: PromptConfig, example: Example, shots: Sequence[Example] = ()) -> str:
    """The text that asks one item.

    Args:
        prompt: Its wording.
        example: The item.
        shots: Items shown before it with their answers.

    Raises:
        ConfigError: The template wants a field that the item has not.
    """
    blocks = []
    for place, item in enumerate((*shots, example)):
        text = _fill(prompt, prompt.template, item, first=place == 0).rstrip()
        blocks.append(text if item is example else text + answer_text(prompt, item, item.gold))
    return prompt.shot_separator.join(blocks)


def answer_text(prompt: PromptConfig, example: Example, label: Any) -> str:
    """How an answer is written: the end of an example, and the continuation whose log-likelihood is measured.

    Args:
        prompt: The wording.
        example: The item.
        label: An answer in the form of the kind's gold; of several accepted spans the first is written.

    Returns:
        The text, with the white space that parts it from the question.

    Raises:
        ConfigError: The template wants a field that the item has not.
    """
    if prompt.kind == "entities":
        label = mark_up(example.fields["tokens"], label)
    elif prompt.kind == "span" and not isinstance(label, str):
        label = label[0]
    return _fill(prompt, prompt.answer, example, label=label).rstrip()


def choose_shots(train: Sequence[Example], k: int, seed: int, example: Example) -> list[Example]:
    """Examples to show before an item: the first k of a seeded order, the same for every item but itself.

    Where the gold answers are labels, no label is taken more than k / (number of labels) times, rounded up, unless too
    few others are there; so that five examples of a skewed set do not all say the same.

    Args:
        train: The training split.
        k: How many.
        seed: Of the order.
        example: The item; it, and any other of the same fields, is left out.

    Raises:
        ConfigError: The split has fewer than k others.
    """
    chosen: list[Example] = []
    spare: list[Example] = []
    taken: Counter[str] = Counter()
    for index in _order(len(train), seed) if k else ():
        candidate = train[index]
        if candidate.id == example.id or candidate.fields == example.fields:
            continue
        share = -(-k // len(candidate.labels)) if candidate.gold in candidate.labels else k
        if share < k and taken[candidate.gold] >= share:
            spare.append(candidate)
            continue
        if share < k:
            taken[candidate.gold] += 1
        chosen.append(candidate)
        if len(chosen) == k:
            break
    chosen = (chosen + spare)[:k]
    if len(chosen) < k:
        raise ConfigError(f"shots: {k} asked for, the training split has {len(chosen)} other items")
    return chosen


@functools.lru_cache(maxsize=8)
def _order(size: int, seed: int) -> list[int]:
    return random.Random(seed).sample(range(size), size)


@functools.lru_cache(maxsize=128)
def _compiled(text: str) -> jinja2.Template:
    return _JINJA.from_string(text)


def _fill(prompt: PromptConfig, text: str, example: Example, **more: Any) -> str:
    try:
        return _compiled(text).render({**example.fields, "labels": example.labels, **more})
    except jinja2.UndefinedError as error:
        has = ", ".join(sorted(example.fields))
        raise ConfigError(f"prompt {prompt.name}: {error.message}; item {example.id} has {has}") from None
    except SecurityError as error:
        raise ConfigError(f"prompt {prompt.name}: {error}") from None
