"""What accelerators can do: throughput, memory and links from the vendors' data sheets."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import jax


@dataclasses.dataclass(frozen=True)
class Accelerator:
    """One kind of device.

    Attributes:
        name: Short name used in reports.
        peak_flops: Dense bf16 matrix throughput without sparsity, FLOP/s.
        memory_bytes: Device memory, bytes.
        memory_bandwidth: Of that memory, bytes/s.
        link_bandwidth: Bytes/s that one device sends to its neighbours: all of NVLink within a node; on a TPU the two
            links of one dimension of the torus.
        network_bandwidth: Bytes/s that one device's share of the network between nodes carries, as vendors build such
            nodes (one adapter per GPU: 200 Gbit/s for A100, 400 for later ones); as the links for a TPU slice.
        watts: Board power, for a bound on energy; None where the vendor states none.
        compute_capability: CUDA's generation number; None for a TPU.
    """

    name: str
    peak_flops: float
    memory_bytes: int
    memory_bandwidth: float
    link_bandwidth: float
    network_bandwidth: float
    watts: float | None = None
    compute_capability: tuple[int, int] | None = None

    def ring_bandwidth(self, group: int, in_node: int) -> float:
        """Bytes/s that each of a group of GPUs can send around it.

        Args:
            group: Devices that take part.
            in_node: How many of them share a node; as many rings cross to the next, each over an adapter of its own.
        """
        if in_node >= group:
            return self.link_bandwidth
        return min(self.link_bandwidth, in_node * self.network_bandwidth)


_GIB = 1024**3
A100_80GB = Accelerator("A100-80GB", 312e12, 80 * _GIB, 2039e9, 300e9, 25e9, 400, (8, 0))
A100_40GB = Accelerator("A100-40GB", 312e12, 40 * _GIB, 1555e9, 300e9, 25e9, 400, (8, 0))
H100 = Accelerator("H100", 989e12, 80 * _GIB, 3350e9, 450e9, 50e9, 700, (9, 0))
H100_PCIE = Accelerator("H100-PCIe", 756e12, 80 * _GIB, 2000e9, 64e9, 50e9, 350, (9, 0))
H100_NVL = Accelerator("H100-NVL", 835e12, 94 * 10**9, 3900e9, 300e9, 50e9, 400, (9, 0))
H200 = Accelerator("H200", 989e12, 141 * 10**9, 4800e9, 450e9, 50e9, 700, (9, 0))
B200 = Accelerator("B200", 2250e12, 180 * 10**9, 8000e9, 900e9, 50e9, 1000, (10, 0))
TPU_V4 = Accelerator("TPU v4", 275e12, 32 * _GIB, 1228e9, 100e9, 100e9)
TPU_V5E = Accelerator("TPU v5e", 197e12, 16 * _GIB, 819e9, 100e9, 100e9)
TPU_V5P = Accelerator("TPU v5p", 459e12, 95 * _GIB, 2765e9, 200e9, 200e9)
TPU_V6E = Accelerator("TPU v6e", 918e12, 32 * _GIB, 1640e9, 200e9, 200e9)

# Longest names first: the first whose words stand in the lower-case `device_kind` is taken (whole words: a GH200 is
# no H200 and a GB200 no B200).
_BY_DEVICE_KIND = (
    ("a100-sxm4-80gb", A100_80GB),
    ("a100-sxm-80gb", A100_80GB),
    ("a100 80gb", A100_80GB),
    ("a100", A100_40GB),
    ("h200", H200),
    ("h100 pcie", H100_PCIE),
    ("h100 nvl", H100_NVL),
    ("h100", H100),
    ("b200", B200),
    ("tpu v6e", TPU_V6E),
    ("tpu v6", TPU_V6E),
    ("tpu v5 lite", TPU_V5E),
    ("tpu v5e", TPU_V5E),
    ("tpu v5p", TPU_V5P),
    ("tpu v5", TPU_V5P),
    ("tpu v4", TPU_V4),
)


def accelerator_of(device: Any) -> Accelerator | None:
    """The data sheet of a device, or None when it is not in the table (then MFU is not reported)."""
    kind = device.device_kind.lower()
    return next((sheet for key, sheet in _BY_DEVICE_KIND if re.search(rf"\b{key}\b", kind)), None)


def compute_capability(device: Any) -> tuple[int, int] | None:
    """CUDA's generation number of a device, (9, 0) for an H100; None for other platforms and unknown absent devices."""
    stated = getattr(device, "compute_capability", None)
    if stated is not None:
        major, minor = str(stated).split(".")
        return int(major), int(minor)
    sheet = accelerator_of(device)
    return sheet.compute_capability if sheet is not None else None


def has_fp8(device: Any) -> bool:
    """Whether a device multiplies 8-bit floating point: CUDA 8.9 and later, TPUs newer than the table; CPUs emulate."""
    if device.platform == "tpu":
        return accelerator_of(device) is None
    capability = compute_capability(device)
    return device.platform == "cpu" or (capability is not None and capability >= (8, 9))


def memory_in_use(devices: Sequence[Any] | None = None) -> int | None:
    """Peak bytes in use on the busiest local device since the start, or None where the backend does not count them."""
    peaks = []
    for device in devices or jax.local_devices():
        stats = device.memory_stats()
        if stats and "peak_bytes_in_use" in stats:
            peaks.append(stats["peak_bytes_in_use"])
    return max(peaks) if peaks else None
