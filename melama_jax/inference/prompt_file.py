"""Files of prompts to answer, a JSON object a line, and of their answers."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from melama_jax.config.section import Section
from melama_jax.errors import ConfigError, DataError
from melama_jax.inference.sampling import SamplingOptions


class Turn(Section):
    """A message of a conversation."""

    role: str
    content: str


class Line(Section):
    """A line of the file of prompts: text to continue, or a conversation to answer, and how."""

    id: str | int | None = None
    prompt: str | None = None
    messages: Annotated[tuple[Turn, ...], Field(min_length=1)] | None = None
    max_new_tokens: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _check(self) -> Line:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give a prompt or messages")
        return self

    def options(self, default: SamplingOptions) -> SamplingOptions:
        """How it is continued, where it does not say as all are."""
        given = self.model_dump(include={"max_new_tokens", "temperature", "top_k", "top_p", "seed"}, exclude_none=True)
        if self.stop is not None:
            given["stop_strings"] = self.stop
        return dataclasses.replace(default, **given)


def read_prompts(path: Path) -> list[Line]:
    """The lines of a file of prompts, each with an id, its number where it has none; blank lines are left out.

    Raises:
        DataError: The file cannot be read or holds no prompts, or a line is malformed; it is named by its number, and
            none of its text.
    """
    try:
        texts = path.read_text(encoding="utf-8-sig").split("\n")  # other line breaks may stand inside a JSON text
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: is not UTF-8 text; expected lines of JSON") from None
    lines: list[Line] = []
    numbers: dict[str | int, int] = {}
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        where = f"{path}: line {number}"
        try:
            line = Line.model_validate(json.loads(text))
            line.options(SamplingOptions())
            json.dumps(line.model_dump(), ensure_ascii=False).encode()
        except ValidationError as error:
            problem = error.errors(include_input=False)[0]
            key = ".".join(str(part) for part in problem["loc"])
            raise DataError(f"{where}: {key and f'{key}: '}{problem['msg'].removeprefix('Value error, ')}") from None
        except ConfigError as error:
            raise DataError(f"{where}: {error}") from None
        except UnicodeEncodeError:
            raise DataError(f"{where}: holds half of a surrogate pair; expected Unicode text") from None
        except (ValueError, RecursionError) as error:
            at = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
            raise DataError(f"{where}: is no JSON{at}") from None
        own = number if line.id is None else line.id
        if own in numbers:
            raise DataError(
                f"{where}: has the id of line {numbers[own]}; ids (and the numbers of lines without) differ"
            )
        numbers[own] = number
        lines.append(line.model_copy(update={"id": own}))
    if not lines:
        raise DataError(f"{path}: holds no prompts; expected lines such as {json.dumps({'prompt': 'text'})}")
    return lines


def read_partial(path: Path, header: Mapping[str, str]) -> dict[str | int, dict[str, Any]]:
    """The whole lines of a partial output by id; a last one that was being written is left out.

    Raises:
        ConfigError: The file does not begin with this header.
    """
    if not path.exists():
        return {}
    try:
        *texts, _ = path.read_bytes().split(b"\n")  # whole lines: the last one may end inside a character
        first, *rest = [json.loads(text) for text in texts] or [None]
    except (OSError, ValueError):
        first, rest = None, []
    if not rest and (first is None or "run" in first):
        return {}  # nothing was answered yet, whatever was asked
    if first != header:
        raise ConfigError(
            f"{path}: was not begun with these prompts, options and model; take it away, or give --overwrite"
        )
    return {answer["id"]: answer for answer in rest}


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write lines of JSON beside, and rename.

    Raises:
        ConfigError: The file cannot be written.
    """
    work = path.with_name(f"{path.name}.writing")
    try:
        work.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        os.replace(work, path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
