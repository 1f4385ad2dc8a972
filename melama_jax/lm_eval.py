"""python -m melama_jax.lm_eval --model_args pretrained=DIR --tasks A,B: tasks of lm-evaluation-harness on our model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from conversion import serving
from melama_jax.config import CommandParser
from melama_jax.errors import run_command
from melama_jax.parallel import distributed

try:
    from lm_eval.api.registry import register_model  # pyright: ignore[reportMissingImports]

    from melama_jax.evaluation.harness import HarnessModel
except ImportError as error:
    raise SystemExit(f"error: lm-evaluation-harness is not here ({error}); pip install 'melama_jax[lm-eval]'") from None

AXES = ("data", "fsdp", "context", "tensor")


@register_model("melama_jax")
class OpenedModel(HarnessModel):
    """What `lm_eval --model melama_jax` opens."""

    def __init__(
        self,
        pretrained: str,
        *,
        batch_size: int | str | None = None,
        chat_template: str | None = None,
        add_bos_token: bool | None = None,
        seed: int = 0,
        max_batch_size: int | None = None,
        device: str | None = None,
        **options: Any,
    ):
        """Open a model.

        Args:
            pretrained: A run, a checkpoint, a Hugging Face or a Meta folder.
            batch_size: Texts that are continued at a time; auto is 8. Scoring fills its batches by tokens.
            chat_template: Name or file, instead of the model's own.
            add_bos_token: Whether texts begin with BOS; None does as the model's do.
            seed: Of sampled texts.
            max_batch_size: The harness's; means nothing here.
            device: The harness's; JAX takes all devices it sees.
            options: base, tokenizer, dtype, quantize, cache_dtype, max_length, and sizes of the mesh's axes: data,
                fsdp, context, tensor.

        Raises:
            MelamaError: An option is not known, or the model cannot be opened.
        """
        distributed.initialize(lambda text: None)
        parser = CommandParser(prog="python -m melama_jax.generate")
        serving.add_model_options(parser)
        options = {name: value for name, value in options.items() if value is not None}
        axes = ",".join(f"{axis}={options.pop(axis)}" for axis in AXES if axis in options)
        words = ["--checkpoint", str(pretrained), *(["--mesh", axes] if axes else [])]
        words += [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        if batch_size is not None and not str(batch_size).startswith("auto"):
            words += ["--batch-size", str(batch_size)]
        served, engine = serving.open_engine(parser.parse_args(words))
        super().__init__(
            engine,
            add_bos=served.add_bos if add_bos_token is None else add_bos_token,
            stop_tokens=served.stop_tokens,
            chat_template=served.template(chat_template),
            description=served.description,
            seed=seed,
        )


def main(argv: Sequence[str] | None = None) -> int:
    """The harness's own command, with our model known to it and taken unless another is named."""
    from lm_eval.__main__ import cli_evaluate  # pyright: ignore[reportMissingImports]

    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] not in ("ls", "validate") and not {"--model", "-M"} & {word.split("=")[0] for word in words}:
        words += ["--model", "melama_jax"]
    sys.argv = ["lm_eval", *words]
    cli_evaluate()
    return 0


if __name__ == "__main__":
    run_command(main)
