"""The typed tree that every command reads: one frozen section per concern, a docstring under every field.

Unknown keys are refused. Fields whose change on resume cannot alter the numbers (where files lie, how many threads read
them) carry `resume="free"`; see `melama_jax.config.resume`.
"""

from __future__ import annotations

import math
import os
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from melama_jax.config.presets import PRESETS

Dtype = Literal["float32", "bfloat16"]  # float16 would need loss scaling, which there is not
DOMAINS = ("biomedical", "clinical", "general")
_FREE: dict[str, Any] = {"resume": "free"}


class Section(BaseModel):
    """Base of all sections: frozen, closed, its field docstrings in the JSON schema."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        protected_namespaces=(),
        coerce_numbers_to_str=True,
        allow_inf_nan=False,
    )

    @field_validator("*", mode="before")
    @classmethod
    def _refuse_truth_as_number(cls, value: Any, info: ValidationInfo) -> Any:
        """`keep_every: true` would otherwise mean 1."""
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation is not bool:
            raise PydanticCustomError("truth", "true and false are not accepted")
        return value


class RunConfig(Section):
    """Where the run lives and what makes it repeatable."""

    dir: Annotated[str, Field(min_length=1)] = "runs/default"
    """Folder of everything the run writes: config.yaml, metrics.jsonl, loss.png, checkpoints/."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Seed of the initial parameters and of the order of the training rows."""
    requeue_exit_code: Annotated[int, Field(ge=1, le=255)] = 75
    """Exit status after a checkpoint forced by SIGTERM or SIGUSR1, for a job script that requeues (75: EX_TEMPFAIL)."""

    @field_validator("dir")
    @classmethod
    def _expand(cls, value: str) -> str:
        return os.path.expanduser(value)


class RopeScaling(Section):
    """LLaMA 3.1's frequency scaling of the rotary embedding (arXiv 2407.21783)."""

    factor: Annotated[float, Field(gt=0)] = 8.0
    """Divisor of the low frequencies."""
    low_freq_factor: Annotated[float, Field(gt=0)] = 1.0
    """Wavelengths longer than original context / this are divided by `factor`."""
    high_freq_factor: Annotated[float, Field(gt=0)] = 4.0
    """Wavelengths shorter than original context / this stay as they are."""
    original_max_position_embeddings: PositiveInt = 8192
    """Context length before the scaling, in tokens."""

    @model_validator(mode="after")
    def _check(self) -> RopeScaling:
        if self.low_freq_factor >= self.high_freq_factor:
            raise ValueError(
                f"model.rope_scaling.low_freq_factor {self.low_freq_factor:g} must be less than "
                f"model.rope_scaling.high_freq_factor {self.high_freq_factor:g}"
            )
        return self


class ModelConfig(Section):
    """A LLaMA: a preset, any of its sizes overridden, and the dtypes."""

    preset: Annotated[str | None, Field(json_schema_extra=_FREE)] = "tiny"
    """Name of a published or test size; the size fields below start from it."""
    # The sizes have no default of their own: `_fill_from_preset` gives every one a value before validation, so that a
    # checked configuration never holds None here. That is what each `type: ignore` below leaves unsaid to the checker.
    vocab_size: PositiveInt = None  # type: ignore[assignment]
    """Rows of the token embedding and columns of the head (V)."""
    hidden_size: PositiveInt = None  # type: ignore[assignment]
    """Width of the residual stream (D)."""
    intermediate_size: PositiveInt = None  # type: ignore[assignment]
    """Width of the SwiGLU block (F)."""
    num_hidden_layers: PositiveInt = None  # type: ignore[assignment]
    """Decoder layers (L)."""
    num_attention_heads: PositiveInt = None  # type: ignore[assignment]
    """Query heads (H)."""
    num_key_value_heads: PositiveInt = None  # type: ignore[assignment]
    """Key/value heads (K); divides the query heads."""
    head_dim: PositiveInt = None  # type: ignore[assignment]
    """Width of one head (E); hidden_size / num_attention_heads unless given."""
    rope_theta: Annotated[float, Field(gt=0)] = None  # type: ignore[assignment]
    """Base of the rotary frequencies."""
    rope_scaling: RopeScaling | None = None
    """LLaMA 3.1's frequency scaling; null for none."""
    rms_norm_eps: Annotated[float, Field(gt=0)] = None  # type: ignore[assignment]
    """Added to the mean square inside RMSNorm."""
    tie_word_embeddings: bool = None  # type: ignore[assignment]
    """Whether the head is the token embedding transposed."""
    max_position_embeddings: PositiveInt = None  # type: ignore[assignment]
    """Longest context the weights are meant for, in tokens."""
    initializer_range: Annotated[float, Field(gt=0)] = 0.02
    """Standard deviation of the normal draws of the initial matrices, before they are cut off at twice it."""
    param_dtype: Dtype = "float32"
    """Dtype of the stored parameters."""
    compute_dtype: Dtype = "bfloat16"
    """Dtype of matrix products and activations; norms, softmax and logits stay in float32."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        preset = data.get("preset", "tiny")
        if preset is None:
            sizes: dict[str, Any] = {"rope_theta": 1e4, "rms_norm_eps": 1e-5, "tie_word_embeddings": False}
        elif not isinstance(preset, str) or preset not in PRESETS:
            raise ValueError(f"model.preset {preset!r} is unknown; choose one of {', '.join(PRESETS)}")
        else:
            sizes = dict(PRESETS[preset])
        given = {key: value for key, value in data.items() if value is not None or key in ("rope_scaling", "preset")}
        if "head_dim" not in given and (
            {"hidden_size", "num_attention_heads"} & given.keys() or "head_dim" not in sizes
        ):
            hidden = _whole(given.get("hidden_size", sizes.get("hidden_size")))
            heads = _whole(given.get("num_attention_heads", sizes.get("num_attention_heads")))
            if hidden and heads:
                if hidden % heads:
                    raise ValueError(
                        f"model.num_attention_heads {heads} does not divide model.hidden_size {hidden}; "
                        f"give model.head_dim, or a number of heads that divides it"
                    )
                sizes["head_dim"] = hidden // heads
        merged = sizes | given
        missing = [name for name in PRESETS["tiny"] if name not in merged and name != "rope_scaling"]
        if missing:
            raise ValueError(f"model.preset is null, so these are needed too: model.{', model.'.join(missing)}")
        return merged

    @model_validator(mode="after")
    def _check(self) -> ModelConfig:
        if self.num_attention_heads % self.num_key_value_heads:
            raise ValueError(
                f"model.num_key_value_heads {self.num_key_value_heads} does not divide model.num_attention_heads "
                f"{self.num_attention_heads}; choose one of {_divisors(self.num_attention_heads)}"
            )
        if self.head_dim % 2:
            raise ValueError(f"model.head_dim {self.head_dim} is odd; the rotary embedding needs an even one")
        return self


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
    global_batch_size: PositiveInt = 8
    """Rows of an optimizer step over all devices and micro-batches."""
    sequence_length: PositiveInt = 256
    """Tokens of a row (T)."""
    gradient_accumulation_steps: PositiveInt = 1
    """Micro-batches of an optimizer step; exact in tokens."""
    remat: Literal["none", "full", "dots", "names", "offload"] = "full"
    """Rematerialization: keep all activations; none inside a layer; matrix products; the named attention and SwiGLU
    results; or the layer inputs, offloaded to host memory."""
    attention: Literal["auto", "reference", "xla", "cudnn", "splash"] = "auto"
    """Attention backend; auto takes cuDNN flash on GPU, splash on TPU, XLA elsewhere."""
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
                f"train.global_batch_size {self.global_batch_size}; choose one of {_divisors(self.global_batch_size)}"
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


def _default_sources() -> dict[str, tuple[Source, ...]]:
    return {domain: (Source(glob=f"{domain}/*"),) for domain in DOMAINS}


class DataConfig(Section):
    """Which text, which vocabulary, and how documents become rows."""

    root: Annotated[str | None, Field(json_schema_extra=_FREE)] = None
    """Folder of the source files; null takes the samples shipped in the package."""
    mixture: str = "me_llama_pretrain"
    """Mixture or single task of the SeqIO registry."""
    rates: dict[str, Annotated[float, Field(ge=0)]] | None = None
    """Token rates by task instead of the mixture's own (the paper's: biomedical 15, clinical 1, general 4)."""
    sources: dict[str, tuple[Source, ...]] = Field(default_factory=_default_sources)
    """Files of each domain; a domain that is not given keeps its default, every file of the folder of its name."""
    vocabulary: Annotated[str | None, Field(json_schema_extra=_FREE)] = None
    """A SentencePiece tokenizer.model or a Hugging Face tokenizer.json; null takes the sample vocabulary."""
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
    cache_dir: Annotated[str, Field(json_schema_extra=_FREE)] = "cache"
    """Folder of the tokenized rows, shared between runs; holds the text as token ids, so guard it like the sources."""
    prepare_workers: Annotated[int, Field(ge=0, json_schema_extra=_FREE)] = 0
    """Processes that tokenize; 0 takes one per core, fewer for little text."""
    read_threads: Annotated[PositiveInt, Field(json_schema_extra=_FREE)] = 4
    """Threads that read rows ahead of training."""
    prefetch_batches: Annotated[PositiveInt, Field(json_schema_extra=_FREE)] = 4
    """Batches kept ready ahead of training."""

    @field_validator("root", "vocabulary", "cache_dir")
    @classmethod
    def _expand(cls, value: str | None) -> str | None:
        return None if value is None else os.path.expanduser(value)

    @field_validator("sources", mode="before")
    @classmethod
    def _keep_default_domains(cls, value: Any) -> Any:
        return _default_sources() | value if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _check(self) -> DataConfig:
        if not self.attend_across_documents and not (self.add_eos or self.add_bos):
            raise ValueError("data.attend_across_documents is false, so data.add_eos or data.add_bos must be true")
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


class EvalConfig(Section):
    """Held-out loss per domain."""

    interval: PositiveInt | None = 100
    """Steps between evaluations; the last step is always evaluated; null for none."""
    before_training: bool = True
    """Also evaluate before the first step; logged with step 1 as baseline/<domain>/loss."""
    max_rows: PositiveInt = 64
    """Held-out rows per domain, the same ones every time."""
    batch_size: PositiveInt | None = None
    """Rows of an evaluation batch over all devices; null takes a micro-batch of training."""


class InitConfig(Section):
    """Where the first parameters come from."""

    from_: Annotated[str | None, Field(alias="from")] = None
    """A checkpoint of melama_jax (a run folder, its checkpoints folder, or one step of it); null draws from the
    seed."""

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


class Config(Section):
    """Everything a run needs; the same tree for every command."""

    run: RunConfig = RunConfig()
    """Where the run lives and what makes it repeatable."""
    model: ModelConfig = Field(default_factory=lambda: ModelConfig.model_validate({}))
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
    eval: EvalConfig = EvalConfig()
    """When to measure held-out loss."""
    init: InitConfig = Field(default_factory=lambda: InitConfig())
    """Where the first parameters come from."""
    log: LogConfig = LogConfig()
    """What is reported."""

    @model_validator(mode="after")
    def _check(self) -> Config:
        longest = self.model.max_position_embeddings
        if self.train.sequence_length > longest:
            raise ValueError(
                f"train.sequence_length {self.train.sequence_length} is longer than model.max_position_embeddings "
                f"{longest}; shorten the sequence or raise model.max_position_embeddings"
            )
        return self


def _whole(value: Any) -> int | None:
    """A positive whole number, also one written as text or 64.0, as the fields themselves accept; else None."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number > 0 else None


def _divisors(number: int) -> str:
    small = [n for n in range(1, math.isqrt(number) + 1) if number % n == 0]
    return ", ".join(str(n) for n in sorted({*small, *(number // n for n in small)}))
