"""Prompts and conversations as requests: chat template, BOS, system message and stop tokens are settled here."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from melama_jax.data.chat import ChatTemplate, names
from melama_jax.data.vocabulary import Vocabulary
from melama_jax.errors import ConfigError, DataError
from melama_jax.inference.engine import Request, SamplingOptions
from melama_jax.inference.prompt_file import Line


@dataclasses.dataclass(frozen=True)
class Wording:
    """How lines become requests.

    Attributes:
        vocabulary: The model's tokenizer.
        max_length: Tokens of a prompt and its answer at the most.
        options: How answers are drawn, unless a line says otherwise.
        chosen: The chat template, if there is one.
        system: System message of conversations that have none of their own.
        add_bos: Whether BOS stands before plain prompts.
        stops: Ids that end an answer besides EOS and the template's own.
    """

    vocabulary: Vocabulary
    max_length: int
    options: SamplingOptions
    chosen: ChatTemplate | None
    system: str | None
    add_bos: bool
    stops: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.add_bos and self.vocabulary.bos_id is None:
            raise ConfigError(f"--add-bos: the tokenizer {self.vocabulary.path} has no BOS token")

    def request(self, line: Line, where: str, seed: int = 0) -> Request:
        """A line as the engine takes it.

        Args:
            line: Text, or a conversation.
            where: What to blame for a mistake.
            seed: Added to the seed, unless the line has its own.

        Raises:
            ConfigError: There is no template for the conversation, or it is another vocabulary's; no room is left for
                the prompt.
            DataError: The template refuses the conversation, or the text has no tokens.
        """
        stops = self.stops
        if line.prompt is not None:
            bos = self.vocabulary.bos_id
            ids = [*([bos] if self.add_bos and bos is not None else []), *self.vocabulary.encode(line.prompt)]
        else:
            messages = [turn.model_dump() for turn in line.messages or ()]
            if self.system is not None and messages[0]["role"] != "system":
                messages = [{"role": "system", "content": self.system}, *messages]
            try:
                ids = self.template.encode(messages, self.vocabulary)
            except DataError as error:
                raise DataError(f"{where}: {error}") from None
            stops = (*stops, *self.template.stop_tokens(self.vocabulary))
        if not ids:
            raise DataError(f"{where}: the prompt has no tokens; give some text, or --add-bos")
        options = line.options(dataclasses.replace(self.options, seed=self.options.seed + seed))
        if options.max_new_tokens >= self.max_length:
            raise ConfigError(
                f"{where}: max_new_tokens {options.max_new_tokens} leaves no room for a prompt; the context has "
                f"{self.max_length} tokens"
            )
        return Request(ids, dataclasses.replace(options, stop_tokens=stops))

    def requests(self, lines: Sequence[Line]) -> list[Request]:
        """The lines of a file, each with a seed of its own; see `request`."""
        return [self.request(line, f"the prompt {line.id!r}", seed=n) for n, line in enumerate(lines, 1)]

    @property
    def template(self) -> ChatTemplate:
        """The chat template.

        Raises:
            ConfigError: There is none.
        """
        if self.chosen is None:
            raise ConfigError(
                f"the model brings no chat template; name one with --chat-template ({', '.join(names())})"
            )
        return self.chosen
