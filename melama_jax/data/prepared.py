"""What the preparation hands to training: paths, counts and the fingerprint of the rows. No TensorFlow."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from melama_jax.config import Config
from melama_jax.data.cache import CachePlan, TaskPlan, read_manifest
from melama_jax.data.mixtures import integer_rates, records_by_task
from melama_jax.data.packing import RowLayout
from melama_jax.data.sources import BAD_REASONS
from melama_jax.errors import ConfigError, DataError


@dataclasses.dataclass(frozen=True)
class SplitRows:
    """Rows of one split of one task.

    Attributes:
        paths: ArrayRecord files, in order; those without rows are left out.
        shard_rows: Rows of each file.
        rows: Rows of all.
        documents: Documents in them.
        tokens: Tokens of the documents, with BOS and EOS, without padding.
        trained_tokens: Of conversations, those that are learned from.
    """

    paths: tuple[Path, ...]
    shard_rows: tuple[int, ...]
    rows: int
    documents: int
    tokens: int
    trained_tokens: int = 0


@dataclasses.dataclass(frozen=True)
class PreparedTask:
    """One task's rows; `manifest` is the whole of its `manifest.json`."""

    task: str
    folder: Path
    rate: float
    train: SplitRows
    validation: SplitRows
    manifest: Mapping[str, Any]

    @property
    def masked(self) -> bool:
        """Whether its rows are conversations."""
        return bool(self.manifest["row_layout"].get("masked"))


@dataclasses.dataclass(frozen=True)
class PreparedData:
    """Rows of every task of a mixture.

    Attributes:
        tasks: By name, in the order of the mixture.
        layout: How a row of text lies on disk; see `layout_of`.
        vocabulary_path: The tokenizer's file.
        vocab_size: Tokens of the vocabulary.
        fingerprint: Hash over the rows themselves, the sources and the rates. Two runs with equal fingerprints and
            seeds read the same rows in the same order.
        by_records: Whether the mixture gives numbers of records; each task's rate is then its number of training rows.
    """

    tasks: Mapping[str, PreparedTask]
    layout: RowLayout
    vocabulary_path: Path
    vocab_size: int
    fingerprint: str
    by_records: bool = False

    @property
    def rates(self) -> dict[str, float]:
        """Share of each task in the training rows, in any unit."""
        return {name: task.rate for name, task in self.tasks.items()}

    @property
    def rows_per_epoch(self) -> int | None:
        """Training rows after which each was read once; None for several tasks mixed by rates."""
        if len(self.tasks) > 1 and not self.by_records:
            return None
        return sum(task.train.rows for task in self.tasks.values())

    def layout_of(self, task: str) -> RowLayout:
        """How a row of one task lies on disk."""
        return dataclasses.replace(self.layout, masked=self.tasks[task].masked)

    @property
    def sequence_length(self) -> int:
        """T."""
        return self.layout.sequence_length

    def summary(self) -> list[dict[str, str]]:
        """One row a task for a table: column title to text."""
        total = sum(self.rates.values())
        return [
            {
                "task": name,
                "rate": f"{100 * task.rate / total:.1f}%",
                "files": f"{len({entry['file'] for entry in task.manifest['identity']['sources']}):,}",
                "documents": f"{task.train.documents + task.validation.documents:,}",
                "tokens": f"{task.train.tokens + task.validation.tokens:,}",
                "training rows": f"{task.train.rows:,}",
                "validation rows": f"{task.validation.rows:,}",
                "skipped": _describe(task.manifest["skipped"]) or "none",
                "files left out": f"{len(task.manifest['files_left_out']):,}",
            }
            for name, task in self.tasks.items()
        ]

    def summary_of_conversations(self) -> list[dict[str, str]]:
        """The same for what the tasks of conversations have beside; none without such tasks."""
        found = []
        for name, task in self.tasks.items():
            if task.masked:
                asked, counts = task.manifest["identity"]["conversations"]["records"], task.manifest["counts"]
                train, validation = task.train, task.validation
                tokens, trained = (
                    train.tokens + validation.tokens,
                    train.trained_tokens + validation.trained_tokens,
                )
                found.append(
                    {
                        "task": name,
                        "asked for": f"{asked:,}" if asked else "all",
                        "drawn": f"{counts.get('drawn', 0):,} of {counts.get('available', 0):,}",
                        "held out": f"{validation.documents:,}",
                        "shortened": f"{counts.get('shortened', 0):,}",
                        "mean tokens": f"{tokens / (train.documents + validation.documents):,.0f}",
                        "learned from": f"{trained:,} ({trained / tokens:.1%})",
                        "rows filled": f"{train.tokens / (train.rows * (self.sequence_length + 1)):.1%}",
                    }
                )
        return found


def load_prepared(plan: CachePlan, config: Config, *, echo: Callable[[str], object] = print) -> PreparedData:
    """Read the manifests of caches that are whole, and check that the run can use them.

    Raises:
        ConfigError: A token id that the model's vocabulary does not have.
        DataError: Too many bad records, or no training row for a task.
    """
    tasks = {}
    by_records = records_by_task(config.data) is not None
    for task in plan.tasks:
        manifest = read_manifest(task.folder)
        if manifest is None:
            raise DataError(f"{task.folder}: has no manifest; run python -m melama_jax.data.prepare")
        _check(task, manifest, config, echo)
        train, validation = (_split_rows(task, manifest, split) for split in ("train", "validation"))
        rate = float(train.rows) if by_records else plan.rates[task.task]
        tasks[task.task] = PreparedTask(task.task, task.folder, rate, train, validation, manifest)
    rates = integer_rates({name: task.rate for name, task in tasks.items()})
    rows = {
        name: [
            task.manifest["fingerprint"],
            rates[name],
            [
                (split, shard["rows"], shard["rows_sha256"])
                for split, facts in task.manifest["splits"].items()
                for shard in facts["shards"]
            ],
        ]
        for name, task in tasks.items()
    }
    fingerprint = hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()
    return PreparedData(tasks, plan.layout, plan.vocabulary.path, plan.vocabulary.vocab_size, fingerprint, by_records)


def _split_rows(plan: TaskPlan, manifest: Mapping[str, Any], split: str) -> SplitRows:
    facts = manifest["splits"][split]
    shards = [shard for shard in facts["shards"] if shard["rows"]]
    return SplitRows(
        tuple(plan.folder / shard["file"] for shard in shards),
        tuple(shard["rows"] for shard in shards),
        facts["rows"],
        facts["documents"],
        facts["tokens"],
        facts.get("trained_tokens", 0),
    )


def _check(plan: TaskPlan, manifest: Mapping[str, Any], config: Config, echo: Callable[[str], object]) -> None:
    data = config.data
    skipped, records = manifest["skipped"], manifest["records"]
    bad = {reason: skipped[reason] for reason in BAD_REASONS if skipped.get(reason)}
    if sum(bad.values()) > data.max_bad_record_fraction * records:
        share = sum(bad.values()) / records
        places = "; first at " + ", ".join(f"{manifest['first_locations'][reason]} ({reason})" for reason in bad)
        raise DataError(
            f"data.sources.{plan.task}: {sum(bad.values())} of {records} records ({share:.2%}) cannot be read: "
            f"{_describe(bad)}{places}; mend them, or raise data.max_bad_record_fraction from "
            f"{data.max_bad_record_fraction} to at least {_round_up(share)}"
        )
    largest = max(facts["largest_token_id"] for facts in manifest["splits"].values())
    if largest >= config.model.num_tokens:
        raise ConfigError(
            f"{plan.folder}: holds token id {largest} but model.vocab_size is {config.model.vocab_size} and "
            f"model.vocab_padding {config.model.vocab_padding}; set model.vocab_size to "
            f"{largest + 1 + config.model.vocab_padding} or more"
        )
    train, validation = manifest["splits"]["train"], manifest["splits"]["validation"]
    if not train["rows"]:
        patterns = ", ".join(repr(source.glob) for source in data.sources[plan.task])
        empty = f", {_describe(skipped)}" if skipped else ""
        raise DataError(
            f"data.sources.{plan.task}: {len(plan.files)} files match {patterns} under {data.root or 'the samples'} "
            f"but give no training rows ({records} records{empty}, {train['documents']} documents for training, "
            f"{validation['documents']} held out)"
        )
    if not validation["rows"] and (data.validation_fraction > 0 or _wants_validation(config, plan.task)):
        echo(
            f"WARNING: {plan.task} has no held-out rows ({validation['documents']} documents); its held-out loss "
            f"cannot be measured. Raise data.validation_fraction from {data.validation_fraction}, or give a source "
            f"with split: validation"
        )


def _wants_validation(config: Config, task: str) -> bool:
    return any(source.split == "validation" for source in config.data.sources[task])


def _round_up(share: float) -> float:
    return min(1.0, int(share * 10000 + 1) / 10000)


def _describe(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.items() if count)
