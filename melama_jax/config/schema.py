"""The typed tree that every command reads: one frozen section per concern, a docstring under every field.

Unknown keys are refused. Fields whose change on resume cannot alter the numbers (where files lie, how many threads read
them) carry `resume="free"`; see `melama_jax.config.resume`.
"""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from melama_jax.config.adapter import AdapterConfig
from melama_jax.config.benchmarks import TrainingBenchmarksConfig
from melama_jax.config.conversations import INSTRUCT_TASKS, ConversationsConfig, Format
from melama_jax.config.model import ModelConfig
from melama_jax.config.section import FREE, Dtype, Section, divisors
from melama_jax.errors import HEALTH_EXIT_CODE

_TAKEN_CODES = {1, 2, 64, HEALTH_EXIT_CODE, 130, 137, 143}
"""Exit statuses of failures, of a JobSet's own rule, and of signals."""
DOMAINS = ("biomedical", "clinical", "general")


class RunConfig(Section):
    """Where the run lives and what makes it repeatable."""

    dir: Annotated[str, Field(min_length=1)] = "runs/default"
    """Folder of everything the run writes: config.yaml, metrics.jsonl, loss.png, checkpoints/."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the initial parameters and of the order of the training rows."""
    requeue_exit_code: Annotated[int, Field(ge=1, le=255)] = 75
    """Exit status after a checkpoint forced by SIGTERM or SIGUSR1, for a job script that requeues (75: EX_TEMPFAIL)."""

    @field_validator("requeue_exit_code")
    @classmethod
    def _check_code(cls, value: int) -> int:
        if value in _TAKEN_CODES:
            taken = ", ".join(map(str, sorted(_TAKEN_CODES)))
            raise ValueError(
                f"run.requeue_exit_code {value} is taken ({taken} mean failures); 75 is what scripts expect"
            )
        return value

    @field_validator("dir")
    @classmethod
    def _expand(cls, value: str) -> str:
        return os.path.expanduser(value)


class MeshConfig(Section):
    """Sizes of the four mesh axes; at most one may be -1, which takes the devices left."""

    data: int = 1
    """Replicas that share no parameter shards; only gradients cross it."""
    fsdp: int = -1
    """Shards of parameters, gradients and optimizer state (ZeRO-3); also splits the batch."""
    context: int = 1
    """Splits the sequence; keys and values are gathered across it."""
    tensor: int = 1
    """Splits heads, the SwiGLU width and the vocabulary; keep it inside one host."""

    @model_validator(mode="after")
    def _check(self) -> MeshConfig:
        sizes = {"data": self.data, "fsdp": self.fsdp, "context": self.context, "tensor": self.tensor}
        for axis, size in sizes.items():
            if size != -1 and size < 1:
                raise ValueError(f"mesh.{axis} {size} must be at least 1, or -1 to take the devices left")
        fill = [axis for axis, size in sizes.items() if size == -1]
        if len(fill) > 1:
            raise ValueError(f"mesh.{' and mesh.'.join(fill)} are all -1; only one axis can take the devices left")
        return self


class TrainConfig(Section):
    """How long to train, on what shape of batch, and how the step is computed."""

    steps: PositiveInt = 100
    """Optimizer steps of the whole run, also the length of the learning-rate schedule."""
    epochs: Annotated[float | None, Field(gt=0)] = None
    """Passes over the training rows instead of `steps`, which then follows from the rows; for a single task, or a
    mixture whose tasks give numbers of records."""
    global_batch_size: PositiveInt = 8
    """Rows of an optimizer step over all devices and micro-batches."""
    sequence_length: PositiveInt = 256
    """Tokens of a row (T)."""
    gradient_accumulation_steps: PositiveInt = 1
    """Micro-batches of an optimizer step; exact in tokens."""
    remat: Literal["none", "full", "dots", "names", "offload"] = "full"
    """Rematerialization: keep all activations; none inside a layer; matrix products; the named attention and SwiGLU
    results; or the layer inputs, offloaded to host memory."""
    attention: Literal["auto", "reference", "xla", "cudnn", "triton", "splash"] = "auto"
    """Attention backend; auto takes cuDNN flash on GPU (Triton for rows masked by segment before H100), splash on TPU,
    XLA elsewhere."""
    loss_chunk_size: PositiveInt = 1024
    """Tokens per device whose logits exist at a time."""
    z_loss: Annotated[float, Field(ge=0)] = 0.0
    """Weight of the squared log-partition penalty (PaLM, arXiv 2204.02311); 0 for none."""
    max_consecutive_nonfinite_steps: PositiveInt = 10
    """Stop after this many steps in a row were skipped for a non-finite loss or gradient."""

    @model_validator(mode="after")
    def _check(self) -> TrainConfig:
        if self.global_batch_size % self.gradient_accumulation_steps:
            raise ValueError(
                f"train.gradient_accumulation_steps {self.gradient_accumulation_steps} does not divide "
                f"train.global_batch_size {self.global_batch_size}; choose one of {divisors(self.global_batch_size)}"
            )
        return self


class Source(Section):
    """One set of files of a domain."""

    glob: str
    """Pattern under `data.root`; the ending tells the format: .jsonl, .csv, .txt, each also .gz; others are
    left out."""
    field: str = "text"
    """JSON key or CSV column that holds the text; unused for plain text."""
    document: Literal["file", "paragraph", "line"] = "paragraph"
    """What one document of a plain-text file is; paragraphs are separated by blank lines."""
    split: Literal["auto", "train", "validation"] = "auto"
    """Put every document in one split, or (auto) hold out `data.validation_fraction` by a hash of the text."""
    format: Format = "text"
    """What the records are: text to continue, or conversations in one of the formats of docs/instruct.md; these are
    also read from .json, .xml, .xlsx, .rrf, .tsv and .tar.gz, as they are published."""
    prompts: str | None = None
    """Wordings of a format whose records are no conversations yet: a name of configs/instruct or a YAML file; null
    takes those of the format's name."""
    protected: bool = False
    """Never show a record of these files, not even in a dry run; always so for the formats of MIMIC."""


def _default_sources(mixture: object = None) -> dict[str, tuple[Source, ...]]:
    tasks = [task for task in INSTRUCT_TASKS if mixture in ("me_llama_instruct", task)]
    if tasks:
        return {task: (Source.model_validate({"glob": f"{task}/*", "format": task}),) for task in tasks}
    return {domain: (Source(glob=f"{domain}/*"),) for domain in DOMAINS}


class DataConfig(Section):
    """Which text, which vocabulary, and how documents become rows."""

    root: Annotated[str | None, Field(json_schema_extra=FREE)] = None
    """Folder of the source files; null takes the samples shipped in the package."""
    mixture: str = "me_llama_pretrain"
    """Mixture or single task of the SeqIO registry."""
    rates: dict[str, Annotated[float, Field(ge=0)]] | None = None
    """Token rates by task instead of the mixture's own (the paper's: biomedical 15, clinical 1, general 4)."""
    sources: dict[str, tuple[Source, ...]] = Field(default_factory=_default_sources)
    """Files of each domain; a domain that is not given keeps its default, every file of the folder of its name."""
    vocabulary: Annotated[str | None, Field(json_schema_extra=FREE)] = None
    """A SentencePiece tokenizer.model or a Hugging Face tokenizer.json; null takes the sample vocabulary."""
    conversations: ConversationsConfig = ConversationsConfig()
    """How instruction records become rows."""
    add_bos: bool = False
    """Put BOS before every document (the paper's framework does not)."""
    add_eos: bool = True
    """Put EOS after every document."""
    attend_across_documents: bool = True
    """Let tokens of a row see earlier documents of it (the paper's packing); false masks by segment."""
    validation_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.01
    """Share of documents held out of training, by a hash of the text."""
    max_bad_record_fraction: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Share of unreadable records of a domain that is still accepted; they are counted either way, as are
    empty texts, which are no error."""
    cache_dir: Annotated[str, Field(json_schema_extra=FREE)] = "cache"
    """Folder of the tokenized rows, shared between runs; holds the text as token ids, so guard it like the sources."""
    prepare_workers: Annotated[int, Field(ge=0, json_schema_extra=FREE)] = 0
    """Processes that tokenize; 0 takes one per core, fewer for little text."""
    read_threads: Annotated[PositiveInt, Field(json_schema_extra=FREE)] = 4
    """Threads that read rows ahead of training."""
    prefetch_batches: Annotated[PositiveInt, Field(json_schema_extra=FREE)] = 4
    """Batches kept ready ahead of training."""

    @field_validator("root", "vocabulary", "cache_dir")
    @classmethod
    def _expand(cls, value: str | None) -> str | None:
        return None if value is None else os.path.expanduser(value)

    @model_validator(mode="before")
    @classmethod
    def _keep_default_tasks(cls, data: Any) -> Any:
        if not isinstance(data, dict) or not isinstance(data.get("sources", {}), dict):
            return data
        return data | {"sources": _default_sources(data.get("mixture")) | data.get("sources", {})}

    @model_validator(mode="after")
    def _check(self) -> DataConfig:
        if not self.attend_across_documents and not (self.add_eos or self.add_bos):
            raise ValueError("data.attend_across_documents is false, so data.add_eos or data.add_bos must be true")
        talking = [task for task, sources in self.sources.items() if any(s.format != "text" for s in sources)]
        if talking and self.attend_across_documents:
            raise ValueError(
                f"data.sources.{talking[0]} holds conversations, which must not see each other: set "
                f"data.attend_across_documents: false"
            )
        return self


class OptimizerConfig(Section):
    """AdamW and its learning-rate schedule."""

    learning_rate: Annotated[float, Field(ge=0)] = 3e-4
    """Peak learning rate."""
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    """Shape after the warm-up."""
    warmup_ratio: Annotated[float, Field(ge=0, le=1)] = 0.05
    """Share of the steps over which the learning rate rises linearly from 0."""
    min_learning_rate_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Floor of the schedule as a share of the peak."""
    b1: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Decay of the first moment."""
    b2: Annotated[float, Field(ge=0, lt=1)] = 0.95
    """Decay of the second moment."""
    eps: Annotated[float, Field(gt=0)] = 1e-8
    """Added to the root of the second moment."""
    weight_decay: Annotated[float, Field(ge=0)] = 1e-5
    """Decoupled weight decay, multiplied by the learning rate."""
    no_decay: tuple[Literal["norm", "embedding", "head"], ...] = ("norm", "embedding")
    """Parameter groups without weight decay."""
    clip_norm: Annotated[float | None, Field(gt=0)] = 1.0
    """Largest global norm of the gradient; null for no clipping."""
    mu_dtype: Dtype = "float32"
    """Dtype of the first moment."""
    nu_dtype: Dtype = "float32"
    """Dtype of the second moment."""


class CheckpointConfig(Section):
    """When to save the training state and which saves to keep."""

    interval: PositiveInt = 100
    """Steps between checkpoints; the last step is always saved."""
    keep_last: PositiveInt = 3
    """Newest checkpoints that stay."""
    keep_every: PositiveInt | None = None
    """Also keep every checkpoint whose step is a multiple of this."""
    asynchronous: bool = True
    """Write in the background while training goes on."""
    resume: bool = True
    """Continue from the newest good checkpoint in the run folder; false refuses a folder that has one."""


class BestConfig(Section):
    """Which evaluation tells the best checkpoint."""

    metric: str
    """A figure that evaluations write, such as eval/medqa/loss."""
    larger_is_better: bool | None = None
    """Null: a loss or a perplexity should be small, anything else large."""
    patience: PositiveInt | None = None
    """Stop after so many evaluations in a row without a better figure; null trains to the end."""


class EvalConfig(Section):
    """Held-out loss per domain, and benchmarks."""

    interval: PositiveInt | None = 100
    """Steps between evaluations; the last step is always evaluated; null for none."""
    before_training: bool = True
    """Also evaluate before the first step; logged with step 1 as baseline/<domain>/loss."""
    max_rows: PositiveInt = 64
    """Held-out rows per domain, the same ones every time."""
    batch_size: PositiveInt | None = None
    """Rows of an evaluation batch over all devices; null takes a micro-batch of training."""
    benchmarks: TrainingBenchmarksConfig = Field(default_factory=lambda: TrainingBenchmarksConfig())
    """Benchmarks that are asked while training."""
    best: BestConfig | None = None
    """Keep the checkpoint that is best by a figure, and stop when it gets no better; null keeps the newest alone."""


class InitConfig(Section):
    """Where the first parameters come from."""

    from_: Annotated[str | None, Field(alias="from")] = None
    """A checkpoint of melama_jax (a run folder, its checkpoints folder, or one step of it), an imported one, or a
    Hugging Face or Meta folder of LLaMA weights; null draws from the seed."""

    @field_validator("from_")
    @classmethod
    def _expand(cls, value: str | None) -> str | None:
        return None if value is None else os.path.expanduser(value)


class LogConfig(Section):
    """What is reported while training."""

    interval: PositiveInt = 10
    """Steps between log records; the first step, the last and every evaluation are logged too."""
    tensorboard: bool = True
    """Write TensorBoard event files under the run folder."""
    wandb_project: str | None = None
    """Weights & Biases project to report figures to (never text); needs the wandb extra."""
    sample_prompt: str | None = None
    """Prompt whose continuation is printed after the last step, for a first look; null for none."""
    sample_tokens: PositiveInt = 48
    """Tokens of that continuation."""


class ProfileConfig(Section):
    """Which steps are traced by XLA's profiler; see docs/profiling.md."""

    start_step: PositiveInt | None = None
    """First step of a trace, counted as in the log; null for none. The first steps of a job are slower than others."""
    num_steps: PositiveInt = 3
    """Steps of a trace, of those that SIGUSR2 asks a running job for too."""
    hosts: Literal["first", "all"] = "first"
    """Which processes trace: the first alone, or all (on SIGUSR2 each that gets it)."""
    hlo: bool = True
    """Write the compiled step beside a trace; `melama_jax.profile summarize` then knows what each operation is."""
    memory: bool = True
    """Write what lies in the devices' memory beside a trace, for pprof."""
    port: Annotated[int | None, Field(ge=1024, le=65535)] = None
    """Port on which xprof can ask for a trace, that of process p being p higher; null for none. JAX's server listens
    on every interface and asks for no password."""


class HealthConfig(Section):
    """When a run is taken to hang, to have lost a process, or to be held up by one; see docs/operations.md."""

    watchdog: bool = True
    """End a process with status 76, and write the stacks of its threads, when no step is done for too long."""
    step_factor: Annotated[float, Field(ge=2)] = 10.0
    """Too long is this many times the median step ..."""
    min_seconds: Annotated[float, Field(gt=0)] = 300.0
    """... but at least this."""
    pause_minutes: Annotated[float, Field(gt=0)] = 60.0
    """Longest that compiling, restoring, opening the data, the first step, an evaluation, a save, writing a trace or
    the run's end may each take."""
    peer_timeout_seconds: Annotated[float, Field(ge=2, le=45)] = 30.0
    """A process that was silent for so long is taken for dead, and its job ends; JAX itself gives up after 50 s."""
    straggler_ratio: Annotated[float, Field(gt=1)] = 1.5
    """A process is reported when it loses this many times the median of all processes to something of its own."""


class Config(Section):
    """Everything a run needs; the same tree for every command."""

    run: RunConfig = RunConfig()
    """Where the run lives and what makes it repeatable."""
    model: ModelConfig = Field(default_factory=lambda: ModelConfig.model_validate({"preset": "tiny"}))
    """The LLaMA to train."""
    mesh: MeshConfig = MeshConfig()
    """How devices are arranged."""
    train: TrainConfig = TrainConfig()
    """How long and on what batches."""
    data: DataConfig = Field(default_factory=lambda: DataConfig())
    """Which text and vocabulary."""
    optimizer: OptimizerConfig = OptimizerConfig()
    """AdamW and its schedule."""
    checkpoint: CheckpointConfig = CheckpointConfig()
    """When to save."""
    eval: EvalConfig = Field(default_factory=lambda: EvalConfig())
    """When to measure held-out loss, and benchmarks."""
    init: InitConfig = Field(default_factory=lambda: InitConfig())
    """Where the first parameters come from."""
    adapter: AdapterConfig | None = None
    """Train a LoRA adapter beside frozen weights; none (or null) trains all weights."""
    log: LogConfig = LogConfig()
    """What is reported."""
    profile: ProfileConfig = ProfileConfig()
    """Which steps are traced."""
    health: HealthConfig = HealthConfig()
    """When it is taken to hang."""

    @field_validator("adapter", mode="before")
    @classmethod
    def _read_none(cls, value: Any) -> Any:
        return {"none": None, "lora": {}}.get(value, value) if isinstance(value, str) else value

    @model_validator(mode="before")
    @classmethod
    def _resolve_auto(cls, data: Any) -> Any:
        """Without weights to start from, the preset `auto` is tiny; with them the section must hold their sizes."""
        if not isinstance(data, dict):
            return data
        init, model = data.get("init", {}), data.get("model", {})
        source = init.get("from") if isinstance(init, dict) else getattr(init, "from_", None)
        if not isinstance(model, dict) or model.get("preset", "auto") != "auto":
            return data
        return data | {"model": model | {"preset": "tiny" if source is None else "auto"}}

    @model_validator(mode="after")
    def _check(self) -> Config:
        longest = self.model.max_position_embeddings
        if self.train.sequence_length > longest:
            raise ValueError(
                f"train.sequence_length {self.train.sequence_length} is longer than model.max_position_embeddings "
                f"{longest}; shorten the sequence or raise model.max_position_embeddings"
            )
        if self.adapter is not None and self.init.from_ is None:
            raise ValueError("adapter tunes weights that are there: set init.from to them, or adapter: none")
        return self
