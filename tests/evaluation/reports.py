"""A report with a task of every sort, as an evaluation makes it."""

from typing import Any


def value(share: float | None, low: float | None = None, high: float | None = None, **other: str) -> dict[str, Any]:
    return {"value": share, "low": low, "high": high} | other


def score(way: str, scorer: str, unread: int, **metrics: dict[str, Any]) -> dict[str, Any]:
    return {"answering": way, "scorer": scorer, "parse_failures": unread, "metrics": metrics}


def entry(task: str, title: str, kind: str, n: int, *scores: dict[str, Any], **other: Any) -> dict[str, Any]:
    protocol = {
        "prompt": task,
        "prompt_version": 1,
        "prompt_sha256": "3f" * 32,
        "shots": 0,
        "seed": 42,
        "split": "test",
    }
    base = {"suite": "mibe", "left_out": {}, "protected": False, "licence": "MIT", "chance": None, "not_run": None}
    rest = {"protocol": protocol, "failures": [], "contamination": None, "seconds": 1.5, "extra": {}}
    return {"task": task, "title": title, "kind": kind, "n": n, "scores": list(scores), **base, **rest, **other}


def make_report() -> dict[str, Any]:
    medqa = entry(
        "medqa",
        "MedQA (USMLE)",
        "choice",
        200,
        score("generate", "strict", 10, accuracy=value(0.4125, 0.35, 0.475), macro_f1=value(0.4, 0.3, 0.5)),
        score("likelihood", "raw", 0, accuracy=value(0.3, 0.25, 0.35)),
        chance=0.2,
        confusion={
            "labels": ["A", "B"],
            "columns": ["A", "B", "no answer"],
            "matrix": [[70, 20, 10], [0, 0, 0]],
            "answered_by": "generate strict",
        },
        failures=[
            {"id": "7", "prompt": "Is <b>5 > 4</b> | `x`?", "output": "```\n<script>no", "gold": "A", "answer": None}
        ],
        contamination={
            "n": 13,
            "checked": 190,
            "too_short": 10,
            "touched": [str(number) for number in range(19)],
            "covered": ["3"],
            "touched_share": 0.1,
            "covered_share": 1 / 190,
        },
    )
    summary = entry(
        "mimic_cxr",
        "MIMIC-CXR",
        "summary",
        50,
        score(
            "generate",
            "strict",
            0,
            rougeL=value(0.2, 0.1, 0.3),
            bertscore=value(None, not_run="metrics.bertscore_model names no folder"),
            bartscore=value(-3.25, -3.5, -3.0),
        ),
        protected=True,
    )
    deployment = entry(
        "deployment",
        "Deployment cost, general queries",
        "cost",
        12,
        score("generate", "measured", 0, peak_memory=value(141.25, unit="GiB"), latency=value(0.5, unit="s")),
        extra={"tables": [{"title": "Planned", "columns": ["model", "fits"], "rows": [["70B", True], ["7B", None]]}]},
    )
    stability = entry(
        "stability",
        "Spread of the accuracy",
        "choice",
        200,
        score("generate", "medqa, draws at 0.7", 450, medqa_accuracy_std=value(0.021, 0.014, 0.038)),
    )
    absent = {
        "task": "mednli",
        "title": "MedNLI",
        "suite": "mibe",
        "not_run": "there is no mednli",
        "scores": [],
        "n": 0,
    }
    return {
        "model": {"path": "runs/small", "step": 320, "parameters": 20_811_008, "sizes": {"hidden_size": 64}},
        "versions": {"jax": "0.10.2"},
        "date": "2026-01-02T03:04:05+00:00",
        "tasks": [medqa, summary, deployment, stability, absent],
    }
