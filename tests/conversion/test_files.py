"""Files of tensors written block by block are what the libraries read, and slices of them are the right values."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import safetensors
import safetensors.numpy

from conversion import torch_file
from conversion.fingerprints import Fingerprints, block_fingerprint
from conversion.mapping import WEIGHTS, Item, Weight
from conversion.safetensors_file import SafetensorsFile, SafetensorsWriter
from conversion.tensor_file import DTYPES, TensorFile, TensorFileWriter, TensorInfo
from conversion.torch_file import TorchFile, TorchWriter
from melama_jax.errors import ConversionError
from melama_jax.training.fingerprint import fingerprint
from tests.conversion.shaped import sizes

Reader = Callable[[Path], TensorFile]
Writer = Callable[[Path, Mapping[str, TensorInfo]], TensorFileWriter]
KINDS: dict[str, tuple[Reader, Writer, str]] = {
    "safetensors": (SafetensorsFile, SafetensorsWriter, "model.safetensors"),
    "torch": (TorchFile, TorchWriter, "consolidated.00.pth"),
}
SHAPES = {"matrix": (37, 24), "vector": (11,), "one row": (1, 5), "one column": (9, 1), "long": (3, 130), "one": (1,)}
ENDS = (slice(None), slice(0, 0), slice(37, 37), slice(5, 5), slice(0, 1), slice(36, 37), slice(3, 20), slice(30, None))
COLUMN_ENDS = (slice(None), slice(0, 0), slice(24, 24), slice(0, 1), slice(23, 24), slice(5, 17), slice(12, None))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    if request.param == "torch":
        request.getfixturevalue("torch")
    return request.param


@pytest.fixture(params=DTYPES)
def dtype(request: pytest.FixtureRequest) -> np.dtype:
    return DTYPES[request.param]


def random_bits(shape: tuple[int, ...], dtype: np.dtype, seed: int = 0) -> np.ndarray:
    """Any bits at all: denormal numbers, infinities and NaNs of every kind among them."""
    nbytes = int(np.prod(shape)) * dtype.itemsize
    return np.frombuffer(np.random.default_rng(seed).bytes(nbytes), dtype).reshape(shape)


def tensors(dtype: np.dtype) -> dict[str, np.ndarray]:
    return {key: random_bits(shape, dtype, seed) for seed, (key, shape) in enumerate(SHAPES.items())}


def infos(values: Mapping[str, np.ndarray]) -> dict[str, TensorInfo]:
    return {key: TensorInfo(value.shape, value.dtype, str(value.dtype)) for key, value in values.items()}


def write_in_turns(writer: TensorFileWriter, values: Mapping[str, np.ndarray], block_rows: int) -> None:
    """A block of each tensor in turn, the last of each shorter; then the next."""
    for start in range(0, max(len(value) for value in values.values()), block_rows):
        for key in reversed(list(values)):
            if start < len(values[key]):
                writer.write(key, values[key][start : start + block_rows])
    writer.close()


@pytest.mark.parametrize("block_rows", [1, 5, 100])
def test_slices_of_what_came_in_blocks(kind: str, dtype: np.dtype, block_rows: int, tmp_path: Path) -> None:
    reader, writer, name = KINDS[kind]
    values = tensors(dtype)
    write_in_turns(writer(tmp_path / name, infos(values)), values, block_rows)
    file = reader(tmp_path / name)
    assert {key: info[:2] for key, info in file.tensors.items()} == {k: i[:2] for k, i in infos(values).items()}
    for key, value in values.items():
        assert_same(file.read(key), value)
    for rows in ENDS:
        for columns in COLUMN_ENDS:
            assert_same(file.read("matrix", rows, columns), values["matrix"][rows, columns])
    for rows in (slice(0, 0), slice(11, 11), slice(2, 7), slice(10, None)):
        assert_same(file.read("vector", rows), values["vector"][rows])


def assert_same(found: np.ndarray, wanted: np.ndarray) -> None:
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    assert found.flags.c_contiguous
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("block_rows", [4, 100])
def test_the_safetensors_library_reads_it(dtype: np.dtype, block_rows: int, tmp_path: Path) -> None:
    values = tensors(dtype)
    path = tmp_path / "model.safetensors"
    write_in_turns(SafetensorsWriter(path, infos(values)), values, block_rows)
    code = {"float32": "F32", "bfloat16": "BF16", "float16": "F16"}[str(dtype)]
    found = {key: (entry["dtype"], entry["shape"], bytes(entry["data"])) for key, entry in stored_in(path).items()}
    assert found == {key: (code, list(value.shape), value.tobytes()) for key, value in values.items()}
    with safetensors.safe_open(path, framework="numpy") as file:
        assert file.metadata() == {"format": "pt"}, "transformers refuses a file that does not say so"
    (length,) = struct.unpack("<Q", path.read_bytes()[:8])
    assert length % 8 == 0, "values should start at a multiple of eight bytes"


def stored_in(path: Path) -> dict[str, dict[str, Any]]:
    return dict(safetensors.deserialize(path.read_bytes()))


@pytest.mark.parametrize("mmap", [False, True])
@pytest.mark.parametrize("block_rows", [4, 100])
def test_torch_reads_it(torch: Any, dtype: np.dtype, block_rows: int, mmap: bool, tmp_path: Path) -> None:
    values = tensors(dtype)
    path = tmp_path / "model.pth"
    write_in_turns(TorchWriter(path, infos(values)), values, block_rows)
    loaded = torch.load(path, weights_only=True, mmap=mmap)
    assert list(loaded) == list(values)
    for key, value in values.items():
        tensor = loaded[key]
        assert (tensor.dtype, tuple(tensor.shape)) == (getattr(torch, str(dtype)), value.shape)
        assert tensor.is_contiguous()
        assert tensor.view(torch.uint8).numpy().tobytes() == value.tobytes()


def test_checksums_are_those_of_the_values(torch: Any, dtype: np.dtype, tmp_path: Path) -> None:
    values = tensors(dtype)
    path = tmp_path / "model.pth"
    write_in_turns(TorchWriter(path, infos(values)), values, 4)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert sorted(archive.read(name) for name in archive.namelist() if "/data/" in name) == sorted(
            value.tobytes() for value in values.values()
        )


def test_checksums_tell_a_flipped_bit(torch: Any, tmp_path: Path) -> None:
    values = tensors(DTYPES["float32"])
    path = tmp_path / "model.pth"
    write_in_turns(TorchWriter(path, infos(values)), values, 4)
    content = bytearray(path.read_bytes())
    content[content.index(values["matrix"].tobytes()) + 100] ^= 1
    path.write_bytes(content)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is not None


def test_tensors_that_share_or_skip_memory_are_read_as_torch_has_them(torch: Any, tmp_path: Path) -> None:
    """A view of a larger storage, a transposed one, two names of one, and a parameter with a gradient."""
    base = torch.arange(60, dtype=torch.bfloat16).reshape(6, 10)
    saved = {"part": base[2:5], "turned": base.T, "again": base, "trained": torch.nn.Parameter(torch.ones(2, 3))}
    torch.save(saved, tmp_path / "model.bin")
    file = TorchFile(tmp_path / "model.bin")
    for key, tensor in saved.items():
        for rows, columns in ((slice(None), slice(None)), (slice(1, 2), slice(1, 3))):
            wanted = tensor.detach()[rows, columns].float().numpy()
            np.testing.assert_array_equal(file.read(key, rows, columns).astype(np.float32), wanted)


def test_a_tensor_that_repeats_one_element(torch: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its values lie in few bytes; pages behind them, which may not be of the file, are left alone."""
    torch.save({"one": torch.ones(1).expand(3000, 2000)}, tmp_path / "model.bin")
    forgotten: list[int] = []
    monkeypatch.setattr(torch_file, "_forget_pages", lambda address, nbytes: forgotten.append(nbytes))
    read = TorchFile(tmp_path / "model.bin").read("one", slice(0, 2000))
    assert read.shape == (2000, 2000)
    assert (read == 1).all()
    assert forgotten == [4]


def test_what_was_read_can_be_read_again(torch: Any, tmp_path: Path) -> None:
    """Pages are given back after each read, by several threads at once."""
    values = tensors(DTYPES["float16"])
    write_in_turns(TorchWriter(tmp_path / "model.pth", infos(values)), values, 4)
    file = TorchFile(tmp_path / "model.pth")
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda start: file.read("matrix", slice(start, start + 1)), [*range(37)] * 10))
    assert b"".join(part.tobytes() for part in read) == values["matrix"].tobytes() * 10


def test_an_unknown_dtype_is_named_when_it_is_read(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    reader, _, name = KINDS[kind]
    if kind == "torch":
        torch = request.getfixturevalue("torch")
        torch.save({"w": torch.zeros(2, 2, dtype=torch.int8)}, tmp_path / name)
    else:
        safetensors.numpy.save_file({"w": np.zeros((2, 2), np.int8)}, tmp_path / name)
    file = reader(tmp_path / name)
    assert file.tensors["w"].dtype is None
    with pytest.raises(ConversionError, match=rf"{name}: w has dtype (I8|torch.int8); convertible are"):
        file.read("w")


def test_a_file_with_rows_missing_is_not_closed(kind: str, tmp_path: Path) -> None:
    _, writer, name = KINDS[kind]
    values = tensors(DTYPES["float32"])
    unfinished = writer(tmp_path / name, infos(values))
    unfinished.write("matrix", values["matrix"][:36])
    with pytest.raises(ValueError, match="were not written whole"):
        unfinished.close()
    unfinished.abandon()


@pytest.mark.parametrize(
    "block", [np.zeros((2, 24), np.float16), np.zeros((2, 23), np.float32), np.zeros(24, np.float32)]
)
def test_a_block_of_another_kind_is_not_written(kind: str, block: np.ndarray, tmp_path: Path) -> None:
    _, writer, name = KINDS[kind]
    open_file = writer(tmp_path / name, infos(tensors(DTYPES["float32"])))
    with pytest.raises(ValueError, match="matrix: a block of"):
        open_file.write("matrix", block)
    open_file.abandon()


def test_a_file_in_the_way_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("kept")
    with pytest.raises(ConversionError, match=r"model.safetensors: cannot be written: File exists"):
        SafetensorsWriter(tmp_path / "model.safetensors", infos(tensors(DTYPES["float32"])))
    assert (tmp_path / "model.safetensors").read_text() == "kept"


@pytest.mark.parametrize("kept", [0, 7, 60, -1])
def test_a_short_safetensors_file_is_refused(kept: int, tmp_path: Path) -> None:
    values = tensors(DTYPES["float32"])
    path = tmp_path / "model.safetensors"
    write_in_turns(SafetensorsWriter(path, infos(values)), values, 5)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ConversionError, match=r"model.safetensors: (no whole|cannot be read)"):
        SafetensorsFile(path)


def test_a_file_shortened_after_it_was_opened_is_refused(tmp_path: Path) -> None:
    values = {"long": random_bits((3, 130), DTYPES["float32"])}
    path = tmp_path / "model.safetensors"
    write_in_turns(SafetensorsWriter(path, infos(values)), values, 5)
    file = SafetensorsFile(path)
    path.write_bytes(path.read_bytes()[:-4])
    for columns in (slice(None), slice(0, 2)):
        with pytest.raises(ConversionError, match=r"model.safetensors: cannot be read now"):
            file.read("long", slice(None), columns)


MODEL = sizes(hidden_size=48, num_attention_heads=6, num_key_value_heads=2, intermediate_size=100, vocab_size=259)


@pytest.mark.parametrize("weight", WEIGHTS, ids=lambda weight: weight.ours)
def test_fingerprints_from_blocks_are_those_of_the_whole(weight: Weight, dtype: np.dtype) -> None:
    whole = random_bits(weight.our_shape(MODEL), dtype, seed=len(weight.ours))
    [expected] = jax.device_get(jax.jit(fingerprint)({"x": whole})).values()
    layers = MODEL["num_hidden_layers"] if weight.stacked else 1
    found = Fingerprints(MODEL)
    blocks = [(layer, start) for layer in range(layers) for start in range(0, weight.shape(MODEL)[0], 77)]
    for layer, start in reversed(blocks):
        item = Item(weight, layer if weight.stacked else None)
        found.add(item, matrix_of(weight, whole[layer] if weight.stacked else whole)[start : start + 77], start)
    assert found.values == {f"params/{weight.ours}": int(expected)}


def matrix_of(weight: Weight, ours: np.ndarray) -> np.ndarray:
    """[rows, columns], strides and all, of one layer of our array."""
    if not weight.columns:
        return ours
    if weight.transposed:
        return ours.reshape(-1, weight.shape(MODEL)[0]).T
    return ours.reshape(weight.shape(MODEL)[0], -1)


def test_fingerprints_beyond_two_to_the_32_places() -> None:
    block = random_bits((130, 3), DTYPES["float32"])
    first, row_stride, column_stride = 2**32 - 5, 2**31 + 7, 2**33 + 3
    words = block.view(np.uint32).tolist()
    expected = sum(
        word * (2 * (first + r * row_stride + c * column_stride) + 1)
        for r, row in enumerate(words)
        for c, word in enumerate(row)
    )
    assert block_fingerprint(block, first, row_stride, column_stride) == expected % 2**32


def test_one_changed_or_exchanged_element_changes_a_fingerprint() -> None:
    block = random_bits((70, 3), DTYPES["bfloat16"]).copy()
    before = block_fingerprint(block, 0, 3, 1)
    block[[0, 69]] = block[[69, 0]]
    exchanged = block_fingerprint(block, 0, 3, 1)
    block.view(np.uint16)[69, 2] ^= 1
    assert len({before, exchanged, block_fingerprint(block, 0, 3, 1)}) == 3


def test_the_header_holds_the_tensors_in_order(tmp_path: Path) -> None:
    values = tensors(DTYPES["float16"])
    path = tmp_path / "model.safetensors"
    write_in_turns(SafetensorsWriter(path, infos(values)), values, 5)
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    ends = [header[key]["data_offsets"] for key in values]
    assert ends[0][0] == 0
    assert [end for _, end in ends[:-1]] == [start for start, _ in ends[1:]]
    assert 8 + length + ends[-1][1] == len(content)
