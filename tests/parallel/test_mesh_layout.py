"""Arranging devices: axis sizes, dimensions and batches that fit, and which axes stay inside a host."""

from __future__ import annotations

import math
import time
from typing import Any

import jax
import numpy as np
import pytest
from jax.sharding import AbstractMesh, AxisType, PartitionSpec

from melama_jax.config import Config, MeshConfig, from_mapping
from melama_jax.errors import MeshError
from melama_jax.parallel.mesh import (
    LOGICAL_AXES,
    MESH_AXES,
    build_mesh,
    check_batch,
    constrain,
    gather,
    local_rows,
    mesh_sizes,
    sharding_of,
    spec_of,
)
from melama_jax.training.state import abstract_state, num_parameters


class FakeDevice:
    """A device of a host that is not here."""

    def __init__(self, number: int, host: int, *, platform: str = "gpu", slice_index: int = 0):
        self.id, self.process_index, self.platform, self.slice_index = number, host, platform, slice_index
        self.device_kind = "NVIDIA A100-SXM4-80GB"

    def __repr__(self) -> str:
        return f"{self.platform}{self.id}@{self.process_index}"


def abstract(data: int = 1, fsdp: int = 1, context: int = 1, tensor: int = 1) -> AbstractMesh:
    return AbstractMesh((data, fsdp, context, tensor), MESH_AXES, axis_types=(AxisType.Auto,) * 4)


def llama_70b() -> Config:
    return from_mapping({"model": {"preset": "llama2-70b"}})


@pytest.mark.parametrize(
    ("config", "devices", "sizes"),
    [
        ({}, 8, (1, 8, 1, 1)),
        ({}, 1, (1, 1, 1, 1)),
        ({"tensor": 4}, 8, (1, 2, 1, 4)),
        ({"data": -1, "fsdp": 2, "context": 2}, 8, (2, 2, 2, 1)),
        ({"fsdp": 5, "context": -1}, 160, (1, 5, 32, 1)),
        ({"data": 2, "fsdp": 2, "context": 2, "tensor": 1}, 8, (2, 2, 2, 1)),
        ({"tensor": 8}, 8, (1, 1, 1, 8)),
    ],
)
def test_minus_one_takes_the_devices_left(config: dict[str, int], devices: int, sizes: tuple[int, ...]) -> None:
    assert tuple(mesh_sizes(MeshConfig(**config), devices).items()) == tuple(zip(MESH_AXES, sizes, strict=True))


@pytest.mark.parametrize(
    ("config", "devices", "problem"),
    [
        (
            {"tensor": 3},
            8,
            "mesh data 1 x fsdp -1 x context 1 x tensor 3: the fixed axes take 3 devices, which does not divide the 8 "
            "there are; choose fixed axes whose product is one of 1, 2, 4, 8",
        ),
        ({"data": 16}, 8, "the fixed axes take 16 devices"),
        ({"fsdp": 16}, 8, "needs 16 devices, but there are 8; lower an axis, or set mesh.fsdp to -1"),
        ({"fsdp": 4}, 8, "uses 4 of 8 devices; set one axis to -1 to take them all"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(config: dict[str, int], devices: int, problem: str) -> None:
    with pytest.raises(MeshError) as caught:
        mesh_sizes(MeshConfig(**config), devices)
    assert problem in str(caught.value)


@pytest.mark.parametrize("devices", [0, -4])
def test_mesh_of_no_devices_is_refused(devices: int) -> None:
    with pytest.raises(MeshError, match=f"at least 1 device; found {devices}"):
        mesh_sizes(MeshConfig(), devices)


def test_mesh_of_the_devices_here() -> None:
    mesh = build_mesh(MeshConfig(data=2, tensor=2))
    assert dict(mesh.shape) == {"data": 2, "fsdp": 2, "context": 1, "tensor": 2}
    assert set(mesh.axis_types) == {AxisType.Auto}
    assert [d.id for d in mesh.devices.ravel()] == [d.id for d in jax.devices()]


def test_mesh_of_some_devices() -> None:
    assert build_mesh(MeshConfig(), jax.devices()[:3]).shape["fsdp"] == 3


@pytest.mark.parametrize(
    ("config", "hosts", "tensor_hosts", "expected_across"),
    [
        # axes that cross hosts, outermost first
        ({"data": 4, "fsdp": 4, "tensor": 2}, 4, 1, ("data",)),
        ({"fsdp": 32}, 4, 1, ("fsdp",)),
        ({"data": 2, "fsdp": 8, "context": 2}, 4, 1, ("data", "fsdp")),
        ({"fsdp": 4, "tensor": 8}, 4, 1, ("fsdp",)),
        ({"fsdp": 2, "context": 4, "tensor": 4}, 4, 1, ("fsdp", "context")),
        ({"data": 3, "fsdp": 8}, 3, 1, ("data",)),
        # wider than a host: it fills whole hosts before it reaches the next
        ({"fsdp": 2, "tensor": 16}, 4, 2, ("fsdp", "tensor")),
    ],
)
def test_tensor_stays_in_a_host_and_outer_axes_cross_first(
    config: dict[str, int], hosts: int, tensor_hosts: int, expected_across: tuple[str, ...]
) -> None:
    devices = [FakeDevice(number, number // 8) for number in range(8 * hosts)]
    mesh = build_mesh(MeshConfig(**config), devices)
    of_host = np.vectorize(lambda device: device.process_index)(mesh.devices)
    rows = of_host.reshape(-1, mesh.shape["tensor"])
    assert {len(set(row)) for row in rows.tolist()} == {tensor_hosts}
    first = (0,) * 4
    across = []
    for dim, axis in enumerate(MESH_AXES):
        line = of_host[tuple(slice(None) if d == dim else 0 for d in range(4))]
        if set(line.tolist()) != {of_host[first]}:
            across.append(axis)
    assert tuple(across) == expected_across
    assert sorted(d.id for d in mesh.devices.ravel()) == list(range(8 * hosts))


def test_tensor_neighbours_are_neighbouring_devices() -> None:
    devices = [FakeDevice(number, number // 8) for number in range(16)]
    ids = np.vectorize(lambda device: device.id)(build_mesh(MeshConfig(tensor=4), devices).devices)
    assert (np.diff(ids, axis=-1) == 1).all()


def test_tensor_across_tpu_slices_is_refused() -> None:
    devices: list[Any] = [
        FakeDevice(number, number // 4, platform="tpu", slice_index=number // 8) for number in range(16)
    ]
    with pytest.raises(MeshError, match=r"laid over 2 slices of 8 devices.* choose mesh.tensor among 1, 2, 4, 8"):
        build_mesh(MeshConfig(tensor=16), devices)


def test_paper_trap_of_70b_on_160_devices_names_working_layouts() -> None:
    started = time.monotonic()
    with pytest.raises(MeshError) as caught:
        abstract_state(llama_70b(), abstract(fsdp=160))
    message = str(caught.value)
    assert message.startswith("embedding: dimension embed 8192 is not divisible by mesh.fsdp 160; layouts of 160")
    assert "that work: data 5 x fsdp 32 x tensor 1;" in message
    state = abstract_state(llama_70b(), abstract(data=5, fsdp=32))
    assert num_parameters(state.params) == 68_976_648_192
    assert time.monotonic() - started < 10
    assert all(isinstance(leaf, jax.ShapeDtypeStruct) for leaf in jax.tree.leaves(state))


def test_proposed_layouts_are_accepted() -> None:
    with pytest.raises(MeshError) as caught:
        abstract_state(llama_70b(), abstract(fsdp=10, context=2, tensor=20))
    message = str(caught.value)
    assert "kv_heads 8 is not divisible by mesh.tensor 20" in message or "embed 8192" in message
    layouts = message.rpartition("that work: ")[2].split("; ")
    assert len(layouts) == 4
    for layout in layouts:
        sizes = {axis: int(size) for axis, size in (part.split() for part in layout.split(" x "))}
        assert math.prod(sizes.values()) == 400
        assert sizes["context"] == 2
        abstract_state(llama_70b(), abstract(**sizes))


@pytest.mark.parametrize(
    ("sizes", "dimension", "axis"),
    [
        ({"fsdp": 3}, "embed 64", "mesh.fsdp 3"),
        ({"tensor": 4}, "kv_heads 2", "mesh.tensor 4"),
        ({"tensor": 3}, "vocab 256", "mesh.tensor 3"),
    ],
)
def test_indivisible_dimension_is_named(sizes: dict[str, int], dimension: str, axis: str) -> None:
    with pytest.raises(MeshError) as caught:
        abstract_state(Config(), abstract(**sizes))
    assert f"{dimension} is not divisible by {axis}; " in str(caught.value)


@pytest.mark.parametrize(
    ("sizes", "rows", "length", "problem"),
    [
        ({"data": 2, "fsdp": 4}, 12, 64, "12 rows of a micro-batch are not divisible by mesh.data x mesh.fsdp = 8; a "),
        ({"data": 2, "fsdp": 4}, 12, 64, "a micro-batch of 8 or 16 rows works"),
        ({"fsdp": 8}, 4, 64, "a micro-batch of 8 rows works"),
        ({"context": 4, "tensor": 2}, 4, 60, "train.sequence_length 60 is not divisible by mesh.context x mesh.tensor"),
        ({"context": 4, "tensor": 2}, 4, 60, "56 or 64 works"),
        ({"context": 8}, 4, 4, "= 8; 8 works"),
    ],
)
def test_batch_that_the_mesh_cannot_split(sizes: dict[str, int], rows: int, length: int, problem: str) -> None:
    with pytest.raises(MeshError) as caught:
        check_batch(abstract(**sizes), rows=rows, sequence_length=length)
    assert problem in str(caught.value)


def test_batch_error_names_the_setting() -> None:
    with pytest.raises(MeshError, match=r"^eval\.batch_size: 3 rows"):
        check_batch(abstract(fsdp=2), rows=3, sequence_length=8, name="eval.batch_size")
    check_batch(abstract(fsdp=2, context=2, tensor=2), rows=4, sequence_length=8)


def test_specs_follow_the_table() -> None:
    assert spec_of(("vocab", "embed")) == PartitionSpec("tensor", "fsdp")
    assert spec_of(("vocab", "embed"), without="fsdp") == PartitionSpec("tensor", None)
    assert spec_of(("batch", None, "heads")) == PartitionSpec(("data", "fsdp"), None, "tensor")
    assert {a for axes in LOGICAL_AXES.values() for a in np.ravel(axes or ())} <= set(MESH_AXES)
    with pytest.raises(KeyError):
        spec_of(("width",))


def test_rows_of_one_process_are_all_rows() -> None:
    mesh = build_mesh(MeshConfig(data=2, fsdp=2, context=2))
    assert local_rows(sharding_of(mesh, ("batch", "sequence")), 8) == list(range(8))


def test_rows_of_a_process_among_several(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = build_mesh(MeshConfig(data=2, fsdp=2, context=2))
    sharding = sharding_of(mesh, ("batch", "sequence"))
    whole = type(sharding).addressable_devices_indices_map

    def of_second_half(self: Any, shape: tuple[int, ...]) -> Any:
        return {device: span for device, span in whole(self, shape).items() if device.id >= 4}

    monkeypatch.setattr(type(sharding), "addressable_devices_indices_map", of_second_half)
    assert local_rows(sharding, 12) == list(range(6, 12))


def test_gather_and_constrain_do_nothing_without_a_mesh() -> None:
    x = jax.numpy.ones((4, 4))
    assert gather(x, ("embed", "mlp")) is x
    assert constrain(x, "batch", None) is x


def test_gradient_of_gather_lies_as_the_parameter() -> None:
    mesh = build_mesh(MeshConfig(fsdp=4, tensor=2))
    with jax.set_mesh(mesh):
        x = jax.device_put(np.arange(64.0).reshape(8, 8), sharding_of(mesh, ("embed", "mlp")))
        value, gradient = jax.jit(jax.value_and_grad(lambda x: jax.numpy.square(gather(x, ("embed", "mlp"))).sum()))(x)
    assert float(value) == float((np.arange(64.0) ** 2).sum())
    np.testing.assert_array_equal(gradient, 2 * np.arange(64.0).reshape(8, 8))
    assert gradient.sharding.shard_shape(gradient.shape) == (2, 4)
