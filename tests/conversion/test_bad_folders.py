"""What is damaged, incomplete or not asked for is refused in one line that names it, and leaves nothing behind."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.numpy

from conversion import output, weights
from conversion.__main__ import main
from melama_jax.errors import MelamaError
from tests.conversion import shaped
from tests.data.corpora import VOCAB_SIZE, train_vocabulary
from tests.runs import REPOSITORY

MODEL = shaped.sizes(
    hidden_size=64, num_attention_heads=8, num_key_value_heads=4, intermediate_size=100, vocab_size=260
)
GATE = "model.layers.1.mlp.gate_proj.weight"
META_GATE = "layers.1.feed_forward.w1.weight"
INDEX = "model.safetensors.index.json"


class Bad(NamedTuple):
    """What is done to a good folder, and what the refusal must say."""

    spoil: Callable[[Path], None]
    says: str
    name: str


def refused(arguments: Sequence[str | Path], folder: Path) -> str:
    """The one line with which a command is refused; it may leave nothing in `folder`."""
    before = sorted(folder.iterdir())
    with pytest.raises(MelamaError) as caught:
        main([str(argument) for argument in arguments])
    assert sorted(folder.iterdir()) == before
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


def assert_says(pattern: str, message: str) -> None:
    assert re.search(pattern, message), message


def importing(source: Path, *more: str) -> list[str | Path]:
    return ["import", "--source", source, "--output", source.parent / "ours", *more]


def exporting(source: Path, *more: str, format: str = "hf") -> list[str | Path]:
    return ["export", "--checkpoint", source, "--output", source.parent / "exported", "--format", format, *more]


# How folders are spoiled.


def change_tensors(change: Callable[[dict[str, np.ndarray]], Any], name: str = "model.safetensors") -> Any:
    """Change the tensors of a safetensors file."""

    def spoil(folder: Path) -> None:
        tensors = safetensors.numpy.load_file(folder / name)
        change(tensors)
        safetensors.numpy.save_file(tensors, folder / name)

    return spoil


def change_json(name: str, **values: Any) -> Callable[[Path], None]:
    """Change keys of a description; None takes one away."""

    def spoil(folder: Path) -> None:
        tree = json.loads((folder / name).read_text()) | values
        (folder / name).write_text(json.dumps({key: value for key, value in tree.items() if value is not None}))

    return spoil


def change_map(change: Callable[[dict[str, str]], Any]) -> Callable[[Path], None]:
    """Change the index of a folder."""

    def spoil(folder: Path) -> None:
        tree = json.loads((folder / INDEX).read_text())
        change(tree["weight_map"])
        (folder / INDEX).write_text(json.dumps(tree))

    return spoil


def shorten(name: str, by: int = 10) -> Callable[[Path], None]:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size - by)


def write(name: str, content: bytes | str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)


def delete(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def put(key: str, value: float) -> Any:
    def change(tensors: dict[str, np.ndarray]) -> None:
        tensors[key].flat[7] = value

    return change_tensors(change)


def both(*spoils: Callable[[Path], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        for one in spoils:
            one(folder)

    return spoil


def untie(tensors: dict[str, np.ndarray]) -> None:
    tensors["lm_head.weight"] = tensors["lm_head.weight"] + 1


def second_copy(folder: Path) -> None:
    names = sorted(path.name for path in folder.glob("model-*"))
    first = safetensors.numpy.load_file(folder / names[0])
    change_tensors(lambda tensors: tensors.update(first), names[1])(folder)


# Hugging Face folders.

SINGLE = [
    Bad(shorten("model.safetensors"), r"model.safetensors: no whole safetensors file", "truncated"),
    Bad(write("model.safetensors", b"\xff" * 3000), r"model.safetensors: no whole safetensors file", "garbage"),
    Bad(write("model.safetensors", b""), r"model.safetensors: (no whole|cannot be read)", "empty file"),
    Bad(change_tensors(lambda t: t.pop(GATE)), rf": 1 weights are missing: {GATE}", "missing key"),
    Bad(
        change_json("config.json", num_hidden_layers=4),
        r": 18 weights are missing: model.layers.2.\S+, \S+, \S+ and 15 more",
        "missing layers",
    ),
    Bad(
        change_json("config.json", num_hidden_layers=1),
        r": 9 weights belong to no LLaMA: model.layers.1.\S+, \S+, \S+ and 6 more",
        "extra layer",
    ),
    Bad(
        change_tensors(lambda t: t.update({"model.layers.0.self_attn.q_proj.bias": np.zeros(64, np.float32)})),
        r": 1 weights belong to no LLaMA: model.layers.0.self_attn.q_proj.bias; adapters, biases and",
        "extra key",
    ),
    Bad(
        change_tensors(lambda t: t.update({GATE: t[GATE][:, :63]})),
        rf"{GATE} has shape \(100, 63\), but the model description asks for \(100, 64\)",
        "wrong shape",
    ),
    Bad(
        change_tensors(lambda t: t.update({GATE: t[GATE].reshape(-1)})),
        rf"{GATE} has shape \(6400,\), but",
        "wrong rank",
    ),
    Bad(
        change_tensors(lambda t: t.update({GATE: t[GATE].astype(np.int8)})),
        rf"model.safetensors: {GATE} has dtype I8",
        "int8",
    ),
    Bad(put(GATE, np.nan), r"layers/mlp/gate, layer 1 holds 1 values that are NaN or infinite", "NaN"),
    Bad(put("lm_head.weight", -np.inf), r": head holds 1 values that are NaN or infinite", "infinite"),
    Bad(put("model.norm.weight", np.inf), r": final_norm holds 1 values that are NaN or inf", "infinite norm"),
    Bad(
        change_json("config.json", quantization_config={"quant_method": "gptq"}),
        r"config.json: quantization_config .*gptq",
        "quantized",
    ),
    Bad(change_json("config.json", model_type="mistral"), r'config.json: model_type is "mistral"', "another model"),
    Bad(change_json("config.json", hidden_size=None), r"config.json: hidden_size is missing", "a key missing"),
    Bad(change_json("config.json", vocab_size=261), r"\(260, 64\), .* asks for \(261, 64\)", "other vocabulary"),
    Bad(write("config.json", '{"model_type": '), r"config.json: is not valid JSON", "broken config"),
    Bad(delete("config.json"), r"config.json: cannot read .*: No such file or directory", "no config"),
    Bad(delete("model.safetensors"), r": holds no weights; expected model.safetensors", "no weights"),
    Bad(
        both(change_json("config.json", tie_word_embeddings=True), change_tensors(untie)),
        r"config.json: tie_word_embeddings is true, but lm_head.weight is stored and differs",
        "tied, but other head",
    ),
    Bad(
        both(
            change_json("config.json", tie_word_embeddings=True),
            change_tensors(lambda t: t.pop("model.embed_tokens.weight")),
        ),
        r": 1 weights are missing: model.embed_tokens.weight",
        "tied, but the head alone",
    ),
]
SHARDED = [
    Bad(second_copy, r": model.embed_tokens.weight is in both model-00001-of-00002.\S+ and model-00002-of", "twice"),
    Bad(
        delete("model-00002-of-00002.safetensors"), rf"{INDEX}: names model-00002-of-\S+, which is missing", "no shard"
    ),
    Bad(shorten("model-00002-of-00002.safetensors"), r"model-00002-of-00002.safetensors: no whole", "truncated shard"),
    Bad(delete(INDEX), r": has model-00001-of-00002.safetensors but no index", "no index"),
    Bad(write(INDEX, "{"), rf"{INDEX}: is not valid JSON", "broken index"),
    Bad(write(INDEX, "{}"), rf"{INDEX}: has no weight_map", "empty index"),
    Bad(write(INDEX, '{"weight_map": {"a": 1}}'), rf"{INDEX}: has no weight_map", "index of numbers"),
    Bad(change_map(lambda m: m.update({GATE: "../model.safetensors"})), r"names '../model.safetensors'", "outside"),
    Bad(change_map(lambda m: m.update({GATE: "/etc/passwd"})), r"names '/etc/passwd', which is no", "absolute"),
    Bad(change_map(lambda m: m.update({GATE: ".."})), r"names '\.\.', which is no", "parent"),
    Bad(
        change_map(lambda m: m.update({"model.embed_tokens.weight": m["lm_head.weight"]})),
        rf"{INDEX}: puts model.embed_tokens.weight in model-00002-of-\S+, but it lies in model-00001-of",
        "wrong place",
    ),
    Bad(
        change_map(lambda m: m.update({"model.layers.9.mlp.up_proj.weight": m[GATE]})),
        rf"{INDEX}: puts model.layers.9.mlp.up_proj.weight in \S+, which does not hold it",
        "lacks a key",
    ),
]


def named(bad: Bad) -> str:
    return bad.name.replace(" ", "_").replace(",", "")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good")
    shaped.write_hf(folder / "hf", MODEL)
    shaped.write_hf(folder / "hf3", MODEL, max_shard_bytes=200_000)
    main(["import", "--source", str(folder / "hf"), "--output", str(folder / "ckpt")])
    return folder


@pytest.fixture
def source(good: Path, tmp_path: Path) -> Path:
    return shutil.copytree(good / "hf", tmp_path / "source")


@pytest.fixture
def ckpt(good: Path, tmp_path: Path) -> Path:
    return shutil.copytree(good / "ckpt", tmp_path / "ckpt")


@pytest.mark.parametrize("bad", SINGLE, ids=named)
def test_single_file(bad: Bad, source: Path) -> None:
    bad.spoil(source)
    assert_says(bad.says, refused(importing(source), source.parent))


@pytest.mark.parametrize("bad", SHARDED, ids=named)
def test_indexed_files(bad: Bad, good: Path, tmp_path: Path) -> None:
    source = shutil.copytree(good / "hf3", tmp_path / "source")
    bad.spoil(source)
    assert_says(bad.says, refused(importing(source), tmp_path))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (b"\x80\x02" + b"\xff" * 50, "truncated, or of torch's old format"),
        (b"", "truncated, or of torch's old format"),
        (pickle.dumps({"a": 1}), "truncated, or of torch's old format"),
    ],
)
def test_a_pickle_that_is_none(torch: Any, bad: bytes, says: str, source: Path) -> None:
    (source / "model.safetensors").unlink()
    (source / "pytorch_model.bin").write_bytes(bad)
    assert f"pytorch_model.bin: {says}" in refused(importing(source), source.parent)


# Meta's folders.


class Code:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch executed",)


def shard(number: int) -> str:
    return f"consolidated.{number:02d}.pth"


def change_shard(number: int, change: Callable[[dict[str, Any], Any], Any]) -> Callable[[Path], None]:
    """Change the tensors of a shard, given them and torch; what the change returns is saved in their place."""

    def spoil(folder: Path) -> None:
        torch: Any = pytest.importorskip("torch")
        tensors = torch.load(folder / shard(number), weights_only=True)
        returned = change(tensors, torch)
        torch.save(tensors if returned is None else returned, folder / shard(number))

    return spoil


def set_element(key: str, value: float) -> Callable[[dict[str, Any], Any], None]:
    def change(tensors: dict[str, Any], torch: Any) -> None:
        tensors[key].view(-1)[3] = value

    return change


def pop(key: str) -> Callable[[dict[str, Any], Any], None]:
    return lambda tensors, torch: tensors.__delitem__(key)


META = [
    Bad(shorten(shard(1)), rf"{shard(1)}: truncated", "truncated"),
    Bad(write(shard(2), b"\x00garbage" * 99), rf"{shard(2)}: truncated, or of torch's old", "garbage"),
    Bad(write(shard(0), b"PK\x03\x04" + b"\x00" * 99), rf"{shard(0)}: truncated", "begins as a zip"),
    Bad(
        change_shard(1, lambda t, torch: t | {"x": Code()}),
        rf"{shard(1)}: holds objects other than tensors, which are never loaded",
        "code",
    ),
    Bad(change_shard(0, lambda t, torch: list(t.values())), rf"{shard(0)}: expected a dictionary .* list", "a list"),
    Bad(change_shard(0, lambda t, torch: {"model": t}), rf"{shard(0)}: 'model' is no tensor; expected", "nested"),
    Bad(change_shard(0, lambda t, torch: t | {7: torch.ones(1)}), rf"{shard(0)}: the key 7 is no name", "a number"),
    Bad(
        both(*(change_shard(i, pop(META_GATE)) for i in range(4))),
        rf": 1 weights are missing: {META_GATE}",
        "missing key",
    ),
    Bad(
        both(*(change_shard(i, pop("output.weight")) for i in range(4))),
        rf"{shard(0)}: has no matrix output.weight",
        "no head",
    ),
    Bad(change_shard(2, pop(META_GATE)), rf"{shard(2)}: {META_GATE} is missing, which {shard(0)} has", "fewer keys"),
    Bad(change_shard(0, pop(META_GATE)), rf"{shard(0)}: {META_GATE} is missing, which {shard(1)} has", "fewer in 0"),
    Bad(
        both(
            *(change_shard(i, lambda t, torch: t.update({"layers.0.lora.weight": torch.ones(2, 2)})) for i in range(4))
        ),
        r": 1 weights belong to no LLaMA: layers.0.lora.weight",
        "extra key",
    ),
    Bad(
        change_shard(3, lambda t, torch: t.update({META_GATE: t[META_GATE][:-1].clone()})),
        rf"{shard(3)}: {META_GATE} is torch.float32 \(24, 64\), but torch.float32 \(25, 64\) in {shard(0)}",
        "wrong shape",
    ),
    Bad(
        change_shard(3, lambda t, torch: t.update({META_GATE: t[META_GATE].bfloat16()})),
        rf"{shard(3)}: {META_GATE} is torch.bfloat16 \(25, 64\), but torch.float32",
        "another dtype",
    ),
    Bad(
        both(*(change_shard(i, lambda t, torch: t.update({META_GATE: t[META_GATE].char()})) for i in range(4))),
        rf"{shard(0)}: {META_GATE} has dtype torch.int8",
        "int8",
    ),
    Bad(
        change_shard(2, set_element("norm.weight", 0.25)),
        rf"{shard(2)}: norm.weight differs from that of {shard(0)}; the shards are not of one model",
        "another model",
    ),
    Bad(change_shard(2, set_element(META_GATE, float("nan"))), r"gate, layer 1 holds 1 values that are NaN", "NaN"),
    Bad(change_shard(3, set_element("output.weight", float("inf"))), r": head holds 1 values that", "infinite"),
    Bad(delete(shard(1)), rf"{shard(1)} is missing, but there is {shard(3)}", "missing middle shard"),
    Bad(delete(shard(0)), rf"{shard(0)} is missing, but there is {shard(3)}", "missing first shard"),
    Bad(delete(shard(3)), r"source: has 3 of 4 shards", "missing last shard"),
    Bad(delete("params.json"), r"params.json: cannot be read: No such file", "no params"),
    Bad(write("params.json", "{'dim': 64}"), r"params.json: is not valid JSON", "broken params"),
    Bad(change_json("params.json", dim=128), r"params.json: .*dim 128", "wrong dim"),
    Bad(
        change_json("params.json", vocab_size=259), r"vocab_size is 259; expected the tensors' 260", "wrong vocabulary"
    ),
    Bad(
        change_json("params.json", n_kv_heads=8),
        rf"{shard(0)}: layers.0.attention.wk.weight has shape \(8, 64\), but the model .* asks for \(16, 64\)",
        "wrong n_kv_heads",
    ),
    Bad(change_json("params.json", n_layers=3), r": 9 weights are missing: layers.2", "wrong n_layers"),
    Bad(change_json("params.json", multiple_of=256), r"params.json: multiple_of 256", "wrong multiple_of"),
    Bad(change_json("params.json", norm_eps=None), r"params.json: norm_eps is missing", "no norm_eps"),
]


@pytest.fixture(scope="module")
def good_meta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="needs torch, which the torch extra installs")
    return shaped.write_meta(tmp_path_factory.mktemp("good") / "meta", MODEL, num_shards=4)


@pytest.mark.parametrize("bad", META, ids=named)
def test_meta_shards(bad: Bad, good_meta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = shutil.copytree(good_meta, tmp_path / "source")
    bad.spoil(source)
    monkeypatch.chdir(tmp_path)
    assert_says(bad.says, refused(importing(source), tmp_path))
    assert not (tmp_path / "executed").exists()


def test_missing_last_shards_are_told_without_a_vocabulary_size(good_meta: Path, tmp_path: Path) -> None:
    source = shutil.copytree(good_meta, tmp_path / "source")
    change_json("params.json", vocab_size=-1)(source)
    (source / shard(3)).unlink()
    (source / shard(2)).unlink()
    assert_says(r"source: has 2 of 4 shards", refused(importing(source), tmp_path))


# Folders that are none.


@pytest.mark.parametrize("command", ["import", "export", "verify", "inspect"])
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "no such folder"),
        (lambda path: path.write_text(""), "is a file"),
        (lambda path: path.mkdir(), "no weights here; expected a Hugging Face folder"),
    ],
    ids=["absent", "file", "empty"],
)
def test_no_folder_of_weights(command: str, make: Callable[[Path], Any], says: str, tmp_path: Path) -> None:
    path = tmp_path / "source"
    make(path)
    arguments = {"import": importing(path), "export": exporting(path), "verify": ["verify", path, path]}
    message = refused(arguments.get(command, ["inspect", path]), tmp_path)
    assert message.startswith(f"{path}: {says}")


def test_params_without_weights(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/params.json").write_text("{}")
    assert "has params.json, but no consolidated.00.pth" in refused(importing(tmp_path / "source"), tmp_path)


def test_two_formats_in_one_folder(source: Path) -> None:
    (source / "consolidated.00.pth").write_bytes(b"")
    assert "holds Hugging Face and Meta weights at once" in refused(importing(source), source.parent)


def test_a_checkpoint_is_not_imported(ckpt: Path) -> None:
    assert f"{ckpt}: is a checkpoint already; `export` turns it" in refused(importing(ckpt), ckpt.parent)


def test_without_torch_its_files_are_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    (source / "model.safetensors").rename(source / "pytorch_model.bin")
    message = refused(importing(source), source.parent)
    assert (
        "pytorch_model.bin: PyTorch's own files need torch, which is not installed; install the torch extra" in message
    )


# Checkpoints.


def chunk_of(ckpt: Path, name: str) -> Path:
    return next(path for path in sorted((ckpt / "state" / f"params.{name}" / "c").rglob("*")) if path.is_file())


@pytest.mark.parametrize("name", ["embedding", "layers.mlp.gate", "final_norm", "layers.attention.query"])
def test_a_lost_chunk(name: str, ckpt: Path) -> None:
    chunk_of(ckpt, name).unlink()
    for arguments in (exporting(ckpt), ["verify", ckpt, ckpt.parent / "ckpt"]):
        message = refused(arguments, ckpt.parent)
        assert_says(rf"ckpt: (is damaged|params/{name.replace('.', '/')} cannot be read)", message)


@pytest.mark.parametrize("place", [0, 101, -1])
def test_a_flipped_byte(place: int, ckpt: Path) -> None:
    path = chunk_of(ckpt, "layers.mlp.gate")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    assert_says(r"ckpt: (is damaged|params/layers/mlp/gate cannot be read)", refused(exporting(ckpt), ckpt.parent))


def test_bits_that_are_not_those_once_written(ckpt: Path, good: Path, tmp_path: Path) -> None:
    """A chunk of another layer is whole by itself; only the fingerprint tells."""
    first, second = (ckpt / "state/params.layers.mlp.gate/c" / str(layer) / "0" / "0" for layer in (0, 1))
    first.write_bytes(second.read_bytes())
    message = refused(exporting(ckpt), tmp_path)
    assert "is damaged (params/layers/mlp/gate does not have the bits that were written)" in message


def change_meta(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "meta/metadata"
        tree = json.loads(path.read_text())
        change(tree)
        path.write_text(json.dumps(tree))

    return spoil


CHECKPOINTS = [
    Bad(lambda folder: shutil.rmtree(folder / "meta"), r"ckpt: no weights here", "no meta"),
    Bad(delete("meta/metadata"), r"ckpt is damaged \(\S+metadata: FileNotFoundError\)", "empty meta"),
    Bad(write("meta/metadata", "{"), r"ckpt is damaged \(\S+metadata: JSONDecodeError\)", "broken meta"),
    Bad(change_meta(lambda t: t.update(format=9)), r"metadata: format 9, but this version reads format 1", "newer"),
    Bad(change_meta(lambda t: t["config"].pop("model")), r"ckpt/meta/metadata: has no model", "no model"),
    Bad(
        change_meta(lambda t: t["config"]["model"].pop("hidden_size")),
        r"ckpt/meta/metadata: .*model",
        "no hidden_size",
    ),
    Bad(
        change_meta(lambda t: t["config"]["model"].update(intermediate_size=96)),
        r"params.layers.mlp.gate: has shape \(2, 64, 100\), but the description .* asks for \(2, 64, 96\)",
        "other sizes",
    ),
    Bad(
        change_meta(lambda t: t["config"]["model"].update(tie_word_embeddings=True)),
        r"ckpt: holds arrays that belong to no LLaMA of its description: head",
        "tied with a head",
    ),
    Bad(
        change_meta(lambda t: t["fingerprints"].pop("params/head")), r"ckpt: is damaged \(params/head", "no fingerprint"
    ),
    Bad(
        lambda folder: shutil.rmtree(folder / "state/params.layers.mlp.up"),
        r"params.layers.mlp.up: is missing; use a whole checkpoint",
        "lost array",
    ),
    Bad(write("state/params.head/zarr.json", "{"), r"params.head: cannot be read \(", "broken array"),
]


@pytest.mark.parametrize("bad", CHECKPOINTS, ids=named)
def test_checkpoints(bad: Bad, ckpt: Path) -> None:
    bad.spoil(ckpt)
    assert_says(bad.says, refused(exporting(ckpt), ckpt.parent))


# Where the result goes.


def test_an_output_that_exists(source: Path) -> None:
    out = source.parent / "ours"
    out.mkdir()
    (out / "thesis.txt").write_text("chapter one")
    assert f"{out}: exists; choose another folder" in refused(importing(source), source.parent)
    message = refused(importing(source, "--overwrite"), source.parent)
    assert f"{out}: is not a folder of weights, so --overwrite does not replace it" in message
    assert (out / "thesis.txt").read_text() == "chapter one"


def test_a_description_alone_does_not_make_a_folder_of_weights(source: Path) -> None:
    """A project folder may well hold a config.json."""
    out = source.parent / "ours"
    out.mkdir()
    (out / "config.json").write_text("{}")
    (out / "thesis.txt").write_text("chapter one")
    assert "is not a folder of weights" in refused(importing(source, "--overwrite"), source.parent)


def test_an_output_that_is_a_file(source: Path) -> None:
    (source.parent / "ours").write_text("kept")
    for more in ([], ["--overwrite"]):
        assert "ours: is a file" in refused(importing(source, *more), source.parent)
    assert (source.parent / "ours").read_text() == "kept"


def test_an_empty_folder_is_filled(source: Path) -> None:
    (source.parent / "ours").mkdir()
    assert main([str(argument) for argument in importing(source)]) == 0
    assert main(["verify", str(source), str(source.parent / "ours")]) == 0


def test_overwrite_replaces(source: Path) -> None:
    arguments = [str(argument) for argument in importing(source, "--overwrite")]
    assert main(arguments) == 0
    put(GATE, 0.5)(source)
    assert main(["verify", str(source), str(source.parent / "ours")]) == 1
    assert main(arguments) == 0
    assert main(["verify", str(source), str(source.parent / "ours")]) == 0
    assert sorted(path.name for path in source.parent.iterdir()) == ["ours", "source"]


def test_what_fails_replaces_nothing(source: Path, ckpt: Path) -> None:
    put("lm_head.weight", np.nan)(source)
    refused(["import", "--source", source, "--output", ckpt, "--overwrite"], source.parent)
    assert main(["verify", str(ckpt), str(ckpt)]) == 0


def test_the_source_is_not_replaced_by_its_own_conversion(ckpt: Path) -> None:
    message = refused(["export", "--checkpoint", ckpt, "--output", ckpt, "--format", "hf", "--overwrite"], ckpt.parent)
    assert f"{ckpt}: is or holds the folder that is read" in message


def test_a_parent_that_cannot_be_written(source: Path) -> None:
    parent = source.parent / "locked"
    parent.mkdir(mode=0o555)
    if os.access(parent, os.W_OK):
        pytest.skip("root may write anywhere")
    message = refused(["import", "--source", source, "--output", parent / "ours"], source.parent)
    assert f"{parent / 'ours'}: cannot be written: Permission denied" in message


def test_a_parent_that_is_a_file(source: Path) -> None:
    (source.parent / "file").write_text("")
    message = refused(["import", "--source", source, "--output", source.parent / "file/ours"], source.parent)
    assert "file/ours: cannot be written: " in message


def test_a_full_disk_is_told_before_anything_is_written(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(source)
    monkeypatch.setattr(output.shutil, "disk_usage", lambda path: usage._replace(free=1000))
    message = refused(importing(source), source.parent)
    assert_says(r"ours: needs 0.39 MB, but 0.00 MB are free on that disk", message)


@pytest.mark.parametrize("format", ["hf", "meta"])
def test_a_disk_that_fills_while_it_is_written(
    format: str, ckpt: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if format == "meta":
        request.getfixturevalue("torch")
    calls = iter(range(20))

    def pwrite(handle: int, values: Any, place: int, write: Any = os.pwrite) -> int:
        if next(calls, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, values, place)

    monkeypatch.setattr(os, "pwrite", pwrite)
    message = refused(exporting(ckpt, format=format), ckpt.parent)
    assert_says(r"(model.safetensors|consolidated.00.pth): cannot be written: No space left on device", message)


def test_two_conversions_into_one_folder(source: Path) -> None:
    """The second is refused, however often, and takes nothing away from the first."""
    lock = source.parent / "ours.lock"
    work = source.parent / "ours.incomplete"
    work.mkdir()
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        for _ in range(2):
            message = refused(importing(source), source.parent)
            assert "ours: another conversion is writing it; wait for it" in message
            assert lock.exists()
            assert work.exists()
    assert main([str(argument) for argument in importing(source)]) == 0
    assert sorted(path.name for path in source.parent.iterdir()) == ["ours", "source"]


# Options.


@pytest.mark.parametrize("count", ["3", "8", "0", "-1"])
def test_a_number_of_shards_that_does_not_divide(count: str, ckpt: Path, torch: Any) -> None:
    message = refused(exporting(ckpt, "--num-shards", count, format="meta"), ckpt.parent)
    assert_says(rf"--num-shards {count} .*these work: 1, 2, 4$", message)


@pytest.mark.parametrize("size", ["huge", "-5GB", "0", "5XB", "5 5 GB", "GB", "1e3", "1M"])
def test_a_shard_size_that_is_none(size: str, ckpt: Path) -> None:
    message = refused(exporting(ckpt, f"--max-shard-size={size}"), ckpt.parent)
    assert f"--max-shard-size {size!r} is no size; give one such as 5GB or 500MB" in message


def test_an_option_of_the_other_format(ckpt: Path) -> None:
    for format, option in (("hf", "--num-shards=2"), ("hf", "--llama-version=3"), ("meta", "--max-shard-size=1GB")):
        message = refused(exporting(ckpt, option, format=format), ckpt.parent)
        assert message == f"{option.split('=')[0]} means nothing with --format {format}"


def test_a_vocabulary_multiple_that_is_none(source: Path) -> None:
    for value in ("0", "-3"):
        message = refused(importing(source, f"--vocab-multiple={value}"), source.parent)
        assert f"--vocab-multiple {value} must be at least 1" in message


def test_a_context_that_is_none(good_meta: Path, tmp_path: Path) -> None:
    arguments = ["import", "--source", good_meta, "--output", tmp_path / "ours", "--max-position-embeddings", "-1"]
    assert "--max-position-embeddings -1 must be at least 1" in refused(arguments, tmp_path)


def test_a_tokenizer_of_another_model(source: Path) -> None:
    train_vocabulary(source / "tokenizer.model")
    message = refused(importing(source), source.parent)
    assert f"source: its tokenizer has {VOCAB_SIZE} tokens, but its embedding 260 rows; they do not belong" in message


def test_tokens_cannot_be_added_without_a_tokenizer(source: Path) -> None:
    message = refused(importing(source, "--add-token", "<pad>"), source.parent)
    assert "source: has no tokenizer to add tokens to" in message


# Comparisons.


def test_models_of_other_sizes_cannot_be_compared(ckpt: Path) -> None:
    for key, value in (("num_hidden_layers", 3), ("vocab_size", 264), ("num_key_value_heads", 2)):
        other = shaped.write_hf(ckpt.parent / key, MODEL | {key: value})
        message = refused(["verify", ckpt, other], ckpt.parent)
        assert_says(rf"{key}: (has 264 tokens, but .* has 260|{key} is {value}, but \d in .*ckpt); not one", message)


def test_an_incomplete_folder_cannot_be_compared(source: Path, ckpt: Path) -> None:
    change_tensors(lambda t: t.pop(GATE))(source)
    assert f"1 weights are missing: {GATE}" in refused(["verify", ckpt, source], ckpt.parent)


def test_one_changed_element_is_named(source: Path, ckpt: Path, capsys: pytest.CaptureFixture) -> None:
    def change(tensors: dict[str, np.ndarray]) -> None:
        tensors[GATE][99, 63] = 0.5
        tensors["model.layers.0.input_layernorm.weight"][7] = np.nan

    change_tensors(change)(source)
    tensors = safetensors.numpy.load_file(source.parent / "source/model.safetensors")
    assert main(["verify", str(ckpt), str(source)]) == 1
    out = capsys.readouterr().out
    before = shaped_value(GATE, (99, 63))
    assert f"layers/mlp/gate, layer 1 (float32): 1 elements differ, the most by {abs(before - 0.5):.6g}" in out
    assert f"at [99, 63]: {before:.9g} and 0.5\n" in out
    assert_says(
        r"layers/attention_norm, layer 0 \(float32\): 1 elements differ, the most by nan at \[7\]: \S+ and nan", out
    )
    assert "different: 2 of 21 tensors" in out
    assert tensors[GATE][99, 63] == 0.5


def shaped_value(key: str, place: tuple[int, int]) -> float:
    """What `shaped` draws for an element."""
    from conversion.mapping import items

    item = next(item for item in items(MODEL) if item.hf == key)
    return float(shaped.values(item, item.weight.shape(MODEL), np.dtype(np.float32), 0)[place])


def test_differences_in_several_blocks_are_added_up(
    source: Path, ckpt: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = [(0, 0), (3, 5), (3, 6), (40, 63), (99, 0)]

    def change(tensors: dict[str, np.ndarray]) -> None:
        for place in places:
            tensors[GATE][place] += 2.0 if place == (40, 63) else 1.0

    change_tensors(change)(source)
    monkeypatch.setattr(weights, "BLOCK_BYTES", 700)
    assert main(["verify", str(ckpt), str(source)]) == 1
    before = shaped_value(GATE, (40, 63))
    wanted = rf"gate, layer 1 \(float32\): 5 elements differ, the most by 2 at \[40, 63\]: {before:.9g} and "
    assert_says(wanted, capsys.readouterr().out)


def test_a_head_that_repeats_the_embedding_equals_a_tied_one(good: Path, tmp_path: Path) -> None:
    tied, written_out = (shutil.copytree(good / "hf", tmp_path / name) for name in ("tied", "written out"))

    def repeat(tensors: dict[str, np.ndarray]) -> None:
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].copy()

    change_tensors(repeat)(written_out)
    shutil.copytree(written_out, tied, dirs_exist_ok=True)
    change_json("config.json", tie_word_embeddings=True)(tied)
    assert main(["verify", str(tied), str(written_out)]) == 0
    assert main(["verify", str(written_out), str(tied)]) == 0
    change_tensors(untie)(written_out)
    assert main(["verify", str(tied), str(written_out)]) == 1


def test_other_descriptions_of_equal_weights_are_told(source: Path, ckpt: Path, capsys: pytest.CaptureFixture) -> None:
    change_json("config.json", rope_theta=5e5)(source)
    assert main(["verify", str(ckpt), str(source)]) == 0
    assert_says(
        r"descriptions differ: rope_theta is 10000.0 in \S+ckpt\S* .*500000.0 in \S+source\n", capsys.readouterr().out
    )


def test_the_sign_of_zero_is_a_difference(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for name, value in (("a", 0.0), ("b", -0.0)):
        put(GATE, value)(shutil.copytree(good / "hf", tmp_path / name))
    assert main(["verify", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    assert_says(r"layer 1 \(float32\): 1 elements differ, .* at \[\d+, \d+\]: 0 and -0", capsys.readouterr().out)


def test_equal_values_of_other_dtypes_are_a_difference(
    good: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    shaped.write_hf(tmp_path / "half", MODEL, dtype="float16")
    assert main(["verify", str(good / "hf"), str(tmp_path / "half")]) == 1
    assert "(float32 and float16)" in capsys.readouterr().out


# Processes.


def command(*arguments: str | Path, code: str | None = None) -> subprocess.CompletedProcess[str]:
    """The real command line; `code` is run before it."""
    start = ["-m", "conversion"] if code is None else ["-c", code]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "JAX_PLATFORMS": "cpu"}
    line = [sys.executable, *start, *map(str, arguments)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_refusal_on_the_command_line(source: Path) -> None:
    put(GATE, np.nan)(source)
    done = command(*importing(source))
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "layers/mlp/gate, layer 1 holds 1 values that are NaN" in done.stderr
    assert [path.name for path in source.parent.iterdir()] == ["source"]


def test_a_difference_on_the_command_line(source: Path, ckpt: Path) -> None:
    put(GATE, 0.5)(source)
    done = command("verify", source, ckpt)
    assert (done.returncode, done.stderr) == (1, "")
    assert "layers/mlp/gate, layer 1 (float32): 1 elements differ" in done.stdout


KILL = """
import os, signal, sys
from conversion import checkpoint, output
from conversion.__main__ import main
def die(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
{place} = die
main(sys.argv[1:])
"""


@pytest.mark.parametrize("place", ["checkpoint.CheckpointWriter.write", "output._put_in_place"])
def test_a_killed_import_leaves_no_output_and_nothing_in_the_way(place: str, source: Path) -> None:
    done = command(*importing(source), code=KILL.format(place=place))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (source.parent / "ours").exists()
    assert (source.parent / "ours.incomplete").exists(), "it was to be killed while it wrote"
    assert main([str(argument) for argument in importing(source)]) == 0
    assert main(["verify", str(source), str(source.parent / "ours")]) == 0
    assert sorted(path.name for path in source.parent.iterdir()) == ["ours", "source"]
