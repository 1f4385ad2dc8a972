"""Settings of XLA, NCCL and libtpu that a device should be started with (launch/env), and which of them are missing."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from melama_jax.parallel.hardware import accelerator_of

FOLDER = Path(__file__).parents[2] / "launch" / "env"
"""Of a checkout; an installed package has none."""
FLAG_LISTS = ("XLA_FLAGS", "LIBTPU_INIT_ARGS")
"""Variables that hold many flags, of which a user may have set others."""

_OLDER = {"XLA_CLIENT_MEM_FRACTION": "XLA_PYTHON_CLIENT_MEM_FRACTION"}
"""Names that JAX still takes, but not beside the new one."""


def read_settings(path: Path) -> dict[str, str]:
    """Variables of a file of KEY=value lines as a shell sources it; # begins a comment."""
    words = (shlex.split(line, comments=True) for line in path.read_text(encoding="utf-8").splitlines())
    settings = (word.partition("=") for line in words for word in line)
    return {key: value for key, equals, value in settings if equals}


def settings_of(device: Any) -> Path | None:
    """The file for a device's kind, if there is one: a100.env for any A100."""
    sheet = accelerator_of(device)
    if sheet is None:
        return None
    path = FOLDER / f"{sheet.name.replace('-', ' ').split()[0].lower()}.env"
    return path if path.is_file() else None


def missing_settings(path: Path, environment: Mapping[str, str]) -> list[str]:
    """Flags and variables of a file that an environment does not give a value, whichever."""
    missing = []
    for key, value in read_settings(path).items():
        if key in FLAG_LISTS:
            given = {flag.partition("=")[0] for flag in environment.get(key, "").split()}
            missing += [flag for flag in value.split() if flag.partition("=")[0] not in given]
        elif key not in environment and _OLDER.get(key) not in environment:
            missing.append(f"{key}={value}")
    return missing


def advice(device: Any, environment: Mapping[str, str] = os.environ) -> str | None:
    """A line that says which settings of its kind a device runs without; None where none is missing or known."""
    path = settings_of(device)
    missing = missing_settings(path, environment) if path is not None else []
    if path is None or not missing:
        return None
    name = f"launch/env/{path.name}"
    return (
        f"warning: {device.device_kind} without {len(missing)} of the settings of {name}: {' '.join(missing)}; "
        f"start with set -a; source {name}"
    )
