"""What is remembered of where weights came from, so that an export has what the original had."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from conversion import tokenizers
from conversion.adapter import Adapter, Merged
from conversion.checkpoint import ORIGIN_FILE
from conversion.json_files import read_json, write_json
from conversion.meta import MetaWeights
from conversion.weights import Weights
from melama_jax import __version__
from melama_jax.config import Config
from melama_jax.data.chat import ChatTemplate
from melama_jax.data.samples import tokenizer_path
from melama_jax.data.vocabulary import find_tokenizer, load_vocabulary
from melama_jax.errors import ConversionError, MelamaError

GENERATION = "generation_config.json"


def origin_of(source: Weights) -> dict[str, Any]:
    """What a checkpoint made of these weights states of them; names, no paths."""
    if isinstance(source, Merged):
        added = {"folder": public_name(source.adapter.folder), **source.adapter.describe()}
        return {**origin_of(source.base), "adapter": added}
    if source.meta is not None:
        return dict(source.origin)
    origin: dict[str, Any] = {
        "format": source.format,
        "folder": public_name(source.folder),
        "token_ids": token_ids_of(source),
        "converter": f"melama_jax {__version__}",
    }
    if isinstance(source, MetaWeights):
        origin["num_shards"] = len(source.files)
        if len(source.files) > 1:
            origin["llama3"] = source.llama3
    return origin


def token_ids_of(source: Weights) -> dict[str, Any]:
    """Ids of BOS, EOS and padding as the folder states them; those it does not state are left out."""
    return {key: value for key, value in source.token_ids.items() if not _is_unset(value)}


def _is_unset(value: Any) -> bool:
    return value is None or (isinstance(value, int) and value < 0)  # old folders say -1


def public_name(folder: Path) -> str:
    """A folder's name; of a download cache (models--ORG--NAME/snapshots/HASH) the model's, of a step the run's."""
    folder = folder.resolve()
    cached = folder.parent.parent.name
    if cached.startswith("models--"):
        return cached.removeprefix("models--").replace("--", "/")
    return cached if folder.parent.name == "checkpoints" else folder.name


def tokenizer_of(source: Weights | Adapter) -> Path | None:
    """The folder or file of the tokenizer of weights: beside them, in their run, or what the run was trained with.

    An adapter's own goes before its base's.
    """
    if isinstance(source, Merged):
        return tokenizer_of(source.adapter) or tokenizer_of(source.base)
    if find_tokenizer(source.folder) is not None:
        return source.folder / "tokenizer" if (source.folder / "tokenizer").is_dir() else source.folder
    # Of a step of a run alone: beside an imported checkpoint's parent there may be anybody's tokenizer.
    if source.meta is not None and "data" in source.meta.config:
        kept = source.folder.resolve().parent.parent / "tokenizer"
        if find_tokenizer(kept) is not None:
            return kept / "tokenizer" if (kept / "tokenizer").is_dir() else kept
        try:
            return tokenizer_home(load_vocabulary(source.meta.config["data"].get("vocabulary")).path)
        except MelamaError:
            return None
    return None


def tokenizer_home(vocabulary: Path) -> Path:
    """The folder that a vocabulary's file belongs to, where that is a tokenizer's folder, else the file."""
    return vocabulary.parent if find_tokenizer(vocabulary.parent) == vocabulary else vocabulary


def generation_settings(tokenizer: Path | None) -> dict[str, Any]:
    """The settings of generation that came with a tokenizer, such as several EOS tokens; none if there are none.

    Raises:
        ConversionError: They cannot be read.
    """
    path = tokenizer / GENERATION if tokenizer is not None and tokenizer.is_dir() else None
    if path is None or not path.is_file():
        return {}
    tree = read_json(path)
    kept = {key: value for key, value in tree.items() if not _is_unset(value) and not key.startswith("_")}
    kept.pop("transformers_version", None)
    return kept


def copy_tokenizer_of(source: Weights, target: Path) -> bool:
    """Copy the tokenizer of weights, and its settings of generation, into a new folder; whether there is one.

    Raises:
        ConversionError: It cannot be read or written.
    """
    found = tokenizer_of(source)
    files = tokenizers.tokenizer_files(found) if found is not None else []
    if found is None or not files:
        return False
    generation_settings(found)
    target.mkdir(parents=True)
    tokenizers.copy_tokenizer(files, target)
    if found.is_dir() and (found / GENERATION).is_file():
        shutil.copyfile(found / GENERATION, target / GENERATION)
    return True


def remember(config: Config, run_dir: Path, source: Weights | None) -> None:
    """Keep the tokenizer of a run, and what its initial weights stated, in the run folder; once.

    A run that learns from conversations keeps their template as the tokenizer's own.

    Args:
        config: The run's configuration.
        run_dir: The run folder.
        source: The initial weights, if it has any.

    Raises:
        ConversionError: The tokenizer cannot be read or the folder not written.
    """
    target = run_dir / Path(ORIGIN_FILE).parent
    if target.exists():
        return
    work = run_dir / "tokenizer.incomplete"
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        vocabulary = Path(config.data.vocabulary) if config.data.vocabulary else tokenizer_path()
        home = tokenizer_home(vocabulary)
        tokenizers.copy_tokenizer(tokenizers.tokenizer_files(home), work)
        if any(source.format != "text" for sources in config.data.sources.values() for source in sources):
            template = ChatTemplate.load(config.data.conversations.template)
            (work / "chat_template.jinja").write_text(template.source, encoding="utf-8")
        if source is not None:
            write_json(work / Path(ORIGIN_FILE).name, origin_of(source))
            settings = tokenizer_of(source)
            if settings is not None and settings.is_dir() and (settings / GENERATION).is_file():
                shutil.copyfile(settings / GENERATION, work / GENERATION)
        work.rename(target)
    except OSError as error:
        raise ConversionError(f"{target}: cannot be written: {error.strerror}") from None
