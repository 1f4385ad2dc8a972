"""A progress bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType

_LINE_SECONDS = 10.0


class Progress:
    """Follows source bytes and tokens of jobs that run side by side; use as a context manager.

    Args:
        total_bytes: Source bytes of all jobs.
        echo: Prints one line; used where there is no terminal.
        line_seconds: Seconds between such lines.
        doing: What is done.
        unit: What is counted.
    """

    def __init__(
        self,
        total_bytes: int,
        *,
        echo: Callable[[str], object] = print,
        line_seconds: float = _LINE_SECONDS,
        doing: str = "tokenizing",
        unit: str = "tokens",
    ) -> None:
        self._doing, self._unit = doing, unit
        self._total, self._echo, self._line_seconds = max(1, total_bytes), echo, line_seconds
        self._jobs: dict[str, tuple[int, int]] = {}
        self._bar = None
        self._start = self._last_line = 0.0

    def __enter__(self) -> Progress:
        self._start = self._last_line = time.monotonic()
        if sys.stderr.isatty():
            import rich.progress
            from rich.console import Console

            self._bar = rich.progress.Progress(
                rich.progress.TextColumn(self._doing),
                rich.progress.BarColumn(),
                rich.progress.DownloadColumn(),
                rich.progress.TextColumn("{task.fields[rate]}"),
                rich.progress.TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._row = self._bar.add_task("", total=self._total, rate="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self.refresh()
            self._bar.stop()

    def update(self, job: str, done_bytes: int, count: int) -> None:
        """Note how far a job has come: its source bytes and tokens so far."""
        self._jobs[job] = done_bytes, count
        self.refresh()

    def refresh(self) -> None:
        """Draw the bar, or print a line when the last one is old enough."""
        done = sum(item[0] for item in self._jobs.values())
        count = sum(item[1] for item in self._jobs.values())
        now = time.monotonic()
        elapsed = max(1e-9, now - self._start)
        rate = f"{count / elapsed:,.0f} {self._unit}/s"
        if self._bar is not None:
            self._bar.update(self._row, completed=done, rate=rate)
        elif now - self._last_line >= self._line_seconds:
            self._last_line = now
            left = f"{(self._total - done) * elapsed / done:,.0f} s left" if done else "time left unknown"
            self._echo(
                f"{self._doing}: {done / 2**20:,.1f} of {self._total / 2**20:,.1f} MiB "
                f"({100 * done / self._total:.0f}%), {count:,} {self._unit}, {rate}, {left}"
            )
