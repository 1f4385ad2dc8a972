"""Memory is used again, and never while anything still refers to it."""

from __future__ import annotations

import gc

import numpy as np

from conversion import buffers

SHAPE, DTYPE = (1024, 1024), np.dtype(np.uint16)


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_memory_comes_back() -> None:
    first = buffers.empty(SHAPE, DTYPE)
    place = address(first)
    del first
    gc.collect()
    assert address(buffers.empty((2048, 512), DTYPE)) == place


def test_a_view_keeps_its_memory() -> None:
    first = buffers.empty(SHAPE, DTYPE)
    first[...] = 7
    view = first.view(np.int16)[10:20].reshape(-1)
    del first
    gc.collect()
    second = buffers.empty(SHAPE, DTYPE)
    second[...] = 9
    assert (view == 7).all()


def test_other_sizes_get_their_own_and_little_is_kept() -> None:
    kept = [buffers.empty((2**20 + i,), np.dtype(np.uint8)) for i in range(300)]
    assert len({address(array) for array in kept}) == 300
    del kept
    gc.collect()
    assert sum(map(len, buffers._free)) <= buffers._MOST_BYTES
