"""The tree of an evaluation: which model, which benchmarks, and every choice of the protocol."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from melama_jax.config.benchmarks import BenchmarkDataConfig, task_names
from melama_jax.config.schema import MeshConfig
from melama_jax.config.section import Dtype, Section

Answering = Literal["generate", "likelihood"]


class EngineConfig(Section):
    """How the model is held and run."""

    dtype: Dtype | Literal["auto"] = "auto"
    """Dtype of weights and products; auto takes bfloat16 on accelerators, and what the weights are stored in on a
    CPU."""
    quantization: Literal["int8"] | None = None
    """int8 holds the layers' matrices in 8 bits with a scale per output channel."""
    cache_dtype: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    """Dtype of the key/value cache; auto takes that of the products."""
    batch_size: PositiveInt = 8
    """Sequences that are generated at a time."""
    max_length: PositiveInt | None = None
    """Tokens of prompt and answer together; null takes the model's context."""


class ProtocolConfig(Section):
    """How the model is asked, and how its answers are read."""

    answering: tuple[Answering, ...] = ("generate", "likelihood")
    """Ways of answering: a generated text that is parsed, and the log-likelihood of each answer there is. The latter
    exists for options and single labels only."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Prompt of a dataset, by its name: a file, or one of configs/prompts; others take the prompt of their name."""
    shots: Annotated[int, Field(ge=0)] = 0
    """Worked examples before each item, drawn by seed from the training split."""
    chat_template: str | None = None
    """Ask in a chat: `model` takes the model's own template, else a name of configs/chat or a file; null asks
    plainly."""
    system: str | None = None
    """System message of the chat."""
    add_bos: bool | None = None
    """Put BOS before a plain prompt; null does as the model was trained, or as its tokenizer says."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 is greedy."""
    top_p: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Share of the probability that is drawn from."""
    max_new_tokens: PositiveInt | None = None
    """Tokens of an answer at the most; null takes the prompt's own number."""

    @model_validator(mode="after")
    def _check(self) -> ProtocolConfig:
        if not self.answering:
            raise ValueError("protocol.answering is empty; name generate, likelihood or both")
        if self.system is not None and self.chat_template is None:
            raise ValueError(
                "protocol.system means nothing without protocol.chat_template; model takes the model's own"
            )
        return self


class MetricsConfig(Section):
    """What the scores are made with."""

    resamples: PositiveInt = 1000
    """Bootstrap resamples behind each interval."""
    bertscore_model: str | None = None
    """Folder of the encoder for BERTScore (the paper's is bert-base-multilingual-cased); null reports it as not run."""
    bartscore_model: str | None = None
    """Folder of the BART model for BARTScore (the paper's is bart-large-cnn); null reports it as not run."""


class ContaminationConfig(Section):
    """Overlap of the benchmarks with the text that was trained on."""

    run: str | None = None
    """Run folder whose training rows are searched; null searches none."""
    ngram: PositiveInt = 13
    """Words of an overlap."""
    workers: PositiveInt = 1
    """Processes that search."""


class StabilityConfig(Section):
    """Spread of the accuracy over draws, orders of the options, and wordings."""

    datasets: tuple[str, ...] = ("medqa", "nejm_medqa")
    """Datasets of options that are asked again and again."""
    runs: Annotated[int, Field(ge=2)] = 10
    """Seeded runs (k)."""
    temperature: Annotated[float, Field(gt=0)] = 0.7
    """Temperature of the seeded runs."""
    max_examples: PositiveInt | None = None
    """Seeded draw of items; null asks all."""


class FairnessConfig(Section):
    """Counterfactual divergence between populations."""

    equitymedqa: str | None = None
    """Folder with the official EquityMedQA files; null asks the vignettes of configs/fairness alone."""
    temperature: Annotated[float, Field(gt=0)] = 0.7
    """Temperature of the two draws of one prompt that make the noise floor."""


class JudgeConfig(Section):
    """A model behind an OpenAI-compatible address that says whether two diagnoses are the same."""

    url: str
    """Base address, such as http://host:8000/v1."""
    model: str
    """Name of the model there."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key, if one is needed."""
    votes: Annotated[int, Field(ge=1)] = 3
    """Times that each pair is asked; the majority counts."""
    allow_protected: bool = False
    """Send it text of protected datasets too: only where the address is inside your own walls."""


class DeploymentConfig(Section):
    """What answering general queries costs."""

    max_new_tokens: PositiveInt = 128
    """Tokens of an answer (the published row's)."""
    hardware: tuple[str, ...] = ("a100-80gb", "h100", "h200")
    """Accelerators that a 70B model is planned on."""


class ForgettingConfig(Section):
    """What was lost of the general, and won of the medical."""

    before: str | None = None
    """Run folder of the evaluation of the model before training; null reports the model's own figures alone."""
    texts: dict[str, str] = Field(default_factory=dict)
    """Held-out text files whose perplexity is measured, by domain."""


class EvaluationConfig(Section):
    """Everything an evaluation needs."""

    checkpoint: Annotated[str, Field(min_length=1)]
    """A run folder, a checkpoint, a Hugging Face or Meta folder of weights, or a PEFT folder."""
    base_weights: str | None = None
    """The weights that an adapter belongs to, if not those it names."""
    tokenizer: str | None = None
    """Tokenizer, where the checkpoint has none."""
    output: Annotated[str, Field(min_length=1)] = "runs/evaluation"
    """Folder of what the evaluation writes; the same command again goes on there."""
    tasks: Annotated[tuple[str, ...], Field(min_length=1)] = ("mibe",)
    """Suites and datasets."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 42
    """Seed of every draw: items, shots, resamples, sampled answers."""
    failure_examples: Annotated[int, Field(ge=0)] = 5
    """Wrong answers that the report shows of each dataset; none of a protected one."""
    mesh: MeshConfig | None = None
    """How devices are arranged; null puts as many on tensor as divide heads and widths, the others on data."""
    engine: EngineConfig = EngineConfig()
    """How the model is held and run."""
    data: BenchmarkDataConfig = Field(default_factory=lambda: BenchmarkDataConfig())
    """Where the benchmarks lie."""
    protocol: ProtocolConfig = Field(default_factory=lambda: ProtocolConfig())
    """How the model is asked."""
    metrics: MetricsConfig = MetricsConfig()
    """What scores are made with."""
    contamination: ContaminationConfig = ContaminationConfig()
    """Overlap with the training text."""
    stability: StabilityConfig = StabilityConfig()
    """The stability suite."""
    fairness: FairnessConfig = FairnessConfig()
    """The fairness suite."""
    judge: JudgeConfig | None = None
    """A judge for the cases, beside matching and synonyms."""
    deployment: DeploymentConfig = DeploymentConfig()
    """The deployment suite."""
    forgetting: ForgettingConfig = Field(default_factory=lambda: ForgettingConfig())
    """The forgetting suite."""

    @field_validator("checkpoint", "output", "base_weights", "tokenizer")
    @classmethod
    def _expand(cls, value: str | None) -> str | None:
        return None if value is None else os.path.expanduser(value)

    _split = field_validator("tasks", mode="before")(task_names)
