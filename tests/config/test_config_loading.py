"""Reading YAML and --set: one level of base, values typed by the schema, errors that name the nearest key."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from melama_jax.config import Config, DataConfig, Source, dump_yaml, from_mapping, load, parse_command_line
from melama_jax.errors import ConfigError, ConversionError

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str | bytes, name: str = "run.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def empty(write: Write) -> Path:
    return write("{}")


def refusal(path: Path, *overrides: str) -> str:
    """The message of a configuration that must be refused; always one line."""
    with pytest.raises(ConfigError) as caught:
        load(path, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("trian: {steps: 3}", "unknown key trian; did you mean train?"),
        ("train: {stepz: 3}", "unknown key train.stepz; did you mean train.steps?"),
        ("stepz: 3", "unknown key stepz; did you mean train.steps?"),
        ("data: {learning_rate: 1}", "unknown key data.learning_rate; did you mean optimizer.learning_rate?"),
        ("init: {form: x}", "unknown key init.form; did you mean init.from?"),
        (
            "model: {rope_scaling: {facto: 3}}",
            "unknown key model.rope_scaling.facto; did you mean model.rope_scaling.factor?",
        ),
        (
            "data: {sources: {clinical: [{glob: a}, {glob: b, feild: x}]}}",
            "unknown key data.sources.clinical.1.feild; did you mean data.sources.clinical.1.field?",
        ),
        (
            "data: {sources: {clinical: [{glob: a, zzzzzz: x}]}}",
            "unknown key data.sources.clinical.0.zzzzzz; valid here: glob, field, document, split, format, prompts, "
            "protected",
        ),
    ],
)
def test_unknown_key_in_a_file_names_the_nearest(write: Write, text: str, advice: str) -> None:
    path = write(text)
    assert refusal(path) == f"{path}: {advice}"


@pytest.mark.parametrize(
    ("override", "advice"),
    [
        ("train.stepz=3", "--set train.stepz: unknown key train.stepz; did you mean train.steps?"),
        ("steps=3", "--set steps: unknown key steps; did you mean train.steps?"),
        ("model.rope_scaling.facto=3", "did you mean model.rope_scaling.factor?"),
        ("data.sources.clinical=[{glob: a, spilt: train}]", "did you mean data.sources.clinical.0.split?"),
        ("a..b=3", "--set a..b: unknown key a; valid here: run, model, mesh"),
        ("train.steps", "--set 'train.steps': expected key=value, such as train.steps=300"),
        ("=3", "--set '=3': expected key=value"),
        ("base=other.yaml", "--set base: unknown key base"),
        ("data.sources.clinical=[a", "--set data.sources.clinical: '[a' is not a YAML value"),
        ("train=3", "train: input should be a valid dictionary or instance of TrainConfig, found 3"),
        ("train.steps=2024-13-45", "--set train.steps: '2024-13-45' is not a YAML value"),
    ],
)
def test_bad_override_says_what_would_work(empty: Path, override: str, advice: str) -> None:
    assert advice in refusal(empty, override)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.steps=0", "--set train.steps: input should be greater than 0, found 0"),
        ("init={from: 3, form: x}", "--set init: unknown key init.form; did you mean init.from?"),
        (
            "data.sources.clinical=[{field: x}]",
            "--set data.sources.clinical: data.sources.clinical.0.glob: field required, found {'field': 'x'}",
        ),
        (
            "train.gradient_accumulation_steps=5",
            "--set train.gradient_accumulation_steps: train.gradient_accumulation_steps 5 does not divide "
            "train.global_batch_size 8; choose one of 1, 2, 4, 8",
        ),
    ],
)
def test_bad_override_is_not_blamed_on_the_file(write: Write, override: str, message: str) -> None:
    path = write("model: {preset: tiny}\ntrain: {steps: 5, global_batch_size: 8}")
    assert refusal(path, override) == message


def test_mistakes_of_file_and_override_are_told_apart(write: Write) -> None:
    path = write("run: {seed: -1}\ntrain: {steps: 5}")
    message = refusal(path, "train.steps=0")
    file, override = message.split("; --set ")
    assert file.startswith(f"{path}: run.seed: ")
    assert override.startswith("train.steps: ")


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("optimizer.learning_rate=8e-6", 8e-6),  # YAML 1.1 reads a text here
        ("optimizer.learning_rate=1", 1.0),
        ("optimizer.clip_norm=null", None),
        ("optimizer.no_decay=[]", ()),
        ("optimizer.no_decay=[head, norm]", ("head", "norm")),
        ("train.steps=300", 300),
        ("checkpoint.resume=false", False),
        ("checkpoint.resume=no", False),
        ("checkpoint.asynchronous=true", True),
        ("checkpoint.keep_every=50", 50),
        ("eval.interval=null", None),
        ("mesh.fsdp=-1", -1),
        ("model.rope_scaling.factor=4", 4.0),
        ("data.rates={biomedical: 15, clinical: 1e-1}", {"biomedical": 15.0, "clinical": 0.1}),
        ("data.rates.general=4", 4.0),
        # Texts stay as written, whatever YAML would make of them.
        ("run.dir=123", "123"),
        ("run.dir=007", "007"),
        ("run.dir=2024-01-01", "2024-01-01"),
        ("run.dir=null", "null"),
        ("run.dir=a=b c", "a=b c"),
        ("data.root=/data/[x]: y", "/data/[x]: y"),
        ("data.root=1.50", "1.50"),
        ("data.vocabulary=../a b/tokenizer.model", "../a b/tokenizer.model"),
        ("data.root=null", None),
        ("log.wandb_project=1e5", "1e5"),
        ("log.sample_prompt=on", "on"),
        ("init.from=runs/123", "runs/123"),
        ("model.preset=llama3.1-8b", "llama3.1-8b"),
        ("data.mixture=12", "12"),
    ],
)
def test_override_is_typed_by_the_schema(write: Write, override: str, expected: object) -> None:
    value: object = load(write("model: {preset: tiny}"), [override])
    for part in override.partition("=")[0].split("."):
        value = value[part] if isinstance(value, dict) else getattr(value, "from_" if part == "from" else part)
    assert value == expected
    assert type(value) is type(expected)


def test_overrides_apply_in_order_over_file(write: Write) -> None:
    path = write("train: {steps: 7, sequence_length: 32}")
    config = load(path, ["train.steps=8", "run.seed=3", "train.steps=9"])
    assert (config.train.steps, config.train.sequence_length, config.run.seed) == (9, 32, 3)


def test_source_override_keeps_other_domains(empty: Path) -> None:
    config = load(empty, ["data.sources.clinical=[{glob: '*.csv', field: note}, {glob: b.txt}]"])
    assert config.data.sources["clinical"] == (Source(glob="*.csv", field="note"), Source(glob="b.txt"))
    assert config.data.sources["general"] == DataConfig().sources["general"]


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ("train: {steps: 0}", "train.steps", "greater than 0, found 0"),
        ("train: {steps: 3.5}", "train.steps", "found 3.5"),
        ("train: {steps: true}", "train.steps", "true and false are not accepted, found True"),
        ("checkpoint: {keep_every: true}", "checkpoint.keep_every", "true and false are not accepted"),
        ("train: {z_loss: .inf}", "train.z_loss", "finite number, found inf"),
        ("train: {z_loss: .nan}", "train.z_loss", "finite number, found nan"),
        ("train: {remat: Full}", "train.remat", "'none', 'full', 'dots', 'names' or 'offload', found 'Full'"),
        ("train:", "train", "found None"),
        ("model: 3", "model", "found 3"),
        ("model: {preset: [1]}", "model.preset", "choose one of tiny, "),
        ("model: {preset: llama2}", "model.preset", "llama2-7b"),
        ("data: {sources: {clinical: {glob: a}}}", "data.sources.clinical", "valid tuple"),
        ("data: {sources: {clinical: [{field: a}]}}", "data.sources.clinical.0.glob", "field required"),
        ("run: {seed: -1}", "run.seed", "found -1"),
        ("run: {seed: 4294967296}", "run.seed", "less than 4294967296, found 4294967296"),
        ("run: {dir: ''}", "run.dir", "at least 1 character, found ''"),
        ("model: {compute_dtype: float16}", "model.compute_dtype", "'float32' or 'bfloat16', found 'float16'"),
        ("model: {param_dtype: float16}", "model.param_dtype", "'float32' or 'bfloat16', found 'float16'"),
        ("optimizer: {mu_dtype: float16}", "optimizer.mu_dtype", "'float32' or 'bfloat16', found 'float16'"),
        ("run: {dir: 2024-01-01}", "run.dir", "valid string"),
        ("optimizer: {no_decay: [norm, biases]}", "optimizer.no_decay.1", "found 'biases'"),
        ("1: 2", "1", "keys should be strings"),
    ],
)
def test_bad_value_names_key_and_what_is_accepted(write: Write, text: str, key: str, problem: str) -> None:
    path = write(text)
    message = refusal(path)
    assert message.startswith(f"{path}: {key}")
    assert problem in message


def test_several_mistakes_are_told_at_once(write: Write) -> None:
    message = refusal(write("train: {steps: 0, remat: x}\nrun: {sede: 3}"))
    assert all(name in message for name in ("train.steps", "train.remat", "run.seed"))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a: [", "is not valid YAML"),
        ("a: b: c", "is not valid YAML"),
        ("\x07", "is not valid YAML"),
        ("a: 2024-13-45", "is not valid YAML: month must be in 1..12"),
        ("x: !!python/object:os.system 3", "is not valid YAML"),
        ("train: {steps: 1}\ntrain: {steps: 2}", "'train' is given twice"),
        ("train: {steps: 1, steps: 2}", "'steps' is given twice"),
        ("- 1", "expected sections such as model: and train:, found list"),
        ("text", "expected sections such as model: and train:, found str"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
    ],
)
def test_unreadable_file_is_one_line_that_names_it(write: Write, content: str | bytes, problem: str) -> None:
    path = write(content)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert problem in message


@pytest.mark.parametrize("content", ["a: 1\nb: c: d", "a: 1\n\x07", "a: 1\na: 2", "a: 1\nb: ["])
def test_syntax_error_names_the_line(write: Write, content: str) -> None:
    message = refusal(write(content))
    assert "is not valid YAML: line 2" in message
    assert "<unicode string>" not in message


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'no.yaml'}: cannot read" in refusal(tmp_path / "no.yaml")
    assert f"{tmp_path}: cannot read" in refusal(tmp_path)


def test_empty_file_is_the_defaults(write: Write) -> None:
    assert load(write("")) == Config()
    assert load(write("# nothing\n")) == Config()


def test_merge_keys_of_yaml_are_no_duplicates(write: Write) -> None:
    config = load(write("train: &a {steps: 3}\noptimizer: {b1: 0.5}\neval: {<<: {interval: 2}, interval: 3}"))
    assert (config.train.steps, config.eval.interval) == (3, 3)
    assert "valid YAML" in refusal(write("? [1]\n: 2"))


def test_base_is_laid_below_and_relative_to_the_file(write: Write, tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    write("train: {steps: 5, sequence_length: 64}\nrun: {seed: 1}\noptimizer: {no_decay: [norm]}", "shared/base.yaml")
    path = write("base: shared/base.yaml\ntrain: {steps: 6}\noptimizer: {no_decay: []}")
    config = load(path, ["run.seed=2"])
    assert (config.train.steps, config.train.sequence_length, config.run.seed) == (6, 64, 2)
    assert config.optimizer.no_decay == ()  # lists are replaced, not joined


def test_bases_are_laid_over_each_other_in_order(write: Write) -> None:
    write("train: {steps: 5, sequence_length: 64}\nrun: {seed: 1}", "low.yaml")
    write("train: {steps: 6, remat: dots}", "high.yaml")
    config = load(write("base: [low.yaml, high.yaml]\nrun: {seed: 2}"))
    assert (config.train.steps, config.train.sequence_length, config.train.remat, config.run.seed) == (6, 64, "dots", 2)


def test_base_of_a_base_is_refused(write: Write) -> None:
    write("{}", "lowest.yaml")
    middle = write("base: lowest.yaml", "middle.yaml")
    message = refusal(write("base: middle.yaml"))
    assert message.startswith(f"{middle}: a base may not have a base: of its own")


def test_bad_base_is_named(write: Write, tmp_path: Path) -> None:
    assert "base: must be a path or a list of paths, found 3" in refusal(write("base: 3"))
    assert "base: must be a path or a list of paths, found [3, 'gone.yaml']" in refusal(write("base: [3, gone.yaml]"))
    assert f"{tmp_path / 'gone.yaml'}: cannot read" in refusal(write("base: gone.yaml"))


def test_mistake_in_a_base_is_reported(write: Write) -> None:
    write("train: {stepz: 3}", "below.yaml")
    assert "did you mean train.steps?" in refusal(write("base: below.yaml"))


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"model": {"preset": "llama3.1-8b", "hidden_size": 2048}},
        {
            "model": {"preset": "tiny"},
            "init": {"from": "runs/é ü"},
            "run": {"dir": "007"},
            "log": {"sample_prompt": "null"},
        },
        {"data": {"sources": {"notes": [{"glob": "*.csv", "split": "train"}]}, "rates": {"notes": 0.5}}},
        {"optimizer": {"learning_rate": 8e-6, "clip_norm": None, "no_decay": []}, "eval": {"interval": None}},
    ],
)
def test_dump_reads_back_equal(write: Write, tree: dict) -> None:
    config = from_mapping(tree)
    assert load(write(dump_yaml(config))) == config


def test_command_line_takes_config_and_repeated_set(empty: Path) -> None:
    config, arguments = parse_command_line(
        "x", ["--config", str(empty), "--set", "train.steps=3", "--set", "run.dir=here"]
    )
    assert (config.train.steps, config.run.dir) == (3, "here")
    assert arguments.overrides == ["train.steps=3", "run.dir=here"]


def test_configuration_is_frozen() -> None:
    with pytest.raises(Exception, match="frozen"):
        Config().train.steps = 3
    assert not dataclasses.is_dataclass(Config)


SIZES: dict[str, Any] = {
    "vocab_size": 1000,
    "vocab_padding": 8,
    "hidden_size": 96,
    "intermediate_size": 200,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "rope_theta": 5e5,
    "rope_scaling": {
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 512,
    },
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
    "max_position_embeddings": 4096,
}
"""What the weights of these tests say of themselves; none of it is the tiny preset's."""


class Describe:
    """A description of weights that remembers what it was asked."""

    def __init__(self, model: dict[str, Any] = SIZES, vocabulary: str | None = "/weights/tokenizer.model") -> None:
        self.asked: list[str] = []
        self.sections = {"model": model, "data": {"vocabulary": vocabulary}}

    def __call__(self, source: str) -> dict[str, Any]:
        self.asked.append(source)
        return self.sections


@pytest.mark.parametrize("model", ["{}", "{preset: auto}", "{hidden_size: null}"])
def test_sizes_and_vocabulary_are_those_of_the_weights(
    write: Write, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    describe = Describe()
    config = load(write(f"model: {model}\ninit: {{from: ~/llama}}"), describe=describe)
    found = config.model.model_dump()
    assert {key: found[key] for key in SIZES} == SIZES
    assert (config.model.preset, config.model.num_tokens) == (None, 992)
    assert (config.data.vocabulary, config.data.root) == ("/weights/tokenizer.model", None)
    assert describe.asked == ["/home/someone/llama"]


def test_base_and_override_tell_the_weights_too(write: Write) -> None:
    write("init: {from: below}", "base.yaml")
    describe = Describe()
    path = write("base: base.yaml\ntrain: {steps: 2}")
    assert load(path, describe=describe).model.hidden_size == 96
    assert load(path, ["init.from=3"], describe=describe).model.hidden_size == 96
    load(write("init: {from: 3}"), describe=describe)  # a folder's name may be a number
    assert describe.asked == ["below", "3", "3"]


def test_given_sizes_lie_over_those_of_the_weights(write: Write) -> None:
    path = write(
        "model: {max_position_embeddings: 8192, rope_scaling: {factor: 2}, compute_dtype: float32}\n"
        "data: {vocabulary: own.json}\ninit: {from: weights}"
    )
    model = load(path, ["model.rms_norm_eps=1e-3"], describe=Describe()).model
    given = {"max_position_embeddings": 8192, "rms_norm_eps": 1e-3}
    given["rope_scaling"] = SIZES["rope_scaling"] | {"factor": 2.0}
    found = model.model_dump()
    assert {key: found[key] for key in SIZES} == SIZES | given
    assert model.compute_dtype == "float32"
    assert load(path, describe=Describe()).data.vocabulary == "own.json"
    assert load(path, ["data.vocabulary=null"], describe=Describe()).data.vocabulary == "/weights/tokenizer.model"
    assert load(path, ["model.rope_scaling=null"], describe=Describe()).model.rope_scaling is None


def test_published_preset_can_be_described(write: Write) -> None:
    path = write("model: {preset: auto}\ninit: {from: w}")
    model = load(path, describe=Describe({"preset": "llama3-8b", "rms_norm_eps": 1e-6})).model
    assert (model.preset, model.hidden_size, model.rms_norm_eps) == ("llama3-8b", 4096, 1e-6)


@pytest.mark.parametrize("preset", ["tiny", "null"])
def test_named_preset_keeps_the_weights_out_of_the_sizes(write: Write, preset: str) -> None:
    sizes = "vocab_size: 10, hidden_size: 8, intermediate_size: 12, num_hidden_layers: 1, num_attention_heads: 2"
    path = write(
        f"model: {{preset: {preset}, {sizes}, num_key_value_heads: 1, max_position_embeddings: 512}}\n"
        f"init: {{from: w}}\ndata: {{vocabulary: own}}"
    )
    assert load(path, describe=_never_asked).model == load(path).model
    assert load(path, ["data.vocabulary=null"], describe=Describe()).model == load(path).model


def _never_asked(source: str) -> dict[str, Any]:
    raise AssertionError(source)


def test_without_weights_nothing_is_asked_and_auto_is_tiny(write: Write) -> None:
    for text in ("{}", "model: {preset: auto}", "init: {from: null}", "model: {preset: tiny}"):
        config = load(write(text), describe=_never_asked)
        assert config == Config()
    assert config.model.preset == "tiny"


def test_resolved_configuration_needs_the_weights_no_more(write: Write) -> None:
    path = write("init: {from: weights}\nmodel: {tie_word_embeddings: false}")
    config = load(path, describe=Describe())
    resolved = write(dump_yaml(config), "resolved.yaml")
    assert "auto" not in [line.partition("preset: ")[2] for line in resolved.read_text().splitlines()]
    assert load(resolved) == load(resolved, describe=_never_asked) == config
    # Weights without a tokenizer are asked for one again, and for nothing else.
    config = load(path, describe=Describe(vocabulary=None))
    resolved = write(dump_yaml(config), "resolved.yaml")
    assert load(resolved, describe=Describe({"hidden_size": 1}, vocabulary=None)) == config


def test_sizes_that_nobody_tells_are_asked_for(write: Write) -> None:
    path = write("init: {from: weights}")
    for describe, told in ((None, False), (Describe({}), False), (Describe({"hidden_size": 8}), True)):
        with pytest.raises(ConfigError) as caught:
            load(path, describe=describe)
        message = str(caught.value)
        assert message.startswith(f"{path}: model.preset is auto, but the sizes of the weights in init.from")
        assert "train --dry-run" in message
        assert "give model.vocab_size, " in message
        assert ("model.hidden_size" in message) is not told
    assert refusal(write("{}"), "init.from=w").startswith("--set init.from: model.preset is auto, but")


def test_mistake_in_the_weights_or_beside_them_is_told(write: Write) -> None:
    def describe(source: str) -> dict[str, Any]:
        raise ConversionError(f"{source}: no weights here")

    with pytest.raises(ConversionError, match="w: no weights here"):
        load(write("init: {from: w}"), describe=describe)
    for text, key in (
        ("model: 3", "model"),
        ("data:", "data"),
        ("init: 3", "init"),
        ("init: {from: [w]}", "init.from"),
    ):
        with pytest.raises(ConfigError, match=f"{key}: "):
            load(write(text), describe=describe)


def test_command_line_hands_on_the_description(write: Write) -> None:
    describe = Describe()
    config, _ = parse_command_line("x", ["--config", str(write("{}")), "--set", "init.from=w"], describe=describe)
    assert (config.model.hidden_size, describe.asked) == (96, ["w"])
