"""python -m melama_jax.train --config FILE: from a SeqIO mixture to a trained, resumable checkpoint."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
from jax.sharding import AbstractMesh, AxisType, Mesh

from melama_jax.config import Config, dump_yaml, parse_command_line
from melama_jax.config.resume import check_resumable
from melama_jax.data.loader import training_batches, training_rows, validation_batches
from melama_jax.data.prepare import ensure_prepared
from melama_jax.data.prepared import PreparedData
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import CheckpointError, ConfigError, run_command
from melama_jax.inference.preview import continue_tokens
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import distributed
from melama_jax.parallel import mesh as meshes
from melama_jax.parallel.hardware import accelerator_of
from melama_jax.training import batches, checkpoint, report, state, step
from melama_jax.training.evaluator import Evaluator
from melama_jax.training.loop import DataPosition, Loop
from melama_jax.training.metrics import METRICS_FILE, MetricsWriter, check_installed, plot_loss
from melama_jax.training.preemption import StopRequest


def main(argv: Sequence[str] | None = None) -> int:
    """Train as a configuration says; returns the exit status (0, or the requeue code after a signal)."""
    parser = argparse.ArgumentParser(prog="python -m melama_jax.train", description=__doc__)
    parser.add_argument("--dry-run", action="store_true", help="check the mesh and print the training plan, then stop")
    parser.add_argument("--devices", type=int, metavar="N", help="with --dry-run: plan for N devices that are not here")
    config, arguments = parse_command_line(__doc__ or "", argv, parser=parser)
    if arguments.devices is not None and not arguments.dry_run:
        raise ConfigError("--devices plans for devices that are not here, so it needs --dry-run")
    if arguments.dry_run:
        return dry_run(config, arguments.devices)
    return train(config)


def dry_run(config: Config, num_devices: int | None) -> int:
    """Print the resolved configuration and the plan from shapes alone; allocates no arrays and compiles nothing."""
    console = report.make_console()
    if num_devices is None:
        mesh: Mesh | AbstractMesh = meshes.build_mesh(config.mesh)
    else:
        sizes = meshes.mesh_sizes(config.mesh, num_devices)
        mesh = AbstractMesh(tuple(sizes.values()), tuple(sizes), axis_types=(AxisType.Auto,) * len(sizes))
    check_layout(config, mesh)
    print(dump_yaml(config), end="")
    console.print(report.plan_table(config, mesh, state.abstract_state(config, mesh)))
    return 0


def check_layout(config: Config, mesh: Mesh | AbstractMesh) -> None:
    """Refuse batches that the mesh cannot split, before anything is compiled."""
    train = config.train
    micro = train.global_batch_size // train.gradient_accumulation_steps
    meshes.check_batch(mesh, rows=micro, sequence_length=train.sequence_length)
    if config.eval.interval is not None and config.eval.batch_size is not None:
        meshes.check_batch(
            mesh, rows=config.eval.batch_size, sequence_length=train.sequence_length, name="eval.batch_size"
        )


def train(config: Config) -> int:
    """Run the job that a configuration describes, from the start or from its newest checkpoint."""
    check_installed(config.log)

    # Who takes part, on which mesh.
    console = report.make_console()
    distributed.initialize(console.print)
    primary = jax.process_index() == 0
    echo: Callable[[str], None] = console.print if primary else lambda text: None
    mesh = meshes.build_mesh(config.mesh)
    check_layout(config, mesh)
    abstract = state.abstract_state(config, mesh)
    accelerator = accelerator_of(jax.devices()[0])

    # The run folder, and the configuration in it.
    run_dir = Path(config.run.dir)
    resolved = dump_yaml(config)
    echo(resolved)
    checkpointer = open_run(config, run_dir, resolved, primary, echo)

    # The rows, tokenized once by process 0; the others find them ready.
    if primary:
        ensure_prepared(config, echo=echo)
    distributed.barrier("prepared", timeout_seconds=7 * 24 * 3600)
    prepared = ensure_prepared(config, echo=lambda _: None)

    # Compile, and say what it takes.
    started = time.monotonic()
    train_step = step.compile_train_step(config, mesh, abstract)
    memory = train_step.memory_analysis()
    if primary:
        console.print(report.plan_table(config, mesh, abstract, memory=memory, accelerator=accelerator))
        console.print(f"compiled in {time.monotonic() - started:.1f} s; {report.FLOPS_CONVENTION}")

    # Initialize or restore.
    train_state, first_row = initialize_or_restore(config, mesh, abstract, prepared, checkpointer, echo)
    first_step = int(train_state.step)
    if first_step >= config.train.steps:
        echo(f"nothing to do: step {first_step} of {config.train.steps} is done (raise train.steps to go on)")
        checkpointer.close()
        return 0

    # The loop.
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
    evaluator = None
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
    writer = None
    if primary:
        tree = config.model_dump(mode="json", by_alias=True)
        writer = MetricsWriter(run_dir, config.log, resume_step=first_step, run_config=tree, echo=echo)
    stop = StopRequest()
    loop = Loop(
        config,
        run_dir,
        position=DataPosition(prepared.fingerprint, first_row),
        checkpointer=checkpointer,
        evaluator=evaluator,
        writer=writer,
        progress=report.ProgressReport(console, total=config.train.steps, done=first_step),
        accelerator=accelerator,
    )
    try:
        train_state, stopped = loop.run(train_step, train_state, batches.ahead(reader, placement), stop)
    finally:
        reader.close()
        loop.progress.close()
        stop.close()
        if writer is not None:
            writer.close()
    checkpointer.close()

    # Close.
    if writer is not None:
        plot_loss(run_dir / METRICS_FILE, run_dir / "loss.png")
    if stopped:
        echo(f"saved at step {int(train_state.step)} on request; exit status {config.run.requeue_exit_code} to requeue")
        return config.run.requeue_exit_code
    if config.log.sample_prompt is not None:
        show_sample(config, mesh, train_state, echo)
    echo(f"done: {config.train.steps} steps; checkpoint {run_dir / 'checkpoints' / str(config.train.steps)}")
    return 0


def open_run(
    config: Config, run_dir: Path, resolved: str, primary: bool, echo: Callable[[str], None]
) -> checkpoint.Checkpointer:
    """Create the run folder, refuse what must not be resumed, list harmless changes, and store the configuration."""
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"run.dir {run_dir}: cannot be created: {error.strerror}") from None
    checkpointer = checkpoint.Checkpointer(run_dir / "checkpoints", config.checkpoint, echo=echo)
    steps = checkpointer.steps()
    if steps and not config.checkpoint.resume:
        raise CheckpointError(
            f"{run_dir}: holds checkpoints up to step {steps[-1]} and checkpoint.resume is false; "
            f"choose another run.dir, or set checkpoint.resume: true"
        )
    for number in reversed(steps):
        try:
            meta = checkpointer.meta(number)
        except CheckpointError:
            continue  # restore_newest reports it and sets it aside
        for change in check_resumable(meta.config, config, checkpoint=f"{run_dir}/checkpoints/{number}"):
            echo(f"resuming with {change.key} changed from {change.stored!r} to {change.now!r}")
        break
    if primary:
        beside = run_dir / ".config.yaml"
        beside.write_text(resolved, encoding="utf-8")
        beside.replace(run_dir / "config.yaml")
    return checkpointer


def initialize_or_restore(
    config: Config,
    mesh: Mesh,
    abstract: state.TrainState,
    prepared: PreparedData,
    checkpointer: checkpoint.Checkpointer,
    echo: Callable[[str], None],
) -> tuple[state.TrainState, int]:
    """The state to go on from, and the index of the next training row."""

    def accept(meta: checkpoint.CheckpointMeta) -> None:
        check_resumable(meta.config, config, checkpoint=f"{checkpointer.directory}/{meta.step}")
        if meta.data["fingerprint"] != prepared.fingerprint:
            raise CheckpointError(
                f"{checkpointer.directory}/{meta.step}: was trained on other rows (data fingerprint "
                f"{meta.data['fingerprint'][:12]}, now {prepared.fingerprint[:12]}); restore data.root and "
                f"data.vocabulary, or start in another run.dir with init.from"
            )

    restored = checkpointer.restore_newest(abstract, accept=accept)
    if restored is not None:
        train_state, meta = restored
        echo(f"resumed from {checkpointer.directory / str(meta.step)}")
        return train_state, int(meta.data["next_row"])
    params = None
    if config.init.from_ is not None:
        params = checkpoint.load_params(config.init.from_, abstract.params)
        echo(f"parameters from {checkpoint.find_checkpoint(config.init.from_)}")
    return state.initialize_state(config, mesh, params), 0


def show_sample(config: Config, mesh: Mesh, train_state: state.TrainState, echo: Callable[[str], None]) -> None:
    """Print a continuation of `log.sample_prompt`; to the terminal only, never to a file or tracker."""
    vocabulary = load_vocabulary(config.data.vocabulary)
    prompt = vocabulary.encode(config.log.sample_prompt or "") or [vocabulary.eos_id or 0]
    with jax.set_mesh(mesh):
        drawn = continue_tokens(
            LlamaConfig.build(config.model, config.train),
            train_state.params,
            prompt,
            num_tokens=min(config.log.sample_tokens, max(1, config.train.sequence_length - len(prompt))),
            stop=vocabulary.eos_id,
            seed=config.run.seed,
        )
    echo(f"sample: {vocabulary.decode([*prompt, *drawn])}")


if __name__ == "__main__":
    run_command(main)
