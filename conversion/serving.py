"""Opening weights of any format to generate and evaluate with: straight onto the mesh, each process its own shards."""

from __future__ import annotations

import argparse
import dataclasses
import math
from pathlib import Path
from typing import Any, Literal

import jax
from jax.sharding import Mesh
from tokenizers import Tokenizer

from conversion.adapter import Merged
from conversion.checkpoint import CheckpointWeights
from conversion.folders import open_weights
from conversion.json_files import read_json
from conversion.loading import load
from conversion.origin import generation_settings, public_name, tokenizer_of
from conversion.weights import Padded, Weights
from melama_jax.config import MeshConfig, ModelConfig, from_mapping
from melama_jax.data.chat import ChatTemplate, control_tokens, find_template
from melama_jax.data.vocabulary import Vocabulary, load_vocabulary
from melama_jax.errors import ConfigError, DataError
from melama_jax.inference.engine import Engine
from melama_jax.model.llama import Params
from melama_jax.model.llama_config import LlamaConfig
from melama_jax.parallel import mesh as meshes
from melama_jax.parallel.agreement import together
from melama_jax.training import state
from melama_jax.training.fingerprint import digest

Dtype = Literal["auto", "float32", "bfloat16"]
LONGEST = 4096
"""Tokens of a prompt and its continuation at the most, unless asked: the cache is made for them, whatever is used."""


@dataclasses.dataclass(frozen=True)
class ServedModel:
    """A model on its devices, with what is needed to talk to it.

    Attributes:
        model: Its description.
        params: Its parameters, sharded; quantized ones as `quantize_leaf` gives them.
        vocabulary: Its tokenizer.
        mesh: The devices.
        chat_template: Jinja text that its tokenizer brings, or None.
        max_length: Longest context it is meant for, in tokens.
        add_bos: Whether its texts begin with BOS: as it was trained here, or as its tokenizer says.
        stop_tokens: Ids that end an answer besides the tokenizer's EOS, as LLaMA 3's chat models have them.
        description: path, format, step, sizes, dtype, quantization, fingerprint (of the parameters as loaded, the same
            from every format), vocabulary_sha256, and of an adapter also `base` and `adapter` with a fingerprint each;
            all that identifies the model, for a report.
    """

    model: LlamaConfig
    params: Params
    vocabulary: Vocabulary
    mesh: Mesh
    chat_template: str | None
    max_length: int
    add_bos: bool
    stop_tokens: tuple[int, ...]
    description: dict[str, Any]

    def template(self, name_or_path: str | None = None) -> ChatTemplate | None:
        """The chat template of a name or file; by default the model's own, if it brings one.

        Raises:
            ConfigError: There is none of that name, or it cannot be read.
        """
        if name_or_path is not None:
            return ChatTemplate.load(name_or_path)
        if self.chat_template is None:
            return None
        return ChatTemplate(self.chat_template, f"the chat template of {self.description['path']}", own=True)


def open_model(
    path: str | Path,
    mesh: MeshConfig | None = None,
    *,
    dtype: Dtype = "auto",
    quantization: Literal["int8"] | None = None,
    tokenizer: str | Path | None = None,
    base: str | Path | None = None,
) -> ServedModel:
    """Load a model for inference; every process of the job must call this.

    A vocabulary that the tensor axis does not divide is padded. No more than one array is in memory before it is
    quantized.

    Args:
        path: A run, its checkpoints folder, one step, an imported checkpoint, a Hugging Face or a Meta folder; or an
            adapter of a run or in a PEFT folder, which is merged into its base.
        mesh: Axis sizes; None puts as many devices on tensor as divide heads and widths, the others on data.
        dtype: Of parameters and products. auto takes bfloat16 on accelerators; on a CPU what is stored, and float32
            for float16.
        quantization: int8 keeps the matrices of the layers in 8 bits.
        tokenizer: File or folder of the tokenizer, where the folder of the weights has none.
        base: The weights that an adapter belongs to; None takes those that it names.

    Raises:
        ConversionError: The weights are damaged or incomplete, or not the base of the adapter.
        CheckpointError: The same of a checkpoint.
        ConfigError: There is no tokenizer, or it has more tokens than the model.
        DataError: The tokenizer cannot be read.
        MeshError: The mesh does not fit the devices or the model.
    """
    opened: Any = together(
        "opening the model", lambda: _open(Path(path), tokenizer, None if base is None else Path(base))
    )
    source, vocabulary, home = opened
    weights, adapter = (source.base, source.adapter) if isinstance(source, Merged) else (source, None)
    built = meshes.build_mesh(mesh or _default_mesh(source.sizes, len(jax.devices())))
    split, rows = built.shape["tensor"], source.sizes["vocab_size"]
    if rows % split and not isinstance(weights, CheckpointWeights):
        weights = Padded(weights, vocab_size=-(-rows // split) * split)
    sizes = source.sizes | {"vocab_size": weights.sizes["vocab_size"]}
    chosen = _stored_dtype(source) if dtype == "auto" and jax.default_backend() == "cpu" else dtype
    chosen = "bfloat16" if chosen == "auto" else chosen
    model = LlamaConfig.build(
        ModelConfig.model_validate(
            {
                **sizes,
                "preset": None,
                "vocab_padding": sizes["vocab_size"] - source.num_tokens,
                "param_dtype": chosen,
                "compute_dtype": chosen,
            }
        )
    )
    abstract = state.abstract_params(model, built)
    params, prints = load(weights, abstract, num_tokens=source.num_tokens, adapter=adapter, quantization=quantization)
    identity: dict[str, Any] = {"fingerprint": digest(prints)}
    if adapter is not None:
        of_base = {"folder": public_name(weights.folder), "fingerprint": digest(prints)}
        identity = {"base": of_base, "adapter": adapter.describe()}
        identity["fingerprint"] = digest({name: part["fingerprint"] for name, part in identity.items()})
    settings = [source.token_ids, generation_settings(source.folder), generation_settings(home)]
    return ServedModel(
        model=model,
        params=params,
        vocabulary=vocabulary,
        mesh=built,
        chat_template=find_template(vocabulary.path.parent),
        max_length=source.sizes["max_position_embeddings"],
        add_bos=_adds_bos(source, vocabulary),
        stop_tokens=tuple(sorted({token for tree in settings for token in _ids(tree)} - {vocabulary.eos_id})),
        description={
            "path": str(path),
            "format": source.format,
            "step": None if source.meta is None else source.meta.step,
            "sizes": source.sizes | {"vocab_size": source.num_tokens},
            "parameters": state.num_parameters(abstract),
            "dtype": chosen,
            "quantization": quantization,
            "vocabulary_sha256": vocabulary.sha256,
            **identity,
        },
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """The options of a command that runs a model, for `open_engine`."""
    parser.add_argument(
        "--checkpoint", required=True, metavar="DIR", help="run, checkpoint, Hugging Face, Meta or PEFT folder"
    )
    parser.add_argument("--base", metavar="DIR", help="the weights that an adapter belongs to, if not those it names")
    parser.add_argument("--tokenizer", metavar="PATH", help="its tokenizer, where the folder has none")
    parser.add_argument("--dtype", choices=("auto", "float32", "bfloat16"), default="auto", help="of the computation")
    parser.add_argument("--quantize", choices=("int8",), help="keep the layers' matrices in 8 bits")
    parser.add_argument("--cache-dtype", choices=("auto", "float32", "bfloat16", "int8"), default="auto")
    parser.add_argument("--batch-size", type=int, default=8, metavar="N", help="sequences at a time")
    parser.add_argument("--max-length", type=int, metavar="N", help=f"tokens in all; the model's, at most {LONGEST}")
    parser.add_argument(
        "--mesh", metavar="AXIS=N,...", help="data=2,tensor=4; as much on tensor as divides, if not given"
    )


def open_engine(arguments: argparse.Namespace) -> tuple[ServedModel, Engine]:
    """The model that a command line names, and what runs it; `params` are the engine's alone then.

    Raises:
        MelamaError: As `open_model` and `Engine` raise.
    """
    mesh = None
    if arguments.mesh is not None:
        pairs = [part.split("=") for part in arguments.mesh.split(",")]
        if any(len(pair) != 2 for pair in pairs) or len({pair[0] for pair in pairs}) < len(pairs):
            raise ConfigError(f"--mesh {arguments.mesh!r}: write each axis once, such as data=2,tensor=4")
        axes = dict(pairs)
        mesh = from_mapping({"mesh": {"fsdp": 1} | axes}, origin="--mesh").mesh
    served = open_model(
        arguments.checkpoint,
        mesh,
        dtype=arguments.dtype,
        quantization=arguments.quantize,
        tokenizer=arguments.tokenizer,
        base=arguments.base,
    )
    engine = Engine(
        served.model,
        served.params,
        served.vocabulary,
        served.mesh,
        max_length=min(served.max_length, LONGEST) if arguments.max_length is None else arguments.max_length,
        batch_size=arguments.batch_size,
        cache_dtype=arguments.cache_dtype,
        donate=True,
    )
    return dataclasses.replace(served, params={}), engine


def summary(description: dict[str, Any]) -> str:
    """One line for a person."""
    step = f", step {description['step']}" if description["step"] else ""
    int8 = ", layers in int8" if description["quantization"] else ""
    whose = ""
    if "adapter" in description:
        adapter, base = description["adapter"], description["base"]
        whose = (
            f" (adapter {adapter['fingerprint'][:12]} of rank {adapter['rank']} merged into {base['folder']}, "
            f"{base['fingerprint'][:12]})"
        )
    return (
        f"{description['path']}: {description['format']}{step}, {description['parameters']:,} parameters in "
        f"{description['dtype']}{int8}, fingerprint {description['fingerprint'][:12]}{whose}"
    )


def _open(path: Path, tokenizer: str | Path | None, base: Path | None) -> tuple[Weights, Vocabulary, Path | None]:
    source = open_weights(path, base=base)
    source.check()
    home = Path(tokenizer) if tokenizer is not None else tokenizer_of(source)
    if home is None:
        raise ConfigError(
            f"{path}: has no tokenizer; give the model's own with --tokenizer (a tokenizer.model, a tokenizer.json, or "
            f"the folder of one)"
        )
    try:
        vocabulary = load_vocabulary(home)
    except DataError as error:
        raise DataError(str(error).replace("data.vocabulary", "tokenizer", 1)) from None
    # Tokenizers may name control tokens that the model was never given; text cannot reach them.
    controls = sum(token >= source.num_tokens for token in control_tokens(vocabulary).values())
    if vocabulary.vocab_size - controls > source.num_tokens:
        raise ConfigError(
            f"{path}: has {source.num_tokens} tokens, but the tokenizer {vocabulary.path} has "
            f"{vocabulary.vocab_size}; give the model's own with --tokenizer"
        )
    return source, vocabulary, home


def _default_mesh(sizes: dict[str, Any], devices: int) -> MeshConfig:
    tensor = math.gcd(devices, sizes["num_key_value_heads"], sizes["num_attention_heads"], sizes["intermediate_size"])
    return MeshConfig(data=devices // tensor, fsdp=1, tensor=tensor)


def _stored_dtype(source: Weights) -> str:
    counts = source.dtypes()
    most = max(sorted(counts), key=counts.__getitem__)
    return most if most == "bfloat16" else "float32"


def _adds_bos(source: Weights, vocabulary: Vocabulary) -> bool:
    if vocabulary.bos_id is None:
        return False
    if source.meta is not None and "data" in source.meta.config:
        return bool(source.meta.config["data"].get("add_bos"))
    config = vocabulary.path.with_name("tokenizer_config.json")
    declared = read_json(config).get("add_bos_token") if config.is_file() else None
    if isinstance(declared, bool):
        return declared
    if vocabulary.path.read_bytes().lstrip()[:1] != b"{":
        return True  # as Meta's code does
    return Tokenizer.from_file(str(vocabulary.path)).encode("a").ids[:1] == [vocabulary.bos_id]


def _ids(settings: dict[str, Any]) -> list[int]:
    found = settings.get("eos_token_id")
    listed = found if isinstance(found, list) else [found]
    return [token for token in listed if isinstance(token, int) and not isinstance(token, bool) and token >= 0]
