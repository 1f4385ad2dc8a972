"""The real training step on the devices that are here, on a synthetic batch, timed."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from melama_jax.config import Config
from melama_jax.errors import TrainingError
from melama_jax.parallel import mesh as meshes
from melama_jax.parallel.hardware import accelerator_of, memory_in_use
from melama_jax.training import state as states
from melama_jax.training.profiling import TraceWriter, step_span
from melama_jax.training.step import abstract_batch, batch_keys, check_layout, compile_train_step
from melama_jax.training.versions import versions


@dataclasses.dataclass(frozen=True)
class Measurement:
    """A measured step.

    Attributes:
        devices: Devices of the mesh.
        device_kind: What JAX calls them.
        mesh: Axis sizes.
        step_seconds: Wall time of every measured step.
        compile_seconds: Time of the compilation.
        tokens_per_step: Global.
        model_flops_per_step: Over all devices, by the convention of the reports.
        mfu: By the median step; None for a device without a data sheet.
        peak_bytes: Of the busiest device: as counted by it, else as compiled.
        peak_bytes_source: "device" or "compiled".
        loss: Of the last step, for a look.
        versions: Of Python and the libraries.
    """

    devices: int
    device_kind: str
    mesh: dict[str, int]
    step_seconds: list[float]
    compile_seconds: float
    tokens_per_step: int
    model_flops_per_step: float
    mfu: float | None
    peak_bytes: int
    peak_bytes_source: str
    loss: float
    versions: dict[str, str]

    @property
    def median_seconds(self) -> float:
        """Median step."""
        return statistics.median(self.step_seconds)

    @property
    def tokens_per_second(self) -> float:
        """Over all devices, by the median step."""
        return self.tokens_per_step / self.median_seconds

    @property
    def flops_per_second_per_device(self) -> float:
        """Model FLOP/s of one device, by the median step."""
        return self.model_flops_per_step / self.median_seconds / self.devices


def measure(
    config: Config,
    *,
    steps: int,
    warmup: int,
    trace: Path | None = None,
    echo: Callable[[str], None] = lambda text: None,
) -> Measurement:
    """Compile the step, run it, and time it; every step is waited for.

    Args:
        config: The run's configuration; its data are not read.
        steps: Measured steps.
        warmup: Steps before them.
        trace: Folder for an XLA trace of `profile.num_steps` more steps.
        echo: Where remarks go.

    Raises:
        MeshError: The mesh does not fit the devices or the model.
        TrainingError: The devices run out of memory.
    """
    mesh = meshes.build_mesh(config.mesh)
    check_layout(config, mesh)
    abstract = states.abstract_state(config, mesh)
    started = time.monotonic()
    try:
        compiled = compile_train_step(config, mesh, abstract)
        compile_seconds = time.monotonic() - started
        echo(f"compiled in {compile_seconds:.1f} s")
        state = states.initialize_state(config, mesh)
        batch = synthetic_batch(config, mesh)
        times: list[float] = []
        metrics: dict[str, Any] = {}
        for number in range(warmup + steps):
            begun = time.monotonic()
            state, metrics = compiled(state, batch)
            jax.block_until_ready((state, metrics))
            if number >= warmup:
                times.append(time.monotonic() - begun)
        if trace is not None:
            writer, first, last = (
                TraceWriter(config, echo),
                warmup + steps + 1,
                warmup + steps + config.profile.num_steps,
            )
            writer.start(trace, first)
            for number in range(first, last + 1):
                with step_span(number):
                    state, metrics = compiled(state, batch)
            jax.block_until_ready((state, metrics))
            if writer.active:
                writer.stop(last, compiled)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise TrainingError(
            f"out of memory on {jax.devices()[0].device_kind} ({_first_line(error)}); use train.remat: full, more "
            f"gradient accumulation, or shard over more devices"
        ) from None
    analysis: Any = compiled.memory_analysis()
    counted = memory_in_use(list(mesh.local_devices))
    tokens = config.train.global_batch_size * config.train.sequence_length
    flops = states.flops_per_token(config) * tokens
    sheet = accelerator_of(mesh.devices.flat[0])
    return Measurement(
        devices=mesh.size,
        device_kind=mesh.devices.flat[0].device_kind,
        mesh=dict(mesh.shape),
        step_seconds=times,
        compile_seconds=compile_seconds,
        tokens_per_step=tokens,
        model_flops_per_step=flops,
        mfu=flops / statistics.median(times) / mesh.size / sheet.peak_flops if sheet else None,
        peak_bytes=counted if counted is not None else compiled_peak(analysis),
        peak_bytes_source="compiled" if counted is None else "device",
        loss=float(metrics["loss"]),
        versions=versions(),
    )


def compiled_peak(analysis: Any) -> int:
    """Bytes of one device at the highest, by `memory_analysis()` of a compiled step."""
    total = analysis.argument_size_in_bytes + analysis.output_size_in_bytes + analysis.temp_size_in_bytes
    return total - analysis.alias_size_in_bytes


def synthetic_batch(config: Config, mesh: Any) -> dict[str, jax.Array]:
    """A batch of random tokens, packed of documents of random lengths where the configuration masks by document."""
    wanted = abstract_batch(config, mesh)
    shape = wanted["inputs"].shape
    rng = np.random.default_rng(config.run.seed)
    tokens = rng.integers(0, config.model.num_tokens, (*shape[:2], shape[2] + 1), dtype=np.int32)
    starts = rng.random(shape) < 4 / shape[2]  # about five documents in a row
    starts[..., 0] = True
    places = np.broadcast_to(np.arange(shape[2], dtype=np.int32), shape)
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    masked = not config.data.attend_across_documents
    arrays = {
        "inputs": tokens[..., :-1],
        "targets": tokens[..., 1:],
        "loss_weights": np.ones(shape, np.float32),
        "positions": places - first if masked else places,
        "segment_ids": np.cumsum(starts, axis=-1, dtype=np.int32),
    }
    return {
        key: jax.make_array_from_callback(shape, wanted[key].sharding, lambda index, key=key: arrays[key][index])
        for key in batch_keys(config)
    }


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def as_json(found: Measurement) -> dict[str, Any]:
    """The figures with the keys that other programs rely on."""
    return {
        **dataclasses.asdict(found),
        "median_step_seconds": found.median_seconds,
        "tokens_per_second": found.tokens_per_second,
        "tokens_per_second_per_device": found.tokens_per_second / found.devices,
        "tflops_per_second_per_device": found.flops_per_second_per_device / 1e12,
    }
