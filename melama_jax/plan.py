"""python -m melama_jax.plan --config FILE --target a100-80gb:20x8: what a run takes on a cluster that is not here."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path

from melama_jax.config import CommandParser, Config, output_file, parse_command_line, write_output
from melama_jax.errors import ConfigError, run_command
from melama_jax.planning.estimate import Efficiency, make_plan
from melama_jax.planning.plan_report import Prices, as_json, print_plan
from melama_jax.planning.search import Search, fragment, ranked, table
from melama_jax.planning.targets import Target, parse_target, prepare_process
from melama_jax.training.report import make_console

_MINUTES = 10
_OF_A_PLAN = ("tokens", "price_per_device_hour", "price_per_kwh")
_OF_A_SEARCH = ("max_minutes", "write")


def main(argv: Sequence[str] | None = None) -> int:
    """Plan a run; 0 when it fits, 1 when it does not."""
    parser = CommandParser(prog="python -m melama_jax.plan", description=__doc__)
    parser.add_argument(
        "--target", required=True, metavar="KIND:EXTENT", help="a100-80gb:20x8, h100:16x8, v5p:4x4x8 ..."
    )
    parser.add_argument("--json", type=output_file, metavar="OUT", help="also write the plan as JSON")
    parser.add_argument("--tokens", type=float, metavar="N", help="budget of tokens; default train.steps")
    parser.add_argument("--matmul-efficiency", type=float, default=Efficiency.matmul, metavar="SHARE")
    parser.add_argument("--memory-efficiency", type=float, default=Efficiency.memory, metavar="SHARE")
    parser.add_argument("--link-efficiency", type=float, default=Efficiency.links, metavar="SHARE")
    parser.add_argument("--search", action="store_true", help="try meshes, rematerializations, micro-batches ...")
    parser.add_argument("--max-minutes", type=float, metavar="M", help=f"of the search; default {_MINUTES}")
    parser.add_argument("--write", type=output_file, metavar="OUT", help="the search's winner, to lay above the run")
    parser.add_argument("--price-per-device-hour", type=float, metavar="P")
    parser.add_argument("--price-per-kwh", type=float, metavar="P")
    config, arguments = parse_command_line(__doc__ or "", argv, parser=parser)
    _check(arguments)
    target = parse_target(arguments.target)
    prepare_process(target)
    efficiency = Efficiency(arguments.matmul_efficiency, arguments.memory_efficiency, arguments.link_efficiency)
    if arguments.search:
        return _search(config, target, efficiency, arguments)
    if config.train.epochs is not None and arguments.tokens is None:
        make_console().print(
            f"WARNING: how many steps train.epochs {config.train.epochs:g} takes is known when the rows are prepared; "
            f"figures of the whole run are for train.steps {config.train.steps:,}. Give --tokens"
        )
    plan = make_plan(config, target, efficiency=efficiency, tokens=arguments.tokens)
    prices = Prices(arguments.price_per_device_hour, arguments.price_per_kwh)
    print_plan(make_console(), config, target, plan, efficiency, prices)
    write_output(arguments.json, json.dumps(as_json(plan, target, efficiency, prices), indent=2) + "\n")
    return 1 if plan.fits is False else 0


def _search(config: Config, target: Target, efficiency: Efficiency, arguments: argparse.Namespace) -> int:
    if target.accelerator is None:
        raise ConfigError(f"--search ranks by estimated time, and there is no data sheet of {target.name}")
    console = make_console()
    search = Search(config, target, efficiency, Path(config.data.cache_dir) / "plans", console)
    search.run(arguments.max_minutes or _MINUTES)
    results = search.results
    console.print(table(results))
    write_output(arguments.json, json.dumps(results, indent=2) + "\n")
    if not results or not ranked(results[0]):
        console.print("none that was tried fits and has an estimate")
        return 1
    winner = fragment(config, results[0], target)
    console.print(winner, markup=False, highlight=False)
    write_output(arguments.write, winner)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse numbers that mean nothing, and options that would have no effect."""
    for name in ("matmul_efficiency", "memory_efficiency", "link_efficiency"):
        value = getattr(arguments, name)
        if not 0 < value <= 1:
            raise ConfigError(f"{_option(name)} {value:g} must be above 0 and at most 1")
    for name in (*_OF_A_PLAN, "max_minutes"):
        value = getattr(arguments, name)
        if value is not None and not 0 < value < math.inf:
            raise ConfigError(f"{_option(name)} {value:g} must be above 0 and finite")
    for name in _OF_A_PLAN if arguments.search else _OF_A_SEARCH:
        if getattr(arguments, name) is not None:
            has = "has no effect on --search; plan what it finds" if arguments.search else "is for --search"
            raise ConfigError(f"{_option(name)} {has}")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


if __name__ == "__main__":
    run_command(main)
