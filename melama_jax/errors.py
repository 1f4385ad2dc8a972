"""The error types a user can meet, and how a command ends when one is raised.

Every message is one line naming the file, key or dimension, the value found, and what would work. It never holds
training text: clinical records must not reach a log.
"""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable

USER_ERROR_EXIT_CODE = 2
"""Exit status of a command that was given something it cannot work with."""
HEALTH_EXIT_CODE = 76
"""Exit status of a process whose job hangs or has lost a process; what was saved is good, and starting again helps."""


class MelamaError(Exception):
    """Base of every error that a user can mend; shown without a traceback."""

    agreed = False
    """Whether every process of the job raises it, so that nobody need be told."""


class ConfigError(MelamaError):
    """A configuration key, value or combination that cannot work."""


class MeshError(MelamaError):
    """Devices, hosts or dimensions that do not fit the requested mesh."""


class DataError(MelamaError):
    """A source file, record, vocabulary or cache that cannot be used."""


class CheckpointError(MelamaError):
    """A checkpoint that is missing, damaged, or of another model."""


class ConversionError(MelamaError):
    """A folder of weights or a tokenizer that cannot be read, written or converted."""


class TrainingError(MelamaError):
    """A run that cannot go on, such as one whose gradients stay non-finite."""


def run_command(main: Callable[[], int | None]) -> None:
    """Run a command's `main` and leave the process with its status.

    A `MelamaError` prints as `error: <message>` on stderr with exit status 2; any other exception is a defect of
    ours and keeps its traceback. A reader of stdout that has left, as `head` does, ends the command quietly.
    """
    try:
        status = main()
        sys.stdout.flush()
    except MelamaError as error:
        message = " ".join(str(error).split())
        print(f"error: {message}", file=sys.stderr, flush=True)
        status = USER_ERROR_EXIT_CODE
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr, flush=True)
        status = 130
    except BrokenPipeError:
        if not _reader_has_left():
            raise
        status = 141  # 128 + SIGPIPE, as a shell sees it from any other command
    sys.exit(status or 0)


def _reader_has_left() -> bool:
    """Whether stdout is a pipe that nobody reads; from then on it leads nowhere, so that the interpreter can end."""
    watch = select.poll()
    watch.register(sys.stdout.fileno(), 0)
    left = any(events & (select.POLLERR | select.POLLHUP) for _, events in watch.poll(0))
    if left:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return left
