"""A real SLURM of several nodes on this machine, for as long as tests need it."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "srun", "scontrol", "squeue", "scancel", "sinfo")
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def missing() -> list[str]:
    """The programs of SLURM that are not installed here."""
    return [name for name in DAEMONS + COMMANDS if shutil.which(name, path=SEARCH) is None]


class Cluster:
    """Daemons of its own user, keys, ports and folders; another SLURM on this machine is not touched."""

    def __init__(self, folder: Path, *, nodes: int, cpus: int):
        """Start the daemons and wait for the nodes.

        Args:
            folder: A new folder for state and logs; short, because it holds a socket.
            nodes: How many. Their names are addresses of the loopback network, so that nothing has to resolve them.
            cpus: Of a node, and as many GPUs that are none.
        """
        self.folder = folder
        self.environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SLURM", "SBATCH", "JAX_", "XLA_", "MELAMA_"))
        } | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": SEARCH}
        names = [f"127.0.0.{10 + node}" for node in range(1, nodes + 1)]
        folder.chmod(0o711)  # munged wants everybody to reach its socket
        (folder / "state").mkdir()
        (folder / "munge.key").touch(mode=0o600)
        (folder / "munge.key").write_bytes(os.urandom(1024))
        (folder / "slurm.conf").write_text(self._configuration(names, cpus))
        devices = [folder / f"gpu{number}" for number in range(cpus)]
        for device in devices:
            device.touch()
        gpus = ",".join(map(str, devices))
        (folder / "gres.conf").write_text(f"NodeName={','.join(names)} Name=gpu File={gpus}\n")
        files = {"socket": "socket", "key-file": "key", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        try:
            self.call("munged", *(f"--{option}={folder}/munge.{name}" for option, name in files.items()))
            self.call("slurmctld")
            for name in names:
                self.call("slurmd", "-N", name)
            self.wait(lambda: self.call("sinfo", "-h", "-N", "-o", "%t").split() == ["idle"] * nodes, 30)
        except BaseException:
            self.stop()
            raise

    def _configuration(self, names: list[str], cpus: int) -> str:
        host, user, folder = socket.gethostname().partition(".")[0], getpass.getuser(), self.folder
        probes = [socket.socket() for _ in range(len(names) + 1)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        port, *ports = [probe.getsockname()[1] for probe in probes]
        for probe in probes:
            probe.close()
        lines = [
            "ClusterName=local",
            f"SlurmctldHost={host}(127.0.0.1)",
            f"SlurmctldPort={port}",
            f"SlurmUser={user}",
            f"SlurmdUser={user}",
            "AuthType=auth/munge",
            f"AuthInfo=socket={folder}/munge.socket",
            f"StateSaveLocation={folder}/state",
            f"SlurmdSpoolDir={folder}/spool.%n",
            f"SlurmctldPidFile={folder}/slurmctld.pid",
            f"SlurmdPidFile={folder}/slurmd.%n.pid",
            f"SlurmctldLogFile={folder}/slurmctld.log",
            f"SlurmdLogFile={folder}/slurmd.%n.log",
            "SlurmdParameters=config_overrides",  # more CPUs than the machine has
            "ProctrackType=proctrack/linuxproc",
            "TaskPlugin=task/none",
            "SwitchType=switch/none",
            "MpiDefault=none",
            "ReturnToService=2",
            "GresTypes=gpu",
            "SelectType=select/cons_tres",
            "SelectTypeParameters=CR_Core",
            f"PartitionName=main Nodes={','.join(names)} Default=YES State=UP",
        ]
        for name, number in zip(names, ports, strict=True):
            lines.append(
                f"NodeName={name} NodeHostname={host} NodeAddr={name} Port={number} CPUs={cpus} Gres=gpu:{cpus}"
            )
        return "\n".join(lines) + "\n"

    def call(self, *command: str | Path, **environment: str) -> str:
        """Run a command of SLURM, and return what it prints."""
        done = subprocess.run(
            [shutil.which(command[0], path=SEARCH) or command[0], *command[1:]],
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.stderr}\n{self.logs()}"
        return done.stdout.strip()

    def state(self, job: str) -> str:
        """Such as PENDING, RUNNING or COMPLETED."""
        return self._field(job, "JobState")

    def exit_code(self, job: str) -> int:
        """Of the batch script."""
        return int(self._field(job, "ExitCode").partition(":")[0])

    def _field(self, job: str, name: str) -> str:
        words = self.call("scontrol", "--oneliner", "show", "job", job).split()
        return next(word.partition("=")[2] for word in words if word.startswith(f"{name}="))

    def finish(self, job: str, seconds: float = 120) -> str:
        """Wait for the job to end, started again at once whenever it is requeued; returns its last state."""

        def ended() -> bool:
            if self._field(job, "Reason") == "BeginTime":  # SLURM holds a requeued job back for two minutes
                self.call("scontrol", "update", f"JobId={job}", "StartTime=now")
            return self.state(job) not in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING")

        self.wait(ended, seconds)
        return self.state(job)

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for something, and show the daemons' logs if it does not come."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds} s in vain\n{self.logs()}"
            time.sleep(0.1)

    def logs(self) -> str:
        """The end of each daemon's log."""
        return "\n".join(f"{path.name}: {path.read_text()[-600:]}" for path in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        """End every process of the cluster, jobs included, and wait until they are gone."""
        subprocess.run(["scancel", "--user", getpass.getuser()], env=self.environment, capture_output=True, timeout=30)
        for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            for process in self.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, number)
            deadline = time.monotonic() + seconds
            while self.processes() and time.monotonic() < deadline:
                time.sleep(0.1)
        shutil.rmtree(self.folder, ignore_errors=True)

    def processes(self, **variables: str) -> list[int]:
        """Processes of the cluster and its jobs that have these variables; all have the path of its configuration."""
        wanted = {f"{key}={value}".encode() for key, value in variables.items()}
        wanted.add(f"SLURM_CONF={self.environment['SLURM_CONF']}".encode())
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            with contextlib.suppress(OSError):
                if wanted <= set(path.read_bytes().split(b"\0")):
                    found.append(int(path.parent.name))
        return found
