"""Adapters in and out of our checkpoints, merged on disk and on devices, against sums that share no code with them."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import qwix
import safetensors.numpy

from conversion import card, direct
from conversion.__main__ import main
from conversion.adapter import Merged
from conversion.serving import summary
from melama_jax.errors import ConversionError
from tests.conversion import adapters, starts
from tests.conversion.test_serving import MESHES, TOKENS, logits, opened

Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every test here."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command; its exit status and what it prints."""
    monkeypatch.setenv("COLUMNS", "400")

    def run(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return status, capsys.readouterr().out

    return run


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return starts.write_folder(tmp_path_factory.mktemp("base") / "base", vocab_size=322, num_key_value_heads=4)


@pytest.fixture(scope="module")
def peft(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return adapters.write_peft(tmp_path_factory.mktemp("peft") / "adapter", base)


@pytest.fixture(scope="module")
def trained(base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, Any]:
    """A run of an adapter, its configuration and its factors."""
    folder, config = tmp_path_factory.mktemp("run") / "run", adapters.run_config(base)
    return folder, config, adapters.save_run(folder, config)


@pytest.fixture(scope="module")
def imported(peft: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("imported") / "imported"
    assert main(["import", "--source", str(peft), "--base", str(base), "--output", str(output)]) == 0
    return output


@pytest.mark.parametrize("format", ["hf", "ours"])
def test_another_base_is_refused_whatever_is_written_and_however_it_is_padded(
    format: str, base: Path, trained: tuple[Path, Any, Any], tmp_path: Path, run: Run
) -> None:
    other = Path(shutil.copytree(base, tmp_path / "other"))
    starts.put_last(other, "model.layers.1.mlp.up_proj.weight", 2.0)
    padded = tmp_path / "padded"
    assert run("import", "--source", other, "--vocab-multiple", "128", "--output", padded)[0] == 0
    output = tmp_path / "merged"
    with pytest.raises(ConversionError, match=r"is not the base that .* was trained beside"):
        run("merge", "--adapter", trained[0], "--base", padded, "--format", format, "--output", output)
    assert not output.exists()


def test_a_padded_base_is_merged_in_float32_and_keeps_its_padding(
    base: Path, trained: tuple[Path, Any, Any], tmp_path: Path, run: Run
) -> None:
    padded, output = tmp_path / "padded", tmp_path / "merged"
    assert run("import", "--source", base, "--vocab-multiple", "128", "--output", padded)[0] == 0
    asked = ("--base", padded, "--format", "ours", "--check", "--output", output)
    assert run("merge", "--adapter", trained[0], *asked)[0] == 0
    assert opened(output).model.vocab_size == 384
    np.testing.assert_allclose(logits(opened(output)), logits(opened(trained[0])), atol=1e-5)


def test_verify_compares_the_base_with_its_fingerprint(base: Path, peft: Path, tmp_path: Path, run: Run) -> None:
    moved = Path(shutil.copytree(base, tmp_path / "base"))
    imported = tmp_path / "imported"
    assert run("import", "--source", peft, "--base", moved, "--output", imported)[0] == 0
    assert run("verify", imported, peft)[0] == 0
    whole = adapters.write_merged(tmp_path / "whole", base, peft)
    starts.put_last(moved, "model.layers.1.mlp.up_proj.weight", 2.0)
    with pytest.raises(ConversionError, match=r"is not the base that .* was trained beside"):
        run("verify", imported, whole)


# Serving.


@pytest.mark.parametrize("settings", [{}, {"use_rslora": True, "r": 6, "lora_alpha": 3}], ids=["lora", "rslora"])
def test_a_peft_folder_is_served_as_the_sum_of_base_and_product(
    base: Path, tmp_path: Path, settings: dict[str, Any]
) -> None:
    folder = adapters.write_peft(tmp_path / "adapter", base, **settings)
    whole = opened(adapters.write_merged(tmp_path / "whole", base, folder))
    served = opened(folder)
    np.testing.assert_allclose(logits(served), logits(whole), atol=1e-5)
    assert np.abs(logits(served) - logits(opened(base))).max() > 0.1
    assert served.vocabulary.sha256 == whole.vocabulary.sha256


@pytest.mark.parametrize("targets", [("query", "value"), ("out", "down"), ("key",)])
def test_some_matrices_alone_are_adapted(base: Path, tmp_path: Path, targets: tuple[str, ...]) -> None:
    folder = adapters.write_peft(tmp_path / "adapter", base, targets)
    whole = opened(adapters.write_merged(tmp_path / "whole", base, folder))
    served = opened(folder)
    np.testing.assert_allclose(logits(served), logits(whole), atol=1e-5)
    assert served.description["adapter"]["targets"] == list(targets)


def test_a_run_is_served_as_its_training_step_computes(trained: tuple[Path, Any, Any], base: Path) -> None:
    folder, config, factors = trained
    served = opened(folder)
    expected = adapters.unmerged_logits(base, config, factors, TOKENS)
    np.testing.assert_allclose(logits(served), expected, atol=1e-5)
    described = served.description
    assert (described["format"], described["step"]) == ("checkpoint", 2)
    assert described["base"] == {"folder": "base", "fingerprint": opened(base).description["fingerprint"]}
    assert described["adapter"]["rank"] == 4
    line = summary(described)
    assert f"adapter {described['adapter']['fingerprint'][:12]} of rank 4 merged into base" in line
    assert described["base"]["fingerprint"][:12] in line
    # As the run's documents had it.
    assert (served.add_bos, opened(base).add_bos) == (False, True)


@pytest.mark.parametrize("mesh", MESHES.values(), ids=list(MESHES))
def test_the_merged_model_is_the_same_on_every_mesh(
    trained: tuple[Path, Any, Any], base: Path, mesh: dict[str, int]
) -> None:
    folder, config, factors = trained
    served = opened(folder, mesh)
    np.testing.assert_allclose(logits(served), adapters.unmerged_logits(base, config, factors, TOKENS), atol=2e-5)
    assert served.description["fingerprint"] == opened(folder).description["fingerprint"]
    gate = served.params["layers"]["mlp"]["gate"]
    assert gate.sharding.mesh == served.mesh
    assert gate.sharding.shard_shape(gate.shape)[2] == gate.shape[2] // mesh.get("tensor", 1)


def test_every_format_of_an_adapter_has_the_same_fingerprints(peft: Path, imported: Path, base: Path) -> None:
    found = [opened(folder).description for folder in (peft, imported)]
    assert found[0]["fingerprint"] == found[1]["fingerprint"]
    assert found[0]["adapter"] == found[1]["adapter"]
    assert [one["format"] for one in found] == ["peft", "checkpoint"]
    assert found[0]["fingerprint"] != opened(base).description["fingerprint"]


def test_int8_comes_after_merging(peft: Path, base: Path, tmp_path: Path) -> None:
    whole = opened(adapters.write_merged(tmp_path / "whole", base, peft))
    served = opened(peft, quantization="int8")
    gate = served.params["layers"]["mlp"]["gate"]
    assert isinstance(gate, qwix.QArray)
    scale = float(np.abs(whole.params["layers"]["mlp"]["gate"]).max())
    np.testing.assert_allclose(qwix.dequantize(gate), whole.params["layers"]["mlp"]["gate"], atol=scale / 127)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_the_base_of_another_base_dtype_is_recognized(base: Path, tmp_path: Path, dtype: Any) -> None:
    frozen = {"float32": "bfloat16", "bfloat16": "float32"}[dtype]
    config = adapters.run_config(base, {"base_dtype": frozen, "targets": ["value"]})
    adapters.save_run(tmp_path / "run", config)
    served = opened(tmp_path / "run", dtype=dtype)
    assert {str(leaf.dtype) for leaf in jax.tree.leaves(served.params)} == {dtype}
    assert served.description["base"]["fingerprint"] == opened(base, dtype=dtype).description["fingerprint"]


def test_a_base_that_moved_changed_or_is_another_is_told(
    trained: tuple[Path, Any, Any], base: Path, tmp_path: Path
) -> None:
    run, original = shutil.copytree(trained[0], tmp_path / "run"), opened(trained[0]).description
    wanted = original["base"]["fingerprint"][:12]
    meta = run / "checkpoints" / "2" / "meta" / "metadata"
    tree = json.loads(meta.read_text())
    tree["base"]["from"] = str(tmp_path / "gone")
    meta.write_text(json.dumps(tree))
    with pytest.raises(ConversionError, match=rf"its base \S*gone \(weights with fingerprint {wanted}\) is not here"):
        opened(run)
    moved = opened(run, base=base)
    assert moved.description["fingerprint"] == original["fingerprint"]
    changed = shutil.copytree(base, tmp_path / "changed")
    tensors = safetensors.numpy.load_file(changed / "model.safetensors")
    tensors["model.norm.weight"] = tensors["model.norm.weight"] * 1.5
    safetensors.numpy.save_file(tensors, changed / "model.safetensors")
    says = rf"changed: is not the base that \S* was trained beside \(fingerprint \w+, expected {wanted}"
    with pytest.raises(ConversionError, match=says):
        opened(run, base=changed)
    with pytest.raises(ConversionError, match=says):
        main(["merge", "--adapter", str(run), "--base", str(changed), "--output", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
    other = starts.write_folder(tmp_path / "other", vocab_size=322, intermediate_size=100)
    with pytest.raises(ConversionError, match="other: intermediate_size is 100, but 176 in the base of"):
        opened(run, base=other)


def test_a_run_that_learned_from_conversations_keeps_their_template(base: Path, tmp_path: Path) -> None:
    talks = {"chats": [{"glob": "*.jsonl", "format": "messages"}]}
    data = {"mixture": "chats", "sources": talks, "attend_across_documents": False}
    config = adapters.run_config(base, data=data)
    adapters.save_run(tmp_path / "run", config, size=0.01)
    template = opened(tmp_path / "run").template()
    assert template is not None
    assert "Human:" in template.source
    assert opened(base).template() is None
    main(["export", "--checkpoint", str(tmp_path / "run"), "--format", "hf", "--output", str(tmp_path / "hf")])
    assert opened(tmp_path / "hf").chat_template == template.source


# Folders.


def test_a_run_goes_to_peft_and_back_to_the_bit(run: Run, trained: tuple[Path, Any, Any], tmp_path: Path) -> None:
    folder, config, factors = trained
    status, printed = run("export", "--format", "peft", "--checkpoint", folder, "--output", tmp_path / "peft")
    assert status == 0
    assert f"base_model_name_or_path is {config.init.from_}" in printed
    stored = safetensors.numpy.load_file(tmp_path / "peft" / "adapter_model.safetensors")
    assert stored.keys() == {adapters.key(n, t, f) for n in range(2) for t in adapters.MODULES for f in "AB"}
    query = factors["layers"]["attention"]["query"]
    assert np.array_equal(stored[adapters.key(1, "query", "A")], np.asarray(query["a"][1]).T)
    b = np.asarray(query["b"][1])
    assert np.array_equal(stored[adapters.key(1, "query", "B")], b.reshape(len(b), -1).T)
    assert run("verify", folder, tmp_path / "peft")[0] == 0
    assert run("import", "--source", tmp_path / "peft", "--output", tmp_path / "back")[0] == 0
    status, printed = run("verify", folder, tmp_path / "back")
    assert (status, printed) == (0, "equal to the bit: 28 factors\n")
    run("export", "--format", "peft", "--checkpoint", tmp_path / "back", "--output", tmp_path / "again")
    again = (tmp_path / "again" / "adapter_model.safetensors").read_bytes()
    assert again == (tmp_path / "peft" / "adapter_model.safetensors").read_bytes()
    assert opened(tmp_path / "back").description["base"] == opened(folder).description["base"]


def test_a_base_name_stands_in_the_exported_folder(run: Run, imported: Path, tmp_path: Path) -> None:
    run(
        *("export", "--format", "peft", "--checkpoint", imported, "--output", tmp_path / "peft"), "--base-name", "org/m"
    )
    config = json.loads((tmp_path / "peft" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "org/m"
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (4, 8, 0.05)
    assert set(config["target_modules"]) == {name.split(".")[1] for name in adapters.MODULES.values()}
    card = (tmp_path / "peft" / "README.md").read_text()
    assert 'base_model: "org/m"' in card
    assert str(tmp_path) not in card


def test_factors_in_16_bits_are_those_that_were_rounded(run: Run, imported: Path, peft: Path, tmp_path: Path) -> None:
    run(*("export", "--format", "peft", "--checkpoint", imported, "--output", tmp_path / "peft"), "--dtype", "float16")
    stored = safetensors.numpy.load_file(tmp_path / "peft" / "adapter_model.safetensors")
    whole = safetensors.numpy.load_file(peft / "adapter_model.safetensors")
    assert all(np.array_equal(stored[name], whole[name].astype(np.float16)) for name in whole)
    assert (
        run("import", "--source", tmp_path / "peft", "--base", adapters_base(peft), "--output", tmp_path / "c")[0] == 0
    )
    assert run("verify", tmp_path / "peft", tmp_path / "c")[0] == 0
    status, printed = run("verify", peft, tmp_path / "c")
    assert status == 1
    assert printed.count("differs") == 28


def adapters_base(peft: Path) -> Path:
    return Path(json.loads((peft / "adapter_config.json").read_text())["base_model_name_or_path"])


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_merged_weights_are_rounded_once(run: Run, base: Path, peft: Path, tmp_path: Path, dtype: str) -> None:
    wide = adapters.write_merged(tmp_path / "wide", base, peft)
    command = ("merge", "--adapter", peft, "--dtype", dtype, "--check")
    status, printed = run(*command, "--output", tmp_path / "hf")
    assert status == 0
    assert "14 of 14 adapted matrices differ from the base's" in printed
    assert "WARNING" not in printed
    run(*command, "--output", tmp_path / "ours", "--format", "ours")
    assert run("verify", tmp_path / "hf", tmp_path / "ours")[0] == 0
    with safetensors.safe_open(tmp_path / "hf" / "model.safetensors", "flax") as file:
        found = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118 - no mapping
    for name, expected in safetensors.numpy.load_file(wide / "model.safetensors").items():
        assert str(found[name].dtype) == dtype
        if dtype == "float32":
            np.testing.assert_allclose(found[name], expected, rtol=1e-5, atol=1e-6)
        else:  # once: nearly always what rounding the exact sum gives
            exact = expected.astype(found[name].dtype)
            assert np.mean(found[name] != exact) < 1e-3
            np.testing.assert_allclose(found[name].astype(np.float32), expected, rtol=2**-8, atol=1e-6)
    assert (tmp_path / "ours" / "tokenizer").is_dir()
    assert "LoRA, rank 4, alpha 8" in (tmp_path / "hf" / "README.md").read_text()


def test_a_zero_adapter_is_told_by_the_check(run: Run, base: Path, tmp_path: Path) -> None:
    folder = adapters.write_peft(tmp_path / "adapter", base, ("gate", "up"), size=0.0)
    _, printed = run("merge", "--adapter", folder, "--output", tmp_path / "hf", "--check")
    assert "0 of 4 adapted matrices differ" in printed
    assert "WARNING: 4 adapted matrices are the base's, such as layers/mlp/gate, layer 0" in printed
    assert run("verify", base, tmp_path / "hf")[0] == 0


def test_the_check_finds_weights_that_are_no_sum(
    run: Run, peft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Merged.take

    def careless(self: Merged, item: Any, rows: slice) -> np.ndarray:
        values = honest(self, item, rows)
        return values * np.float32(1.0001) if item.weight.ours == "layers/mlp/up" and item.layer == 1 else values

    monkeypatch.setattr(Merged, "take", careless)
    with pytest.raises(ConversionError, match="layers/mlp/up, layer 1 is not its base and the adapter: it is off by"):
        run("merge", "--adapter", peft, "--output", tmp_path / "hf", "--check")
    assert not (tmp_path / "hf").exists()


def test_an_adapter_is_exported_as_merged_weights(run: Run, trained: tuple[Path, Any, Any], tmp_path: Path) -> None:
    run("export", "--checkpoint", trained[0], "--format", "hf", "--output", tmp_path / "hf")
    np.testing.assert_allclose(logits(opened(tmp_path / "hf")), logits(opened(trained[0])), atol=1e-5)
    assert "Merged into | base |" in (tmp_path / "hf" / "README.md").read_text()


def test_an_adapter_on_a_padded_checkpoint_is_exported_for_meta(
    run: Run, torch: Any, base: Path, tmp_path: Path
) -> None:
    run("import", "--source", base, "--output", tmp_path / "padded", "--vocab-multiple", "64")
    config = adapters.run_config(tmp_path / "padded")
    adapters.save_run(tmp_path / "run", config)
    run("export", "--checkpoint", tmp_path / "run", "--format", "meta", "--num-shards", "2", "--output", tmp_path / "m")
    run("merge", "--adapter", tmp_path / "run", "--base", base, "--output", tmp_path / "hf")
    status, printed = run("verify", tmp_path / "m", tmp_path / "hf")
    assert status == 0, printed
    # The padding is no part of a base's fingerprint, in either direction.
    assert opened(tmp_path / "run").description["base"]["fingerprint"] == opened(base).description["fingerprint"]


def test_verify_tells_adapters_apart_and_knows_targets_in_another_order(
    run: Run, base: Path, imported: Path, peft: Path, tmp_path: Path
) -> None:
    one_layer = Path(shutil.copytree(peft, tmp_path / "short"))
    change_tensors(lambda t: [t.pop(name) for name in list(t) if ".layers.1." in name])(one_layer)
    status, printed = run("verify", imported, one_layer)
    assert (status, printed) == (1, f"the adapters differ: layers is 2 in {imported}, 1 in {one_layer}\n")
    other = adapters.write_peft(tmp_path / "other", base, ("value", "query"), r=2)
    status, printed = run("verify", imported, other)
    assert status == 1
    assert f"rank is 4 in {imported}, 2 in {other}" in printed
    assert f"targets is down, gate, key, out, query, up, value in {imported}, query, value in {other}" in printed
    adapters.save_run(tmp_path / "run", adapters.run_config(base, {"targets": ["up", "query"]}))
    run("export", "--format", "peft", "--checkpoint", tmp_path / "run", "--output", tmp_path / "peft")
    assert run("verify", tmp_path / "run", tmp_path / "peft") == (0, "equal to the bit: 8 factors\n")


def test_inspect_shows_an_adapter_without_its_base(run: Run, imported: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(imported, tmp_path / "alone")
    meta = json.loads((folder / "meta" / "metadata").read_text())
    meta["base"]["from"] = "/nowhere/base"
    (folder / "meta" / "metadata").write_text(json.dumps(meta))
    status, printed = run("inspect", folder)
    assert status == 0
    for words in ("rank, alpha", "4, 8", "/nowhere/base", meta["base"]["fingerprint"], "query, key, value, out, gate"):
        assert words in printed


def test_a_run_cannot_start_from_an_adapter(imported: Path, peft: Path) -> None:
    for folder in (imported, peft):
        with pytest.raises(ConversionError, match=r"^init.from: .* holds an adapter; make whole weights of it first"):
            direct.describe_initial(str(folder))


# What is refused.


def change_tensors(change: Callable[[dict[str, np.ndarray]], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        tensors = safetensors.numpy.load_file(folder / "adapter_model.safetensors")
        change(tensors)
        safetensors.numpy.save_file(tensors, folder / "adapter_model.safetensors")

    return spoil


def change_config(**values: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "adapter_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return spoil


def put(tensors: dict[str, np.ndarray], name: str, value: np.ndarray) -> None:
    tensors[name] = value


QA, QB = adapters.key(1, "query", "A"), adapters.key(1, "query", "B")
BAD = {
    "dora": (change_config(use_dora=True), "adapter_config.json: use_dora is true; expected none"),
    "another method": (change_config(peft_type="IA3"), 'peft_type is "IA3"; expected "LORA"'),
    "bias": (change_config(bias="lora_only"), 'bias is "lora_only"; expected "none"'),
    "lora bias": (change_config(lora_bias=True), "lora_bias is true; expected none"),
    "whole modules": (change_config(modules_to_save=["lm_head"]), r'modules_to_save is \["lm_head"\]; expected none'),
    "ranks that differ": (change_config(rank_pattern={"q_proj": 8}), r'rank_pattern is {"q_proj": 8}; expected none'),
    "scales that differ": (change_config(alpha_pattern={"up": 1}), r'alpha_pattern is {"up": 1}; expected none, or'),
    "a changed base": (change_config(init_lora_weights="pissa_niter_4"), 'init_lora_weights is "pissa_niter_4"'),
    "a setting of the future": (change_config(use_more=True), "use_more is true; expected none: only plain LoRA"),
    "no rank": (change_config(r=0), "r is 0; expected a positive integer"),
    "no scale": (change_config(lora_alpha=0), "lora_alpha is 0; expected a positive number"),
    "all dropped": (change_config(lora_dropout=1.0), "lora_dropout is 1.0; expected a number below 1"),
    "another rank": (change_config(r=8), r"layers.0.self_attn.q_proj.lora_A.weight has shape \(4, 64\), but r is 8"),
    "a target without factors": (
        change_config(target_modules=["q_proj", "lm_head"]),
        "holds nothing of lm_head, which adapter_config.json names in target_modules",
    ),
    "no json": (lambda folder: (folder / "adapter_config.json").write_text("{"), "adapter_config.json: is not valid"),
    "a missing factor": (change_tensors(lambda t: t.pop(QB)), f"1 factors are missing: {re.escape(QB)}"),
    "a missing layer": (
        change_tensors(lambda t: [t.pop(name) for name in list(t) if ".layers.0." in name]),
        "14 factors are missing: base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight and 13 more",
    ),
    "a whole weight": (
        change_tensors(lambda t: put(t, "base_model.model.lm_head.weight", np.zeros((4, 4), np.float32))),
        "1 keys are no LoRA factors of a LLaMA's layers: base_model.model.lm_head.weight; only those of q_proj, k_proj",
    ),
    "nothing": (change_tensors(lambda t: t.clear()), "holds no factors"),
    "a width of its own": (
        change_tensors(lambda t: put(t, QA, np.zeros((4, 60), np.float32))),
        r"layers.1.self_attn.q_proj.lora_A.weight has shape \(4, 60\), but \(4, 64\) in the first layer",
    ),
    "not finite": (
        change_tensors(lambda t: t[QA].fill(np.inf)),
        "A of layers/attention/query, layer 1 holds 256 values",
    ),
    "integers": (
        change_tensors(lambda t: put(t, QA, np.zeros((4, 64), np.int8))),
        "q_proj.lora_A.weight has dtype I8; convertible are",
    ),
    "truncated": (
        lambda folder: (folder / "adapter_model.safetensors").write_bytes(b"\x08"),
        "adapter_model.safetensors: ",
    ),
    "no factors' file": (
        lambda folder: (folder / "adapter_model.safetensors").unlink(),
        "has adapter_config.json, but neither adapter_model.safetensors nor adapter_model.bin",
    ),
    "whole weights beside it": (
        lambda folder: shutil.copyfile(folder / "adapter_model.safetensors", folder / "model.safetensors"),
        "holds whole weights and an adapter at once",
    ),
    "a base on the hub": (
        change_config(base_model_name_or_path="org/llama"),
        "adapter: its base org/llama is not here; give its folder with --base",
    ),
    "no base": (change_config(base_model_name_or_path=None), "names no base; give the folder of its base weights"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_peft_folder_is_refused_in_one_line(peft: Path, tmp_path: Path, name: str) -> None:
    spoil, says = BAD[name]
    folder = Path(shutil.copytree(peft, tmp_path / "adapter"))
    spoil(folder)
    before = sorted(tmp_path.rglob("*"))
    for command in (["import", "--source"], ["merge", "--adapter"]):
        with pytest.raises(ConversionError, match=says) as caught:
            main([*command, str(folder), "--output", str(tmp_path / "out")])
        message = str(caught.value)
        assert "\n" not in message
        assert len(message) < 500
        assert str(folder) in message
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("import", "--source", "PEFT", "--dtype", "bfloat16"), "--dtype means nothing with an adapter"),
        (("import", "--source", "PEFT", "--add-token", "<pad>"), "--add-token means nothing with an adapter"),
        (("import", "--source", "CKPT"), "is a checkpoint already; `export --format peft` makes a PEFT folder of it"),
        (("import", "--source", "BASE", "--base", "BASE"), "--base means nothing with whole weights"),
        (("import", "--source", "PEFT", "--base", "CKPT"), "is an adapter itself, no base"),
        (("merge", "--adapter", "BASE"), "base: holds whole weights; give the folder of an adapter"),
        (("export", "--format", "peft", "--checkpoint", "PEFT"), "is a PEFT folder already"),
        (("export", "--format", "peft", "--checkpoint", "BASE"), "base: holds whole weights"),
        (
            ("export", "--format", "peft", "--checkpoint", "CKPT", "--base", "BASE"),
            "--base means nothing with --format",
        ),
        (("export", "--format", "hf", "--checkpoint", "CKPT", "--base-name", "x"), "--base-name means nothing with"),
        (("export", "--format", "hf", "--checkpoint", "BASE", "--base", "BASE"), "so --base means nothing"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    arguments: tuple[str, ...], says: str, peft: Path, imported: Path, base: Path, tmp_path: Path
) -> None:
    folders = {"PEFT": peft, "CKPT": imported, "BASE": base}
    with pytest.raises(ConversionError, match=says):
        main([*(str(folders.get(word, word)) for word in arguments), "--output", str(tmp_path / "out")])
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_under_the_last_file_leaves_nothing(
    imported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(card, "adapter_card", full)
    with pytest.raises(ConversionError, match="out: cannot be written: No space left on device"):
        main(["export", "--format", "peft", "--checkpoint", str(imported), "--output", str(tmp_path / "out")])
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_adapter_of_ours_is_told(imported: Path, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(imported, tmp_path / "damaged"))
    up, gate = (damaged / "state" / f"params.layers.mlp.{name}.b" for name in ("up", "gate"))
    shutil.rmtree(up)
    shutil.copytree(gate, up)
    with pytest.raises(ConversionError, match="params/layers/mlp/up/b does not have the bits that were written"):
        main(["merge", "--adapter", str(damaged), "--output", str(tmp_path / "out")])
    shutil.rmtree(up)
    with pytest.raises(ConversionError, match=r"params.layers.mlp.up.b: is missing"):
        main(["merge", "--adapter", str(damaged), "--output", str(tmp_path / "out")])
