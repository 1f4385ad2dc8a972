"""Prepared rows on disk: where they lie, what they were made from, and whether they can still be used. No TensorFlow.

    CACHE_DIR/<task>-<12 hex digits of the fingerprint>/
        {train,validation}-00000-of-0000N.array_record   rows, see `melama_jax.data.packing`
        shard-00000-of-0000N.json                        what was counted; its presence means that both files are whole
        manifest.json                                    written last

The fingerprint covers what decides the rows: the files' names and bytes, the vocabulary, the row's length, BOS and EOS,
the held-out share; for conversations also the template, the wordings and what is drawn. Where the files lie and how
attention treats documents are left out.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from melama_jax.config import Config, DataConfig, Source
from melama_jax.data import conversations
from melama_jax.data.mixtures import resolve_mixture
from melama_jax.data.packing import RowLayout
from melama_jax.data.sources import SourceFile, companion_of, count_shards, data_root, find_files, match_files
from melama_jax.data.vocabulary import Vocabulary, load_vocabulary
from melama_jax.errors import ConfigError, DataError

FORMAT_VERSION = 1
"""Raised whenever the same sources would give other rows or another layout."""

SPLITS = ("train", "validation")
MANIFEST_NAME = "manifest.json"
_HASHES_NAME = "source-hashes.json"
_LOCK_NAME = ".lock"
_FRESH_NS = 2 * 10**9  # A file changed this recently may change again within the same clock tick.


@dataclasses.dataclass(frozen=True)
class TaskPlan:
    """One task's cache as it should be.

    Attributes:
        task: Name of the task.
        files: Files to read.
        files_left_out: Names of matched files whose ending is not read.
        identity: Everything that the fingerprint covers, ready for JSON.
        fingerprint: SHA-256 of the identity.
        folder: Where the rows lie.
        num_shards: Units of work.
        layout: How a row lies on disk.
    """

    task: str
    files: tuple[SourceFile, ...]
    files_left_out: tuple[str, ...]
    identity: dict[str, Any]
    fingerprint: str
    folder: Path
    num_shards: int
    layout: RowLayout

    def shard_file(self, split: str, index: int) -> Path:
        """Path of one shard's rows."""
        return self.folder / f"{split}-{index:05d}-of-{self.num_shards:05d}.array_record"

    def shard_record(self, index: int) -> Path:
        """Path of one shard's counts."""
        return self.folder / f"shard-{index:05d}-of-{self.num_shards:05d}.json"


@dataclasses.dataclass(frozen=True)
class CachePlan:
    """All caches that a configuration needs: the tasks, their rates, the vocabulary, the row layout of text."""

    tasks: tuple[TaskPlan, ...]
    rates: dict[str, float]
    vocabulary: Vocabulary
    layout: RowLayout


def check_inputs(
    config: Config, *, echo: Callable[[str], object] = lambda text: None
) -> tuple[dict[str, float], Vocabulary, dict[str, Any]]:
    """Find the tasks, the vocabulary and the files without reading the text; quick, so that mistakes show early.

    Args:
        config: The whole tree.
        echo: Prints one line: tasks of conversations that are left out for want of files.

    Returns:
        Rates by task, the vocabulary, and by task the files to read and the names of those left out.

    Raises:
        ConfigError: An unknown task, or a vocabulary or chat template that the model or the settings cannot work with.
        DataError: No files.
    """
    data = config.data
    rates = resolve_mixture(data)
    vocabulary = load_vocabulary(data.vocabulary)
    if vocabulary.vocab_size > config.model.num_tokens:
        raise ConfigError(
            f"the vocabulary {vocabulary.path} has {vocabulary.vocab_size} tokens but model.vocab_size is "
            f"{config.model.vocab_size} and model.vocab_padding {config.model.vocab_padding}; set model.vocab_size "
            f"to {vocabulary.vocab_size + config.model.vocab_padding} or more, or change data.vocabulary"
        )
    for key, wanted, token in (
        ("add_bos", data.add_bos, vocabulary.bos_id),
        ("add_eos", data.add_eos, vocabulary.eos_id),
    ):
        if wanted and token is None:
            raise ConfigError(f"data.{key} is true but {vocabulary.path} has no such token; set data.{key} to false")
    talking = [task for task in rates if conversations.are_conversations(task, data.sources[task])]
    if talking:
        conversations.check_conversations(data, talking, vocabulary)
    found = _find_all(data, list(rates), talking, echo)
    return {task: rates[task] for task in found}, vocabulary, found


def _find_all(
    data: DataConfig, tasks: Sequence[str], talking: Sequence[str], echo: Callable[[str], object]
) -> dict[str, tuple[list[SourceFile], list[str]]]:
    """Files of every task; tasks of conversations may be absent, all of which are then named at once."""
    root = data_root(data)
    find = {task: match_files if task in talking and len(tasks) > 1 else find_files for task in tasks}
    found = {task: find[task](task, data.sources[task], root) for task in tasks}
    absent = [task for task, (files, _) in found.items() if not files]
    if absent:
        looked_for = "; ".join(
            f"{task}: {', '.join(repr(source.glob) for source in data.sources[task])}"
            + (f" ({len(found[task][1])} files with other endings)" if found[task][1] else "")
            for task in absent
        )
        missing = f"data.mixture {data.mixture}: {len(absent)} of {len(tasks)} tasks have no files under {root}"
        if not data.conversations.allow_absent or len(absent) == len(tasks):
            raise DataError(
                f"{missing}: {looked_for}. Get them, say in data.sources where they are, name the tasks that you have "
                f"in data.conversations.records, or set data.conversations.allow_absent: true"
            )
        echo(f"WARNING: {missing} and are left out: {looked_for}")
    return {task: files for task, files in found.items() if task not in absent}


def plan_caches(config: Config, *, echo: Callable[[str], object] = print, remember: bool = True) -> CachePlan:
    """Find and hash the source files of every task with a positive rate.

    Args:
        config: The whole tree.
        echo: Prints one line.
        remember: Whether new hashes are kept in the cache folder.

    Raises:
        ConfigError: An unknown task, or a vocabulary or chat template that the model or the settings cannot work with.
        DataError: No files, or files that cannot be read.
    """
    data = config.data
    rates, vocabulary, found = check_inputs(config, echo=echo)
    layout = RowLayout.of(sequence_length=config.train.sequence_length, vocab_size=vocabulary.vocab_size)
    cache_dir = Path(data.cache_dir)
    everything = [file for files, _ in found.values() for file in files]
    looked_up = {path: _as_file(path) for file in everything if (path := companion_of(file)) is not None}
    hashes = _hash_files([*everything, *looked_up.values()], cache_dir, echo=echo, remember=remember)
    plans = []
    for task, (files, left_out) in found.items():
        talks = conversations.are_conversations(task, data.sources[task])
        identity = {
            "format_version": FORMAT_VERSION,
            "num_shards": count_shards(files),
            "task": task,
            "sources": [
                {
                    "file": file.name,
                    "bytes": file.size,
                    "sha256": hashes[os.path.abspath(file.path)],
                    **file.source.model_dump(include={"field", "document", "split"}),
                }
                for file in files
            ],
            "vocabulary": {
                "sha256": vocabulary.sha256,
                "vocab_size": vocabulary.vocab_size,
                "bos_id": vocabulary.bos_id,
                "eos_id": vocabulary.eos_id,
            },
            "sequence_length": config.train.sequence_length,
            "validation_fraction": data.validation_fraction,
        }
        if talks:
            identity["conversations"] = conversations.identity(data, task, files)
            beside = {path for path in map(companion_of, files) if path is not None}
            if beside:
                identity["looked_up"] = sorted((path.name, hashes[os.path.abspath(path)]) for path in beside)
        else:
            identity |= {"add_bos": data.add_bos, "add_eos": data.add_eos}
        fingerprint = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()
        folder = cache_dir / f"{task}-{fingerprint[:12]}"
        own = dataclasses.replace(layout, masked=talks)
        plans.append(
            TaskPlan(task, tuple(files), tuple(left_out), identity, fingerprint, folder, count_shards(files), own)
        )
    return CachePlan(tuple(plans), rates, vocabulary, layout)


def _as_file(path: Path) -> SourceFile:
    """A file that is looked up by those beside it."""
    status = path.stat()
    return SourceFile(path, path.name, Source(glob=path.name), status.st_size, status.st_mtime_ns)


def why_stale(plan: TaskPlan) -> str | None:
    """Why a task's rows must be made, in words; None when they are there and whole."""
    manifest = read_manifest(plan.folder)
    if manifest is None:
        return _what_changed(plan)
    if manifest.get("fingerprint") != plan.fingerprint:
        return f"{plan.folder / MANIFEST_NAME} does not match its folder"
    for index in range(plan.num_shards):
        reason = why_shard_unusable(plan, index)
        if reason is not None:
            return reason
    return None


def why_shard_unusable(plan: TaskPlan, index: int) -> str | None:
    """Why one shard cannot be used: its counts are missing, or a file is missing, cut off, or has other counts."""
    record = _read_json(plan.shard_record(index))
    if record is None or record.get("fingerprint") != plan.fingerprint:
        return f"{plan.shard_record(index)} is missing"
    for split in SPLITS:
        path, facts = plan.shard_file(split, index), record["splits"][split]
        if not path.is_file():
            return f"{path} is missing"
        if path.stat().st_size != facts["bytes"]:
            return f"{path} has {path.stat().st_size} bytes instead of {facts['bytes']}"
        rows = count_records(path)
        if rows != facts["rows"]:
            return f"{path} has {'unreadable' if rows is None else rows} rows instead of {facts['rows']}"
    return None


def count_records(path: Path) -> int | None:
    """Records of an ArrayRecord file; None when it cannot be read."""
    from array_record.python import array_record_module  # pyright: ignore[reportAttributeAccessIssue]  # made at run time

    try:
        reader = array_record_module.ArrayRecordReader(str(path))
        try:
            return reader.num_records()
        finally:
            reader.close()
    except Exception:  # The extension raises several types for a damaged file.
        return None


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a cache folder, or None."""
    return _read_json(folder / MANIFEST_NAME)


def write_json(path: Path, tree: Any) -> None:
    """Write a JSON file so that a reader sees the old one or the whole new one.

    Raises:
        DataError: It cannot be written.
    """
    temporary = path.with_name(f"{path.name}.tmp-{os.getpid()}")
    try:
        with open(temporary, "w", encoding="utf-8") as stream:
            json.dump(tree, stream, indent=1)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror}") from None


def make_private_folder(folder: Path) -> None:
    """Create a folder that only its owner can enter, since token ids are the text itself.

    Raises:
        DataError: It cannot be created.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise DataError(f"data.cache_dir: cannot create {folder}: {error.strerror}") from None


@contextlib.contextmanager
def cache_lock(cache_dir: Path, *, echo: Callable[[str], object] = print) -> Iterator[None]:
    """Let one process at a time prepare rows in a cache folder; a process that dies gives the lock back."""
    import fcntl

    make_private_folder(cache_dir)
    with open(cache_dir / _LOCK_NAME, "w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            echo(f"waiting for another process that prepares rows in {cache_dir}")
            fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def check_unchanged(plan: TaskPlan) -> None:
    """Raise a DataError if a source file changed since the plan hashed it."""
    for file in plan.files:
        try:
            status = file.path.stat()
        except OSError:
            status = None
        if status is None or (status.st_size, status.st_mtime_ns) != (file.size, file.mtime_ns):
            raise DataError(f"{file.path}: changed while it was read; run again when it is complete")


def _hash_files(
    files: Sequence[SourceFile], cache_dir: Path, *, echo: Callable[[str], object], remember: bool
) -> dict[str, str]:
    """SHA-256 by path; remembered by path, size and time of change, so that terabytes are hashed once."""
    memo_path = cache_dir / _HASHES_NAME
    memo = _read_json(memo_path) or {}
    by_path = {os.path.abspath(file.path): file for file in files}
    wanted = {path: file for path, file in by_path.items() if memo.get(path, [])[:2] != [file.size, file.mtime_ns]}
    total = sum(file.size for file in wanted.values())
    if total > 2**30:
        echo(f"hashing {total / 2**30:.1f} GiB of source files (once; remembered in {memo_path})")

    def digest(file: SourceFile) -> str:
        try:
            with open(file.path, "rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise DataError(f"{file.path}: cannot be read: {error.strerror}") from None

    with ThreadPoolExecutor(4) as pool:
        new = dict(zip(wanted, pool.map(digest, wanted.values()), strict=True))
    settled = {
        path: [wanted[path].size, wanted[path].mtime_ns, sha256]
        for path, sha256 in new.items()
        if time.time_ns() - wanted[path].mtime_ns > _FRESH_NS
    }
    if settled and remember:
        with contextlib.suppress(DataError):  # A read-only cache can still be read.
            make_private_folder(cache_dir)
            write_json(memo_path, (_read_json(memo_path) or {}) | settled)
    return {path: new[path] if path in new else memo[path][2] for path in by_path}


def _what_changed(plan: TaskPlan) -> str:
    """What tells the plan from the newest cache of the same task."""
    others = [
        folder
        for folder in plan.folder.parent.glob(f"{plan.task}-*")
        if folder != plan.folder and (folder / MANIFEST_NAME).is_file()
    ]
    if (plan.folder / MANIFEST_NAME).exists():
        return f"{plan.folder / MANIFEST_NAME} cannot be read"
    if any(plan.folder.glob("shard-*.json")):
        return f"{plan.folder} is unfinished; its whole shards are kept"
    if not others:
        return "not prepared before"
    newest = max(others, key=lambda folder: (folder / MANIFEST_NAME).stat().st_mtime_ns)
    old = (read_manifest(newest) or {}).get("identity", {})
    changes = [
        key for key in plan.identity if key != "sources" and plan.identity[key] != old.get(key)
    ] + _changed_sources(old.get("sources", []), plan.identity["sources"])
    return f"changed since {newest}: {', '.join(changes) or 'unknown'}"


def _changed_sources(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> list[str]:
    def by_name(entries: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        grouped: dict[str, list[dict[str, Any]]] = {}
        for entry in entries:
            grouped.setdefault(entry["file"], []).append(entry)
        return grouped

    before, after = by_name(old), by_name(new)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names and old != new:
        return ["order of the sources"]
    words = [
        f"{name} ({'new' if name not in before else 'gone' if name not in after else 'changed'})" for name in names
    ]
    return words[:5] + ([f"{len(words) - 5} more files"] if len(words) > 5 else [])


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return tree if isinstance(tree, dict) else None
