"""A run that starts straight from a folder of weights: every device gets its part, and the first loss is right."""

from __future__ import annotations

import collections
import json
import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from conversion import commands, direct
from conversion.folders import open_weights
from conversion.mapping import Item, weights_of
from conversion.safetensors_file import SafetensorsFile
from conversion.torch_file import TorchFile
from conversion.weights import Weights
from melama_jax import train
from melama_jax.config import MeshConfig, ModelConfig, from_mapping, load
from melama_jax.errors import ConversionError, run_command
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.training import state
from melama_jax.training.fingerprint import leaf_name
from tests import runs
from tests.conversion import shaped, starts

MESHES = {
    "1": (1, 1, 1, 1),
    "fsdp4": (1, 4, 1, 1),
    "fsdp2-tensor2": (1, 2, 1, 2),
    "fsdp2-context2-tensor2": (1, 2, 2, 2),
    "data2-fsdp4": (2, 4, 1, 1),
}
RUN_MESHES = ("1", "fsdp2-tensor2")
SIZES = shaped.sizes(vocab_size=324, num_key_value_heads=4)
V, PADDING = 322, 2
"""Rows of the vocabulary of the runs, which a tensor axis of 4 does not divide, and what makes it so."""


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every test here."""


def build(sizes: tuple[int, ...]) -> jax.sharding.Mesh:
    config = MeshConfig(**dict(zip(meshes.MESH_AXES, sizes, strict=True)))
    return meshes.build_mesh(config, jax.devices()[: math.prod(sizes)])


# The arrays.


FOLDERS: dict[str, Any] = {
    "hf": (shaped.write_hf, {}),
    "hf-sharded": (shaped.write_hf, {"max_shard_bytes": 100_000}),
    "meta": (shaped.write_meta, {}),
    "meta-2": (shaped.write_meta, {"num_shards": 2}),
    "meta-2-llama3": (shaped.write_meta, {"num_shards": 2, "llama3": True}),
}


@pytest.fixture(scope="module", params=["float32", "bfloat16"])
def stored(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module", params=list(FOLDERS))
def folder(request: pytest.FixtureRequest, stored: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The values of `shaped` in one layout and dtype."""
    if request.param.startswith("meta"):
        pytest.importorskip("torch", reason="Meta's files need torch")
    write, options = FOLDERS[request.param]
    return write(tmp_path_factory.mktemp(request.param) / "weights", SIZES, dtype=stored, **options)


def whole_arrays(stored: str) -> dict[str, np.ndarray]:
    """What every array should hold, put together without a slice."""
    arrays = {}
    for weight in weights_of(SIZES):
        layers: Any = range(SIZES["num_hidden_layers"]) if weight.stacked else [None]
        matrices = [
            shaped.values(Item(weight, layer), weight.shape(SIZES), np.dtype(getattr(jnp, stored)), 0)
            for layer in layers
        ]
        turned = [matrix.T if weight.transposed else matrix for matrix in matrices]
        whole = np.stack(turned) if weight.stacked else turned[0]
        arrays[weight.ours] = whole.reshape(weight.our_shape(SIZES)).astype(np.float32)
    return arrays


def load_params(source: Weights, abstract: Any) -> Any:
    return direct.exchange(direct.read_params(source, abstract), abstract)


@pytest.mark.parametrize("sizes", MESHES.values(), ids=list(MESHES))
def test_every_device_gets_its_part_to_the_bit(sizes: tuple[int, ...], folder: Path, stored: str) -> None:
    expected = whole_arrays(stored)
    config = LlamaConfig.build(ModelConfig(preset=None, **SIZES))
    abstract = state.abstract_params(config, build(sizes))
    params = load_params(open_weights(folder), abstract)
    wanted = dict(flat(abstract))
    for name, array in flat(params):
        assert (array.sharding, array.dtype) == (wanted[name].sharding, np.float32)
        assert len(array.addressable_shards) == math.prod(sizes)
        for shard in array.addressable_shards:
            part = expected[name][shard.index]
            assert np.asarray(shard.data).tobytes() == part.tobytes(), f"{name} on {shard.device}"
    assert {name for name, _ in flat(params)} == wanted.keys() == expected.keys()


def flat(tree: Any) -> list[tuple[str, Any]]:
    return [(leaf_name(path), leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)]


def test_parameters_are_rounded_where_the_run_wants_fewer_bits(tmp_path: Path) -> None:
    folder = shaped.write_hf(tmp_path / "hf", SIZES)
    config = LlamaConfig.build(ModelConfig(preset=None, param_dtype="bfloat16", **SIZES))
    abstract = state.abstract_params(config, build(MESHES["fsdp2-tensor2"]))
    params = load_params(open_weights(folder), abstract)
    for name, array in flat(params):
        expected = whole_arrays("float32")[name].astype(jnp.bfloat16)
        assert np.asarray(array).tobytes() == expected.tobytes(), name


# The bytes.


class OneProcess:
    """The sharding of an array as one of several processes sees it, which owns some of the devices."""

    def __init__(self, sharding: jax.sharding.Sharding, devices: set[Any]) -> None:
        self.whole, self.addressable_devices = sharding, devices

    def addressable_devices_indices_map(self, shape: tuple[int, ...]) -> Mapping[Any, Any]:
        whole = self.whole.addressable_devices_indices_map(shape)
        return {device: index for device, index in whole.items() if device in self.addressable_devices}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> collections.Counter[str]:
    """Bytes asked of files since the test began, by key."""
    counter: collections.Counter[str] = collections.Counter()

    def count(read: Any) -> Any:
        def counted(file: Any, key: str, *slices: slice) -> np.ndarray:
            part = read(file, key, *slices)
            counter[key] += part.nbytes
            return part

        return counted

    for kind in (SafetensorsFile, TorchFile):
        monkeypatch.setattr(kind, "read", count(kind.read))
    return counter


def on_process(
    number: int,
    sizes: tuple[int, ...],
    folder: Path,
    asked: collections.Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, int]:
    """Bytes by key that one of four processes, with two devices each, asks for."""
    mesh = build(sizes)
    owned = set(mesh.devices.flatten()[2 * number : 2 * number + 2])
    abstract = state.abstract_params(LlamaConfig.build(ModelConfig(preset=None, **SIZES)), mesh)
    source = open_weights(folder)
    asked.clear()
    with monkeypatch.context() as patch:
        by_rows = direct._by_rows
        patch.setattr(direct, "_by_rows", lambda weight, wanted: OneProcess(by_rows(weight, wanted), owned))
        direct.read_params(source, abstract)
    return dict(asked)


@pytest.mark.parametrize(
    ("sizes", "copies"),
    [((1, 8, 1, 1), 1), ((1, 4, 1, 2), 1), ((1, 2, 1, 4), 1), ((1, 2, 2, 2), 2), ((2, 4, 1, 1), 2)],
    ids=["fsdp8", "fsdp4-tensor2", "fsdp2-tensor4", "fsdp2-context2-tensor2", "data2-fsdp4"],
)
@pytest.mark.parametrize("folder", ["hf-sharded", "meta-2"], indirect=True)
@pytest.mark.parametrize("stored", ["bfloat16"], indirect=True)
def test_four_processes_read_the_folder_once_between_them(
    sizes: tuple[int, ...],
    copies: int,
    folder: Path,
    asked: collections.Counter[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Matrices once for each group of processes that holds all of them, norms by everyone, nothing twice."""
    monkeypatch.setattr(jax, "make_array_from_single_device_arrays", lambda shape, sharding, shards: len(shards))
    source = open_weights(folder)
    meta = source.format == "meta"
    whole: dict[str, int] = {}
    for weight in weights_of(SIZES):
        for layer in range(SIZES["num_hidden_layers"]) if weight.stacked else [None]:
            item = Item(weight, layer)
            times = copies if weight.columns else 4
            whole[item.meta if meta else item.hf] = times * math.prod(weight.shape(SIZES)) * 2
    total: collections.Counter[str] = collections.Counter()
    for number in range(4):
        part = on_process(number, sizes, folder, asked, monkeypatch)
        assert sum(part.values()) < sum(whole.values()) / 4 * 1.01
        total.update(part)
    assert dict(total) == whole


def test_one_process_reads_what_its_devices_share_once(tmp_path: Path, asked: collections.Counter[str]) -> None:
    folder = shaped.write_hf(tmp_path / "hf", SIZES)
    config = LlamaConfig.build(ModelConfig(preset=None, **SIZES))
    source = open_weights(folder)
    asked.clear()
    load_params(source, state.abstract_params(config, build((2, 1, 2, 2))))
    header = (folder / "model.safetensors").read_bytes()[:8]
    assert sum(asked.values()) == (folder / "model.safetensors").stat().st_size - 8 - int.from_bytes(header, "little")


# The run.


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder with a tokenizer."""
    return starts.write_folder(
        tmp_path_factory.mktemp("start") / "hf", vocab_size=V, num_key_value_heads=4, rope_theta=5e5
    )


@pytest.fixture(scope="module")
def rows(start: Path, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> list[dict[str, np.ndarray]]:
    """The batches of the first two steps."""
    tree = starts.run_tree(tmp_path_factory.mktemp("rows"), start, cache_dir)
    found = starts.batches(starts.described(tree), 2)
    assert all(batch["loss_weights"].sum() > 200 for batch in found)
    return found


@pytest.fixture(scope="module")
def losses(start: Path, rows: list[dict[str, np.ndarray]]) -> list[float]:
    """Their losses by the whole model."""
    return starts.plain_losses(start, rows)


@pytest.fixture(scope="module")
def finished(start: Path, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> dict[str, Path]:
    """Run folders by mesh, made when asked for."""

    class Runs(dict[str, Path]):
        def __missing__(self, name: str) -> Path:
            self[name] = tmp_path_factory.mktemp(name) / "run"
            sizes = zip(meshes.MESH_AXES, MESHES[name], strict=True)
            overrides = [f"init.from={start}", *(f"mesh.{axis}={size}" for axis, size in sizes)]
            tree = starts.run_tree(self[name], start, cache_dir)
            del tree["init"]
            assert starts.run(tree, *overrides, devices=math.prod(MESHES[name])) == 0
            return self[name]

    return Runs()


@pytest.mark.parametrize("name", RUN_MESHES)
def test_the_first_loss_is_that_of_the_whole_model(name: str, finished: dict[str, Path], losses: list[float]) -> None:
    assert runs.losses(finished[name]) == [(1, pytest.approx(losses[0], rel=1e-5))]


def test_the_first_loss_is_that_of_transformers(
    start: Path, finished: dict[str, Path], padded: dict[str, Any], rows: list[dict[str, np.ndarray]]
) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(start, dtype=torch.float32, attn_implementation="eager")
    with torch.no_grad():
        logits = model(torch.from_numpy(rows[0]["inputs"]).long()).logits
        targets = torch.from_numpy(rows[0]["targets"]).long()
        each = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none").numpy()
    expected = (each * rows[0]["loss_weights"]).sum() / rows[0]["loss_weights"].sum()
    for run_dir in (*(finished[name] for name in RUN_MESHES), Path(padded["run"]["dir"])):
        [(_, loss)] = runs.losses(run_dir)
        print(f"{abs(loss - expected) / expected:.2e}")
        assert loss == pytest.approx(expected, rel=1e-5)


def test_the_sizes_and_the_vocabulary_are_those_of_the_folder(start: Path, finished: dict[str, Path]) -> None:
    config = load(finished[RUN_MESHES[0]] / "config.yaml")
    sizes = shaped.sizes(vocab_size=V, num_key_value_heads=4, rope_theta=5e5)
    assert {key: value for key, value in config.model.model_dump().items() if key in sizes} == sizes
    assert (config.model.preset, config.model.vocab_padding) == (None, 0)
    assert config.data.vocabulary == str(start / "tokenizer.model")


@pytest.fixture(scope="module")
def padded(start: Path, tmp_path_factory: pytest.TempPathFactory, cache_dir: Path) -> dict[str, Any]:
    """A finished run on eight devices, whose tensor axis does not divide the vocabulary without its padding."""
    model = {"compute_dtype": "float32", "vocab_size": V + PADDING, "vocab_padding": PADDING}
    mesh = {"data": 1, "fsdp": 2, "context": 1, "tensor": 4}
    tree = starts.run_tree(tmp_path_factory.mktemp("padded") / "run", start, cache_dir, model=model, mesh=mesh)
    assert starts.run(tree) == 0
    return tree


def test_padding_of_the_vocabulary_starts_with_the_same_loss(padded: dict[str, Any], losses: list[float]) -> None:
    assert runs.losses(Path(padded["run"]["dir"])) == [(1, pytest.approx(losses[0], rel=1e-5))]


def test_a_checkpoint_with_padding_is_exported_without(padded: dict[str, Any], start: Path, tmp_path: Path) -> None:
    run_dir = Path(padded["run"]["dir"])
    commands.export_weights(run_dir, tmp_path / "hf", format="hf", echo=lambda text: None)
    assert json.loads((tmp_path / "hf" / "config.json").read_text())["vocab_size"] == V
    tensors = SafetensorsFile(tmp_path / "hf" / "model.safetensors").tensors
    assert tensors["model.embed_tokens.weight"].shape == tensors["lm_head.weight"].shape == (V, 64)
    # The learning rate is zero, so they are still the weights that the run started from.
    assert commands.verify(start, tmp_path / "hf", echo=lambda text: None)
    meta = json.loads((run_dir / "checkpoints" / "1" / "meta" / "metadata").read_text())
    assert (meta["config"]["model"]["vocab_size"], meta["config"]["model"]["vocab_padding"]) == (V + PADDING, PADDING)


def test_a_run_with_padding_resumes(
    padded: dict[str, Any], losses: list[float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = padded | {"run": {"dir": str(tmp_path / "run")}, "train": padded["train"] | {"steps": 2}}
    shutil.copytree(padded["run"]["dir"], tree["run"]["dir"])
    assert starts.run(tree) == 0
    said = capsys.readouterr().out
    assert f"resumed from {tmp_path / 'run' / 'checkpoints' / '1'}" in said
    assert "parameters from" not in said
    assert runs.losses(tmp_path / "run") == [(s, pytest.approx(x, rel=1e-5)) for s, x in enumerate(losses, 1)]


# What cannot work.


def break_shard(folder: Path) -> str:
    """A file that the index names is gone."""
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    names = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    return "names model-00002-of-00002.safetensors, which is missing"


def break_sizes(folder: Path) -> str:
    """A description of another model than the tensors'."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"intermediate_size": 128}))
    return "mlp.gate_proj.weight has shape (176, 64), but the model description asks for (128, 64)"


def break_key(folder: Path) -> str:
    """A layer more in the description than in the file."""
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"num_hidden_layers": 3}))
    return "9 weights are missing: model.layers.2."


def break_end(folder: Path) -> str:
    """A copy that was interrupted."""
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    return "no whole safetensors file"


@pytest.mark.parametrize("damage", [break_shard, break_sizes, break_key, break_end], ids=lambda damage: damage.__name__)
def test_damaged_weights_end_the_command_with_one_line(
    damage: Any, start: Path, tmp_path: Path, cache_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(shutil.copytree(start, tmp_path / "hf"))
    message = damage(folder)
    tree = starts.run_tree(tmp_path / "run", folder, cache_dir)
    with pytest.raises(SystemExit) as ended:
        run_command(lambda: starts.run(tree))
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"error: init.from: {folder}")
    assert message in said
    assert not (tmp_path / "run" / "checkpoints" / "1").exists()


def test_values_that_are_not_finite_are_refused_by_name(start: Path, tmp_path: Path) -> None:
    """See tests/multiprocess for the command's end."""
    folder = Path(shutil.copytree(start, tmp_path / "hf"))
    starts.put_nan(folder, "model.layers.1.mlp.up_proj.weight")
    with pytest.raises(ConversionError, match="layers/mlp/up, layer 1 holds 1 values that are NaN or infinite") as seen:
        starts.load(folder)
    assert str(folder) in str(seen.value)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"preset": "small-20m"}, f"has vocab_size {V}, but model.vocab_size is 32000"),
        ({"hidden_size": 128}, "has hidden_size 64, but model.hidden_size is 128"),
        ({"vocab_size": V + PADDING}, f"has vocab_size {V}, but model.vocab_size is {V + PADDING}"),
        ({"tie_word_embeddings": True}, "has tie_word_embeddings False, but model.tie_word_embeddings is True"),
    ],
    ids=["preset", "width", "vocabulary", "tied"],
)
def test_weights_of_another_model_are_refused_by_key(
    section: dict[str, Any], message: str, start: Path, tmp_path: Path, cache_dir: Path
) -> None:
    tree = starts.run_tree(tmp_path / "run", start, cache_dir, model={"compute_dtype": "float32", **section})
    with pytest.raises(ConversionError) as refused:
        starts.run(tree)
    assert message in str(refused.value)
    assert str(start) in str(refused.value)
    assert "set model.preset to auto" in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_other_rotary_positions_than_the_weights_have_are_allowed_and_listed(
    start: Path, tmp_path: Path, cache_dir: Path
) -> None:
    tree = starts.run_tree(tmp_path / "run", start, cache_dir, model={"rope_theta": 1e6, "compute_dtype": "float32"})
    config = from_mapping({**tree, "model": SIZES | {"vocab_size": V} | tree["model"]})
    said: list[str] = []
    train.check_initial(config, state.abstract_state(config, build(MESHES["1"])).params, said.append)
    assert said == ["init.from has model.rope_theta 500000.0; this run has 1000000.0"]


def test_rows_are_read_whole_where_the_devices_divide_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece of every row would have the disk read all of them; only key/value heads are too few for eight devices."""
    folder = shaped.write_hf(tmp_path / "hf", SIZES)
    source = open_weights(folder)
    cut: set[str] = set()
    read = type(source).read

    def watched(self: Any, item: Item, rows: slice = slice(None), columns: slice = slice(None)) -> np.ndarray:
        width = (*item.weight.shape(SIZES), 1)[1]
        if len(range(*columns.indices(width))) != width:
            cut.add(item.weight.ours)
        return read(self, item, rows, columns)

    monkeypatch.setattr(type(source), "read", watched)
    abstract = state.abstract_params(LlamaConfig.build(ModelConfig(preset=None, **SIZES)), build((1, 8, 1, 1)))
    load_params(source, abstract)
    few = {f"layers/attention/{name}" for name in ("key", "value") if SIZES["num_key_value_heads"] % 8}
    few |= {"layers/attention/query"} if SIZES["num_attention_heads"] % 8 else set()
    few |= {w.ours for w in weights_of(SIZES) if w.columns and w.rows == ("mlp",) and SIZES["intermediate_size"] % 8}
    few |= {w.ours for w in weights_of(SIZES) if w.rows == ("vocab",) and SIZES["vocab_size"] % 8}
    assert cut == few
