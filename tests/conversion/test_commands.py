"""What the four commands print, and the files that an export leaves."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy

from conversion.__main__ import main
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import run_command
from tests.conversion import shaped
from tests.data.corpora import VOCAB_SIZE, train_vocabulary

MODEL = shaped.sizes(
    hidden_size=48, num_attention_heads=6, num_key_value_heads=2, intermediate_size=100, vocab_size=VOCAB_SIZE
)
PARAMETERS = 2 * VOCAB_SIZE * 48 + 48 + 2 * (2 * 48 + 2 * 48 * 48 + 2 * 16 * 48 + 3 * 100 * 48)


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")


@pytest.fixture
def run(capsys: pytest.CaptureFixture) -> Callable[..., tuple[int, str]]:
    """Runs a command; its exit status and what it prints."""

    def run(*arguments: str | Path) -> tuple[int, str]:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return status, capsys.readouterr().out

    return run


Run = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def hf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = shaped.write_hf(tmp_path_factory.mktemp("made") / "hf", MODEL, dtype="bfloat16")
    train_vocabulary(folder / "tokenizer.model")
    return folder


@pytest.fixture(scope="module")
def meta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("torch", reason="needs torch, which the torch extra installs")
    folder = shaped.write_meta(tmp_path_factory.mktemp("made") / "meta", MODEL, dtype="bfloat16", num_shards=2)
    train_vocabulary(folder / "tokenizer.model")
    return folder


@pytest.fixture(scope="module")
def ckpt(hf: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("made") / "ckpt"
    assert main(["import", "--source", str(hf), "--output", str(output), "--vocab-multiple", "128"]) == 0
    return output


def rows(printed: str) -> dict[str, str]:
    """The rows of an inspection."""
    cells = [re.split(r"\s*│\s*", line.strip("│ ")) for line in printed.splitlines() if "│" in line]
    return {cell[0]: cell[1] for cell in cells if len(cell) == 2}


# inspect


def test_inspect_of_every_format(run: Run, hf: Path, ckpt: Path, request: pytest.FixtureRequest) -> None:
    folders = {"hf": hf, "checkpoint": ckpt}
    with contextlib.suppress(pytest.skip.Exception):  # without torch, the other two
        folders["meta"] = request.getfixturevalue("meta")
    for format, folder in folders.items():
        status, printed = run("inspect", folder)
        found = rows(printed)
        assert status == 0
        assert found["format"] == format
        assert found["preset"] == "none of the published sizes"
        for key in MODEL.keys() - {"vocab_size", "max_position_embeddings"}:
            assert found[key] == str(MODEL[key]), key
        assert found["dtype"] == "bfloat16 (21 tensors)"
        assert found["tokenizer"] == f"tokenizer.model, {VOCAB_SIZE} tokens, BOS 1, EOS 2"
        assert (found["missing keys"], found["extra keys"]) == ("none", "none")


def test_inspect_of_hf(run: Run, hf: Path) -> None:
    found = rows(run("inspect", hf)[1])
    assert found["vocab_size"] == str(VOCAB_SIZE)
    assert found["parameters"] == f"{PARAMETERS:,}"
    assert found["bytes of weights"] == f"{2 * PARAMETERS / 1e6:.2f} MB"
    assert re.fullmatch(r"model.safetensors \(\d+\.\d\d MB\)", found["files"])
    assert "rows of padding" not in found


def test_inspect_of_a_padded_checkpoint(run: Run, ckpt: Path) -> None:
    found = rows(run("inspect", ckpt)[1])
    assert (found["vocab_size"], found["rows of padding"]) == ("384", "64")


def test_inspect_of_meta(run: Run, meta: Path) -> None:
    found = rows(run("inspect", meta)[1])
    assert re.fullmatch(r"consolidated.00.pth \(\d\.\d\d MB\), consolidated.01.pth \(\d\.\d\d MB\)", found["files"])
    assert found["derived keys, not converted"] == "rope.freqs"


def test_inspect_names_a_published_size(run: Run, tmp_path: Path) -> None:
    found = rows(run("inspect", shaped.write_hf(tmp_path / "tiny", shaped.sizes()))[1])
    assert found["preset"] == "tiny"
    assert found["tokenizer"] == "none"


def test_inspect_lists_missing_and_extra_keys(run: Run, hf: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(hf, tmp_path / "[bold]hf")
    tensors = {
        f"model.layers.{i}.{name}": value
        for i in range(2)
        for name, value in safetensors.numpy.load_file(hf / "model.safetensors").items()
        if name == "model.norm.weight"
    }
    tensors["odd [/key]"] = tensors["model.layers.0.model.norm.weight"]
    safetensors.numpy.save_file(tensors, folder / "model.safetensors")
    status, printed = run("inspect", folder)
    found = rows(printed)
    assert status == 1
    assert found["missing keys"].startswith("lm_head.weight, model.embed_tokens.weight, model.layers.0.input_layernorm")
    assert found["missing keys"].endswith("and 13 more")
    assert found["extra keys"] == ("model.layers.0.model.norm.weight, model.layers.1.model.norm.weight, odd [/key]")
    assert str(folder) in printed
    assert "parameters" not in found


# export


def exported(run: Run, source: Path, target: Path, format: str, *more: str) -> str:
    status, printed = run("export", "--checkpoint", source, "--output", target, "--format", format, *more)
    assert status == 0
    return printed


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_files_of_an_hf_folder(run: Run, ckpt: Path, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    exported(run, ckpt, folder, "hf")
    assert names(folder) >= {"config.json", "generation_config.json", "README.md", "model.safetensors"}
    assert names(folder) >= {"tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"}
    assert "model.safetensors.index.json" not in names(folder)
    config = json.loads((folder / "config.json").read_text())
    for key, value in MODEL.items():
        assert config[key] == value, key
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert (config["torch_dtype"], config["bos_token_id"], config["eos_token_id"]) == ("bfloat16", 1, 2)
    generation = json.loads((folder / "generation_config.json").read_text())
    assert (generation["bos_token_id"], generation["eos_token_id"]) == (1, 2)
    assert load_vocabulary(folder).encode("the patient") == load_vocabulary(ckpt).encode("the patient")


def test_an_index_where_there_are_several_files(run: Run, ckpt: Path, tmp_path: Path) -> None:
    exported(run, ckpt, tmp_path / "made", "hf", "--max-shard-size", "50KB")
    index = json.loads((tmp_path / "made/model.safetensors.index.json").read_text())
    files = sorted(path.name for path in (tmp_path / "made").glob("*.safetensors"))
    assert sorted(set(index["weight_map"].values())) == files
    assert files == [f"model-{i:05d}-of-{len(files):05d}.safetensors" for i in range(1, len(files) + 1)]
    assert all(path.stat().st_size < 52_000 for path in (tmp_path / "made").glob("*.safetensors"))
    assert len(files) >= 4
    assert index["metadata"]["total_size"] == 2 * PARAMETERS


@pytest.mark.parametrize(("size", "files"), [("1kib", 21), ("0.0001 GB", 2), ("1MB", 1), ("5GiB", 1)])
def test_sizes_of_files(run: Run, ckpt: Path, tmp_path: Path, size: str, files: int) -> None:
    exported(run, ckpt, tmp_path / "made", "hf", "--max-shard-size", size)
    assert len(list((tmp_path / "made").glob("*.safetensors"))) == files


def test_files_of_a_meta_folder(run: Run, ckpt: Path, torch: Any, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    exported(run, ckpt, folder, "meta", "--num-shards", "2")
    assert names(folder) == {
        "consolidated.00.pth",
        "consolidated.01.pth",
        "params.json",
        "tokenizer.model",
        "README.md",
    }
    params = json.loads((folder / "params.json").read_text())
    assert {key: params[key] for key in ("dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "norm_eps")} == {
        "dim": 48,
        "n_layers": 2,
        "n_heads": 6,
        "n_kv_heads": 2,
        "vocab_size": VOCAB_SIZE,
        "norm_eps": 1e-5,
    }


def test_the_card(run: Run, ckpt: Path, tmp_path: Path) -> None:
    exported(run, ckpt, tmp_path / "a model", "hf", "--dtype", "float32")
    card = (tmp_path / "a model/README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers\nlicense: other\n---\n\n# a model\n")
    assert "\n## Licence\n\nTo fill in. Weights that descend from LLaMA are under the licence of that LLaMA" in card
    assert "| Converted from | melama_jax checkpoint by melama_jax" in card
    assert "| Descends from | Hugging Face (safetensors), hf |" in card
    assert "| Dtype | float32 |" in card
    assert f"| Vocabulary, context | {VOCAB_SIZE}, 2048 |" in card
    assert str(tmp_path.parent) not in card, "a shared folder should not tell of the paths of a machine"


def test_the_summary(run: Run, ckpt: Path, tmp_path: Path) -> None:
    lines = exported(run, ckpt, tmp_path / "made", "hf").splitlines()
    assert f"{tmp_path / 'made'}: a LLaMA, {PARAMETERS + 2 * 64 * 48:,} parameters, bfloat16" in lines
    assert "vocabulary: 64 rows of padding left out" in lines
    size = 2 * (PARAMETERS + 2 * 64 * 48) / 1e6
    assert re.fullmatch(
        rf"read {size:.2f} MB, wrote {2 * PARAMETERS / 1e6:.2f} MB in \d+\.\d s \(\d+ MB/s\), "
        r"peak host memory \d+\.\d\d [GM]B",
        lines[-1],
    )


def test_hf_to_meta_directly(run: Run, hf: Path, torch: Any, tmp_path: Path) -> None:
    exported(run, hf, tmp_path / "meta", "meta", "--num-shards", "2")
    status, printed = run("verify", hf, tmp_path / "meta")
    assert status == 0
    assert f"equal to the bit: 21 tensors, {PARAMETERS} elements" in printed
    shard = torch.load(tmp_path / "meta/consolidated.01.pth", weights_only=True)
    values = safetensors.safe_open(hf / "model.safetensors", framework="pt")
    with values as file:
        gate = file.get_tensor("model.layers.1.mlp.gate_proj.weight")
        query = file.get_tensor("model.layers.1.self_attn.q_proj.weight")
    assert torch.equal(shard["layers.1.feed_forward.w1.weight"], gate[50:])
    pairs = query.view(6, 2, 4, 48).transpose(1, 2).reshape(48, 48)
    assert torch.equal(shard["layers.1.attention.wq.weight"], pairs[24:])


def test_meta_to_hf_directly(run: Run, meta: Path, tmp_path: Path) -> None:
    exported(run, meta, tmp_path / "hf", "hf")
    assert run("verify", tmp_path / "hf", meta)[0] == 0
    card = (tmp_path / "hf/README.md").read_text()
    assert "| Converted from | Meta (consolidated .pth) by melama_jax" in card


def test_without_a_tokenizer_one_can_be_given(run: Run, hf: Path, tmp_path: Path) -> None:
    bare = shutil.copytree(hf, tmp_path / "bare", ignore=shutil.ignore_patterns("tokenizer*"))
    status, printed = run("import", "--source", bare, "--output", tmp_path / "ckpt")
    assert status == 0
    assert "holds no tokenizer; training will need data.vocabulary" in printed
    printed = exported(run, tmp_path / "ckpt", tmp_path / "without", "hf")
    assert "WARNING: no tokenizer was found beside the weights; give one with --tokenizer" in printed
    assert not any("token" in name for name in names(tmp_path / "without"))
    for given in (hf, hf / "tokenizer.model"):
        printed = exported(run, tmp_path / "ckpt", tmp_path / given.name, "hf", "--tokenizer", str(given))
        assert "WARNING" not in printed
        assert "tokenizer.json" in names(tmp_path / given.name)


def test_a_tokenizer_that_lies_near_is_not_taken(run: Run, tmp_path: Path) -> None:
    """A run keeps its tokenizer two folders above its steps; above an imported checkpoint it is another model's."""
    (tmp_path / "tokenizer").mkdir()
    train_vocabulary(tmp_path / "tokenizer/tokenizer.model")
    bare = shaped.write_hf(tmp_path / "models/bare", MODEL)
    assert run("import", "--source", bare, "--output", tmp_path / "models/ckpt")[0] == 0
    printed = exported(run, tmp_path / "models/ckpt", tmp_path / "made", "hf")
    assert "WARNING: no tokenizer was found" in printed
    assert not any("token" in name for name in names(tmp_path / "made"))


# import


def test_an_imported_folder_says_where_it_comes_from(hf: Path, ckpt: Path) -> None:
    meta = json.loads((ckpt / "meta/metadata").read_text())
    assert meta["step"] == 0
    assert meta["origin"]["format"] == "hf"
    assert meta["origin"]["folder"] == "hf"
    assert meta["config"]["model"]["vocab_padding"] == 64
    assert str(hf.parent) not in json.dumps(meta), "a checkpoint should not tell of the paths of a machine"
    assert (ckpt / "tokenizer/tokenizer.model").read_bytes() == (hf / "tokenizer.model").read_bytes()


def test_the_context_of_a_meta_folder_can_be_given(run: Run, meta: Path, tmp_path: Path) -> None:
    arguments = ("import", "--source", meta, "--output", tmp_path / "ckpt", "--max-position-embeddings", "777")
    assert run(*arguments)[0] == 0
    assert rows(run("inspect", tmp_path / "ckpt")[1])["max_position_embeddings"] == "777"
    exported(run, tmp_path / "ckpt", tmp_path / "hf", "hf")
    assert json.loads((tmp_path / "hf/config.json").read_text())["max_position_embeddings"] == 777


# help


@pytest.mark.parametrize("command", ["import", "export", "verify", "inspect"])
def test_help(command: str, capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    printed = capsys.readouterr().out
    assert printed.startswith(f"usage: python -m conversion {command}")
    options = {
        "import": ["--source", "--output", "--dtype", "--add-token", "--vocab-multiple", "--overwrite"],
        "export": ["--checkpoint", "--format", "--num-shards", "--max-shard-size", "--llama-version", "--tokenizer"],
    }
    for option in options.get(command, []):
        assert re.search(rf"^  {option}\b", printed, re.MULTILINE), option


def test_help_lists_the_commands(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    printed = capsys.readouterr().out
    for command in ("import", "export", "verify", "inspect"):
        assert re.search(rf"^    {command} +\w", printed, re.MULTILINE), command


@pytest.mark.parametrize("arguments", [[], ["convert"], ["import"], ["export", "--format", "gguf"], ["verify", "a"]])
def test_a_wrong_command_line_is_exit_status_2_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit, match="2"):
        run_command(partial(main, arguments))
    printed = capsys.readouterr()
    assert not printed.out
    assert re.fullmatch(r"error: .+; see python -m conversion.* --help\n", printed.err)
