"""What commands share besides `--config`: mistakes in one line, and files to write that are checked before any work."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import NoReturn

from melama_jax.errors import ConfigError


class CommandParser(argparse.ArgumentParser):
    """A parser that raises ConfigError instead of printing its usage; its subcommands do too."""

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        raise ConfigError(f"{message}; see {self.prog} --help")


def output_file(text: str | Path) -> Path:
    """A file that a command is to write when its work is done, as argparse's `type`.

    Raises:
        ConfigError: It is a folder, or its folder is not there or cannot be written to.
    """
    path = Path(text)
    problem = None
    if os.path.isdir(path):
        problem = "it is a folder"
    elif not os.path.isdir(path.parent):
        problem = f"there is no folder {path.parent}"
    elif not os.access(path if os.path.exists(path) else path.parent, os.W_OK):
        problem = "permission denied"
    if problem:
        raise ConfigError(f"{str(path)!r} cannot be written: {problem}")
    return path


def write_output(path: Path | None, text: str) -> None:
    """Write a file that was asked for.

    Raises:
        ConfigError: It cannot be written.
    """
    if path is None:
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{str(path)!r} cannot be written: {error.strerror}") from None
