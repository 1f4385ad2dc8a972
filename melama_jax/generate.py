"""python -m melama_jax.generate --checkpoint DIR (--prompt TEXT | --prompts FILE --output FILE | --chat): text."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jax

from conversion import serving
from melama_jax.config import CommandParser, output_file
from melama_jax.data.chat import ChatTemplate, names
from melama_jax.errors import ConfigError, DataError, run_command
from melama_jax.inference.engine import Completion, Engine, Request, SamplingOptions
from melama_jax.inference.prompt_file import Line, Turn, read_partial, read_prompts, write_lines
from melama_jax.parallel import distributed
from melama_jax.parallel.agreement import gather, together

Echo = Callable[[str], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Continue a prompt, a file of prompts, or a conversation."""
    arguments = _parser().parse_args(argv)
    if (arguments.output is None) == (arguments.prompts is not None):
        raise ConfigError("--prompts FILE and --output FILE belong together; give both, or --prompt or --chat")
    options = SamplingOptions(
        max_new_tokens=arguments.max_new_tokens,
        temperature=arguments.temperature,
        top_k=arguments.top_k,
        top_p=arguments.top_p,
        seed=arguments.seed,
        stop_strings=tuple(arguments.stop),
    )
    for name in ("prompt", "system"):
        _check_text(f"--{name}", getattr(arguments, name) or "")
    for text in arguments.stop:
        _check_text("--stop", text)
    if arguments.chat_template is not None:
        ChatTemplate.load(arguments.chat_template)
    distributed.initialize(lambda text: None)
    primary = jax.process_index() == 0
    echo: Echo = (lambda text: print(text, file=sys.stderr, flush=True)) if primary else lambda text: None
    if arguments.chat and jax.process_count() > 1:
        raise ConfigError("--chat talks to one process; use --prompts, or the devices of one process")
    lines: list[Line] = []
    if arguments.prompts is not None:
        lines = together("reading the prompts", lambda: read_prompts(arguments.prompts)) or []
        if arguments.output.exists() and not arguments.overwrite:
            raise ConfigError(f"--output {arguments.output} is there already; give another file, or --overwrite")
    served, engine = serving.open_engine(arguments)
    echo(serving.summary(served.description))
    session = Session(arguments, options, served, engine, echo)
    if arguments.chat:
        chat(session)
    elif arguments.prompts is not None:
        answer_file(session, lines, arguments.output, overwrite=arguments.overwrite)
    else:
        line = Line(prompt=arguments.prompt)
        if arguments.chat_template is not None or arguments.system is not None:
            line = Line(messages=(Turn(role="user", content=arguments.prompt),))
        session.answer(session.request(line, "--prompt"), shown=primary)
    session.report()
    return 0


def _check_text(what: str, text: str) -> None:
    """Refuse bytes that the terminal's encoding does not know, which Python keeps as halves of surrogate pairs."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ConfigError(f"{what}: is not UTF-8 text") from None


def _parser() -> argparse.ArgumentParser:
    parser = CommandParser(prog="python -m melama_jax.generate", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prompt", metavar="TEXT", help="text to continue")
    what.add_argument("--prompts", type=Path, metavar="FILE", help="JSONL of prompts or messages")
    what.add_argument("--chat", action="store_true", help="a conversation: /clear begins anew, /quit or Ctrl-D ends")
    serving.add_model_options(parser)
    parser.add_argument("--output", type=output_file, metavar="FILE", help="JSONL of the answers to --prompts")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace the output, and do not go on with a part of it"
    )
    default = SamplingOptions()
    parser.add_argument("--max-new-tokens", type=int, default=default.max_new_tokens, metavar="N")
    parser.add_argument("--temperature", type=float, default=default.temperature, help="0 takes the likeliest token")
    parser.add_argument("--top-k", type=int, default=default.top_k, metavar="N", help="0 means all tokens")
    parser.add_argument("--top-p", type=float, default=default.top_p)
    parser.add_argument(
        "--seed", type=int, default=default.seed, help="of the draws; of the n-th of --prompts, seed + n"
    )
    parser.add_argument("--stop", action="append", default=[], metavar="TEXT", help="ends an answer; repeatable")
    parser.add_argument(
        "--chat-template", metavar="NAME|PATH", help=f"instead of the model's own: {', '.join(names())}, or a file"
    )
    parser.add_argument("--system", metavar="TEXT", help="system message of a chat")
    bos = parser.add_mutually_exclusive_group()
    bos.add_argument("--add-bos", action="store_true", default=None, help="put BOS before plain prompts")
    bos.add_argument("--no-bos", action="store_false", dest="add_bos", help="do not; the default is the model's habit")
    return parser


class Session:
    """A model, and how it is talked to.

    Attributes:
        engine: What runs it.
        options: How answers are drawn, unless a line says otherwise.
        identity: What decides the answers to a request.
    """

    def __init__(
        self,
        arguments: argparse.Namespace,
        options: SamplingOptions,
        served: serving.ServedModel,
        engine: Engine,
        echo: Echo,
    ):
        """Take the choices of a command line, and the model's own where it has none."""
        self.engine, self.options, self.echo = engine, options, echo
        self._template, self._system = served.template(arguments.chat_template), arguments.system
        self._add_bos = served.add_bos if arguments.add_bos is None else arguments.add_bos
        if self._add_bos and engine.vocabulary.bos_id is None:
            raise ConfigError(f"--add-bos: the tokenizer {engine.vocabulary.path} has no BOS token")
        self._model_stops = served.stop_tokens
        self._tokens, self._seconds = 0, 0.0
        described = {key: value for key, value in served.description.items() if key not in ("path", "format", "step")}
        self.identity = [described, engine.max_length, arguments.cache_dtype]

    def request(self, line: Line, where: str, seed: int = 0) -> Request:
        """A line as the engine takes it.

        Args:
            line: Text, or a conversation.
            where: What to blame for a mistake.
            seed: Added to the seed, unless the line has its own.

        Raises:
            ConfigError: There is no template for the conversation, or it is another vocabulary's.
            DataError: The template refuses the conversation, or the text has no tokens.
        """
        vocabulary, stops = self.engine.vocabulary, self._model_stops
        if line.prompt is not None:
            ids = [vocabulary.bos_id] if self._add_bos and vocabulary.bos_id is not None else []
            ids += vocabulary.encode(line.prompt)
        else:
            messages = [turn.model_dump() for turn in line.messages or ()]
            try:
                ids = self.encode(messages)
            except DataError as error:
                raise DataError(f"{where}: {error}") from None
            stops = (*stops, *self.template.stop_tokens(vocabulary))
        if not ids:
            raise DataError(f"{where}: the prompt has no tokens; give some text, or --add-bos")
        options = line.options(dataclasses.replace(self.options, seed=self.options.seed + seed))
        if options.max_new_tokens >= self.engine.max_length:
            raise ConfigError(
                f"{where}: max_new_tokens {options.max_new_tokens} leaves no room for a prompt; the context has "
                f"{self.engine.max_length} tokens"
            )
        return Request(ids, dataclasses.replace(options, stop_tokens=stops))

    @property
    def template(self) -> ChatTemplate:
        """The chat template."""
        if self._template is None:
            raise ConfigError(
                f"the model brings no chat template; name one with --chat-template ({', '.join(names())})"
            )
        return self._template

    def encode(self, messages: list[dict[str, str]]) -> list[int]:
        """Token ids of a conversation, after the system message of the command line if it has none of its own."""
        if self._system is not None and messages[0]["role"] != "system":
            messages = [{"role": "system", "content": self._system}, *messages]
        return self.template.encode(messages, self.engine.vocabulary)

    def generate(self, requests: Sequence[Request], **callbacks: Any) -> list[Completion]:
        """The engine's `generate`, counted and timed."""
        started = time.monotonic()
        done = self.engine.generate(requests, **callbacks)
        self._seconds += time.monotonic() - started
        self._tokens += sum(len(completion.tokens) for completion in done)
        return done

    def answer(self, request: Request, *, shown: bool, interruptible: bool = False) -> str:
        """Answer to the terminal as it is drawn; where Ctrl-C may stop it, what was said till then counts."""
        pieces: list[str] = []

        def tell(_: int, text: str) -> None:
            pieces.append(text)
            if shown:
                print(text, end="", flush=True)

        try:
            [completion] = self.generate([request], on_token=tell)
            if completion.dropped_tokens:
                self.echo(f"({completion.dropped_tokens} tokens of the prompt were left out, for it is too long)")
        except KeyboardInterrupt:
            if not interruptible:
                raise
        finally:
            if shown:
                print(flush=True)
        return "".join(pieces)

    def report(self) -> None:
        """What it took."""
        self.echo(
            f"{self._tokens} tokens in {self._seconds:.1f} s ({self._tokens / max(self._seconds, 1e-9):.1f} tokens/s, "
            f"compilation included), {self.engine.compilations} programs compiled"
        )


def chat(session: Session) -> None:
    """A conversation on stdin and stdout.

    One that no longer fits, with room for an answer, loses its oldest exchanges; the system message stays. A single
    message that is too long is cut from the left, what precedes it included.
    """
    session.template.stop_tokens(session.engine.vocabulary)  # a template that cannot work is told of first
    terminal = sys.stdin.isatty()
    if terminal:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - gives input() its history and keys
        session.echo("/clear begins anew, /quit or Ctrl-D ends, Ctrl-C stops an answer")
    turns: list[Turn] = []
    asked = 0
    while True:
        try:
            said = input("> " if terminal else "").strip()
        except EOFError:
            return
        except UnicodeDecodeError:
            raise DataError("stdin is not UTF-8 text") from None
        except KeyboardInterrupt:
            print()
            continue
        if said == "/quit":
            return
        if said == "/clear":
            turns = []
        elif said.startswith("/"):
            session.echo(f"{said.split()[0]} is no command; there are /clear and /quit")
        elif said:
            _check_text("stdin", said)
            turns.append(Turn(role="user", content=said))
            turns, request = _fitting(session, turns, seed=asked)
            asked += 1
            text = session.answer(request, shown=True, interruptible=True)
            turns.append(Turn(role="assistant", content=text.strip()))


def _fitting(session: Session, turns: list[Turn], *, seed: int) -> tuple[list[Turn], Request]:
    left_out = 0
    while True:
        request = session.request(Line(messages=tuple(turns)), "chat", seed=seed)
        room = session.engine.max_length - request.options.max_new_tokens
        if len(request.prompt) <= room or len(turns) < 3:
            break
        turns, left_out = turns[2:], left_out + 1
    if left_out:
        session.echo(f"({left_out} of the oldest exchanges no longer fit and were left out)")
    return turns, request


def answer_file(session: Session, lines: Sequence[Line], output: Path, *, overwrite: bool) -> None:
    """Answer a file of prompts; each answer is kept in OUTPUT.partial as it comes, and the whole takes its place.

    Raises:
        ConfigError: The partial file is of other prompts, options or another model, or cannot be written.
    """
    requests = [session.request(line, f"the prompt {line.id!r}", seed=n) for n, line in enumerate(lines, 1)]
    decisive = [session.identity, [[line.id, dataclasses.asdict(r)] for line, r in zip(lines, requests, strict=True)]]
    header = {"run": hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()}
    partial, primary = output.with_name(f"{output.name}.partial"), jax.process_index() == 0

    def begin() -> dict[str | int, dict[str, Any]]:
        found = {} if overwrite else read_partial(partial, header)
        write_lines(partial, [header, *found.values()])
        return found

    answers = together("opening the answers", begin, only_first=True) or {}
    there = set(json.loads(gather("answers that are there", json.dumps(list(answers)))[0]))
    if there:
        session.echo(f"{len(there)} of {len(lines)} answers are in {partial} already")
    waiting = [number for number, line in enumerate(lines) if line.id not in there]
    with partial.open("a", encoding="utf-8") if primary else contextlib.nullcontext() as stream:

        def keep(place: int, completion: Completion) -> None:
            number = waiting[place]
            answer = {
                "id": lines[number].id,
                "text": completion.text,
                "finish": completion.finish,
                "tokens": len(completion.tokens),
                "prompt_tokens": len(requests[number].prompt),
                "dropped_tokens": completion.dropped_tokens,
            }
            answers[answer["id"]] = answer
            if stream is not None:
                try:
                    stream.write(json.dumps(answer, ensure_ascii=False) + "\n")
                    stream.flush()
                except OSError as error:
                    raise ConfigError(f"{partial}: cannot be written: {error.strerror}") from None

        session.generate([requests[number] for number in waiting], on_complete=keep)
    together(
        "writing the answers", lambda: write_lines(output, [answers[line.id or 0] for line in lines]), only_first=True
    )
    if primary:
        partial.unlink(missing_ok=True)
    cut = sum(answer["dropped_tokens"] > 0 for answer in answers.values())
    session.echo(f"{output}: {len(lines)} answers{f', {cut} to prompts that were cut' if cut else ''}")


if __name__ == "__main__":
    run_command(main)
