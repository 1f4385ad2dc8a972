"""python -m conversion: weights in and out. import, export, merge, verify, inspect."""

from __future__ import annotations

import argparse
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from conversion import adapter_commands, commands
from conversion.folders import is_adapter
from melama_jax.config import CommandParser
from melama_jax.errors import ConversionError, run_command

_DTYPES = ("keep", "float32", "bfloat16", "float16")
_SHARD_SIZE = "5GB"
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; 0 when all is well, 1 when `verify` finds differences or `inspect` an incomplete folder."""
    arguments = _parser().parse_args(argv)
    try:
        return _run(arguments)
    except OSError as error:  # whatever the system refuses and nobody foresaw
        raise ConversionError(f"{error.filename or 'the file system'}: {error.strerror or error}") from None


def _run(arguments: argparse.Namespace) -> int:
    console = Console(markup=False, highlight=False)  # names of folders and keys are printed as they are

    def echo(text: str) -> None:
        console.print(text, soft_wrap=True)

    if arguments.command == "import" and is_adapter(arguments.source):
        _refuse(arguments, ("dtype", "add_token", "vocab_multiple", "max_position_embeddings"), "an adapter")
        adapter_commands.import_adapter(
            arguments.source, arguments.output, base=arguments.base, overwrite=arguments.overwrite, echo=echo
        )
    elif arguments.command == "import":
        _refuse(arguments, ("base",), "whole weights")
        commands.import_weights(
            arguments.source,
            arguments.output,
            dtype=arguments.dtype or "keep",
            added_tokens=arguments.add_token or (),
            vocab_multiple=1 if arguments.vocab_multiple is None else arguments.vocab_multiple,
            max_position_embeddings=arguments.max_position_embeddings,
            overwrite=arguments.overwrite,
            echo=echo,
        )
    elif arguments.command == "export" and arguments.format == "peft":
        _refuse(arguments, ("num_shards", "llama_version", "max_shard_size", "base"), "--format peft")
        adapter_commands.export_adapter(
            arguments.checkpoint,
            arguments.output,
            dtype=arguments.dtype or "keep",
            base_name=arguments.base_name,
            tokenizer=arguments.tokenizer,
            overwrite=arguments.overwrite,
            echo=echo,
        )
    elif arguments.command == "export":
        unused = {"hf": ("num_shards", "llama_version", "base_name"), "meta": ("max_shard_size", "base_name")}
        _refuse(arguments, unused[arguments.format], f"--format {arguments.format}")
        commands.export_weights(
            arguments.checkpoint,
            arguments.output,
            format=arguments.format,
            dtype=arguments.dtype or "keep",
            num_shards=arguments.num_shards,
            max_shard_bytes=_bytes(_SHARD_SIZE if arguments.max_shard_size is None else arguments.max_shard_size),
            llama_version=arguments.llama_version,
            tokenizer=arguments.tokenizer,
            base=arguments.base,
            overwrite=arguments.overwrite,
            echo=echo,
        )
    elif arguments.command == "merge":
        adapter_commands.merge(
            arguments.adapter,
            arguments.output,
            base=arguments.base,
            format=arguments.format,
            dtype=arguments.dtype or "keep",
            check=arguments.check,
            overwrite=arguments.overwrite,
            echo=echo,
        )
    elif arguments.command == "verify":
        adapters = is_adapter(arguments.first) and is_adapter(arguments.second)
        verify = adapter_commands.verify_adapters if adapters else commands.verify
        return 0 if verify(arguments.first, arguments.second, echo=echo) else 1
    elif is_adapter(arguments.folder):
        adapter_commands.inspect_adapter(arguments.folder, console=console)
    else:
        return 0 if commands.inspect(arguments.folder, console=console) else 1
    return 0


def _refuse(arguments: argparse.Namespace, names: Sequence[str], where: str) -> None:
    """Refuse options that were given and would not be used."""
    for name in names:
        if getattr(arguments, name) is not None:
            raise ConversionError(f"--{name.replace('_', '-')} means nothing with {where}")


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog="python -m conversion", description=__doc__)
    sub = parser.add_subparsers(dest="command", required=True)

    inward = sub.add_parser("import", help="a Hugging Face, Meta or PEFT folder becomes a checkpoint")
    inward.add_argument("--source", type=Path, required=True, metavar="DIR", help="the folder of weights")
    inward.add_argument("--output", type=Path, required=True, metavar="CKPT", help="the checkpoint to make")
    inward.add_argument("--add-token", action="append", metavar="TOKEN", help="add a special token; repeat")
    inward.add_argument(
        "--vocab-multiple", type=int, metavar="N", help="pad the vocabulary to a multiple (the tensor axis)"
    )
    inward.add_argument(
        "--max-position-embeddings", type=int, metavar="N", help="longest context, which Meta's folders do not state"
    )

    outward = sub.add_parser("export", help="a checkpoint becomes a Hugging Face, Meta or PEFT folder")
    outward.add_argument("--checkpoint", type=Path, required=True, metavar="CKPT", help="a run, a step, or an import")
    outward.add_argument(
        "--format", choices=("hf", "meta", "peft"), required=True, help="hf and meta merge an adapter; peft keeps it"
    )
    outward.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder to make")
    outward.add_argument("--num-shards", type=int, metavar="N", help="files of a Meta folder (model-parallel ranks)")
    outward.add_argument("--max-shard-size", metavar="SIZE", help=f"of a safetensors file; default {_SHARD_SIZE}")
    outward.add_argument("--llama-version", type=int, choices=(2, 3), help="which of Meta's code reads it")
    outward.add_argument("--tokenizer", type=Path, metavar="PATH", help="folder or file, where the checkpoint has none")

    outward.add_argument("--base-name", metavar="NAME", help="what a PEFT folder gives as its base; default: the run's")

    merged = sub.add_parser("merge", help="an adapter is added to its base")
    merged.add_argument("--adapter", type=Path, required=True, metavar="DIR", help="a run, a step, or a PEFT folder")
    merged.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder to make")
    merged.add_argument("--format", choices=("hf", "ours"), default="hf", help="Hugging Face, or a checkpoint")
    merged.add_argument("--check", action="store_true", help="subtract the adapter again and compare with the base")

    for command in (inward, outward, merged):
        command.add_argument("--base", type=Path, metavar="DIR", help="weights of an adapter; default: those it names")
        command.add_argument("--dtype", choices=_DTYPES, help="default: as stored")
        command.add_argument("--overwrite", action="store_true", help="replace a folder of weights that is there")

    check = sub.add_parser("verify", help="compare two folders bit by bit; exit status 1 when they differ")
    check.add_argument("first", type=Path, metavar="A")
    check.add_argument("second", type=Path, metavar="B")
    look = sub.add_parser("inspect", help="print what a folder holds; exit status 1 when keys are missing or extra")
    look.add_argument("folder", type=Path, metavar="DIR")
    return parser


def _bytes(text: str) -> int:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMG]?I?B?)\s*", text.upper())
    unit = _UNITS.get(match[2]) if match else None
    if match is None or unit is None or float(match[1]) * unit < 1:
        raise ConversionError(f"--max-shard-size {text!r} is no size; give one such as 5GB or 500MB")
    return int(float(match[1]) * unit)


def _stop(number: int, frame: object) -> None:
    """End as an error would, so that what was half written is taken away."""
    sys.exit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    run_command(main)
