"""Who takes part in the run: one process, a SLURM or Open MPI job, a TPU slice, or processes named by variables."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import socket
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax

from melama_jax.errors import MeshError
from melama_jax.parallel.rendezvous import meet

HEARTBEAT_SECONDS = 50
"""JAX ends a process that cannot reach the others for so long; its abort is the last resort behind `peers`."""
_LOOPBACK_OVERRIDE = "MELAMA_ALLOW_LOOPBACK"
_PMIX_SERVERS = ("PMIX_SERVER_URI41", "PMIX_SERVER_URI4", "PMIX_SERVER_URI3", "PMIX_SERVER_URI21", "PMIX_SERVER_URI2")


@dataclasses.dataclass(frozen=True)
class Cluster:
    """What the environment says about the job.

    Attributes:
        kind: "single process", "SLURM", "Open MPI", "TPU" or "environment".
        num_processes: Processes of the job; 0 where the TPU runtime finds out by itself.
        process_id: This process, from 0.
        coordinator: host:port of process 0, or None where it is not needed.
        num_hosts: Hosts of the job, or None when the environment does not say.
        local_device_ids: The devices this process takes of a host that runs several processes; None for all.
    """

    kind: str
    num_processes: int = 1
    process_id: int = 0
    coordinator: str | None = None
    num_hosts: int | None = 1
    local_device_ids: tuple[int, ...] | None = None

    def describe(self) -> str:
        """One line for the log."""
        if self.kind == "single process":
            return "single process"
        if self.kind == "TPU":
            return "TPU slice of several hosts (found by the TPU runtime)"
        hosts = "" if self.num_hosts is None else f" on {self.num_hosts} host{'s' if self.num_hosts != 1 else ''}"
        return f"{self.kind}: process {self.process_id} of {self.num_processes}{hosts}, coordinator {self.coordinator}"


def detect(environ: Mapping[str, str] | None = None) -> Cluster:
    """Read the job's shape from environment variables, without starting anything.

    In order: JAX_COORDINATOR_ADDRESS with JAX_NUM_PROCESSES and JAX_PROCESS_ID; an Open MPI job of several ranks; a
    SLURM step of several tasks; a TPU slice of several workers; else one process.

    Raises:
        MeshError: The variables contradict each other, several hosts would meet at a loopback address, or a host's
            GPUs do not divide among its processes.
    """
    env = os.environ if environ is None else environ
    # mpirun inside a SLURM allocation: remote ranks inherit the variables of the step that started its daemons.
    cluster = _from_variables(env) or _from_open_mpi(env) or _from_slurm(env) or _from_tpu(env)
    if cluster is None:
        if _number(env, "JAX_NUM_PROCESSES", 1) > 1:
            raise MeshError(
                f"JAX_NUM_PROCESSES is {env['JAX_NUM_PROCESSES']}, so JAX_COORDINATOR_ADDRESS must be host:port of "
                f"process 0; without it every process would train alone"
            )
        cluster = Cluster("single process")
    _refuse_loopback(cluster, env)
    return cluster


_joined: Cluster | None = None


def initialize(echo: Callable[[str], None] = print, *, timeout_seconds: float = 300) -> Cluster:
    """Detect the job, connect its processes, and say what was found (process 0 alone); once in a process.

    Args:
        echo: Where the two lines go.
        timeout_seconds: How long to wait for the other processes.

    Raises:
        MeshError: The job's description cannot work, or its processes did not meet.
    """
    global _joined
    if _joined is not None:
        return _joined
    cluster = detect()
    if cluster.kind == "TPU":
        _connect(cluster)
    elif cluster.num_processes > 1:
        assert cluster.coordinator is not None
        meet(cluster.coordinator, cluster.num_processes, cluster.process_id, timeout_seconds=timeout_seconds)
        _connect(
            cluster,
            coordinator_address=cluster.coordinator,
            num_processes=cluster.num_processes,
            process_id=cluster.process_id,
            local_device_ids=list(cluster.local_device_ids) if cluster.local_device_ids else None,
            # Ours is done above; JAX's would restrict a process that owns a whole node to its first device.
            cluster_detection_method="deactivate",
        )
    if jax.process_index() == 0:
        devices = jax.devices()
        echo(f"cluster: {cluster.describe()}")
        echo(f"devices: {len(devices)} x {devices[0].device_kind} in {jax.process_count()} process(es)")
    _joined = cluster
    return cluster


def _connect(cluster: Cluster, **arguments: Any) -> None:
    """JAX's own meeting; on a TPU slice, whose runtime finds the others, the only one."""
    try:
        jax.distributed.initialize(**arguments, heartbeat_timeout_seconds=HEARTBEAT_SECONDS)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MeshError(
            f"{cluster.describe()}: the processes did not meet: {reason}; check that port and host are reachable"
        ) from None


def _from_variables(env: Mapping[str, str]) -> Cluster | None:
    address = env.get("JAX_COORDINATOR_ADDRESS")
    if not address:
        return None
    try:
        processes, process = int(env["JAX_NUM_PROCESSES"]), int(env["JAX_PROCESS_ID"])
    except (KeyError, ValueError):
        raise MeshError(
            f"JAX_COORDINATOR_ADDRESS is {address!r}, so JAX_NUM_PROCESSES and JAX_PROCESS_ID must be whole numbers "
            f"too; found {env.get('JAX_NUM_PROCESSES')!r} and {env.get('JAX_PROCESS_ID')!r}"
        ) from None
    if not re.fullmatch(r".+:\d+", address):
        raise MeshError(f"JAX_COORDINATOR_ADDRESS {address!r} must be host:port")
    if not 0 <= process < processes:
        raise MeshError(f"JAX_PROCESS_ID {process} must lie in 0..{processes - 1} (JAX_NUM_PROCESSES {processes})")
    hosts = int(env["MELAMA_NUM_HOSTS"]) if env.get("MELAMA_NUM_HOSTS", "").isdigit() else None
    return Cluster("environment", processes, process, address, hosts)


def _from_slurm(env: Mapping[str, str]) -> Cluster | None:
    # A batch script without srun has no step: it is one process, whatever the allocation's size.
    if "SLURM_JOB_ID" not in env or "SLURM_STEP_NODELIST" not in env:
        return None
    # The step's own count: an interactive step of one task may still show the allocation's SLURM_NTASKS.
    processes = _number(env, "SLURM_STEP_NUM_TASKS", _number(env, "SLURM_NTASKS", 1))
    if processes < 2:
        return None
    host = _first_slurm_host(env["SLURM_STEP_NODELIST"])
    port = _number(env, "JAX_COORDINATOR_PORT", 61440 + _number(env, "SLURM_JOB_ID") % 4096)
    hosts = _number(env, "SLURM_STEP_NUM_NODES", _number(env, "SLURM_NNODES", 1))
    return Cluster(
        "SLURM",
        processes,
        _number(env, "SLURM_PROCID"),
        f"{host}:{port}",
        hosts,
        _own_devices(
            env,
            _slurm_local_tasks(env),
            processes > hosts,
            env.get("SLURM_LOCALID"),
            per_task=_gpu_count(env, "SLURM_GPUS_PER_TASK"),
            on_node=_gpu_count(env, "SLURM_GPUS_ON_NODE"),
        ),
    )


def _slurm_local_tasks(env: Mapping[str, str]) -> int | None:
    """Tasks of this step on this node, of "2(x4)" or "2(x3),1"; None where SLURM does not say."""
    text = env.get("SLURM_STEP_TASKS_PER_NODE") or env.get("SLURM_NTASKS_PER_NODE", "")
    counts: list[int] = []
    for part in text.split(","):
        match = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part)
        if match is None:
            return None
        counts += [int(match[1])] * int(match[2] or 1)
    node = _number(env, "SLURM_NODEID", 0)
    return counts[node] if node < len(counts) else counts[0]


def _first_slurm_host(node_list: str) -> str:
    """First host of a SLURM node list: "a100-[03-05,9],b1" gives "a100-03", "rack[1-2]n[4-6]" gives "rack1n4"."""
    match = re.match(r"(?:[^\[\],]|\[[^\]]*\])+", node_list)
    if match is None:
        raise MeshError(f"SLURM_STEP_NODELIST {node_list!r} names no host")
    return re.sub(r"\[(\d+)[^\]]*\]", r"\1", match.group())


def _from_open_mpi(env: Mapping[str, str]) -> Cluster | None:
    processes = _number(env, "OMPI_COMM_WORLD_SIZE", 1)
    if processes < 2:
        return None
    host, port = _open_mpi_launcher(env)
    port = _number(env, "JAX_COORDINATOR_PORT", port)
    local = _number(env, "OMPI_COMM_WORLD_LOCAL_SIZE", 1)
    return Cluster(
        "Open MPI",
        processes,
        _number(env, "OMPI_COMM_WORLD_RANK"),
        f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        -(-processes // local),
        _own_devices(env, local, local > 1, env.get("OMPI_COMM_WORLD_LOCAL_RANK")),
    )


def _open_mpi_launcher(env: Mapping[str, str]) -> tuple[str, int]:
    """Address of the launcher's host, and a port that all ranks of the job derive alike."""
    # Open MPI 4, such as 1531576320.0;tcp://10.96.0.1,10.148.0.1:34911 or ...;tcp6://[fe80::b9b,2620:10d::9b]:43370
    uri = env.get("OMPI_MCA_orte_hnp_uri", "")
    match = re.match(r"(\d+)\.\d+;tcp6?://\[?([^,;\]]+?)(?:[,\]]|:\d+(?:;|$))", uri)
    if match is not None:
        return match[2], 61440 + int(match[1]) // 4096 % 4096
    # Open MPI 5, such as prterun-host-123@0.0;tcp4://10.0.0.1:45123; a daemon other than .0 is not the launcher.
    for name in _PMIX_SERVERS:
        match = re.match(r"(.+)\.0;tcp[46]?://\[?([^,;\]]+?)\]?:\d+(?:;|$)", env.get(name, ""))
        if match is not None and not _is_literal_loopback(match[2]):
            return match[2], 61440 + zlib.crc32(match[1].encode()) % 4096
    raise MeshError(
        f"Open MPI does not tell where its launcher runs (OMPI_MCA_orte_hnp_uri is {uri or 'absent'}); "
        f"set JAX_COORDINATOR_ADDRESS=host:port, JAX_NUM_PROCESSES and JAX_PROCESS_ID"
    )


def _from_tpu(env: Mapping[str, str]) -> Cluster | None:
    workers = [name for name in env.get("TPU_WORKER_HOSTNAMES", "").split(",") if name]
    on_tpu_host = env.get("TPU_SKIP_MDS_QUERY") is None and any(
        Path(path).exists() for path in ("/dev/accel0", "/dev/vfio/0")
    )
    if len(workers) > 1 or (on_tpu_host and not workers and _has_libtpu()):
        return Cluster("TPU", num_processes=0, num_hosts=len(workers) or None)
    return None


def _has_libtpu() -> bool:
    import importlib.util

    return importlib.util.find_spec("libtpu") is not None


def _number(env: Mapping[str, str], name: str, default: int | None = None) -> int:
    """A variable that must hold a whole number; absent or empty takes the default."""
    text = env.get(name, "")
    if not text and default is not None:
        return default
    if not text.isdecimal():
        raise MeshError(f"{name} is {text!r}, but must be a whole number")
    return int(text)


def _own_devices(
    env: Mapping[str, str],
    local_tasks: int | None,
    several_per_host: bool,
    local_id: str | None,
    *,
    per_task: int = 0,
    on_node: int = 0,
) -> tuple[int, ...] | None:
    """A host with several processes gives each its share of the GPUs, unless the launcher shows each its own alone.

    Args:
        env: For CUDA_VISIBLE_DEVICES.
        local_tasks: Processes of this host, or None where that is not known.
        several_per_host: Whether some host has several.
        local_id: This process on its host, from 0.
        per_task: GPUs that SLURM gives a task; 0 where it does not say.
        on_node: GPUs that SLURM gives this host; 0 where it does not say.

    Raises:
        MeshError: The GPUs do not divide among the processes.
    """
    if local_tasks == 1 or not several_per_host or local_id is None:
        return None
    gpus = len([name for name in env.get("CUDA_VISIBLE_DEVICES", "").split(",") if name])
    if gpus == 1 or (gpus and gpus == per_task):
        return None
    local = int(local_id)
    if local_tasks is None:
        return (local,)
    gpus = gpus or per_task * local_tasks or on_node or local_tasks
    if gpus % local_tasks:
        fits = ", ".join(str(n) for n in range(1, gpus + 1) if gpus % n == 0)
        raise MeshError(
            f"{local_tasks} tasks on this host do not divide its {gpus} GPUs; start one of {fits} tasks a host "
            f"(srun --ntasks-per-node, mpirun -N)"
        )
    share = gpus // local_tasks
    return tuple(range(local * share, (local + 1) * share))


def _gpu_count(env: Mapping[str, str], name: str) -> int:
    """The number in "2" or "a100:2"; 0 where SLURM does not say."""
    match = re.fullmatch(r"(?:.*:)?(\d+)", env.get(name, ""))
    return int(match[1]) if match else 0


def _is_literal_loopback(host: str) -> bool:
    return host == "::1" or host.startswith("127.") or host.partition(".")[0] == "localhost"


def _is_own_name(host: str) -> bool:
    """Whether a name, short or full, is this host's; Debian resolves its own to 127.0.1.1, the others do not."""
    own = socket.gethostname()
    return host == own or (("." in host) != ("." in own) and host.partition(".")[0] == own.partition(".")[0])


def _refuse_loopback(cluster: Cluster, env: Mapping[str, str]) -> None:
    if cluster.coordinator is None or (cluster.num_hosts or 1) < 2 or env.get(_LOOPBACK_OVERRIDE) == "1":
        return
    host = address = cluster.coordinator.rsplit(":", 1)[0].strip("[]")
    if not _is_literal_loopback(host) and not _is_own_name(host):
        with contextlib.suppress(OSError):
            address = socket.gethostbyname(host)
    if _is_literal_loopback(address):
        raise MeshError(
            f"{cluster.kind}: coordinator {cluster.coordinator} is a loopback address ({address}) but the job has "
            f"{cluster.num_hosts} hosts, which would each wait for themselves; set JAX_COORDINATOR_ADDRESS to an "
            f"address of the first host that the others reach (or {_LOOPBACK_OVERRIDE}=1 if all hosts are this machine)"
        )
