"""Questions in text to a model, and its answers: tokens, templates and BOS are settled here and nowhere else."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from melama_jax.data.chat import ChatTemplate, encode_parts
from melama_jax.errors import ConfigError
from melama_jax.inference.engine import Completion, Engine, Request, Score
from melama_jax.inference.sampling import SamplingOptions


class ModelAsker:
    """An engine that is asked in text."""

    def __init__(
        self,
        engine: Engine,
        *,
        add_bos: bool,
        chat_template: ChatTemplate | None = None,
        system: str | None = None,
        stop_tokens: Sequence[int] = (),
    ):
        """Settle how a text becomes tokens.

        Args:
            engine: Runs the model.
            add_bos: Put BOS before a plain prompt.
            chat_template: Puts the prompt into a user's turn; None asks plainly.
            system: System message of the chat.
            stop_tokens: Ids that end an answer, besides EOS and the template's own.

        Raises:
            ConfigError: BOS is wanted, and the vocabulary has none.
        """
        self.engine = engine
        self._template, self._system = chat_template, system
        bos = engine.vocabulary.bos_id
        if add_bos and bos is None:
            raise ConfigError(f"protocol.add_bos: {engine.vocabulary.path} has no BOS token; set it to false")
        self._bos = [bos] if add_bos and bos is not None else []
        own = () if chat_template is None else chat_template.stop_tokens(engine.vocabulary)
        self._stops = tuple(sorted({*stop_tokens, *own}))

    def encode(self, prompt: str) -> list[int]:
        """Token ids of a question, with all that comes before the answer."""
        vocabulary = self.engine.vocabulary
        if self._template is None:
            return [*self._bos, *vocabulary.encode(prompt)]
        return self._template.encode(self._messages(prompt), vocabulary, add_generation_prompt=True)

    def continuation(self, prompt: str, context: Sequence[int], answer: str) -> list[int]:
        """Token ids of an answer as they follow the question's: as one text, so that they are those of training."""
        vocabulary = self.engine.vocabulary
        if self._template is None:
            whole = [*self._bos, *vocabulary.encode(prompt + answer)]
        else:
            said = [*self._messages(prompt), {"role": "assistant", "content": answer.strip()}]
            whole = encode_parts(self._template.parts(said, vocabulary, continue_final=True), vocabulary)
        if whole[: len(context)] == list(context) and len(whole) > len(context):
            return whole[len(context) :]
        return vocabulary.encode(answer.lstrip()) or vocabulary.encode(answer)

    def _messages(self, prompt: str) -> list[dict[str, str]]:
        system = [] if self._system is None else [{"role": "system", "content": self._system}]
        return [*system, {"role": "user", "content": prompt}]

    def generate(
        self,
        prompts: Sequence[str],
        *,
        options: SamplingOptions | Sequence[SamplingOptions],
        on_complete: Callable[[int, Completion], None] | None = None,
    ) -> list[Completion]:
        """An answer to each prompt.

        Args:
            prompts: Questions.
            options: Of all, or of each.
            on_complete: Told of each answer as it comes, by the prompt's index.
        """
        each = [options] * len(prompts) if isinstance(options, SamplingOptions) else options
        requests = [
            Request(self.encode(prompt), dataclasses.replace(option, stop_tokens=(*option.stop_tokens, *self._stops)))
            for prompt, option in zip(prompts, each, strict=True)
        ]
        return self.engine.generate(requests, on_complete=on_complete)

    def likelihoods(
        self,
        prompts: Sequence[str],
        labels: Sequence[Sequence[str]],
        *,
        on_complete: Callable[[int, list[Score]], None] | None = None,
    ) -> list[list[Score]]:
        """The log-likelihood of each of a prompt's answers.

        Args:
            prompts: Questions.
            labels: The texts of the answers to each, with the space that comes before them.
            on_complete: Told of a prompt's scores when all of them are there, by its index.
        """
        pairs, owner = [], []
        for index, (prompt, answers) in enumerate(zip(prompts, labels, strict=True)):
            context = self.encode(prompt)
            for place, answer in enumerate(answers):
                pairs.append((context, self.continuation(prompt, context, answer)))
                owner.append((index, place))
        found: list[list[Score | None]] = [[None] * len(answers) for answers in labels]
        left = [len(answers) for answers in labels]

        def complete(number: int, score: Score) -> None:
            index, place = owner[number]
            found[index][place] = score
            left[index] -= 1
            if not left[index] and on_complete is not None:
                on_complete(index, [score for score in found[index] if score is not None])

        self.engine.score(pairs, on_complete=complete)
        return [[score for score in scores if score is not None] for scores in found]
