"""XLA traces of a running job: of chosen steps, of the next steps on SIGUSR2, or of whoever asks through a port.

A trace holds names of operations and times, and beside it lie the compiled program and sizes: no data, no text. A
profiler that fails warns, and training goes on.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import FrameType
from typing import Any

import jax

from melama_jax.config import Config, dump_yaml
from melama_jax.parallel.hardware import accelerator_of
from melama_jax.training.state import flops_per_token
from melama_jax.training.versions import versions

STEP_NAME = "train"
HOST_SPANS = ("input", "log", "evaluate", "save")
"""What the host does between steps, as a trace names it."""
SIDECAR_FILE = "melama.json"
PROGRAM_FILE = "train_step.hlo.txt.gz"
SIGNAL = signal.SIGUSR2


class TraceWriter:
    """Writes one trace after another; a failure warns."""

    def __init__(self, config: Config, echo: Callable[[str], None]):
        self._config, self._echo = config, echo
        self._folder: Path | None = None
        self._first = 0
        self._broken = False

    @property
    def active(self) -> bool:
        """Whether a trace is being taken."""
        return self._folder is not None

    def start(self, folder: Path, step: int) -> None:
        """Begin a trace before a step; what is to be in it must not have been dispatched yet."""
        if self._broken:
            return
        try:
            own = _partial(folder)
            shutil.rmtree(own, ignore_errors=True)
            own.mkdir(parents=True)
            options = jax.profiler.ProfileOptions()
            options.python_tracer_level = 0  # every Python call: slow, and large files
            jax.profiler.start_trace(own, profiler_options=options)
        except (OSError, RuntimeError, ValueError) as error:
            self._warn(folder, error)
            shutil.rmtree(_partial(folder), ignore_errors=True)
            return
        self._folder, self._first = folder, step
        self._echo(f"profile: tracing from step {step}")

    def stop(self, last_step: int, program: jax.stages.Compiled | None) -> None:
        """End a trace after a step that is done, and put the program, sizes and memory beside it."""
        assert self._folder is not None
        folder, self._folder = self._folder, None
        try:
            jax.profiler.stop_trace()
        except (OSError, RuntimeError, ValueError) as error:
            self._broken = True  # JAX 0.10 takes the trace for running still
            self._warn(folder, error)
            shutil.rmtree(_partial(folder), ignore_errors=True)
            return
        try:
            _publish(folder)
            self._write_beside(folder, last_step, program)
        except (OSError, RuntimeError, ValueError) as error:
            self._warn(folder, error)
            return
        self._echo(f"profile: steps {self._first} to {last_step} in {folder}")

    def _write_beside(self, folder: Path, last_step: int, program: jax.stages.Compiled | None) -> None:
        process, chosen = jax.process_index(), self._config.profile
        if chosen.memory:
            jax.profiler.save_device_memory_profile(folder / f"memory_{process:03d}.pprof")
        about = describe(self._config, program) | {"first_step": self._first, "steps": last_step - self._first + 1}
        _replace(folder / SIDECAR_FILE, (json.dumps(about, indent=2) + "\n").encode())
        if chosen.hlo and program is not None and (process == 0 or not (folder / PROGRAM_FILE).exists()):
            _replace(folder / PROGRAM_FILE, gzip.compress((program.as_text() or "").encode(), mtime=0))

    def _warn(self, folder: Path, error: Exception) -> None:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        self._echo(f"profile: no trace in {folder} ({reason}); training goes on")


class Profiler:
    """Decides when a running job is traced; `before` and `after` every step."""

    def __init__(self, config: Config, run_dir: Path, *, echo: Callable[[str], None]):
        """Listen to SIGUSR2 and, if asked to, to a port.

        Args:
            config: The resolved configuration.
            run_dir: The run folder; traces go to `profile/step_<N>` in it.
            echo: Where remarks go.
        """
        self._wanted, self._run_dir = config.profile, run_dir
        self.program: jax.stages.Compiled | None = None
        """The compiled step, to be written beside the traces."""
        self.pause: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        """Around the writing of a trace, which may take minutes and holds Python's lock for seconds."""
        self._here = self._wanted.hosts == "all" or jax.process_index() == 0
        if jax.process_index() and self._here:
            echo = print  # the others' own remarks are about their own traces
        self._echo = echo
        self._writer = TraceWriter(config, echo)
        self._asked = False
        self._last = self._done = 0
        self._previous = signal.signal(SIGNAL, self._on_signal)
        port = self._wanted.port
        self._serves = port is not None and self._here and _serve(port + jax.process_index(), echo)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._asked = self._here

    def expect(self, first_step: int, last_step: int) -> None:
        """Say so if the step that a trace was to start from is none of those that this job does."""
        start = self._wanted.start_step
        if start is not None and not first_step <= start <= last_step and jax.process_index() == 0:
            self._echo(f"profile.start_step {start} will not come: this job does steps {first_step} to {last_step}")

    def before(self, step: int, state: Any) -> float:
        """Begin a trace if one is due; returns the seconds that the profiler took.

        Args:
            step: The number of the step to come.
            state: What it starts from; waited for, so that the trace holds nothing earlier.
        """
        asked, self._asked = self._asked, False
        due = asked or (self._here and step == self._wanted.start_step)
        if not due or self._writer.active:
            return 0.0
        jax.block_until_ready(state)
        begun = time.monotonic()
        self._last = step + self._wanted.num_steps - 1
        self._writer.start(self._run_dir / "profile" / f"step_{step}", step)
        return time.monotonic() - begun

    def after(self, step: int, state: Any) -> float:
        """End the trace if this was its last step; returns the seconds that the profiler took."""
        self._done = step
        if not self._writer.active or step < self._last:
            return 0.0
        jax.block_until_ready(state)
        begun = time.monotonic()
        self.stop()
        return time.monotonic() - begun

    def stop(self) -> None:
        """End a trace that is being taken, as at the end of the run."""
        if self._writer.active:
            with self.pause():
                self._writer.stop(self._done, self.program)

    def close(self) -> None:
        """End a trace, and give the signal and the port back."""
        self.stop()
        signal.signal(SIGNAL, self._previous)
        if self._serves:
            jax.profiler.stop_server()
            self._serves = False


def step_span(step: int) -> jax.profiler.StepTraceAnnotation:
    """Marks a step in a trace; costs next to nothing without one."""
    return jax.profiler.StepTraceAnnotation(STEP_NAME, step_num=step)


def host_span(name: str) -> jax.profiler.TraceAnnotation:
    """Marks one of `HOST_SPANS` in a trace."""
    assert name in HOST_SPANS
    return jax.profiler.TraceAnnotation(name)


def describe(config: Config, program: jax.stages.Compiled | None) -> dict[str, Any]:
    """What a reader of a trace needs to know of the run."""
    device = jax.devices()[0]
    sheet = accelerator_of(device)
    tokens = config.train.global_batch_size * config.train.sequence_length
    flops = flops_per_token(config) * tokens
    memory: Any = program.memory_analysis() if program is not None else None
    kinds = ("argument", "output", "temp", "alias")
    return {
        "program": "jit_train_step",
        "device_kind": device.device_kind,
        "devices": jax.device_count(),
        "processes": jax.process_count(),
        "peak_flops": sheet.peak_flops if sheet else None,
        "tokens_per_step": tokens,
        "model_flops_per_step": flops,
        "memory": {kind: getattr(memory, f"{kind}_size_in_bytes") for kind in kinds} if memory else None,
        "config_sha256": hashlib.sha256(dump_yaml(config).encode()).hexdigest(),
        "versions": versions(),
    }


def _serve(port: int, echo: Callable[[str], None]) -> bool:
    """Start JAX's profiler server; it listens on every interface and asks nobody who they are."""
    try:
        with socket.create_server(("", port)):
            pass  # the server itself would not say that the port is taken
        jax.profiler.start_server(port)
    except (OSError, OverflowError, RuntimeError, ValueError) as error:  # overflow: above 65535
        echo(f"profile: port {port} cannot be served ({error}); training goes on")
        return False
    echo(f"profile: port {port} takes traces on request, from every host that can reach it")
    return True


def _partial(folder: Path) -> Path:
    return folder / f".partial_{jax.process_index():03d}"


def _publish(folder: Path) -> None:
    """Move a finished trace to where xprof and TensorBoard look, named so that hosts and processes do not collide."""
    own, prefix = _partial(folder), f"{jax.process_index():03d}_"
    target = folder / "plugins" / "profile" / folder.name
    target.mkdir(parents=True, exist_ok=True)
    for old in (*target.glob("[0-9]*_*"), *folder.glob("memory_[0-9]*.pprof")):
        number = int(re.findall(r"\d+", old.name)[0])
        if number == jax.process_index() or number >= jax.process_count():  # of a job that had more processes
            old.unlink(missing_ok=True)
    name = f"{prefix}{socket.gethostname()}"
    for kept in (".xplane.pb", ".trace.json.gz"):
        for file in own.rglob(f"*{kept}"):
            file.replace(target / f"{name}{kept}")
    shutil.rmtree(own)


def _replace(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_bytes(content)
    beside.replace(path)
