"""python -m melama_jax.config: the JSON schema of the tree, or one configuration resolved."""

from __future__ import annotations

import json
import sys

from melama_jax.config import CommandParser, Config, dump_yaml, load
from melama_jax.errors import ConfigError, run_command


def main() -> None:
    """Print the schema (`--schema`) or the resolved YAML of `--config FILE --set a.b=c`."""
    parser = CommandParser(prog="python -m melama_jax.config", description=main.__doc__)
    parser.add_argument("--schema", action="store_true", help="print the JSON schema of every key")
    parser.add_argument("--config", metavar="FILE", help="print this configuration, resolved and checked")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    arguments = parser.parse_args()
    if arguments.schema:
        json.dump(Config.model_json_schema(by_alias=True), sys.stdout, indent=2)
        print()
    elif arguments.config:
        print(dump_yaml(load(arguments.config, arguments.overrides)), end="")
    else:
        raise ConfigError("give --schema, or --config FILE")


if __name__ == "__main__":
    run_command(main)
