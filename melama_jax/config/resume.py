"""What may change between the run that wrote a checkpoint and the one that resumes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from melama_jax.config.conversations import ConversationsConfig
from melama_jax.config.schema import Config, Source
from melama_jax.errors import CheckpointError

_REFUSED_SECTIONS = ("model", "data", "adapter")
_REFUSED_KEYS = ("run.seed", "train.sequence_length", "optimizer.mu_dtype", "optimizer.nu_dtype")
"""The first two decide which rows come next and in which shape, the others what the optimizer's state is."""
_ADDED = {"model.vocab_padding": 0} | {
    f"data.conversations.{key}": value for key, value in ConversationsConfig().model_dump(mode="json").items()
}
"""Keys of the refused sections that came later, and what a checkpoint from before them was trained with."""


class Change(NamedTuple):
    """A key whose value differs: its dotted name, the value stored, the value now."""

    key: str
    stored: Any
    now: Any


def changes(stored: Mapping[str, Any], config: Config) -> list[Change]:
    """Every key that differs; one that either side does not know counts as None."""
    now = dict(_flat(config.model_dump(mode="json", by_alias=True)))
    before = _ADDED | dict(_flat(stored))
    for key, value in before.items():
        if key.startswith("data.sources.") and isinstance(value, list):  # of before a source had so many keys
            before[key] = [Source(**source).model_dump(mode="json") for source in value]
    return [
        Change(key, before.get(key), now.get(key))
        for key in sorted(now.keys() | before.keys())
        if before.get(key) != now.get(key)
    ]


def check_resumable(stored: Mapping[str, Any], config: Config, *, checkpoint: str) -> list[Change]:
    """The harmless changes, for listing.

    Raises:
        CheckpointError: The model, the data, the order of the rows or the form of the state differ.
    """
    found = changes(stored, config)
    refused = [change for change in found if _is_refused(change.key)]
    if refused:
        shown = ", ".join(f"{c.key} was {c.stored!r} and is {c.now!r}" for c in refused)
        raise CheckpointError(
            f"{checkpoint}: cannot resume with another model or other data: {shown}; set them back, or start in "
            f"another run.dir (with init.from to keep the weights)"
        )
    return found


def _is_refused(key: str) -> bool:
    section, _, name = key.partition(".")
    if key in _REFUSED_KEYS:
        return True
    if section not in _REFUSED_SECTIONS:
        return False
    field = getattr(Config.model_fields[section].annotation, "model_fields", {}).get(name.split(".")[0])
    extra = field.json_schema_extra if field is not None else None
    return not (isinstance(extra, dict) and extra.get("resume") == "free")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
