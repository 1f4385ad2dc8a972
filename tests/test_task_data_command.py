"""Benchmarks as conversations to tune on: the same questions as the evaluation asks, and none of the test split's."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from melama_jax import task_data
from melama_jax.config import EvaluationConfig
from melama_jax.config.prompt import load_prompt
from melama_jax.data.chat import ChatTemplate
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation.asker import ModelAsker
from melama_jax.evaluation.datasets import DATASETS, RESPLIT, MissingData, resplit
from melama_jax.evaluation.datasets.labels import HALLMARKS, SPECIALTIES
from melama_jax.evaluation.prompts import answer_text, render
from melama_jax.evaluation.question import Question
from melama_jax.evaluation.suites import SUITES, resolve
from tests.evaluation.datasets.layouts import SENTENCE, abstract, entrance, lines, question, squad, write

BROKEN = "{ this is no record\n"
COUNT = 20
EACH = range(COUNT)


def pairs(split: str, labels: list[str]) -> str:
    return lines(
        *({"premise": f"{split} {n}", "hypothesis": f"so {n}", "label": labels[n % len(labels)]} for n in EACH)
    )


def halves(make: Any) -> dict[str, Any]:
    """A file each for training and validation, and a test file that nothing can read."""
    return {"train.jsonl": make("train"), "validation.jsonl": make("validation"), "test.jsonl": BROKEN}


def asked(number: int, text: str) -> dict[str, Any]:
    return {"id": f"e{number}", "question": f"Which {number}?", "answers": [{"text": text}, {"text": "daily"}]}


FILES: dict[str, dict[str, Any]] = {
    "pubmedqa": {
        "ori_pqaa.json": {str(n): abstract(("yes", "no")[n % 2], QUESTION=f"Is it {n}?") for n in EACH},
        "ori_pqal.json": BROKEN,
    },
    "medqa": {
        "US/train.jsonl": lines(*(question(n, "ABCDE") for n in EACH)),
        "US/dev.jsonl": lines(question(98, "ABCDE"), question(99, "ABCDE", answer="drug C99")),
        "US/test.jsonl": BROKEN,
    },
    "medmcqa": {"train.json": lines(*(entrance(1 + n % 4, id=f"q{n}") for n in EACH)), "dev.json": BROKEN},
    "emrqa": {"train.json": squad(*(asked(n, "aspirin") for n in EACH)), "test.json": BROKEN},
    "i2b2_2010": {"train.tsv": "No\tO\nfever\tB-problem\n\n" * COUNT, "test.tsv": BROKEN},
    "ddi2013": {f"Train/{n}.xml": SENTENCE.replace("d1.", f"d{n}.") for n in EACH} | {"Test/a.xml": BROKEN},
    "hoc": halves(
        lambda split: lines(
            *(
                {"document_id": f"{split}{n}_0", "text": f"{split} {n} .", "label": [HALLMARKS[n % 10]] * (n % 2)}
                for n in EACH
            )
        )
    ),
    "mtsample": {
        "mtsamples.jsonl": lines(
            *({"transcription": f"Report {n}.", "medical_specialty": SPECIALTIES[n % 40]} for n in range(80))
        )
    },
    "pubmed_summarization": halves(
        lambda split: lines(*({"article": f"{split} article {n}", "abstract": f"short {n}"} for n in EACH))
    ),
    "mimic_cxr": {
        **{
            f"{split}.csv": "study_id,findings,impression\n" + "".join(f"{n},{split} {n}.,Normal.\n" for n in EACH)
            for split in ("train", "validate")
        },
        "test.csv": BROKEN,
    },
    "bionli": halves(lambda split: pairs(split, ["entailment", "contradiction"])),
    "mednli": halves(lambda split: pairs(split, ["entailment", "contradiction", "neutral"])),
}
"""The paper's benchmarks, made up."""


def run(folder: Path, task: str, *more: str) -> dict[str, list[dict[str, Any]]]:
    """The records of both files."""
    if task in FILES:
        write(folder / "benchmarks" / DATASETS[task].folder, FILES[task])
    out = folder / "out"
    arguments = ["--task", task, "--data-root", str(folder / "benchmarks"), "--output", str(out), *more]
    assert task_data.main(arguments) == 0
    assert sorted(path.name for path in out.iterdir()) == ["train.jsonl", "validation.jsonl"]
    return {path.stem: [json.loads(line) for line in path.read_text().splitlines()] for path in out.iterdir()}


def evaluated(folder: Path, task: str, **protocol: Any) -> Question:
    """The validation split as the evaluation asks it."""
    tree = {
        "checkpoint": "-",
        "tasks": task,
        "data": {"root": str(folder / "benchmarks"), "split": "validation", "resplit": True},
        "protocol": {"answering": ["generate"], **protocol},
    }
    return Question(resolve([task])[0], EvaluationConfig.model_validate(tree))


def said(record: dict[str, Any]) -> tuple[str, str]:
    user, assistant = record["messages"]
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    return user["content"], assistant["content"]


def test_all_of_the_papers_benchmarks_are_here() -> None:
    assert tuple(FILES) == SUITES["mibe"]


@pytest.mark.parametrize("task", FILES)
def test_conversations_ask_what_the_evaluation_asks(task: str, tmp_path: Path) -> None:
    records = run(tmp_path, task)
    dataset, prompt = DATASETS[task], load_prompt(task)
    train = dataset.load(tmp_path / "benchmarks" / dataset.folder, "train").examples
    parted = task in RESPLIT or task in ("i2b2_2010", "ddi2013")
    halves = resplit(train, seed=42) if parted else (train, evaluated(tmp_path, task).examples)
    if task == "ddi2013":
        halves = task_data.resplit_documents(train, r"\.s.*", seed=42)
        documents = [{example.id.split(".")[0] for example in half} for half in halves]
        assert not documents[0] & documents[1]
        assert sum(map(len, documents)) == len(EACH)
    for name, examples in zip(("train", "validation"), halves, strict=True):
        assert examples
        assert [record["id"] for record in records[name]] == [example.id for example in examples]
        for record, example in zip(records[name], examples, strict=True):
            assert said(record) == (render(prompt, example), answer_text(prompt, example, example.gold).strip())
    if not parted or task in RESPLIT:
        assert [said(record)[0] for record in records["validation"]] == evaluated(tmp_path, task).prompts


@pytest.mark.parametrize("task", FILES)
def test_the_files_of_protected_datasets_are_for_their_owner_alone(task: str, tmp_path: Path) -> None:
    run(tmp_path, task)
    (tmp_path / "out" / "train.jsonl").chmod(0o644)
    (tmp_path / "out" / ".train.jsonl").write_text("half")  # of a run that was killed
    run(tmp_path, task)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert (modes == {0o600}) == DATASETS[task].protected


@pytest.mark.parametrize("template", ["me_llama", "alpaca", "llama2-chat"])
def test_with_the_template_of_training_the_evaluation_scores_the_very_tokens_that_are_learned(
    template: str, tmp_path: Path
) -> None:
    records = run(tmp_path, "samples")["validation"]
    examples = evaluated(tmp_path, "samples").examples
    prompt, vocabulary, chat = load_prompt("samples"), load_vocabulary(None), ChatTemplate.load(template)
    asker = ModelAsker(cast(Any, SimpleNamespace(vocabulary=vocabulary)), add_bos=False, chat_template=chat)
    for record, example in zip(records, examples, strict=True):
        ids, learned = chat.encode_masked(record["messages"], vocabulary)
        context = asker.encode(render(prompt, example))
        answer = asker.continuation(render(prompt, example), context, answer_text(prompt, example, example.gold))
        assert ids[: len(context) + len(answer)] == [*context, *answer]
        assert len(ids) - len(context) - len(answer) == (2 if template == "llama2-chat" else 1)  # a space before EOS
        assert ids[-1] == vocabulary.eos_id
        assert learned == [place >= len(context) for place in range(len(ids))]


def test_another_seed_parts_otherwise_and_no_item_is_on_both_sides(tmp_path: Path) -> None:
    found = {seed: run(tmp_path / seed, "medmcqa", "--seed", seed) for seed in ("42", "7")}
    sides = {seed: {record["id"] for record in records["validation"]} for seed, records in found.items()}
    assert sides["42"] != sides["7"]
    for seed, records in found.items():
        train = {record["id"] for record in records["train"]}
        assert (len(train), len(sides[seed]), train & sides[seed]) == (18, 2, set())


def test_worked_examples_are_those_of_the_evaluation(tmp_path: Path) -> None:
    records = run(tmp_path, "medqa", "--shots", "2")
    assert [said(record)[0] for record in records["validation"]] == evaluated(tmp_path, "medqa", shots=2).prompts
    for record in records["train"]:
        *shown, own = (block for block in said(record)[0].split("Question: ")[1:])
        assert len(shown) == 2
        assert own.splitlines()[0] not in "".join(shown)


def test_counts_are_told(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    run(tmp_path, "medqa")
    told = capsys.readouterr().out
    assert "medqa (MIT): its own training and validation splits; prompt medqa, version 1" in told
    assert "train.jsonl: 20 conversations; records left out: none" in told
    assert "validation.jsonl: 1 conversations; records left out: 1 answer and its letter disagree" in told
    run(tmp_path / "other", "ddi2013")
    assert "its training split parted 90/10 by seed 42" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("task", "more", "error", "message"),
    [
        ("medq", [], ConfigError, "--task 'medq': no such dataset; there are pubmedqa, medqa"),
        ("meqsum", [], DataError, "meqsum has a test split only; train is asked for"),
        ("bioasq", [], MissingData, "bioasq"),
        ("medqa", ["--prompt", "hoc"], ConfigError, "hoc: is for answers of kind labels; medqa is choice"),
        ("medqa", ["--shots", "-1"], ConfigError, "--shots -1"),
        ("medqa", ["--shots", "30"], ConfigError, "shots: 30 asked for"),
    ],
)
def test_what_cannot_work_is_refused_and_nothing_is_left_half_written(
    task: str, more: list[str], error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        run(tmp_path, task, *more)
    assert not list(tmp_path.glob("out/*.jsonl"))


def test_a_validation_split_that_should_be_there_is_not_made_up(tmp_path: Path) -> None:
    folder = write(tmp_path / "benchmarks" / "medqa", FILES["medqa"])
    (folder / "US" / "dev.jsonl").unlink()
    with pytest.raises(MissingData, match=r"US/dev\.jsonl"):
        task_data.read_splits(DATASETS["medqa"], folder, seed=42)
    few = write(tmp_path / "few", {"train.tsv": "No\tO\n\n", "test.tsv": BROKEN})
    with pytest.raises(DataError, match="1 training item"):
        task_data.read_splits(DATASETS["i2b2_2010"], few, seed=42)
