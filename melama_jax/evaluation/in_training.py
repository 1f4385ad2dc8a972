"""Benchmarks while training: the same items, prompts and likelihoods as `melama_jax.evaluate`, as a few figures.

A model that is trained on conversations is asked in their chat template, any other plainly.
"""

from __future__ import annotations

from jax.sharding import Mesh

from melama_jax.config import Config, EvaluationConfig
from melama_jax.data.chat import ChatTemplate
from melama_jax.data.conversations import are_conversations
from melama_jax.data.mixtures import resolve_mixture
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConfigError
from melama_jax.evaluation.asker import ModelAsker
from melama_jax.evaluation.asking import likelihood_row
from melama_jax.evaluation.question import Question
from melama_jax.evaluation.scoring import accuracy
from melama_jax.evaluation.suites import resolve
from melama_jax.inference.engine import Engine
from melama_jax.model.llama import Params
from melama_jax.model.llama_config import LlamaConfig

_LONGEST = 4096
"""Tokens of a question and its answer at the most."""


class TrainingBenchmarks:
    """Measures parameters on `eval.benchmarks`, on the same items every time."""

    def __init__(self, config: Config, mesh: Mesh):
        """Read the items; compiles nothing yet.

        Raises:
            ConfigError: A task is unknown, or has no answers to choose among.
            DataError: A dataset is missing or cannot be read.
        """
        asked = config.eval.benchmarks
        self._config, self._mesh = config, mesh
        protocol = {"answering": ["likelihood"], "add_bos": config.data.add_bos}
        evaluation = EvaluationConfig.model_validate(
            {"checkpoint": "-", "tasks": asked.tasks, "seed": asked.seed, "data": asked.data, "protocol": protocol}
        )
        self.questions = []
        for task in resolve(asked.tasks):
            if task.dataset is None or task.dataset.kind not in ("choice", "label"):
                raise ConfigError(f"eval.benchmarks.tasks: {task.name} has no answers to choose among; leave it out")
            self.questions.append(Question(task, evaluation))
        talks = any(are_conversations(task, config.data.sources[task]) for task in resolve_mixture(config.data))
        self._template = ChatTemplate.load(config.data.conversations.template) if talks else None
        self._engine: Engine | None = None

    def __call__(self, params: Params) -> dict[str, float]:
        """By log-likelihood `eval/<task>/accuracy` and `.../accuracy_normalized`; `.../items`, `.../cut_prompts`."""
        if self._engine is None:
            self._engine = Engine(
                LlamaConfig.build(self._config.model),
                params,
                load_vocabulary(self._config.data.vocabulary),
                self._mesh,
                max_length=min(self._config.model.max_position_embeddings, _LONGEST),
                batch_size=self._config.eval.benchmarks.batch_size,
            )
        else:
            self._engine.load(params)
        asker = ModelAsker(self._engine, add_bos=self._config.data.add_bos, chat_template=self._template)
        results: dict[str, float] = {}
        for question in self.questions:
            answers = [question.answers(example) for example in question.examples]
            found = asker.likelihoods(question.prompts, [list(texts.values()) for texts in answers])
            rows = [likelihood_row(*pair) for pair in zip(answers, found, strict=True)]
            name = f"eval/{question.task.name}"
            results[f"{name}/accuracy"] = accuracy(question.examples, rows, normalized=False)
            results[f"{name}/accuracy_normalized"] = accuracy(question.examples, rows, normalized=True)
            results[f"{name}/items"] = len(rows)
            results[f"{name}/cut_prompts"] = sum(row["dropped_tokens"] > 0 for row in rows)
        self._engine.load(None)  # training needs the memory
        return results
