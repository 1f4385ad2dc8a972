"""What accelerators can do: peak matrix throughput and memory, from the vendors' data sheets."""

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
    """

    name: str
    peak_flops: float
    memory_bytes: int


_GIB = 1024**3
# Longest names first: the first whose words stand in the lower-case `device_kind` is taken (whole words: a GH200 is
# no H200 and a GB200 no B200).
_BY_DEVICE_KIND = (
    ("a100-sxm4-80gb", Accelerator("A100-80GB", 312e12, 80 * _GIB)),
    ("a100-sxm-80gb", Accelerator("A100-80GB", 312e12, 80 * _GIB)),
    ("a100 80gb", Accelerator("A100-80GB", 312e12, 80 * _GIB)),
    ("a100", Accelerator("A100-40GB", 312e12, 40 * _GIB)),
    ("h200", Accelerator("H200", 989e12, 141 * 10**9)),
    ("h100 pcie", Accelerator("H100-PCIe", 756e12, 80 * _GIB)),
    ("h100 nvl", Accelerator("H100-NVL", 835e12, 94 * 10**9)),
    ("h100", Accelerator("H100", 989e12, 80 * _GIB)),
    ("b200", Accelerator("B200", 2250e12, 180 * 10**9)),
    ("tpu v6e", Accelerator("TPU v6e", 918e12, 32 * _GIB)),
    ("tpu v6", Accelerator("TPU v6e", 918e12, 32 * _GIB)),
    ("tpu v5 lite", Accelerator("TPU v5e", 197e12, 16 * _GIB)),
    ("tpu v5e", Accelerator("TPU v5e", 197e12, 16 * _GIB)),
    ("tpu v5p", Accelerator("TPU v5p", 459e12, 95 * _GIB)),
    ("tpu v5", Accelerator("TPU v5p", 459e12, 95 * _GIB)),
    ("tpu v4", Accelerator("TPU v4", 275e12, 32 * _GIB)),
)


def accelerator_of(device: Any) -> Accelerator | None:
    """The data sheet of a device, or None when it is not in the table (then MFU is not reported)."""
    kind = device.device_kind.lower()
    return next((sheet for key, sheet in _BY_DEVICE_KIND if re.search(rf"\b{key}\b", kind)), None)


def memory_in_use(devices: Sequence[Any] | None = None) -> int | None:
    """Peak bytes in use on the busiest local device since the start, or None where the backend does not count them."""
    peaks = []
    for device in devices or jax.local_devices():
        stats = device.memory_stats()
        if stats and "peak_bytes_in_use" in stats:
            peaks.append(stats["peak_bytes_in_use"])
    return max(peaks) if peaks else None
