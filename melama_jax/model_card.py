"""python -m melama_jax.model_card --run RUN --evaluation EVALUATION: MODEL_CARD.md from what both recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from melama_jax.config import CommandParser, load, output_file
from melama_jax.config.loading import CONFIG_FILE
from melama_jax.errors import ConfigError, DataError, run_command
from melama_jax.evaluation.model_card import Training, write_model_card
from melama_jax.training.checkpoint import find_checkpoint, read_meta
from melama_jax.training.metrics import METRICS_FILE
from melama_jax.training.run_folder import has_checkpoints

REPORT_FILE = "report.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the card."""
    parser = CommandParser(prog="python -m melama_jax.model_card", description=__doc__)
    parser.add_argument("--run", type=Path, metavar="RUN", help="folder of the training run")
    parser.add_argument("--evaluation", type=Path, metavar="RUN", help="folder of an evaluation of the model")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="default: MODEL_CARD.md in the first folder")
    parser.add_argument("--overwrite", action="store_true", help="replace a card that is there")
    arguments = parser.parse_args(argv)
    folder = arguments.run or arguments.evaluation
    if folder is None:
        raise ConfigError("give --run RUN, --evaluation RUN or both; see python -m melama_jax.model_card --help")
    training = None if arguments.run is None else read_training(arguments.run)
    report = None if arguments.evaluation is None else read_report(arguments.evaluation)
    if training and report:
        check_same_model(training, report)
    path = arguments.output or output_file(folder / "MODEL_CARD.md")
    if path.exists() and not arguments.overwrite:
        raise ConfigError(f"{path}: is there already, perhaps filled in; give --output with another, or --overwrite")
    write_model_card(path, training=training, report=report)
    print(f"{path}: fill in what is marked before you share the model")
    return 0


def read_training(run: Path) -> Training:
    """What a run folder says of its training.

    Raises:
        ConfigError: It holds no configuration of a run.
        CheckpointError: Its newest checkpoint cannot be read.
        DataError: Its metrics are damaged.
    """
    if not (run / CONFIG_FILE).is_file():
        raise ConfigError(f"--run {run}: holds no {CONFIG_FILE}; give the folder of a training run")
    meta = read_meta(find_checkpoint(run)) if has_checkpoints(run) else None
    return Training(
        name=run.resolve().name,
        config=load(run / CONFIG_FILE),
        records=_records(run / METRICS_FILE, up_to=None if meta is None else meta.step),
        step=None if meta is None else meta.step,
        versions={} if meta is None else meta.versions,
        origin={} if meta is None else meta.origin,
    )


def read_report(run: Path) -> dict[str, Any]:
    """The report of an evaluation's folder.

    Raises:
        ConfigError: There is none, or it is none of ours.
    """
    path = run / REPORT_FILE
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        complete = isinstance(report["model"], dict) and isinstance(report["tasks"], list)
    except (OSError, ValueError, KeyError, TypeError):
        complete, report = False, {}
    if not complete:
        raise ConfigError(f"--evaluation {run}: holds no readable {REPORT_FILE} of an evaluation")
    return report


def check_same_model(training: Training, report: Mapping[str, Any]) -> None:
    """Refuse an evaluation whose model has other sizes than the run's.

    Raises:
        ConfigError: Naming the size.
    """
    own = training.config.model.model_dump(mode="json")
    for key, size in report["model"].get("sizes", {}).items():
        if key in own and own[key] != size:
            raise ConfigError(f"--evaluation: is of another model than --run ({key} {size}, the run has {own[key]})")


def _records(path: Path, *, up_to: int | None) -> list[dict[str, Any]]:
    """The records of metrics.jsonl up to a step; a last line that was cut off is left out."""
    if not path.is_file():
        return []
    lines = path.read_bytes().splitlines()
    records = []
    for number, line in enumerate(lines, 1):
        try:
            record = json.loads(line)
            records.append(record | {"step": int(record["step"])})
        except (ValueError, KeyError, TypeError):
            if number < len(lines):
                raise DataError(f"{path}: line {number} is damaged") from None
    return [record for record in records if up_to is None or record["step"] <= up_to]


if __name__ == "__main__":
    run_command(main)
