"""python -m melama_jax.evaluate --checkpoint C --tasks mibe: scores on the medical benchmarks, with a report."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from conversion.serving import LONGEST, ServedModel, open_model, summary
from melama_jax.config import CommandParser, EvaluationConfig, dump_yaml, load_tree, output_file
from melama_jax.data.chat import ChatTemplate
from melama_jax.errors import ConfigError, run_command
from melama_jax.evaluation import report as reports
from melama_jax.evaluation.answers import sha256_of
from melama_jax.evaluation.asker import ModelAsker
from melama_jax.evaluation.compare import check_output, compare_runs, print_comparison, write_comparison
from melama_jax.evaluation.decontamination import cache_contamination
from melama_jax.evaluation.inputs import SUITES, Inputs, read_inputs
from melama_jax.evaluation.runner import Runner, ask
from melama_jax.evaluation.suites import Task, resolve
from melama_jax.inference.engine import Engine
from melama_jax.parallel import distributed
from melama_jax.parallel.agreement import together
from melama_jax.training.report import make_console
from melama_jax.training.run_folder import open_run
from melama_jax.training.versions import source_fingerprint, versions


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate, or compare two evaluations; 0 when all that can run has run."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["compare"]:
        return compare(argv[1:])
    parser = CommandParser(
        prog="python -m melama_jax.evaluate",
        description=__doc__,
        epilog="python -m melama_jax.evaluate compare RUN_A RUN_B pairs two evaluations item by item.",
    )
    parser.add_argument("--config", metavar="FILE", help="YAML of the evaluation")
    parser.add_argument("--checkpoint", metavar="DIR", help="run folder, checkpoint, Hugging Face, Meta or PEFT folder")
    parser.add_argument(
        "--base", dest="base_weights", metavar="DIR", help="weights that an adapter belongs to, if not those it names"
    )
    parser.add_argument("--tasks", metavar="A,B", help="suites and datasets")
    parser.add_argument("--output", metavar="DIR", help="folder of the evaluation")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    arguments = parser.parse_args(argv)
    given = {key: getattr(arguments, key) for key in ("checkpoint", "base_weights", "tasks", "output")}
    overrides = [f"{key}={value}" for key, value in given.items() if value is not None]
    if arguments.config is None and arguments.checkpoint is None:
        raise ConfigError("give --checkpoint DIR, or --config FILE; see python -m melama_jax.evaluate --help")
    config = load_tree(EvaluationConfig, arguments.config, [*arguments.overrides, *overrides])
    return evaluate(config, command=shlex.join(["python", "-m", "melama_jax.evaluate", *argv]))


def compare(argv: Sequence[str]) -> int:
    """Pair two evaluations item by item."""
    parser = CommandParser(prog="python -m melama_jax.evaluate compare", description=compare.__doc__)
    parser.add_argument("runs", nargs=2, type=Path, metavar="RUN", help="folder of an evaluation")
    parser.add_argument("--seed", type=int, default=42, help="of the resamples")
    parser.add_argument("--output", type=output_file, metavar="FILE", help="also write it, as .md or .json")
    arguments = parser.parse_args(argv)
    if arguments.output is not None:
        check_output(arguments.output)
    comparison = compare_runs(*arguments.runs, seed=arguments.seed)
    print_comparison(make_console(), comparison)
    if arguments.output is not None:
        write_comparison(arguments.output, comparison)
    return 0


def evaluate(config: EvaluationConfig, *, command: str) -> int:
    """Ask everything that was not asked yet, score it, and write the report."""
    # Everything that can be refused without the model.
    console = make_console()
    distributed.initialize(console.print)
    primary = jax.process_index() == 0
    echo: Callable[[str], None] = console.print if primary else lambda text: None
    tasks, named = resolve(config.tasks), config.protocol.chat_template
    inputs = together("reading the benchmarks", lambda: read_inputs(config, tasks))
    assert inputs is not None
    template = None if named in (None, "model") else ChatTemplate.load(named)
    out = Path(config.output)
    lock = together("opening the output", lambda: open_run(out, key="output"), only_first=True)
    for task, reason in inputs.absent.items():
        echo(f"{task}: not run, {reason}")

    # The model, and all that makes its answers what they are: a folder holds those of one identity.
    served = open_model(
        config.checkpoint,
        config.mesh,
        dtype=config.engine.dtype,
        quantization=config.engine.quantization,
        tokenizer=config.tokenizer,
        base=config.base_weights,
    )
    if named == "model":
        if served.chat_template is None:
            raise ConfigError(f"protocol.chat_template: {config.checkpoint} has no template of its own; name one")
        template = ChatTemplate(served.chat_template, "the model's chat template", own=True)
    add_bos = served.add_bos if config.protocol.add_bos is None else config.protocol.add_bos
    asker = make_asker(config, served, template, add_bos=add_bos)
    served = dataclasses.replace(served, params={})  # the engine's alone
    check_room(inputs, asker.engine.max_length)
    echo(summary(served.description))
    identity = {key: served.description[key] for key in ("fingerprint", "dtype", "quantization", "vocabulary_sha256")}
    identity |= {
        "engine": config.engine.model_dump(mode="json", exclude={"batch_size"}),
        "chat_template_sha256": None if template is None else sha256_of(template.source),
        "system_sha256": None if config.protocol.system is None else sha256_of(config.protocol.system),
        "add_bos": add_bos,
    }

    # One task after another; the report is written after each, so that what is done can be looked at.
    results: list[dict[str, Any]] = []
    with make_progress(console, shown=primary) as progress:
        runner = Runner(config, asker, identity, source=source_fingerprint(), track=tracker(progress))
        protocols = {name: question.protocol() for name, question in inputs.questions.items()}
        together("opening the answers", lambda: [runner.check(*pair) for pair in protocols.items()], only_first=True)
        together("storing the configuration", lambda: store(out, config), only_first=True)
        for task in tasks:
            name = task.name
            if name in inputs.absent:
                results.append(not_run(task, inputs.absent[name]))
            elif name in inputs.questions:
                doing = functools.partial(ask, inputs.questions[name])
                results.append(runner.run(name, doing, protocol=protocols[name]))
            else:
                results.append(run_suite(name, runner))
            if primary:
                echo(describe(results[-1]))
                reports.write_report(out, make_report(config, served, results, command))
    if inputs.trained is not None:
        found = together("searching the training rows", lambda: overlap(config, inputs, served), only_first=True) or {}
        for result in results:
            result["contamination"] = found.get(result.get("task", ""))
    if primary:
        reports.write_report(out, make_report(config, served, results, command))
        reports.print_table(console, make_report(config, served, results, command))
        echo(f"programs compiled: {asker.engine.compilations}; report: {out / 'report.html'}")
    if lock is not None:
        lock.close()
    return 0


def check_room(inputs: Inputs, max_length: int) -> None:
    """Refuse answers so long that no prompt fits beside them, before anything is asked.

    Raises:
        ConfigError: Naming the task.
    """
    for name, question in inputs.questions.items():
        if "generate" in question.answering and question.max_new_tokens >= max_length:
            raise ConfigError(
                f"protocol.max_new_tokens: {name} may write {question.max_new_tokens} tokens, which leaves no room for "
                f"a prompt in the {max_length} of the context; at most {max_length - 1} work"
            )


def run_suite(name: str, runner: Runner) -> dict[str, Any]:
    """A suite that is no dataset: it keeps its answers itself, and asks again what has changed."""
    config = runner.config
    tree = config.model_dump(mode="json")
    files = together(f"reading the files of {name}", lambda: SUITES[name].check(config), only_first=True) or {}
    depends = {key: tree[key] for key in ("seed", "data", "protocol", name)} | {"files": files}
    return runner.run(name, lambda interview, _: SUITES[name].run(interview, config), protocol={}, scoring=depends)


def overlap(config: EvaluationConfig, inputs: Inputs, served: ServedModel) -> dict[str, Any]:
    """By task: overlap of its items with the training rows of `contamination.run`."""
    assert inputs.trained is not None
    found = cache_contamination(
        {name: question.examples for name, question in inputs.questions.items()},
        inputs.trained,
        served.vocabulary,
        n=config.contamination.ngram,
        workers=config.contamination.workers,
    )
    return {name: contamination.as_dict() for name, contamination in found.items()}


def make_asker(
    config: EvaluationConfig, served: ServedModel, template: ChatTemplate | None, *, add_bos: bool
) -> ModelAsker:
    """The engine and the rules by which a question becomes tokens."""
    held = config.engine
    engine = Engine(
        served.model,
        served.params,
        served.vocabulary,
        served.mesh,
        max_length=held.max_length or min(served.max_length, LONGEST),
        batch_size=held.batch_size,
        cache_dtype=held.cache_dtype,
        donate=True,
    )
    return ModelAsker(
        engine,
        add_bos=add_bos,
        chat_template=template,
        system=config.protocol.system,
        stop_tokens=served.stop_tokens,
    )


def describe(result: Mapping[str, Any]) -> str:
    """One line of a task that is done."""
    if result["not_run"]:
        return f"{result['task']}: not run"
    cut = result.get("cut_prompts") or {"items": 0}
    shortened = f", {cut['items']} prompts longer than the context and cut" if cut["items"] else ""
    return f"{result['task']}: {result['n']} items{shortened}"


def not_run(task: Task, reason: str) -> dict[str, Any]:
    """The entry of a task that could not run."""
    title = task.name if task.dataset is None else task.dataset.title
    return {"task": task.name, "title": title, "suite": task.suite, "not_run": reason, "scores": [], "n": 0}


def make_report(
    config: EvaluationConfig, served: ServedModel, results: Sequence[Mapping[str, Any]], command: str
) -> dict[str, Any]:
    """The whole report as one mapping."""
    return {
        "model": served.description,
        "command": command,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "versions": versions() | {"source": source_fingerprint()[:12]},
        "config": config.model_dump(mode="json", by_alias=True),
        "tasks": list(results),
    }


def store(out: Path, config: EvaluationConfig) -> None:
    """Keep the configuration beside the answers."""
    reports.write_whole(out / "evaluation.yaml", dump_yaml(config).encode())


def make_progress(console: Console, *, shown: bool) -> Progress:
    """A bar a task; silent in all processes but the first."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not shown,
    )


def tracker(progress: Progress) -> Callable[[str, int], Callable[[], None]]:
    """Adds a bar for so many answers, and gives what counts one."""

    def track(title: str, total: int) -> Callable[[], None]:
        bar = progress.add_task(title, total=total)
        return lambda: progress.advance(bar)

    return track


if __name__ == "__main__":
    run_command(main)
