"""Hugging Face folders: `config.json` beside safetensors files or older `pytorch_model*.bin`, single or indexed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from conversion import description
from conversion.json_files import read_json, write_json
from conversion.mapping import EMBEDDING, HEAD, HF_DERIVED, Item, items
from conversion.safetensors_file import SafetensorsFile, SafetensorsWriter
from conversion.tensor_file import TensorFile, TensorFileWriter, TensorInfo
from conversion.torch_file import TorchFile
from conversion.weights import Inventory, Weights, WeightsWriter, block_rows, compare_shapes
from melama_jax.errors import ConversionError

_SAFETENSORS, _PICKLES = "model.safetensors", "pytorch_model.bin"


class HuggingFaceWeights(Weights):
    """A Hugging Face folder, open for reading."""

    format = "hf"

    def __init__(self, folder: Path):
        """Read the description and the headers, no weights.

        Raises:
            ConversionError: A file is missing, damaged, outside the folder, or disagrees with `config.json`.
        """
        self.folder = folder
        self.sizes, self.token_ids = description.read_hf_config(folder)
        self.num_tokens = self.sizes["vocab_size"]
        self.files = _files(folder)
        self._open = [open_tensor_file(path) for path in self.files]
        self._where: dict[str, TensorFile] = {}
        for file in self._open:
            for key in file.tensors:
                if key in self._where:
                    raise ConversionError(
                        f"{folder}: {key} is in both {self._where[key].path.name} and {file.path.name}"
                    )
                self._where[key] = file
        _check_index(folder, self._where)
        if self.sizes["num_hidden_layers"] > len(self._where):
            raise ConversionError(
                f"{folder}/config.json: num_hidden_layers is {self.sizes['num_hidden_layers']}, but the files "
                f"hold only {len(self._where)} tensors"
            )
        needed = {item.hf: item for item in items(self.sizes)}
        derived = [key for key in self._where if key.endswith(HF_DERIVED)]
        extra = sorted(self._where.keys() - needed.keys() - set(derived))
        if self.sizes["tie_word_embeddings"] and HEAD.hf in extra:
            self._check_tied()
            extra.remove(HEAD.hf)
            derived.append(HEAD.hf)
        self.inventory = Inventory(sorted(needed.keys() - self._where.keys()), extra, derived)
        found = {key: file.tensors[key].shape for key, file in self._where.items()}
        compare_shapes(folder, found, {key: item.weight.shape(self.sizes) for key, item in needed.items()})

    def _check_tied(self) -> None:
        """A stored head must repeat the embedding; an embedding that is missing or misshapen is told of later."""
        shape = EMBEDDING.shape(self.sizes)
        if EMBEDDING.hf not in self._where or self._where[EMBEDDING.hf].tensors[EMBEDDING.hf].shape != shape:
            return
        infos = [self._where[key].tensors[key] for key in (HEAD.hf, EMBEDDING.hf)]
        step = block_rows(shape, 4, 1)
        blocks = [slice(start, start + step) for start in range(0, shape[0], step)]
        if infos[0] != infos[1] or any(
            self._where[HEAD.hf].read(HEAD.hf, rows).tobytes()
            != self._where[EMBEDDING.hf].read(EMBEDDING.hf, rows).tobytes()
            for rows in blocks
        ):
            raise ConversionError(
                f"{self.folder}/config.json: tie_word_embeddings is true, but {HEAD.hf} is stored and differs from "
                f"{EMBEDDING.hf}; set it to false"
            )

    def dtype(self, item: Item) -> np.dtype:
        """Dtype in which a matrix is stored."""
        file = self._where[item.hf]
        info = file.tensors[item.hf]
        if info.dtype is None:
            raise ConversionError(f"{file.path}: {item.hf} has dtype {info.stored_dtype}, which is no weight's dtype")
        return info.dtype

    def read(self, item: Item, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        """Part of a matrix."""
        return self._where[item.hf].read(item.hf, rows, columns)


def is_hf_folder(folder: Path) -> bool:
    """Whether a folder holds weights in Hugging Face's layout."""
    found = (path for pattern in ("*.safetensors*", "pytorch_model*") for path in folder.glob(pattern))
    return any(not path.name.startswith(".") for path in found)


def open_tensor_file(path: Path) -> TensorFile:
    """Open a file of tensors by its ending."""
    return SafetensorsFile(path) if path.suffix == ".safetensors" else TorchFile(path)


def _files(folder: Path) -> list[Path]:
    """The files that hold the weights: those of the index, or the single file."""
    for single in (_SAFETENSORS, _PICKLES):
        index = folder / f"{single}.index.json"
        if index.is_file() and (folder / single).is_file():
            raise ConversionError(f"{folder}: holds {single} and {index.name}, two sets of weights; keep one of them")
        if index.is_file():
            return [folder / name for name in sorted(set(_weight_map(index).values()))]
        if (folder / single).is_file():
            return [folder / single]
    loose = sorted(folder.glob("model-*.safetensors")) or sorted(folder.glob("pytorch_model-*.bin"))
    if loose:
        raise ConversionError(f"{folder}: has {loose[0].name} but no index ({_SAFETENSORS}.index.json); copy it too")
    raise ConversionError(
        f"{folder}: holds no weights; expected {_SAFETENSORS}, {_SAFETENSORS}.index.json, {_PICKLES} or "
        f"{_PICKLES}.index.json"
    )


def _weight_map(index: Path) -> dict[str, str]:
    found = read_json(index).get("weight_map")
    if not isinstance(found, dict) or not found or not all(isinstance(name, str) for name in found.values()):
        raise ConversionError(f"{index}: has no weight_map of key to file name")
    for name in found.values():
        if Path(name).name != name or Path(name).suffix not in (".safetensors", ".bin"):
            raise ConversionError(f"{index}: names {name!r}, which is no file of weights in this folder")
        if not (index.parent / name).is_file():
            raise ConversionError(f"{index}: names {name}, which is missing; copy it too")
    return found


def _check_index(folder: Path, where: Mapping[str, TensorFile]) -> None:
    for single in (_SAFETENSORS, _PICKLES):
        index = folder / f"{single}.index.json"
        if index.is_file():
            for key, name in _weight_map(index).items():
                if key in where and where[key].path.name != name:
                    raise ConversionError(f"{index}: puts {key} in {name}, but it lies in {where[key].path.name}")
                if key not in where:
                    raise ConversionError(f"{index}: puts {key} in {name}, which does not hold it")
            return


class HuggingFaceWriter(WeightsWriter):
    """Writes a Hugging Face folder block by block."""

    def __init__(
        self,
        folder: Path,
        sizes: Mapping[str, Any],
        dtypes: Mapping[Item, np.dtype],
        *,
        max_shard_bytes: int,
        token_ids: Mapping[str, Any],
        generation: Mapping[str, Any] | None = None,
    ):
        """Lay out the shards.

        Args:
            folder: An empty folder.
            sizes: The model's sizes, padding of the vocabulary left out.
            dtypes: Dtype of every matrix, in the order in which they are written.
            max_shard_bytes: A file is not made longer than this, unless one tensor is.
            token_ids: `bos_token_id` and the like for the description files.
            generation: Further settings for `generation_config.json`, which go before those ids.
        """
        self.sizes = dict(sizes)
        self._folder, self._token_ids, self._generation = folder, token_ids, dict(generation or {})
        shards: list[dict[str, TensorInfo]] = [{}]
        used = 0
        for item, dtype in dtypes.items():
            info = TensorInfo(item.weight.shape(sizes), dtype, str(dtype))
            if shards[-1] and used + info.nbytes > max_shard_bytes:
                shards.append({})
                used = 0
            shards[-1][item.hf] = info
            used += info.nbytes
        names = [_SAFETENSORS]
        if len(shards) > 1:
            names = [f"model-{i:05d}-of-{len(shards):05d}.safetensors" for i in range(1, len(shards) + 1)]
        self._dtype = _most_common(dtypes)
        self._weight_map = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
        self._total = sum(info.nbytes for shard in shards for info in shard.values())
        self._writers: dict[str, TensorFileWriter] = {}
        for name, shard in zip(names, shards, strict=True):
            self._writers[name] = SafetensorsWriter(folder / name, shard)

    def write(self, item: Item, block: np.ndarray, start: int) -> None:
        """Append rows to a matrix."""
        self._writers[self._weight_map[item.hf]].write(item.hf, block)

    def close(self) -> None:
        """Finish the files and write the descriptions."""
        for writer in self._writers.values():
            writer.close()
        if len(self._writers) > 1:
            index = {"metadata": {"total_size": self._total}, "weight_map": dict(sorted(self._weight_map.items()))}
            write_json(self._folder / f"{_SAFETENSORS}.index.json", index)
        config = description.hf_config(self.sizes, dtype=self._dtype, token_ids=self._token_ids)
        write_json(self._folder / "config.json", config)
        generation = description.generation_config(self._token_ids) | self._generation
        write_json(self._folder / "generation_config.json", generation)

    def abandon(self) -> None:
        """Release the files."""
        for writer in self._writers.values():
            writer.abandon()


def _most_common(dtypes: Mapping[Item, np.dtype]) -> str:
    names = [str(dtype) for dtype in dtypes.values()]
    return max(sorted(set(names)), key=names.count)
