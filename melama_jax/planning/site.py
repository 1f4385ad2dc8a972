"""What a pre-flight measures of processes, devices, links, clocks and the run folder, and how it is judged."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import math
import os
import platform
import shutil
import socket
import statistics
import time
from collections.abc import Callable, Collection, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from melama_jax.config import Config, dump_yaml
from melama_jax.errors import CheckpointError, MeshError
from melama_jax.parallel import mesh as meshes
from melama_jax.parallel.agreement import clock_offsets, exchange, some
from melama_jax.parallel.flags import advice as flags_advice
from melama_jax.parallel.hardware import accelerator_of
from melama_jax.parallel.links import MatmulProbe, all_reduce_seconds, bus_bandwidth
from melama_jax.planning.preflight import Check, Finding, differing, spread
from melama_jax.training import state as states
from melama_jax.training.report import format_bytes
from melama_jax.training.step import check_layout
from melama_jax.training.versions import source_fingerprint

_FILE_BYTES = 32 * 2**20
_CLOCK_WARN, _CLOCK_FAIL = 1.0, 60.0
_SLOW_DEVICE, _OF_SHEET = 0.85, 0.4
"""Shares of the median of all devices, and of the data sheet, below which a figure is remarked on."""


class Site:
    """The checks of one job, which share the mesh and what is known of the processes."""

    def __init__(self, config: Config, *, timeout_seconds: float, lost: Collection[int] = ()):
        """Gather what the checks need.

        Args:
            config: The run's configuration.
            timeout_seconds: How long one check may take.
            lost: Processes that are not waited for; it may grow.
        """
        self._config, self._timeout, self._lost = config, timeout_seconds, lost
        self._mesh: jax.sharding.Mesh | None = None
        self._state: Any = None
        self._hosts: dict[int, str] = {}

    def checks(self) -> list[Check]:
        """All of them but those of the data, in the order in which they build on each other."""
        return [
            Check("processes", _describe_process(self._config), self._judge_processes),
            Check("clocks", lambda: clock_offsets(timeout_seconds=self._timeout / 2), _judge_clocks, collective=True),
            Check("limits", _limits, _judge_limits),
            Check("devices", _devices, _judge_devices),
            Check("flags", lambda: flags_advice(jax.local_devices()[0]), _judge_flags),
            Check("mesh and batch", self._lay_out, _judge_layout),
            Check("memory", _memory, self._judge_memory),
            Check("matrix products", _matrix_products, _judge_matrix_products),
            *(self._all_reduce(axis) for axis in meshes.MESH_AXES if self._may_have(axis)),
            Check("run folder", self._run_folder, self._judge_run_folder),
        ]

    def _may_have(self, axis: str) -> bool:
        with contextlib.suppress(MeshError):  # the check of the mesh says so
            return meshes.mesh_sizes(self._config.mesh, jax.device_count())[axis] > 1
        return False

    def _judge_processes(self, found: Mapping[int, dict[str, Any]]) -> Finding:
        self._hosts = {process: said["host"] for process, said in found.items()}
        one = found[0]
        for what, name in (("config", "configuration"), ("source", "source code of melama_jax")):
            odd = differing({process: said[what] for process, said in found.items()})
            if odd:
                return Finding("processes", "failed", f"{some(odd)}: another {name}", "give all the same files")
        odd = differing({process: said["versions"] for process, said in found.items()})
        if odd:
            first = next(iter(odd.values()))
            usual = next(said["versions"] for process, said in found.items() if process not in odd)
            shown = ", ".join(
                f"{key} {first[key]} instead of {usual[key]}" for key in usual if first[key] != usual[key]
            )
            return Finding("processes", "failed", f"{some(odd)}: {shown}", "use one environment on all hosts")
        hosts = len(set(self._hosts.values()))
        versions = ", ".join(f"{name} {number}" for name, number in one["versions"].items())
        return Finding("processes", "ok", f"{len(found)} on {hosts} host(s); {versions}; code {one['source']}")

    def _lay_out(self) -> dict[str, Any]:
        mesh = meshes.build_mesh(self._config.mesh)
        check_layout(self._config, mesh)
        self._state = states.abstract_state(self._config, mesh)
        self._mesh = mesh
        return dict(mesh.shape)

    def _judge_memory(self, found: Mapping[int, list[dict[str, int]]]) -> Finding:
        devices = [device for said in found.values() for device in said]
        if self._state is None or not devices:
            reason = "the devices do not count their memory" if self._state is not None else "there is no mesh"
            return Finding("memory", "skipped", reason)
        needed = states.shard_bytes(self._state)
        free = min(device["limit"] - device["used"] for device in devices)
        figure = f"{format_bytes(free)} free on the fullest device; the state takes {format_bytes(needed)}"
        if needed > free:
            return Finding("memory", "failed", figure, "shard over more devices; see python -m melama_jax.plan")
        used = max(device["used"] for device in devices)
        if used > 2**30:
            return Finding("memory", "warning", figure, f"something already holds {format_bytes(used)} there")
        return Finding("memory", "ok", figure)

    def _all_reduce(self, axis: str) -> Check:
        nbytes = 2**22 if jax.devices()[0].platform == "cpu" else 2**27

        def measure() -> float | None:
            return None if self._mesh is None else all_reduce_seconds(self._mesh, axis, nbytes)

        def judge(found: Mapping[int, float | None]) -> Finding:
            name, times = f"all-reduce {axis}", [seconds for seconds in found.values() if seconds]
            if self._mesh is None or not times:
                return Finding(name, "skipped", "there is no mesh")
            group = self._mesh.shape[axis]
            rates = [bus_bandwidth(nbytes, group, seconds) for seconds in times]
            figure = f"{spread([rate / 1e9 for rate in rates], 'GB/s')} bus bandwidth, {group} devices, "
            figure += f"{format_bytes(nbytes)} each in {max(times) * 1e3:.3g} ms"
            expected = self._expected_bandwidth(axis)
            if expected is None:
                return Finding(name, "ok", figure)
            figure += f"; data sheet {expected / 1e9:.3g}"
            if min(rates) < _OF_SHEET * expected:
                return Finding(name, "warning", figure, "look at NVLink, network adapters and NCCL_DEBUG=INFO")
            return Finding(name, "ok", figure)

        return Check(f"all-reduce {axis}", measure, judge, collective=True)

    def _expected_bandwidth(self, axis: str) -> float | None:
        """Of the data sheet for the axis, by the model of the plan; None where there is none."""
        assert self._mesh is not None
        sheet = accelerator_of(self._mesh.devices.flat[0])
        if sheet is None or self._mesh.devices.flat[0].platform != "gpu":
            return None
        places = np.moveaxis(self._mesh.devices, self._mesh.axis_names.index(axis), -1).reshape(
            -1, self._mesh.shape[axis]
        )
        hosts = [self._hosts.get(device.process_index, "") for device in places[0]]
        return sheet.ring_bandwidth(len(hosts), max(hosts.count(host) for host in hosts))

    def _run_folder(self) -> dict[str, Any]:
        """Write, see, read and delete; process 0 makes a folder of its own for it and takes everything away again."""
        run_dir, process = Path(self._config.run.dir).absolute(), jax.process_index()
        made = [folder for folder in (run_dir, *run_dir.parents) if not folder.exists()] if process == 0 else []
        probe = run_dir / f".preflight-{socket.gethostname()}-{os.getpid()}"
        trouble = _as_text(lambda: _open_probe(probe)) if process == 0 else None
        try:
            word = json.dumps({"probe": probe.name, "trouble": trouble})
            said = exchange("preflight-folder/open", word, timeout_seconds=self._timeout / 2, without=self._lost)
            told = json.loads(said.get(0, '{"probe": "", "trouble": "process 0 did not answer"}'))
            figures: dict[str, Any] = {"trouble": told["trouble"]}
            if told["trouble"] is None:
                probe, figures["visible"] = run_dir / told["probe"], False
                for _ in range(20):  # a network file system may take a moment to show a new file
                    if (probe / "marker").is_file():
                        figures["visible"] = True
                        break
                    time.sleep(0.25)
                if figures["visible"]:
                    rates: dict[str, float] = {}
                    figures["trouble"] = _as_text(lambda: rates.update(_write_and_read(probe / str(process))))
                    figures |= rates
            exchange("preflight-folder/close", "", timeout_seconds=self._timeout / 2, without=self._lost)
            if process == 0 and trouble is None:
                figures["free"] = shutil.disk_usage(run_dir).free
                figures["locked"] = _is_locked(run_dir / ".lock")
            return figures
        finally:
            if process == 0:
                shutil.rmtree(probe, ignore_errors=True)
                for folder in made:
                    with contextlib.suppress(OSError):
                        folder.rmdir()

    def _judge_run_folder(self, found: Mapping[int, dict[str, Any]]) -> Finding:
        name, where = "run folder", self._config.run.dir
        troubles = {process: said["trouble"] for process, said in found.items() if said["trouble"]}
        if troubles:
            first = min(troubles)
            return Finding(name, "failed", f"{some(troubles)}: {troubles[first]}", "choose another run.dir, or mend it")
        blind = [process for process, said in found.items() if not said["visible"]]
        if blind:
            figure = f"{some(blind)} on {self._hosts.get(blind[0], '?')}: does not see what process 0 wrote in {where}"
            return Finding(name, "failed", figure, "run.dir must lie on a file system that all hosts share")
        if found[0]["locked"]:
            return Finding(
                name, "failed", f"another job is training in {where}", "wait for it, or choose another run.dir"
            )
        figure = ", ".join(
            f"{word} {spread([said[key] / 1e6 for said in found.values()], 'MB/s')}"
            for word, key in (("write", "write"), ("read", "read"))
        )
        free = found[0]["free"]
        figure += f" per process; {format_bytes(free)} free"
        if self._state is None:
            return Finding(name, "ok", figure)
        one = sum(math.prod(leaf.shape) * jnp.dtype(leaf.dtype).itemsize for leaf in jax.tree.leaves(self._state))
        copies = self._config.checkpoint.keep_last + 1  # a new one is written before the oldest goes
        figure += f", a checkpoint takes {format_bytes(one)}"
        if free < one:
            return Finding(name, "failed", figure, "not even one checkpoint fits; make room")
        if free < copies * one:
            return Finding(name, "warning", figure, f"checkpoint.keep_last {copies - 1} needs room for {copies}")
        return Finding(name, "ok", figure)


def _describe_process(config: Config) -> Callable[[], dict[str, Any]]:
    def describe() -> dict[str, Any]:
        return {
            "host": socket.gethostname(),
            "config": hashlib.sha256(dump_yaml(config).encode()).hexdigest()[:12],
            "source": source_fingerprint()[:12],
            "versions": {"python": platform.python_version(), "jax": version("jax"), "jaxlib": version("jaxlib")},
        }

    return describe


def _judge_clocks(found: Mapping[int, dict[str, list[float]]]) -> Finding:
    offsets = {int(process): pair for process, pair in found[0].items()}
    if not offsets:
        return Finding("clocks", "ok", "one process")
    worst = max(offsets, key=lambda process: abs(offsets[process][0]))
    ahead, within = offsets[worst]
    figure = f"process {worst} is {abs(ahead):.3g} s {'ahead' if ahead > 0 else 'behind'} (known to {within:.2g} s)"
    sure = abs(ahead) - within
    advice = "set the hosts' clocks by NTP"
    if sure > _CLOCK_WARN:
        return Finding("clocks", "failed" if sure > _CLOCK_FAIL else "warning", figure, advice)
    return Finding("clocks", "ok", f"at most {abs(ahead):.2g} s apart (known to {within:.2g} s)")


def _limits() -> dict[str, int]:
    import resource

    shared = Path("/dev/shm")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return {
        "files": 2**31 if hard == resource.RLIM_INFINITY else hard,
        "shared memory": shutil.disk_usage(shared).free if shared.is_dir() else 0,
        "gpu": int(jax.local_devices()[0].platform == "gpu"),
    }


def _judge_limits(found: Mapping[int, dict[str, int]]) -> Finding:
    files = min(said["files"] for said in found.values())
    shared = min(said["shared memory"] for said in found.values())
    figure = f"open files {'unlimited' if files >= 2**31 else f'{files:,}'}, /dev/shm {format_bytes(shared)} free"
    if files < 4096:
        return Finding("limits", "warning", figure, "raise the hard limit of open files (ulimit -Hn) to 65536")
    if shared < 2**30 and found[0]["gpu"]:
        return Finding(
            "limits", "warning", figure, "NCCL uses /dev/shm; give the container more (--shm-size, --ipc=host)"
        )
    return Finding("limits", "ok", figure)


def _devices() -> dict[str, Any]:
    local = jax.local_devices()
    return {"count": len(local), "kind": local[0].device_kind, "platform": local[0].platform}


def _judge_devices(found: Mapping[int, dict[str, Any]]) -> Finding:
    odd = differing(found)
    if odd:
        process, said = next(iter(odd.items()))
        usual = next(said for process, said in found.items() if process not in odd)
        figure = f"{some(odd)}: {said['count']} x {said['kind']}, the others {usual['count']} x {usual['kind']}"
        return Finding("devices", "failed", figure, f"look at the drivers and visible devices of process {process}")
    total = sum(said["count"] for said in found.values())
    return Finding("devices", "ok", f"{total} x {found[0]['kind']}, {found[0]['count']} in each process")


def _judge_flags(found: Mapping[int, str | None]) -> Finding:
    bare = {process: said for process, said in found.items() if said}
    if bare:
        return Finding("flags", "warning", f"{some(bare)}: {bare[min(bare)].removeprefix('warning: ')}")
    return Finding("flags", "ok", "none is missing")


def _judge_layout(found: Mapping[int, dict[str, int]]) -> Finding:
    shown = " x ".join(f"{axis} {size}" for axis, size in found[0].items())
    return Finding("mesh and batch", "ok", shown)


def _memory() -> list[dict[str, int]]:
    stats = [device.memory_stats() or {} for device in jax.local_devices()]
    return [{"limit": s["bytes_limit"], "used": s["bytes_in_use"]} for s in stats if "bytes_limit" in s]


def _matrix_products() -> list[dict[str, Any]]:
    devices = jax.local_devices()
    probe = MatmulProbe(devices, dim=8192)
    return [
        {"device": device.id, "rate": probe.flops / seconds}
        for device, seconds in zip(devices, probe.seconds(), strict=True)
    ]


def _judge_matrix_products(found: Mapping[int, list[dict[str, Any]]]) -> Finding:
    name = "matrix products"
    rates = {(process, said["device"]): said["rate"] for process, list_ in found.items() for said in list_}
    median = statistics.median(rates.values())
    figure = f"{spread([rate / 1e12 for rate in rates.values()], 'TFLOP/s')} per device"
    device = jax.devices()[0]
    if device.platform == "cpu":  # its devices share the cores
        return Finding(name, "ok", figure)
    slow = [place for place, rate in rates.items() if rate < _SLOW_DEVICE * median]
    if slow:
        shown = ", ".join(f"{device} of process {process}" for process, device in slow[:6])
        figure += f"; below {_SLOW_DEVICE:.0%} of the median: device {shown}"
        return Finding(name, "warning", figure, "look at their clocks, temperature and what else runs there")
    sheet = accelerator_of(device)
    if sheet is not None and median < _OF_SHEET * sheet.peak_flops:
        return Finding(
            name, "warning", f"{figure}; data sheet {sheet.peak_flops / 1e12:.4g}", "look at power and clocks"
        )
    return Finding(name, "ok", figure)


def _open_probe(probe: Path) -> None:
    probe.mkdir(parents=True)
    (probe / "marker").write_text("")


def _write_and_read(path: Path) -> dict[str, float]:
    """Bytes/s of writing to the disk and of reading back, dropped from the page cache where the system lets us."""
    block = np.random.default_rng(0).bytes(_FILE_BYTES)
    begun = time.perf_counter()
    with path.open("wb") as stream:
        stream.write(block)
        stream.flush()
        os.fsync(stream.fileno())
    write = time.perf_counter() - begun
    with path.open("rb") as stream:
        os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        begun = time.perf_counter()
        same = stream.read() == block
    read = time.perf_counter() - begun
    path.unlink()
    if not same:
        raise CheckpointError(f"{path.parent.parent}: what was read is not what was written")
    return {"write": _FILE_BYTES / write, "read": _FILE_BYTES / read}


def _is_locked(path: Path) -> bool:
    """Whether a job holds the lock of the run folder."""
    with contextlib.suppress(OSError), path.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _as_text(action: Callable[[], Any]) -> str | None:
    """What went wrong in words, or None."""
    try:
        action()
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    except CheckpointError as error:
        return str(error)
    return None
