"""Tokenizes source files into rows: whole shards of files, one worker process each, through the tasks of SeqIO.

A shard's rows depend on its files alone, so any number of workers writes the same bytes. A shard counts as done when
its JSON record is in place; after a kill the shards that are done are kept. Worker processes import TensorFlow, this
one does not unless it does the work itself.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from melama_jax.config import DataConfig
from melama_jax.data import conversations
from melama_jax.data.cache import (
    MANIFEST_NAME,
    SPLITS,
    TaskPlan,
    check_unchanged,
    count_records,
    make_private_folder,
    why_shard_unusable,
    why_stale,
    write_json,
)
from melama_jax.data.mixtures import records_by_task
from melama_jax.data.packing import ConversationPacker, Packer
from melama_jax.data.progress import Progress
from melama_jax.data.sources import ScanReport, SourceFile, assign_shards
from melama_jax.errors import DataError, MelamaError

_REPORT_SECONDS = 0.5
_BYTES_WORTH_A_WORKER = 16 * 2**20  # Starting one costs about 5 s of importing TensorFlow.
_GROUP_DOCUMENTS = 64  # Documents that leave TensorFlow at a time.
_COUNTED = ("documents", "tokens", "trained_tokens", "rows")


@dataclasses.dataclass(frozen=True)
class _Job:
    plan: TaskPlan
    index: int
    data: DataConfig
    drawn: conversations.Draw | None = None

    @property
    def name(self) -> str:
        return f"{self.plan.task} shard {self.index + 1} of {self.plan.num_shards}"

    @property
    def files(self) -> list[SourceFile]:
        return assign_shards(self.plan.files, self.plan.num_shards)[self.index]

    @property
    def source_bytes(self) -> int:
        return sum(file.size for file in self.files)


_Function = Callable[[_Job, Callable[[int, int], object]], Any]
"""What a worker does for a job; it calls back with source bytes done and a count of what it makes."""


def build(plans: Sequence[TaskPlan], data: DataConfig, *, workers: int, echo: Callable[[str], object] = print) -> None:
    """Bring every plan's cache up to date; call with the cache's lock held.

    Args:
        plans: What should be there; a cache that is whole is left alone.
        data: How to read the sources.
        workers: Processes that tokenize; 0 takes one per core, fewer for little text. One works in this process.
        echo: Prints a line of progress.

    Raises:
        DataError: A source that cannot be read, or a worker that died.
    """
    stale = [plan for plan in plans if why_stale(plan) is not None]
    jobs: list[_Job] = []
    for plan in stale:
        make_private_folder(plan.folder)
        (plan.folder / MANIFEST_NAME).unlink(missing_ok=True)
        for leftover in plan.folder.glob("*.tmp-*"):
            leftover.unlink(missing_ok=True)
        todo = [index for index in range(plan.num_shards) if why_shard_unusable(plan, index) is not None]
        if len(todo) < plan.num_shards:
            echo(f"{plan.task}: {plan.num_shards - len(todo)} of {plan.num_shards} shards are already done")
        for index in todo:
            plan.shard_record(index).unlink(missing_ok=True)
        jobs += [_Job(plan, index, data) for index in todo]
    jobs.sort(key=lambda job: -job.source_bytes)
    total_bytes = sum(job.source_bytes for job in jobs)
    workers = min(workers or min(_cores(), 1 + total_bytes // _BYTES_WORTH_A_WORKER), len(jobs))
    jobs = _draw(jobs, data, workers, echo)
    with Progress(total_bytes, echo=echo) as progress:
        _run(_build_shard, jobs, workers, progress)
    for plan in stale:
        check_unchanged(plan)
        write_json(plan.folder / MANIFEST_NAME, _manifest(plan))


def _draw(jobs: Sequence[_Job], data: DataConfig, workers: int, echo: Callable[[str], object]) -> list[_Job]:
    """Choose the training records of tasks with a number of records, by a first pass over all of their files."""
    asked = records_by_task(data) or {}
    plans = {job.plan.task: job.plan for job in jobs if job.plan.layout.masked and job.plan.task in asked}
    if not plans:
        return list(jobs)
    passes = [_Job(plan, index, data) for plan in plans.values() for index in range(plan.num_shards)]
    with Progress(sum(job.source_bytes for job in passes), echo=echo, doing="drawing", unit="records") as progress:
        found = _run(_lowest, passes, workers, progress)
    ranks: dict[str, list[conversations.Rank]] = {task: [] for task in plans}
    for job, some in zip(passes, found, strict=True):
        ranks[job.plan.task] += some
    drawn = {task: conversations.draw(ranks[task], plan.files, asked[task]) for task, plan in plans.items()}
    return [dataclasses.replace(job, drawn=drawn.get(job.plan.task)) for job in jobs]


def _lowest(job: _Job, on_progress: Callable[[int, int], object]) -> list[conversations.Rank]:
    count = (records_by_task(job.data) or {})[job.plan.task]
    return conversations.lowest(job.files, job.plan.files, job.data, count, on_progress=on_progress)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _build_shard(job: _Job, on_progress: Callable[[int, int], object]) -> None:
    """Tokenize, pack and write one shard, both splits; its record goes in place last."""
    with _quiet():
        import seqio

        from melama_jax.data.tasks import BOTH_SPLITS, DocumentSource, Observer, build_task

    plan = job.plan
    task = build_task(plan.task, job.data, files=plan.files, drawn=job.drawn)
    longest = dict.fromkeys(task.output_features, plan.layout.sequence_length + 1) if plan.layout.masked else None
    source = task.source
    assert isinstance(source, DocumentSource)
    consumed = 0

    def note(position: int) -> None:
        nonlocal consumed
        consumed = position

    observer = source.observer = Observer(on_progress=note)
    writers = {split: _SplitWriter(plan, split, job.index) for split in SPLITS}
    try:
        examples = task.get_dataset(
            sequence_length=longest,
            split=BOTH_SPLITS,
            shuffle=False,
            shard_info=seqio.ShardInfo(job.index, plan.num_shards),
        )
        reported, tokens = time.monotonic(), 0
        try:
            for group in examples.ragged_batch(_GROUP_DOCUMENTS):
                ids, ends = group["targets"].values.numpy(), group["targets"].row_splits.numpy()
                mask = group["loss_mask"].values.numpy() if plan.layout.masked else None
                for row, held_out in enumerate(group["validation"].numpy()):
                    here = slice(ends[row], ends[row + 1])
                    writers["validation" if held_out else "train"].add(ids[here], None if mask is None else mask[here])
                tokens += len(ids)
                if time.monotonic() - reported > _REPORT_SECONDS:
                    reported = time.monotonic()
                    on_progress(consumed, tokens)
        except (MelamaError, _Stopped):
            raise
        except Exception as error:  # TensorFlow raises many types, and its messages may quote the text
            raise DataError(f"{job.name}: {type(error).__name__} while its documents were tokenized") from None
        if observer.error is not None:
            raise observer.error
        splits = {split: writer.finish() for split, writer in writers.items()}
        for split, writer in writers.items():
            os.replace(writer.temporary, plan.shard_file(split, job.index))
    finally:
        for writer in writers.values():
            writer.discard()
    report = observer.report
    write_json(
        plan.shard_record(job.index),
        {
            "fingerprint": plan.fingerprint,
            "records": report.records,
            "skipped": dict(sorted(report.skipped.items())),
            "first_locations": report.first_locations,
            "counts": dict(sorted(report.counts.items())),
            "splits": splits,
        },
    )
    on_progress(job.source_bytes, tokens)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drop what TensorFlow's C++ writes to stderr while it is imported, which no setting silences."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class _SplitWriter:
    """Packs the documents of one split of one shard into an ArrayRecord file and counts what it writes."""

    def __init__(self, plan: TaskPlan, split: str, index: int) -> None:
        from array_record.python import array_record_module  # pyright: ignore[reportAttributeAccessIssue]  # made at run time

        self.path = plan.shard_file(split, index)
        self.temporary = Path(f"{self.path}.tmp-{os.getpid()}")
        self._writer: Any = array_record_module.ArrayRecordWriter(str(self.temporary), "group_size:1")
        self._packer = ConversationPacker(plan.layout) if plan.layout.masked else Packer(plan.layout)
        self._digest = hashlib.sha256()
        self.documents = self.tokens = self.trained = 0
        self.largest = -1

    def add(self, tokens: Any, mask: Any = None) -> None:
        if not len(tokens):
            return
        self.documents += 1
        self.tokens += len(tokens)
        self.largest = max(self.largest, int(tokens.max()))
        if isinstance(self._packer, Packer):
            self._write(self._packer.add(tokens))
        else:
            self.trained += int(mask[1:].sum())  # What nothing precedes is not learned.
            self._write(self._packer.add(tokens, mask))

    def finish(self) -> dict[str, Any]:
        self._write(self._packer.finish())
        with self._say_when_full():
            writer, self._writer = self._writer, None
            writer.close()
        if count_records(self.temporary) != self._packer.rows:
            raise DataError(f"{self.temporary}: was not written whole; is the disk of data.cache_dir full?")
        return {
            "documents": self.documents,
            "tokens": self.tokens,
            "trained_tokens": self.trained,
            "rows": self._packer.rows,
            "largest_token_id": self.largest,
            "bytes": self.temporary.stat().st_size,
            "rows_sha256": self._digest.hexdigest(),
        }

    def discard(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(RuntimeError):  # The disk may be full; the file goes either way.
                self._writer.close()
            self._writer = None
        self.temporary.unlink(missing_ok=True)

    def _write(self, records: Sequence[bytes]) -> None:
        with self._say_when_full():
            for record in records:
                self._digest.update(record)
                self._writer.write(record)

    @contextlib.contextmanager
    def _say_when_full(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError:
            raise DataError(f"{self.temporary}: cannot be written; is the disk of data.cache_dir full?") from None


def _manifest(plan: TaskPlan) -> dict[str, Any]:
    total = ScanReport()
    splits: dict[str, dict[str, Any]] = {
        split: dict.fromkeys(_COUNTED, 0) | {"largest_token_id": -1, "shards": []} for split in SPLITS
    }
    for index in range(plan.num_shards):
        record = json.loads(plan.shard_record(index).read_text(encoding="utf-8"))
        report = ScanReport(record["records"])
        report.skipped.update(record["skipped"])
        report.first_locations = record["first_locations"]
        report.counts.update(record.get("counts", {}))
        total.merge(report)
        for split, facts in splits.items():
            shard = record["splits"][split]
            for key in _COUNTED:
                facts[key] += shard.get(key, 0)
            facts["largest_token_id"] = max(facts["largest_token_id"], shard["largest_token_id"])
            facts["shards"].append(
                {"file": plan.shard_file(split, index).name}
                | {key: shard[key] for key in ("rows", "bytes", "rows_sha256")}
            )
    return {
        "fingerprint": plan.fingerprint,
        "identity": plan.identity,
        "row_layout": dataclasses.asdict(plan.layout),
        "records": total.records,
        "skipped": dict(sorted(total.skipped.items())),
        "first_locations": total.first_locations,
        "counts": dict(sorted(total.counts.items())),
        "files_left_out": list(plan.files_left_out),
        "splits": splits,
    }


class _Stopped(Exception):
    """Raised inside a worker whose work is no longer wanted."""


_worker: dict[str, Any] = {}


def _start_worker(messages: Any, stop: Any, parent: int) -> None:
    _worker.update(messages=messages, stop=stop)
    # Ctrl-C reaches the whole group; the parent tells the workers through `stop`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _work(function: _Function, job: _Job) -> Any:
    def on_progress(done: int, count: int) -> None:
        if _worker["stop"].is_set():
            raise _Stopped
        _worker["messages"].put((job.name, done, count))

    return function(job, on_progress)


def _run(function: _Function, jobs: Sequence[_Job], workers: int, progress: Progress) -> list[Any]:
    """What a function says of each job, in this process or in others."""
    if workers <= 1:
        return [function(job, lambda done, count, job=job: progress.update(job.name, done, count)) for job in jobs]
    # Spawn: TensorFlow does not survive a fork.
    context = multiprocessing.get_context("spawn")
    messages, stop = context.Queue(), context.Event()

    def drain() -> None:
        try:
            while True:
                progress.update(*messages.get_nowait())
        except queue.Empty:
            progress.refresh()

    with ProcessPoolExecutor(workers, context, _start_worker, (messages, stop, os.getpid())) as pool:
        started = [pool.submit(_work, function, job) for job in jobs]
        waiting = set(started)
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=_REPORT_SECONDS, return_when=FIRST_EXCEPTION)
                drain()
                for future in done:
                    future.result()
        except BrokenProcessPool:
            raise DataError(
                "a worker of the preparation died, perhaps for want of memory; shards that are done are kept, "
                "so run again with fewer data.prepare_workers"
            ) from None
        finally:
            stop.set()
            for future in waiting:
                future.cancel()
    return [future.result() for future in started]
