"""python -m melama_jax.generate --checkpoint DIR (--prompt TEXT | --prompts FILE --output FILE | --chat): text."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import jax

from conversion import serving
from conversion.folders import open_weights
from conversion.origin import tokenizer_of
from melama_jax.config import CommandParser, output_file
from melama_jax.data.chat import ChatTemplate, find_template, names
from melama_jax.data.vocabulary import load_vocabulary
from melama_jax.errors import ConfigError, DataError, MelamaError, run_command
from melama_jax.inference.engine import Completion, Engine, Request, SamplingOptions
from melama_jax.inference.prompt_file import Line, Turn, read_partial, read_prompts, write_lines
from melama_jax.inference.wording import Wording
from melama_jax.parallel import distributed
from melama_jax.parallel.agreement import gather, together

Echo = Callable[[str], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Continue a prompt, a file of prompts, or a conversation."""
    arguments = _parser().parse_args(argv)
    if (arguments.output is None) == (arguments.prompts is not None):
        raise ConfigError("--prompts FILE and --output FILE belong together; give both, or --prompt or --chat")
    if arguments.prompts is not None and arguments.prompts.resolve() == arguments.output.resolve():
        raise ConfigError(f"--output {arguments.output}: is the file of the prompts; give another")
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
    with contextlib.ExitStack() as closing:
        lines, stream = [], None
        if arguments.prompts is not None:
            lines = together("reading the prompts", lambda: read_prompts(arguments.prompts)) or []
            opening = partial_file(arguments.output, overwrite=arguments.overwrite)
            stream = together("opening the output", lambda: closing.enter_context(opening), only_first=True)
        elif arguments.prompt is not None:
            asked = arguments.chat_template is not None or arguments.system is not None
            turn = Turn(role="user", content=arguments.prompt)
            lines = [Line(messages=(turn,)) if asked else Line(prompt=arguments.prompt)]
        together("checking the prompts", lambda: check_prompts(arguments, options, lines))
        served, engine = serving.open_engine(arguments)
        echo(serving.summary(served.description))
        session = Session(arguments, options, served, engine, echo)
        if arguments.chat:
            chat(session)
        elif arguments.prompts is not None:
            answer_file(session, lines, arguments.output, stream, overwrite=arguments.overwrite)
        else:
            session.answer(session.wording.request(lines[0], "--prompt"), shown=primary)
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


def check_prompts(arguments: argparse.Namespace, options: SamplingOptions, lines: Sequence[Line]) -> None:
    """Refuse what the tokenizer and the length of the context alone tell, for reading large weights takes minutes.

    Raises:
        MelamaError: As `Wording.request` raises.
    """
    try:
        source = open_weights(Path(arguments.checkpoint), base=arguments.base and Path(arguments.base))
        home = arguments.tokenizer or tokenizer_of(source)
        vocabulary = None if home is None else load_vocabulary(home)
    except MelamaError:
        return  # opening the model says it, before it reads the weights
    if vocabulary is None:
        return
    longest = arguments.max_length
    if longest is None:
        longest = min(source.sizes["max_position_embeddings"], serving.LONGEST)
    if longest < 2 or arguments.batch_size < 1:
        raise ConfigError(
            f"--max-length {longest} and --batch-size {arguments.batch_size}: give at least 2 tokens and 1 sequence"
        )
    own = find_template(vocabulary.path.parent)
    template = None if own is None else ChatTemplate(own, "the model's chat template", own=True)
    if arguments.chat_template is not None:
        template = ChatTemplate.load(arguments.chat_template)
    # What the model's own habit is, is known later; until then an empty prompt may pass.
    add_bos = vocabulary.bos_id is not None if arguments.add_bos is None else arguments.add_bos
    wording = Wording(vocabulary, longest, options, template, arguments.system, add_bos)
    if arguments.chat:
        wording.request(Line(messages=(Turn(role="user", content="x"),)), "--chat")
    elif arguments.prompts is None:
        wording.request(lines[0], "--prompt")
    else:
        wording.requests(lines)


class Session:
    """A model, and how it is talked to.

    Attributes:
        engine: What runs it.
        wording: How it is asked.
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
        self.engine, self.echo = engine, echo
        add_bos = served.add_bos if arguments.add_bos is None else arguments.add_bos
        template = served.template(arguments.chat_template)
        self.wording = Wording(
            engine.vocabulary, engine.max_length, options, template, arguments.system, add_bos, served.stop_tokens
        )
        self._tokens, self._seconds = 0, 0.0
        described = {key: value for key, value in served.description.items() if key not in ("path", "format", "step")}
        if described.get("base"):
            described["base"] = described["base"]["fingerprint"]  # wherever it lies
        self.identity = [described, engine.max_length, arguments.cache_dtype]

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
        request = session.wording.request(Line(messages=tuple(turns)), "chat", seed=seed)
        room = session.engine.max_length - request.options.max_new_tokens
        if len(request.prompt) <= room or len(turns) < 3:
            break
        turns, left_out = turns[2:], left_out + 1
    if left_out:
        session.echo(f"({left_out} of the oldest exchanges no longer fit and were left out)")
    return turns, request


@contextlib.contextmanager
def partial_file(output: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """OUTPUT.partial, for this command alone; it is taken away where it is empty at the end.

    Raises:
        ConfigError: Another command writes it, it cannot be written, or the output is there and may not be replaced.
    """
    partial = partial_of(output)
    with _locked(partial) as stream:
        try:
            if output.exists() and not overwrite:
                raise ConfigError(f"--output {output} is there already; give another file, or --overwrite")
            yield stream
        finally:
            if not os.fstat(stream.fileno()).st_size:
                partial.unlink(missing_ok=True)


def _locked(partial: Path) -> BinaryIO:
    while True:
        try:
            stream = partial.open("ab")
        except OSError as error:
            raise ConfigError(f"{partial}: cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{partial}: another command is at work here; wait for it, or choose another") from None
        except OSError:
            pass  # a file system without locks
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(stream.fileno()), partial.stat()):
                return stream
        stream.close()  # the other command has just ended, and taken its file away


def partial_of(output: Path) -> Path:
    """Where answers are kept until all are there."""
    return output.with_name(f"{output.name}.partial")


def answer_file(
    session: Session, lines: Sequence[Line], output: Path, stream: BinaryIO | None, *, overwrite: bool
) -> None:
    """Answer a file of prompts; each answer is kept in OUTPUT.partial as it comes, and the whole takes its place.

    Args:
        session: The model.
        lines: The prompts.
        output: Where the answers go.
        stream: `partial_file` of it; None in all processes but the first.
        overwrite: Whether what is in the partial file is thrown away.

    Raises:
        ConfigError: The partial file is of other prompts, options or another model, or cannot be written.
    """
    requests = session.wording.requests(lines)
    decisive = [session.identity, [[line.id, dataclasses.asdict(r)] for line, r in zip(lines, requests, strict=True)]]
    header = {"run": hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()}
    partial = partial_of(output)

    def write(row: dict[str, Any]) -> None:
        if stream is not None:
            try:
                stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
                stream.flush()
            except OSError as error:
                raise ConfigError(f"{partial}: cannot be written: {error.strerror}") from None

    def begin() -> dict[str | int, dict[str, Any]]:
        assert stream is not None
        found = {} if overwrite else read_partial(partial, header)
        stream.truncate(partial.read_bytes().rfind(b"\n") + 1 if found else 0)  # without a line that a kill cut off
        if not found:
            write(header)
        return found

    answers = together("opening the answers", begin, only_first=True) or {}
    there = set(json.loads(gather("answers that are there", json.dumps(list(answers)))[0]))
    if there:
        session.echo(f"{len(there)} of {len(lines)} answers are in {partial} already")
    waiting = [number for number, line in enumerate(lines) if line.id not in there]

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
        write(answer)

    session.generate([requests[number] for number in waiting], on_complete=keep)

    def finish() -> None:
        write_lines(output, [answers[line.id or 0] for line in lines])
        partial.unlink()

    together("writing the answers", finish, only_first=True)
    cut = sum(answer["dropped_tokens"] > 0 for answer in answers.values())
    session.echo(f"{output}: {len(lines)} answers{f', {cut} to prompts that were cut' if cut else ''}")


if __name__ == "__main__":
    run_command(main)
