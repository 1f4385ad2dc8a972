"""python -m melama_jax.profile summarize TRACE: what a traced training step spent its time on."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from melama_jax.errors import ConfigError, run_command
from melama_jax.planning.trace import read_trace
from melama_jax.planning.trace_summary import as_json, print_summary, summarize
from melama_jax.training.report import make_console


def main(argv: Sequence[str] | None = None) -> int:
    """Summarize a trace."""
    parser = argparse.ArgumentParser(prog="python -m melama_jax.profile", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser("summarize", help="print tables")
    command.add_argument("trace", type=Path, metavar="TRACE", help="a run's profile folder, any above, or a .xplane.pb")
    command.add_argument("--json", type=Path, metavar="OUT", help="also write the figures as JSON")
    command.add_argument("--peak-tflops", type=float, metavar="T", help="of a device, instead of its data sheet's")
    arguments = parser.parse_args(argv)
    peak = arguments.peak_tflops
    if peak is not None and not peak > 0:
        raise ConfigError(f"--peak-tflops {peak:g} must be above 0")
    summary = summarize(read_trace(arguments.trace), peak_flops=peak * 1e12 if peak else None)
    print_summary(make_console(), summary)
    if arguments.json is not None:
        try:
            arguments.json.write_text(json.dumps(as_json(summary), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"--json {arguments.json}: cannot be written: {error.strerror}") from None
    return 0


if __name__ == "__main__":
    run_command(main)
