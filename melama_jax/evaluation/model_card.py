"""MODEL_CARD.md: what a model is, learned and scored, from its run and its evaluation; what neither says stays open."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from melama_jax.config import AdapterConfig, Config, Source
from melama_jax.config.published import load_published
from melama_jax.data.instruct import is_protected
from melama_jax.data.mixtures import resolve_mixture
from melama_jax.evaluation.report import SCALE, benchmarks, main_table, pairs, suite_table, write_whole
from melama_jax.evaluation.report_pages import Block, Document, Section, Table, Text, to_markdown
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.planning.decode import num_parameters

_TO_FILL_IN = "TO FILL IN"
_UNKNOWN = "not recorded"
_AGREEMENTS = {
    r"mimic|eicu|mednli": "by its name credentialed: PhysioNet's data use agreement",
    r"i2b2|n2c2|emrqa": "by its name credentialed: n2c2's data use agreement",
}
"""Names of corpora that may be used under an agreement alone."""
_WORDS_OF_FILES = r"[\W_]*(\.(jsonl|json|csv|tsv|txt|gz))+$|[*?\[\]]"


@dataclasses.dataclass(frozen=True)
class Training:
    """What a run folder says.

    Attributes:
        name: Of the folder.
        config: As it was resolved.
        records: Of metrics.jsonl, in order.
        step: Of the newest checkpoint; None without one.
        versions: Of the libraries that wrote it.
        origin: Of imported weights that it started from: `folder`, `format`.
    """

    name: str
    config: Config
    records: Sequence[Mapping[str, Any]]
    step: int | None
    versions: Mapping[str, str]
    origin: Mapping[str, Any]

    @property
    def base(self) -> str | None:
        """Name of what training started from; None for random parameters."""
        source = self.config.init.from_
        if source is None:
            return None
        parts = [part for part in PurePath(source).parts if part != "checkpoints" and not part.isdigit()]
        return str(self.origin.get("folder") or parts[-1])

    @property
    def credentialed(self) -> bool:
        """Whether a source needs an agreement, by its name or as the configuration says."""
        return any(map(_agreement, self.sources))

    @property
    def conversations(self) -> bool:
        """Whether it learned answers to questions, rather than text."""
        return any(source.format != "text" for source in self.sources)

    @property
    def sources(self) -> list[Source]:
        """Of all tasks that it learned from."""
        data = self.config.data
        return [source for task in resolve_mixture(data) for source in data.sources[task]]

    @property
    def tokens(self) -> int:
        """Tokens of all steps up to the checkpoint."""
        done = self.step if self.step is not None else max((r["step"] for r in self.records), default=0)
        return done * self.config.train.global_batch_size * self.config.train.sequence_length


def write_model_card(path: Path, *, training: Training | None, report: Mapping[str, Any] | None) -> None:
    """Write the card, whole or not at all; it holds names of folders and files, no paths and no text of records.

    Args:
        path: Of MODEL_CARD.md.
        training: The run; None for a model that was trained elsewhere.
        report: `report.json` of an evaluation of the model; None without one.
    """
    write_whole(path, model_card(training, report).encode())


def model_card(training: Training | None, report: Mapping[str, Any] | None) -> str:
    """The card as Markdown with Hugging Face's front matter; see `write_model_card`."""
    model = report["model"] if report else {}
    name = training.name if training else PurePath(str(model.get("path", ""))).name or "a model"
    intro = Text(
        f"Written by melama_jax from what the run and the evaluation recorded. Nothing was added: where "
        f"they are silent it says so, and what the owner alone can know is marked {_TO_FILL_IN}."
    )
    sections = [
        Section("What it is", [intro, Table(("", ""), _identity(training, model))]),
        Section("Intended use", list(_intended_use(training))),
        Section("Training data", list(_data(training))),
        Section("Training procedure", list(_procedure(training))),
        Section("Evaluation", list(_evaluation(report))),
        Section("Overlap of benchmarks and training data", [_contamination(report)]),
        Section("Known limitations", [Text("\n".join(f"- {text}" for text in _limitations(training, report)))]),
        Section("How to use", [Text(_HOW)]),
    ]
    front = "\n".join(_front_matter(name, training, report))
    return f"---\n{front}\n---\n\n{to_markdown(Document(name, sections))}"


_HOW = """```
python -m melama_jax.generate --checkpoint DIR --prompt "..."
python -m melama_jax.evaluate --checkpoint DIR --tasks mibe --set data.root=BENCHMARKS
python -m conversion export --checkpoint DIR --format hf --output HF_DIR   # then transformers or vLLM read it
```

`DIR` is the run folder, or a Hugging Face or Meta folder of the weights."""


def _front_matter(name: str, training: Training | None, report: Mapping[str, Any] | None) -> Iterator[str]:
    """YAML, whose values are JSON."""
    yield "language: en"
    yield "license: other  # to fill in: of the weights, and of the model that they descend from"
    yield "library_name: transformers  # after export to Hugging Face's layout"
    yield "pipeline_tag: text-generation"
    tags = ["llama", "medical", "melama_jax"]
    if training:
        kind = "instruction-tuned" if training.conversations else "continued-pretraining"
        tags += [kind if training.base else "trained-from-scratch", *(["lora"] if training.config.adapter else [])]
        if training.base:
            yield f"base_model: {json.dumps(training.base)}  # the folder's name; give the hub's id"
        data = training.config.data
        names = [_corpus(source.glob) or task for task in resolve_mixture(data) for source in data.sources[task]]
        yield f"datasets: {json.dumps(list(dict.fromkeys(names)))}  # files; give the hub's ids where there are"
    yield f"tags: {json.dumps(tags)}"
    results = list(_results(report)) if report else []
    if results:
        yield f"model-index: {json.dumps([{'name': name, 'results': results}], ensure_ascii=False)}"


def _results(report: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for task in benchmarks(report):
        metrics = [
            {"type": metric, "name": f"{metric} ({score['answering']}, {score['scorer']})", "value": round(value, 4)}
            for score in task["scores"]
            for metric, found in score["metrics"].items()
            if (value := found["value"]) is not None
        ]
        dataset = {"name": task["title"], "type": task["task"], "split": task["protocol"].get("split", "test")}
        yield {"task": {"type": "text-generation"}, "dataset": dataset, "metrics": metrics}


def _identity(training: Training | None, model: Mapping[str, Any]) -> list[tuple[str, str]]:
    facts: dict[str, Any] = {"architecture": "LLaMA, decoder only"}
    if training:
        sizes = training.config.model
        facts |= {
            "parameters": num_parameters(LlamaConfig.build(sizes)),
            "layers, hidden size, heads (key and value)": f"{sizes.num_hidden_layers}, {sizes.hidden_size}, "
            f"{sizes.num_attention_heads} ({sizes.num_key_value_heads})",
            "vocabulary, context": f"{sizes.vocab_size:,}, {sizes.max_position_embeddings:,}",
            "started from": training.base or "random parameters",
            "checkpoint": _UNKNOWN
            if training.step is None
            else f"step {training.step:,} of {training.config.train.steps:,}",
        }
    shown = ("parameters", "format", "step", "dtype", "quantization", "fingerprint", "vocabulary_sha256")
    facts |= {f"evaluated: {key.replace('_', ' ')}": model.get(key) for key in shown}
    facts |= {"language": "English", "licence": _TO_FILL_IN, "owner and contact": _TO_FILL_IN}
    return pairs(facts)


def _intended_use(training: Training | None) -> Iterator[Block]:
    yield Text(
        "Research on language models for medicine: benchmarks, further training, the study of errors. Not for clinical "
        "decisions, advice to patients, triage, coding or billing, or any use in which nobody qualified checks each "
        "output: no such use was validated, and benchmark scores do not validate one. Whoever puts it to clinical use "
        "has to validate it there, prospectively, under the law that applies."
    )
    if training and training.credentialed:
        yield Text(
            "Among the training data is text that may be used under an agreement alone. A model can repeat what it was "
            "trained on: do not share these weights or their outputs outside the terms of that agreement."
        )


def _data(training: Training | None) -> Iterator[Block]:
    if training is None:
        yield Text(f"No training run was given; {_UNKNOWN}. {_TO_FILL_IN}")
        return
    rates, data = resolve_mixture(training.config.data), training.config.data
    rows = []
    for task, rate in rates.items():
        share = rate / sum(rates.values())
        for number, source in enumerate(data.sources[task]):
            head = (task, f"{rate:g}", f"{100 * share:.1f}%", f"{share * training.tokens:,.0f}")
            rows.append(
                (
                    *(head if number == 0 else ("", "", "", "")),
                    "/".join(PurePath(source.glob).parts[-2:]),
                    _agreement(source) or _UNKNOWN,
                )
            )
    yield Table(("domain", "rate", "share of tokens", "tokens, about", "files", "licence or agreement"), rows)
    kind = "conversation" if training.conversations else "document"
    attend = "tokens see earlier documents of their row" if data.attend_across_documents else f"masked by {kind}"
    joined = "Conversations were put whole into" if training.conversations else "Documents were joined and cut to"
    yield Text(
        f"Licences are not recorded by training; an agreement is named where a file's name says so. {_TO_FILL_IN}: the "
        f"origin, version, licence and consent of each corpus, and how it was de-identified."
    )
    ends = [name for name, put in (("BOS", data.add_bos), ("EOS", data.add_eos)) if put]
    yield Text(
        f"{joined} rows of {training.config.train.sequence_length:,} tokens "
        f"({' and '.join(ends) or 'nothing'} put at each {kind}; {attend}); "
        f"{100 * data.validation_fraction:g}% of them, by a hash of the {kind}, were held out."
    )


def _procedure(training: Training | None) -> Iterator[Block]:
    if training is None:
        yield Text(f"No training run was given; {_UNKNOWN}.")
        return
    config, last = training.config, training.records[-1] if training.records else {}
    train, optimizer = config.train, config.optimizer
    clip = "none" if optimizer.clip_norm is None else f"{optimizer.clip_norm:g}"
    facts = {
        "objective": f"next token, on {'the answers alone' if training.conversations else 'every token of the rows'}",
        "trained weights": _trained(config.adapter),
        "tokens seen": training.tokens,
        "steps": training.step if training.step is not None else last.get("step"),
        "batch": f"{train.global_batch_size:,} rows of {train.sequence_length:,} tokens in "
        f"{train.gradient_accumulation_steps} micro-batch(es)",
        "optimizer": f"AdamW, b1 {optimizer.b1:g}, b2 {optimizer.b2:g}, eps {optimizer.eps:g}, weight decay "
        f"{optimizer.weight_decay:g} (not on {', '.join(optimizer.no_decay) or 'nothing'}), clipping at {clip}",
        "learning rate": f"{optimizer.learning_rate:g}, {optimizer.schedule} over {train.steps:,} steps to "
        f"{optimizer.min_learning_rate_ratio:g} of it, warm-up {optimizer.warmup_ratio:g} of them",
        "dtypes": f"parameters {config.model.param_dtype}, products {config.model.compute_dtype}"
        + (f", matrices {config.model.matmul_dtype}" if config.model.matmul_dtype else ""),
        "mesh": ", ".join(f"{axis} {size if size > 0 else 'the rest'}" for axis, size in config.mesh),
        "kind and number of devices, hours, energy": f"{_UNKNOWN}. {_TO_FILL_IN}",
        "seed": config.run.seed,
        "last training loss": last.get("train/loss"),
        "tokens a second, at the last record": last.get("tokens_per_second"),
        "steps skipped as not finite, at the last record": last.get("train/skipped_steps"),
        "versions": ", ".join(f"{name} {version}" for name, version in training.versions.items()) or _UNKNOWN,
    }
    yield Table(("", ""), pairs(facts))
    rows = [row for task in resolve_mixture(config.data) if (row := _held_out(training, task))]
    if rows:
        yield Table(("held-out loss (nats a token)", "before training", "last", "at step"), rows)


def _trained(adapter: AdapterConfig | None) -> str:
    if adapter is None:
        return "all"
    stabilized = ", rank-stabilized" if adapter.rank_stabilized else ""
    return (
        f"LoRA of rank {adapter.rank}, alpha {adapter.alpha:g}{stabilized}, dropout {adapter.dropout:g}, on "
        f"{', '.join(adapter.targets)}; the others frozen in {adapter.base_dtype}"
    )


def _held_out(training: Training, task: str) -> tuple[str, ...] | None:
    """Held-out loss of a domain before the first step, and at the last evaluation."""
    measured = [record for record in training.records if record.get(f"eval/{task}/loss") is not None]
    if not measured:
        return None
    before = next((v for r in training.records if (v := r.get(f"baseline/{task}/loss")) is not None), None)
    return (
        task,
        _UNKNOWN if before is None else f"{before:.3f}",
        f"{measured[-1][f'eval/{task}/loss']:.3f}",
        f"{measured[-1]['step']:,}",
    )


def _evaluation(report: Mapping[str, Any] | None) -> Iterator[Block]:
    if report is None:
        yield Text(f"It was not evaluated by melama_jax; scores: {_UNKNOWN}.")
        return
    tasks = list(benchmarks(report))
    if tasks:
        yield main_table(report, load_published())
        yield Text(SCALE)
        yield Text(
            "Published figures were got by another protocol, on splits that may differ: a difference proves nothing."
        )
        yield Table(("protocol", "prompt", "shots", "split", "chat template", "temperature", "seed"), _protocols(tasks))
    suites = suite_table(report)
    if suites.rows:
        yield suites
    missing = [task["title"] for task in report["tasks"] if task.get("not_run")]
    if missing:
        yield Text(f"Asked for but not run: {', '.join(missing)}.")
    made = ", ".join(f"{name} {version}" for name, version in report.get("versions", {}).items())
    yield Text(
        f"Evaluated on {report.get('date', 'an unrecorded day')} with {made or 'versions that are not recorded'}."
    )


def _protocols(tasks: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    rows = []
    for task in tasks:
        asked = task["protocol"]
        sha256 = str(asked.get("prompt_sha256", ""))[:12]
        prompt = f"{asked.get('prompt')} version {asked.get('prompt_version')} ({sha256})"
        rest = (asked.get(key) for key in ("shots", "split", "chat_template", "temperature", "seed"))
        rows.append((task["title"], prompt, *("none" if value is None else f"{value}" for value in rest)))
    return rows


def _contamination(report: Mapping[str, Any] | None) -> Block:
    searched = [task for task in report["tasks"] if task.get("contamination")] if report else []
    if not searched:
        return Text(
            "Not searched: a benchmark's items may be among the training text. `contamination.run` of an evaluation "
            "searches the rows of a run."
        )
    rows = []
    for task in searched:
        found = task["contamination"]
        counts = (found["checked"], found["too_short"], len(found["touched"]), len(found["covered"]))
        rows.append((task["title"], *(f"{count:,}" for count in counts)))
    columns = ("dataset", "items searched", "too short", "with an n-gram there", "with most of theirs")
    return Table(columns, rows, f"Word {searched[0]['contamination']['n']}-grams of items in the training rows.")


def _limitations(training: Training | None, report: Mapping[str, Any] | None) -> Iterator[str]:
    yield "It writes what is likely, true or not: wrong doses, invented references and false reassurance included."
    yield "It knows nothing after its training text, and no patient's context beyond the prompt."
    if training:
        yield (
            "This run trained on conversations. It taught the model to answer as they do, right or wrong; to decline "
            "harmful requests only as far as they show it."
            if training.conversations
            else "This run trained on plain text. It did not teach the model to follow instructions, to hold a "
            "conversation, or to decline harmful requests."
        )
        if training.base is None:
            yield f"Trained from random parameters on {training.tokens:,} tokens."
    asked = {task["task"]: task for task in report["tasks"]} if report else {}
    if "fairness" not in asked or not asked["fairness"]["scores"]:
        yield "Whether its answers differ between groups of patients was not measured."
    drawn = (report or {}).get("config", {}).get("data", {}).get("max_examples")
    if drawn:
        yield f"Each benchmark was asked {drawn:,} drawn items at the most: read the intervals."
    yield "Benchmarks are questions of examinations and annotated texts, mostly in English: far from clinical work."


def _agreement(source: Source) -> str | None:
    by_name = next((text for pattern, text in _AGREEMENTS.items() if re.search(pattern, source.glob.lower())), None)
    return by_name or (f"marked as protected; the agreement is {_TO_FILL_IN}" if is_protected(source) else None)


def _corpus(glob: str) -> str:
    """The name of a pattern's files, or of their folder where it is all of it."""
    path = PurePath(glob)
    return re.sub(_WORDS_OF_FILES, "", path.name).strip("_-. ") or path.parent.name
