"""lm-evaluation-harness on our engine: the same numbers as its own `hf` model gives for the same folder."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import pytest

from conversion.tokenizers import write_hf_tokenizer
from melama_jax.errors import ConfigError
from tests import runs
from tests.conversion import shaped
from tests.data.corpora import train_vocabulary, words

pytest.importorskip("lm_eval", reason="needs the lm-eval extra")
pytest.importorskip("accelerate", reason="needs accelerate, torch and transformers, which the harness's hf model takes")
pytest.importorskip("torch")

import lm_eval  # pyright: ignore[reportMissingImports]
from lm_eval.api.instance import Instance  # pyright: ignore[reportMissingImports]
from lm_eval.models.huggingface import HFLM  # pyright: ignore[reportMissingImports]
from lm_eval.tasks import TaskManager  # pyright: ignore[reportMissingImports]

from melama_jax import lm_eval as command
from melama_jax.evaluation import harness
from melama_jax.evaluation.harness import MARK, HarnessModel

CONTEXT = 96
"""Positions of the model, few enough for windows and cuts."""


@pytest.fixture(scope="module", autouse=True)
def _compile_quickly(quick_compilation: None) -> None:
    """Every test here."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("model")
    made = shaped.write_hf(base / "hf", shaped.sizes(vocab_size=320, max_position_embeddings=CONTEXT))
    write_hf_tokenizer(train_vocabulary(base / "tokenizer.model"), made)
    source = (runs.REPOSITORY / "configs/chat/me_llama.jinja").read_text()
    (made / "chat_template.jinja").write_text(source)
    return made


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Any:
    return HFLM(pretrained=str(folder), device="cpu", batch_size=3)


@pytest.fixture(scope="module")
def ours(folder: Path) -> HarnessModel:
    return opened(folder)


def opened(folder: Path, **options: Any) -> HarnessModel:
    """On one device, as an argument string opens it."""
    shown = jax.devices()[:1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jax, "devices", lambda *backend: shown)
        text = ",".join(f"{key}={value}" for key, value in {"pretrained": folder, **options}.items())
        return command.OpenedModel.create_from_arg_string(text, {"batch_size": 3, "device": None})


def instances(kind: Any, arguments: list[tuple[Any, ...]]) -> list[Any]:
    return [Instance(kind, {}, argument, index) for index, argument in enumerate(arguments)]


CONTEXTS = ["the patient was seen for ", "the dose", "", "dose\n\n", " a  b   ", "é 診", "the heart rate " * 40]
ANSWERS = [" chest pain", "aspirin", " x y", "stable\n", " "]


def test_text_becomes_the_same_tokens(theirs: Any, ours: HarnessModel) -> None:
    for text in [*CONTEXTS, *(context + answer for context in CONTEXTS for answer in ANSWERS)]:
        for special in (None, True, False):
            assert ours.tok_encode(text, special) == theirs.tok_encode(text, special), text
    assert (ours.eot_token_id, ours.prefix_token_id) == (theirs.eot_token_id, theirs.prefix_token_id)
    assert ours.max_length == theirs.max_length == CONTEXT


def test_log_likelihoods_are_the_same(theirs: Any, ours: HarnessModel) -> None:
    pairs = [(context, answer) for context in CONTEXTS for answer in ANSWERS[:-1]]
    random.Random(0).shuffle(pairs)
    expected = theirs.loglikelihood(instances("loglikelihood", pairs))
    found = ours.loglikelihood(instances("loglikelihood", pairs))
    assert [value for value, _ in found] == pytest.approx([value for value, _ in expected], abs=1e-4)
    assert [greedy for _, greedy in found] == [greedy for _, greedy in expected]


def test_rolling_log_likelihoods_are_the_same(theirs: Any, ours: HarnessModel) -> None:
    rng = random.Random(0)
    texts = [(words(rng, count),) for count in (1, 30, 36, 200)]
    expected = theirs.loglikelihood_rolling(instances("loglikelihood_rolling", texts))
    found = ours.loglikelihood_rolling(instances("loglikelihood_rolling", texts))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-4)


def test_generated_texts_are_the_same(theirs: Any, ours: HarnessModel) -> None:
    rng = random.Random(0)
    asked = [(words(rng, 1 + 9 * n), {"until": ["\n", "rate", "a"], "max_gen_toks": 20}) for n in range(5)]
    asked += [(words(rng, 3), {"until": "the", "max_gen_toks": 9, "do_sample": False, "temperature": 0.5})]
    expected = theirs.generate_until(instances("generate_until", asked))
    assert ours.generate_until(instances("generate_until", asked)) == expected
    assert len(set(expected)) > 3


def test_repeats_are_drawn_apart_and_again_the_same(ours: HarnessModel) -> None:
    asked = [("the dose", {"do_sample": True, "temperature": 0.9, "top_p": 0.95, "top_k": 50, "max_gen_toks": 12})] * 3
    first = ours.generate_until(instances("generate_until", asked))
    assert len(set(first)) == 3
    assert ours.generate_until(instances("generate_until", asked)) == first


def test_a_setting_that_is_not_known_is_refused(ours: HarnessModel) -> None:
    with pytest.raises(
        ConfigError, match="generation_kwargs: num_beams is not supported here; there are until, max_gen"
    ):
        ours.generate_until(instances("generate_until", [("the", {"num_beams": 4})]))
    with pytest.raises(ConfigError, match="max_new_tokens 96 leaves no room"):
        ours.generate_until(instances("generate_until", [("the", {"max_gen_toks": CONTEXT})]))


CHAT = [{"role": "system", "content": "brief"}, {"role": "user", "content": "the dose"}]


@pytest.mark.parametrize("template", ["me_llama", "llama2-chat", "alpaca"])
def test_a_chat_has_the_tokens_of_theirs(theirs: Any, folder: Path, template: str, monkeypatch: Any) -> None:
    source = (runs.REPOSITORY / f"configs/chat/{template}.jinja").read_text()
    monkeypatch.setattr(theirs.tokenizer, "chat_template", source)
    model = opened(folder, chat_template=template)
    for chat, prompted in ((CHAT, True), ([*CHAT, {"role": "assistant", "content": "one"}], False)):
        rendered, expected = (m.apply_chat_template(chat, prompted) for m in (model, theirs))
        assert rendered.replace(MARK, "") == expected
        assert model.tok_encode(rendered) == theirs.tok_encode(expected)
    assert model.chat_template(True) == source


def test_text_cannot_forge_a_control_token(ours: HarnessModel) -> None:
    forged = [{"role": "user", "content": f"a </s> {MARK}</s> b"}]
    for text in ("a </s> b", ours.apply_chat_template(forged)):
        assert 2 not in ours.tok_encode(text)


def write_tasks(folder: Path) -> Path:
    """A multiple-choice task and a generating one over a local file."""
    rng = random.Random(1)
    folder.mkdir()
    rows = [
        {"question": words(rng, 8), "choices": [words(rng, n) for n in (1, 2, 3)], "answer": rng.randrange(3)}
        for _ in range(12)
    ]
    (folder / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    data = {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(folder / "data.jsonl")}}}
    common = {**data, "test_split": "test", "doc_to_text": "{{question}}\nAnswer:"}
    tasks = {
        "local_choice": {"output_type": "multiple_choice", "doc_to_choice": "{{choices}}", "doc_to_target": "answer"},
        "local_text": {
            "output_type": "generate_until",
            "doc_to_target": "{{choices[answer]}}",
            "generation_kwargs": {"until": ["a"], "max_gen_toks": 8},
            "metric_list": [{"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}],
        },
    }
    for name, task in tasks.items():
        (folder / f"{name}.yaml").write_text(json.dumps({"task": name, **common, **task}))
    return folder


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    os.environ["HF_HOME"] = str(tmp_path_factory.mktemp("cache"))
    return write_tasks(tmp_path_factory.mktemp("tasks") / "tasks")


NAMES = ["local_choice", "local_text"]


def test_tasks_give_the_same_answers_and_scores(theirs: Any, ours: HarnessModel, tasks: Path) -> None:
    manager = TaskManager(include_path=str(tasks), include_defaults=False)
    found = [
        lm_eval.simple_evaluate(model=model, tasks=NAMES, task_manager=manager, bootstrap_iters=0, log_samples=True)
        for model in (ours, theirs)
    ]
    assert found[0]["results"] == found[1]["results"]
    assert found[0]["config"]["model_description"]["format"] == "hf"
    assert len(found[0]["config"]["model_description"]["fingerprint"]) == 64
    for mine, other in zip(found[0]["samples"]["local_text"], found[1]["samples"]["local_text"], strict=True):
        assert mine["resps"] == other["resps"]


def test_the_command_runs_as_one_job_of_two_processes(folder: Path, tasks: Path, tmp_path: Path) -> None:
    arguments = ["--include_path", str(tasks), "--tasks", ",".join(NAMES), "--output_path", str(tmp_path / "out")]
    arguments += [
        "--apply_chat_template",
        "--log_samples",
        "--limit",
        "4",
        "--model_args",
        f"pretrained={folder},tensor=1,data=2",
    ]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = []
    for process in range(2):
        environment = os.environ | {
            "XLA_FLAGS": "--xla_force_host_platform_device_count=1",
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "true",
            "JAX_COORDINATOR_ADDRESS": f"127.0.0.1:{port}",
            "JAX_NUM_PROCESSES": "2",
            "JAX_PROCESS_ID": str(process),
            "PYTHONPATH": str(runs.REPOSITORY),
            "HF_HUB_OFFLINE": "1",
        }
        with (tmp_path / f"log{process}").open("w") as log:
            run = [sys.executable, "-m", "melama_jax.lm_eval", *arguments]
            started.append(subprocess.Popen(run, env=environment, stdout=log, stderr=subprocess.STDOUT))
    codes = runs.finish(started)
    logs = [(tmp_path / f"log{process}").read_text() for process in range(2)]
    assert codes == [0, 0], logs[0][-3000:] + logs[1][-3000:]
    [results] = (tmp_path / "out").rglob("results_*.json")  # the second process wrote none
    assert set(json.loads(results.read_text())["results"]) == set(NAMES)
    assert "|local_choice|" in logs[0].replace(" ", "")
    assert "|local_choice|" not in logs[1].replace(" ", "")


def test_a_mistake_in_the_arguments_ends_in_one_line(folder: Path) -> None:
    with pytest.raises(ConfigError, match="unrecognized arguments: --beams 3"):
        opened(folder, beams=3)
    with pytest.raises(ConfigError, match="argument --dtype: invalid choice: 'float8'"):
        opened(folder, dtype="float8")
    with pytest.raises(ConfigError, match="brings no chat template"):
        harness.HarnessModel(opened(folder).engine, add_bos=True).apply_chat_template(CHAT)
