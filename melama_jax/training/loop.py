"""The training loop: steps, and what is due after each of them."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax

from melama_jax.config import Config
from melama_jax.errors import TrainingError
from melama_jax.parallel.hardware import Accelerator, memory_in_use
from melama_jax.training.best import Best
from melama_jax.training.checkpoint import Checkpointer
from melama_jax.training.health import Health
from melama_jax.training.metrics import METRICS_FILE, MetricsWriter, plot_loss
from melama_jax.training.preemption import StopRequest
from melama_jax.training.profiling import Profiler, host_span, step_span
from melama_jax.training.report import ProgressReport, describe_evaluations
from melama_jax.training.state import TrainState, flops_per_token
from melama_jax.training.step import Batch

Evaluation = tuple[int, Callable[[TrainState], dict[str, float]]]
"""Steps between evaluations (the last step has one too), and what measures a state as `eval/...` figures."""


@dataclasses.dataclass(frozen=True)
class DataPosition:
    """Where in the data a run stands.

    Attributes:
        fingerprint: Of the prepared rows.
        next_row: Index of the next training row.
    """

    fingerprint: str
    next_row: int


class Loop:
    """Steps, and what is due after each: log, evaluation, checkpoint, stop."""

    def __init__(
        self,
        config: Config,
        run_dir: Path,
        *,
        position: DataPosition,
        checkpointer: Checkpointer,
        evaluations: Sequence[Evaluation],
        writer: MetricsWriter | None,
        progress: ProgressReport,
        accelerator: Accelerator | None,
        profiler: Profiler,
        health: Health,
        best: Best | None = None,
    ):
        """Gather what the steps need.

        Args:
            config: The resolved configuration.
            run_dir: The run folder.
            position: Where in the data the loop starts.
            checkpointer: Saves the state.
            evaluations: What is measured beside the training loss.
            writer: Takes the records; None in every process but the first.
            progress: Shows them.
            accelerator: Data sheet of the devices, for MFU, or None.
            profiler: Traces the steps that it is asked for.
            health: Watches that steps are done.
            best: Knows the best checkpoint so far; None keeps the newest alone.
        """
        self._config, self._run_dir, self._position = config, run_dir, position
        self._checkpointer, self._evaluations, self._writer = checkpointer, evaluations, writer
        self.progress, self._accelerator, self._profiler = progress, accelerator, profiler
        self._health, self._best = health, best
        if best is not None:
            self._saved_best = best.state()
            checkpointer.marked = checkpointer.marked if best.step is None else best.step
        profiler.pause = functools.partial(health.pause_alone, "writing a trace")
        self._first_step = 0
        self._tree = config.model_dump(mode="json", by_alias=True)
        self._tokens_per_step = config.train.global_batch_size * config.train.sequence_length
        self._flops_per_step = flops_per_token(config) * self._tokens_per_step

    def run(
        self,
        train_step: jax.stages.Compiled,
        train_state: TrainState,
        stream: Iterator[Batch],
        stop: StopRequest,
    ) -> tuple[TrainState, bool]:
        """Train to the last step, until no figure gets better, or to a stop request.

        Returns:
            The state, and whether it was a request.

        Raises:
            TrainingError: Too many steps in a row were not finite, or a file cannot be written.
        """
        config = self._config
        number = self._first_step = int(train_state.step)
        self._profiler.expect(number + 1, config.train.steps)
        baseline = self._measure_baseline(train_state) if number == 0 else {}
        self._health.stepping()
        clock, waited, handed, counted = time.monotonic(), 0.0, 0.0, 0
        stopped = enough = False
        while number < config.train.steps and not (stopped or enough):
            clock += self._profiler.before(number + 1, train_state)  # time of the profiler's own
            with step_span(number + 1):
                before = time.monotonic()
                with host_span("input"):
                    batch = next(stream)
                waited += time.monotonic() - before
                before = time.monotonic()
                train_state, metrics = train_step(train_state, batch)
                handed += time.monotonic() - before
            self._health.dispatched(metrics["loss"])
            number, counted = number + 1, counted + 1
            clock += self._profiler.after(number, train_state)
            self.progress.step(number)

            last = number == config.train.steps
            stopping = stop.reached()
            due = [evaluate for interval, evaluate in self._evaluations if last or number % interval == 0]
            logs = last or due or number == 1 or number % config.log.interval == 0
            saves = last or stopping or number % config.checkpoint.interval == 0
            if not (logs or saves):
                continue

            before = time.monotonic()
            values = {key: float(value) for key, value in jax.device_get(metrics).items()}
            handed += time.monotonic() - before
            seconds = time.monotonic() - clock
            if logs:
                record = self._record(number, values, seconds=seconds, waited=waited, steps=counted)
                record |= self._health.compare(seconds=seconds, data_wait=waited, device_wait=handed)
                if number == 1:
                    record |= baseline
                for evaluate in due:
                    with self._health.pause("an evaluation"), host_span("evaluate"):
                        record |= evaluate(train_state)
                with host_span("log"):
                    self._log(record, plot=bool(due))
                if self._best is not None and due:
                    saves |= self._best.consider(number, record)
                    enough = self._best.exhausted
            self._check_finite(number, values)
            if saves or enough:
                with self._health.pause("a save"), host_span("save"):
                    self._save(train_state, number)
            stopped = stopping and not (last or enough)
            # The clock stands still during evaluation and saving.
            clock, waited, handed, counted = time.monotonic(), 0.0, 0.0, 0
        if self._best is not None:
            with self._health.pause("a save"):
                self._publish_best()
            if enough:
                self.progress.note(f"stopping at step {number}: {self._best.describe()}")
        return train_state, stopped

    def _save(self, train_state: TrainState, number: int) -> None:
        """Save; a checkpoint that was best before stays until this one is whole."""
        data: dict[str, Any] = {"fingerprint": self._position.fingerprint, "next_row": self._rows_seen(number)}
        if self._best is not None:
            self._publish_best()
            data["best"] = self._saved_best = self._best.state()
        self._checkpointer.save(train_state, step=number, config=self._tree, data=data)
        if self._best is not None and self._best.step is not None:
            self._checkpointer.marked = self._best.step

    def _publish_best(self) -> None:
        """Make public which of the checkpoints that are whole is the best."""
        self._checkpointer.wait()
        if self._best is not None and jax.process_index() == 0:
            self._best.publish(self._saved_best)

    def _measure_baseline(self, train_state: TrainState) -> dict[str, float]:
        """All that is measured, before the first step, as `baseline/...`: what forgetting is measured against."""
        if not self._evaluations or not self._config.eval.before_training:
            return {}
        results: dict[str, float] = {}
        with self._health.pause("the evaluation before training"):
            for _, evaluate in self._evaluations:
                results |= evaluate(train_state)
        self.progress.note(f"before training: {describe_evaluations(results)}")
        return {key.replace("eval/", "baseline/", 1): value for key, value in results.items()}

    def _record(
        self, number: int, values: dict[str, float], *, seconds: float, waited: float, steps: int
    ) -> dict[str, Any]:
        rate = steps / max(seconds, 1e-9)
        flops = self._flops_per_step * rate / jax.device_count()
        record: dict[str, Any] = {
            "step": number,
            "train/loss": values["loss"],
            "train/grad_norm": values["grad_norm"],
            "train/learning_rate": values["learning_rate"],
            "train/target_tokens": values["target_tokens"],
            "train/skipped_steps": int(values["skipped_total"]),
            "tokens_per_second": self._tokens_per_step * rate,
            "tflops_per_second_per_device": flops / 1e12,
            "mfu": flops / self._accelerator.peak_flops if self._accelerator else None,
            "data_wait_fraction": waited / max(seconds, 1e-9),
            "device_memory_bytes": memory_in_use(),
            "tokens_seen": self._rows_seen(number) * self._config.train.sequence_length,
        }
        if "z_loss" in values:
            record["train/z_loss"] = values["z_loss"]
        return record

    def _rows_seen(self, number: int) -> int:
        return self._position.next_row + (number - self._first_step) * self._config.train.global_batch_size

    def _log(self, record: dict[str, Any], *, plot: bool) -> None:
        if self._writer is not None:
            self._writer.write(record)
            if plot:
                plot_loss(self._run_dir / METRICS_FILE, self._run_dir / "loss.png")
        self.progress.log(record)

    def _check_finite(self, number: int, values: dict[str, float]) -> None:
        in_a_row, limit = int(values["skipped_longest"]), self._config.train.max_consecutive_nonfinite_steps
        if in_a_row >= limit:
            error = TrainingError(
                f"step {number}: {in_a_row} steps in a row had a non-finite loss or gradient and were skipped "
                f"(train.max_consecutive_nonfinite_steps {limit}); lower optimizer.learning_rate or raise "
                f"optimizer.warmup_ratio, and resume from the last checkpoint"
            )
            error.agreed = True  # the figures are the same in all processes
            raise error
