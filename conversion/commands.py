"""The commands on whole weights: import, export, verify and inspect."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from conversion import card, description, tokenizers
from conversion import origin as origins
from conversion.adapter import Adapter, Merged
from conversion.checkpoint import CheckpointWeights, CheckpointWriter
from conversion.folders import open_weights
from conversion.hf import HuggingFaceWriter
from conversion.mapping import Item, items, weights_of
from conversion.meta import MetaWriter
from conversion.output import new_folder
from conversion.stream import Totals, copy, gigabytes, target_dtypes
from conversion.verify import compare
from conversion.weights import Padded, Weights, WeightsWriter, listed
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConversionError, MelamaError

Echo = Callable[[str], None]
Check = Callable[[Path], None]
_RELEASED_SHARDS = {"llama2-13b": 2, "llama2-70b": 8, "llama3-70b": 8, "llama3.1-70b": 8}
"""Model-parallel ranks of the published files; one for the others."""


def import_weights(
    folder: Path,
    output: Path,
    *,
    dtype: str = "keep",
    added_tokens: Sequence[str] = (),
    vocab_multiple: int = 1,
    max_position_embeddings: int | None = None,
    overwrite: bool = False,
    echo: Echo = print,
) -> None:
    """Turn a Hugging Face or Meta folder into a checkpoint.

    Args:
        folder: The weights, with their tokenizer.
        output: Folder of the checkpoint.
        dtype: keep, float32, bfloat16 or float16.
        added_tokens: Special tokens to add; their rows start at the mean of all rows.
        vocab_multiple: The vocabulary is padded to a multiple of this, for the tensor axis of a mesh.
        max_position_embeddings: Longest context, where the folder does not say.
        overwrite: Whether to replace a folder of weights.
        echo: Where remarks go.

    Raises:
        ConversionError: The folder is damaged or incomplete, or the output cannot be written.
    """
    source = open_weights(folder, max_position_embeddings=max_position_embeddings)
    if isinstance(source, CheckpointWeights):
        raise ConversionError(f"{folder}: is a checkpoint already; `export` turns it into other formats")
    for option, value in (("vocab-multiple", vocab_multiple), ("max-position-embeddings", max_position_embeddings)):
        if value is not None and value < 1:
            raise ConversionError(f"--{option} {value} must be at least 1")
    write_checkpoint(
        source,
        output,
        dtype=dtype,
        added_tokens=added_tokens,
        vocab_multiple=vocab_multiple,
        overwrite=overwrite,
        echo=echo,
    )


def write_checkpoint(
    source: Weights,
    output: Path,
    *,
    dtype: str = "keep",
    added_tokens: Sequence[str] = (),
    vocab_multiple: int = 1,
    overwrite: bool = False,
    check: Check | None = None,
    echo: Echo = print,
) -> None:
    """Write open weights as a checkpoint; as `import_weights`, and `check` is given what was written."""
    source.check()
    check_apart(source, output)
    nbytes = sum(_nbytes(source, target_dtypes(source, dtype)).values())
    with new_folder(output, overwrite=overwrite, nbytes=nbytes) as work:
        new_rows = _import_tokenizer(source, work / "tokenizer", added_tokens, echo)
        tokens = max(source.num_tokens, new_rows.stop)
        padded = max(-(-tokens // vocab_multiple) * vocab_multiple, source.sizes["vocab_size"])
        moved = source
        if new_rows or padded != source.sizes["vocab_size"]:
            moved = Padded(source, new_rows=new_rows, vocab_size=padded)
        dtypes = target_dtypes(moved, dtype)
        if dtype == "keep":
            for weight in weights_of(moved.sizes):
                moved.common_dtype(weight)
        model = model_section(moved, dtypes)
        writer = CheckpointWriter(
            work, moved.sizes, dtypes, model=model, origin=stated_origin(source, work / "tokenizer", new_rows)
        )
        totals = _copy(moved, writer, dtypes, "importing")
        if check is not None:
            check(work)
    echo(f"{output}: {_summary(moved, dtypes)}")
    if new_rows or padded != tokens:
        grown = tokens - source.num_tokens
        echo(f"vocabulary: {source.num_tokens} rows, {grown} rows added, {padded - tokens} rows of padding")
    echo(totals.summary())


def export_weights(
    folder: Path,
    output: Path,
    *,
    format: str,
    dtype: str = "keep",
    num_shards: int | None = None,
    max_shard_bytes: int = 5 * 10**9,
    llama_version: int | None = None,
    tokenizer: Path | None = None,
    base: Path | None = None,
    overwrite: bool = False,
    echo: Echo = print,
) -> None:
    """Turn a checkpoint (or a folder of the other format) into a Hugging Face or Meta folder.

    Args:
        folder: A run, one of its checkpoints, an imported checkpoint, or a folder of weights; an adapter is merged.
        output: Folder to make.
        format: hf or meta.
        dtype: keep, float32, bfloat16 or float16.
        num_shards: Files of a Meta folder; None takes what it came from, or what Meta released for that size.
        max_shard_bytes: Most bytes of a safetensors file.
        llama_version: 2 or 3, the Meta code that will read it; None tells by the model.
        tokenizer: Folder or file of the tokenizer; None takes the checkpoint's own.
        base: The weights that an adapter belongs to; None takes those that it names.
        overwrite: Whether to replace a folder of weights.
        echo: Where remarks go.

    Raises:
        ConversionError: The checkpoint is damaged, or the output cannot be written.
    """
    write_folder(
        open_weights(folder, base=base),
        output,
        format=format,
        dtype=dtype,
        num_shards=num_shards,
        max_shard_bytes=max_shard_bytes,
        llama_version=llama_version,
        tokenizer=tokenizer,
        overwrite=overwrite,
        echo=echo,
    )


def write_folder(
    source: Weights,
    output: Path,
    *,
    format: str,
    dtype: str = "keep",
    num_shards: int | None = None,
    max_shard_bytes: int = 5 * 10**9,
    llama_version: int | None = None,
    tokenizer: Path | None = None,
    overwrite: bool = False,
    check: Check | None = None,
    echo: Echo = print,
) -> None:
    """Write open weights as a Hugging Face or Meta folder; as `export_weights`, and `check` is given it."""
    source.check()
    check_apart(source, output)
    sizes = source.sizes | {"vocab_size": source.num_tokens}
    dtypes = target_dtypes(source, dtype)
    with new_folder(output, overwrite=overwrite, nbytes=sum(_nbytes(source, dtypes).values())) as work:
        found = tokenizer or origins.tokenizer_of(source)
        writer: WeightsWriter
        if format == "hf":
            token_ids = origins.token_ids_of(source)
            if found is not None:
                longest = sizes["max_position_embeddings"]
                for note in tokenizers.write_hf_tokenizer(found, work, model_max_length=longest):
                    echo(note)
                token_ids = tokenizers.special_ids(work) | token_ids
            writer = HuggingFaceWriter(
                work,
                sizes,
                dtypes,
                max_shard_bytes=max_shard_bytes,
                token_ids=token_ids,
                generation=origins.generation_settings(found),
            )
        else:
            llama3 = _is_llama3(source) if llama_version is None else llama_version == 3
            preset = description.preset_of(sizes)
            shards = source.origin.get("num_shards") or _RELEASED_SHARDS.get(preset or "", 1)
            shards = shards if num_shards is None else num_shards
            writer = MetaWriter(work, sizes, dtypes, num_shards=shards, llama3=llama3)
            if found is not None:
                for note in tokenizers.write_meta_tokenizer(found, work):
                    echo(note)
        if found is None:
            echo("WARNING: no tokenizer was found beside the weights; give one with --tokenizer")
        totals = _copy(source, writer, dtypes, "exporting")
        if check is not None:
            check(work)
        (work / "README.md").write_text(card.model_card(source, output.name, format, dtypes), encoding="utf-8")
    echo(f"{output}: {_summary(source, dtypes)}")
    if source.num_tokens != source.sizes["vocab_size"]:
        echo(f"vocabulary: {source.sizes['vocab_size'] - source.num_tokens} rows of padding left out")
    echo(totals.summary())


def verify(first: Path, second: Path, *, echo: Echo = print) -> bool:
    """Compare two folders of any formats, tensor by tensor; whether they are equal to the bit.

    Raises:
        ConversionError: They are of models of other sizes, or one is damaged.
    """
    a, b = open_weights(first), open_weights(second)
    result = compare(a, b)
    for key, value in a.sizes.items():
        if value != b.sizes[key] and key not in ("vocab_size", "tie_word_embeddings"):
            echo(f"the descriptions differ: {key} is {value} in {first}, {b.sizes[key]} in {second}")
    for difference in result.differences:
        where = f"[{difference.row}]" if difference.column is None else f"[{difference.row}, {difference.column}]"
        kinds = " and ".join(dict.fromkeys(difference.dtypes))
        echo(
            f"{difference.name} ({kinds}): {difference.elements} elements differ, the most by "
            f"{difference.largest:.6g} at {where}: {difference.values[0]:.9g} and {difference.values[1]:.9g}"
        )
    if not result.differences:
        echo(f"equal to the bit: {result.compared} tensors, {result.elements} elements")
    else:
        echo(f"different: {len(result.differences)} of {result.compared} tensors")
    echo(result.totals.summary())
    return not result.differences


def inspect(folder: Path, *, console: Console) -> bool:
    """Print what a folder holds; whether it is complete.

    Raises:
        ConversionError: It cannot be read at all.
    """
    source = open_weights(folder)
    table, convertible = Table("", str(folder), show_lines=False), True
    inventory = source.inventory
    table.add_row("format", source.format)
    table.add_row("preset", description.preset_of(source.sizes) or "none of the published sizes")
    for key, value in source.sizes.items():
        table.add_row(key, str(value))
    if source.num_tokens != source.sizes["vocab_size"]:
        table.add_row("rows of padding", str(source.sizes["vocab_size"] - source.num_tokens))
    if not inventory.missing:
        table.add_row("parameters", f"{_parameters(source):,}")
        try:
            counts = ", ".join(f"{name} ({count} tensors)" for name, count in source.dtypes().items())
            table.add_row("dtype", counts)
            nbytes = sum(_nbytes(source, target_dtypes(source, "keep")).values())
            table.add_row("bytes of weights", gigabytes(nbytes))
        except ConversionError as error:
            convertible = False
            table.add_row("dtype", f"not convertible: {error}")
    table.add_row("files", ", ".join(f"{path.name} ({gigabytes(_size(path))})" for path in source.files))
    found = origins.tokenizer_of(source)
    table.add_row("tokenizer", _tokenizer_summary(found))
    table.add_row("missing keys", listed(inventory.missing, 8) or "none")
    table.add_row("extra keys", listed(inventory.extra, 8) or "none")
    if inventory.ignored:
        table.add_row("derived keys, not converted", listed(inventory.ignored, 4))
    console.print(table)
    return convertible and not inventory.missing and not inventory.extra


def check_apart(source: Weights | Adapter, output: Path) -> None:
    """Refuse to replace what is read: a conversion may leave out what the source has, such as the optimizer."""
    if isinstance(source, Merged):
        check_apart(source.adapter, output)
    here, there = output.resolve(), source.folder.resolve()
    if here == there or here in there.parents:
        raise ConversionError(f"{output}: is or holds the folder that is read; choose another")


def stated_origin(source: Weights, tokenizer: Path, new_rows: range) -> dict[str, Any]:
    """What the checkpoint states of where it comes from; a padding token that was added goes before the old one."""
    origin = origins.origin_of(source)
    if tokenizer.is_dir():
        ids = tokenizers.special_ids(tokenizer)
        origin["token_ids"] = {k: v for k, v in ids.items() if v is not None} | origin["token_ids"]
        if ids.get("pad_token_id") in new_rows:
            origin["token_ids"]["pad_token_id"] = ids["pad_token_id"]
    return origin


def _copy(source: Weights, writer: WeightsWriter, dtypes: dict[Item, np.dtype], label: str) -> Totals:
    with contextlib.ExitStack() as undo:
        undo.callback(writer.abandon)
        return copy(source, writer, dtypes, label=label)


def _import_tokenizer(source: Weights, target: Path, added: Sequence[str], echo: Echo) -> range:
    """Copy the tokenizer beside the checkpoint, with tokens added; the rows of the vocabulary that are new."""
    if not origins.copy_tokenizer_of(source, target):
        if added:
            raise ConversionError(f"{source.folder}: has no tokenizer to add tokens to; put its files there")
        echo(f"WARNING: {source.folder} holds no tokenizer; training will need data.vocabulary")
        return range(0)
    tokens = load_vocabulary(target).vocab_size
    if tokens > source.num_tokens:
        raise ConversionError(
            f"{source.folder}: its tokenizer has {tokens} tokens, but its embedding {source.num_tokens} rows; "
            f"they do not belong together"
        )
    if not added:
        return range(0)
    ids = tokenizers.add_tokens(target, added)
    echo(f"added tokens: {', '.join(f'{token} = {number}' for token, number in zip(added, ids, strict=True))}")
    spare = source.num_tokens - min(ids)
    if spare > 0:
        echo(f"{min(spare, len(ids))} of them take rows that the embedding had to spare")
    return range(min(ids), max(ids) + 1)


def _tokenizer_summary(path: Path | None) -> str:
    if path is None:
        return "none"
    try:
        vocabulary = load_vocabulary(path)
    except MelamaError as error:
        return f"unreadable: {error}"
    return f"{vocabulary.path.name}, {vocabulary.vocab_size} tokens, BOS {vocabulary.bos_id}, EOS {vocabulary.eos_id}"


def model_section(source: Weights, dtypes: dict[Item, np.dtype]) -> dict[str, Any]:
    """The `model:` section of a checkpoint of weights in these dtypes."""
    names = [str(dtype) for dtype in dtypes.values()]
    return {
        "preset": description.preset_of(source.sizes),
        **source.sizes,
        "vocab_padding": source.sizes["vocab_size"] - source.num_tokens,
        "param_dtype": max(sorted(set(names)), key=names.count),
    }


def _is_llama3(source: Weights) -> bool:
    return bool(source.origin.get("llama3", description.is_llama3(source.sizes)))


def _nbytes(source: Weights, dtypes: dict[Item, np.dtype]) -> dict[Item, int]:
    return {item: math.prod(source.shape(item)) * dtype.itemsize for item, dtype in dtypes.items()}


def _parameters(source: Weights) -> int:
    return sum(math.prod(source.shape(item)) for item in items(source.sizes))


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else sum(p.stat().st_size for p in path.rglob("*") if p.is_file())


def _summary(source: Weights, dtypes: dict[Item, np.dtype]) -> str:
    preset = description.preset_of(source.sizes)
    names = ", ".join(dict.fromkeys(str(dtype) for dtype in dtypes.values()))
    return f"{preset or 'a LLaMA'}, {_parameters(source):,} parameters, {names}"
