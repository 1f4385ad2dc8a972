"""Chat templates: conversations as the token ids that a chat model was tuned on.

A template is Jinja, as transformers runs it: from the model's own tokenizer, from `configs/chat`, or from any file.
Control tokens come from the template alone: what a message says stays ordinary text, also where it spells "</s>".

What a model learns from is what it will have to write: the assistant's answers with the token that ends each. A
template marks them by `{% generation %}` blocks; without, an answer begins where the prompt for it ends.
"""

from __future__ import annotations

import bisect
import datetime
import functools
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import jinja2.ext
import jinja2.meta
import jinja2.nodes
import jinja2.sandbox

import melama_jax
from melama_jax.data.vocabulary import Vocabulary, parse_vocabulary
from melama_jax.errors import ConfigError, DataError

TEMPLATES = Path(melama_jax.__file__).resolve().parents[1] / "configs" / "chat"
"""The templates that are known by name."""
Message = Mapping[str, str]
"""`role` (system, user, assistant) and `content`."""
Part = str | int
"""Of a conversation: a piece of ordinary text, or the id of a control token."""
MarkedPart = tuple[Part, bool]
"""A part, and whether it is learned from."""
_LIKE_CONTROL = re.compile(r"<\|\w+\|>|</?s>")
_MARKS_ANSWERS = re.compile(r"{%[-+]?\s*generation\b")


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
        if name_or_path in names():  # Whatever lies in the working directory.
            path = TEMPLATES / f"{name_or_path}.jinja"
        if path.is_dir():
            found = find_template(path)
            if found is None:
                raise ConfigError(f"{path}: its tokenizer has no chat template; choose one of {', '.join(names())}")
            return cls(found, str(path), own=True)
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
        rendering = _Rendering(self, messages, vocabulary)
        text = rendering.text(add_generation_prompt=add_generation_prompt and not continue_final)
        if continue_final:
            final = rendering.messages[-1]["content"].strip()
            text = text[: text.rindex(final) + len(final)]
        return [part for part, _ in rendering.split(text, [])]

    def marked_parts(self, messages: Sequence[Message], vocabulary: Vocabulary) -> list[MarkedPart]:
        """Lay out a conversation that ends with an answer.

        Args:
            messages: The conversation.
            vocabulary: Whose control tokens the template writes.

        Returns:
            The parts that `parts` gives without a prompt, with a cut at either end of what is learned from. Texts that
            follow each other are one piece to the tokenizer.

        Raises:
            ConfigError: The template needs a control token that the vocabulary does not have.
            DataError: A message is malformed, or the template refuses the conversation, or it marks no answers and
                writes the beginning of a conversation otherwise than alone.
        """
        rendering = _Rendering(self, messages, vocabulary)
        if _MARKS_ANSWERS.search(self.source):
            return rendering.split(*rendering.marked_text())
        return rendering.split(rendering.text(), list(rendering.answers()))

    def encode(
        self, messages: Sequence[Message], vocabulary: Vocabulary, add_generation_prompt: bool = True
    ) -> list[int]:
        """Token ids of a conversation; see `parts`."""
        return encode_parts(self.parts(messages, vocabulary, add_generation_prompt=add_generation_prompt), vocabulary)

    def encode_masked(self, messages: Sequence[Message], vocabulary: Vocabulary) -> tuple[list[int], list[bool]]:
        """Token ids of a conversation, as `encode` gives them without a prompt, and which of them are learned from.

        A token is learned from if it starts in an answer; one that starts before it and reaches into it is not.
        Raises as `marked_parts`.
        """
        return encode_marked(self.marked_parts(messages, vocabulary), vocabulary)

    def check_trainable(self, vocabulary: Vocabulary) -> None:
        """Try the template on a conversation of two exchanges.

        Raises:
            ConfigError: It cannot lay it out, or an answer would not end with a control token that is learned from.
        """
        exchange = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
        try:
            parts = [*self.marked_parts(exchange * 2, vocabulary), ("", False)]
        except DataError as error:
            raise ConfigError(f"data.conversations.template: {error}") from None
        ends = [part for (part, learned), (_, after) in itertools.pairwise(parts) if learned and not after]
        if not ends or not all(isinstance(part, int) for part in ends):
            raise ConfigError(
                f"data.conversations.template: {self.name} ends an answer without a control token of {vocabulary.path} "
                f"that is learned from, so a model would not learn to stop; write one inside the generation block"
            )

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


class _Rendering:
    """One conversation as a template writes it, and the ways to cut the text into parts."""

    def __init__(self, template: ChatTemplate, messages: Sequence[Message], vocabulary: Vocabulary):
        self._template, self._control = template, _control(vocabulary)
        template._check(self._control, vocabulary)
        for number, message in enumerate(messages, 1):
            if not all(isinstance(message.get(key), str) for key in ("role", "content")):
                raise DataError(f"message {number}: expected a role and a content, both text")
            if not message["role"].isidentifier():
                raise DataError(f"message {number}: its role is no word; roles are system, user and assistant")
        everything = template.source + "".join(message["content"] for message in messages)
        unused = (char for char in map(chr, range(0xE000, 0xF900)) if char not in everything)
        self._guard, self._begin, self._end = itertools.islice(unused, 3)
        self.messages = [
            {"role": m["role"], "content": self._control.guarded(m["content"], self._guard)} for m in messages
        ]
        special = {"bos_token": vocabulary.bos_id, "eos_token": vocabulary.eos_id, "pad_token": vocabulary.pad_id}
        self._special = {name: vocabulary.spelling(token) for name, token in special.items() if token is not None}

    def text(self, count: int | None = None, *, add_generation_prompt: bool = False, marks: str = "") -> str:
        """The first `count` messages; guards keep what they say from spelling control tokens."""
        name = self._template.name
        try:
            return self._template._template.render(
                messages=self.messages[:count],
                add_generation_prompt=add_generation_prompt,
                answer_marks=marks,
                **self._special,
            )
        except _Refused as error:
            told = str(error)
            quoted = any(m["content"].strip() and m["content"].strip() in told for m in self.messages)
            reason = "its reason quotes a message" if quoted else told
            raise DataError(f"{name}: the chat template refuses the conversation: {reason}") from None
        except Exception as error:  # Whatever it does with a message; what is said of it may hold its text.
            raise DataError(f"{name}: the chat template fails with {type(error).__name__}") from None

    def marked_text(self) -> tuple[str, list[int]]:
        """The text, and where its generation blocks begin and end, by turns."""
        pieces = re.split(f"([{self._begin}{self._end}])", self.text(marks=self._begin + self._end))
        lengths = itertools.accumulate(map(len, pieces[::2]))
        return "".join(pieces[::2]), list(lengths)[:-1]

    def answers(self) -> Iterator[int]:
        """Where answers begin and the tokens that end them are over, found by leaving out what comes later."""
        whole = self.text()
        for number, message in enumerate(self.messages):
            if message["role"] != "assistant":
                continue
            before, through = self.text(number, add_generation_prompt=True), self.text(number + 1)
            if not (through.startswith(before) and whole.startswith(through)):
                raise DataError(
                    f"{self._template.name}: the chat template writes the beginning of a conversation otherwise than "
                    f"alone, so its answers cannot be told; put {{% generation %}} around them"
                )
            said = message["content"].strip()
            end = self._control.pattern.search(through, max(through.find(said, len(before)), len(before)) + len(said))
            yield from (len(before), end.end() if end else len(through))

    def split(self, text: str, borders: list[int]) -> list[MarkedPart]:
        """Parts of the text, cut at control tokens and at borders; what lies after an odd number of them is learned."""
        parts: list[MarkedPart] = []
        start = 0
        # Split by one group: texts at even places, control tokens at odd ones.
        for place, piece in enumerate(self._control.pattern.split(text)):
            end = start + len(piece)
            if place % 2:
                parts.append((self._control.ids[piece], bisect.bisect_right(borders, start) % 2 == 1))
            else:
                for left, right in itertools.pairwise([start, *(b for b in borders if start < b < end), end]):
                    if said := text[left:right].replace(self._guard, ""):
                        parts.append((said, bisect.bisect_right(borders, left) % 2 == 1))
            start = end
        return parts


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


def encode_marked(parts: Sequence[MarkedPart], vocabulary: Vocabulary) -> tuple[list[int], list[bool]]:
    """Token ids of marked parts, those of `encode_parts`, and for each whether it starts in what is learned from."""
    control = _control(vocabulary)
    ids: list[int] = []
    mask: list[bool] = []
    for is_text, group in itertools.groupby(parts, lambda part: isinstance(part[0], str)):
        run = list(group)
        if not is_text:
            ids += [int(part) for part, _ in run]
            mask += [learned for _, learned in run]
            continue
        encoded, starts = control.encode_starts("".join(str(part) for part, _ in run), begins=not ids)
        ends = list(itertools.accumulate(len(str(part)) for part, _ in run))
        ids += encoded
        mask += [run[min(bisect.bisect_right(ends, start), len(run) - 1)][1] for start in starts]
    return ids, mask


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
        return (self._vocabulary if begins else self._inner).encode(text)

    def encode_starts(self, text: str, *, begins: bool) -> tuple[list[int], list[int]]:
        """The same, and the character at which each token starts."""
        return (self._vocabulary if begins else self._inner).encode_starts(text)


@functools.lru_cache(maxsize=4)
def _control(vocabulary: Vocabulary) -> _Control:
    return _Control(vocabulary)


def _without_first_space(vocabulary: Vocabulary) -> Vocabulary:
    """The tokenizer for text after a control token, where it treats that otherwise than text at the beginning.

    SentencePiece puts a space before either. A `tokenizer.json` may ask for it before the first text alone.
    """
    first = b'"prepend_scheme"'
    content = vocabulary.path.read_bytes()
    if content.lstrip()[:1] != b"{" or first not in content:
        return vocabulary
    return parse_vocabulary(vocabulary.path, re.sub(rb'("prepend_scheme":\s*)"first"', rb'\1"never"', content))


class _Generation(jinja2.ext.Extension):
    """The block around what the assistant says: its text, between the two marks that `answer_marks` holds, if any."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's name and kind

    def parse(self, parser: Any) -> Any:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        marks = jinja2.nodes.Name("answer_marks", "load")
        return jinja2.nodes.CallBlock(self.call_method("_said", [marks]), [], [], body).set_lineno(line)

    def _said(self, marks: str, caller: Any) -> str:
        return marks[:1] + caller() + marks[1:]


class _Refused(Exception):
    """What a template says with `raise_exception`."""


def _environment() -> jinja2.Environment:
    def refuse(message: str) -> None:
        raise _Refused(message)

    def to_json(value: Any, indent: int | None = None, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent, **options)

    environment = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    # LLaMA 3.1's own date where none is given: rows and answers must not depend on the day they are made.
    environment.globals["strftime_now"] = datetime.date(2024, 7, 26).strftime
    return environment


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as UTF-8 text: {type(error).__name__}") from None
