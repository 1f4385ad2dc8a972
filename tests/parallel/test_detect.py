"""Who takes part, read from environments of launchers that are not here."""

from __future__ import annotations

import socket

import pytest

from melama_jax.errors import MeshError
from melama_jax.parallel.distributed import Cluster, detect

SINGLE = Cluster("single process")


@pytest.fixture(autouse=True)
def _no_name_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names resolve as on a host that calls itself 127.0.1.1, as Debian's installer writes it."""

    def lookup(host: str) -> str:
        if host in ("localhost", "this-host"):
            return "127.0.1.1" if host == "this-host" else "127.0.0.1"
        if host[0].isdigit():
            return host
        raise OSError("unknown host")

    monkeypatch.setattr(socket, "gethostbyname", lookup)


def slurm(node_list: str = "n[1-2]", *, tasks: int = 2, nodes: int = 2, **other: str) -> dict[str, str]:
    env = {
        "SLURM_JOB_ID": "5000",
        "SLURM_STEP_NODELIST": node_list,
        "SLURM_NTASKS": str(tasks),
        "SLURM_STEP_NUM_NODES": str(nodes),
        "SLURM_PROCID": "1",
        "SLURM_LOCALID": "0",
    }
    return env | other


EIGHT = "0,1,2,3,4,5,6,7"


def shared(local_tasks: int, local_id: str, **other: str) -> dict[str, str]:
    """A task of a step with as many tasks on each of four nodes."""
    sizes = {"SLURM_STEP_TASKS_PER_NODE": f"{local_tasks}(x4)", "SLURM_LOCALID": local_id}
    return slurm(tasks=4 * local_tasks, nodes=4) | sizes | other


def open_mpi(uri: str | None, *, size: int = 2, local: int = 1, **other: str) -> dict[str, str]:
    env = {
        "OMPI_COMM_WORLD_SIZE": str(size),
        "OMPI_COMM_WORLD_RANK": "1",
        "OMPI_COMM_WORLD_LOCAL_SIZE": str(local),
        "OMPI_COMM_WORLD_LOCAL_RANK": "0",
    }
    return env | ({"OMPI_MCA_orte_hnp_uri": uri} if uri else {}) | other


def variables(address: str = "10.0.0.1:1234", processes: str = "4", process: str = "3", **other: str) -> dict[str, str]:
    return {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": processes, "JAX_PROCESS_ID": process, **other}


def refusal(env: dict[str, str]) -> str:
    with pytest.raises(MeshError) as caught:
        detect(env)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    "env",
    [
        {},
        {"JAX_NUM_PROCESSES": "1"},
        {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "8", "SLURM_NNODES": "4", "SLURM_JOB_NODELIST": "n[1-4]"},  # no srun
        slurm(tasks=1, nodes=1),
        slurm(tasks=2, SLURM_STEP_NUM_TASKS="1"),  # an interactive shell in an allocation of two tasks
        {"OMPI_COMM_WORLD_SIZE": "1"},
        {"TPU_WORKER_HOSTNAMES": "localhost", "TPU_SKIP_MDS_QUERY": "1"},
    ],
)
def test_one_process(env: dict[str, str]) -> None:
    assert detect(env) == SINGLE
    assert detect(env).describe() == "single process"


def test_variables_name_the_job() -> None:
    assert detect(variables()) == Cluster("environment", 4, 3, "10.0.0.1:1234", None)
    assert "process 3 of 4, coordinator 10.0.0.1:1234" in detect(variables()).describe()


def test_variables_come_before_slurm() -> None:
    assert detect(slurm() | variables()).kind == "environment"


@pytest.mark.parametrize(
    ("env", "problem"),
    [
        (variables("10.0.0.1"), "JAX_COORDINATOR_ADDRESS '10.0.0.1' must be host:port"),
        (variables("10.0.0.1:"), "must be host:port"),
        (variables(process="4"), "JAX_PROCESS_ID 4 must lie in 0..3"),
        (variables(process="-1"), "JAX_PROCESS_ID -1 must lie in 0..3"),
        (variables(processes="many"), "must be whole numbers too; found 'many' and '3'"),
        ({"JAX_COORDINATOR_ADDRESS": "a:1"}, "found None and None"),
        ({"JAX_NUM_PROCESSES": "2", "JAX_PROCESS_ID": "1"}, "JAX_COORDINATOR_ADDRESS must be host:port"),
        (slurm(SLURM_PROCID=""), "SLURM_PROCID is '', but must be a whole number"),
        (slurm(SLURM_NTASKS="2(x2)"), "SLURM_NTASKS is '2(x2)', but must be a whole number"),
        (slurm(""), "SLURM_STEP_NODELIST '' names no host"),
        (slurm(JAX_COORDINATOR_PORT="http"), "JAX_COORDINATOR_PORT is 'http'"),
        (open_mpi(None), "OMPI_MCA_orte_hnp_uri is absent"),
        (open_mpi("pmix"), "OMPI_MCA_orte_hnp_uri is pmix"),
    ],
)
def test_contradiction_is_refused(env: dict[str, str], problem: str) -> None:
    assert problem in refusal(env)


@pytest.mark.parametrize(
    ("node_list", "host"),
    [
        ("n1", "n1"),
        ("n1,n2", "n1"),
        ("n[1-2]", "n1"),
        ("n[7]", "n7"),
        ("a100-[03-05,9],b1", "a100-03"),
        ("gpu-[01-20]-ib", "gpu-01-ib"),
        ("b1,a[1-2]", "b1"),
        ("rack[1-2]node[04-06],x", "rack1node04"),
        ("node-1.cluster.org,node-2.cluster.org", "node-1.cluster.org"),
    ],
)
def test_slurm_coordinator_is_the_first_host(node_list: str, host: str) -> None:
    cluster = detect(slurm(node_list))
    assert cluster.coordinator == f"{host}:{61440 + 5000 % 4096}"
    assert (cluster.kind, cluster.num_processes, cluster.process_id, cluster.num_hosts) == ("SLURM", 2, 1, 2)


def test_open_mpi_comes_before_slurm() -> None:
    # mpirun in an allocation: a remote rank inherits the step of one daemon a node, and its process id.
    env = slurm(tasks=2, nodes=2) | open_mpi("1.0;tcp://10.0.0.9:5", size=8, local=4, OMPI_COMM_WORLD_RANK="6")
    cluster = detect(env)
    assert (cluster.kind, cluster.num_processes, cluster.process_id) == ("Open MPI", 8, 6)


def test_slurm_port_can_be_chosen() -> None:
    assert detect(slurm(JAX_COORDINATOR_PORT="777")).coordinator == "n1:777"


@pytest.mark.parametrize(
    ("env", "devices"),
    [
        (slurm(tasks=2, nodes=2), None),  # a task owns its node
        (slurm(tasks=16, nodes=2, SLURM_LOCALID="5"), (5,)),  # a task for every GPU
        (slurm(tasks=16, nodes=2, SLURM_LOCALID="5", CUDA_VISIBLE_DEVICES="5"), None),  # shown its own alone
        (slurm(tasks=16, nodes=2, SLURM_LOCALID="5", CUDA_VISIBLE_DEVICES="0,1,2,3,4,5,6,7"), (5,)),
        (slurm(tasks=8, nodes=1, SLURM_LOCALID="0"), (0,)),
        (open_mpi("1.0;tcp://10.0.0.9:5", size=8, local=4, OMPI_COMM_WORLD_LOCAL_RANK="3"), (3,)),
        (open_mpi("1.0;tcp://10.0.0.9:5"), None),
        # Fewer tasks than GPUs share them out.
        (shared(2, "1", CUDA_VISIBLE_DEVICES=EIGHT), (4, 5, 6, 7)),
        (shared(4, "0", CUDA_VISIBLE_DEVICES=EIGHT), (0, 1)),
        (shared(8, "7", CUDA_VISIBLE_DEVICES=EIGHT), (7,)),
        (slurm(tasks=4, SLURM_NTASKS_PER_NODE="2", SLURM_LOCALID="1", CUDA_VISIBLE_DEVICES="0,1,2,3"), (2, 3)),
        (shared(2, "1", CUDA_VISIBLE_DEVICES="2,3", SLURM_GPUS_PER_TASK="a100:2"), None),  # shown its own alone
        (shared(2, "1", SLURM_GPUS_PER_TASK="2"), (2, 3)),
        (shared(2, "1", SLURM_GPUS_ON_NODE="8"), (4, 5, 6, 7)),
        (shared(2, "1", SLURM_GPUS_PER_TASK="1"), (1,)),
        (shared(2, "1"), (1,)),
        (slurm(tasks=3, SLURM_STEP_TASKS_PER_NODE="2,1", SLURM_NODEID="1", CUDA_VISIBLE_DEVICES="0,1"), None),
        (
            open_mpi(
                "1.0;tcp://10.0.0.9:5",
                size=4,
                local=2,
                OMPI_COMM_WORLD_LOCAL_RANK="1",
                CUDA_VISIBLE_DEVICES="0,1,2,3",
            ),
            (2, 3),
        ),
        # mpirun in an allocation of one task with all GPUs: SLURM's counts are not about its ranks.
        (
            shared(8, "0")
            | open_mpi(
                "1.0;tcp://10.0.0.9:5",
                size=4,
                local=4,
                OMPI_COMM_WORLD_LOCAL_RANK="3",
                CUDA_VISIBLE_DEVICES=EIGHT,
                SLURM_GPUS_PER_TASK="8",
            ),
            (6, 7),
        ),
    ],
)
def test_devices_of_a_process(env: dict[str, str], devices: tuple[int, ...] | None) -> None:
    assert detect(env).local_device_ids == devices


def test_tasks_that_do_not_divide_the_gpus_are_refused() -> None:
    message = refusal(shared(3, "0", CUDA_VISIBLE_DEVICES=EIGHT))
    assert "3 tasks on this host do not divide its 8 GPUs; start one of 1, 2, 4, 8 tasks a host" in message
    assert "--ntasks-per-node" in message


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("1531576320.0;tcp://10.96.0.1,10.148.0.1,10.108.0.1:34911", "10.96.0.1"),
        ("1531576320.0;tcp://10.96.0.1:34911", "10.96.0.1"),
        ("1531576320.0;tcp6://[fe80::b9b:ac5d:9cf0:b858,2620:10d:c083::9b]:43370", "[fe80::b9b:ac5d:9cf0:b858]"),
        ("1531576320.0;tcp6://[2620:10d:c083::9b]:43370", "[2620:10d:c083::9b]"),
        ("1531576320.0;tcp://10.96.0.1:34911;tcp6://[2620::9b]:43370", "10.96.0.1"),
    ],
)
def test_open_mpi_4_coordinator_is_the_launcher(uri: str, host: str) -> None:
    cluster = detect(open_mpi(uri, size=6, local=4))
    assert cluster.coordinator == f"{host}:{61440 + 1531576320 // 4096 % 4096}"
    assert (cluster.kind, cluster.num_processes, cluster.process_id, cluster.num_hosts) == ("Open MPI", 6, 1, 2)


def test_open_mpi_5_says_which_variables_to_set() -> None:
    message = refusal(open_mpi(None))
    assert "set JAX_COORDINATOR_ADDRESS=host:port, JAX_NUM_PROCESSES and JAX_PROCESS_ID" in message


@pytest.mark.parametrize("name", ["PMIX_SERVER_URI41", "PMIX_SERVER_URI4", "PMIX_SERVER_URI3", "PMIX_SERVER_URI21"])
@pytest.mark.parametrize(
    ("address", "host"), [("tcp4://10.0.0.1:45123", "10.0.0.1"), ("tcp6://[2620::9b]:45123", "[2620::9b]")]
)
def test_open_mpi_5_coordinator_is_the_launcher(name: str, address: str, host: str) -> None:
    env = open_mpi(None) | {name: f"prterun-n1.org-123@0.0;{address}"}
    coordinators = {detect(env | {"OMPI_COMM_WORLD_RANK": rank}).coordinator or "" for rank in ("0", "1")}
    (coordinator,) = coordinators
    at, _, port = coordinator.rpartition(":")
    assert at == host
    assert 61440 <= int(port) < 65536
    assert detect(env | {"JAX_COORDINATOR_PORT": "777"}).coordinator == f"{host}:777"


@pytest.mark.parametrize(
    "uri",
    [
        "prterun-n1-123@0.0;tcp4://127.0.0.1:45123",
        "prterun-n1-123@0.0;tcp6://[::1]:45123",
        "prterun-n1-123@0.1;tcp4://10.0.0.2:45123",  # the daemon of another node
        "pmix",
    ],
)
def test_open_mpi_5_address_that_others_do_not_share_is_not_taken(uri: str) -> None:
    assert "OMPI_MCA_orte_hnp_uri is absent" in refusal(open_mpi(None, PMIX_SERVER_URI41=uri))


def test_tpu_slice_is_left_to_its_runtime() -> None:
    cluster = detect({"TPU_WORKER_HOSTNAMES": "t0,t1,t2"})
    assert cluster == Cluster("TPU", num_processes=0, num_hosts=3)
    assert cluster.describe() == "TPU slice of several hosts (found by the TPU runtime)"


@pytest.mark.parametrize(
    "env",
    [
        slurm("localhost"),
        slurm("this-host,n2"),
        variables("127.0.0.1:1", MELAMA_NUM_HOSTS="2"),
        variables("[::1]:1", MELAMA_NUM_HOSTS="2"),
        open_mpi("1.0;tcp://127.0.0.1:5", size=2, local=1),
    ],
)
def test_several_hosts_may_not_meet_at_loopback(env: dict[str, str]) -> None:
    message = refusal(env)
    assert "is a loopback address" in message
    assert "2 hosts" in message
    assert "MELAMA_ALLOW_LOOPBACK=1" in message
    assert detect(env | {"MELAMA_ALLOW_LOOPBACK": "1"}).num_hosts == 2


@pytest.mark.parametrize(
    ("host", "own"),
    [("this-host", "this-host"), ("this-host", "this-host.org"), ("this-host.org", "this-host")],
)
def test_first_host_may_call_itself_loopback(host: str, own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: own)
    monkeypatch.setattr(socket, "gethostbyname", lambda _: "127.0.1.1")
    assert detect(slurm(f"{host},n2")).coordinator == f"{host}:{61440 + 5000 % 4096}"
    assert "is a loopback address" in refusal(slurm("n2,n3"))


def test_host_named_localhost_may_not_be_the_coordinator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "localhost")
    assert "is a loopback address" in refusal(slurm("localhost,n2"))


@pytest.mark.parametrize(
    "env", [slurm("localhost", tasks=4, nodes=1), variables("localhost:1"), slurm("n[1-2]"), variables("127.0.0.1:1")]
)
def test_loopback_of_one_host_and_other_addresses_are_fine(env: dict[str, str]) -> None:
    assert detect(env).coordinator is not None
