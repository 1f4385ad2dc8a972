"""The device mesh, the one table from logical axes to mesh axes, and the checks that a layout can work.

Mesh axes: `data` (replicas), `fsdp` (ZeRO-3 shards, also splits the batch), `context` (splits the sequence) and
`tensor` (splits heads, SwiGLU width and vocabulary). Every array names its dimensions logically; only the table
below knows where a name goes.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from jax.experimental import mesh_utils
from jax.sharding import AbstractMesh, AxisType, Mesh, NamedSharding, PartitionSpec

from melama_jax.config import MeshConfig
from melama_jax.errors import MeshError

MESH_AXES = ("data", "fsdp", "context", "tensor")
BATCH_AXES = ("data", "fsdp")
AnyMesh = Mesh | AbstractMesh

LOGICAL_AXES: dict[str, str | tuple[str, ...] | None] = {
    # parameters
    "layers": None,
    "embed": "fsdp",
    "vocab": "tensor",
    "heads": "tensor",
    "kv_heads": "tensor",
    "mlp": "tensor",
    "head_dim": None,
    "norm": None,
    "rank": None,
    # activations
    "batch": BATCH_AXES,
    "sequence": "context",
    "residual_sequence": (
        "context",
        "tensor",
    ),  # norms between tensor-parallel blocks work on their share of the tokens
    "hidden": None,
}
"""Logical axis -> mesh axis or axes (None: replicated)."""


def spec_of(axes: Sequence[str | None], *, without: str | None = None) -> PartitionSpec:
    """Partition spec of an array whose dimensions bear these logical names.

    Args:
        axes: A logical name, or None, for each dimension.
        without: A mesh axis to leave out, as when shards are gathered for use.
    """
    entries = [None if axis is None else LOGICAL_AXES[axis] for axis in axes]
    return PartitionSpec(*(None if entry == without else entry for entry in entries))


def sharding_of(mesh: AnyMesh, axes: Sequence[str | None]) -> NamedSharding:
    """`spec_of` on a mesh."""
    return NamedSharding(mesh, spec_of(axes))


def sharding_where_divisible(mesh: AnyMesh, shape: Sequence[int], axes: Sequence[str | None]) -> NamedSharding:
    """`sharding_of` with the dimensions left whole that their mesh axis does not divide."""
    spec = (
        entry if isinstance(entry, str) and size % mesh.shape[entry] == 0 else None
        for size, entry in zip(shape, spec_of(axes), strict=True)
    )
    return NamedSharding(mesh, PartitionSpec(*spec))


def constrain(x: jax.Array, *axes: str | None) -> jax.Array:
    """Fix the layout of an intermediate array by logical names; does nothing where no mesh is set."""
    if jax.sharding.get_abstract_mesh().empty:
        return x
    return jax.lax.with_sharding_constraint(x, spec_of(axes))


def gather(x: jax.Array, axes: tuple[str | None, ...]) -> jax.Array:
    """Gather a parameter's `fsdp` shards for use; its gradient goes back by reduce-scatter.

    A plain sharding constraint would be transposed to itself, so that the gradient would first be summed whole on every
    device (all-reduce) and only then cut.

    Args:
        x: A parameter, sharded as its logical axes say, already in the dtype it is used in.
        axes: Its logical axes.
    """
    return _gathered(x, axes)


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _gathered(x: jax.Array, axes: tuple[str | None, ...]) -> jax.Array:
    if jax.sharding.get_abstract_mesh().empty:
        return x
    return jax.lax.with_sharding_constraint(x, spec_of(axes, without="fsdp"))


def _gather_forward(x: jax.Array, axes: tuple[str | None, ...]) -> tuple[jax.Array, None]:
    return gather(x, axes), None


def _gather_backward(axes: tuple[str | None, ...], _: None, gradient: jax.Array) -> tuple[jax.Array]:
    return (constrain(gradient, *axes),)


_gathered.defvjp(_gather_forward, _gather_backward)


def mesh_sizes(config: MeshConfig, num_devices: int) -> dict[str, int]:
    """Axis sizes with -1 filled in.

    Raises:
        MeshError: The sizes do not multiply to the number of devices; the message names layouts that would.
    """
    if num_devices < 1:
        raise MeshError(f"a mesh needs at least 1 device; found {num_devices}")
    sizes = {axis: getattr(config, axis) for axis in MESH_AXES}
    fixed = math.prod(size for size in sizes.values() if size != -1)
    shown = " x ".join(f"{axis} {size}" for axis, size in sizes.items())
    if -1 in sizes.values():
        if num_devices % fixed:
            raise MeshError(
                f"mesh {shown}: the fixed axes take {fixed} devices, which does not divide the {num_devices} there "
                f"are; choose fixed axes whose product is one of {_divisor_list(num_devices)}"
            )
        return {axis: num_devices // fixed if size == -1 else size for axis, size in sizes.items()}
    if fixed > num_devices:
        raise MeshError(
            f"mesh {shown} needs {fixed} devices, but there are {num_devices}; lower an axis, or set mesh.fsdp to -1"
        )
    if fixed < num_devices:
        raise MeshError(
            f"mesh {shown} uses {fixed} of {num_devices} devices; set one axis to -1 to take them all, "
            f"or show the process fewer devices"
        )
    return sizes


def build_mesh(config: MeshConfig, devices: Sequence[Any] | None = None) -> Mesh:
    """Arrange devices as data x fsdp x context x tensor.

    Devices of one host (or TPU slice) stay together on the innermost axes; with several hosts the outer axes cross the
    network in the order data, fsdp, context, so that tensor parallelism stays on the fast links.

    Args:
        config: Axis sizes.
        devices: The devices to use; None takes all of the job.

    Raises:
        MeshError: The sizes do not fit the devices, or tensor would cross TPU slices.
    """
    devices = list(jax.devices() if devices is None else devices)
    sizes = mesh_sizes(config, len(devices))
    shape = tuple(sizes.values())
    on_tpu = devices[0].platform == "tpu"
    # A TPU slice is one fast network over many hosts; on GPUs a host is.
    granules = {getattr(d, "slice_index", 0) if on_tpu else d.process_index for d in devices}
    if len(granules) > 1 and len(devices) % len(granules) == 0:
        across = _split_across_hosts(sizes, len(granules))
        if across is not None:
            within = tuple(size // part for size, part in zip(shape, across, strict=True))
            arranged = mesh_utils.create_hybrid_device_mesh(
                within, across, devices, process_is_granule=not on_tpu, allow_split_physical_axes=True
            )
            return Mesh(arranged, MESH_AXES, axis_types=(AxisType.Auto,) * len(MESH_AXES))
        if on_tpu:
            raise MeshError(
                f"mesh {_show(sizes)} cannot be laid over {len(granules)} slices of {len(devices) // len(granules)} "
                f"devices without tensor parallelism crossing slices; choose mesh.tensor among "
                f"{_divisor_list(len(devices) // len(granules))}"
            )
    if on_tpu:
        arranged = mesh_utils.create_device_mesh(shape, devices, allow_split_physical_axes=True)
    else:
        # Ordered by host, so the innermost axes still fill one host before they reach the next.
        arranged = np.asarray(devices, dtype=object).reshape(shape)
    return Mesh(arranged, MESH_AXES, axis_types=(AxisType.Auto,) * len(MESH_AXES))


def _split_across_hosts(sizes: Mapping[str, int], hosts: int) -> tuple[int, ...] | None:
    parts = []
    for axis in MESH_AXES:
        part = 1 if axis == "tensor" else math.gcd(sizes[axis], hosts)
        hosts //= part
        parts.append(part)
    return tuple(parts) if hosts == 1 else None


def check_parameters(mesh: AnyMesh, parameters: Mapping[str, tuple[tuple[int, ...], Sequence[str]]]) -> None:
    """Refuse a mesh whose axes do not divide a parameter's dimensions, before anything is compiled.

    Args:
        mesh: The mesh.
        parameters: Shape and logical axes by parameter name.

    Raises:
        MeshError: Naming the parameter, its dimension, the mesh axis, and the nearest layouts that work.
    """
    dims: dict[str, set[int]] = {}
    problem = None
    for name, (shape, axes) in parameters.items():
        for size, axis in zip(shape, axes, strict=True):
            mesh_axis = LOGICAL_AXES[axis]
            if not isinstance(mesh_axis, str):
                continue
            dims.setdefault(mesh_axis, set()).add(size)
            if size % mesh.shape[mesh_axis] and problem is None:
                problem = (
                    f"{name}: dimension {axis} {size} is not divisible by mesh.{mesh_axis} {mesh.shape[mesh_axis]}"
                )
    if problem is not None:
        raise MeshError(f"{problem}; {_nearest_layouts(mesh, dims)}")


def _nearest_layouts(mesh: AnyMesh, dims: Mapping[str, set[int]]) -> str:
    total = mesh.size // mesh.shape["context"]
    wanted = mesh.shape["fsdp"], mesh.shape["tensor"]
    layouts = []
    for tensor in _divisors(total):
        if any(size % tensor for size in dims.get("tensor", ())):
            continue
        for fsdp in _divisors(total // tensor):
            if not any(size % fsdp for size in dims.get("fsdp", ())):
                layouts.append((total // tensor // fsdp, fsdp, tensor))
    layouts.sort(key=lambda sizes: (abs(math.log(sizes[2] / wanted[1])), abs(math.log(sizes[1] / wanted[0]))))
    context = f" x context {mesh.shape['context']}" if mesh.shape["context"] > 1 else ""
    shown = "; ".join(f"data {d} x fsdp {f}{context} x tensor {t}" for d, f, t in layouts[:4])
    return f"layouts of {mesh.size} devices that work: {shown}"


def check_batch(mesh: AnyMesh, *, rows: int, sequence_length: int, name: str = "train.global_batch_size") -> None:
    """Refuse a micro-batch that the mesh cannot split evenly.

    Args:
        mesh: The mesh.
        rows: Rows of a micro-batch over all devices.
        sequence_length: Tokens of a row.
        name: The setting that the rows come from, for the message.

    Raises:
        MeshError: Naming the setting and the nearest values that work.
    """
    shards = math.prod(mesh.shape[axis] for axis in BATCH_AXES)
    if rows % shards:
        low = rows // shards * shards
        works = " or ".join(str(n) for n in (low, low + shards) if n)
        raise MeshError(
            f"{name}: {rows} rows of a micro-batch are not divisible by mesh.data x mesh.fsdp = {shards}; "
            f"a micro-batch of {works} rows works"
        )
    split = mesh.shape["context"] * mesh.shape["tensor"]
    if sequence_length % split:
        low = sequence_length // split * split
        works = " or ".join(str(n) for n in (low, low + split) if n)
        raise MeshError(
            f"train.sequence_length {sequence_length} is not divisible by mesh.context x mesh.tensor = {split}; "
            f"{works} works"
        )


def local_rows(sharding: NamedSharding, rows: int) -> list[int]:
    """Rows of a global batch [rows, ...] that this process's devices hold, sorted."""
    of_rows = NamedSharding(sharding.mesh, PartitionSpec(*sharding.spec[:1]))  # the other dimensions do not matter
    spans = of_rows.addressable_devices_indices_map((rows,)).values()
    return sorted({row for span in spans if span is not None for row in range(*span[0].indices(rows))})


def _show(sizes: Mapping[str, int]) -> str:
    return " x ".join(f"{axis} {size}" for axis, size in sizes.items())


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]


def _divisor_list(number: int) -> str:
    return ", ".join(str(n) for n in _divisors(number))
