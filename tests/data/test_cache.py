from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from melama_jax.config import Config
from melama_jax.data import cache
from melama_jax.data.cache import plan_caches, why_stale
from melama_jax.data.prepared import PreparedData
from melama_jax.errors import ConfigError, DataError
from tests.data.corpora import MakeConfig, train_vocabulary, write_corpus


def fingerprints(config: Config) -> dict[str, str]:
    return {task.task: task.fingerprint for task in plan_caches(config).tasks}


@pytest.fixture
def copy(tmp_path: Path, vocabulary_path: Path) -> MakeConfig:
    """A corpus of its own, to be edited."""
    return MakeConfig(write_corpus(tmp_path / "corpus", documents=5), vocabulary_path, tmp_path / "cache")


@pytest.mark.parametrize(
    "change",
    [
        {"sequence_length": 33},
        {"add_eos": False},
        {"add_bos": True},
        {"validation_fraction": 0.2},
        {"sources": {"biomedical": [{"glob": "biomedical/*", "split": "train"}]}},
        {"sources": {"biomedical": [{"glob": "biomedical/a*"}]}},
    ],
)
def test_what_decides_the_rows_changes_the_fingerprint(copy: MakeConfig, change: dict[str, object]) -> None:
    assert fingerprints(copy())["biomedical"] != fingerprints(copy(**change))["biomedical"]  # pyright: ignore


def test_where_files_lie_and_attention_do_not(copy: MakeConfig, tmp_path: Path) -> None:
    before = fingerprints(copy())
    moved = shutil.move(copy.defaults["root"], tmp_path / "elsewhere")
    assert fingerprints(copy(root=str(moved), attend_across_documents=False, max_bad_record_fraction=0.5)) == before


def test_another_vocabulary_changes_the_fingerprint(copy: MakeConfig, tmp_path: Path) -> None:
    before = fingerprints(copy())
    moved = shutil.copy(copy.defaults["vocabulary"], tmp_path / "moved.model")
    assert fingerprints(copy(vocabulary=str(moved))) == before
    other = train_vocabulary(tmp_path / "other.model", seed=1)
    assert fingerprints(copy(vocabulary=str(other))) != before


@pytest.mark.parametrize("old", [False, True])
def test_an_edited_file_is_noticed_even_at_the_same_size(copy: MakeConfig, old: bool) -> None:
    path = Path(copy.defaults["root"]) / "general" / "book.txt"
    if old:  # Long ago, so that the hash is remembered.
        os.utime(path, (10**9, 10**9))
    before = fingerprints(copy())
    path.write_text(path.read_text().swapcase())
    after = fingerprints(copy())
    assert after["general"] != before["general"]
    assert after["clinical"] == before["clinical"]


def test_hashes_are_remembered(copy: MakeConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in Path(copy.defaults["root"]).glob("*/*"):
        os.utime(path, (10**9, 10**9))
    before = fingerprints(copy())

    def fail(*_: object) -> None:
        raise AssertionError("hashed again")

    monkeypatch.setattr(cache.hashlib, "file_digest", fail)
    assert fingerprints(copy()) == before


def test_a_vocabulary_larger_than_the_model_is_refused_with_both_numbers(make_config: MakeConfig) -> None:
    with pytest.raises(ConfigError, match=r"320 tokens but model\.vocab_size is 256"):
        plan_caches(make_config(vocab_size=256))


def test_padding_holds_no_token_of_the_vocabulary(make_config: MakeConfig) -> None:
    config = make_config(vocab_size=324)
    for padding, refused in ((4, False), (5, True)):
        model = config.model.model_copy(update={"vocab_padding": padding})
        padded = config.model_copy(update={"model": model})
        if refused:
            with pytest.raises(
                ConfigError, match=r"324 and model\.vocab_padding 5; set model\.vocab_size to 325 or more"
            ):
                cache.check_inputs(padded)
        else:
            cache.check_inputs(padded)


def test_folders_are_private(prepared: PreparedData) -> None:
    for task in prepared.tasks.values():
        assert task.folder.stat().st_mode & 0o777 == 0o700
        assert task.folder.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("damage", ["deleted", "cut", "another"])
def test_a_damaged_shard_is_stale(
    prepared: PreparedData, prepared_config: Config, tmp_path: Path, split: str, damage: str
) -> None:
    shutil.copytree(prepared.tasks["general"].folder.parent, tmp_path / "cache")
    config = prepared_config.model_copy(
        update={"data": prepared_config.data.model_copy(update={"cache_dir": str(tmp_path / "cache")})}
    )
    plan = next(task for task in plan_caches(config).tasks if task.task == "general")
    assert why_stale(plan) is None
    path = plan.shard_file(split, 0)
    if damage == "deleted":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-1000])
    else:  # As large, but no rows.
        path.write_bytes(b"\0" * path.stat().st_size)
    assert path.name in (why_stale(plan) or "")


def test_staleness_says_what_changed(prepared: PreparedData, prepared_config: Config) -> None:
    def reason(**data: object) -> str:
        update = {"data": prepared_config.data.model_copy(update=data)}
        return why_stale(plan_caches(prepared_config.model_copy(update=update)).tasks[0]) or ""

    assert "add_bos" in reason(add_bos=True)
    narrower = prepared_config.data.sources["biomedical"][0].model_copy(update={"glob": "biomedical/a*"})
    sources = prepared_config.data.sources | {"biomedical": (narrower,)}
    assert "biomedical/b.jsonl.gz (gone)" in reason(sources=sources)


def test_a_file_that_changes_while_it_is_read_is_an_error(copy: MakeConfig) -> None:
    plan = next(task for task in plan_caches(copy()).tasks if task.task == "general")
    with open(plan.files[0].path, "a") as stream:
        stream.write("more")
    with pytest.raises(DataError, match=r"book\.txt: changed while it was read"):
        cache.check_unchanged(plan)
