"""What answering general queries costs: memory, latency, speed and FLOPs, measured here and planned for a 70B model."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import resource
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax

from melama_jax.config import EvaluationConfig, ModelConfig
from melama_jax.errors import ConfigError
from melama_jax.evaluation.asking import CONFIGS, Interview, Query, file_sha256, metric, suite_entry, table
from melama_jax.inference.engine import Completion
from melama_jax.inference.sampling import SamplingOptions
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel.agreement import gather
from melama_jax.planning.decode import DecodePlan, num_parameters, plan_decode
from melama_jax.planning.targets import parse_target

QUERIES = CONFIGS / "deployment" / "general_queries.jsonl"
_GIB = 1024**3
_PLANNED_PROMPT = 128
"""Tokens of a planned prompt; those of the file have 20 to 110."""
_PUBLISHED_GIB = 141.2
_PUBLISHED = "published: Me-LLaMA 70B bfloat16 by transformers on 6 GPUs, 128 new tokens (arXiv 2602.08013)"


@dataclasses.dataclass(frozen=True)
class Cost:
    """What answering every query once took; seconds are of each query, one after another.

    Attributes:
        seconds: Of each query, wall time.
        prompt_tokens: Of each.
        new_tokens: Of each.
        peak_bytes: At the highest; see `memory`.
        memory: What was measured.
    """

    seconds: list[float]
    prompt_tokens: list[int]
    new_tokens: list[int]
    peak_bytes: int
    memory: str


def read_queries(path: Path = QUERIES) -> list[Query]:
    """The fixed set of prompts.

    Raises:
        ConfigError: It cannot be read or is empty, or a line is no object of `id` and `prompt`.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {type(error).__name__}") from None
    queries = []
    for number, line in enumerate(lines, 1):
        try:
            queries.append(Query(**json.loads(line)))
        except (ValueError, TypeError):
            raise ConfigError(f"{path}: line {number}: expected an object of id and prompt") from None
    if not queries:
        raise ConfigError(f"{path}: holds no query")
    return queries


def check(config: EvaluationConfig) -> dict[str, str]:
    """Read the queries, and see that the hardware is known.

    Returns:
        Hashes of the files that the answers depend on.

    Raises:
        ConfigError: The queries cannot be read, or `deployment.hardware` names what cannot be planned for.
    """
    for name in config.deployment.hardware:
        try:
            known = parse_target(f"{name}:1x1").platform == "cuda"
        except ConfigError:
            known = False
        if not known:
            raise ConfigError(
                f"deployment.hardware: {name!r} is no GPU that can be planned for; docs/scaling.md lists them"
            )
    read_queries()
    return {QUERIES.name: file_sha256(QUERIES)}


def run(interview: Interview, config: EvaluationConfig) -> dict[str, Any]:
    """Measure the model at hand, and plan it and a 70B model on the hardware of `deployment.hardware`."""
    settings, queries, model = config.deployment, read_queries(), interview.asker.engine.model
    cost = measure(interview, queries, settings.max_new_tokens)
    tokens = [sum(pair) for pair in zip(cost.prompt_tokens, cost.new_tokens, strict=True)]
    metrics = {
        "peak_memory": metric(cost.peak_bytes / _GIB, unit="GiB"),
        "latency": metric(statistics.median(cost.seconds), unit="s"),
        "tokens_per_second": metric(sum(cost.new_tokens) / sum(cost.seconds), unit="tokens/s"),
        "tflops": metric(2 * num_parameters(model) * statistics.mean(tokens) / 1e12, unit="TFLOP"),
    }
    large = LlamaConfig.build(ModelConfig.model_validate({"preset": "llama2-70b"}))
    rows: list[tuple[Any, ...]] = [("", "", _PUBLISHED, "", "", "", "", _PUBLISHED_GIB, "", "", "", "")]
    # Every process would get the same; the first one writes the report.
    for name, planned in (("70B", large), ("this model", model)) if jax.process_index() == 0 else ():
        rows += [_row(name, plan) for plan in plans(planned, settings.hardware, settings.max_new_tokens, config)]
    columns = ("model", "weights", "on", "fits", "weights GiB", "cache GiB", "workspace GiB", "total GiB", "total GB")
    each = [
        (query.id, prompt, new, round(seconds, 3), round(new / seconds, 2))
        for query, prompt, new, seconds in zip(queries, cost.prompt_tokens, cost.new_tokens, cost.seconds, strict=True)
    ]
    here = f"{jax.device_count()} x {jax.devices()[0].device_kind}"
    notes = [
        f"Measured on {here}: one query at a time, greedy, after a first round that compiles; latency is the median. "
        f"Peak memory: {cost.memory}. TFLOP of a query: 2 x parameters x (prompt and new tokens). Memory is in GiB, as "
        "the published figure is computed, though it is called GB there.",
        f"Planned: one request of {_PLANNED_PROMPT} tokens and {settings.max_new_tokens} new ones on the fewest GPUs "
        "of a node that hold it; weights and cache are exact, the workspace is of the compiled programs where XLA's "
        "compiler for the target is installed. Times are estimates: bounds by memory bandwidth (tokens) and FLOPs "
        "(prompt), links and launches left out. int4 is arithmetic alone.",
        "Of the section protocol, chat_template, system and add_bos apply.",
    ]
    protocol = {
        "prompt": QUERIES.name,
        "prompt_sha256": file_sha256(QUERIES),
        "max_new_tokens": settings.max_new_tokens,
        "temperature": 0.0,
        "answering": ["generate"],
        "files": check(config),
        "notes": notes,
    }
    return suite_entry(
        "deployment",
        "Deployment cost, general queries",
        "cost",
        config,
        n=len(queries),
        protocol=protocol,
        scores=[{"answering": "generate", "scorer": "measured", "parse_failures": 0, "metrics": metrics}],
        tables=[
            table("Planned memory", (*columns, "workspace is", "estimated ms/token", "estimated s/answer"), rows),
            table("Measured queries", ("query", "prompt tokens", "new tokens", "seconds", "tokens/s"), each),
        ],
    )


def measure(interview: Interview, queries: Sequence[Query], max_new_tokens: int) -> Cost:
    """Answer each query alone, twice: the first time compiles, the second is timed. Outputs are kept, not reused."""
    asker, options = interview.asker, SamplingOptions(max_new_tokens=max_new_tokens)
    for query in queries:
        asker.generate([query.prompt], options=options)
    _forget_resident_peak()
    before = _resident("VmRSS")
    seconds: list[float] = []
    answers: list[Completion] = []
    for query in queries:
        started = time.perf_counter()
        answers += asker.generate([query.prompt], options=options)
        seconds.append(time.perf_counter() - started)
    interview.keep(queries, answers)
    peak, memory = _peak(before)
    prompts = [
        len(asker.encode(query.prompt)) - answer.dropped_tokens for query, answer in zip(queries, answers, strict=True)
    ]
    return Cost(seconds, prompts, [len(answer.tokens) for answer in answers], peak, memory)


def plans(model: LlamaConfig, hardware: Sequence[str], new_tokens: int, config: EvaluationConfig) -> list[DecodePlan]:
    """A model on each kind of hardware, its weights in 16, 8 and 4 bits."""
    length = config.engine.max_length or 2048
    return [
        plan_decode(model, name, dtype, prompt_tokens=_PLANNED_PROMPT, new_tokens=new_tokens, max_length=length)
        for name in hardware
        for dtype in ("bfloat16", "int8", "int4")
    ]


def _row(name: str, plan: DecodePlan) -> tuple[Any, ...]:
    sizes = (round(size / _GIB, 2) for size in (plan.weights, plan.cache, plan.workspace, plan.total))
    source = "compiled" if plan.compiled else "computed"
    times = (round(1000 * plan.token_seconds, 2), round(plan.answer_seconds, 2))
    return name, plan.weight_dtype, plan.target, plan.fits, *sizes, round(plan.total / 1e9, 2), source, *times


def _peak(resident_before: int) -> tuple[int, str]:
    """Bytes at the highest, over all processes, and what was counted."""
    stats = [device.memory_stats() or {} for device in jax.local_devices()]
    counted = [one["peak_bytes_in_use"] for one in stats if "peak_bytes_in_use" in one]
    if counted:
        here, memory = sum(counted), "peak_bytes_in_use summed over all devices, since the process started"
    else:
        here = _resident("VmHWM")
        memory = (
            f"the process's resident memory at its highest, weights and Python included; it grew by "
            f"{(here - resident_before) / _GIB:.3f} GiB while answering"
        )
    return sum(int(said) for said in gather("peak memory", str(here))), memory


def _resident(key: str) -> int:
    """Resident bytes now (VmRSS), or at the highest since `_forget_resident_peak` (VmHWM)."""
    status = Path("/proc/self/status")
    if not status.exists():  # not Linux: at the highest since the start
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(lines[key].split()[0]) * 1024


def _forget_resident_peak() -> None:
    with contextlib.suppress(OSError):  # then the peak is since the start
        Path("/proc/self/clear_refs").write_text("5")
