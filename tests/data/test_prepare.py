from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from array_record.python import array_record_module  # pyright: ignore[reportAttributeAccessIssue]

from melama_jax.config import Config, dump_yaml
from melama_jax.data import sources
from melama_jax.data.packing import unpack_row
from melama_jax.data.prepare import ensure_prepared, prepare
from melama_jax.data.prepared import PreparedData
from melama_jax.data.progress import Progress
from melama_jax.data.sources import ScanReport, data_root, find_files, is_validation, read_documents
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConfigError, DataError
from tests.data.corpora import CANARY, MakeConfig, pack, write_tokenizer_json

REPOSITORY = Path(__file__).resolve().parents[2]


def all_files(config: Config) -> dict[str, bytes]:
    root = Path(config.data.cache_dir)
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.glob("*/*"))
        if path.suffix in (".array_record", ".json")
    }


def test_rows_are_the_documents_tokens_in_order(prepared: PreparedData, prepared_config: Config) -> None:
    data = prepared_config.data
    vocabulary = load_vocabulary(data.vocabulary)
    for name, task in prepared.tasks.items():
        files, left_out = find_files(name, data.sources[name], data_root(data))
        texts = [(text, file.source) for file in files for text in read_documents(file, ScanReport())]
        for split in ("train", "validation"):
            tokens = [
                np.asarray([*vocabulary.encode(text.decode()), 2])
                for text, source in texts
                if is_validation(text, source, data.validation_fraction) == (split == "validation")
            ]
            (path,) = getattr(task, split).paths
            records = array_record_module.ArrayRecordReader(str(path)).read_all()
            assert records == list(pack(iter(tokens), prepared.layout))
            facts = getattr(task, split)
            assert (facts.documents, facts.tokens) == (len(tokens), sum(len(ids) for ids in tokens))
            assert facts.rows == len(records)
            assert task.manifest["splits"][split]["largest_token_id"] == max(ids.max() for ids in tokens)
        assert task.manifest["files_left_out"] == left_out


def test_a_prepared_cache_is_returned_at_once(
    prepared: PreparedData, prepared_config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", fail)
    lines: list[str] = []
    again = ensure_prepared(prepared_config, echo=lines.append)
    assert again == prepared
    assert lines == []


def test_summary_names_every_figure(prepared: PreparedData) -> None:
    rows = {row["task"]: row for row in prepared.summary()}
    assert rows["biomedical"]["rate"] == "75.0%"
    assert rows["biomedical"]["files"] == "2"
    assert rows["general"]["files left out"] == "1"
    assert rows["clinical"]["documents"] == "60"


def test_the_fingerprint_covers_rates_as_proportions(prepared: PreparedData, prepared_config: Config) -> None:
    def fingerprint(**rates: float) -> str:
        data = prepared_config.data.model_copy(update={"rates": rates})
        return ensure_prepared(prepared_config.model_copy(update={"data": data})).fingerprint

    assert fingerprint(biomedical=0.75, clinical=0.05, general=0.2) == prepared.fingerprint
    assert fingerprint(biomedical=15, clinical=1, general=5) != prepared.fingerprint


def test_two_workers_write_the_same_bytes_as_one(make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:  # fmt: skip # noqa: E501
    monkeypatch.setattr(sources, "SHARD_BYTES", 1000)
    caches = []
    for workers in (1, 2):
        config = make_config(cache_dir=str(tmp_path / f"cache{workers}"))
        assert prepare(config, workers=workers).tasks["biomedical"].manifest["splits"]["train"]["shards"][1]["rows"]
        caches.append(all_files(config))
    assert caches[0] == caches[1]


KILLED_BUILDER = """
import sys, time
from melama_jax.config import load
from melama_jax.data import build, sources
from melama_jax.data.prepare import prepare
sources.SHARD_BYTES = 1000
finish, done = build._SplitWriter.finish, []
def finish_two_shards(writer):
    done.append(writer)
    if len(done) > 5:
        print("hanging", flush=True)
        time.sleep(600)
    return finish(writer)
build._SplitWriter.finish = finish_two_shards
prepare(load(sys.argv[1]), workers=1)
"""


def test_after_kill_9_the_rebuilt_cache_equals_an_uninterrupted_one(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "SHARD_BYTES", 1000)
    config = make_config(cache_dir=str(tmp_path / "killed"))
    (tmp_path / "config.yaml").write_text(dump_yaml(config))
    command = [sys.executable, "-c", KILLED_BUILDER, str(tmp_path / "config.yaml")]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout is not None
        assert any("hanging" in line for line in process.stdout)
        process.send_signal(signal.SIGKILL)
    killed = Path(config.data.cache_dir)
    kept = {path: path.stat().st_ino for path in killed.glob("*/shard-*.json")}
    assert len(kept) == 2
    assert list(killed.glob("*/*.tmp-*"))
    assert not list(killed.glob("*/manifest.json"))

    lines: list[str] = []
    prepare(config, workers=1, echo=lines.append)
    assert {path: path.stat().st_ino for path in kept} == kept
    assert not list(killed.glob("*/*.tmp-*"))
    whole = make_config(cache_dir=str(tmp_path / "whole"))
    prepare(whole, workers=1)
    assert all_files(config) == all_files(whole)


def test_a_stale_cache_is_rebuilt_and_only_the_damaged_shard(
    make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "SHARD_BYTES", 1000)
    config = make_config(mixture="biomedical")
    before = prepare(config, workers=1)
    good, damaged = before.tasks["biomedical"].train.paths
    kept = good.stat().st_ino
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[: len(whole) // 2])
    lines: list[str] = []
    after = prepare(config, workers=1, echo=lines.append)
    assert after == before
    assert damaged.read_bytes() == whole
    assert good.stat().st_ino == kept
    assert any("1 of 2 shards are already done" in line for line in lines)


@pytest.fixture
def bad_corpus(make_config: MakeConfig, tmp_path: Path) -> Config:
    root = tmp_path / "bad"
    root.mkdir()
    lines = [json.dumps({"text": f"good record number {n}"}) for n in range(40)]
    lines[4] = '{"text": "' + CANARY
    lines[5] = '{"note": "' + CANARY + '"}'
    lines[6] = '{"text": ["' + CANARY + '"]}'
    (root / "a.jsonl").write_text("\n".join(lines))
    return make_config(root=str(root), mixture="clinical", sources={"clinical": [{"glob": "*.jsonl"}]})


def test_bad_records_stop_a_run_without_their_text(
    bad_corpus: Config, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Through the child process, as training meets it: one error here, none printed there."""
    with pytest.raises(DataError) as caught:
        ensure_prepared(bad_corpus)
    message = str(caught.value)
    for part in ("3 of 40 records", "1 bad_json", "a.jsonl:5 (bad_json)", "data.max_bad_record_fraction", "0.0751"):
        assert part in message
    printed = capfd.readouterr()
    assert "error:" not in printed.err
    assert "Traceback" not in printed.err
    assert CANARY not in printed.out + printed.err + message
    for path in (tmp_path / "cache").rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()


def test_a_note_that_spells_eos_stays_one_document(make_config: MakeConfig, tmp_path: Path) -> None:
    vocabulary = load_vocabulary(write_tokenizer_json(tmp_path, eos="</s>"))
    text = "the note says </s> and <|begin_of_text|> in the middle"
    (tmp_path / "a.txt").write_text(text)
    config = make_config(
        root=str(tmp_path),
        mixture="clinical",
        sources={"clinical": [{"glob": "*.txt", "split": "train"}]},
        vocabulary=str(vocabulary.path),
        sequence_length=128,
    )
    prepared = prepare(config, workers=1)
    (path,) = prepared.tasks["clinical"].train.paths
    (record,) = array_record_module.ArrayRecordReader(str(path)).read_all()
    row = unpack_row(record, prepared.layout, attend_across_documents=False)
    count = int(row["segment_ids"].sum())
    assert row["segment_ids"].max() == 1
    assert row["inputs"][:count].tolist() == [*vocabulary.encode(text), vocabulary.eos_id]
    assert vocabulary.decode(row["inputs"][:count]) == text


def test_bad_records_within_the_share_are_counted(bad_corpus: Config) -> None:
    data = bad_corpus.data.model_copy(update={"max_bad_record_fraction": 0.0751})
    prepared = prepare(bad_corpus.model_copy(update={"data": data}), workers=1)
    manifest = prepared.tasks["clinical"].manifest
    assert manifest["skipped"] == {"bad_json": 1, "missing_field": 1, "not_text": 1}
    assert manifest["first_locations"]["missing_field"] == "a.jsonl:6"
    with pytest.raises(DataError, match=r"raise data\.max_bad_record_fraction"):
        prepare(bad_corpus, workers=1)


def test_errors_inside_tensorflow_keep_their_message(make_config: MakeConfig, tmp_path: Path) -> None:
    whole = gzip.compress(b'{"text": "a record"}\n' * 4000)
    (tmp_path / "a.jsonl.gz").write_bytes(whole[:-30])
    config = make_config(root=str(tmp_path), mixture="general", sources={"general": [{"glob": "*.gz"}]})
    with pytest.raises(DataError, match=r"a\.jsonl\.gz: is damaged or cut-off gzip"):
        prepare(config, workers=1)
    assert not list(Path(config.data.cache_dir).glob("*/*.tmp-*"))
    assert not list(Path(config.data.cache_dir).glob("*/shard-*"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"1 files match '\*' .*give no training rows \(0 records"),
        ('{"text": " "}\n', r"\(1 records, 1 empty, 0 documents for training"),
    ],
)
def test_a_task_without_training_rows_is_an_error(
    make_config: MakeConfig, tmp_path: Path, content: str, message: str
) -> None:
    root = tmp_path / "empty"
    root.mkdir()
    (root / "a.jsonl").write_text(content)
    with pytest.raises(DataError, match=message):
        prepare(make_config(root=str(root), mixture="general", sources={"general": [{"glob": "*"}]}), workers=1)


def test_a_tiny_corpus_without_held_out_rows_warns(make_config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("only one document")
    config = make_config(
        root=str(tmp_path), mixture="general", sources={"general": [{"glob": "*.txt"}]}, validation_fraction=1e-9
    )
    lines: list[str] = []
    prepared = prepare(config, workers=1, echo=lines.append)
    assert prepared.tasks["general"].validation.rows == 0
    assert any(line.startswith("WARNING: general has no held-out rows") for line in lines)


def test_a_token_beyond_the_model_is_refused_before_anything_is_read(make_config: MakeConfig) -> None:
    config = make_config(vocab_size=256)
    with pytest.raises(ConfigError, match=r"320 tokens but model\.vocab_size is 256"):
        ensure_prepared(config)
    assert not Path(config.data.cache_dir).exists()


def test_the_command_ends_with_one_line_and_exit_code_2(make_config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(dump_yaml(make_config(root=str(tmp_path / "none"))))
    command = [sys.executable, "-m", "melama_jax.data.prepare", "--config", str(tmp_path / "config.yaml")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert result.returncode == 2
    assert result.stderr == f"error: data.root: {tmp_path / 'none'} is not a folder\n"


def test_progress_prints_lines_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    lines: list[str] = []
    with Progress(4 * 2**20, echo=lines.append, line_seconds=0) as progress:
        progress.update("a", 2**20, 300)
        progress.update("b", 2**20, 200)
    assert "2.0 of 4.0 MiB (50%), 500 tokens" in lines[-1]
