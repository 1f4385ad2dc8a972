"""Meta's folders: `consolidated.NN.pth`, one per model-parallel rank, beside `params.json`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conversion import description
from conversion.json_files import read_json, write_json
from conversion.mapping import (
    COLUMNS,
    EMBEDDING,
    GATE,
    HEAD,
    META_DERIVED,
    QUERY,
    ROWS,
    Item,
    items,
    rotary_from_meta,
    rotary_to_meta,
)
from conversion.tensor_file import TensorInfo
from conversion.torch_file import TorchFile, TorchWriter, import_torch
from conversion.weights import Inventory, Weights, WeightsWriter, block_rows, compare_shapes
from melama_jax.errors import ConversionError

_SHARD = re.compile(r"consolidated\.(\d{2,})\.pth")


class MetaWeights(Weights):
    """A Meta folder, open for reading."""

    format = "meta"

    def __init__(self, folder: Path, *, max_position_embeddings: int | None = None):
        """Read the description and the structure of every shard, no weights beyond a comparison of copies.

        Args:
            folder: The folder.
            max_position_embeddings: Longest context, which `params.json` does not say; None takes that of the
                published model of these sizes.

        Raises:
            ConversionError: A shard is missing, damaged or of another shape, or `params.json` disagrees.
        """
        self.folder = folder
        self.files = _shards(folder)
        self._shards = [TorchFile(path) for path in self.files]
        self._check_alike()
        first, count = self._shards[0].tensors, len(self._shards)
        for key in (EMBEDDING.meta, HEAD.meta, QUERY.meta.format(layer=0), GATE.meta.format(layer=0)):
            if key not in first or len(first[key].shape) != 2:
                raise ConversionError(f"{self.files[0]}: has no matrix {key}; expected the weights of a LLaMA")
        self._check_count(first[QUERY.meta.format(layer=0)].shape)
        self.sizes = description.read_meta_params(
            folder,
            vocab_size=first[HEAD.meta].shape[0] * count,
            intermediate_size=first[GATE.meta.format(layer=0)].shape[0] * count,
            max_position_embeddings=max_position_embeddings,
        )
        self.token_ids = {}
        self.num_tokens = self.sizes["vocab_size"]
        # LLaMA 3 cuts the embedding by tokens, LLaMA 1 and 2 by width.
        self.llama3 = count > 1 and first[EMBEDDING.meta].shape == (
            self.sizes["vocab_size"] // count,
            self.sizes["hidden_size"],
        )
        needed = {item.meta: item for item in items(self.sizes)}
        ignored = [key for key in first if key == META_DERIVED]
        extra = sorted(first.keys() - needed.keys() - set(ignored))
        self.inventory = Inventory(sorted(needed.keys() - first.keys()), extra, ignored)
        shapes = {key: shard_shape(item, self.sizes, count, llama3=self.llama3) for key, item in needed.items()}
        for shard in self._shards:
            compare_shapes(shard.path, {key: info.shape for key, info in shard.tensors.items()}, shapes)
        if not self.inventory.missing:
            self._check_copies()
            self.sizes["tie_word_embeddings"] = self._is_tied()
            if self.sizes["tie_word_embeddings"]:
                self.inventory.ignored.append(HEAD.meta)

    def _check_alike(self) -> None:
        first = self._shards[0]
        for shard in self._shards[1:]:
            for key in first.tensors.keys() ^ shard.tensors.keys():
                has, lacks = (first, shard) if key in first.tensors else (shard, first)
                raise ConversionError(f"{lacks.path}: {key} is missing, which {has.path.name} has")
            for key, info in shard.tensors.items():
                if info != first.tensors[key]:
                    raise ConversionError(
                        f"{shard.path}: {key} is {info.stored_dtype} {info.shape}, but "
                        f"{first.tensors[key].stored_dtype} {first.tensors[key].shape} in {first.path.name}"
                    )

    def _check_count(self, query: tuple[int, ...]) -> None:
        """Tell of shards that are missing at the end before their sizes are blamed on `params.json`."""
        width, rows = read_json(self.folder / "params.json").get("dim"), query[0]
        if type(width) is not int or width != query[1] or not rows or width % rows:
            return  # told of with all other sizes
        if width // rows != len(self.files):
            raise ConversionError(
                f"{self.folder}: has {len(self.files)} of {width // rows} shards, by the {rows} of {width} rows of the "
                f"queries in {self.files[0].name}; copy all of them"
            )

    def _check_copies(self) -> None:
        """Norms are in every shard and must be the same; matrices are cut and must not be."""
        seen: dict[bytes, Path] = {}
        for shard in self._shards:
            part = shard.read(GATE.meta.format(layer=0), slice(0, 8)).tobytes()
            if part in seen:
                raise ConversionError(f"{shard.path}: repeats {seen[part].name}; copy the right one")
            seen[part] = shard.path
        for item in items(self.sizes):
            if item.weight.meta_split(llama3=self.llama3) is None:
                first = self._shards[0].read(item.meta)
                for shard in self._shards[1:]:
                    if shard.read(item.meta).tobytes() != first.tobytes():
                        raise ConversionError(
                            f"{shard.path}: {item.meta} differs from that of {self.files[0].name}; "
                            f"the shards are not of one model"
                        )

    def _is_tied(self) -> bool:
        """Whether the head repeats the embedding bit for bit: Meta's files hold both either way."""
        embedding, head = Item(EMBEDDING, None), Item(HEAD, None)
        shape = EMBEDDING.shape(self.sizes)
        if self.dtype(embedding) != self.dtype(head):
            return False
        step = block_rows(shape, 4, 1)
        for start in range(0, shape[0], step):
            # A few rows first: models that are not tied are told at once.
            for rows in (slice(start, min(start + 8, shape[0])), slice(start, min(start + step, shape[0]))):
                if self.read(embedding, rows).tobytes() != self.read(head, rows).tobytes():
                    return False
        return True

    def dtype(self, item: Item) -> np.dtype:
        """Dtype in which a matrix is stored."""
        info = self._shards[0].tensors[item.meta]
        if info.dtype is None:
            raise ConversionError(
                f"{self.files[0]}: {item.meta} has dtype {info.stored_dtype}, which is no weight's dtype"
            )
        return info.dtype

    def read(self, item: Item, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of a matrix, put together from the shards that hold it."""
        split = item.weight.meta_split(llama3=self.llama3)
        shape = item.weight.shape(self.sizes)
        if split is None:
            block = self._shards[0].read(item.meta, rows, columns)
        elif split == ROWS:
            parts = _pieces(rows, shape[0], len(self._shards))
            block = _join([self._shards[i].read(item.meta, part, columns) for i, part in parts], 0)
        else:
            parts = _pieces(columns, shape[1], len(self._shards))
            block = _join([self._shards[i].read(item.meta, rows, part) for i, part in parts], 1)
        return rotary_from_meta(block, self.sizes["head_dim"]) if item.weight.rotary else block


class MetaWriter(WeightsWriter):
    """Writes a Meta folder block by block."""

    def __init__(
        self,
        folder: Path,
        sizes: Mapping[str, Any],
        dtypes: Mapping[Item, np.dtype],
        *,
        num_shards: int,
        llama3: bool,
    ):
        """Lay out the shards.

        Args:
            folder: An empty folder.
            sizes: The model's sizes, padding of the vocabulary left out.
            dtypes: Dtype of every matrix; that of the embedding also serves a tied head.
            num_shards: Model-parallel ranks.
            llama3: Whether LLaMA 3's code will read it (it cuts the embedding by tokens, and derives the rotary
                frequencies itself).

        Raises:
            ConversionError: `num_shards` does not divide a dimension.
        """
        self.sizes = dict(sizes)
        self._folder, self._llama3, self._count = folder, llama3, num_shards
        self._tied = bool(sizes["tie_word_embeddings"])
        self._params = description.meta_params(self.sizes)
        whole = self.sizes | {"tie_word_embeddings": False}  # Meta's files always hold the head
        dtypes = dict(dtypes)
        if self._tied:
            dtypes[Item(HEAD, None)] = dtypes[Item(EMBEDDING, None)]
        check_divides(whole, num_shards, llama3=llama3)
        tensors = {
            item.meta: TensorInfo(shard_shape(item, whole, num_shards, llama3=llama3), dtypes[item], str(dtypes[item]))
            for item in items(whole)
        }
        if not llama3:
            self._frequencies = _frequencies(folder, sizes)
            tensors[META_DERIVED] = TensorInfo(self._frequencies.shape, np.dtype(np.float32), "float32")
        paths = [folder / f"consolidated.{i:02d}.pth" for i in range(num_shards)]
        self._writers = [TorchWriter(path, tensors) for path in paths]

    def prepare(self, item: Item, block: np.ndarray, start: int) -> np.ndarray:
        """Bring rotary rows into Meta's order."""
        return rotary_to_meta(block, self.sizes["head_dim"]) if item.weight.rotary else block

    def write(self, item: Item, block: np.ndarray, start: int) -> None:
        """Append rows to a matrix, cut over the shards."""
        self._write(item, block, start)
        if self._tied and item.weight is EMBEDDING:
            self._write(Item(HEAD, None), block, start)

    def _write(self, item: Item, block: np.ndarray, start: int) -> None:
        split = item.weight.meta_split(llama3=self._llama3)
        if split is None:
            for writer in self._writers:
                writer.write(item.meta, block)
        elif split == COLUMNS:
            for writer, part in zip(self._writers, np.split(block, self._count, axis=1), strict=True):
                writer.write(item.meta, part)
        else:
            whole = slice(start, start + len(block))
            offset = 0
            for index, part in _pieces(whole, item.weight.shape(self.sizes)[0], self._count):
                length = part.stop - part.start
                self._writers[index].write(item.meta, block[offset : offset + length])
                offset += length

    def close(self) -> None:
        """Finish the files and write the description."""
        for writer in self._writers:
            if not self._llama3:
                writer.write(META_DERIVED, self._frequencies)
            writer.close()
        write_json(self._folder / "params.json", self._params)

    def abandon(self) -> None:
        """Release the files."""
        for writer in self._writers:
            writer.abandon()


def is_meta_folder(folder: Path) -> bool:
    """Whether a folder looks like Meta's layout."""
    return any(folder.glob("consolidated.*.pth"))


def shard_shape(item: Item, sizes: Mapping[str, Any], count: int, *, llama3: bool) -> tuple[int, ...]:
    """Shape of a matrix in each of `count` shards."""
    shape = item.weight.shape(sizes)
    split = item.weight.meta_split(llama3=llama3)
    if split == ROWS:
        return (shape[0] // count, *shape[1:])
    return (shape[0], shape[1] // count) if split == COLUMNS else shape


def check_divides(sizes: Mapping[str, Any], count: int, *, llama3: bool) -> None:
    """Refuse a number of shards that does not divide heads, mlp, vocabulary or width.

    Raises:
        ConversionError: Naming the dimension and the numbers that work.
    """
    dims = {
        "num_key_value_heads": sizes["num_key_value_heads"],
        "num_attention_heads": sizes["num_attention_heads"],
        "intermediate_size": sizes["intermediate_size"],
        "vocab_size": sizes["vocab_size"],
    } | ({} if llama3 else {"hidden_size": sizes["hidden_size"]})
    works = [n for n in range(1, dims["num_key_value_heads"] + 1) if all(size % n == 0 for size in dims.values())]
    for name, size in dims.items():
        if count < 1 or size % count:
            raise ConversionError(
                f"--num-shards {count} does not divide {name} {size}; these work: {', '.join(map(str, works))}"
            )


def _shards(folder: Path) -> list[Path]:
    """The shards in order; every number from 0 must be there."""
    found = sorted(p for p in folder.glob("consolidated.*.pth"))
    numbered: dict[int, Path] = {}
    for path in found:
        match = _SHARD.fullmatch(path.name)
        if match is None or int(match[1]) in numbered:
            raise ConversionError(f"{path}: is no name of a shard; expected consolidated.00.pth, .01.pth and so on")
        numbered[int(match[1])] = path
    if not numbered:
        raise ConversionError(f"{folder}: holds no consolidated.00.pth")
    for number in range(max(numbered) + 1):
        if number not in numbered:
            raise ConversionError(
                f"{folder}: consolidated.{number:02d}.pth is missing, but there is consolidated.{max(numbered):02d}.pth"
            )
    return [numbered[number] for number in sorted(numbered)]


def _pieces(wanted: slice, total: int, count: int) -> Iterable[tuple[int, slice]]:
    """The shards that a slice of the whole dimension touches, and the slice within each."""
    start, stop, _ = wanted.indices(total)
    size = total // count
    for index in range(start // size, -(-stop // size)):
        yield index, slice(max(start - index * size, 0), min(stop - index * size, size))


def _join(parts: list[np.ndarray], dim: int) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=dim)


def _frequencies(folder: Path, sizes: Mapping[str, Any]) -> np.ndarray:
    """The rotary frequencies as Meta's code computes them, in float32 by torch, to the last bit."""
    torch = import_torch(folder)
    head_dim = int(sizes["head_dim"])
    exponents = torch.arange(0, head_dim, 2)[: head_dim // 2].float() / head_dim
    return (1.0 / float(sizes["rope_theta"]) ** exponents).numpy()
