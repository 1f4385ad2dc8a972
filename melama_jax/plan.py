"""python -m melama_jax.plan --config FILE --target a100-80gb:20x8: what a run takes on a cluster that is not here."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from melama_jax.config import Config, parse_command_line
from melama_jax.errors import ConfigError, run_command
from melama_jax.planning.estimate import Efficiency, make_plan
from melama_jax.planning.plan_report import Prices, as_json, print_plan
from melama_jax.planning.search import Search, fragment, table
from melama_jax.planning.targets import Target, parse_target, prepare_process
from melama_jax.training.report import make_console


def main(argv: Sequence[str] | None = None) -> int:
    """Plan a run; 0 when it fits, 1 when it does not."""
    parser = argparse.ArgumentParser(prog="python -m melama_jax.plan", description=__doc__)
    parser.add_argument(
        "--target", required=True, metavar="KIND:EXTENT", help="a100-80gb:20x8, h100:16x8, v5p:4x4x8 ..."
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the plan as JSON")
    parser.add_argument("--tokens", type=float, metavar="N", help="budget of tokens; default train.steps")
    parser.add_argument("--matmul-efficiency", type=float, default=Efficiency.matmul, metavar="SHARE")
    parser.add_argument("--memory-efficiency", type=float, default=Efficiency.memory, metavar="SHARE")
    parser.add_argument("--link-efficiency", type=float, default=Efficiency.links, metavar="SHARE")
    parser.add_argument("--search", action="store_true", help="try meshes, rematerializations, micro-batches ...")
    parser.add_argument("--max-minutes", type=float, default=10, metavar="M", help="of the search; default 10")
    parser.add_argument("--write", type=Path, metavar="OUT", help="the search's winner as a piece of configuration")
    parser.add_argument("--price-per-device-hour", type=float, metavar="P")
    parser.add_argument("--price-per-kwh", type=float, metavar="P")
    config, arguments = parse_command_line(__doc__ or "", argv, parser=parser)
    target = parse_target(arguments.target)
    prepare_process(target)
    efficiency = Efficiency(
        *(_share(arguments, name) for name in ("matmul_efficiency", "memory_efficiency", "link_efficiency"))
    )
    if arguments.search:
        return _search(config, target, efficiency, arguments)
    plan = make_plan(config, target, efficiency=efficiency, tokens=arguments.tokens)
    prices = Prices(arguments.price_per_device_hour, arguments.price_per_kwh)
    print_plan(make_console(), config, target, plan, efficiency, prices)
    if arguments.json is not None:
        _write("json", arguments.json, json.dumps(as_json(plan, target, efficiency, prices), indent=2) + "\n")
    return 1 if plan.fits is False else 0


def _search(config: Config, target: Target, efficiency: Efficiency, arguments: argparse.Namespace) -> int:
    if target.accelerator is None:
        raise ConfigError(f"--search ranks by estimated time, and there is no data sheet of {target.name}")
    if arguments.max_minutes <= 0:
        raise ConfigError(f"--max-minutes {arguments.max_minutes:g} must be above 0")
    console = make_console()
    search = Search(config, target, efficiency, Path(config.data.cache_dir) / "plans", console)
    search.run(arguments.max_minutes)
    results = search.results
    console.print(table(results))
    if arguments.json is not None:
        _write("json", arguments.json, json.dumps(results, indent=2) + "\n")
    if not results or not results[0].get("fits"):
        console.print("none that was tried fits")
        return 1
    winner = fragment(config, results[0], target)
    console.print(winner)
    if arguments.write is not None:
        _write("write", arguments.write, winner)
    return 0


def _write(option: str, path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--{option} {path}: cannot be written: {error.strerror}") from None


def _share(arguments: argparse.Namespace, name: str) -> float:
    value = getattr(arguments, name)
    if not 0 < value <= 1:
        raise ConfigError(f"--{name.replace('_', '-')} {value:g} must be above 0 and at most 1")
    return value


if __name__ == "__main__":
    run_command(main)
