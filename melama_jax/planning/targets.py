"""Clusters that need not be here: their devices, compiled for by XLA without one of them."""

from __future__ import annotations

import dataclasses
import importlib.util
import math
import os
import re
from typing import Any

import jax

from melama_jax.errors import ConfigError
from melama_jax.parallel import hardware
from melama_jax.parallel.hardware import Accelerator


@dataclasses.dataclass(frozen=True)
class Target:
    """A cluster.

    Attributes:
        name: As it was asked for, such as a100-80gb:20x8.
        platform: cuda, tpu or cpu.
        accelerator: Data sheet of a device; None for a CPU.
        dims: Nodes and devices of a node; of a TPU slice, its extent in chips.
        usable: Share of a device's memory that a program can have.
    """

    name: str
    platform: str
    accelerator: Accelerator | None
    dims: tuple[int, ...]
    usable: float

    @property
    def num_devices(self) -> int:
        """Devices in all."""
        return math.prod(self.dims)

    @property
    def per_node(self) -> int:
        """Devices joined by fast links: those of a node, or a whole TPU slice."""
        return self.dims[1] if self.platform == "cuda" else self.num_devices

    @property
    def closed(self) -> tuple[bool, ...]:
        """Of a TPU slice: which dimensions are rings, not lines (whole rows of 16, or cubes of 4 x 4 x 4)."""
        if len(self.dims) == 3:
            return (all(size % 4 == 0 for size in self.dims),) * 3
        return tuple(size == 16 for size in self.dims)


@dataclasses.dataclass(frozen=True)
class _Gpu:
    """What XLA's compiler asks of a GPU besides its data sheet (from the vendor's tuning guides)."""

    accelerator: Accelerator
    kind: str
    cores: int
    fpus_per_core: int
    shared_per_core: int
    shared_per_block: int
    registers: int
    l2_bytes: int
    clock_ghz: float


_GPUS = {
    "a100-80gb": _Gpu(hardware.A100_80GB, "NVIDIA A100-SXM4-80GB", 108, 64, 167936, 166912, 65536, 41943040, 1.41),
    "a100-40gb": _Gpu(hardware.A100_40GB, "NVIDIA A100-SXM4-40GB", 108, 64, 167936, 166912, 65536, 41943040, 1.41),
    "h100": _Gpu(hardware.H100, "NVIDIA H100 80GB HBM3", 132, 128, 233472, 232448, 65536, 52428800, 1.98),
    "h200": _Gpu(hardware.H200, "NVIDIA H200", 132, 128, 233472, 232448, 65536, 52428800, 1.98),
    "b200": _Gpu(hardware.B200, "NVIDIA B200", 148, 128, 233472, 232448, 65536, 132644864, 1.97),
}
_TPUS = {"v4": hardware.TPU_V4, "v5e": hardware.TPU_V5E, "v5p": hardware.TPU_V5P, "v6e": hardware.TPU_V6E}
_TPU_DIMS = {"v4": 3, "v5p": 3, "v5e": 2, "v6e": 2}
_COMPILERS = {"cuda": ("jax_cuda12_plugin", "jax_cuda13_plugin"), "tpu": ("libtpu",)}
_GPU_USABLE, _TPU_USABLE = 0.92, 0.97
"""The CUDA context, NCCL's buffers and cuDNN's workspaces take 5 to 6 GB of 80; a TPU's runtime a few hundred MB."""


def parse_target(text: str) -> Target:
    """Read a target's name: a100-80gb:20x8 (nodes x GPUs), v5p:4x4x8 (chips), cpu:8.

    Raises:
        ConfigError: The kind or the extent is unknown.
    """
    kind, _, extent = text.strip().lower().partition(":")
    if not re.fullmatch(r"\d+(x\d+)*", extent) or any(part.lstrip("0") == "" for part in extent.split("x")):
        raise ConfigError(f"--target {text!r}: expected KIND:EXTENT, such as a100-80gb:20x8, v5p:4x4x8 or cpu:8")
    dims = tuple(map(int, extent.split("x")))
    if kind in _GPUS:
        _expect(text, dims, 2, "nodes x GPUs of a node, such as 20x8")
        return Target(text, "cuda", _GPUS[kind].accelerator, dims, _GPU_USABLE)
    if kind in _TPUS:
        _expect(text, dims, _TPU_DIMS[kind], f"the slice's {_TPU_DIMS[kind]} dimensions in chips")
        return Target(text, "tpu", _TPUS[kind], dims, _TPU_USABLE)
    if kind == "cpu":
        _expect(text, dims, 1, "a number of devices, such as 8")
        return Target(text, "cpu", None, dims, 1.0)
    raise ConfigError(f"--target {text!r}: {kind!r} is unknown; choose one of {', '.join([*_GPUS, *_TPUS, 'cpu'])}")


def _expect(text: str, dims: tuple[int, ...], count: int, what: str) -> None:
    if len(dims) != count:
        raise ConfigError(f"--target {text!r}: expected {what}")


def prepare_process(target: Target) -> None:
    """Set up JAX to compile for a target; called before JAX has started a backend."""
    # libtpu would ask Google's cloud what slice this is, and complain at length that no one answers.
    os.environ["TPU_SKIP_MDS_QUERY"] = "1"
    os.environ.setdefault("TPU_WORKER_HOSTNAMES", "localhost")
    os.environ.setdefault("TPU_ACCELERATOR_TYPE", "v5litepod-8")
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")  # no chip is held
    jax.config.update("jax_platforms", "cpu")
    if target.platform == "cpu":
        jax.config.update("jax_num_cpu_devices", target.num_devices)


def devices_of(target: Target) -> list[Any]:
    """The target's devices, which can be compiled for; no such hardware is needed.

    Raises:
        ConfigError: The compiler for it is not installed, or it knows no such slice.
    """
    if target.platform == "cpu":
        devices = jax.devices("cpu")
        if len(devices) < target.num_devices:
            raise ConfigError(f"--target {target.name}: JAX has started with {len(devices)} CPU devices already")
        return devices[: target.num_devices]
    # Registers the compilers that are installed, without starting them.
    from jax._src import xla_bridge
    from jax.experimental import topologies

    xla_bridge._discover_and_register_pjrt_plugins()
    try:
        if target.platform == "cuda":
            gpu = _GPUS[target.name.lower().partition(":")[0]]
            topology = topologies.get_topology_desc(
                gpu.kind,
                platform="cuda",
                target_config=_target_config(gpu),
                topology="x".join(map(str, (*target.dims, 1))),
            )
        else:
            name = target.name.lower()
            # A v4 chip's two cores act as one device, as they do under jax on such a chip.
            cores = {"chip_config_name": "megacore"} if name.startswith("v4:") else {}
            topology = topologies.get_topology_desc(platform="tpu", topology_name=name, **cores)
    except Exception as error:  # plugins raise what they like
        extra = "cuda12" if target.platform == "cuda" else "tpu"
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        advice = "give an extent that exists"
        if not any(importlib.util.find_spec(name) for name in _COMPILERS[target.platform]):
            advice = f'install its compiler, which needs no such device: python -m pip install "melama_jax[{extra}]"'
        raise ConfigError(f"--target {target.name}: cannot be compiled for ({reason}); {advice}") from None
    return list(topology.devices)


def _target_config(gpu: _Gpu) -> str:
    """XLA's GpuTargetConfig as protobuf text."""
    major, minor = gpu.accelerator.compute_capability or (0, 0)
    return f"""gpu_device_info {{
  threads_per_block_limit: 1024 threads_per_warp: 32 shared_memory_per_block: 49152
  shared_memory_per_core: {gpu.shared_per_core} shared_memory_per_block_optin: {gpu.shared_per_block}
  threads_per_core_limit: 2048 core_count: {gpu.cores} fpus_per_core: {gpu.fpus_per_core}
  block_dim_limit_x: 2147483647 block_dim_limit_y: 65535 block_dim_limit_z: 65535
  memory_bandwidth: {int(gpu.accelerator.memory_bandwidth)}
  l2_cache_size: {gpu.l2_bytes} clock_rate_ghz: {gpu.clock_ghz}
  device_memory_size: {gpu.accelerator.memory_bytes}
  cuda_compute_capability {{ major: {major} minor: {minor} }}
  registers_per_core_limit: {gpu.registers} registers_per_block_limit: {gpu.registers}
}}
platform_name: "CUDA" dnn_version_info {{ major: 9 minor: 8 }} device_description_str: "{gpu.kind}"
"""
