"""Weights that went through our checkpoints come back to the bit, by `verify` and by comparisons that share no code.

What the layouts mean is written here once more, with torch alone, so that a mistake in the converter's table is not a
mistake of the tests too. Source: the released files, as /shared/formats.md tabulates them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import pytest
import safetensors

from conversion import checkpoint as conversion_checkpoint
from conversion import commands, weights
from conversion.tensor_file import DTYPES
from melama_jax import train
from melama_jax.errors import ConversionError
from melama_jax.parallel import mesh as meshes
from melama_jax.training import checkpoint, state
from melama_jax.training.fingerprint import leaf_name
from tests import runs
from tests.conversion import shaped
from tests.data.corpora import VOCAB_SIZE, train_vocabulary

Values = dict[str, np.ndarray]
OUTER = {  # Meta: Hugging Face, dimension that LLaMA 2 cuts, that LLaMA 3 cuts
    "tok_embeddings.weight": ("model.embed_tokens.weight", 1, 0),
    "norm.weight": ("model.norm.weight", None, None),
    "output.weight": ("lm_head.weight", 0, 0),
}
OF_A_LAYER = {
    "attention_norm.weight": ("input_layernorm.weight", None, None),
    "attention.wq.weight": ("self_attn.q_proj.weight", 0, 0),
    "attention.wk.weight": ("self_attn.k_proj.weight", 0, 0),
    "attention.wv.weight": ("self_attn.v_proj.weight", 0, 0),
    "attention.wo.weight": ("self_attn.o_proj.weight", 1, 1),
    "ffn_norm.weight": ("post_attention_layernorm.weight", None, None),
    "feed_forward.w1.weight": ("mlp.gate_proj.weight", 0, 0),
    "feed_forward.w2.weight": ("mlp.down_proj.weight", 1, 1),
    "feed_forward.w3.weight": ("mlp.up_proj.weight", 0, 0),
}
CODES = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}

ODD = {"hidden_size": 48, "num_attention_heads": 6, "intermediate_size": 100, "vocab_size": 259}
EVEN = {"hidden_size": 64, "num_attention_heads": 8, "intermediate_size": 100, "vocab_size": 260}
LLAMA3 = {"rope_theta": 5e5, "max_position_embeddings": 8192}


def model_of(shape: Mapping[str, int], kv_heads: int, **other: Any) -> dict[str, Any]:
    return shaped.sizes(**shape, num_key_value_heads=kv_heads, **other)


# The layouts, written anew.


def meta_keys(num_layers: int) -> dict[str, tuple[str, int | None, int | None]]:
    layers = {
        f"layers.{layer}.{meta}": (f"model.layers.{layer}.{hf}", *cut)
        for layer in range(num_layers)
        for meta, (hf, *cut) in OF_A_LAYER.items()
    }
    return {**OUTER, **layers}


def random_meta(torch: Any, model: Mapping[str, Any], dtype: str, *, llama3: bool) -> dict[str, Any]:
    """A Meta model as one shard."""
    width, heads, kv_heads = model["hidden_size"], model["num_attention_heads"], model["num_key_value_heads"]
    mlp, vocab, head_dim = model["intermediate_size"], model["vocab_size"], width // heads
    shapes = {
        "tok_embeddings": (vocab, width),
        "output": (vocab, width),
        "wq": (heads * head_dim, width),
        "wk": (kv_heads * head_dim, width),
        "wv": (kv_heads * head_dim, width),
        "wo": (width, heads * head_dim),
        "w1": (mlp, width),
        "w2": (width, mlp),
        "w3": (mlp, width),
    }
    random = torch.Generator().manual_seed(len(dtype) + kv_heads)
    tree = {}
    for key in meta_keys(model["num_hidden_layers"]):
        shape = shapes.get(key.split(".")[-2], (width,))
        tree[key] = torch.randn(shape, generator=random).to(getattr(torch, dtype))
    if model["tie_word_embeddings"]:
        tree["output.weight"] = tree["tok_embeddings.weight"].clone()
    if not llama3:
        tree["rope.freqs"] = 1.0 / (1e4 ** (torch.arange(0, head_dim, 2).float() / head_dim))
    return tree


def cut(tree: Mapping[str, Any], count: int, *, llama3: bool) -> list[dict[str, Any]]:
    """Model-parallel shards of a Meta model."""
    dims = meta_keys(num_layers_of(tree))
    shards: list[dict[str, Any]] = [{} for _ in range(count)]
    for key, tensor in tree.items():
        dim = dims[key][2 if llama3 else 1] if key in dims else None
        parts = [tensor] * count if dim is None else tensor.chunk(count, dim)
        for shard, part in zip(shards, parts, strict=True):
            shard[key] = part.clone()
    return shards


def merge(torch: Any, shards: Sequence[Mapping[str, Any]], *, llama3: bool) -> dict[str, Any]:
    """The inverse of `cut`; copies must be alike."""
    dims = meta_keys(num_layers_of(shards[0]))
    tree = {}
    for key, tensor in shards[0].items():
        dim = dims[key][2 if llama3 else 1] if key in dims else None
        tree[key] = tensor if dim is None else torch.cat([shard[key] for shard in shards], dim)
        assert dim is not None or all(torch.equal(shard[key], tensor) for shard in shards)
    return tree


def num_layers_of(tree: Iterable[str]) -> int:
    return 1 + max(int(key.split(".")[1]) for key in tree if key.startswith("layers."))


def hf_of_meta(torch: Any, tree: Mapping[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """Hugging Face's tensors of a Meta model: q and k from pairs [h, e/2, 2, D] to halves [h, 2, e/2, D]."""
    found = {}
    for key, (name, *_) in meta_keys(model["num_hidden_layers"]).items():
        tensor = tree[key]
        if key.endswith(("wq.weight", "wk.weight")):
            half = model["hidden_size"] // model["num_attention_heads"] // 2
            tensor = tensor.view(-1, half, 2, tensor.shape[1]).transpose(1, 2).reshape(tensor.shape)
        found[name] = tensor
    if model["tie_word_embeddings"]:
        del found["lm_head.weight"]
    return found


def ours_of_hf(values: Values, model: Mapping[str, Any]) -> Values:
    """Our stacked arrays of Hugging Face's tensors: inputs first, heads apart."""
    heads, kv_heads, head_dim = (model[k] for k in ("num_attention_heads", "num_key_value_heads", "head_dim"))
    width = model["hidden_size"]

    def stack(name: str) -> np.ndarray:
        return np.stack([values[f"model.layers.{i}.{name}.weight"] for i in range(model["num_hidden_layers"])])

    def inputs_first(name: str) -> np.ndarray:
        return stack(name).swapaxes(1, 2)

    found = {
        "embedding": values["model.embed_tokens.weight"],
        "layers/attention_norm": stack("input_layernorm"),
        "layers/attention/query": inputs_first("self_attn.q_proj").reshape(-1, width, heads, head_dim),
        "layers/attention/key": inputs_first("self_attn.k_proj").reshape(-1, width, kv_heads, head_dim),
        "layers/attention/value": inputs_first("self_attn.v_proj").reshape(-1, width, kv_heads, head_dim),
        "layers/attention/out": inputs_first("self_attn.o_proj").reshape(-1, heads, head_dim, width),
        "layers/mlp_norm": stack("post_attention_layernorm"),
        "layers/mlp/gate": inputs_first("mlp.gate_proj"),
        "layers/mlp/up": inputs_first("mlp.up_proj"),
        "layers/mlp/down": inputs_first("mlp.down_proj"),
        "final_norm": values["model.norm.weight"],
    }
    return found if model["tie_word_embeddings"] else found | {"head": values["lm_head.weight"].T}


# Folders, written and read by torch and safetensors alone.


def write_meta(folder: Path, torch: Any, model: Mapping[str, Any], shards: Sequence[Mapping[str, Any]]) -> Path:
    folder.mkdir()
    for number, shard in enumerate(shards):
        torch.save(dict(shard), folder / f"consolidated.{number:02d}.pth")
    params = {
        "dim": model["hidden_size"],
        "n_layers": model["num_hidden_layers"],
        "n_heads": model["num_attention_heads"],
        "n_kv_heads": model["num_key_value_heads"],
        "vocab_size": -1,
        "multiple_of": model["intermediate_size"],
        "ffn_dim_multiplier": 0.5,
        "norm_eps": model["rms_norm_eps"],
        "rope_theta": model["rope_theta"],
    }
    (folder / "params.json").write_text(json.dumps(params))
    return folder


def load_meta(torch: Any, folder: Path) -> list[dict[str, Any]]:
    return [torch.load(path, weights_only=True) for path in sorted(folder.glob("*.pth"))]


def load_hf(folder: Path) -> Values:
    """Every tensor of a Hugging Face folder; an index must be right about where each is."""
    paths = sorted(folder.glob("*.safetensors"))
    found: Values = {}
    for path in paths:
        for key, entry in safetensors.deserialize(path.read_bytes()):
            found[key] = np.frombuffer(entry["data"], DTYPES[CODES[entry["dtype"]]]).reshape(entry["shape"])
    index = folder / "model.safetensors.index.json"
    assert index.exists() == (len(paths) > 1)
    if index.exists():
        tree = json.loads(index.read_text())
        assert tree["weight_map"].keys() == found.keys()
        assert tree["metadata"]["total_size"] == sum(value.nbytes for value in found.values())
        for path in paths:
            with safetensors.safe_open(path, framework="numpy") as file:
                assert sorted(file.keys()) == sorted(k for k, name in tree["weight_map"].items() if name == path.name)
    return found


def numpy_of(torch: Any, tensors: Mapping[str, Any]) -> Values:
    """NumPy's copies, bfloat16 by its bits."""
    return {
        key: t.contiguous().view(torch.uint8).numpy().view(DTYPES[str(t.dtype).removeprefix("torch.")])
        for key, t in tensors.items()
    }


def load_ours(folder: Path) -> Values:
    """The arrays of a checkpoint by plain Orbax."""
    tree = ocp.PyTreeCheckpointer().restore((folder / "state").absolute())
    return {leaf_name(path): leaf for path, leaf in jax.tree_util.tree_leaves_with_path(tree["params"])}


def assert_equal(found: Mapping[str, np.ndarray], wanted: Mapping[str, np.ndarray]) -> None:
    assert sorted(found) == sorted(wanted)
    for key, value in wanted.items():
        assert (found[key].dtype, found[key].shape) == (value.dtype, value.shape), key
        assert found[key].tobytes() == np.ascontiguousarray(value).tobytes(), key


def convert_in(source: Path, target: Path, **options: Any) -> Path:
    commands.import_weights(source, target, **options)
    assert commands.verify(source, target)
    return target


def convert_out(source: Path, target: Path, format: str, **options: Any) -> Path:
    commands.export_weights(source, target, format=format, **options)
    assert commands.verify(source, target)
    return target


# The matrix.


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("llama3", [False, True], ids=["llama2", "llama3"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kv_heads", [2, 6], ids=["gqa", "mha"])
@pytest.mark.parametrize("count", [1, 2])
def test_meta_to_meta(
    torch: Any, count: int, kv_heads: int, dtype: str, llama3: bool, tied: bool, tmp_path: Path
) -> None:
    shape = ODD if count == 1 else ODD | {"vocab_size": 262}
    model = model_of(shape, kv_heads, tie_word_embeddings=tied, **(LLAMA3 if llama3 else {}))
    shards = cut(random_meta(torch, model, dtype, llama3=llama3), count, llama3=llama3)
    source = write_meta(tmp_path / "source", torch, model, shards)
    ours = convert_in(source, tmp_path / "ours")
    target = convert_out(ours, tmp_path / "target", "meta")
    assert commands.verify(source, target)
    found = load_meta(torch, target)
    assert len(found) == count
    for one, wanted in zip(found, shards, strict=True):
        assert_equal(numpy_of(torch, one), numpy_of(torch, wanted))
    meaning = ours_of_hf(numpy_of(torch, hf_of_meta(torch, merge(torch, shards, llama3=llama3), model)), model)
    assert_equal(load_ours(ours), meaning)


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("llama3", [False, True], ids=["llama2", "llama3"])
@pytest.mark.parametrize("kv_heads", [4, 8], ids=["gqa", "mha"])
@pytest.mark.parametrize(("before", "after"), [(2, 4), (4, 1)])
def test_meta_to_another_number_of_shards(
    torch: Any, before: int, after: int, kv_heads: int, llama3: bool, tied: bool, tmp_path: Path
) -> None:
    model = model_of(EVEN, kv_heads, tie_word_embeddings=tied, **(LLAMA3 if llama3 else {}))
    whole = random_meta(torch, model, "bfloat16", llama3=llama3)
    source = write_meta(tmp_path / "source", torch, model, cut(whole, before, llama3=llama3))
    target = convert_out(convert_in(source, tmp_path / "ours"), tmp_path / "target", "meta", num_shards=after)
    assert commands.verify(source, target)
    shards = load_meta(torch, target)
    assert len(shards) == after
    assert_equal(numpy_of(torch, merge(torch, shards, llama3=llama3)), numpy_of(torch, whole))


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kv_heads", [2, 6], ids=["gqa", "mha"])
@pytest.mark.parametrize(("before", "after"), [(10**9, 10**9), (9_000, 10**9), (10**9, 30_000)])
def test_hf_to_hf(before: int, after: int, kv_heads: int, dtype: str, tied: bool, tmp_path: Path) -> None:
    model = model_of(ODD, kv_heads, tie_word_embeddings=tied)
    source = shaped.write_hf(tmp_path / "source", model, dtype=dtype, max_shard_bytes=before)
    ours = convert_in(source, tmp_path / "ours")
    target = convert_out(ours, tmp_path / "target", "hf", max_shard_bytes=after)
    assert commands.verify(source, target)
    values = load_hf(source)
    assert ("lm_head.weight" in values) != tied
    assert_equal(load_hf(target), values)
    assert_equal(load_ours(ours), ours_of_hf(values, model))
    assert (len(list(target.glob("*.safetensors"))) > 1) == (after < 10**9)


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("llama3", [False, True], ids=["llama2", "llama3"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("kv_heads", "count"), [(2, 1), (6, 2)])
def test_hf_to_meta_to_hf(
    torch: Any, kv_heads: int, count: int, dtype: str, llama3: bool, tied: bool, tmp_path: Path
) -> None:
    shape = ODD if count == 1 else ODD | {"vocab_size": 262}
    model = model_of(shape, kv_heads, tie_word_embeddings=tied, **(LLAMA3 if llama3 else {}))
    source = shaped.write_hf(tmp_path / "source", model, dtype=dtype, max_shard_bytes=40_000)
    ours = convert_in(source, tmp_path / "ours")
    meta = convert_out(ours, tmp_path / "meta", "meta", num_shards=count)
    again = convert_in(meta, tmp_path / "again")
    target = convert_out(again, tmp_path / "target", "hf")
    values = load_hf(source)
    assert commands.verify(source, target)
    assert_equal(load_hf(target), values)
    whole = merge(torch, load_meta(torch, meta), llama3=llama3)
    assert ("rope.freqs" in whole) != llama3
    assert_equal(numpy_of(torch, hf_of_meta(torch, whole, model)), values)
    if tied:
        assert torch.equal(whole["output.weight"], whole["tok_embeddings.weight"])


@pytest.mark.parametrize("indexed", [False, True])
@pytest.mark.parametrize("dtype", DTYPES)
def test_pickled_hf_folders_are_read(torch: Any, dtype: str, indexed: bool, tmp_path: Path) -> None:
    """Older folders, with the rotary frequencies that they also stored."""
    model = model_of(ODD, 2)
    tree = hf_of_meta(torch, random_meta(torch, model, dtype, llama3=True), model)
    values = numpy_of(torch, tree)
    folder = shaped.write_hf(tmp_path / "source", model, dtype=dtype)
    (folder / "model.safetensors").unlink()
    derived = {f"model.layers.{i}.self_attn.rotary_emb.inv_freq": torch.ones(4) for i in range(2)}
    if indexed:
        names = sorted(tree)
        parts = [{k: tree[k] for k in names[:9]}, {k: tree[k] for k in names[9:]} | derived]
        files = [f"pytorch_model-0000{i}-of-00002.bin" for i in (1, 2)]
        for part, name in zip(parts, files, strict=True):
            torch.save(part, folder / name)
        index = {key: name for part, name in zip(parts, files, strict=True) for key in part}
        (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": index}))
    else:
        torch.save(tree | derived, folder / "pytorch_model.bin")
    target = convert_out(convert_in(folder, tmp_path / "ours"), tmp_path / "target", "hf")
    assert_equal(load_hf(target), values)


@pytest.mark.parametrize("llama_version", [2, 3])
def test_the_version_of_metas_code_can_be_chosen(torch: Any, llama_version: int, tmp_path: Path) -> None:
    model = model_of(EVEN, 4, **(LLAMA3 if llama_version == 2 else {}))  # against what the sizes say
    source = shaped.write_hf(tmp_path / "source", model)
    target = convert_out(source, tmp_path / "meta", "meta", num_shards=2, llama_version=llama_version)
    shards = load_meta(torch, target)
    assert [tuple(shard["tok_embeddings.weight"].shape) for shard in shards] == [
        (130, 64) if llama_version == 3 else (260, 32)
    ] * 2
    again = convert_out(convert_in(target, tmp_path / "ours"), tmp_path / "again", "meta")
    for one, wanted in zip(load_meta(torch, again), shards, strict=True):
        assert_equal(numpy_of(torch, one), numpy_of(torch, wanted))


# Trained weights.


@pytest.mark.parametrize(("layout", "count"), [("meta", None), ("meta-mp2", None), ("meta-mp2", 4), ("meta", 2)])
def test_trained_meta_to_meta(
    torch: Any, stories: Callable[[str], Path], layout: str, count: int | None, tmp_path: Path
) -> None:
    source = stories(layout)
    target = convert_out(convert_in(source, tmp_path / "ours"), tmp_path / "target", "meta", num_shards=count)
    assert commands.verify(source, target)
    before, after = load_meta(torch, source), load_meta(torch, target)
    if count is None:
        for one, wanted in zip(after, before, strict=True):
            assert list(one) != []
            assert_equal(numpy_of(torch, one), numpy_of(torch, wanted))
    else:
        assert len(after) == count
        found, wanted = merge(torch, after, llama3=False), merge(torch, before, llama3=False)
        assert_equal(numpy_of(torch, found), numpy_of(torch, wanted))
    assert (target / "tokenizer.model").read_bytes() == (source / "tokenizer.model").read_bytes()


def test_trained_hf_to_hf(stories: Callable[[str], Path], tmp_path: Path) -> None:
    source = stories("hf")
    target = convert_out(convert_in(source, tmp_path / "ours"), tmp_path / "target", "hf")
    assert_equal(load_hf(target), load_hf(source))


def test_trained_hf_to_meta_to_hf(torch: Any, stories: Callable[[str], Path], tmp_path: Path) -> None:
    """The three folders are the same weights, made with torch and transformers."""
    source = stories("hf")
    meta = convert_out(convert_in(source, tmp_path / "ours"), tmp_path / "meta", "meta", num_shards=2)
    for one, wanted in zip(load_meta(torch, meta), load_meta(torch, stories("meta-mp2")), strict=True):
        assert_equal(numpy_of(torch, one), numpy_of(torch, wanted))
    target = convert_out(convert_in(meta, tmp_path / "again"), tmp_path / "target", "hf")
    assert_equal(load_hf(target), load_hf(source))


def test_the_three_trained_folders_are_one_model(torch: Any, stories: Callable[[str], Path]) -> None:
    assert commands.verify(stories("hf"), stories("meta"))
    assert commands.verify(stories("meta-mp2"), stories("hf"))


# Checkpoints, as training reads and writes them.


@pytest.mark.parametrize("dtype", DTYPES)
def test_training_loads_what_was_imported(dtype: str, tmp_path: Path) -> None:
    model = shaped.sizes(num_key_value_heads=4)
    source = shaped.write_hf(tmp_path / "source", model, dtype=dtype)
    ours = convert_in(source, tmp_path / "ours")
    wanted = ours_of_hf(load_hf(source), model)
    for param_dtype in ("float32", "bfloat16"):
        config = runs.small_config(
            tmp_path,
            tmp_path,
            model={"preset": "tiny", **model, "param_dtype": param_dtype},
            mesh={"fsdp": 4, "tensor": 2},
        )
        mesh = meshes.build_mesh(config.mesh)
        loaded = checkpoint.load_params(ours, state.abstract_state(config, mesh).params)
        assert not any(leaf.sharding.is_fully_replicated for leaf in jax.tree.leaves(loaded["layers"]["mlp"]))
        found = {leaf_name(p): np.asarray(leaf) for p, leaf in jax.tree_util.tree_leaves_with_path(loaded)}
        assert_equal(found, {key: value.astype(DTYPES[param_dtype]) for key, value in wanted.items()})


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path, quick_compilation: None) -> Path:
    """The run folder of one step on an eight-device mesh."""
    run = tmp_path_factory.mktemp("trained")
    sections: dict[str, Any] = {
        "mesh": {"fsdp": 4, "tensor": 2},
        "model": {"preset": "tiny", "vocab_size": 4096, "compute_dtype": "float32"},
        "train": {"steps": 1, "global_batch_size": 8, "sequence_length": 64},
        "eval": {"interval": None},
    }
    assert train.train(runs.small_config(run, cache_dir, **sections)) == 0
    return run


def test_a_training_run_to_hf_and_back(trained: Path, tmp_path: Path) -> None:
    target = convert_out(trained, tmp_path / "hf", "hf", max_shard_bytes=300_000)
    written = load_ours(trained / "checkpoints" / "1")
    assert_equal(written, ours_of_hf(load_hf(target), shaped.sizes(vocab_size=4096)))
    again = convert_in(target, tmp_path / "again")
    assert_equal(load_ours(again), written)
    prints = [checkpoint.read_meta(folder).fingerprints for folder in (again, trained / "checkpoints" / "1")]
    assert prints[0].items() <= prints[1].items()
    assert len(prints[0]) == len(written)


def test_a_training_run_to_meta(torch: Any, trained: Path, tmp_path: Path) -> None:
    target = convert_out(trained, tmp_path / "meta", "meta", num_shards=2)
    whole = merge(torch, load_meta(torch, target), llama3=False)
    model = shaped.sizes(vocab_size=4096)
    values = numpy_of(torch, hf_of_meta(torch, whole, model))
    assert_equal(ours_of_hf(values, model), load_ours(trained / "checkpoints" / "1"))


# Other dtypes.


def special_values(count: int) -> np.ndarray:
    """Ties between two bfloat16 and two float16 values, denormal numbers, both zeros, and the largest that fit."""
    ties = np.array([1 + 2**-8, 1 + 3 * 2**-8, 1 + 2**-11, 1 + 3 * 2**-11, -1 - 2**-8], np.float32)
    bits = np.array([1, 0x7FFF, 0x8000, 0x00018000, 0x33000000, 0x33000001, 0x387FE000, 0x477FE000], np.uint32)
    odd = np.concatenate([ties, bits.view(np.float32), np.array([0.0, -0.0, 65504.0, 1e-7, -6e-8], np.float32)])
    drawn = np.random.default_rng(3).standard_normal(count).astype(np.float32)
    drawn *= np.exp2(np.random.default_rng(4).integers(-30, 12, count)).astype(np.float32)
    drawn[: len(odd)] = odd
    return drawn


def hf_with(folder: Path, key: str, values: np.ndarray, model: Mapping[str, Any], **options: Any) -> Path:
    """A folder in which one matrix holds given values."""
    shaped.write_hf(folder, model, **options)
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    place = content.index(load_hf(folder)[key].tobytes())
    content[place : place + values.nbytes] = values.tobytes()
    path.write_bytes(content)
    return folder


@pytest.mark.parametrize("when", ["import", "export"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_casts_are_torchs(torch: Any, dtype: str, when: str, tmp_path: Path) -> None:
    model = model_of(ODD, 2)
    key = "model.layers.1.mlp.gate_proj.weight"
    values = special_values(100 * 48)
    source = hf_with(tmp_path / "source", key, values, model)
    commands.import_weights(source, tmp_path / "ours", dtype=dtype if when == "import" else "keep")
    commands.export_weights(
        tmp_path / "ours", tmp_path / "hf", format="hf", dtype=dtype if when == "export" else "keep"
    )
    before = {k: torch.from_numpy(v.copy()).to(getattr(torch, dtype)) for k, v in load_hf(source).items()}
    assert_equal(load_hf(tmp_path / "hf"), numpy_of(torch, before))
    assert json.loads((tmp_path / "hf/config.json").read_text())["torch_dtype"] == dtype


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_wider_values_are_the_same_values(dtype: str, tmp_path: Path) -> None:
    model = model_of(ODD, 2)
    source = shaped.write_hf(tmp_path / "source", model, dtype=dtype)
    commands.import_weights(source, tmp_path / "ours", dtype="float32")
    commands.export_weights(tmp_path / "ours", tmp_path / "back", format="hf", dtype=dtype)
    assert_equal(load_hf(tmp_path / "back"), load_hf(source))
    wide = {key: value.astype(np.float32) for key, value in ours_of_hf(load_hf(source), model).items()}
    assert_equal(load_ours(tmp_path / "ours"), wide)


@pytest.mark.parametrize(
    ("dtype", "stored", "value", "message"),
    [
        ("float16", "float32", 65520.0, r"gate, layer 1 reaches 65520, more than float16 holds; choose"),
        ("float16", "bfloat16", -1e6, r"gate, layer 1 reaches 999424, more than float16 holds; choose"),
        ("bfloat16", "float32", 3.4e38, r"gate, layer 1 as bfloat16 holds 1 values that are NaN or infinite"),
    ],
)
def test_values_too_large_for_a_dtype_are_refused(
    dtype: str, stored: str, value: float, message: str, tmp_path: Path
) -> None:
    values = np.zeros(4800, DTYPES[stored])
    values[7] = value
    options = {"dtype": stored}
    source = hf_with(tmp_path / "source", "model.layers.1.mlp.gate_proj.weight", values, model_of(ODD, 2), **options)
    with pytest.raises(ConversionError, match=message):
        commands.import_weights(source, tmp_path / "ours", dtype=dtype)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def mixed(folder: Path, dtypes: Callable[[str], str]) -> Path:
    """A folder whose tensors are of several dtypes."""
    from conversion.hf import HuggingFaceWriter
    from conversion.mapping import items

    model = model_of(ODD, 2)
    folder.mkdir()
    chosen = {item: DTYPES[dtypes(item.hf)] for item in items(model)}
    writer = HuggingFaceWriter(folder, model, chosen, max_shard_bytes=10**9, token_ids=shaped.TOKEN_IDS)
    for item, dtype in chosen.items():
        writer.write(item, shaped.values(item, item.weight.shape(model), dtype, 0), 0)
    writer.close()
    return folder


def test_dtypes_that_differ_between_weights_are_kept(tmp_path: Path) -> None:
    source = mixed(tmp_path / "source", lambda key: "float32" if "norm" in key else "bfloat16")
    target = convert_out(convert_in(source, tmp_path / "ours"), tmp_path / "target", "hf")
    assert_equal(load_hf(target), load_hf(source))


def test_dtypes_that_differ_between_layers_need_a_choice(tmp_path: Path) -> None:
    source = mixed(tmp_path / "source", lambda key: "float32" if "layers.1.mlp.up" in key else "bfloat16")
    with pytest.raises(
        ConversionError, match=r"layers/mlp/up is bfloat16 in layer 0, float32 in layer 1; choose one with --dtype"
    ):
        commands.import_weights(source, tmp_path / "ours")
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
    commands.import_weights(source, tmp_path / "ours", dtype="float32")
    wanted = {k: v.astype(np.float32) for k, v in load_hf(source).items()}
    assert_equal(load_ours(tmp_path / "ours"), ours_of_hf(wanted, model_of(ODD, 2)))


# The vocabulary.


@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
@pytest.mark.parametrize("multiple", [1, 128, 259, 260])
def test_a_padded_vocabulary(multiple: int, tied: bool, tmp_path: Path) -> None:
    model = model_of(ODD, 2, tie_word_embeddings=tied)
    source = shaped.write_hf(tmp_path / "source", model, dtype="bfloat16")
    ours = convert_in(source, tmp_path / "ours", vocab_multiple=multiple)
    rows = {1: 259, 128: 384, 259: 259, 260: 260}[multiple]
    stated = checkpoint.read_meta(ours).config["model"]
    assert (stated["vocab_size"], stated["vocab_padding"]) == (rows, rows - 259)
    before, after = ours_of_hf(load_hf(source), model), load_ours(ours)
    assert after["embedding"].shape == (rows, 48)
    assert after["embedding"][:259].tobytes() == before["embedding"].tobytes()
    assert after["embedding"][259:].tobytes() == bytes((rows - 259) * 48 * 2)
    if not tied:
        assert after["head"].shape == (48, rows)
        assert after["head"][:, :259].tobytes() == np.ascontiguousarray(before["head"]).tobytes()
        assert after["head"][:, 259:].tobytes() == bytes((rows - 259) * 48 * 2)
    target = convert_out(ours, tmp_path / "target", "hf")
    assert_equal(load_hf(target), load_hf(source))
    assert json.loads((target / "config.json").read_text())["vocab_size"] == 259


def test_padding_is_left_out_of_metas_files(torch: Any, tmp_path: Path) -> None:
    model = model_of(EVEN, 4)
    source = shaped.write_hf(tmp_path / "source", model)
    ours = convert_in(source, tmp_path / "ours", vocab_multiple=128)
    target = convert_out(ours, tmp_path / "target", "meta", num_shards=2)
    found = merge(torch, load_meta(torch, target), llama3=False)
    assert_equal(numpy_of(torch, hf_of_meta(torch, found, model)), load_hf(source))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_added_tokens_start_at_the_mean(dtype: str, tmp_path: Path) -> None:
    model = model_of(ODD | {"vocab_size": VOCAB_SIZE}, 2)
    source = shaped.write_hf(tmp_path / "source", model, dtype=dtype)
    train_vocabulary(source / "tokenizer.model")
    ours = tmp_path / "ours"
    remarks: list[str] = []
    commands.import_weights(source, ours, added_tokens=["<pad>", "<turn>"], vocab_multiple=128, echo=remarks.append)
    assert f"added tokens: <pad> = {VOCAB_SIZE}, <turn> = {VOCAB_SIZE + 1}" in remarks
    assert f"vocabulary: {VOCAB_SIZE} rows, 2 rows added, 62 rows of padding" in remarks
    before, after = ours_of_hf(load_hf(source), model), load_ours(ours)
    for name, rows in (("embedding", after["embedding"]), ("head", after["head"].T)):
        old = before[name] if name == "embedding" else before[name].T
        mean = old.astype(np.float64).mean(axis=0)
        assert rows[:VOCAB_SIZE].tobytes() == np.ascontiguousarray(old).tobytes()
        assert rows[VOCAB_SIZE].tobytes() == rows[VOCAB_SIZE + 1].tobytes()
        rounded = mean.astype(np.float32).astype(DTYPES[dtype]).astype(np.float64)
        np.testing.assert_allclose(rows[VOCAB_SIZE].astype(np.float64), rounded, rtol=1e-6, atol=1e-9)
        assert not rows[VOCAB_SIZE + 2 :].astype(np.float32).any()
    target = tmp_path / "target"
    commands.export_weights(ours, target, format="hf")
    assert load_hf(target)["lm_head.weight"].shape == (VOCAB_SIZE + 2, 48)
    assert json.loads((target / "config.json").read_text())["vocab_size"] == VOCAB_SIZE + 2
    assert commands.verify(ours, target)


def test_added_tokens_take_rows_that_no_token_used(tmp_path: Path) -> None:
    model = model_of(ODD | {"vocab_size": VOCAB_SIZE + 5}, 2)
    source = shaped.write_hf(tmp_path / "source", model)
    train_vocabulary(source / "tokenizer.model")
    commands.import_weights(source, tmp_path / "ours", added_tokens=["<pad>", "<turn>"])
    before = ours_of_hf(load_hf(source), model)["embedding"]
    after = load_ours(tmp_path / "ours")["embedding"]
    new = slice(VOCAB_SIZE, VOCAB_SIZE + 2)
    assert after.shape == before.shape
    assert np.delete(after, new, axis=0).tobytes() == np.delete(before, new, axis=0).tobytes()
    mean = before[:VOCAB_SIZE].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(after[new].astype(np.float64), np.stack([mean, mean]), rtol=1e-6, atol=1e-8)


# Blocks.


@pytest.mark.parametrize("size", [200, 1_000, 7_000])
@pytest.mark.parametrize("tied", [False, True], ids=["untied", "tied"])
def test_many_blocks_give_the_bytes_of_one(
    size: int, tied: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(ODD, 2, tie_word_embeddings=tied)
    source = shaped.write_hf(tmp_path / "source", model, dtype="bfloat16")
    whole = convert_in(source, tmp_path / "whole", vocab_multiple=100)
    monkeypatch.setattr(weights, "BLOCK_BYTES", size)
    monkeypatch.setattr(conversion_checkpoint, "_INNER_BYTES", 64)
    ours = convert_in(source, tmp_path / "ours", vocab_multiple=100)
    assert_equal(load_ours(ours), load_ours(whole))
    assert checkpoint.read_meta(ours).fingerprints == checkpoint.read_meta(whole).fingerprints
    monkeypatch.setattr(weights, "BLOCK_BYTES", 3 * size // 2)
    target = convert_out(ours, tmp_path / "target", "hf", max_shard_bytes=20_000)
    assert_equal(load_hf(target), load_hf(source))
    assert commands.verify(whole, target)
    monkeypatch.setattr(weights, "BLOCK_BYTES", 2**26)
    convert_out(whole, tmp_path / "at once", "hf", max_shard_bytes=20_000)
    for path in sorted((tmp_path / "at once").iterdir()):
        if path.name != "README.md":
            assert (target / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("size", [200, 1_000, 7_000])
@pytest.mark.parametrize("llama3", [False, True], ids=["llama2", "llama3"])
def test_blocks_that_cross_shards(
    torch: Any, size: int, llama3: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(ODD | {"vocab_size": 262}, 2, **(LLAMA3 if llama3 else {}))
    shards = cut(random_meta(torch, model, "float32", llama3=llama3), 2, llama3=llama3)
    source = write_meta(tmp_path / "source", torch, model, shards)
    monkeypatch.setattr(weights, "BLOCK_BYTES", size)
    target = convert_out(convert_in(source, tmp_path / "ours"), tmp_path / "target", "meta")
    for one, wanted in zip(load_meta(torch, target), shards, strict=True):
        assert_equal(numpy_of(torch, one), numpy_of(torch, wanted))


@pytest.mark.parametrize("size", [200, 7_000])
def test_blocks_of_a_training_run(trained: Path, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "BLOCK_BYTES", size)
    target = convert_out(trained, tmp_path / "hf", "hf")
    assert_equal(ours_of_hf(load_hf(target), shaped.sizes(vocab_size=4096)), load_ours(trained / "checkpoints" / "1"))
