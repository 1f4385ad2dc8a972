"""python -m melama_jax.train --config FILE: from a SeqIO mixture to a trained, resumable checkpoint."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import jax
from jax.sharding import AbstractMesh, AxisType, Mesh
from rich.console import Console

from conversion import direct
from melama_jax.config import CommandParser, Config, dump_yaml, parse_command_line
from melama_jax.config.resume import changes, check_resumable
from melama_jax.data.cache import check_inputs, plan_caches, why_stale
from melama_jax.data.conversations import are_conversations
from melama_jax.data.inspect import first_records, show_records
from melama_jax.data.loader import training_batches, training_rows, validation_batches
from melama_jax.data.mixtures import check_epochs, resolve_mixture
from melama_jax.data.prepare import ensure_prepared
from melama_jax.data.prepared import PreparedData, load_prepared
from melama_jax.errors import CheckpointError, ConfigError, DataError, run_command
from melama_jax.evaluation.in_training import TrainingBenchmarks
from melama_jax.inference.preview import sample
from melama_jax.model.llama import Params
from melama_jax.parallel import distributed, flags
from melama_jax.parallel import mesh as meshes
from melama_jax.parallel.agreement import gather, together
from melama_jax.parallel.hardware import accelerator_of
from melama_jax.training import batches, checkpoint, report, state, step
from melama_jax.training.base import BaseIntake, check_base
from melama_jax.training.best import Best, check_metric, named_best
from melama_jax.training.evaluator import Evaluator
from melama_jax.training.health import Health
from melama_jax.training.loop import DataPosition, Evaluation, Loop
from melama_jax.training.metrics import METRICS_FILE, MetricsWriter, check_installed, plot_loss
from melama_jax.training.preemption import StopRequest
from melama_jax.training.profiling import Profiler
from melama_jax.training.run_folder import has_checkpoints, open_run, store_config


def main(argv: Sequence[str] | None = None) -> int:
    """Train as a configuration says; returns the exit status (0, or the requeue code after a signal)."""
    parser = CommandParser(prog="python -m melama_jax.train", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="check the mesh and print the training plan, then stop")
    parser.add_argument("--devices", type=int, metavar="N", help="with --dry-run: plan for N devices that are not here")
    argv = sys.argv[1:] if argv is None else argv

    def describe(source: str) -> Mapping[str, Any]:
        if "--dry-run" not in argv:  # what one process alone finds, the others have to be told
            distributed.initialize(report.make_console().print)
        return together("reading init.from", lambda: direct.describe_initial(source)) or {}

    config, arguments = parse_command_line(__doc__ or "", argv, parser=parser, describe=describe)
    if arguments.devices is not None and not arguments.dry_run:
        raise ConfigError("--devices plans for devices that are not here, so it needs --dry-run")
    if arguments.dry_run:
        return dry_run(config, arguments.devices)
    return train(config)


def dry_run(config: Config, num_devices: int | None) -> int:
    """Print the resolved configuration, the plan from shapes alone, and how conversations are laid out.

    Allocates no arrays, compiles nothing and writes nothing.
    """
    console = report.make_console()
    if num_devices is None:
        mesh: Mesh | AbstractMesh = meshes.build_mesh(config.mesh)
    else:
        sizes = meshes.mesh_sizes(config.mesh, num_devices)
        mesh = AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes))
    step.check_layout(config, mesh)
    check_ends(config)
    abstract = state.abstract_state(config, mesh)
    print(dump_yaml(config), end="")
    if config.init.from_ is not None and not Path(config.init.from_).exists():
        console.print(f"init.from {config.init.from_} is not here, so it was not checked")
    else:
        check_initial(config, state.abstract_weights(config, mesh), console.print)
    prepared, problem = prepared_before(config, console.print)
    if config.train.epochs is not None and prepared is not None:
        config = with_steps(config, prepared, console.print)
    elif config.train.epochs is not None:
        waiting = "what train.epochs takes is known when the rows are prepared"
        console.print(f"train.steps {config.train.steps:,} is no more than a guess: {waiting}")
    console.print(report.plan_table(config, mesh, abstract))
    if problem is None:
        records, lengths = first_records(config)
        talking = [record for record in records if are_conversations(record.task, config.data.sources[record.task])]
        show_records(console, talking, lengths)
    else:
        console.print(f"the records were not looked at: {problem}")
    return 0


def prepared_before(config: Config, echo: Callable[[str], object]) -> tuple[PreparedData | None, str | None]:
    """The rows if they are prepared already, and what stands in the way of reading the sources, if anything does."""
    try:
        check_inputs(config, echo=echo)
        if config.train.epochs is None:
            return None, None
        plan = plan_caches(config, echo=lambda _: None, remember=False)
        ready = all(why_stale(task) is None for task in plan.tasks)
        return (load_prepared(plan, config, echo=lambda _: None) if ready else None), None
    except DataError as error:  # What is not there yet; a mistake in the configuration ends the dry run.
        return None, str(error)


def train(config: Config) -> int:
    """Run the job that a configuration describes, from the start or from its newest checkpoint."""
    check_installed(config.log)

    # Who takes part, on which mesh; from here on a signal is a request.
    console = report.make_console()
    distributed.initialize(console.print)
    primary = jax.process_index() == 0
    echo: Callable[[str], None] = console.print if primary else lambda text: None
    stop = StopRequest()
    profiler = Profiler(config, Path(config.run.dir), echo=echo)
    health = Health(config.health, Path(config.run.dir) / "health", echo=echo)
    try:
        mesh = meshes.build_mesh(config.mesh)
        if advice := flags.advice(jax.devices()[0]):
            echo(advice)
        step.check_layout(config, mesh)
        check_ends(config)
        abstract = state.abstract_state(config, mesh)
        check_inputs(config)
        run_dir = Path(config.run.dir)
        # A run that goes on needs no init.from, which may be gone, but for the base of an adapter; process 0 tells, so
        # that all go the same way.
        starting = gather("state of the run folder", "" if has_checkpoints(run_dir) else "new")[0] == "new"
        if starting or config.adapter is not None:
            check_initial(config, state.abstract_weights(config, mesh), echo)
        lock = together("opening the run folder", lambda: open_run(run_dir), only_first=True)
        with contextlib.ExitStack() as closing:
            if lock is not None:
                closing.enter_context(lock)
            if starting:
                together("keeping the tokenizer", lambda: direct.remember_initial(config, run_dir), only_first=True)
            checkpointer = checkpoint.Checkpointer(run_dir / "checkpoints", config.checkpoint, echo=echo)
            closing.callback(checkpointer.close)
            # Told before the others are waited for, and after a save that is being written.
            closing.push(lambda kind, error, trace: health.peers.tell(error, finish=checkpointer.wait))
            job = Job(config, run_dir, mesh, abstract, checkpointer, stop, profiler, health, console, echo)
            train_state, stopped = run(job)

        # Close.
        if stopped:
            stop.ignore()  # the rest takes a moment, and schedulers repeat themselves
            saved = f"saved at step {int(train_state.step)}" if train_state else "nothing to save yet"
            echo(f"{saved}, stopping on request; exit status {config.run.requeue_exit_code} to requeue")
            return config.run.requeue_exit_code
        if train_state is not None:
            if config.log.sample_prompt is not None:
                # To the terminal only.
                echo(f"sample: {sample(config, mesh, state.make_whole_params(config, mesh)(train_state))}")
            done = int(train_state.step)
            echo(f"done: {done} steps; checkpoint {run_dir / 'checkpoints' / str(done)}")
        return 0
    except BaseException as error:
        health.peers.tell(error)
        raise
    finally:
        stop.close()
        profiler.close()
        health.close()


@dataclasses.dataclass(frozen=True)
class Job:
    """What a job has from its start to its end; `echo` prints in process 0 alone."""

    config: Config
    run_dir: Path
    mesh: Mesh
    abstract: state.TrainState
    checkpointer: checkpoint.Checkpointer
    stop: StopRequest
    profiler: Profiler
    health: Health
    console: Console
    echo: Callable[[str], None]


def run(job: Job) -> tuple[state.TrainState | None, bool]:
    """Train to the end or to a request to stop; returns the state if there is one, and whether it was a request."""
    config, run_dir, mesh, echo, stop = job.config, job.run_dir, job.mesh, job.echo, job.stop

    # What may be resumed, and the configuration in the run folder.
    resolved = dump_yaml(config)
    echo(resolved)
    together("resuming", lambda: check_resume(job))
    together("storing the configuration", lambda: store_config(run_dir, resolved), only_first=True)

    # The rows, tokenized once by process 0; the others find them ready.
    try:
        together("preparing the data", lambda: ensure_prepared(config, echo=echo), only_first=True)
    except DataError:
        if stop.reached_soon():  # the signal reached the preparation too
            return None, True
        raise
    if stop.reached():
        return None, True
    prepared = ensure_prepared(config, echo=lambda _: None)
    if config.train.epochs is not None:
        config = with_steps(config, prepared, echo, done_before(job))
        job = dataclasses.replace(job, config=config)
        together("storing the configuration", lambda: store_config(run_dir, dump_yaml(config)), only_first=True)

    benchmarks = None
    if config.eval.benchmarks.tasks:
        benchmarks = together("reading the benchmarks", lambda: TrainingBenchmarks(config, mesh))
    if config.eval.best is not None:
        held_out = [name for name, task in prepared.tasks.items() if config.eval.interval and task.validation.rows]
        check_metric(config.eval.best, held_out, [q.task.name for q in benchmarks.questions] if benchmarks else [])

    # Compile, and say what it takes.
    job.health.phase("compiling")
    started = time.monotonic()
    train_step = job.profiler.program = step.compile_train_step(config, mesh, job.abstract)
    memory = train_step.memory_analysis()
    accelerator = accelerator_of(jax.devices()[0])
    if jax.process_index() == 0:
        job.console.print(report.plan_table(config, mesh, job.abstract, memory=memory, accelerator=accelerator))
        job.console.print(f"compiled in {time.monotonic() - started:.1f} s; {report.FLOPS_CONVENTION}")

    if stop.reached():
        return None, True

    # Initialize or restore.
    job.health.phase("restoring the state")
    train_state, first_row = initialize_or_restore(job, prepared)
    first_step = int(train_state.step)
    best = best_so_far(job, first_step)
    if best is not None and jax.process_index() == 0:
        best.publish(best.state())  # a run that was killed may have left an earlier one
    if first_step >= config.train.steps:
        key = "train.steps" if config.train.epochs is None else "train.epochs"
        echo(f"nothing to do: step {first_step} of {config.train.steps} is done (raise {key} to go on)")
        return None, False
    if best is not None and best.exhausted:
        echo(f"nothing to do: stopped early at step {first_step}, {best.describe()}; raise eval.best.patience to go on")
        return None, False
    if stop.reached():
        return None, True

    # The rows as batches, and the held-out rows.
    job.health.phase("opening the data")
    placement = batches.Placement(
        mesh,
        step.batch_keys(config),
        micro_batches=config.train.gradient_accumulation_steps,
        rows=config.train.global_batch_size // config.train.gradient_accumulation_steps,
        sequence_length=config.train.sequence_length,
    )
    across = config.data.attend_across_documents
    reader = training_batches(
        training_rows(prepared, seed=config.run.seed, attend_across_documents=across),
        first_row=first_row,
        global_rows=config.train.global_batch_size,
        local_rows=placement.local_rows,
        num_threads=config.data.read_threads,
        prefetch=config.data.prefetch_batches,
    )
    evaluations: list[Evaluation] = []
    if config.eval.interval is not None:
        evaluator = Evaluator(config, mesh)
        for task in prepared.tasks:
            held_out = validation_batches(
                prepared,
                task,
                max_rows=config.eval.max_rows,
                batch_rows=evaluator.batch_rows,
                local_rows=evaluator.local_rows,
                attend_across_documents=across,
            )
            evaluator.add(task, held_out)
        evaluations.append((config.eval.interval, evaluator))
    if benchmarks is not None:
        whole = state.make_whole_params(config, mesh)
        evaluations.append((config.eval.benchmarks.interval, lambda found: benchmarks(whole(found))))

    # The loop.
    tree = config.model_dump(mode="json", by_alias=True)
    writer = together(
        "opening the metrics",
        lambda: MetricsWriter(run_dir, config.log, resume_step=first_step, run_config=tree, echo=echo),
        only_first=True,
    )
    loop = Loop(
        config,
        run_dir,
        position=DataPosition(prepared.fingerprint, first_row),
        checkpointer=job.checkpointer,
        evaluations=evaluations,
        writer=writer,
        progress=report.ProgressReport(job.console, total=config.train.steps, done=first_step),
        accelerator=accelerator,
        profiler=job.profiler,
        health=job.health,
        best=best,
    )
    try:
        train_state, stopped = loop.run(train_step, train_state, batches.ahead(reader, placement), stop)
    finally:
        job.health.phase("the end of the run")
        job.profiler.stop()
        reader.close()
        loop.progress.close()
        if writer is not None:
            writer.close()
    if writer is not None:
        plot_loss(run_dir / METRICS_FILE, run_dir / "loss.png")
    if best is not None and best.step is not None:
        echo(f"{best.describe()}; checkpoint {run_dir / 'checkpoints' / str(best.step)}")
    return train_state, stopped


def check_ends(config: Config) -> None:
    """Refuse epochs of a mixture that has none, and a best figure that nothing measures, before text is read.

    Raises:
        ConfigError: Naming what would work.
    """
    check_epochs(config)
    if config.eval.best is not None and not config.eval.benchmarks.tasks:
        held_out = [*resolve_mixture(config.data)] if config.eval.interval else []
        check_metric(config.eval.best, held_out, [])


def with_steps(
    config: Config, prepared: PreparedData, echo: Callable[[str], None], done: tuple[int, int] = (0, 0)
) -> Config:
    """The configuration with the steps that `train.epochs` takes; without epochs as it is.

    Args:
        config: The resolved configuration.
        prepared: The rows.
        echo: Prints one line.
        done: Steps and rows of a run that goes on, which may have had another batch size.
    """
    train, rows = config.train, prepared.rows_per_epoch
    if train.epochs is None:
        return config
    assert rows is not None  # by `check_epochs`
    left = Fraction(repr(train.epochs)) * rows - done[1]
    steps = done[0] + max(0, math.ceil(left / train.global_batch_size))
    replaced = "steps" in train.model_fields_set and train.steps != steps
    echo(
        f"train.epochs {train.epochs:g} of {rows:,} rows, {train.global_batch_size} a step: {steps:,} steps"
        + (f" instead of train.steps {train.steps:,}" if replaced else "")
    )
    return config.model_copy(update={"train": train.model_copy(update={"steps": steps})})


def done_before(job: Job) -> tuple[int, int]:
    """Steps and rows of the newest checkpoint that can be read."""
    for number in reversed(job.checkpointer.steps()):
        with contextlib.suppress(CheckpointError):  # restoring reports it
            return number, int(job.checkpointer.meta(number).data["next_row"])
    return 0, 0


def best_so_far(job: Job, step: int) -> Best | None:
    """What the checkpoint of a step says of the best one, for a run that looks for it.

    What an earlier search found best stays until this one finds something.
    """
    wanted, checkpointer = job.config.eval.best, job.checkpointer
    if (named := named_best(job.run_dir)) in checkpointer.steps():
        checkpointer.marked = named
    if wanted is None:
        return None
    stored = checkpointer.meta(step).data.get("best") if step else None
    if stored is not None and stored["step"] not in (None, *checkpointer.steps()):
        job.echo(f"WARNING: the best checkpoint, {stored['step']}, is gone; the next figure is the best so far")
        stored = None
    return Best(wanted, job.run_dir, stored)


def check_initial(config: Config, params: Params, echo: Callable[[str], None]) -> None:
    """Refuse an `init.from` that cannot be loaded, before any work, and list what differs in its model."""
    stored = together("checking init.from", lambda: direct.check_initial(config, params)) or {}
    for change in changes({"model": stored}, config):
        if change.key.startswith("model.") and change.key.split(".")[1] in stored:
            echo(f"init.from has {change.key} {change.stored!r}; this run has {change.now!r}")


def check_resume(job: Job) -> None:
    """Refuse what must not be resumed, and list harmless changes."""
    config, run_dir, steps = job.config, job.run_dir, job.checkpointer.steps()
    if steps and not config.checkpoint.resume:
        raise CheckpointError(
            f"{run_dir}: holds checkpoints up to step {steps[-1]} and checkpoint.resume is false; "
            f"choose another run.dir, or set checkpoint.resume: true"
        )
    for number in reversed(steps):
        try:
            meta = job.checkpointer.meta(number)
        except CheckpointError:
            continue  # restoring reports it
        for change in check_resumable(meta.config, config, checkpoint=f"{run_dir}/checkpoints/{number}"):
            if change.key == "train.steps" and config.train.epochs is not None:
                continue  # follows from the rows
            job.echo(f"resuming with {change.key} changed from {change.stored!r} to {change.now!r}")
        break


def initialize_or_restore(job: Job, prepared: PreparedData) -> tuple[state.TrainState, int]:
    """The state to go on from, and the index of the next training row."""
    config, checkpointer, base = job.config, job.checkpointer, None
    if config.adapter is not None:
        intake = BaseIntake(config, job.mesh)
        base = direct.load_each(config, state.abstract_weights(config, job.mesh), job.echo, intake)
        checkpointer.base = intake.meta

    def accept(meta: checkpoint.CheckpointMeta) -> None:
        check_resumable(meta.config, config, checkpoint=f"{checkpointer.directory}/{meta.step}")
        check_base(meta, checkpointer.base, checkpoint=f"{checkpointer.directory}/{meta.step}")
        if meta.data["fingerprint"] != prepared.fingerprint:
            raise CheckpointError(
                f"{checkpointer.directory}/{meta.step}: was trained on other rows (data fingerprint "
                f"{meta.data['fingerprint'][:12]}, now {prepared.fingerprint[:12]}); restore data.root and "
                f"data.vocabulary, or start in another run.dir with init.from"
            )

    restored = checkpointer.restore_newest(job.abstract, accept=accept)
    if restored is not None:
        train_state, meta = restored
        job.echo(f"resumed from {checkpointer.directory / str(meta.step)}")
        return dataclasses.replace(train_state, base=base), int(meta.data["next_row"])
    params = base
    if config.init.from_ is not None and base is None:
        params = direct.load_initial(config, job.abstract.params, job.echo)
    return state.initialize_state(config, job.mesh, params), 0


if __name__ == "__main__":
    run_command(main)
