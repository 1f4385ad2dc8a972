"""What a checkpoint says through an exported folder: transformers and Meta's layout compute what we compute.

Our side never passes the conversion: parameters are drawn in our tree, saved as training saves them, and run from it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from conversion import commands
from conversion.checkpoint import from_ours
from conversion.mapping import items
from melama_jax.config import CheckpointConfig, Config, MeshConfig, from_mapping
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.training import checkpoint, state, step
from tests.conversion import starts
from tests.conversion.meta_reference import Reference

LLAMA2: dict[str, Any] = {"rope_theta": 1e4}
LLAMA3: dict[str, Any] = {"rope_theta": 5e5}
SCALING = {"factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 64}
LLAMA31: dict[str, Any] = LLAMA3 | {"rope_scaling": SCALING}
META_LLAMA31: dict[str, Any] = LLAMA3 | {"rope_scaling": SCALING | {"original_max_position_embeddings": 8192}}
MHA, GQA = {"num_key_value_heads": 8}, {"num_key_value_heads": 4}
TIED = {"tie_word_embeddings": True}
PADDED = {"vocab_size": 264, "vocab_padding": 4}
LENGTHS = range(4, 164, 8)
"""Of the prompts; most are longer than the original context of `SCALING`."""
EXACT = 1e-5


class Trained(NamedTuple):
    """A checkpoint as training leaves it, and the same parameters on one device."""

    folder: Path
    config: Config
    params: dict[str, Any]


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every test here."""


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], Trained]:
    """Makes a checkpoint of random parameters on a mesh of eight, once for each set of changed sizes."""
    made: dict[str, Trained] = {}

    def make(changes: dict[str, Any]) -> Trained:
        name = repr(sorted(changes.items()))
        if name not in made:
            made[name] = _train(changes, tmp_path_factory.mktemp("trained"))
        return made[name]

    return make


def _train(changes: dict[str, Any], folder: Path) -> Trained:
    config = from_mapping(
        {
            "model": {
                "preset": "tiny",
                "compute_dtype": "float32",
                "hidden_size": 64,
                "num_attention_heads": 8,
                "vocab_size": 260,
                **changes,
            },
            "mesh": {"fsdp": 2, "context": 2, "tensor": 2},
            "data": {"vocabulary": "nowhere"},  # tokenizers have their own tests
            "train": {"global_batch_size": 2, "sequence_length": 96, "remat": "none"},
        }
    )
    rng, mesh = np.random.default_rng(0), meshes.build_mesh(config.mesh)

    def draw(path: Any, leaf: jax.ShapeDtypeStruct) -> jax.Array:
        norm = jax.tree_util.keystr(path).endswith("norm']")
        values = rng.uniform(0.5, 1.5, leaf.shape) if norm else 0.2 * rng.standard_normal(leaf.shape)
        return jax.device_put(values.astype(np.float32), leaf.sharding)

    params = jax.tree_util.tree_map_with_path(draw, state.abstract_params(LlamaConfig.build(config.model), mesh))
    alone = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf)), params)
    checkpointer = checkpoint.Checkpointer(folder / "checkpoints", CheckpointConfig())
    tree = config.model_dump(mode="json", by_alias=True)
    zero = jnp.zeros((), jnp.int32)
    train_state = state.TrainState(zero, params, {"mu": zero}, jax.random.key_data(jax.random.key(0)), zero, zero, zero)
    checkpointer.save(train_state, step=1, config=tree, data={})
    checkpointer.close()
    return Trained(folder, config, alone)


@functools.cache
def prompts() -> np.ndarray:
    """Random tokens [20, 160]; prompt i is the first `LENGTHS[i]` of row i."""
    return np.random.default_rng(0).integers(0, 260, (len(LENGTHS), max(LENGTHS)))


def our_logits(trained: Trained) -> np.ndarray:
    return starts.logits(starts.Loaded(LlamaConfig.build(trained.config.model), trained.params), prompts())


def assert_close(found: np.ndarray, expected: np.ndarray, tolerance: float, name: str = "") -> None:
    """Within a share of the largest value."""
    largest = float(np.abs(expected).max())
    difference = float(np.abs(found - expected).max())
    print(f"{name or 'logits'}: {difference / largest:.2e}")
    assert difference <= tolerance * largest, f"{name} differs by {difference / largest:.2e} of its largest value"


def export(trained: Trained, folder: Path, **options: Any) -> Path:
    commands.export_weights(trained.folder, folder, echo=lambda text: None, **options)
    return folder


def open_strictly(folder: Path) -> Any:
    """A folder in transformers, in float32; every key found its place and every place its key."""
    import torch  # pyright: ignore[reportMissingImports]
    import transformers  # pyright: ignore[reportMissingImports]

    opened: Any = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    model, info = opened
    assert {key: list(value) for key, value in info.items() if value} == {}
    assert {"missing_keys", "unexpected_keys", "mismatched_keys"} <= info.keys()
    return model.eval()


HF_CASES = {
    "llama2-mha": (LLAMA2 | MHA, {}),
    "llama2-gqa-tied-sharded": (LLAMA2 | GQA | TIED, {"max_shard_bytes": 100_000}),
    "llama3-mha-tied-padded": (LLAMA3 | MHA | TIED | PADDED, {}),
    "llama3-gqa": (LLAMA3 | GQA, {}),
    "llama3.1-mha-padded-sharded": (LLAMA31 | MHA | PADDED, {"max_shard_bytes": 100_000}),
    "llama3.1-gqa-tied": (LLAMA31 | GQA | TIED, {}),
}


@pytest.fixture(scope="module", params=HF_CASES.values(), ids=list(HF_CASES))
def exported(
    request: pytest.FixtureRequest, train: Callable[[dict[str, Any]], Trained], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Trained, Any]:
    """A checkpoint, and transformers' model of the folder that it was exported to."""
    pytest.importorskip("transformers")
    changes, options = request.param
    trained = train(changes)
    folder = export(trained, tmp_path_factory.mktemp("exported") / "hf", format="hf", **options)
    assert (len(list(folder.glob("*.safetensors"))) > 1) == bool(options)
    return trained, open_strictly(folder)


def test_transformers_computes_our_logits(exported: tuple[Trained, Any]) -> None:
    torch = pytest.importorskip("torch")
    trained, theirs = exported
    found = our_logits(trained)
    for row, logits, length in zip(prompts(), found, LENGTHS, strict=True):
        with torch.no_grad():
            expected = theirs(torch.from_numpy(row[None, :length])).logits[0].numpy()
        assert expected.shape == (length, 260)
        assert np.abs(expected).max() > 3  # logits large enough for the tolerance to mean something
        assert_close(logits[:length], expected, EXACT)


def test_transformers_computes_our_gradients(exported: tuple[Trained, Any]) -> None:
    torch = pytest.importorskip("torch")
    trained, theirs = exported
    random = np.random.default_rng(1)
    tokens = random.integers(0, 260, (2, 97))
    weights = (random.random((2, 96)) > 0.1).astype(np.float32)
    grads, loss = our_gradients(trained, tokens, weights)
    theirs.zero_grad()
    logits = theirs(torch.from_numpy(tokens[:, :-1])).logits.flatten(0, 1)
    each = torch.nn.functional.cross_entropy(logits, torch.from_numpy(tokens[:, 1:].flatten()), reduction="none")
    expected_loss = (each * torch.from_numpy(weights.flatten())).sum() / weights.sum()
    expected_loss.backward()
    assert loss == pytest.approx(expected_loss.item(), rel=EXACT)
    sizes = trained.config.model.model_dump()
    expected = {name: parameter.grad.numpy() for name, parameter in theirs.named_parameters()}
    for item in items(sizes):
        ours: Any = functools.reduce(lambda tree, key: tree[key], item.weight.ours.split("/"), grads)
        ours = from_ours(item.weight, sizes, np.asarray(ours if item.layer is None else ours[item.layer]))
        if "vocab" in item.weight.rows:
            assert (ours[260:] == 0).all()  # the padding's
            ours = ours[:260]
        assert_close(ours, expected.pop(item.hf), 1e-4, item.hf)
    assert expected == {}


def our_gradients(trained: Trained, tokens: np.ndarray, weights: np.ndarray) -> tuple[Any, float]:
    """By the training step's own loss, on one device."""
    config = trained.config
    mesh = meshes.build_mesh(MeshConfig(), jax.devices()[:1])
    batch = {
        "inputs": tokens[None, :, :-1],
        "targets": tokens[None, :, 1:],
        "loss_weights": weights[None],
        "positions": np.broadcast_to(np.arange(96), (1, 2, 96)),
    }
    placed = {
        key: jax.device_put(batch[key].astype(leaf.dtype), leaf.sharding)
        for key, leaf in step.abstract_batch(config, mesh).items()
    }
    with jax.set_mesh(mesh):
        grads, sums = jax.jit(functools.partial(step.gradients, config))(trained.params, placed)
    return grads, float(sums.total / sums.weight)


def test_a_folder_in_bfloat16_opens_as_the_rounded_model(
    train: Callable[[dict[str, Any]], Trained], tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    trained = train(LLAMA3 | GQA)
    theirs = open_strictly(export(trained, tmp_path / "hf", format="hf", dtype="bfloat16"))
    rounded = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16).astype(jnp.float32), trained.params)
    found = our_logits(trained._replace(params=rounded))
    with torch.no_grad():
        assert_close(found, theirs(torch.from_numpy(prompts())).logits.numpy(), EXACT)


META_CASES = {
    "llama2-mha": (LLAMA2 | MHA, 2),
    "llama2-gqa-tied": (LLAMA2 | GQA | TIED, 2),
    "llama3-gqa": (LLAMA3 | GQA, 3),
    "llama3-mha-tied-padded": (LLAMA3 | MHA | TIED | PADDED, 3),
    "llama3.1-mha": (META_LLAMA31 | MHA, 3),
}


@pytest.mark.parametrize("num_shards", [1, 2, 4])
@pytest.mark.parametrize("case", META_CASES)
def test_the_layout_of_meta_computes_our_logits(
    case: str, num_shards: int, train: Callable[[dict[str, Any]], Trained], tmp_path: Path, torch: Any
) -> None:
    changes, version = META_CASES[case]
    trained = train(changes)
    folder = export(trained, tmp_path / "meta", format="meta", num_shards=num_shards)
    assert len(list(folder.glob("*.pth"))) == num_shards
    expected = Reference(torch, folder, llama3=version == 3).logits(torch.from_numpy(prompts())).numpy()
    assert_close(our_logits(trained), expected, EXACT)


@pytest.mark.parametrize("layout", ["meta", "meta-mp2"])
def test_a_real_folder_of_meta_as_it_is(layout: str, stories: Callable[[str], Path], torch: Any) -> None:
    folder = stories(layout)
    tokens = np.random.default_rng(0).integers(0, 512, (4, 128))
    expected = Reference(torch, folder).logits(torch.from_numpy(tokens)).numpy()
    assert_close(starts.logits(starts.load(folder), tokens), expected, EXACT)
