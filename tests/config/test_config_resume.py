"""What a resumed run may change: figures of the run freely and listed, model and rows never."""

from __future__ import annotations

import json
from typing import Any

import pytest

from melama_jax.config import Config, from_mapping
from melama_jax.config.resume import Change, changes, check_resumable
from melama_jax.errors import CheckpointError


def stored(tree: dict[str, Any] | None = None) -> dict[str, Any]:
    """A configuration as a checkpoint keeps it."""
    return json.loads(json.dumps(from_mapping(tree or {}).model_dump(mode="json", by_alias=True)))


def resume(before: dict[str, Any], now: dict[str, Any]) -> list[Change]:
    return check_resumable(before, from_mapping(now), checkpoint="runs/x/checkpoints/7")


def test_equal_configuration_has_no_changes() -> None:
    sources = {"data": {"sources": {"clinical": [{"glob": "a.csv", "field": "note"}]}, "rates": {"clinical": 1}}}
    for tree in ({}, {"model": {"preset": "llama3.1-8b"}}, sources):
        assert changes(stored(tree), from_mapping(tree)) == []


@pytest.mark.parametrize(
    ("now", "key"),
    [
        ({"model": {"vocab_size": 512}}, "model.vocab_size"),
        ({"model": {"vocab_padding": 8}}, "model.vocab_padding"),
        ({"model": {"rms_norm_eps": 1e-6}}, "model.rms_norm_eps"),
        ({"model": {"rope_scaling": {"factor": 2}}}, "model.rope_scaling.factor"),
        ({"model": {"compute_dtype": "float32"}}, "model.compute_dtype"),
        ({"data": {"mixture": "general"}}, "data.mixture"),
        ({"data": {"add_bos": True}}, "data.add_bos"),
        ({"data": {"rates": {"clinical": 2}}}, "data.rates.clinical"),
        ({"data": {"validation_fraction": 0.5}}, "data.validation_fraction"),
        ({"data": {"attend_across_documents": False}}, "data.attend_across_documents"),
        ({"run": {"seed": 1}}, "run.seed"),
        ({"train": {"sequence_length": 128}}, "train.sequence_length"),
    ],
)
def test_model_data_and_row_order_are_refused(now: dict[str, Any], key: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        resume(stored(), now)
    message = str(caught.value)
    assert message.startswith("runs/x/checkpoints/7: cannot resume")
    assert f"{key} was " in message
    assert "init.from" in message


def test_refusal_names_every_key_and_both_values() -> None:
    with pytest.raises(CheckpointError, match=r"model\.vocab_size was 256 and is 512, run\.seed was 0 and is 4"):
        resume(stored(), {"model": {"vocab_size": 512}, "run": {"seed": 4}})


@pytest.mark.parametrize(
    ("now", "key", "before", "after"),
    [
        ({"train": {"steps": 7}}, "train.steps", 100, 7),
        ({"train": {"global_batch_size": 16}}, "train.global_batch_size", 8, 16),
        ({"optimizer": {"no_decay": ["head"]}}, "optimizer.no_decay", ["norm", "embedding"], ["head"]),
        ({"mesh": {"tensor": 2}}, "mesh.tensor", 1, 2),
        ({"run": {"dir": "elsewhere"}}, "run.dir", "runs/default", "elsewhere"),
        ({"log": {"sample_prompt": "x"}}, "log.sample_prompt", None, "x"),
        ({"init": {"from": "y"}, "model": {"preset": "tiny"}}, "init.from", None, "y"),
        # Where files lie and how many threads read them cannot alter the numbers.
        ({"data": {"root": "/moved"}}, "data.root", None, "/moved"),
        ({"data": {"vocabulary": "/moved"}}, "data.vocabulary", None, "/moved"),
        ({"data": {"cache_dir": "c"}}, "data.cache_dir", "cache", "c"),
        ({"data": {"prepare_workers": 2}}, "data.prepare_workers", 0, 2),
        ({"data": {"read_threads": 2}}, "data.read_threads", 4, 2),
        ({"data": {"prefetch_batches": 2}}, "data.prefetch_batches", 4, 2),
    ],
)
def test_harmless_change_is_listed(now: dict[str, Any], key: str, before: object, after: object) -> None:
    assert resume(stored(), now) == [Change(key, before, after)]


def test_change_inside_a_list_of_sources_is_refused() -> None:
    before = stored({"data": {"sources": {"clinical": [{"glob": "a.csv"}, {"glob": "b.csv"}]}}})
    with pytest.raises(CheckpointError, match=r"data\.sources\.clinical was .*b\.csv.* and is .*c\.csv"):
        resume(before, {"data": {"sources": {"clinical": [{"glob": "a.csv"}, {"glob": "c.csv"}]}}})


def test_added_source_domain_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"data\.sources\.notes was None"):
        resume(stored(), {"data": {"sources": {"notes": [{"glob": "n/*"}]}}})


def test_key_that_only_one_side_knows() -> None:
    before = stored()
    del before["train"]["z_loss"]
    before["log"]["retired"] = 5
    assert resume(before, {}) == [Change("log.retired", 5, None), Change("train.z_loss", None, 0.0)]
    before["data"]["retired"] = 5
    with pytest.raises(CheckpointError, match=r"data\.retired was 5 and is None"):
        resume(before, {})


def test_checkpoint_from_before_the_padding_has_none() -> None:
    before = stored()
    del before["model"]["vocab_padding"]
    assert resume(before, {}) == []
    with pytest.raises(CheckpointError, match=r"model\.vocab_padding was 0 and is 8"):
        resume(before, {"model": {"vocab_padding": 8}})


def test_missing_section_counts_as_none() -> None:
    before = stored()
    del before["model"]
    with pytest.raises(CheckpointError, match=r"model\.vocab_size was None and is 256"):
        resume(before, {})


def test_every_field_of_model_and_data_is_refused_or_marked_free() -> None:
    free = {
        f"{section}.{name}"
        for section, field in Config.model_fields.items()
        for name, inner in getattr(field.annotation, "model_fields", {}).items()
        if isinstance(inner.json_schema_extra, dict) and inner.json_schema_extra.get("resume") == "free"
    }
    assert free == {
        "model.preset",
        "data.root",
        "data.vocabulary",
        "data.cache_dir",
        "data.prepare_workers",
        "data.read_threads",
        "data.prefetch_batches",
    }
