"""Our engine as a model of EleutherAI's lm-evaluation-harness; needs the lm-eval extra.

Text becomes token ids as in the harness's own `hf` model, so that both give the same numbers: BOS as the tokenizer has
it, spaces between context and continuation to the latter, what is too long cut from the left. One thing differs: text
that spells a control token stays text. A rendered chat is a string to the harness, so its control tokens are marked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

import jax
from lm_eval.api.model import TemplateLM  # pyright: ignore[reportMissingImports]
from tqdm import tqdm

from melama_jax.data.chat import ChatTemplate, control_tokens, encode_parts
from melama_jax.errors import ConfigError
from melama_jax.inference.engine import Completion, Engine, Request, SamplingOptions, Score

MARK = "\ufdd0"
"""Stands before a control token in a rendered chat; Unicode reserves it for such inner uses."""
_LENGTHS = ("max_gen_toks", "max_new_tokens", "max_tokens", "max_completion_tokens")
_SAMPLING = ("do_sample", "temperature", "top_k", "top_p")


class HarnessModel(TemplateLM):
    """A model for `lm_eval.simple_evaluate(model=...)`.

    In a job of several processes all of them evaluate alike, and the harness writes in the first alone.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        add_bos: bool,
        stop_tokens: Sequence[int] = (),
        chat_template: ChatTemplate | None = None,
        description: Mapping[str, Any] | None = None,
        seed: int = 0,
    ):
        """Wrap an engine.

        Args:
            engine: Runs the model.
            add_bos: Whether texts begin with BOS.
            stop_tokens: Ids that end a text besides the vocabulary's EOS.
            chat_template: For `--apply_chat_template`.
            description: What identifies the model, for the harness's results.
            seed: Of sampled texts; that of a request adds its number.
        """
        super().__init__()
        self.engine, self._add_bos, self._seed = engine, add_bos, seed
        self._stop_tokens, self._template, self._description = tuple(stop_tokens), chat_template, description or {}
        vocabulary = engine.vocabulary
        self._controls = control_tokens(vocabulary)
        spelled = "|".join(map(re.escape, sorted(self._controls, key=len, reverse=True))) or "(?!)"
        self._marked = re.compile(f"{MARK}({spelled})")
        self._shown = jax.process_index() == 0
        if jax.process_count() > 1:
            # How the harness tells which of several processes with the same requests returns and writes results.
            os.environ["LOCAL_RANK"] = str(jax.process_index())

    @property
    def eot_token_id(self) -> int:
        """EOS."""
        return self._token(self.engine.vocabulary.eos_id, self.engine.vocabulary.bos_id)

    @property
    def prefix_token_id(self) -> int:
        """What stands before a text without a context: BOS, else EOS."""
        return self._token(self.engine.vocabulary.bos_id, self.engine.vocabulary.eos_id)

    @property
    def max_length(self) -> int:
        """Tokens of a text at the most."""
        return self.engine.max_length

    @property
    def tokenizer_name(self) -> str:
        """Names the tokenizer in the harness's cache of requests."""
        return f"melama_jax-{self.engine.vocabulary.sha256[:16]}"

    def get_model_info(self) -> dict[str, Any]:
        """What identifies the model, for the results."""
        return {"model_description": dict(self._description)}

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
        """Token ids of a text, or of a rendered chat.

        Args:
            string: The text.
            add_special_tokens: Whether to put BOS before it; None does as the model's texts begin, unless a chat has
                one already.
            kwargs: None are known.
        """
        pieces = self._marked.split(string)
        ids = encode_parts(
            [self._controls[p] if n % 2 else p for n, p in enumerate(pieces) if p], self.engine.vocabulary
        )
        bos = self.engine.vocabulary.bos_id
        if add_special_tokens is None:
            add_special_tokens = self._add_bos and not (ids[:1] == [bos] and string.startswith(MARK))
        return [bos, *ids] if add_special_tokens and bos is not None else ids

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The template's Jinja text, for the results."""
        return self._template.source if self._template is not None and chat_template else None

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        """A conversation as a string for `tok_encode`.

        Raises:
            ConfigError: There is no template, or it is another vocabulary's.
            DataError: It refuses the conversation.
        """
        if self._template is None:
            raise ConfigError("--apply_chat_template: the model brings no chat template; name one in --model_args")
        vocabulary = self.engine.vocabulary
        parts = self._template.parts(
            [message | {"content": message["content"].replace(MARK, "")} for message in chat_history],
            vocabulary,
            add_generation_prompt=add_generation_prompt,
            continue_final=not add_generation_prompt,
        )
        return "".join(part if isinstance(part, str) else MARK + vocabulary.spelling(part) for part in parts)

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], disable_tqdm: bool = False, **kwargs: Any
    ) -> list[tuple[float, bool]]:
        with self._progress("log-likelihoods", len(requests), disable_tqdm) as bar:

            def keep(number: int, score: Score) -> None:
                self.cache_hook.add_partial("loglikelihood", requests[number][0], _answer(score))
                bar.update()

            scores = self.engine.score([(context, tokens) for _, context, tokens in requests], on_complete=keep)
        return [_answer(score) for score in scores]

    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        """Log-likelihood of whole texts, in windows of `max_length`."""
        texts = [request.args[0] for request in requests]
        with self._progress("rolling log-likelihoods", len(texts), disable_tqdm) as bar:

            def keep(number: int, score: Score) -> None:
                self.cache_hook.add_partial("loglikelihood_rolling", (texts[number],), score.log_likelihood)
                bar.update()

            scores = self.engine.score_rolling([self.tok_encode(text) for text in texts], on_complete=keep)
        return [score.log_likelihood for score in scores]

    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        """Continuations up to the first of the task's stop strings.

        Raises:
            ConfigError: A setting of the task is not known, or leaves no room for a prompt.
        """
        asked = [self._request(number, *request.args) for number, request in enumerate(requests)]
        with self._progress("texts", len(asked), disable_tqdm) as bar:

            def keep(number: int, completion: Completion) -> None:
                self.cache_hook.add_partial("generate_until", requests[number].args, completion.text)
                bar.update()

            completions = self.engine.generate(asked, on_complete=keep)
        return [completion.text for completion in completions]

    def _request(self, number: int, context: str, settings: Mapping[str, Any]) -> Request:
        unknown = sorted(settings.keys() - {"until", *_LENGTHS, *_SAMPLING})
        if unknown:
            known = ", ".join(("until", *_LENGTHS, *_SAMPLING))
            raise ConfigError(f"generation_kwargs: {unknown[0]} is not supported here; there are {known}")
        until = settings.get("until") or []
        stops = [until] if isinstance(until, str) else list(until)
        eos = self.engine.vocabulary.eos_id
        if eos is not None:
            stops.append(self.engine.vocabulary.spelling(eos))
        sampled = settings.get("do_sample")
        temperature = float(settings.get("temperature", 1.0 if sampled else 0.0))
        options = SamplingOptions(
            max_new_tokens=int(next((settings[name] for name in _LENGTHS if settings.get(name) is not None), 256)),
            temperature=0.0 if sampled is False else temperature,
            top_k=int(settings.get("top_k") or 0),
            top_p=float(settings.get("top_p") or 1.0),
            seed=self._seed + number,
            stop_tokens=self._stop_tokens,
            stop_strings=tuple(stop for stop in dict.fromkeys(stops) if stop),
        )
        room = self.max_length - options.max_new_tokens
        return Request(self.tok_encode(context)[-room:] if room > 0 else [], options)

    def _token(self, *choices: int | None) -> int:
        for token in choices:
            if token is not None:
                return token
        raise ConfigError(
            f"{self.engine.vocabulary.path}: has neither BOS nor EOS, without which texts cannot be scored"
        )

    def _progress(self, name: str, total: int, disabled: bool) -> tqdm:
        return tqdm(total=total, desc=f"Running {name}", disable=disabled or not self._shown)


def _answer(score: Score) -> tuple[float, bool]:
    return score.log_likelihood, score.is_greedy
