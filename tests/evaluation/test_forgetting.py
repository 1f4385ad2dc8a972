"""Perplexity of held-out texts, and two evaluations side by side."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from melama_jax.data.vocabulary import Vocabulary, load_vocabulary
from melama_jax.errors import ConfigError, DataError
from melama_jax.evaluation import forgetting
from melama_jax.evaluation.asking import file_sha256
from melama_jax.inference.engine import Score
from tests.evaluation.fakes import FakeAsker, config, interview, metrics_of

SAMPLES = load_vocabulary(None)


class EvenEngine:
    """Gives every token the probability 1/8."""

    max_length = 64

    def __init__(self, vocabulary: Vocabulary = SAMPLES):
        self.vocabulary, self.scored = vocabulary, 0

    def score_rolling(
        self, texts: Sequence[Sequence[int]], *, on_complete: Callable[[int, Score], None]
    ) -> list[Score]:
        scores = [Score(-len(tokens) * math.log(8), False, len(tokens), 0) for tokens in texts]
        for number, score in enumerate(scores):
            self.scored += 1
            on_complete(number, score)
        return scores


def test_perplexity_and_bits_of_an_even_model(tmp_path: Path) -> None:
    texts = ["The heart pumps blood.", "Das Herz schlägt.", "A third text, which is longer than the others are."]
    folder = tmp_path / "general"
    folder.mkdir()
    (folder / "one.txt").write_text("\n\n".join(texts[:2]), encoding="utf-8")
    with gzip.open(folder / "two.jsonl.gz", "wt", encoding="utf-8") as file:
        file.write(json.dumps({"text": texts[2]}) + "\n" + json.dumps({"note": "no text"}) + "\n")
    engine = EvenEngine()
    asker = FakeAsker(engine=engine)
    asked = config(forgetting={"texts": {"general": str(folder)}}, output=str(tmp_path / "out"))
    found = forgetting.run(interview(asker, tmp_path), asked)
    metrics = metrics_of(found, "general")
    assert metrics["perplexity"]["value"] == pytest.approx(8)
    # Every document has the same perplexity: nothing is known of its spread. Bits per byte do differ.
    assert (metrics["perplexity"]["low"], metrics["perplexity"]["high"]) == (None, None)
    assert metrics["bits_per_byte"]["low"] < metrics["bits_per_byte"]["value"] < metrics["bits_per_byte"]["high"]
    tokens = sum(len(SAMPLES.encode(text)) for text in texts)
    size = sum(len(text.encode()) for text in texts)
    assert metrics["bits_per_byte"]["value"] == pytest.approx(3 * tokens / size)
    assert (found["n"], found["left_out"]) == (3, {"missing_field": 1})
    kept = (tmp_path / "outputs.jsonl").read_text(encoding="utf-8")
    assert "heart" not in kept
    forgetting.run(interview(asker, tmp_path), asked)
    assert engine.scored == 3


def test_a_folder_without_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n\n")
    with pytest.raises(DataError, match=r"forgetting\.texts\.general"):
        forgetting.read_texts("general", tmp_path, SAMPLES)
    with pytest.raises(DataError, match=r"forgetting\.texts\.general: .*file\.txt is not there"):
        forgetting.read_texts("general", tmp_path / "no" / "file.txt", SAMPLES)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "one.pdf").write_text("text")
    with pytest.raises(DataError, match=r"forgetting\.texts\.general: .*other holds no file that is read"):
        forgetting.read_texts("general", tmp_path / "other", SAMPLES)


def test_texts_and_the_report_before_are_checked_before_a_model_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a[1].txt"
    path.write_text("One text.")
    asked = config(forgetting={"texts": {"general": str(path)}}, output=str(tmp_path / "out"))
    files = forgetting.check(asked)
    assert files == {"texts of general": file_sha256(path)}
    path.write_text("Another text.")
    assert forgetting.check(asked) != files
    with pytest.raises(DataError, match=r"forgetting\.texts\.general"):
        forgetting.check(config(forgetting={"texts": {"general": str(tmp_path / "none.txt")}}))
    with pytest.raises(ConfigError, match=r"forgetting\.before: .* holds no report\.json"):
        forgetting.check(config(forgetting={"before": str(tmp_path)}))
    for damaged in ("", "{}", "[]", "null", '{"tasks": [3]}', '{"tasks": [{"task": "medqa"}]}'):
        (tmp_path / "report.json").write_text(damaged)
        with pytest.raises(ConfigError, match=r"forgetting\.before: .*report\.json is damaged"):
            forgetting.check(config(forgetting={"before": str(tmp_path)}))
    (tmp_path / "report.json").write_text(json.dumps(report(perplexity=8.0)))
    asked = config(forgetting={"before": str(tmp_path)}, output=str(tmp_path / "out"))
    assert forgetting.check(asked) == {"report before": file_sha256(tmp_path / "report.json")}
    (tmp_path / "out" / "medqa").mkdir(parents=True)
    scores = tmp_path / "out" / "medqa" / "scores.json"
    scores.write_text("{")
    with pytest.raises(ConfigError, match=r"scores\.json is damaged"):
        forgetting.check(asked)
    # A task that finishes later is compared too: what was scored without it is scored anew.
    scores.write_text(json.dumps(report(medqa=0.5, perplexity=8.0)["tasks"][0]))  # pyright: ignore[reportIndexIssue]
    assert forgetting.check(asked)["scores of medqa"] == file_sha256(scores)


def test_one_document_has_no_interval(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("One text alone.")
    asked = config(forgetting={"texts": {"general": str(tmp_path / "one.txt")}}, output=str(tmp_path / "out"))
    found = forgetting.run(interview(FakeAsker(engine=EvenEngine()), tmp_path), asked)
    for metric in metrics_of(found, "general").values():
        assert (metric["low"], metric["high"]) == (None, None)
    assert found["protocol"]["files"] == {"texts of general": file_sha256(tmp_path / "one.txt")}


@pytest.mark.parametrize(
    ("key", "value", "same"),
    [
        ("temperature", 0.5, "no"),
        ("chat_template", "llama2", "no"),
        ("max_new_tokens", 9, "no"),
        ("notes", ["b"], "yes"),
    ],
)
def test_the_whole_protocol_says_whether_both_were_asked_alike(key: str, value: object, same: str) -> None:
    before, after = report(medqa=0.25, perplexity=9.0), report(medqa=0.25, perplexity=9.0)
    after["tasks"][0]["protocol"][key] = value  # pyright: ignore[reportIndexIssue]
    (rows,) = [row for row in forgetting.forgetting(before, after)["rows"] if row[1] == "medqa"]
    assert rows[-1] == same


def test_held_out_rows_of_a_cache_are_read_back(tmp_path: Path) -> None:
    record = pytest.importorskip("array_record.python.array_record_module")
    import numpy as np

    from melama_jax.data.packing import Packer, RowLayout

    documents = [
        "The heart pumps blood through the body.",
        "Two kidneys make urine.",
        "A fever is a raised temperature.",
    ]
    layout = RowLayout.of(sequence_length=8, vocab_size=SAMPLES.vocab_size)
    packer = Packer(layout)
    eos = [] if SAMPLES.eos_id is None else [SAMPLES.eos_id]
    rows = [row for text in documents for row in packer.add(np.array(SAMPLES.encode(text) + eos))] + packer.finish()
    writer = record.ArrayRecordWriter(str(tmp_path / "validation.array_record"), "group_size:1")
    for row in rows:
        writer.write(row)
    writer.close()
    shards = [{"file": "validation.array_record", "rows": len(rows)}, {"file": "none", "rows": 0}]
    identity = {"vocabulary": {"sha256": SAMPLES.sha256}, "sequence_length": 8}
    manifest = {"identity": identity, "splits": {"validation": {"shards": shards}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    texts, skipped = forgetting.read_texts("general", tmp_path, SAMPLES)
    joined = "".join("".join(text.prompt.split()) for text in texts)
    assert joined == "".join("".join(text.split()) for text in documents)
    assert (len(texts), skipped) == (len(rows), {})
    identity["vocabulary"]["sha256"] = "another"
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(DataError, match="another tokenizer"):
        forgetting.read_texts("general", tmp_path, SAMPLES)


def report(**values: float) -> dict[str, object]:
    """A report with an accuracy of each task, and a perplexity."""
    perplexity = values.pop("perplexity")
    tasks: list[dict[str, object]] = [
        {"task": name, "n": 10, "protocol": {"prompt_sha256": "x"}, "scores": [
            {"answering": "likelihood", "scorer": "raw", "metrics": {"accuracy": {"value": value}}}
        ]}
        for name, value in values.items()
    ]  # fmt: skip
    metrics = {"perplexity": {"value": perplexity, "unit": "per token"}}
    scores = [{"answering": "likelihood", "scorer": "general", "metrics": metrics}]
    return {"tasks": [*tasks, {"task": "forgetting", "n": 3, "protocol": {}, "scores": scores}]}


def test_before_and_after_side_by_side(tmp_path: Path) -> None:
    before = report(medqa=0.25, mmlu_virology=0.5, mmlu_anatomy=0.4, perplexity=9.0, hoc=0.1)
    after = report(medqa=0.45, mmlu_virology=0.4, mmlu_anatomy=0.4, perplexity=11.0)
    table = forgetting.forgetting(before, after)
    rows = {(row[1], row[4]): row for row in table["rows"]}
    assert [row[0] for row in table["rows"]] == ["general", "general", "medical", "medical"]
    assert rows["medqa", "accuracy"][5:] == [25, 45, -20, "won", "yes"]
    assert rows["mmlu_virology", "accuracy"][5:] == [50, 40, 10, "lost", "yes"]
    assert rows["mmlu_anatomy", "accuracy"][5:] == [40, 40, 0, "kept", "yes"]
    assert rows["forgetting", "perplexity"][5:] == [9, 11, -2, "lost", "yes"]

    suites = [
        {
            "tasks": [
                {"task": "fairness", "n": 1, "scores": [{"answering": "generate", "scorer": "greedy", "metrics": m}]}
            ]
        }
        for m in ({"cdr": {"value": 0.2}}, {"cdr": {"value": 0.1}})
    ]
    (fairer,) = forgetting.forgetting(*suites)["rows"]
    assert fairer[4:9] == ["cdr", 20, 10, 10, "won"]

    asked = config(forgetting={"before": str(tmp_path / "before")}, output=str(tmp_path / "after"))
    asker = FakeAsker(engine=SimpleNamespace(max_length=8, vocabulary=SAMPLES))
    with pytest.raises(ConfigError, match=r"forgetting\.before"):
        forgetting.run(interview(asker, tmp_path), asked)
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "report.json").write_text(json.dumps(before))
    (tmp_path / "after" / "medqa").mkdir(parents=True)
    finished = next(task for task in after["tasks"] if task["task"] == "medqa")  # pyright: ignore[reportGeneralTypeIssues]
    (tmp_path / "after" / "medqa" / "scores.json").write_text(json.dumps(finished | {"n": 9}))
    found = forgetting.run(interview(asker, tmp_path), asked)
    (rows_found,) = (table["rows"] for table in found["extra"]["tables"])
    assert [row[1:] for row in rows_found] == [["medqa", "likelihood", "raw", "accuracy", 25, 45, -20, "won", "no"]]


def test_nothing_to_compare_is_not_run(tmp_path: Path) -> None:
    asker = FakeAsker(engine=SimpleNamespace(max_length=8, vocabulary=SAMPLES))
    assert "both empty" in forgetting.run(interview(asker, tmp_path), config())["not_run"]
