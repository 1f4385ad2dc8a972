"""YAML files with one level of `base:`, `--set key=value` overrides, and errors that name the nearest valid key."""

from __future__ import annotations

import argparse
import difflib
import os
import re
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from melama_jax.config.command_line import CommandParser
from melama_jax.config.presets import PRESETS
from melama_jax.config.schema import Config, RunConfig
from melama_jax.config.section import Section
from melama_jax.errors import ConfigError

Describe = Callable[[str], Mapping[str, Any]]
"""From the path in `init.from`, sections that hold its sizes under `model` and its tokenizer as `data.vocabulary`."""


Tree = TypeVar("Tree", bound=Section)

CONFIG_FILE = "config.yaml"
"""Of a run folder: the resolved configuration."""


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, of which YAML would silently keep the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        assert node is not None
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(None, None, f"{key.value!r} is given twice", key.start_mark)
                seen.add(key.value)
        return node


def load(path: str | Path, overrides: Iterable[str] = (), *, describe: Describe | None = None) -> Config:
    """The tree of a run, as `load_tree` reads it, with what the weights of `init.from` say of themselves.

    Args:
        path: The YAML file.
        overrides: Texts `section.key=value`, the value in YAML, applied in order.
        describe: Asked where `model.preset` is auto or `data.vocabulary` is not given; its answer is laid below what
            is given. None reads no weights.

    Raises:
        ConfigError: The file is missing or no YAML mapping, or a key or value cannot work.
        MelamaError: As `describe` raises.
    """
    return load_tree(Config, path, overrides, complete=describe and (lambda tree: _over_described(tree, describe)))


def load_tree(
    schema: type[Tree],
    path: str | Path | None,
    overrides: Iterable[str] = (),
    *,
    complete: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
) -> Tree:
    """Read a YAML file, lay it over the `base:` that it names, apply overrides, and check the whole.

    Args:
        schema: The root section.
        path: The YAML file; None takes the defaults. Its `base:` key is a path relative to the file, or a list of them,
            each laid over the one before; a base may not have a base of its own.
        overrides: Texts `section.key=value`, the value in YAML, applied in order.
        complete: Adds what the tree leaves open, before it is checked.

    Raises:
        ConfigError: The file is missing or no YAML mapping, or a key or value cannot work.
    """
    path = None if path is None else Path(path)
    tree = {} if path is None else read_mapping(path)
    given = tree.pop("base", None)
    bases = given if isinstance(given, list) else [] if given is None else [given]
    below: dict[str, Any] = {}
    for base in bases:
        if not isinstance(base, str):
            raise ConfigError(f"{path}: base: must be a path or a list of paths, found {given!r}")
        assert path is not None
        base_path = path.parent / base
        base_tree = read_mapping(base_path)
        if "base" in base_tree:
            raise ConfigError(f"{base_path}: a base may not have a base: of its own; put it into the list of {path}")
        below = _merge(below, base_tree)
    tree = _merge(below, tree)
    overridden = []
    for text in overrides:
        tree = _merge(tree, _parse_override(schema, text))
        overridden.append(text.partition("=")[0].strip())
    if complete is not None:
        tree = complete(tree)
    return _checked(schema, tree, origin="command line" if path is None else str(path), overridden=overridden)


def from_mapping(tree: Mapping[str, Any], *, origin: str = "configuration") -> Config:
    """Check the nested mapping of a run against the schema; `origin` is blamed for a mistake.

    Raises:
        ConfigError: Naming `origin`, the key, the value, and the nearest valid key or the accepted values.
    """
    return _checked(Config, tree, origin=origin, overridden=())


def _checked(schema: type[Tree], tree: Mapping[str, Any], *, origin: str, overridden: Sequence[str]) -> Tree:
    """Check a nested mapping; its keys `overridden` by --set have that blamed, the rest `origin`."""
    try:
        return schema.model_validate(dict(tree))
    except ValidationError as error:
        in_file, in_overrides = [], []
        for item in error.errors():
            message, key = _explain(schema, item), _override_at_fault(item, overridden)
            if key is None:
                in_file.append(message)
            else:
                in_overrides.append(f"--set {key}: {message.removeprefix(f'{key}: ')}")
        blamed = [f"{origin}: {'; '.join(in_file)}"] if in_file else []
        raise ConfigError("; ".join(blamed + in_overrides)) from None


def dump_yaml(config: Section) -> str:
    """The whole resolved tree as YAML that `load` reads back to an equal tree."""
    return yaml.safe_dump(config.model_dump(mode="json", by_alias=True), sort_keys=False, allow_unicode=True)


def parse_command_line(
    description: str,
    argv: Sequence[str] | None = None,
    *,
    parser: argparse.ArgumentParser | None = None,
    describe: Describe | None = None,
) -> tuple[Config, argparse.Namespace]:
    """Read `--config FILE` and repeated `--set a.b=c`, as every command takes them.

    Args:
        description: What the command does, for `--help`.
        argv: Arguments without the program name; None takes the process's.
        parser: A parser that already has the command's own options.
        describe: As `load` takes it.

    Returns:
        The checked tree, and the parsed arguments for the command's own options.
    """
    parser = parser or CommandParser(description=description)
    parser.add_argument("--config", required=True, metavar="FILE", help="YAML configuration")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        dest="overrides",
        metavar="KEY=VALUE",
        help="override one key, such as --set train.steps=300; repeatable; lists as [a, b]",
    )
    arguments = parser.parse_args(argv)
    return load(arguments.config, arguments.overrides, describe=describe), arguments


def read_mapping(path: Path) -> dict[str, Any]:
    """A YAML file that holds a mapping, and no key twice.

    Raises:
        ConfigError: It cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the configuration: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; expected a YAML configuration") from None
    try:
        tree = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date
        raise ConfigError(f"{path}: is not valid YAML: {_syntax_problem(error, text)}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected sections such as model: and train:, found {type(tree).__name__}")
    return tree


def _syntax_problem(error: Exception, text: str) -> str:
    """One line that says where; PyYAML's own would call the file "<unicode string>"."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        where, what = f"line {mark.line + 1}, column {mark.column + 1}: ", (error.context, error.problem)
    elif isinstance(error, yaml.reader.ReaderError):
        where, what = f"line {text.count(chr(10), 0, error.position) + 1}: ", (error.reason,)
    else:
        where, what = "", (str(error),)
    return where + " ".join(" ".join(part for part in what if part).split())


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merge(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged


def _over_described(tree: Mapping[str, Any], describe: Describe) -> Mapping[str, Any]:
    """The sections, laid over what the weights of `init.from` say of the keys that are left to them."""
    init, model, data = (tree.get(section, {}) for section in ("init", "model", "data"))
    if not all(isinstance(section, Mapping) for section in (init, model, data)):
        return tree  # the schema refuses it
    source = init.get("from")
    sizes_open = model.get("preset", "auto") == "auto"
    vocabulary_open = data.get("vocabulary") is None
    if type(source) not in (str, int, float) or not (sizes_open or vocabulary_open):
        return tree
    source = os.path.expanduser(str(source))
    described = _resolved_before(tree, source) or describe(source)
    if sizes_open:
        # A null means "not given", but for the scaling, of which it is a value.
        own = {key: value for key, value in model.items() if value is not None or key == "rope_scaling"}
        own.pop("preset", None)
        tree = {**tree, "model": _merge(described.get("model", {}), own)}
    if vocabulary_open:
        tree = {**tree, "data": {**data, "vocabulary": described.get("data", {}).get("vocabulary")}}
    return tree


def _resolved_before(tree: Mapping[str, Any], source: str) -> Mapping[str, Any] | None:
    """What a run that has checkpoints resolved from these weights: they are not needed to go on, and may be gone."""
    run = tree.get("run", {})
    folder = Path(os.path.expanduser(str(run.get("dir", RunConfig().dir)))) if isinstance(run, Mapping) else Path()
    stored = folder / CONFIG_FILE
    if not stored.is_file() or next((folder / "checkpoints").glob("[0-9]*"), None) is None:
        return None
    before = read_mapping(stored)
    if before.get("init", {}).get("from") != source:
        return None
    sizes = {
        key: value for key, value in before["model"].items() if key in (*PRESETS["tiny"], "vocab_padding", "preset")
    }
    vocabulary = before["data"]["vocabulary"]
    if vocabulary is not None and not Path(vocabulary).exists() and (folder / "tokenizer").is_dir():
        vocabulary = str(folder / "tokenizer")  # the copy that the run keeps
    return {"model": sizes, "data": {"vocabulary": vocabulary}}


def _parse_override(schema: type[Section], text: str) -> dict[str, Any]:
    key, equals, raw = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ConfigError(f"--set {text!r}: expected key=value, such as train.steps=300")
    annotation = _annotation_of(schema, key)
    value: Any = raw
    if _accepts_text(annotation):
        # As written: the numbers, dates and mappings that YAML sees in a path or a name are not meant.
        if annotation is not str and raw in ("null", "~"):
            value = None
    elif raw:
        try:
            value = yaml.load(raw, _Loader)
        except (yaml.YAMLError, ValueError):
            raise ConfigError(f"--set {key}: {raw!r} is not a YAML value") from None
    tree: Any = value
    for part in reversed(key.split(".")):
        tree = {part: tree}
    return tree


def _accepts_text(annotation: Any) -> bool:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return any(_accepts_text(option) for option in typing.get_args(annotation))
    return annotation is str


def _annotation_of(schema: type[Section], key: str) -> Any:
    """The declared type of a dotted key; None inside free mappings."""
    model: Any = schema
    annotation: Any = None
    parts = key.split(".")
    for depth, part in enumerate(parts):
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return None
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part not in fields:
            raise ConfigError(f"--set {key}: {_unknown_key(schema, parts[: depth + 1], fields)}")
        annotation = fields[part].annotation
        model = _section_of(annotation)
    return annotation


def _unknown_key(schema: type[Section], parts: Sequence[Any], valid: Iterable[str]) -> str:
    valid = list(valid)
    *section, name = [str(part) for part in parts]
    path = ".".join([*section, name])
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.5)
    if near:
        return f"unknown key {path}; did you mean {'.'.join([*section, near[0]])}?"
    everywhere = _all_keys(schema)
    elsewhere = difflib.get_close_matches(name, list(everywhere), n=1, cutoff=0.6)
    if elsewhere:
        return f"unknown key {path}; did you mean {everywhere[elsewhere[0]]}?"
    return f"unknown key {path}; valid here: {', '.join(valid)}"


def _all_keys(schema: type[Section]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for section, field in schema.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for name, inner in field.annotation.model_fields.items():
                keys.setdefault(inner.alias or name, f"{section}.{inner.alias or name}")
    return keys


def _section_of(annotation: Any) -> Any:
    """The section an annotation holds, as `RopeScaling | None` does; None without one."""
    options = [annotation, *typing.get_args(annotation)]
    return next((o for o in options if isinstance(o, type) and issubclass(o, BaseModel)), None)


def _inner_section(annotation: Any) -> Any:
    """The section within any depth of mappings and sequences, as in `dict[str, tuple[Source, ...]]`."""
    inner = (_inner_section(option) for option in typing.get_args(annotation))
    return _section_of(annotation) or next((section for section in inner if section is not None), None)


def _override_at_fault(item: Any, overridden: Sequence[str]) -> str | None:
    """The overridden key that holds a mistake, or that a refused combination names; None for the file's own."""
    path = ".".join(str(part) for part in _location(item))
    named = str(item["ctx"]["error"]) if item["type"] == "value_error" else ""
    for key in overridden:
        if path == key or path.startswith(f"{key}.") or re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", named):
            return key
    return None


def _location(item: Any) -> list[Any]:
    return [part for part in item["loc"] if part != "function-after"]


def _explain(schema: type[Section], item: Any) -> str:
    location = _location(item)
    path = ".".join(str(part) for part in location)
    if item["type"] == "extra_forbidden":
        section: Any = schema
        for part in location[:-1]:
            if part in section.model_fields:
                section = _inner_section(section.model_fields[part].annotation) or section
        return _unknown_key(schema, location, [field.alias or name for name, field in section.model_fields.items()])
    if item["type"] == "value_error":
        return str(item["ctx"]["error"])
    message = item["msg"][0].lower() + item["msg"][1:]
    return f"{path}: {message}, found {item['input']!r}" if path else message
