"""Instruction records: which are drawn, what is cut, and rows in which each conversation stands alone."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from array_record.python import array_record_module  # pyright: ignore[reportAttributeAccessIssue]

from melama_jax.config import Config, DataConfig, dump_yaml
from melama_jax.data import conversations, sources
from melama_jax.data.cache import check_inputs, plan_caches
from melama_jax.data.chat import ChatTemplate
from melama_jax.data.conversations import CUT, ConversationEncoder
from melama_jax.data.inspect import first_records
from melama_jax.data.loader import training_rows, validation_batches
from melama_jax.data.prepare import prepare
from melama_jax.data.prepared import PreparedData
from melama_jax.data.sources import ScanReport, data_root, find_files
from melama_jax.data.vocabulary import Vocabulary, load_vocabulary
from melama_jax.errors import ConfigError, DataError
from tests.data.corpora import CANARY, MakeConfig, words, write_corpus

REPOSITORY = Path(__file__).resolve().parents[2]
OFFICIAL = REPOSITORY.parent / "shared" / "data"
RECORDS = 40
"""Of each file of the two tasks `talks` (two files) and `more` (one)."""


def conversation(rng: random.Random, exchanges: int, longest: int = 12) -> list[dict[str, str]]:
    roles = ("user", "assistant") * exchanges
    return [{"role": role, "content": words(rng, rng.randint(1, longest))} for role in roles]


def write_records(path: Path, records: Sequence[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"messages": record}) + "\n" for record in records))


def source(glob: str, **options: Any) -> dict[str, Any]:
    return {"glob": glob, "format": "messages", **options}


@pytest.fixture(scope="session")
def instructions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root, rng = write_corpus(tmp_path_factory.mktemp("instructions"), documents=20), random.Random(1)
    for name in ("talks/a", "talks/b", "more/a"):
        write_records(root / f"{name}.jsonl", [conversation(rng, rng.randint(1, 3)) for _ in range(RECORDS)])
    return root


@pytest.fixture
def make(instructions: Path, vocabulary_path: Path, tmp_path: Path) -> Any:
    """Builds a configuration over both tasks; `conversations` takes settings beside the numbers of records."""
    build = MakeConfig(instructions, vocabulary_path, tmp_path / "cache")

    def made(records: dict[str, int] | None = None, *, settings: dict[str, Any] | None = None, **data: Any) -> Config:
        usual: dict[str, Any] = {
            "mixture": "me_llama_instruct",
            "attend_across_documents": False,
            "sequence_length": 96,
            "sources": {"talks": [source("talks/*")], "more": [source("more/*")]},
            "conversations": {"records": records, **(settings or {})},
        }
        return build(**usual | data)

    return made


@pytest.fixture
def vocabulary(vocabulary_path: Path) -> Vocabulary:
    return load_vocabulary(vocabulary_path)


def encoder(vocabulary: Vocabulary, longest: int | None, **settings: Any) -> ConversationEncoder:
    return ConversationEncoder(DataConfig.model_validate({"conversations": settings}), vocabulary, longest)


@pytest.mark.parametrize("template", ["me_llama", "llama2-chat", "alpaca"])
def test_a_conversation_that_is_too_long_loses_its_last_exchanges(vocabulary: Vocabulary, template: str) -> None:
    messages = [{"role": "system", "content": "be brief"}, *conversation(random.Random(0), 4)]
    layout = ChatTemplate.load(template)
    whole = {count: layout.encode_masked(messages[: 1 + 2 * count], vocabulary) for count in (1, 2, 3, 4)}
    for kept in (1, 2, 3):
        for longest in (len(whole[kept][0]), len(whole[kept + 1][0]) - 1):
            found = encoder(vocabulary, longest, template=template).encode(messages)
            assert (list(found.ids), list(found.mask), found.shortened) == (*whole[kept], True)
    untouched = encoder(vocabulary, len(whole[4][0]), template=template).encode(messages)
    assert (untouched.ids, untouched.mask, untouched.shortened) == (*whole[4], False)


@pytest.mark.parametrize("template", ["me_llama", "llama2-chat", "alpaca"])
def test_then_text_in_the_middle_of_the_question_but_never_of_an_answer(vocabulary: Vocabulary, template: str) -> None:
    asked = " ".join(str(number) for number in range(200))
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": "the answer in full"}] * 2
    for longest in (60, 100, 101, 102, 103, 400):
        found = encoder(vocabulary, longest, template=template).encode(messages)
        assert longest - 6 <= len(found.ids) <= longest
        assert found.shortened
        said = [part for part, trained in found.parts if trained and isinstance(part, str)]
        assert [text.strip() for text in said] == ["the answer in full"]
        assert found.ids[-1] == vocabulary.eos_id
        assert found.mask[-1]
        question = "".join(part for part, trained in found.parts if not trained and isinstance(part, str))
        head, tail = question.split(CUT)
        assert "0 1" in head
        assert "8 199" in tail


def test_what_cannot_be_shortened_is_left_out_with_its_reason(vocabulary: Vocabulary) -> None:
    long, short = words(random.Random(0), 80), "the dose"

    def reason(asked: str, answer: str, longest: int | None = 60, **settings: Any) -> str | None:
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
        found = encoder(vocabulary, longest, **settings).encode(messages)
        assert bool(found.left_out) != bool(found.ids)
        return found.left_out

    assert reason(short, short) is None
    assert reason(short, long) == reason(long, long) == "dropped_too_long"
    assert reason(long, short) is None
    assert reason(long, short, too_long="drop") == "dropped_too_long"
    assert reason(long, short, None, too_long="drop") is None
    twice = [{"role": "user", "content": "x"}] * 2
    assert encoder(vocabulary, 60).encode([*twice, {"role": "tool", "content": "x"}]).left_out == "refused_by_template"
    assert encoder(vocabulary, 60).encode(twice).left_out == "nothing_to_learn"


def rows_of(prepared: PreparedData, task: str, split: str) -> list[dict[str, np.ndarray]]:
    """Rows of a split as they lie on disk."""
    layout = prepared.layout_of(task)
    length = layout.sequence_length + 1
    found = []
    for path in getattr(prepared.tasks[task], split).paths:
        for record in array_record_module.ArrayRecordReader(str(path)).read_all():
            found.append(
                {
                    "tokens": np.frombuffer(record, layout.token_dtype, length),
                    "segments": np.frombuffer(record, layout.segment_dtype, length, layout.token_bytes),
                    "mask": np.frombuffer(record, np.uint8, length, layout.mask_offset),
                }
            )
    return found


def kept(prepared: PreparedData, task: str, split: str) -> Counter[tuple[tuple[int, ...], tuple[bool, ...]]]:
    """Ids and mask of every conversation in the rows of a split."""
    return Counter(
        (tuple(row["tokens"][here].tolist()), tuple(row["mask"][here].astype(bool).tolist()))
        for row in rows_of(prepared, task, split)
        for segment in range(1, row["segments"].max() + 1)
        for here in [row["segments"] == segment]
    )


def read(config: Config, task: str) -> dict[str, list[tuple[tuple[int, ...], tuple[bool, ...]]]]:
    """What every conversation of a task should become, by split."""
    data, vocabulary = config.data, load_vocabulary(config.data.vocabulary)
    laid_out = encoder(vocabulary, config.train.sequence_length + 1)
    sides: dict[str, list[Any]] = {"train": [], "validation": []}
    for file in find_files(task, data.sources[task], data_root(data))[0]:
        for item, held_out, _ in conversations.read_sides(file, ScanReport(), data):
            found = laid_out.encode(item.messages)
            sides["validation" if held_out else "train"].append((tuple(found.ids), tuple(found.mask)))
    return sides


def test_rows_hold_each_conversation_once_and_whole(make: Any) -> None:
    config = make(settings={}, mixture="talks", sources={"talks": [source("talks/*")]})
    prepared = prepare(config, workers=1)
    expected = read(config, "talks")
    assert min(len(side) for side in expected.values()) > 2
    for split, side in expected.items():
        assert kept(prepared, "talks", split) == Counter(side)
        facts = getattr(prepared.tasks["talks"], split)
        assert facts.documents == len(side)
        assert facts.tokens == sum(len(ids) for ids, _ in side)
        assert facts.trained_tokens == sum(sum(mask) for _, mask in side)
    assert prepared.rows_per_epoch == prepared.tasks["talks"].train.rows
    assert prepared.tasks["talks"].manifest["counts"]["available"] == len(expected["train"])


def test_exactly_the_records_asked_for_are_drawn_whatever_the_shards(
    make: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn = {}
    for name, shard_bytes in (("whole", 2**20), ("split", 100)):
        monkeypatch.setattr(sources, "SHARD_BYTES", shard_bytes)
        config = make({"talks": 25, "more": 1000}, cache_dir=str(tmp_path / name))
        prepared = prepare(config, workers=1)
        assert len(prepared.tasks["talks"].manifest["splits"]["train"]["shards"]) == (2 if name == "split" else 1)
        drawn[name] = kept(prepared, "talks", "train")
        assert drawn[name].total() == prepared.tasks["talks"].train.documents == 25
        everything = read(config, "talks")
        assert drawn[name] <= Counter(everything["train"])
        assert kept(prepared, "talks", "validation") == Counter(everything["validation"])
        assert kept(prepared, "more", "train") == Counter(read(config, "more")["train"])
        assert prepared.tasks["talks"].manifest["counts"]["drawn"] == 25
        assert prepared.tasks["more"].manifest["identity"]["conversations"]["records"] == 1000
    assert drawn["whole"] == drawn["split"]


def test_a_smaller_draw_is_part_of_a_larger_one_and_the_seed_decides_both(make: Any) -> None:
    def places(count: int, seed: int = 0) -> set[tuple[str, int]]:
        data = make({"talks": 1, "more": 1}, settings={"seed": seed}).data
        files, _ = find_files("talks", data.sources["talks"], data_root(data))
        found = conversations.draw(conversations.lowest(files, files, data, count), files, count)
        return {(file.name, place) for file, drawn in found.items() for place in drawn}

    assert places(10) < places(25)
    assert len(places(25)) == 25
    assert places(25, seed=1) != places(25)


def test_equal_records_are_drawn_no_more_often_than_asked(make: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_records(tmp_path / "same" / f"{name}.jsonl", [conversation(random.Random(0), 1)] * 30)
    data = make({"same": 40}, root=str(tmp_path), sources={"same": [source("same/*", split="train")]}).data
    files, _ = find_files("same", data.sources["same"], tmp_path)
    apart = [rank for file in files for rank in conversations.lowest([file], files, data, 40)]
    drawn = conversations.draw(apart, files, 40)
    assert [len(drawn[file]) for file in files] == [30, 10]


def test_records_that_share_a_question_are_on_one_side_but_drawn_apart(make: Any, tmp_path: Path) -> None:
    asked = {f"question {number}": [f"answer {count}" for count in range(40)] for number in range(6)}
    records = [
        [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        for question, answers in asked.items()
        for answer in answers
    ]
    write_records(tmp_path / "own" / "a.jsonl", records)
    given = {"root": str(tmp_path), "sources": {"own": [source("own/*")]}, "validation_fraction": 0.5}
    data = make({"own": 30}, **given).data
    files, _ = find_files("own", data.sources["own"], tmp_path)
    sides = [
        (item.messages[0]["content"], held_out)
        for item, held_out, _ in conversations.read_sides(files[0], ScanReport(), data)
    ]
    training = {question for question, held_out in sides if not held_out}
    assert 1 < len(training) < 6
    assert {question for question, held_out in sides if held_out} == asked.keys() - training
    [drawn] = conversations.draw(conversations.lowest(files, files, data, 30), files, 30).values()
    assert len(drawn) == 30
    assert {sides[place][0] for place in drawn} == training


def test_an_epoch_of_a_mixture_by_records_reads_every_row_once(make: Any) -> None:
    prepared = prepare(make({"talks": 30, "more": 20}), workers=1)
    rows = {name: task.train.rows for name, task in prepared.tasks.items()}
    assert prepared.rates == rows
    count = prepared.rows_per_epoch or 0
    assert count == sum(rows.values())
    order: Any = training_rows(prepared, seed=0, attend_across_documents=False)
    on_disk = Counter(
        row["tokens"][1:].astype(np.int32).tobytes() for name in rows for row in rows_of(prepared, name, "train")
    )
    for epoch in range(2):
        assert Counter(order[epoch * count + index]["targets"].tobytes() for index in range(count)) == on_disk


def test_text_and_conversations_mix_by_rates(make: Any) -> None:
    config = make(
        mixture="me_llama_pretrain",
        rates={"general": 1, "talks": 3},
        sources={"talks": [source("talks/*")]},
        conversations={},
    )
    prepared = prepare(config, workers=1)
    assert prepared.rows_per_epoch is None
    rows: Any = training_rows(prepared, seed=0, attend_across_documents=False)
    talking = {row["tokens"][1:].astype(np.int32).tobytes() for row in rows_of(prepared, "talks", "train")}
    assert sum(rows[index]["targets"].tobytes() in talking for index in range(40)) == 30
    for task in ("general", "talks"):
        options = {"max_rows": 2, "batch_rows": 2, "local_rows": [0, 1], "attend_across_documents": False}
        assert validation_batches(prepared, task, **options)[0]["loss_weights"].any()
    assert [row["task"] for row in prepared.summary()] == ["general", "talks"]
    [talks] = prepared.summary_of_conversations()
    available = prepared.tasks["talks"].manifest["counts"]["available"]
    assert (talks["task"], talks["drawn"], talks["asked for"]) == ("talks", f"{available} of {available}", "all")
    train, held_out = prepared.tasks["talks"].train, prepared.tasks["talks"].validation
    assert talks["held out"] == str(held_out.documents)
    assert talks["rows filled"] == f"{train.tokens / (train.rows * 97):.1%}"
    trained, tokens = train.trained_tokens + held_out.trained_tokens, train.tokens + held_out.tokens
    assert talks["learned from"] == f"{trained:,} ({trained / tokens:.1%})"


@pytest.mark.parametrize(
    "change",
    [
        {"settings": {"template": "alpaca"}},
        {"settings": {"seed": 1}},
        {"settings": {"too_long": "drop"}},
        {"records": {"talks": 11}},
        {"sources": {"talks": [source("talks/*", format="conversations")]}},
        {"sequence_length": 97},
        {"validation_fraction": 0.2},
    ],
)
def test_what_decides_conversations_changes_their_fingerprint(make: Any, change: dict[str, Any]) -> None:
    def fingerprint(**given: Any) -> str:
        usual: dict[str, Any] = {"records": {"talks": 10}, "sources": {"talks": [source("talks/*")]}}
        return plan_caches(make(**usual | given)).tasks[0].fingerprint

    assert fingerprint(**change) != fingerprint()
    assert fingerprint(add_bos=True) == fingerprint()  # control tokens are the template's


def test_wordings_change_the_fingerprint(make: Any, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(json.dumps({"instruction": "a", "input": "", "output": "b"}) + "\n")

    def fingerprint(text: str) -> str:
        (tmp_path / "own.yaml").write_text(f"name: own\nversion: 1\nuser: ['{text}']\n")
        own = {"glob": "*.jsonl", "format": "instruction", "prompts": str(tmp_path / "own.yaml")}
        config = make(mixture="own", root=str(tmp_path), sources={"own": [own]})
        return plan_caches(config).tasks[0].fingerprint

    assert fingerprint("{{ instruction }}") != fingerprint("Do: {{ instruction }}")


def test_settings_of_conversations_do_not_touch_the_rows_of_text(make_config: MakeConfig) -> None:
    def fingerprints(**settings: Any) -> list[str]:
        return [task.fingerprint for task in plan_caches(make_config(conversations=settings)).tasks]

    assert fingerprints(seed=1, template="alpaca", too_long="drop") == fingerprints()


def test_absent_tasks_are_named_at_once_or_said_to_be_left_out(make: Any, tmp_path: Path) -> None:
    records = {"talks": 10, "nowhere": 5, "other": 5}
    given = {
        "talks": [source("talks/*")],
        "nowhere": [source("nowhere/*"), source("no/*.json")],
        "other": [source("general/*")],
    }
    with pytest.raises(DataError) as caught:
        check_inputs(make(records, sources=given))
    for part in (
        "2 of 3 tasks",
        "nowhere: 'nowhere/*', 'no/*.json'",
        "other: 'general/*' (2 files with other",
        "allow_absent",
    ):
        assert part in str(caught.value)
    lines: list[str] = []
    config = make(records, sources=given, settings={"allow_absent": True})
    rates, _, found = check_inputs(config, echo=lines.append)
    assert (list(rates), list(found)) == (["talks"], ["talks"])
    assert len(lines) == 1
    assert "nowhere: 'nowhere/*'" in lines[0]
    assert list(prepare(config, workers=1, echo=lines.append).tasks) == ["talks"]
    with pytest.raises(DataError, match=r"me_llama_instruct: 21 of 21 tasks have no files .*alpaca: 'alpaca/\*'"):
        check_inputs(make(root=str(tmp_path), sources={}, settings={"allow_absent": True}))
    with pytest.raises(DataError, match=r"data\.sources\.medquad: no file matches 'medquad/\*' .*endings read: .*xml"):
        check_inputs(make(mixture="medquad", sources={}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"settings": {"template": "llama3"}}, r"llama3\.jinja: the chat template writes <\|begin_of_text\|>"),
        ({"settings": {"template": "lama3"}}, "chat template 'lama3': no such file"),
        (
            {"sources": {"talks": [source("talks/*"), {"glob": "general/*"}]}},
            r"data\.sources\.talks: has both text and",
        ),
        ({"rates": {"talks": 1}}, r"data\.rates and data\.conversations\.records are both given"),
        ({"records": {"talk": 1}}, r"records\.talk: data\.sources has no such task; did you mean talks"),
        ({"records": {"alpaca": 2}}, r"data\.sources\.talks: .* does not use this task"),
        ({"sources": {"talks": [{"glob": "general/*"}]}}, r"records\.talks: holds text, not conversations"),
        (
            {"sources": {"talks": [{"glob": "talks/*", "format": "instruction", "prompts": "nothing"}]}},
            "wordings 'nothing'",
        ),
    ],
)
def test_mistakes_are_found_before_anything_is_read(make: Any, given: dict[str, Any], message: str) -> None:
    usual: dict[str, Any] = {"records": {"talks": 5}, "sources": {"talks": [source("talks/*")]}}
    with pytest.raises(ConfigError, match=message):
        check_inputs(make(**usual | given))


def test_what_is_cut_or_left_out_is_counted_without_its_text(
    make: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = {"short": "the dose", "long": words(random.Random(0), 300)}
    write_records(
        tmp_path / "own" / "a.jsonl",
        [
            *[conversation(random.Random(n), 1) for n in range(20)],
            *[
                [{"role": "user", "content": CANARY + said[q]}, {"role": "assistant", "content": CANARY + said[a]}]
                for q, a in (("long", "short"), ("short", "long"), ("long", "short"))
            ],
        ],
    )
    config = make(mixture="own", root=str(tmp_path), sources={"own": [source("own/*", split="train")]})
    prepared = prepare(config, workers=1)
    manifest = prepared.tasks["own"].manifest
    assert manifest["skipped"] == {"dropped_too_long": 1}
    assert manifest["first_locations"] == {"dropped_too_long": "own/a.jsonl, record 22"}
    assert manifest["counts"] == {"available": 23, "drawn": 23, "shortened": 2}
    assert prepared.summary_of_conversations()[0]["shortened"] == "2"
    assert prepared.tasks["own"].train.documents == 22
    printed = capfd.readouterr()
    assert CANARY not in printed.out + printed.err + json.dumps(manifest)


def test_records_that_the_template_refuses_stop_the_preparation(make: Any, tmp_path: Path) -> None:
    template = tmp_path / "once.jinja"
    template.write_text(
        "{% if messages | length > 4 or messages[0].content == 'no' %}{{ raise_exception('refused') }}{% endif %}"
        + ChatTemplate.load("me_llama").source
    )
    refused = [{"role": "user", "content": "no"}, {"role": "assistant", "content": CANARY}]
    write_records(tmp_path / "own" / "a.jsonl", [*[conversation(random.Random(n), 1) for n in range(9)], refused])
    own = {"mixture": "own", "root": str(tmp_path), "sources": {"own": [source("own/*", split="train")]}}
    with pytest.raises(DataError, match=r"1 refused_by_template; first at own/a\.jsonl, record 10") as caught:
        prepare(make(settings={"template": str(template)}, **own), workers=1)
    assert CANARY not in str(caught.value)


@pytest.fixture
def registered(make: Any) -> Iterator[tuple[Config, Any]]:
    seqio = pytest.importorskip("seqio")
    from melama_jax.data import tasks

    config = make({"talks": 25, "more": 10})
    tasks.register(config.data)
    yield config, seqio
    tasks.register(DataConfig())


def test_seqio_gives_the_drawn_conversations_with_their_mask(registered: tuple[Config, Any]) -> None:
    config, seqio = registered
    mixture = seqio.get_mixture_or_task("me_llama_instruct")
    assert mixture.rate_per_task_name == {"talks": 25, "more": 10}
    length = config.train.sequence_length + 1
    lengths = {"targets": length, "loss_mask": length}
    task = seqio.TaskRegistry.get("talks")
    for split, count in (("train", 25), ("validation", len(read(config, "talks")["validation"]))):
        examples = list(task.get_dataset(lengths, split, shuffle=False).as_numpy_iterator())
        assert len(examples) == count
        found = Counter((tuple(e["targets"].tolist()), tuple(e["loss_mask"].astype(bool).tolist())) for e in examples)
        assert found <= Counter(read(config, "talks")[split])
    example = next(iter(mixture.get_dataset(lengths, "train", seed=0).as_numpy_iterator()))
    assert len(example["targets"]) == len(example["loss_mask"]) <= length


def test_the_published_mixture_is_in_the_registry(registered: tuple[Config, Any]) -> None:
    _, seqio = registered
    from melama_jax.config.conversations import INSTRUCT_TASKS, ME_LLAMA_INSTRUCT
    from melama_jax.data import tasks

    assert set(INSTRUCT_TASKS) <= set(seqio.TaskRegistry.names())
    tasks.register(DataConfig())
    assert seqio.get_mixture_or_task("me_llama_instruct").rate_per_task_name == ME_LLAMA_INSTRUCT


def test_a_dry_run_sees_the_first_record_of_each_source(make: Any, tmp_path: Path, vocabulary: Vocabulary) -> None:
    first = [{"role": "user", "content": "the dose?"}, {"role": "assistant", "content": "one dose"}]
    secret = [{"role": "user", "content": CANARY}, {"role": "assistant", "content": CANARY}]
    write_records(tmp_path / "open" / "a.jsonl", [first, *[conversation(random.Random(n), 1) for n in range(250)]])
    write_records(tmp_path / "notes" / "a.jsonl", [secret])
    (tmp_path / "general").mkdir()
    (tmp_path / "general" / "a.txt").write_text("the patient was seen " * 100)
    config = make(
        mixture="me_llama_pretrain",
        root=str(tmp_path),
        rates={"talk": 1, "general": 1},
        sources={"talk": [source("open/*"), source("notes/*", protected=True)]},
        conversations={},
    )
    records, statistics = first_records(config)
    shown, hidden, text = records
    assert (shown.task, shown.file, hidden.file, text.file) == (
        "talk",
        "open/a.jsonl",
        "notes/a.jsonl",
        "general/a.txt",
    )
    assert shown.pieces == (("Human: \nthe dose?\n\nAssistant: \n", False), ("one dose", True), ("</s>", True))
    assert shown.tokens == len(ChatTemplate.load("me_llama").encode(first, vocabulary, False))
    assert hidden.pieces is None
    assert CANARY not in repr((records, statistics))
    assert text.pieces is not None
    ((said, trained),) = text.pieces
    assert trained
    assert len(vocabulary.encode(said)) == config.train.sequence_length
    talk, general = statistics
    assert (talk.records, general.records) == (101, 1)  # 100 of each source at most
    assert talk.median <= talk.p95 <= talk.longest
    assert 0 < talk.trained_share < 1
    assert (general.mean, general.trained_share) == (text.tokens, 1.0)


WITHOUT_TENSORFLOW = """
import sys
from melama_jax.config import load
from melama_jax.data.inspect import first_records
first_records(load(sys.argv[1]))
loaded = {"tensorflow", "seqio"} & {name.split(".")[0] for name in sys.modules}
assert not loaded, loaded
"""


def test_a_dry_run_never_imports_tensorflow(make: Any, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(dump_yaml(make({"talks": 5, "more": 5})))
    command = [sys.executable, "-c", WITHOUT_TENSORFLOW, str(tmp_path / "config.yaml")]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_real_records_fill_their_rows(make_config: MakeConfig, tmp_path: Path) -> None:
    """Published records at the paper's length: more than 95% of the rows' tokens are real."""
    model = OFFICIAL / "tokenizer" / "open_llama_3b.model"
    if not model.is_file() or not (OFFICIAL / "instruct").is_dir():
        pytest.skip("the shared data is not here")
    given = {"alpaca": "instruct/alpaca_en_demo.json.gz", "medquad": "instruct/medquad_xml.tar.gz"}
    config = make_config(
        root=str(OFFICIAL),
        mixture="me_llama_instruct",
        vocabulary=str(model),
        vocab_size=32000,
        sequence_length=1024,
        attend_across_documents=False,
        sources={task: [{"glob": glob, "format": task}] for task, glob in given.items()},
        conversations={"records": dict.fromkeys(given, 500)},
    )
    model_config = config.model.model_copy(update={"max_position_embeddings": 4096})
    train = config.train.model_copy(update={"sequence_length": 4096})
    prepared = prepare(config.model_copy(update={"model": model_config, "train": train}), workers=1)
    rows = sum(task.train.rows for task in prepared.tasks.values())
    tokens = sum(task.train.tokens for task in prepared.tasks.values())
    assert tokens > 0.95 * rows * 4097
