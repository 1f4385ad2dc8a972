"""The cost of answering: what is measured here, and the rows beside it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from melama_jax.config import ModelConfig
from melama_jax.errors import ConfigError
from melama_jax.evaluation import deployment
from melama_jax.evaluation.asking import file_sha256
from melama_jax.evaluation.deployment import read_queries
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.planning.decode import num_parameters
from tests.evaluation.fakes import FakeAsker, config, interview, metrics_of

TINY = LlamaConfig.build(ModelConfig(preset="tiny"))


def test_every_query_is_answered_alone_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "_PLANNED_PROMPT", 8)
    monkeypatch.setattr("melama_jax.planning.decode._compiled_workspace", lambda *_: None)
    asker = FakeAsker(lambda prompt, options: "word " * options.max_new_tokens, engine=SimpleNamespace(model=TINY))
    found = deployment.run(interview(asker, tmp_path), config(deployment={"hardware": ["h200"], "max_new_tokens": 4}))
    queries = read_queries()
    metrics = metrics_of(found, "measured")
    tokens = sum(len(query.prompt.split()) + 4 for query in queries) / len(queries)
    assert metrics["tflops"]["value"] == pytest.approx(2 * num_parameters(TINY) * tokens / 1e12)
    assert metrics["peak_memory"]["unit"] == "GiB"
    # A Python process with JAX in it.
    assert 0.05 < metrics["peak_memory"]["value"] < 100
    assert metrics["tokens_per_second"]["value"] > 0
    assert asker.asked == 2 * len(queries)
    planned, measured = found["extra"]["tables"]
    assert [row[2] for row in measured["rows"]] == [4] * len(queries)
    assert [row[:3] for row in planned["rows"][1:]] == [
        [model, dtype, target]
        for model, target in (("70B", "h200"), ("this model", "h200"))
        for dtype in ("bfloat16", "int8", "int4")
        for target in [{("70B", "bfloat16"): "h200:1x2"}.get((model, dtype), "h200:1x1")]
    ]
    assert all(len(row) == len(planned["columns"]) for row in planned["rows"])
    assert planned["rows"][0][7] == 141.2
    kept = [json.loads(line) for line in (tmp_path / "outputs.jsonl").read_text().splitlines()]
    assert [row["id"] for row in kept] == [query.id for query in queries]


def test_memory_of_devices_that_count_it_is_summed(monkeypatch: pytest.MonkeyPatch) -> None:
    devices = [SimpleNamespace(memory_stats=lambda n=n: {"peak_bytes_in_use": n}) for n in (5, 7)]
    monkeypatch.setattr(deployment.jax, "local_devices", lambda: devices)
    assert deployment._peak(0)[0] == 12


def test_hardware_is_checked_before_a_model_is_there() -> None:
    assert deployment.check(config()) == {deployment.QUERIES.name: file_sha256(deployment.QUERIES)}
    deployment.check(config(deployment={"hardware": ["a100-40gb", "b200"]}))
    for name in ("nosuch", "v5p", "cpu", "h100:1x2"):
        with pytest.raises(ConfigError, match=rf"deployment\.hardware: '{name}' .*; docs/scaling.md lists them"):
            deployment.check(config(deployment={"hardware": ["h100", name]}))


def test_damaged_queries_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_queries(tmp_path / "none.jsonl")
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(ConfigError, match="holds no query"):
        read_queries(tmp_path / "empty.jsonl")
    path = tmp_path / "queries.jsonl"
    path.write_text('{"id": "a", "prompt": "b"}\n{"id": "c"}\n')
    with pytest.raises(ConfigError, match="line 2"):
        read_queries(path)
