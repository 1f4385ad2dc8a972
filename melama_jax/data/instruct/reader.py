"""Instruction data as conversations: what was said, or records in one of several wordings."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from melama_jax.config import Source
from melama_jax.config.wordings import Wordings, load_wordings
from melama_jax.data.instruct.containers import PACKED, Unusable, read_records
from melama_jax.data.instruct.formats import FORMATS
from melama_jax.data.instruct.records import Fields, Format, beside, draw
from melama_jax.data.instruct.restricted import RESTRICTED
from melama_jax.errors import ConfigError

if TYPE_CHECKING:
    from melama_jax.data.sources import ScanReport, SourceFile

Message = dict[str, str]
SPOKEN = {"messages": "messages", "conversations": "conversations", "sharegpt": "conversations"}
"""Formats whose records are conversations already, and the key of their turns."""
WORDED: Mapping[str, Format] = {**FORMATS, **RESTRICTED}
"""Formats whose records are put into words."""
_SPOKEN_ENDINGS = ("json", "jsonl")
_ROLES = {
    "system": "system",
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "agent", "chatgpt", "bing", "bard"), "assistant"),
}
_JINJA = SandboxedEnvironment(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@dataclasses.dataclass(frozen=True)
class Conversation:
    """What is said, and whose data it is.

    Attributes:
        messages: Each with `role` (system, user, assistant) and `content`; after an optional system message, user and
            assistant take turns, and the assistant ends.
        identity: Of the record, whatever its wording: equal for what must stay on one side of a split, as two answers
            to a question, or a patient's notes.
        record: All that the record says, whatever its wording: what decides whether it is drawn.
    """

    messages: tuple[Message, ...]
    identity: bytes
    record: bytes


def endings(format: str) -> tuple[str, ...]:
    """File endings that are read for a format of instruction data."""
    plain = _SPOKEN_ENDINGS if format in SPOKEN else WORDED[format].endings
    return tuple(f".{end}{gz}" for end in plain for gz in ("", ".gz") if not gz or end not in PACKED)


def is_read(source: Source, name: str) -> bool:
    """Whether a file of this name holds records of a source's format."""
    return source.format in SPOKEN or source.format == "text" or WORDED[source.format].reads(name)


def companion(source: Source, path: Path) -> Path | None:
    """The file that is looked up beside one of a source, if there is one."""
    names = () if source.format in SPOKEN else WORDED[source.format].companions
    return beside(path, names) if names else None


def is_protected(source: Source) -> bool:
    """Whether no record of a source may ever be shown."""
    return source.protected or source.format.startswith("mimic_")


def wordings_of(source: Source) -> Wordings | None:
    """The wordings that a source's records are put into; none for conversations.

    Raises:
        ConfigError: There are none of that name, or they use fields that the format does not have.
    """
    if source.format in SPOKEN:
        if source.prompts is not None:
            raise ConfigError(f"prompts {source.prompts!r}: format {source.format} has its own words; remove prompts")
        return None
    wordings, known = load_wordings(source.prompts or source.format), {*WORDED[source.format].fields, "labels"}
    unknown = sorted(wordings.fields() - known)
    if unknown:
        raise ConfigError(
            f"wordings {wordings.name}: {unknown[0]} is no field of {source.format}; it has {', '.join(sorted(known))}"
        )
    return wordings


def read_conversations(
    file: SourceFile, report: ScanReport, *, seed: int, on_progress: Callable[[int], None] | None = None
) -> Iterator[Conversation]:
    """Stream the conversations of one file.

    Args:
        file: The file, and in `file.source.format` how it is read.
        report: Takes the number of records, and of those (or parts of them) that give no conversation.
        seed: Of the choice of wordings.
        on_progress: Called now and then with the bytes of the file consumed so far (as they lie on disk).

    Raises:
        ConfigError: There are no such wordings.
        DataError: The file, or one that it refers to, cannot be read or is damaged.
    """
    source = file.source
    wordings = wordings_of(source)
    tags: tuple[str, ...] = ()
    if wordings is None:
        converse = _turns(source.format)
    else:
        format = WORDED[source.format]
        converse, tags = _worded(format, wordings, source, file, seed), format.tags
    for record, place in read_records(file.path, file.name, tags, on_progress):
        report.records += 1
        try:
            if isinstance(record, Unusable):
                raise record
            found = converse(record)
            if not found:
                raise Unusable("no_answer")
        except Unusable as problem:
            report.skip(problem.reason, place)
            continue
        except RecursionError:  # Of elements in elements in elements.
            report.skip("bad_xml", place)
            continue
        for item in found:
            if isinstance(item, Unusable):
                report.skip(item.reason, place)
            else:
                yield item


_Converse = Callable[[Any], list[Conversation | Unusable]]


def _conversation(messages: list[Message], identity: str, record: Iterable[str]) -> Conversation | Unusable:
    try:
        for message in messages:
            message["content"].encode()
        return Conversation(tuple(messages), identity.encode(), "\0".join(record).encode())
    except UnicodeEncodeError:  # Undecodable bytes of a table, or a lone surrogate escaped in JSON.
        return Unusable("bad_utf8")


def _worded(format: Format, wordings: Wordings, source: Source, file: SourceFile, seed: int) -> _Converse:
    convert = format.make(source, file.path)
    users, answer = [_JINJA.from_string(text) for text in wordings.user], _JINJA.from_string(wordings.answer)

    def word(fields: Fields) -> Conversation | Unusable:
        for name in format.fields:
            if not fields[name] and name not in format.optional:
                return Unusable("no_answer" if name in ("answer", "label") else "empty")
        if "label" in fields and fields["label"] not in wordings.labels:
            return Unusable("unknown_label")
        identity = "\0".join(fields[name] for name in format.identity)
        user = users[draw(identity, len(users), "wording", seed)]
        try:
            said = [template.render(fields, labels=wordings.labels).strip() for template in (user, answer)]
        except Exception as error:  # Whatever a wording does with a field; the message may hold its text.
            raise ConfigError(f"wordings {wordings.name}: a wording fails with {type(error).__name__}") from None
        if not all(said):
            return Unusable("empty")
        messages = [{"role": role, "content": text} for role, text in zip(("user", "assistant"), said, strict=True)]
        return _conversation(messages, identity, fields.values())

    return lambda record: [word(fields) for fields in convert(record)]


def _turns(format: str) -> _Converse:
    """Reads conversations: your own must be whole; of ShareGPT's, which are not all, whole exchanges are taken."""
    key, mend = SPOKEN[format], format == "sharegpt"

    def converse(record: Mapping[str, Any]) -> list[Conversation | Unusable]:
        if key not in record:
            raise Unusable("missing_field")
        given = record[key] if isinstance(record[key], list) else [None]
        if isinstance(record.get("system"), str):
            given = [{"role": "system", "content": record["system"]}, *given]
        messages = [_message(turn) for turn in given]
        head = [message for message in messages[:1] if message and message["role"] == "system"]
        turns = messages[len(head) :]
        start = 0
        if mend:  # A piece of a longer conversation starts with an answer.
            while start < len(turns) and (turn := turns[start]) and turn["role"] == "assistant":
                start += 1
        kept: list[Message] = []
        for number, turn in enumerate(turns[start:]):
            if turn is None or not turn["content"].strip() or turn["role"] != ("user", "assistant")[number % 2]:
                break
            kept.append(turn)
        kept = kept[: len(kept) // 2 * 2]
        whole = bool(kept) and len(kept) == len(turns)
        if not kept or not (whole or mend):
            raise Unusable("bad_turns" if mend else "bad_conversation")
        said = [turn["content"] for turn in kept]
        head = [message for message in head if message["content"].strip()]
        identity = "\0".join(said[::2])
        if mend and isinstance(record.get("id"), str):  # Pieces of a conversation are numbered.
            identity = re.sub(r"_\d+$", "", record["id"])
        found: list[Conversation | Unusable] = [_conversation([*head, *kept], identity, said)]
        return found if whole else [*found, Unusable("turns_left_out")]

    return converse


def _message(turn: Any) -> Message | None:
    """A turn by our roles; none for what is no turn."""
    if not isinstance(turn, dict):
        return None
    role, content = turn.get("role", turn.get("from")), turn.get("content", turn.get("value"))
    if not isinstance(role, str) or not isinstance(content, str) or role.lower() not in _ROLES:
        return None
    return {"role": _ROLES[role.lower()], "content": content}
