"""Any folder of weights opens as the same model, on any mesh, with the tokenizer and the habits that belong to it."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import qwix

from conversion import commands, serving
from conversion.serving import ServedModel, open_model
from conversion.tokenizers import write_hf_tokenizer
from melama_jax.config import MeshConfig, from_mapping
from melama_jax.errors import ConfigError, ConversionError, DataError, MeshError
from melama_jax.model import llama
from melama_jax.parallel import mesh as meshes
from melama_jax.training import state
from melama_jax.training.checkpoint import Checkpointer
from tests.conversion import shaped, starts
from tests.data.corpora import train_vocabulary, write_tokenizer_json

ONE = {"fsdp": 1}
MESHES = {"1": ONE, "fsdp2-tensor2": {"fsdp": 2, "tensor": 2}, "data2-tensor4": {"data": 2, "fsdp": 1, "tensor": 4}}
TOKENS = np.array([[1, 7, 300, 12, 5, 40, 41, 2]] * 4)


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every test here."""


@pytest.fixture(scope="module")
def hf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """322 tokens, which a tensor axis of 4 does not divide, in float32."""
    return starts.write_folder(tmp_path_factory.mktemp("served") / "hf", vocab_size=322, num_key_value_heads=4)


def opened(path: Path, mesh: dict[str, int] | None = None, **options: Any) -> ServedModel:
    """On the first devices of a mesh that sets every size."""
    config = MeshConfig(**(mesh or ONE))
    shown = jax.devices()[: math.prod(getattr(config, axis) for axis in meshes.MESH_AXES)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "devices", lambda *backend: shown)
        return open_model(path, config, **options)


def logits(served: ServedModel) -> np.ndarray:
    with jax.set_mesh(served.mesh):
        run = jax.jit(
            lambda params: llama.logits(
                served.model, params, llama.forward(served.model, params, jax.numpy.asarray(TOKENS))
            )
        )
        return np.asarray(run(served.params))[..., : served.model.num_tokens]


@pytest.mark.parametrize("mesh", MESHES.values(), ids=list(MESHES))
def test_the_model_is_the_same_on_every_mesh(hf: Path, mesh: dict[str, int]) -> None:
    served = opened(hf, mesh)
    np.testing.assert_allclose(logits(served), starts.logits(starts.load(hf), TOKENS), atol=2e-5)
    assert served.params["layers"]["mlp"]["gate"].sharding.mesh == served.mesh
    assert (served.model.num_tokens, served.model.vocab_size % mesh.get("tensor", 1)) == (322, 0)


def save_run(folder: Path, hf: Path) -> None:
    """What a training run that starts from a folder leaves behind at step 1."""
    config = from_mapping({**starts.direct.describe_initial(str(hf)), "init": {"from": str(hf)}})
    folder.mkdir()
    starts.direct.remember_initial(config, folder)
    mesh = meshes.build_mesh(MeshConfig(), jax.devices()[:1])
    checkpointer = Checkpointer(folder / "checkpoints", config.checkpoint)
    tree = config.model_dump(mode="json", by_alias=True)
    trained = state.initialize_state(config, mesh, starts.load(hf).params)
    checkpointer.save(trained, step=1, config=tree, data={})
    checkpointer.close()


def test_every_format_gives_the_same_parameters_and_fingerprint(hf: Path, tmp_path: Path) -> None:
    commands.import_weights(hf, tmp_path / "imported", echo=lambda text: None)
    save_run(tmp_path / "run", hf)
    folders = [hf, tmp_path / "imported", tmp_path / "run", tmp_path / "run/checkpoints/1"]
    found = [opened(folder) for folder in folders]
    assert len({served.description["fingerprint"] for served in found}) == 1
    assert [s.description["format"] for s in found] == ["hf", "checkpoint", "checkpoint", "checkpoint"]
    assert [s.description["step"] for s in found] == [None, 0, 1, 1]
    assert len({served.vocabulary.sha256 for served in found}) == 1
    # Meta's code puts BOS in front; the run's own documents had none.
    assert [s.add_bos for s in found] == [True, True, False, False]
    assert found[0].max_length == shaped.sizes()["max_position_embeddings"]
    starts.put_nan(Path(shutil.copytree(hf, tmp_path / "nan")), "model.embed_tokens.weight")
    with pytest.raises(ConversionError, match="NaN or infinite"):
        opened(tmp_path / "nan")


def test_the_trained_stories_open_from_meta_and_hugging_face(stories: Callable[[str], Path], torch: Any) -> None:
    found = [opened(stories(layout)) for layout in ("hf", "meta", "meta-mp2")]
    # Meta writes the tied head out.
    np.testing.assert_allclose(logits(found[0]), logits(found[1]), atol=1e-4)
    assert found[1].description["fingerprint"] == found[2].description["fingerprint"]


@pytest.mark.parametrize(
    ("stored", "dtype", "expected"),
    [
        ("float32", "auto", "float32"),
        ("bfloat16", "auto", "bfloat16"),
        ("float16", "auto", "float32"),
        ("float32", "bfloat16", "bfloat16"),
        ("bfloat16", "float32", "float32"),
    ],
)
def test_the_dtype_is_the_stored_one_or_the_one_asked_for(
    tmp_path: Path, stored: str, dtype: serving.Dtype, expected: str
) -> None:
    folder = shaped.write_hf(tmp_path / "hf", shaped.sizes(vocab_size=320), dtype=stored)
    train_vocabulary(folder / "tokenizer.model")
    served = opened(folder, dtype=dtype)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(served.params)} == {expected}
    assert (served.model.compute_dtype, served.description["dtype"]) == (expected, expected)
    assert expected in serving.summary(served.description)


def test_int8_keeps_the_layers_matrices_in_8_bits(hf: Path) -> None:
    whole, small = opened(hf), opened(hf, MESHES["fsdp2-tensor2"], quantization="int8")
    assert small.description["fingerprint"] == whole.description["fingerprint"]
    gate = small.params["layers"]["mlp"]["gate"]
    assert isinstance(gate, qwix.QArray)
    assert gate.qvalue.dtype == np.int8
    assert gate.qvalue.sharding.shard_shape(gate.shape) == (2, gate.shape[1] // 2, gate.shape[2] // 2)
    np.testing.assert_allclose(qwix.dequantize(gate), whole.params["layers"]["mlp"]["gate"], atol=3e-3)
    assert small.params["embedding"].dtype == np.float32


def with_tokenizer(tmp_path: Path, name: str = "hf", **settings: Any) -> Path:
    """A Hugging Face folder with all files of a tokenizer, and settings of its config."""
    folder = shaped.write_hf(tmp_path / name, shaped.sizes(vocab_size=320))
    write_hf_tokenizer(train_vocabulary(tmp_path / "tokenizer.model"), folder)
    config = folder / "tokenizer_config.json"
    tree = {key: value for key, value in (json.loads(config.read_text()) | settings).items() if value is not None}
    config.write_text(json.dumps(tree))
    return folder


@pytest.mark.parametrize(("declared", "expected"), [(True, True), (False, False), (None, True)])
def test_bos_is_put_as_the_tokenizer_declares_it(tmp_path: Path, declared: bool | None, expected: bool) -> None:
    assert opened(with_tokenizer(tmp_path, add_bos_token=declared)).add_bos is expected


def test_the_template_and_further_end_tokens_come_along(tmp_path: Path) -> None:
    folder = with_tokenizer(tmp_path, chat_template="{{ messages[0].content }}")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 5]}))
    served = opened(folder)
    assert served.chat_template == "{{ messages[0].content }}"
    assert served.stop_tokens == (5,)
    own, named = served.template(), served.template("me_llama")
    assert own is not None
    assert own.encode([{"role": "user", "content": "dose"}], served.vocabulary) == served.vocabulary.encode("dose")
    assert named is not None
    assert named.name.endswith("me_llama.jinja")
    commands.import_weights(folder, tmp_path / "imported", echo=lambda text: None)
    assert opened(tmp_path / "imported").chat_template == "{{ messages[0].content }}"
    assert opened(tmp_path / "imported").stop_tokens == (5,)


def test_a_missing_or_foreign_tokenizer_is_told_with_the_way_out(hf: Path, tmp_path: Path) -> None:
    bare = shaped.write_hf(tmp_path / "bare", shaped.sizes(vocab_size=300))
    with pytest.raises(ConfigError, match="bare: has no tokenizer; give the model's own with --tokenizer"):
        opened(bare)
    with pytest.raises(ConfigError, match=r"has 300 tokens, but the tokenizer .* has 320; give the model's own"):
        opened(bare, tokenizer=hf)
    with pytest.raises(DataError, match=r"^tokenizer: .*config\.json is no tokenizer|^tokenizer: .*is no tokenizer"):
        opened(bare, tokenizer=hf / "config.json")
    (tmp_path / "llama3").mkdir()
    assert opened(bare, tokenizer=write_tokenizer_json(tmp_path / "llama3")).vocabulary.vocab_size == 261


def test_control_tokens_beyond_the_models_rows_are_no_obstacle(tmp_path: Path) -> None:
    folder = shaped.write_hf(tmp_path / "hf", shaped.sizes(vocab_size=258))  # BOS, EOS and <|eot_id|> are 258 to 260
    write_tokenizer_json(folder)
    assert opened(folder).vocabulary.vocab_size == 261


def test_without_a_mesh_the_devices_go_to_tensor_as_far_as_heads_divide() -> None:
    sizes = {"num_key_value_heads": 4, "num_attention_heads": 8, "intermediate_size": 172}
    chosen = [serving._default_mesh(sizes, devices) for devices in (1, 4, 8, 3)]
    assert [(c.data, c.fsdp, c.tensor) for c in chosen] == [(1, 1, 1), (1, 1, 4), (2, 1, 4), (3, 1, 1)]


def test_a_mesh_that_does_not_fit_is_refused(hf: Path) -> None:
    with pytest.raises(MeshError, match="is not divisible by"):
        opened(hf, {"fsdp": 1, "tensor": 8})
