"""The launch scripts: what they would run, and how they refuse."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.runs import REPOSITORY

SCRIPTS = sorted(path for pattern in ("*.sh", "*.sbatch") for path in (REPOSITORY / "launch").rglob(pattern))
QUICK = "--config configs/quickstart.yaml"


def call(command: str, folder: Path = REPOSITORY, /, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one of the scripts, without what a job around the tests has set."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "XLA", "JAX", "MELAMA"))}
    return subprocess.run(
        shlex.split(command), cwd=folder, env=environment | variables, capture_output=True, text=True, timeout=60
    )


def commands(output: str) -> list[list[str]]:
    """The commands that a dry run printed, as words."""
    return [shlex.split(line[2:]) for line in output.splitlines() if line.startswith("+ ")]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shell_scripts_are_sound(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], capture_output=True).returncode == 0
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", "-x", script], cwd=REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", ["pretrain", "instruct"])
def test_slurm_checks_the_configuration_then_the_devices_then_trains(kind: str) -> None:
    done = call(f"bash launch/slurm/{kind}.sbatch --dry-run {QUICK} --set 'run.dir=runs/a b'")
    assert done.returncode == 0, done.stderr
    check, preflight, train = commands(done.stdout)
    given = ["--config", "configs/quickstart.yaml", "--set", "run.dir=runs/a b"]
    assert check[:2] == ["srun", "--nodes=1"]
    assert check[-9:] == ["-m", "melama_jax.train", "--dry-run", "--devices", "8", *given]  # of the #SBATCH lines
    assert preflight[-6:] == ["-m", "melama_jax.preflight", *given]
    assert train[-6:] == ["-m", "melama_jax.train", *given]
    assert {"--kill-on-bad-exit=1", "--wait=60"} < set(train)
    assert "scontrol requeue" in done.stdout
    assert "salloc --nodes=1 --gres=gpu:8 --ntasks-per-node=1" in done.stdout
    assert len(commands(call(f"bash launch/slurm/{kind}.sbatch --dry-run {QUICK}", MELAMA_PREFLIGHT="0").stdout)) == 2


def test_slurm_containers_see_the_repository_and_our_variables(tmp_path: Path) -> None:
    job = {"SLURM_JOB_NUM_NODES": "20", "SLURM_GPUS_ON_NODE": "8", "MELAMA_MOUNTS": "/data,/scratch"}
    script = f"bash launch/slurm/pretrain.sbatch --dry-run {QUICK}"
    check, _, train = commands(call(script, MELAMA_CONTAINER="registry/image:1", **job).stdout)
    assert check[check.index("--devices") + 1] == "160"
    assert "--container-image=registry/image:1" in train
    mounts = next(word.partition("=")[2].split(",") for word in train if word.startswith("--container-mounts="))
    assert mounts == [f"{path}:{path}" for path in (REPOSITORY, "/data", "/scratch")]
    assert "--container-env=PYTHONPATH,PYTHONUNBUFFERED,JAX_PLATFORMS" in train
    image = tmp_path / "a image.sif"
    image.touch()
    *_, train = commands(call(script, MELAMA_CONTAINER=str(image), **job).stdout)
    start = train.index("apptainer")
    assert train[start : start + 3] == ["apptainer", "exec", "--nv"]
    assert train[start + 7 : start + 9] == [str(image), "python3"]


def test_flags_of_a_file_are_set_and_do_not_hide_the_users(tmp_path: Path) -> None:
    copy = tmp_path / "a copy"
    shutil.copytree(REPOSITORY / "launch", copy / "launch")
    (copy / "launch/env").mkdir(exist_ok=True)
    (copy / "launch/env/a100.env").write_text(
        '# why\nXLA_FLAGS="--xla_one=1 --xla_two=2"\nNCCL_A=file\nNCCL_B=file\nno line\n'
    )
    (copy / "c.yaml").touch()
    call_it = f"bash {shlex.quote(str(copy))}/launch/slurm/pretrain.sbatch --dry-run --config c.yaml"
    done = call(call_it, copy, MELAMA_HARDWARE="a100", XLA_FLAGS="--xla_two=3", NCCL_B="mine")
    assert done.returncode == 0, done.stderr
    exports = dict(shlex.split(line)[1].split("=", 1) for line in done.stdout.splitlines() if line.startswith("export"))
    assert exports["XLA_FLAGS"] == "--xla_one=1 --xla_two=2 --xla_two=3"
    assert (exports["NCCL_A"], exports["NCCL_B"]) == ("file", "mine")
    assert exports["PYTHONPATH"].startswith(str(copy))
    assert "there is no" in call(call_it, copy, MELAMA_HARDWARE="b100").stderr


@pytest.mark.parametrize(
    ("command", "variables", "message"),
    [
        ("slurm/pretrain.sbatch --dry-run", {}, "give --config FILE"),
        ("slurm/pretrain.sbatch --dry-run --config no.yaml", {}, "--config no.yaml: no such file in"),
        (f"slurm/pretrain.sbatch {QUICK}", {}, "submit this file with sbatch"),
        (f"slurm/pretrain.sbatch {QUICK}", {"SLURM_JOB_ID": "1", "MELAMA_VENV": "/none"}, "no Python at /none/bin"),
        (f"slurm/pretrain.sbatch {QUICK}", {"SLURM_JOB_ID": "1", "MELAMA_CONTAINER": "a.sif"}, "does not exist"),
        (f"slurm/pretrain.sbatch --dry-run {QUICK}", {"SLURM_ARRAY_TASK_ID": "1"}, "a job array needs %a"),
        ("tpu/launch.sh", {}, "give one of create"),
        ("tpu/launch.sh --dry-run --name t", {}, "error: give one of create"),
        ("tpu/launch.sh make --dry-run --name t", {}, "make is not known; give one of create"),
        (
            "tpu/launch.sh create --dry-run --name t --project my-p --zone us-east5-a --type v5p-7",
            {},
            "a multiple of 8 cores",
        ),
        ("tpu/launch.sh create --name T --project my-p --zone us-east5-a --type v5p-8", {}, "--name 'T' must be"),
        (
            "tpu/launch.sh create --dry-run --name t --project my-p --zone us-east5 --type v5p-8",
            {},
            "--zone 'us-east5'",
        ),
        ("tpu/launch.sh create --dry-run --name t --project my-p --zone us-east5-a --type v7-8", {}, "--type 'v7-8'"),
        ("tpu/launch.sh create --name --project my-p", {}, "--name needs a value"),
        ("tpu/launch.sh train --dry-run --name t --project my-p --zone us-east5-a --config a", {}, "goes after --"),
        ("tpu/launch.sh train --dry-run --name t --project my-p --zone us-east5-a", {}, "give -- --config FILE"),
    ],
)
def test_a_mistake_is_one_line(command: str, variables: dict[str, str], message: str) -> None:
    done = call(f"bash launch/{command}", **variables)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr


def test_a_copy_without_the_shared_part_says_where_to_submit(tmp_path: Path) -> None:
    # What sbatch does: the script alone, in a folder of its own.
    script = shutil.copy(REPOSITORY / "launch/slurm/pretrain.sbatch", tmp_path / "slurm_script")
    done = call(f"bash {script} --dry-run {QUICK}", tmp_path)
    assert done.returncode == 2
    assert "submit from the root of the repository" in done.stderr
    assert call(f"bash {script} --dry-run {QUICK}").returncode == 0


def test_array_tasks_take_their_own_arguments(tmp_path: Path) -> None:
    (tmp_path / "7.yaml").touch()
    script = f"bash launch/slurm/pretrain.sbatch --dry-run --config {tmp_path}/%a.yaml --set run.dir=runs/%a"
    *_, train = commands(call(script, SLURM_ARRAY_TASK_ID="7").stdout)
    assert train[-4:] == ["--config", f"{tmp_path}/7.yaml", "--set", "run.dir=runs/7"]


@pytest.mark.parametrize(
    ("status", "state", "variables", "requeued", "said"),
    [
        (75, "RUNNING", {}, True, "saved; requeued"),
        (75, "COMPLETING", {}, False, "is ending the job by itself (COMPLETING"),
        (76, "RUNNING", {}, False, "ended with status 76"),
        (76, "RUNNING", {"MELAMA_RETRIES": "2", "SLURM_RESTART_COUNT": "5"}, True, "failed with status 76; requeued"),
        (2, "RUNNING", {"MELAMA_RETRIES": "2"}, False, "ended with status 2"),
        (138, "RUNNING", {}, False, "--time is too short for --signal"),
    ],
)
def test_slurm_requeues_what_can_go_on(
    status: int, state: str, variables: dict[str, str], requeued: bool, said: str, tmp_path: Path
) -> None:
    done = slurm_job(tmp_path, status, state, **variables)
    assert done.returncode == (0 if requeued else status), done.stderr
    assert said in done.stdout
    assert (tmp_path / "requeued").exists() == requeued


@pytest.mark.parametrize("resolved", ["run:", "run: {}\\n  requeue_exit_code: 75"], ids=["no code", "code"])
def test_slurm_does_not_requeue_what_is_done(resolved: str, tmp_path: Path) -> None:
    done = slurm_job(tmp_path, 0, "RUNNING", resolved=resolved, SLURM_LABELIO="1")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "requeued").exists()
    assert not (tmp_path / "labelled").exists()


def test_slurm_requeues_a_task_of_an_array_and_no_other(tmp_path: Path) -> None:
    # The last task has the number of the array, by which squeue lists all tasks.
    array = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "1"}
    done = slurm_job(tmp_path, 75, "RUNNING", "--set run.dir=%a", **array)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "requeued").read_text() == "requeue 7_1\n"


def test_slurm_ends_restarts_that_lead_nowhere(tmp_path: Path) -> None:
    def job(status: int, **variables: str) -> int:
        done = slurm_job(tmp_path, status, "RUNNING", MELAMA_RETRIES="2", **variables)
        said.append(done.stdout)
        return done.returncode

    said: list[str] = []
    checkpoints = tmp_path / "it's a run" / "checkpoints"
    assert [job(75), job(75), job(75)] == [0, 0, 75]  # nothing saved at all
    assert "two restarts brought no newer checkpoint (step: none)" in said[-1]
    for step in (9, 10, 11):  # progress, so without end; as numbers, not as words
        (checkpoints / str(step)).mkdir(parents=True)
        assert job(75) == 0
    (checkpoints / "12.tmp").mkdir()
    assert [job(75), job(76), job(75)] == [0, 0, 75]
    assert "(step: 11)" in said[-1]
    assert [job(76), job(76)] == [0, 76]  # of the three failures, one was above
    assert "are used up" in said[-1]
    assert job(76, SLURM_JOB_ID="8") == 0  # submitted again


def test_slurm_does_not_requeue_what_it_cannot_count(tmp_path: Path) -> None:
    (tmp_path / "it's a run").touch()
    done = slurm_job(tmp_path, 75, "RUNNING")
    assert done.returncode == 75
    assert "cannot be written" in done.stdout


def slurm_job(
    folder: Path, status: int, state: str, arguments: str = "", resolved: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """A job whose training ends with a status; what it requeues is in the file `requeued`."""
    resolved = (
        resolved or f"run:\\n  dir: \\x27{folder}/it\\x27\\x27s a\\n    run\\x27\\n  seed: 0\\n  requeue_exit_code: 75"
    )
    commands = {
        "srun": f"[[ -z $SLURM_LABELIO ]] || touch {folder}/labelled\n"
        f"case $* in *--dry-run*) printf '{resolved}\\n';; *preflight*);; *) exit {status};; esac",
        "squeue": f"[[ $* != *--jobs=7\\ * || -z $SLURM_ARRAY_JOB_ID ]] || echo PENDING; echo {state}",
        "scontrol": f'echo "$@" >{folder}/requeued',
    }
    for name, body in commands.items():
        (folder / name).write_text(f"#!/bin/bash\n{body}\n")
        (folder / name).chmod(0o755)
    job = {"PATH": f"{folder}:{os.environ['PATH']}", "MELAMA_VENV": sys.prefix, "SLURM_JOB_ID": "7"}
    return call(f"bash launch/slurm/pretrain.sbatch {QUICK} {arguments}", **(job | variables))


def gke(arguments: str) -> subprocess.CompletedProcess[str]:
    common = "--dry-run --name med --image repo/image:1 --claim disk --config /opt/c.yaml"
    return call(f"{sys.executable} launch/gke/launch.py {common} {arguments}")


def parts(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """The JobSet, its job and its training container."""
    assert done.returncode == 0, done.stderr
    jobset = yaml.safe_load(done.stdout)
    assert (jobset["apiVersion"], jobset["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    job = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]
    assert job["template"]["spec"]["restartPolicy"] == "Never"  # podFailurePolicy demands it
    return jobset, job, next(c for c in job["template"]["spec"]["containers"] if c["name"] == "train")


def test_gke_gpu_processes_find_each_other_as_detect_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from melama_jax.parallel.distributed import detect

    jobset, job, container = parts(gke("--machine a3-ultragpu-8g --nodes 4 --set 'run.dir=runs/a b'"))
    assert job["completions"] == job["parallelism"] == 4
    assert container["resources"]["limits"] == {"nvidia.com/gpu": 8}
    assert "rdma-7" in job["template"]["metadata"]["annotations"]["networking.gke.io/interfaces"]
    variables = {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
    cluster = detect(variables | {"JAX_PROCESS_ID": "3"})
    # A pod is named JOBSET-JOB-INDEX-POD under the JobSet's own domain.
    host = f"{jobset['metadata']['name']}-{jobset['spec']['replicatedJobs'][0]['name']}-0-0.med"
    assert (cluster.num_processes, cluster.process_id, cluster.num_hosts) == (4, 3, 4)
    assert cluster.coordinator == f"{host}:1234"
    assert "--set 'run.dir=runs/a b'" in container["command"][2]
    assert subprocess.run(["bash", "-n", "-c", container["command"][2]]).returncode == 0


def test_gke_statuses_lead_where_they_should() -> None:
    jobset, job, _ = parts(gke("--machine a2-ultragpu-8g --nodes 2"))
    rules = {
        tuple(r["onExitCodes"]["values"]): r["action"] for r in job["podFailurePolicy"]["rules"] if "onExitCodes" in r
    }
    assert rules == {(64,): "FailJob", (75,): "Ignore"}
    assert jobset["spec"]["failurePolicy"] == {
        "maxRestarts": 10,
        "rules": [{"action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}],
    }
    _, job, container = parts(gke("--machine a2-ultragpu-8g --set run.requeue_exit_code=99"))
    assert job["podFailurePolicy"]["rules"][1]["onExitCodes"]["values"] == [99]
    assert "--set run.requeue_exit_code=75 --set run.requeue_exit_code=99" in container["command"][2]  # the last counts


@pytest.mark.parametrize(("status", "ends"), [(0, 0), (1, 1), (2, 64), (137, 137)])
def test_gke_only_a_mistake_ends_the_jobset(status: int, ends: int, tmp_path: Path) -> None:
    _, _, container = parts(gke("--machine a2-ultragpu-8g"))
    (tmp_path / "python").write_text(f"#!/bin/bash\n[[ $* != *--dry-run* ]] || exit {status}\n")
    (tmp_path / "python").chmod(0o755)
    command = ["bash", "-c", container["command"][2]]
    assert subprocess.run(command, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"}).returncode == ends


def test_gke_tpu_slices_find_themselves() -> None:
    _, job, container = parts(gke("--tpu v5p --topology 4x4x8"))
    assert job["completions"] == 32
    assert container["resources"]["limits"] == {"google.com/tpu": 4}
    assert not [entry for entry in container["env"] if entry["name"].startswith("JAX_COORDINATOR")]
    assert "--devices 128" in container["command"][2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "give either --machine"),
        ("--tpu v5p --topology 4by4", "--topology 4by4"),
        ("--tpu v5e --topology 1x1", "has 1 chips"),
        ("--tpu v5p --topology 16x16", "such as 4x4x8 for v5p"),
        ("--tpu v6e --topology 4x4x4", "such as 16x16 for v6e"),
        ("--tpu v5p --topology 4x4x8 --nodes 2", "--nodes goes with --machine"),
        ("--machine a2-ultragpu-8g --topology 4x4x8", "--topology with --tpu"),
        ("--machine a2-ultragpu-8g --max-restarts -1", "--max-restarts -1"),
        ("--machine a2-ultragpu-8g --grace -1", "--grace -1"),
        ("--machine a2-ultragpu-8g --set run.seed", "--set run.seed must be KEY=VALUE"),
        ("--machine a2-ultragpu-8g --set run.requeue_exit_code=64", "--set run.requeue_exit_code=64"),
        ("--machine big", "error: argument --machine: invalid choice"),
        ("--machine a2-ultragpu-8g --nodes 0", "--nodes 0"),
        ("--machine a3-megagpu-8g --nodes 2", "needs --daemon-image"),
        ("--machine a2-ultragpu-8g --pod no.yaml", "no such file"),
        ("--machine a2-ultragpu-8g --name Med", "--name Med"),
    ],
)
def test_gke_refuses_what_cannot_work(arguments: str, message: str) -> None:
    done = gke(arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_gke_receive_daemon_is_a_sidecar() -> None:
    _, job, container = parts(gke("--machine a3-megagpu-8g --nodes 2 --daemon-image repo/daemon:1"))
    (daemon,) = job["template"]["spec"]["initContainers"]
    assert (daemon["image"], daemon["restartPolicy"]) == ("repo/daemon:1", "Always")
    volumes = {volume["name"] for volume in job["template"]["spec"]["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"] + daemon["volumeMounts"]} == volumes


def test_tpu_commands_name_the_slice_and_reach_every_worker() -> None:
    place = "--name t --project my-p --zone us-east5-a --dry-run"
    (create,) = commands(call(f"bash launch/tpu/launch.sh create {place} --type v5litepod-256 --spot").stdout)
    assert create[:6] == ["gcloud", "compute", "tpus", "queued-resources", "create", "t"]
    wanted = {"--node-id=t", "--accelerator-type=v5litepod-256", "--runtime-version=v2-alpha-tpuv5-lite", "--spot"}
    assert wanted < set(create)
    (train,) = commands(call(f"bash launch/tpu/launch.sh train {place} -- {QUICK} --set 'run.dir=/d/a b'").stdout)
    assert "--worker=all" in train
    remote = next(word.partition("=")[2] for word in train if word.startswith("--command="))
    assert "worker.sh train --config configs/quickstart.yaml --set run.dir=/d/a\\ b" in remote


@pytest.fixture
def worker(tmp_path: Path) -> Path:
    """A worker's copy of the scripts, with a Python that notes how it was called and asks to be started again once."""
    shutil.copytree(REPOSITORY / "launch", tmp_path / "launch")
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(
        '#!/bin/bash\n[[ $1 != -c ]] || { echo 99 run; exit; }\necho "$@" >>calls\n'
        "if [[ $2 == melama_jax.preflight ]]; then\n  if [[ -e slow ]]; then touch waiting; exec /bin/sleep 30; fi\n"
        "  [[ -e broken ]] && exit 3\n  exit 0\nfi\n"
        "trap 'exit 99' TERM\n[[ -e stuck ]] && exit 99\n"
        "if [[ -e wait ]]; then touch waiting; while :; do sleep 0.1; done; fi\n"
        "[[ -e saved ]] && exit 0\ntouch saved\nexit 99\n"
    )
    sleep = tmp_path / "bin/sleep"  # the pause between restarts
    sleep.parent.mkdir()
    sleep.write_text('#!/bin/bash\necho "$@" >>pauses\n')
    for program in (python, sleep):
        program.chmod(0o755)
    return tmp_path


def train_here(worker: Path) -> subprocess.CompletedProcess[str]:
    return call("bash launch/tpu/worker.sh train --config c.yaml", worker, PATH=f"{worker}/bin:{os.environ['PATH']}")


def test_tpu_worker_goes_on_after_a_save(worker: Path) -> None:
    done = train_here(worker)
    assert done.returncode == 0
    assert not (worker / "worker.pid").exists()
    called = [line.split()[1] for line in (worker / "calls").read_text().splitlines()]
    assert called == ["melama_jax.preflight", "melama_jax.train", "melama_jax.train"]


def test_tpu_worker_ends_restarts_that_lead_nowhere(worker: Path) -> None:
    (worker / "stuck").touch()
    done = train_here(worker)
    assert done.returncode == 99
    assert "no newer checkpoint (step: none)" in done.stdout
    assert (worker / "calls").read_text().count("melama_jax.train") == 3
    assert (worker / "pauses").read_text() == "10\n" * 2


def test_tpu_worker_leaves_nothing_behind_after_a_failed_preflight(worker: Path) -> None:
    (worker / "broken").touch()
    (worker / "worker.pid").write_text(f"{os.getpid()}\n")  # as from before the machine's last start: no worker
    done = train_here(worker)
    assert done.returncode == 3, done.stderr
    assert not (worker / "worker.pid").exists()
    assert call("bash launch/tpu/worker.sh stop", worker).stdout == "nothing is training here\n"


@pytest.mark.parametrize("during", ["slow", "wait"], ids=["pre-flight", "training"])
def test_tpu_worker_stops_when_asked(during: str, worker: Path) -> None:
    (worker / during).touch()
    running = subprocess.Popen(["bash", "launch/tpu/worker.sh", "train"], cwd=worker, start_new_session=True)
    try:
        deadline = time.monotonic() + 20
        while not (worker / "waiting").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        second = train_here(worker)
        assert (second.returncode, second.stderr.count("is training here")) == (2, 1)
        assert call("bash launch/tpu/worker.sh stop", worker).returncode == 0
        assert running.wait(20) == (143 if during == "slow" else 99)
        assert len((worker / "calls").read_text().splitlines()) == (1 if during == "slow" else 2)
        assert not (worker / "worker.pid").exists()
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
