"""Sections that are a file each, versioned and hashed, and found by name: prompts and wordings."""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from melama_jax.config.loading import read_mapping
from melama_jax.config.section import Section
from melama_jax.errors import ConfigError


class NamedFile(Section):
    """What such a file says of itself."""

    name: str
    """Name of the file without its ending."""
    version: int = Field(ge=1)
    """Raised with every change of the wording."""
    notes: str = ""
    """What a reader should know."""
    sha256: str = ""
    """Of the file; set when it is read."""


T = TypeVar("T", bound=NamedFile)


def load_named(section: type[T], name_or_path: str | Path, folder: Path, what: str) -> T:
    """Read a file of this kind.

    Args:
        section: What it holds.
        name_or_path: A name such as `medqa`, of the files in `folder`, or the path of a YAML file.
        folder: Where those that a name stands for are kept.
        what: What it is called in errors.

    Raises:
        ConfigError: There is no such file, with the nearest names; or a key or value cannot work.
    """
    path = Path(name_or_path)
    if path.suffix not in (".yaml", ".yml"):
        path = folder / f"{name_or_path}.yaml"
        if not path.is_file():
            known = sorted(file.stem for file in folder.glob("*.yaml"))
            near = difflib.get_close_matches(str(name_or_path), known, n=3, cutoff=0.5) or known
            raise ConfigError(f"{what} {str(name_or_path)!r}: not in {folder}; nearest: {', '.join(near)}")
    tree = read_mapping(path)
    if "sha256" in tree:
        raise ConfigError(f"{path}: sha256: is computed from the file; remove it")
    try:
        return section.model_validate({**tree, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()})
    except ValidationError as error:
        told = "; ".join(_explain(dict(item), section) for item in error.errors())
        raise ConfigError(f"{path}: {told}") from None


def _explain(item: dict[str, Any], section: type[NamedFile]) -> str:
    """One mistake: the key, what is wrong with it, and the nearest valid key of an unknown one."""
    key = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, list(section.model_fields), n=1, cutoff=0.0)
        return f"unknown key {key}; did you mean {near[0]}?"
    message = str(item["ctx"]["error"]) if item["type"] == "value_error" else item["msg"].lower()
    return f"{key}: {message}" if key else message
