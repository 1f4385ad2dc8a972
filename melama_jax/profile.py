"""python -m melama_jax.profile summarize TRACE: what a traced training step spent its time on."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Sequence
from pathlib import Path

from melama_jax.config import CommandParser, output_file, write_output
from melama_jax.errors import ConfigError, DataError, run_command
from melama_jax.planning.trace import read_trace
from melama_jax.planning.trace_summary import as_json, print_summary, summarize
from melama_jax.training.report import make_console


def main(argv: Sequence[str] | None = None) -> int:
    """Summarize a trace."""
    parser = CommandParser(prog="python -m melama_jax.profile", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser("summarize", help="print tables")
    command.add_argument("trace", type=Path, metavar="TRACE", help="a run's profile folder, any above, or a .xplane.pb")
    command.add_argument("--json", type=output_file, metavar="OUT", help="also write the figures as JSON")
    command.add_argument("--perfetto", action="store_true", help="also write NAME.perfetto.json.gz beside the trace")
    command.add_argument("--peak-tflops", type=float, metavar="T", help="of a device, instead of its data sheet's")
    arguments = parser.parse_args(argv)
    peak = arguments.peak_tflops
    if peak is not None and not 0 < peak < math.inf:
        raise ConfigError(f"--peak-tflops {peak:g} must be above 0 and finite")
    trace = read_trace(arguments.trace)
    summary = summarize(trace, peak_flops=peak * 1e12 if peak else None)
    print_summary(make_console(), summary)
    write_output(arguments.json, json.dumps(as_json(summary), indent=2) + "\n")
    if arguments.perfetto:
        for file in trace.files:
            write_perfetto(file)
    return 0


def write_perfetto(file: Path) -> None:
    """Write what ui.perfetto.dev reads beside a host's .xplane.pb, from the events that JAX wrote with it.

    Raises:
        DataError: They are not there, or cannot be read or written.
    """
    name = str(file).removesuffix(".xplane.pb")
    source, target = Path(f"{name}.trace.json.gz"), Path(f"{name}.perfetto.json.gz")
    try:
        events = json.loads(gzip.decompress(source.read_bytes()))
        events.pop("metadata", None)  # Perfetto refuses it
        target.write_bytes(gzip.compress(json.dumps(events).encode(), mtime=0))
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"--perfetto: {source} cannot be converted to {target.name}: {error}") from None


if __name__ == "__main__":
    run_command(main)
