"""Which mesh, rematerialization and micro-batch are fastest on a target: the likely ones, each compiled."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
from rich.table import Table

from melama_jax.config import Config, dump_yaml, from_mapping
from melama_jax.errors import ConfigError, MelamaError
from melama_jax.model.llama import declaration
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.planning.estimate import Efficiency, make_plan
from melama_jax.planning.plan_report import Prices, as_json
from melama_jax.planning.targets import Target, devices_of
from melama_jax.training.report import format_bytes

_REMAT = ("full", "names", "dots")
_ROWS = (1, 2, 4, 8)
_MOST_TENSOR = 8


@dataclasses.dataclass(frozen=True)
class Candidate:
    """Settings to try.

    Attributes:
        data: Mesh axis.
        fsdp: Mesh axis.
        context: Mesh axis.
        tensor: Mesh axis.
        remat: Rematerialization.
        rows: Rows of a micro-batch on each of data x fsdp.
        accumulation: Micro-batches of a step.
    """

    data: int
    fsdp: int
    context: int
    tensor: int
    remat: str
    rows: int
    accumulation: int

    def settings(self) -> dict[str, dict[str, Any]]:
        """As sections of a configuration."""
        mesh = {axis: getattr(self, axis) for axis in ("data", "fsdp", "context", "tensor")}
        return {"mesh": mesh, "train": {"remat": self.remat, "gradient_accumulation_steps": self.accumulation}}


def candidates(config: Config, target: Target) -> list[Candidate]:
    """Settings that can work, the likely ones first; the global batch and the sequence length stay.

    Left out: axes that do not divide the model, state that alone does not fit, tensor parallelism across nodes, context
    parallelism for sequences that need none. First come little communication and much work between collectives: no
    tensor or context parallelism, few shards, large micro-batches, little recomputation.
    """
    found = list(_possible(config, target))
    return sorted(found, key=lambda c: (c.tensor * c.context, c.fsdp, -c.rows, _REMAT.index(c.remat)))


def _possible(config: Config, target: Target) -> Iterator[Candidate]:
    model, train, devices = config.model, config.train, target.num_devices
    params = _parameters(config)
    state_bytes = params * (12 if model.param_dtype == "float32" else 8) + params * 4
    usable = target.accelerator.memory_bytes * target.usable if target.accelerator else float("inf")
    contexts = [1, 2, 4, 8] if train.sequence_length > 8192 else [1]
    for tensor, context in itertools.product((1, 2, 4, _MOST_TENSOR), contexts):
        dims = (model.num_key_value_heads, model.num_attention_heads, model.intermediate_size, model.vocab_size)
        if tensor * context > target.per_node or any(size % tensor for size in dims):
            continue
        if devices % (tensor * context) or train.sequence_length % (tensor * context):
            continue
        shards = devices // (tensor * context)
        for fsdp in (n for n in range(1, shards + 1) if shards % n == 0 and model.hidden_size % n == 0):
            if state_bytes / (fsdp * tensor) > usable:
                continue
            for rows, remat in itertools.product(_ROWS, _REMAT):
                if train.global_batch_size % (rows * shards) == 0:
                    accumulation = train.global_batch_size // (rows * shards)
                    yield Candidate(shards // fsdp, fsdp, context, tensor, remat, rows, accumulation)


def _parameters(config: Config) -> int:
    return sum(math.prod(shape) for shape, _, _ in declaration(LlamaConfig.build(config.model)).values())


def search(
    config: Config,
    target: Target,
    *,
    efficiency: Efficiency,
    max_minutes: float,
    cache_dir: Path,
    echo: Callable[[str], None],
) -> list[dict[str, Any]]:
    """Compile candidates until the time is over; those that fit, the fastest first, then those that do not.

    Args:
        config: The run's configuration; its mesh, rematerialization and accumulation are what is searched.
        target: The cluster.
        efficiency: What it is taken to reach.
        max_minutes: When to stop trying.
        cache_dir: Folder of results, which another search takes over.
        echo: Where progress goes.
    """
    todo = candidates(config, target)
    echo(f"{len(todo)} candidates; stopping after {max_minutes:g} minutes")
    devices = devices_of(target)
    deadline = time.monotonic() + 60 * max_minutes
    results: list[dict[str, Any]] = []
    too_large: list[Candidate] = []
    for number, candidate in enumerate(todo, 1):
        if time.monotonic() > deadline:
            echo(f"stopped: {len(todo) - number + 1} candidates were not tried; give more --max-minutes")
            break
        if any(_holds_more(candidate, other) for other in too_large):
            continue
        tried = _try(config, candidate, target, efficiency, cache_dir, devices)
        result = dataclasses.asdict(candidate) | tried
        if result.get("fits") is False:
            too_large.append(candidate)
        results.append(result)
        echo(f"{number}/{len(todo)} {_describe(result)}")
    return sorted(results, key=lambda r: (not r.get("fits"), -(r.get("estimated_tokens_per_second_per_device") or 0.0)))


def _holds_more(candidate: Candidate, other: Candidate) -> bool:
    """Whether a candidate surely takes more memory than one that did not fit."""
    same = (candidate.data, candidate.fsdp, candidate.context, candidate.tensor, candidate.remat)
    return same == (other.data, other.fsdp, other.context, other.tensor, other.remat) and candidate.rows >= other.rows


def _try(
    config: Config, candidate: Candidate, target: Target, efficiency: Efficiency, cache_dir: Path, devices: list[Any]
) -> dict[str, Any]:
    tree = config.model_dump(mode="json", by_alias=True)
    for section, values in candidate.settings().items():
        tree[section] = tree[section] | values
    changed = from_mapping(tree)
    key = f"{dump_yaml(changed)}{target.name}{efficiency}{jax.__version__}"
    stored = cache_dir / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"
    with contextlib.suppress(OSError, ValueError):  # one that is cut short is found anew
        return json.loads(stored.read_text(encoding="utf-8"))
    try:
        plan = make_plan(changed, target, efficiency=efficiency, devices=devices)
        result = as_json(plan, target, efficiency, Prices())
    except MelamaError as error:
        result = {"failed": str(error)}
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps(result), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"data.cache_dir: {stored} cannot be written: {error.strerror}") from None
    return result


def _describe(result: dict[str, Any]) -> str:
    name = (
        f"data {result['data']} fsdp {result['fsdp']} context {result['context']} tensor {result['tensor']}, "
        f"remat {result['remat']}, {result['rows']} rows x {result['accumulation']}"
    )
    if "failed" in result:
        return f"{name}: {result['failed'][:120]}"
    speed = result["estimated_tokens_per_second_per_device"]
    outcome = "" if result["fits"] else ", does not fit"
    shown = f"{speed:,.0f} tokens/s per device (estimated), " if speed else ""
    return f"{name}: {shown}{format_bytes(result['peak_bytes_per_device'])}{outcome}"


def table(results: list[dict[str, Any]], most: int = 15) -> Table:
    """Those that fit, the fastest first."""
    shown = Table(title="candidates that fit, by estimated speed", title_justify="left")
    settings = ("data", "fsdp", "context", "tensor", "remat", "rows", "micro-batches")
    for header in (*settings, "tokens/s/device", "MFU", "peak"):
        shown.add_column(header, justify="right")
    for result in [r for r in results if r.get("fits")][:most]:
        shown.add_row(
            *(str(result[key]) for key in ("data", "fsdp", "context", "tensor", "remat", "rows", "accumulation")),
            f"{result['estimated_tokens_per_second_per_device']:,.0f}",
            f"{result['estimated_mfu']:.1%}",
            format_bytes(result["peak_bytes_per_device"]),
        )
    return shown


def fragment(best: dict[str, Any], target: Target) -> str:
    """The winner as a piece of YAML to put into a configuration."""
    return (
        f"# Found by python -m melama_jax.plan --search --target {target.name}; estimated, not measured:\n"
        f"# {best['estimated_tokens_per_second_per_device']:,.0f} tokens/s per device, "
        f"MFU {best['estimated_mfu']:.1%}, {format_bytes(best['peak_bytes_per_device'])} per device\n"
        f"mesh:\n  data: {best['data']}\n  fsdp: {best['fsdp']}\n  context: {best['context']}\n"
        f"  tensor: {best['tensor']}\n"
        f"train:\n  remat: {best['remat']}\n  gradient_accumulation_steps: {best['accumulation']}\n"
    )
