"""Where figures go: `metrics.jsonl`, TensorBoard, Weights & Biases, and the picture of the loss. Never any text."""

from __future__ import annotations

import json
import math
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from melama_jax.config import LogConfig
from melama_jax.errors import ConfigError, DataError, TrainingError

METRICS_FILE = "metrics.jsonl"


class MetricsWriter:
    """Writes one record a log; on resume, records after the restored step are taken back first."""

    def __init__(
        self,
        directory: Path,
        config: LogConfig,
        *,
        resume_step: int,
        run_config: Mapping[str, Any],
        echo: Callable[[str], None] = print,
    ):
        """Open the run's sinks.

        Args:
            directory: The run folder.
            config: Which sinks.
            resume_step: Steps already done; records of later steps (written after the checkpoint) are removed.
            run_config: The resolved configuration, for the tracker; `log.sample_prompt` is left out.
            echo: Where notes go.

        Raises:
            ConfigError: Weights & Biases is asked for but not installed.
            DataError: The metrics file is damaged before its last line.
            TrainingError: The metrics file cannot be read or written.
        """
        check_installed(config)
        self._path = directory / METRICS_FILE
        removed = rewind(self._path, resume_step)
        if removed:
            echo(f"metrics: took back {removed} record(s) after step {resume_step}; they will be computed again")
        with _named_failure(self._path):
            self._file = self._path.open("a", encoding="utf-8")
        self._tensorboard = self._wandb = None
        if config.tensorboard:
            from tensorboardX import SummaryWriter

            purge = resume_step + 1 if resume_step else None
            self._tensorboard = SummaryWriter(str(directory / "tensorboard"), purge_step=purge)
        if config.wandb_project:
            import wandb  # type: ignore[import-not-found]  # an extra

            # A prompt may be clinical text.
            log = {key: value for key, value in run_config.get("log", {}).items() if key != "sample_prompt"}
            self._wandb = wandb.init(
                project=config.wandb_project,
                dir=str(directory),
                name=directory.name,
                id=_tracker_id(directory / "wandb-id"),
                resume="allow",
                config={**run_config, "log": log},
            )

    def write(self, record: Mapping[str, Any]) -> None:
        """Append a record, which has a `step`; non-finite numbers become null.

        Raises:
            TrainingError: The metrics file cannot be written.
        """
        clean = {key: _finite(value) for key, value in record.items()}
        with _named_failure(self._path):
            self._file.write(json.dumps(clean) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        figures = {k: v for k, v in clean.items() if isinstance(v, (int, float)) and k != "step"}
        if self._tensorboard is not None:
            for key, value in figures.items():
                self._tensorboard.add_scalar(key, value, record["step"])
        if self._wandb is not None:
            self._wandb.log(figures, step=record["step"])

    def close(self) -> None:
        """Flush and close every sink.

        Raises:
            TrainingError: The metrics file cannot be written.
        """
        with _named_failure(self._path):
            self._file.close()
        if self._tensorboard is not None:
            self._tensorboard.close()
        if self._wandb is not None:
            self._wandb.finish()


def check_installed(config: LogConfig) -> None:
    """Refuse a tracker that is not installed; cheap, so that every process can ask before any work is done.

    Raises:
        ConfigError: Naming the extra to install.
    """
    if config.wandb_project is None:
        return
    try:
        import wandb  # type: ignore[import-not-found]  # noqa: F401  # an extra
    except ImportError:
        raise ConfigError(
            f"log.wandb_project {config.wandb_project!r} needs the wandb extra: pip install 'melama_jax[wandb]'"
        ) from None


def read(path: Path) -> list[dict[str, Any]]:
    """Records of a metrics file; a last line that a kill cut short is left out.

    Raises:
        DataError: A line before the last is no record.
        TrainingError: The file cannot be read.
    """
    if not path.exists():
        return []
    with _named_failure(path):
        lines = path.read_bytes().splitlines()
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line.decode())
        except ValueError:
            record = None
        if isinstance(record, dict) and "step" in record:
            records.append(record)
        elif number < len(lines):
            raise DataError(f"{path}: line {number} is no JSON record with a step; remove or mend that line")
    return records


def rewind(path: Path, step: int) -> int:
    """Remove records after `step`, by writing beside and renaming; returns how many went.

    Raises:
        DataError: A line before the last is no record; the file stays as it is.
        TrainingError: The file cannot be read or written.
    """
    if not path.exists():
        return 0
    kept = [record for record in read(path) if record["step"] <= step]
    with _named_failure(path):
        content = path.read_bytes()
        lines = len(content.splitlines())
        # A kill may have cut a whole record's newline alone; the next record must not join it.
        if len(kept) == lines and content.endswith(b"\n"):
            return 0
        beside = path.with_suffix(".tmp")
        beside.write_text("".join(json.dumps(record) + "\n" for record in kept), encoding="utf-8")
        beside.replace(path)
    return lines - len(kept)


def plot_loss(metrics: Path, picture: Path) -> None:
    """Draw training and held-out loss by step from a metrics file."""
    records = read(metrics)
    # Importing pyplot would choose a window system; a figure of its own needs none.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    train = [(r["step"], r["train/loss"]) for r in records if r.get("train/loss") is not None]
    if train:
        marker = "." if len(train) == 1 else None  # a line of one point is invisible
        axes.plot(*zip(*train, strict=True), color="0.65", linewidth=1, marker=marker, label="train")
    domains = sorted(
        {key.split("/")[1] for r in records for key in r if key.startswith("eval/") and key.endswith("/loss")}
    )
    for domain in domains:
        key = f"{domain}/loss"
        points = [(0, r[f"baseline/{key}"]) for r in records if r.get(f"baseline/{key}") is not None]
        points += [(r["step"], r[f"eval/{key}"]) for r in records if r.get(f"eval/{key}") is not None]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=f"held-out {domain}")
    axes.set_xlabel("optimizer step")
    axes.set_ylabel("cross-entropy (nats per token)")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.has_data():
        axes.legend(frameon=False)
    beside = picture.with_name(f".{picture.name}")
    figure.savefig(beside, format="png")
    beside.replace(picture)


@contextmanager
def _named_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(f"{path}: cannot be read or written: {error.strerror or error}") from None


def _tracker_id(file: Path) -> str:
    """The tracker's name for this run folder, so that a resumed run goes on under it."""
    if not file.exists():
        file.write_text(uuid.uuid4().hex[:12], encoding="utf-8")
    return file.read_text(encoding="utf-8").strip()


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
