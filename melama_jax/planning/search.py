"""Which mesh, rematerialization, micro-batch, attention and loss settings are fastest on a target, each compiled."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import itertools
import json
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from melama_jax.config import Config, dump_yaml, from_mapping
from melama_jax.errors import ConfigError, MelamaError
from melama_jax.model.llama import declaration
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.planning.estimate import Efficiency
from melama_jax.planning.plan_report import decimal_bytes
from melama_jax.planning.targets import Target
from melama_jax.planning.worker import Worker
from melama_jax.training.versions import source_fingerprint

_REMAT = {"full": 4 / 3, "names": 1.08, "dots": 1.04, "none": 1.0}
"""What is tried, by how much is kept, and about how much work it is beside that of none, to put candidates in order."""
_FROZEN = {"float32": 4.0, "bfloat16": 2.0, "int8": 1.0, "nf4": 4.25 / 8}
"""Bytes of a weight beside an adapter."""
_ROWS = (1, 2, 4, 8)
_MOST_TENSOR = 8
_ATTENTION = {"cuda": ("auto", "xla"), "tpu": ("auto", "xla")}
_SPEED = "estimated_tokens_per_second_per_device"
_CHUNKS = (512, 1024, 2048, 4096)


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
        attention: Attention backend.
        chunk: Tokens of a device whose logits exist at a time.
    """

    data: int
    fsdp: int
    context: int
    tensor: int
    remat: str
    rows: int
    accumulation: int
    attention: str
    chunk: int

    def settings(self) -> dict[str, dict[str, Any]]:
        """As sections of a configuration."""
        mesh = {axis: getattr(self, axis) for axis in ("data", "fsdp", "context", "tensor")}
        train = {
            "remat": self.remat,
            "gradient_accumulation_steps": self.accumulation,
            "attention": self.attention,
            "loss_chunk_size": self.chunk,
        }
        return {"mesh": mesh, "train": train}


def candidates(config: Config, target: Target) -> list[Candidate]:
    """Meshes, rematerializations and micro-batches that could fit, the likely ones first.

    Attention and loss are those of the configuration; `variants` tries others on the best of these.
    """
    return sorted(_possible(config, target), key=functools.partial(_guess, config, target))


def _possible(config: Config, target: Target) -> Iterator[Candidate]:
    model, train, devices = config.model, config.train, target.num_devices
    usable = target.accelerator.memory_bytes * target.usable if target.accelerator else math.inf
    contexts = [1, 2, 4, 8] if train.sequence_length > 8192 else [1]
    for tensor, context in itertools.product((1, 2, 4, _MOST_TENSOR), contexts):
        dims = (model.num_key_value_heads, model.num_attention_heads, model.intermediate_size, model.vocab_size)
        if tensor * context > target.per_node or any(size % tensor for size in dims):
            continue
        if devices % (tensor * context) or train.sequence_length % (tensor * context):
            continue
        shards = devices // (tensor * context)
        for fsdp in (n for n in range(1, shards + 1) if shards % n == 0 and model.hidden_size % n == 0):
            for rows, remat in itertools.product(_ROWS, _REMAT):
                if train.global_batch_size % (rows * shards):
                    continue
                accumulation = train.global_batch_size // (rows * shards)
                one = Candidate(
                    shards // fsdp,
                    fsdp,
                    context,
                    tensor,
                    remat,
                    rows,
                    accumulation,
                    train.attention,
                    train.loss_chunk_size,
                )
                if _least_bytes(config, one) <= usable:
                    yield one


def variants(config: Config, target: Target, best: Candidate) -> list[Candidate]:
    """Other attention backends and sizes of the loss's chunks for settings that are good, where they could matter."""
    tokens = best.rows * config.train.sequence_length // best.context
    chunks = [size for size in _CHUNKS if size <= tokens and size != best.chunk]
    found = [dataclasses.replace(best, chunk=size) for size in chunks]
    # Attention without a kernel writes float32 scores [B, H, T, T] of a layer: not where they take most of the memory.
    scores = 4 * tokens * config.train.sequence_length * config.model.num_attention_heads / best.tensor
    if target.accelerator is not None and scores < target.accelerator.memory_bytes / 4:
        others = (name for name in _ATTENTION.get(target.platform, ()) if name != best.attention)
        found += [dataclasses.replace(best, attention=name) for name in others]
    return found


def _least_bytes(config: Config, candidate: Candidate) -> float:
    """State and what the layers keep, which nothing can do without."""
    model, optimizer = config.model, config.optimizer
    widths = (_itemsize(name) for name in (model.param_dtype, optimizer.mu_dtype, optimizer.nu_dtype, "float32"))
    width = sum(widths) if config.adapter is None else _FROZEN[config.adapter.base_dtype]
    state = _parameters(config) * width / (candidate.fsdp * candidate.tensor)
    hidden, mlp = model.hidden_size, model.intermediate_size
    # Of a token in a layer: its input; attention and two of the MLP too; all products; all that lies between.
    kept = {"full": hidden, "names": 2 * hidden + 2 * mlp, "dots": 4 * hidden + 2 * mlp, "none": 8 * hidden + 4 * mlp}
    tokens = candidate.rows * config.train.sequence_length / candidate.context / candidate.tensor
    return state + tokens * model.num_hidden_layers * kept[candidate.remat] * _itemsize(model.compute_dtype)


def _guess(config: Config, target: Target, candidate: Candidate) -> float:
    """Seconds of a step by a rough rule: work, the shards gathered beside it, and what waits for tensor parallelism."""
    sheet = target.accelerator
    if sheet is None:
        return 0.0
    train, parameters = config.train, _parameters(config)
    work = 6 * parameters * train.global_batch_size * train.sequence_length / target.num_devices
    work *= _REMAT[candidate.remat] / (0.7 * sheet.peak_flops)
    inner = candidate.context * candidate.tensor
    crosses = candidate.fsdp * inner > target.per_node
    network = min(sheet.link_bandwidth, target.per_node / inner * sheet.network_bandwidth)
    gathered = 3 * 2 * parameters / candidate.tensor * candidate.accumulation * (1 - 1 / candidate.fsdp)
    gather = gathered / (network if crosses else sheet.link_bandwidth)
    summed = 8 * parameters / (candidate.fsdp * candidate.tensor) * (1 - 1 / candidate.data) / network
    tokens = candidate.rows * train.sequence_length / candidate.context * candidate.accumulation
    exchanged = 12 * 2 * tokens * config.model.hidden_size * config.model.num_hidden_layers
    tensor = exchanged * (1 - 1 / candidate.tensor) / sheet.link_bandwidth
    return max(work, gather) + 0.2 * gather + tensor + summed


def _itemsize(dtype: str) -> int:
    return jax.numpy.dtype(dtype).itemsize


def _parameters(config: Config) -> int:
    return sum(math.prod(shape) for shape, _, _ in declaration(LlamaConfig.build(config.model)).values())


class Search:
    """A search that can be stopped at any time and still tells what it has.

    Args:
        config: The run's configuration; its mesh, rematerialization, accumulation, attention and loss are searched.
        target: The cluster.
        efficiency: What it is taken to reach.
        cache_dir: Folder of results, which another search takes over.
        console: Where progress goes: a bar on a terminal, lines elsewhere.
    """

    def __init__(self, config: Config, target: Target, efficiency: Efficiency, cache_dir: Path, console: Console):
        self._config, self._target, self._efficiency = config, target, efficiency
        self._cache_dir, self._console = cache_dir, console
        self._found: dict[Candidate, dict[str, Any]] = {}
        self._worker: Worker | None = None
        self._deadline = 0.0
        self._left_out = 0

    @property
    def results(self) -> list[dict[str, Any]]:
        """What was tried: those that fit, the fastest first, then those without an estimate and those that do not."""
        rows = [dataclasses.asdict(candidate) | result for candidate, result in self._found.items()]
        return sorted(rows, key=lambda r: (not ranked(r), not r.get("fits"), -(r.get(_SPEED) or 0.0)))

    def run(self, max_minutes: float) -> None:
        """Try candidates until all are done or the time is over, then variants of the two best.

        Ctrl-C ends it as the end of its time does.
        """
        todo = candidates(self._config, self._target)
        self._console.print(f"{len(todo)} candidates, the likely ones first; stopping after {max_minutes:g} minutes")
        started, seconds = time.monotonic(), 60 * max_minutes
        columns = TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeElapsedColumn()
        bar = Progress(*columns, console=self._console, disable=not self._console.is_terminal, transient=True)
        self._deadline = started + seconds
        try:
            with bar:
                task = bar.add_task("", total=len(todo))
                # The last fifth of the time is for the variants, if there is anything to vary.
                left = self._try_all(todo, started + 0.8 * seconds, bar, task)
                if not self._best(1):
                    left = self._try_all(left, self._deadline, bar, task)
                varied = []
                for best in self._best(2):
                    varied += self._try_all(variants(self._config, self._target, best), self._deadline, bar, task)
            if self._left_out:
                self._console.print(f"{self._left_out} candidates hold more than one that did not fit: left out")
            if left or varied:
                of = f"{len(left)} of {len(todo)} candidates and {len(varied)} variants of the best"
                self._console.print(f"stopped: {of} were not tried; give more --max-minutes")
        except KeyboardInterrupt:
            self._console.print("interrupted: this is what was tried until then")
        finally:
            if self._worker is not None:
                self._worker.close()

    def _best(self, count: int) -> list[Candidate]:
        fitting = {c: r for c, r in self._found.items() if ranked(r)}
        return sorted(fitting, key=lambda c: -fitting[c][_SPEED])[:count]

    def _try_all(self, todo: list[Candidate], until: float, bar: Progress, task: Any) -> list[Candidate]:
        """Try candidates, none begun later than `until`; those that are left."""
        bar.update(task, total=bar.tasks[0].completed + len(todo))
        for number, candidate in enumerate(todo):
            if time.monotonic() > until:
                return todo[number:]
            bar.update(task, description=describe(dataclasses.asdict(candidate)))
            too_large = [other for other, result in self._found.items() if result.get("fits") is False]
            if any(_holds_more(candidate, other) for other in too_large):
                self._left_out += 1
            else:
                result = self._try(candidate)
                if result is None:
                    return todo[number:]
                self._found[candidate] = result
                self._console.print(describe(dataclasses.asdict(candidate) | result))
            bar.advance(task)
        return []

    def _try(self, candidate: Candidate) -> dict[str, Any] | None:
        """The plan of a candidate from the cache or the compiler; None if it takes longer than there is time."""
        tree = self._config.model_dump(mode="json", by_alias=True)
        for section, values in candidate.settings().items():
            tree[section] = tree[section] | values
        try:
            changed = from_mapping(tree)
        except MelamaError as error:
            return {"failed": str(error)}
        stored = self._cache_dir / f"{self._key(dump_yaml(changed))}.json"
        with contextlib.suppress(OSError, ValueError):  # one that is cut short is found anew
            return json.loads(stored.read_text(encoding="utf-8"))
        if self._worker is None or not self._worker.alive:
            self._worker = Worker(self._target, self._efficiency)
        result = self._worker.plan(tree, max(0.0, self._deadline - time.monotonic()))
        if result is None:
            return None
        if "failed" in result:
            return result
        try:
            self._cache_dir.mkdir(parents=True, exist_ok=True)
            stored.write_text(json.dumps(result), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"data.cache_dir: {stored} cannot be written: {error.strerror}") from None
        return result

    def _key(self, config: str) -> str:
        flags = [os.environ.get(name, "") for name in ("XLA_FLAGS", "LIBTPU_INIT_ARGS")]
        target, code = self._target.name.lower(), source_fingerprint()
        key = "\n".join([config, target, str(self._efficiency), jax.__version__, *flags, code])
        return hashlib.sha256(key.encode()).hexdigest()[:24]


def _holds_more(candidate: Candidate, other: Candidate) -> bool:
    """Whether a candidate surely takes more memory than one that did not fit."""
    same = dataclasses.replace(candidate, rows=other.rows, accumulation=other.accumulation, remat=other.remat)
    kept = tuple(_REMAT)
    return (
        same == other
        and candidate.rows >= other.rows
        and (candidate.remat == other.remat or other.remat == kept[0] or candidate.remat == kept[-1])
    )


def ranked(result: dict[str, Any]) -> bool:
    """Whether a result fits and has an estimated speed."""
    return bool(result.get("fits") and result.get(_SPEED))


def describe(result: dict[str, Any]) -> str:
    """A candidate in a line, with its outcome if there is one."""
    name = (
        f"data {result['data']} fsdp {result['fsdp']} context {result['context']} tensor {result['tensor']}, "
        f"remat {result['remat']}, {result['rows']} rows x {result['accumulation']}, attention {result['attention']}, "
        f"loss chunk {result['chunk']}"
    )
    if "failed" in result:
        return f"{name}: {result['failed'][:120]}"
    if "fits" not in result:
        return name
    speed = result[_SPEED]
    outcome = "" if result["fits"] else ", does not fit"
    shown = f"{speed:,.0f} tokens/s per device (estimated), " if speed else f"no estimate ({result['no_estimate']}), "
    return f"{name}: {shown}{decimal_bytes(result['peak_bytes_per_device'])}{outcome}"


def table(results: list[dict[str, Any]], most: int = 15) -> Table:
    """Those that fit, the fastest first."""
    shown = Table(title="candidates that fit, by estimated speed", title_justify="left")
    settings = ("data", "fsdp", "context", "tensor", "remat", "rows", "accumulation", "attention", "chunk")
    for header in (*settings, "tokens/s/device", "MFU", "peak"):
        shown.add_column(header, justify="right")
    for result in [r for r in results if ranked(r)][:most]:
        shown.add_row(
            *(str(result[key]) for key in settings),
            f"{result[_SPEED]:,.0f}",
            f"{result['estimated_mfu']:.1%}",
            decimal_bytes(result["peak_bytes_per_device"]),
        )
    return shown


def fragment(config: Config, best: dict[str, Any], target: Target) -> str:
    """The winner as YAML to be laid above the run, as the last `base:` of a new file."""
    candidate = Candidate(**{field.name: best[field.name] for field in dataclasses.fields(Candidate)})
    sections = candidate.settings()
    # Micro-batches divide the rows of a step.
    sections["train"] = {"global_batch_size": config.train.global_batch_size, **sections["train"]}
    return (
        f"# Found by python -m melama_jax.plan --search --target {target.name}; estimated, not measured:\n"
        f"# {best[_SPEED]:,.0f} tokens/s per device, "
        f"MFU {best['estimated_mfu']:.1%}, {decimal_bytes(best['peak_bytes_per_device'])} per device\n"
        "# Lay it above the run, in a new file: base: [RUN.yaml, THIS.yaml]. If RUN.yaml has a base: itself, make\n"
        "# this the last of it and drop these keys from RUN.yaml, whose own win over its base.\n"
        + "".join(
            f"{section}:\n" + "".join(f"  {key}: {value}\n" for key, value in values.items())
            for section, values in sections.items()
        )
    )
