"""How fast the devices and the links between them are right now, by short timed programs."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


@functools.cache
def _products(dim: int, count: int) -> Any:
    """Repeated squaring of a matrix of norm 1, so that nothing overflows and nothing can be left out."""
    return jax.jit(lambda x: jax.lax.fori_loop(0, count, lambda _, y: y @ x, x))


class MatmulProbe:
    """Times matrix products on single devices; its arrays stay there between measurements.

    Eight products of square matrices in bf16 on accelerators, two of [512, 512] in float32 (0.5 GFLOP) on CPUs.
    """

    def __init__(self, devices: Sequence[Any], dim: int = 2048):
        """Put one matrix on each device and compile.

        Args:
            devices: This process's own.
            dim: Rows and columns on accelerators; 2048 makes 137 GFLOP of 24 MB.
        """
        on_cpu = devices[0].platform == "cpu"
        dim, count, dtype = (512, 2, jnp.float32) if on_cpu else (dim, 8, jnp.bfloat16)
        self._program = _products(dim, count)
        self._matrices = [jax.device_put(np.eye(dim, dtype=dtype), device) for device in devices]
        self.flops = 2.0 * count * dim**3
        """Of one measurement."""
        jax.block_until_ready([self._program(matrix) for matrix in self._matrices])

    def seconds(self, repeats: int = 3) -> list[float]:
        """Shortest of a few runs on each device, one device after the other."""
        return [
            min(_seconds(functools.partial(self._program, matrix)) for _ in range(repeats)) for matrix in self._matrices
        ]


def all_reduce_seconds(mesh: Mesh, axis: str, bytes_per_device: int, repeats: int = 3) -> float:
    """Shortest time of a sum over one mesh axis; all processes of the mesh must call it.

    Args:
        mesh: The device mesh.
        axis: The axis that is summed over; the others take part side by side.
        bytes_per_device: Size of the float32 array that each device brings.
        repeats: Timed runs after one that is not timed.
    """
    length = bytes_per_device // 4
    spec = PartitionSpec(tuple(mesh.axis_names))
    sharding = NamedSharding(mesh, spec)
    local = np.ones(length, np.float32)
    x = jax.make_array_from_callback((length * mesh.size,), sharding, lambda _: local)
    program = jax.jit(
        jax.shard_map(lambda part: jax.lax.psum(part, axis), mesh=mesh, in_specs=spec, out_specs=spec, check_vma=False)
    )
    jax.block_until_ready(program(x))
    return min(_seconds(functools.partial(program, x)) for _ in range(repeats))


def bus_bandwidth(bytes_per_device: float, group: int, seconds: float) -> float:
    """Bytes/s that each device sends in a ring all-reduce: 2 (n - 1) / n of its bytes, as NCCL's tests count it."""
    return 2 * (group - 1) / group * bytes_per_device / seconds


def _seconds(run: Any) -> float:
    begun = time.perf_counter()
    jax.block_until_ready(run())
    return time.perf_counter() - begun
