"""Chat templates: conversations as the token ids that a chat model was tuned on.

A template is Jinja, as transformers runs it: from the model's own tokenizer, from `configs/chat`, or from any file.
Control tokens come from the template alone: what a message says stays ordinary text, also where it spells "</s>".
"""

from __future__ import annotations

import datetime
import functools
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import jinja2.ext
import jinja2.meta
import jinja2.nodes
import jinja2.sandbox

import melama_jax
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import ConfigError, DataError

TEMPLATES = Path(melama_jax.__file__).resolve().parents[1] / "configs" / "chat"
"""The templates that are known by name."""
Message = Mapping[str, str]
"""`role` (system, user, assistant) and `content`."""
Part = str | int
"""Of a conversation: a piece of ordinary text, or the id of a control token."""
_LIKE_CONTROL = re.compile(r"<\|\w+\|>|</?s>")


class ChatTemplate:
    """A conversation's layout.

    Attributes:
        name: What it is called in messages.
        source: Its Jinja text.
    """

    def __init__(self, source: str, name: str, *, own: bool = False):
        """Compile a template.

        Args:
            source: Jinja text.
            name: What it is called in messages.
            own: Whether it comes with the tokenizer, so that what looks like a control token and is none of the
                vocabulary's is meant as text.

        Raises:
            ConfigError: It is no valid Jinja.
        """
        self.name, self.source, self._own = name, source, own
        environment = _environment()
        try:
            self._template = environment.from_string(source)
            self._variables = jinja2.meta.find_undeclared_variables(environment.parse(source))
        except jinja2.TemplateError as error:
            line = getattr(error, "lineno", None)
            raise ConfigError(f"{name}: is no chat template: {error}{f' (line {line})' if line else ''}") from None

    @classmethod
    def load(cls, name_or_path: str) -> ChatTemplate:
        """A template of `configs/chat` by its name, a file, or that of a tokenizer's folder.

        Raises:
            ConfigError: There is none, or it cannot be read.
        """
        path = Path(name_or_path)
        if path.is_dir():
            found = find_template(path)
            if found is None:
                raise ConfigError(f"{path}: its tokenizer has no chat template; choose one of {', '.join(names())}")
            return cls(found, str(path), own=True)
        if not path.is_file():
            path = TEMPLATES / f"{name_or_path}.jinja"
        if not path.is_file():
            where = f"one of {', '.join(names())}" if TEMPLATES.is_dir() else f"(there is no folder {TEMPLATES})"
            raise ConfigError(f"chat template {name_or_path!r}: no such file, and no name; choose {where}")
        return cls(_read(path), str(path))

    def parts(
        self,
        messages: Sequence[Message],
        vocabulary: Vocabulary,
        *,
        add_generation_prompt: bool = True,
        continue_final: bool = False,
    ) -> list[Part]:
        """Lay out a conversation.

        Args:
            messages: The conversation.
            vocabulary: Whose control tokens the template writes.
            add_generation_prompt: Whether to end with what precedes an answer.
            continue_final: End after the text of the last message instead, for it to be continued.

        Returns:
            Pieces of text, and ids of control tokens between them.

        Raises:
            ConfigError: The template needs a control token that the vocabulary does not have.
            DataError: A message is malformed, or the template refuses the conversation.
        """
        control = _control(vocabulary)
        self._check(control, vocabulary)
        for number, message in enumerate(messages, 1):
            if not all(isinstance(message.get(key), str) for key in ("role", "content")):
                raise DataError(f"message {number}: expected a role and a content, both text")
            if not message["role"].isidentifier():
                raise DataError(f"message {number}: its role is no word; roles are system, user and assistant")
        everything = self.source + "".join(message["content"] for message in messages)
        guard = next(char for char in map(chr, range(0xE000, 0xF900)) if char not in everything)
        safe = [{"role": m["role"], "content": control.guarded(m["content"], guard)} for m in messages]
        special = {"bos_token": vocabulary.bos_id, "eos_token": vocabulary.eos_id, "pad_token": vocabulary.pad_id}
        try:
            text = self._template.render(
                messages=safe,
                add_generation_prompt=add_generation_prompt and not continue_final,
                **{name: vocabulary.spelling(token) for name, token in special.items() if token is not None},
            )
        except jinja2.TemplateError as error:
            raise DataError(f"{self.name}: the chat template refuses the conversation: {error}") from None
        except (TypeError, ValueError, KeyError) as error:
            raise DataError(f"{self.name}: the chat template fails with {type(error).__name__}") from None
        if continue_final:
            final = safe[-1]["content"].strip()
            text = text[: text.rindex(final) + len(final)]
        pieces = [piece.replace(guard, "") for piece in control.pattern.split(text)]
        # Split by one group: texts at even places, control tokens at odd ones.
        return [control.ids[piece] if place % 2 else piece for place, piece in enumerate(pieces) if piece]

    def encode(
        self, messages: Sequence[Message], vocabulary: Vocabulary, add_generation_prompt: bool = True
    ) -> list[int]:
        """Token ids of a conversation; see `parts`."""
        return encode_parts(self.parts(messages, vocabulary, add_generation_prompt=add_generation_prompt), vocabulary)

    def stop_tokens(self, vocabulary: Vocabulary) -> tuple[int, ...]:
        """The control token that the template writes after an answer, if it writes one."""
        asked = [{"role": "user", "content": "x"}]
        answered = [*asked, {"role": "assistant", "content": "x"}]
        before, after = (
            [part for part in self.parts(m, vocabulary, add_generation_prompt=more) if isinstance(part, int)]
            for m, more in ((asked, True), (answered, False))
        )
        return tuple(after[len(before) : len(before) + 1])

    def _check(self, control: _Control, vocabulary: Vocabulary) -> None:
        if self._own:
            return
        lacking = [text for text in _LIKE_CONTROL.findall(self.source) if text not in control.ids]
        for name, token in (("bos_token", vocabulary.bos_id), ("eos_token", vocabulary.eos_id)):
            if name in self._variables and token is None:
                lacking.append(name)
        if lacking:
            raise ConfigError(
                f"{self.name}: the chat template writes {lacking[0]}, but the tokenizer {vocabulary.path} has no such "
                f"control token; choose the template that the model was tuned with"
            )


def names() -> list[str]:
    """The templates of `configs/chat`."""
    return sorted(path.stem for path in TEMPLATES.glob("*.jinja"))


def find_template(folder: Path) -> str | None:
    """The chat template that comes with a tokenizer: `chat_template.jinja`, or in `tokenizer_config.json`.

    Args:
        folder: The tokenizer's folder. Of several named templates the one called default is taken.

    Raises:
        ConfigError: A file cannot be read.
    """
    if (folder / "chat_template.jinja").is_file():
        return _read(folder / "chat_template.jinja")
    path = folder / "tokenizer_config.json"
    if not path.is_file():
        return None
    try:
        found = json.loads(_read(path)).get("chat_template")
        if isinstance(found, list):
            found = {entry["name"]: entry["template"] for entry in found}.get("default")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigError(f"{path}: its chat_template cannot be read; mend the file or take it away") from None
    return found if isinstance(found, str) else None


def control_tokens(vocabulary: Vocabulary) -> Mapping[str, int]:
    """Ids of a vocabulary's control tokens by their spelling: those that decoding leaves out."""
    return _control(vocabulary).ids


def encode_parts(parts: Sequence[Part], vocabulary: Vocabulary) -> list[int]:
    """Token ids of pieces of text and control tokens."""
    control = _control(vocabulary)
    ids: list[int] = []
    for part in parts:
        ids += [part] if isinstance(part, int) else control.encode(part, begins=not ids)
    return ids


class _Control:
    """The control tokens of a vocabulary, and text between them."""

    def __init__(self, vocabulary: Vocabulary):
        ordinary = vocabulary.encode("a")
        plain = vocabulary.decode(ordinary)
        self.ids = {
            vocabulary.spelling(token): token
            for token in range(vocabulary.vocab_size)
            if vocabulary.decode([*ordinary, token]) == plain and vocabulary.spelling(token)
        }
        spelled = "|".join(re.escape(text) for text in sorted(self.ids, key=len, reverse=True)) or "(?!)"
        self.pattern = re.compile(f"({spelled})")
        self._starts = re.compile(f"(?s)(?=(?:{spelled}))(.)")
        self._beginnings = {text[:length] for text in self.ids for length in range(1, len(text))}
        self._ends = {text[-length:] for text in self.ids for length in range(1, len(text))}
        self._longest = max(map(len, self.ids), default=0)
        self._vocabulary, self._inner = vocabulary, _without_first_space(vocabulary)

    def guarded(self, text: str, guard: str) -> str:
        """Text in which nothing spells a control token, alone or with what a template puts around it."""
        text = self._starts.sub(lambda match: match[1] + guard, text)
        lengths = range(1, self._longest)
        if any(text[-length:] in self._beginnings for length in lengths):
            text += guard
        return guard + text if any(text[:length] in self._ends for length in lengths) else text

    def encode(self, text: str, *, begins: bool) -> list[int]:
        """Token ids of text that begins the whole, or that follows a control token."""
        if begins or self._inner is None:
            return self._vocabulary.encode(text)
        return self._inner.encode(text, add_special_tokens=False).ids


@functools.lru_cache(maxsize=4)
def _control(vocabulary: Vocabulary) -> _Control:
    return _Control(vocabulary)


def _without_first_space(vocabulary: Vocabulary) -> Any:
    """The tokenizer for text after a control token, where it treats that otherwise than text at the beginning.

    SentencePiece puts a space before either. A `tokenizer.json` may ask for it before the first text alone.
    """
    first = b'"prepend_scheme"'
    content = vocabulary.path.read_bytes()
    if content.lstrip()[:1] != b"{" or first not in content:
        return None
    import tokenizers

    description = re.sub(rb'("prepend_scheme":\s*)"first"', rb'\1"never"', content)
    tokenizer = tokenizers.Tokenizer.from_buffer(description)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer if description != content else None


class _Generation(jinja2.ext.Extension):
    """Accepts the block that marks what the assistant says."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's name and kind

    def parse(self, parser: Any) -> Any:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_said"), [], [], body).set_lineno(line)

    def _said(self, caller: Any) -> str:
        return caller()


def _environment() -> jinja2.Environment:
    def refuse(message: str) -> None:
        raise jinja2.TemplateError(message)

    def to_json(value: Any, indent: int | None = None, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent, **options)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda form: datetime.datetime.now().strftime(form)
    return environment


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {type(error).__name__}") from None
