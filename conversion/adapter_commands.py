"""The commands on adapters: import and export of PEFT folders, merge, inspect."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Column, Table

from conversion import card, commands, tokenizers
from conversion import origin as origins
from conversion.adapter import Adapter, Merged, ours
from conversion.adapter_checkpoint import write_adapter
from conversion.commands import Echo
from conversion.fingerprints import FingerprintWriter
from conversion.folders import open_adapter, open_merged, open_weights
from conversion.output import new_folder
from conversion.peft import PeftAdapter, write_peft
from conversion.stream import copy, describe, target_dtypes
from conversion.tensor_file import DTYPES
from conversion.unmerge import unmerge
from melama_jax.errors import ConversionError
from melama_jax.training.fingerprint import digest


def import_adapter(
    folder: Path, output: Path, *, base: Path | None = None, overwrite: bool = False, echo: Echo = print
) -> None:
    """Turn a PEFT folder into a checkpoint of an adapter.

    Args:
        folder: The PEFT folder.
        output: Folder of the checkpoint.
        base: The weights that it belongs to; None takes the folder that it names. They are read once, for their
            fingerprint, and not written.
        overwrite: Whether to replace a folder of weights.
        echo: Where remarks go.

    Raises:
        ConversionError: The adapter or its base is damaged, they do not fit, or the output cannot be written.
    """
    adapter = open_adapter(folder)
    if not isinstance(adapter, PeftAdapter):
        raise ConversionError(f"{folder}: is a checkpoint already; `export --format peft` makes a PEFT folder of it")
    source = open_merged(adapter, base)
    source.check()
    commands.check_apart(source, output)
    stored = target_dtypes(source.base, "keep")
    counts = source.base.dtypes()
    base_dtype = "bfloat16" if max(sorted(counts), key=counts.__getitem__) == "bfloat16" else "float32"
    parameters = sum(adapter.config.rank * sum(adapter.width(item.weight)) for item in adapter.items())
    with new_folder(output, overwrite=overwrite, nbytes=4 * parameters) as work:
        seen = FingerprintWriter(source.base.sizes | {"vocab_size": source.num_tokens})
        totals = copy(source.base, seen, dict.fromkeys(stored, DTYPES[base_dtype]), label="reading the base")
        origins.copy_tokenizer_of(source, work / "tokenizer")
        write_adapter(
            work,
            adapter,
            model=commands.model_section(source.base, stored),
            base={"from": str(source.base.folder), "fingerprint": digest(ours(seen.fingerprints.values))},
            base_dtype=base_dtype,
            origin=commands.stated_origin(source, work / "tokenizer", range(0)),
        )
    echo(f"{output}: {_summary(source)}, {parameters:,} parameters, float32")
    echo(totals.summary())


def export_adapter(
    folder: Path,
    output: Path,
    *,
    dtype: str = "keep",
    base_name: str | None = None,
    tokenizer: Path | None = None,
    overwrite: bool = False,
    echo: Echo = print,
) -> None:
    """Turn the adapter of a run, or an imported one, into a PEFT folder; its base need not be here.

    Args:
        folder: A run, one of its checkpoints, or an imported adapter.
        output: Folder to make.
        dtype: keep (float32), float32, bfloat16 or float16.
        base_name: A folder or name on the hub that the PEFT folder gives as its base; None takes the run's.
        tokenizer: Folder or file of the tokenizer; None takes the run's own.
        overwrite: Whether to replace a folder of weights.
        echo: Where remarks go.

    Raises:
        ConversionError: The adapter is damaged, or the output cannot be written.
    """
    adapter = open_adapter(folder)
    if isinstance(adapter, PeftAdapter) or adapter.sizes is None:
        raise ConversionError(f"{folder}: is a PEFT folder already; `merge` makes whole weights of it")
    adapter.prints  # noqa: B018 - reads it whole, and raises if it is damaged
    commands.check_apart(adapter, output)
    named = base_name or adapter.base["from"]
    shown = base_name or (None if named is None else origins.public_name(Path(named)))
    parameters = sum(adapter.config.rank * sum(adapter.width(item.weight)) for item in adapter.items())
    with new_folder(output, overwrite=overwrite, nbytes=4 * parameters) as work:
        found = tokenizer or origins.tokenizer_of(adapter)
        if found is not None:
            longest = adapter.sizes["max_position_embeddings"]
            for note in tokenizers.write_hf_tokenizer(found, work, model_max_length=longest):
                echo(note)
        write_peft(work, adapter, base_name=named, dtype=DTYPES.get(dtype, DTYPES["float32"]))
        (work / "README.md").write_text(card.adapter_card(adapter, output.name, shown), encoding="utf-8")
    echo(f"{output}: LoRA of rank {adapter.config.rank}, {parameters:,} parameters")
    if base_name is None:
        echo(f"base_model_name_or_path is {named}; PEFT opens a Hugging Face folder or name there (--base-name)")


def merge(
    folder: Path,
    output: Path,
    *,
    base: Path | None = None,
    format: str = "hf",
    dtype: str = "keep",
    check: bool = False,
    overwrite: bool = False,
    echo: Echo = print,
) -> None:
    """Write base weights with an adapter added: W + scale B A in float32, rounded once.

    Args:
        folder: A run of an adapter, one of its checkpoints, an imported adapter, or a PEFT folder.
        output: Folder to make.
        base: The weights that the adapter belongs to; None takes those that it names.
        format: hf, or ours for a checkpoint.
        dtype: keep (as the base is stored), float32, bfloat16 or float16.
        check: Whether to subtract the adapter from what was written, and compare with the base.
        overwrite: Whether to replace a folder of weights.
        echo: Where remarks go.

    Raises:
        ConversionError: A folder is damaged, they do not fit, the check fails, or the output cannot be written.
    """
    source = open_merged(open_adapter(folder), base)
    action = partial(commands.write_folder, format="hf") if format == "hf" else commands.write_checkpoint
    found: list[str] = []

    def compare(work: Path) -> None:
        found.extend(unmerge(open_weights(work), source))

    action(source, output, dtype=dtype, check=compare if check else None, overwrite=overwrite, echo=echo)
    echo(f"{_summary(source)} added to {source.base.folder}")
    for line in found:
        echo(line)


def verify_adapters(first: Path, second: Path, *, echo: Echo = print) -> bool:
    """Compare two adapters of any formats without their bases; whether they are equal to the bit.

    Raises:
        ConversionError: One is damaged.
    """
    a, b = open_adapter(first), open_adapter(second)
    here, there = _facts(a), _facts(b)
    for name in (name for name in here if here[name] != there[name]):
        echo(f"the adapters differ: {name} is {here[name]} in {first}, {there[name]} in {second}")
    if here != there:
        return False
    same, compared = True, 0
    for item in a.items():
        for factor in ("A", "B"):
            compared += 1
            if not np.array_equal(a.read(item, factor).view(np.uint32), b.read(item, factor).view(np.uint32)):
                same = False
                echo(f"{factor} of {describe(item)} differs")
    if same:
        echo(f"equal to the bit: {compared} factors")
    return same


def inspect_adapter(folder: Path, *, console: Console) -> None:
    """Print what an adapter holds; its base is not looked for.

    Raises:
        ConversionError: It cannot be read, or is damaged.
    """
    adapter = open_adapter(folder)
    table, config = Table("", Column(str(folder), overflow="fold"), show_lines=False), adapter.config
    table.add_row("format", "PEFT adapter" if adapter.format == "peft" else "adapter of a checkpoint")
    table.add_row("rank, alpha", f"{config.rank}, {config.alpha:g}{' (rsLoRA)' if config.rank_stabilized else ''}")
    table.add_row("targets", ", ".join(config.targets))
    table.add_row("layers", str(adapter.num_layers))
    table.add_row("base", str(adapter.base["from"] or "not named"))
    table.add_row("fingerprint of the base", str(adapter.base["fingerprint"] or "not known"))
    table.add_row("fingerprint", adapter.fingerprint)
    console.print(table)


def _facts(adapter: Adapter) -> dict[str, Any]:
    config = adapter.config
    scaled = {"rank": config.rank, "alpha": config.alpha, "rank_stabilized": config.rank_stabilized}
    return {"layers": adapter.num_layers, **scaled, "targets": ", ".join(sorted(config.targets))}


def _summary(source: Merged) -> str:
    config = source.adapter.config
    return f"LoRA of rank {config.rank} (fingerprint {source.adapter.fingerprint[:12]})"
