"""Train on GKE as a JobSet: one pod per node, GPUs or a TPU slice.

python launch/gke/launch.py --name llama-13b --machine a3-ultragpu-8g --nodes 4 --image IMAGE --claim CLAIM \
    --config /opt/melama_jax/configs/pretrain/13b_a100_160.yaml --set run.dir=runs/13b
python launch/gke/launch.py ... --dry-run        prints the manifest and the command, and asks the cluster nothing

What must be there: a cluster with the JobSet controller, an image with this project installed (launch/Dockerfile), and
a claim of a ReadWriteMany volume (Filestore, Lustre) that holds the data and takes the run; pods work in its folder.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import yaml

LAUNCH = Path(__file__).resolve().parent.parent
PORT = 1234
CANNOT_WORK = 64  # EX_USAGE: starting again would not help
REQUEUE = "run.requeue_exit_code"

# GPUs of a machine: value of the node label, and the file of flags.
GPU_MACHINES = {
    "a2-ultragpu-8g": ("nvidia-a100-80gb", "a100"),
    "a3-highgpu-8g": ("nvidia-h100-80gb", "h100"),
    "a3-megagpu-8g": ("nvidia-h100-mega-80gb", "h100"),
    "a3-ultragpu-8g": ("nvidia-h200-141gb", "h200"),
}
GPUS, CHIPS = 8, 4  # of a node
# Of a generation: value of the node label, dimensions of a topology.
TPUS = {
    "v4": ("tpu-v4-podslice", 3),
    "v5e": ("tpu-v5-lite-podslice", 2),
    "v5p": ("tpu-v5p-slice", 3),
    "v6e": ("tpu-v6e-slice", 2),
}


def fail(message: str) -> NoReturn:
    """End with one line and the exit status of a mistake."""
    print(f"error: {message}", file=sys.stderr)
    sys.exit(2)


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line."""

    def error(self, message: str) -> NoReturn:
        """End with the message, without the usage."""
        fail(message)


def parse() -> argparse.Namespace:
    """The command line, checked."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    parser.add_argument("--name", required=True, help="of the JobSet")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--machine", choices=sorted(GPU_MACHINES), help="machine type of the GPU nodes")
    parser.add_argument("--nodes", type=int, help="GPU nodes (1)")
    parser.add_argument("--tpu", choices=sorted(TPUS), help="instead of --machine: generation of the slice")
    parser.add_argument("--topology", help="of the slice, such as 4x4x8")
    parser.add_argument("--image", required=True, help="image with this project and its extra cuda12 or tpu")
    parser.add_argument("--claim", required=True, help="PersistentVolumeClaim of the shared volume")
    parser.add_argument("--mount", default="/data", help="where pods see it, and their working directory (%(default)s)")
    parser.add_argument("--config", required=True, help="a file in the image, or on the volume")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    parser.add_argument("--pod", type=Path, help="YAML laid over the pod template; the default is that of the machine")
    parser.add_argument("--daemon-image", help="of GPUDirect's receive daemon (a3-megagpu-8g)")
    parser.add_argument("--spot", action="store_true", help="take Spot nodes")
    parser.add_argument("--max-restarts", type=int, default=10, help="after failures; saved stops do not count")
    parser.add_argument(
        "--grace", type=int, default=300, help="seconds to save in before a pod is killed (%(default)s)"
    )
    parser.add_argument("--no-preflight", action="store_true")
    parser.add_argument("--dry-run", action="store_true", help="print the manifest and the command, and stop")
    given = parser.parse_args()
    if not re.fullmatch(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", given.name):
        fail(f"--name {given.name} must be at most 40 lower-case letters, digits and hyphens, from a letter on")
    if (given.machine is None) == (given.tpu is None):
        fail("give either --machine and --nodes, or --tpu and --topology")
    if (given.tpu and given.nodes is not None) or (given.machine and given.topology):
        fail("--nodes goes with --machine, and --topology with --tpu")
    for key in ("max_restarts", "grace"):
        if getattr(given, key) < 0:
            fail(f"--{key.replace('_', '-')} {getattr(given, key)} must be at least 0")
    given.requeue = 75
    for override in given.overrides:
        key, equals, value = override.partition("=")
        if not (key and equals):
            fail(f"--set {override} must be KEY=VALUE")
        if key == REQUEUE:
            if not re.fullmatch(r"[1-9]\d{0,2}", value) or int(value) > 255 or int(value) in (2, CANNOT_WORK):
                fail(f"--set {override} must be 1 to 255, and not 2 or {CANNOT_WORK}, which say that nothing can work")
            given.requeue = int(value)
    if given.nodes is None:
        given.nodes = 1
    if given.tpu:
        dimensions = TPUS[given.tpu][1]
        if not re.fullmatch(rf"[1-9]\d*(x[1-9]\d*){{{dimensions - 1}}}", given.topology or ""):
            fail(
                f"--topology {given.topology} must be such as {'16x16' if dimensions == 2 else '4x4x8'} for {given.tpu}"
            )
        chips = math.prod(map(int, given.topology.split("x")))
        if chips % CHIPS:
            fail(f"--topology {given.topology} has {chips} chips, but a host has {CHIPS}")
        given.nodes = chips // CHIPS
    if given.nodes < 1:
        fail(f"--nodes {given.nodes} must be at least 1")
    if given.machine:
        beside = LAUNCH / "gke" / "pod" / f"{given.machine}.yaml"
        given.pod = given.pod or (beside if beside.exists() and given.nodes > 1 else None)
    if given.pod and not given.pod.is_file():
        fail(f"--pod {given.pod}: no such file")
    if given.pod and "DAEMON_IMAGE" in given.pod.read_text() and not given.daemon_image:
        fail(f"{given.pod} needs --daemon-image, the image of the receive daemon of your cluster's GPUDirect version")
    return given


def flags(name: str) -> dict[str, str]:
    """The KEY=value lines of launch/env/<name>.env."""
    found: dict[str, str] = {}
    for line in (LAUNCH / "env" / f"{name}.env").read_text().splitlines():
        if match := re.match(r"\s*([A-Z][A-Z0-9_]*)=(.*)", line):
            words = shlex.split(match[2])
            if match[1] in ("XLA_FLAGS", "LIBTPU_INIT_ARGS"):  # may stand on several lines
                words.insert(0, found.get(match[1], ""))
            found[match[1]] = " ".join(words).strip()
    return found


def script(given: argparse.Namespace) -> str:
    """What a pod runs: is the configuration sound, do the devices talk, train."""
    # Said here, so that the rules below hold whatever the file says.
    words = ["--config", given.config, "--set", f"{REQUEUE}=75"]
    for override in given.overrides:
        words += ["--set", override]
    arguments = shlex.join(words)
    devices = given.nodes * (GPUS if given.machine else CHIPS)
    lines = [
        'if [ -n "${NCCL_PROFILE:-}" ]; then . "$NCCL_PROFILE"; fi',
        f"JAX_PLATFORMS=cpu python -m melama_jax.train --dry-run --devices {devices} {arguments} >/dev/null "
        f'|| {{ status=$?; [ "$status" -ne 2 ] || exit {CANNOT_WORK}; exit "$status"; }}',
    ]
    if not given.no_preflight:
        lines.append(f"python -m melama_jax.preflight {arguments} || exit")
    lines.append(f"exec python -m melama_jax.train {arguments}")
    return "\n".join(lines) + "\n"


def environment(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Flags of the hardware, and how the processes find each other (a TPU slice does by itself)."""
    values = {"PYTHONUNBUFFERED": "1"}
    if not given.machine:
        return [{"name": key, "value": value} for key, value in (values | flags("tpu")).items()]
    values |= flags(GPU_MACHINES[given.machine][1]) | {
        "JAX_PLATFORMS": "cuda,cpu",
        "JAX_COORDINATOR_ADDRESS": f"{given.name}-workers-0-0.{given.name}:{PORT}",
        "JAX_NUM_PROCESSES": str(given.nodes),
        "MELAMA_NUM_HOSTS": str(given.nodes),
    }
    index = {"fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}
    return [
        *({"name": key, "value": value} for key, value in values.items()),
        {"name": "JAX_PROCESS_ID", "valueFrom": index},
    ]


def pod(given: argparse.Namespace) -> dict[str, Any]:
    """The pod template."""
    if given.machine:
        devices = {"nvidia.com/gpu": GPUS}
        selector = {
            "cloud.google.com/gke-accelerator": GPU_MACHINES[given.machine][0],
            "node.kubernetes.io/instance-type": given.machine,
        }
    else:
        devices = {"google.com/tpu": CHIPS}
        selector = {
            "cloud.google.com/gke-tpu-accelerator": TPUS[given.tpu][0],
            "cloud.google.com/gke-tpu-topology": given.topology,
        }
    if given.spot:
        selector["cloud.google.com/gke-spot"] = "true"
    container = {
        "name": "train",
        "image": given.image,
        "command": ["bash", "-c", script(given)],
        "workingDir": given.mount,
        "env": environment(given),
        "resources": {"limits": devices},
        "volumeMounts": [{"name": "data", "mountPath": given.mount}, {"name": "shm", "mountPath": "/dev/shm"}],
    }
    template = {
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": given.grace,
            "nodeSelector": selector,
            "tolerations": [{"operator": "Exists", "key": next(iter(devices))}],
            "containers": [container],
            "volumes": [
                {"name": "data", "persistentVolumeClaim": {"claimName": given.claim}},
                {"name": "shm", "emptyDir": {"medium": "Memory"}},  # NCCL's buffers; the default is 64 MiB
            ],
        }
    }
    if given.pod:
        text = given.pod.read_text().replace("DAEMON_IMAGE", json.dumps(given.daemon_image))
        template = laid_over(template, yaml.safe_load(text))
    return template


def laid_over(base: Any, patch: Any) -> Any:
    """A patch over a tree: mappings by key, lists of named things by name, anything else replaced."""
    if isinstance(base, dict) and isinstance(patch, dict):
        return base | {key: laid_over(base[key], value) if key in base else value for key, value in patch.items()}
    if isinstance(base, list) and isinstance(patch, list):
        named = {item["name"]: item for item in base}
        for item in patch:
            named[item["name"]] = laid_over(named.get(item["name"], {}), item)
        return list(named.values())
    return patch


def manifest(given: argparse.Namespace) -> dict[str, Any]:
    """The JobSet.

    A pod that saved on request (`run.requeue_exit_code`: its node is drained) or lost its node is replaced; since all
    processes agree to stop, all are. A configuration that cannot work (64) ends the JobSet. Any other failure starts
    all pods again from the last checkpoint, `--max-restarts` times.
    """
    on_exit = {"containerName": "train", "operator": "In"}
    job = {
        "completionMode": "Indexed",
        "parallelism": given.nodes,
        "completions": given.nodes,
        "backoffLimit": 0,
        "podFailurePolicy": {
            "rules": [
                {"action": "FailJob", "onExitCodes": on_exit | {"values": [CANNOT_WORK]}},
                {"action": "Ignore", "onExitCodes": on_exit | {"values": [given.requeue]}},
                {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
            ]
        },
        "template": pod(given),
    }
    # One node pool for one job, so that a TPU slice is not split.
    pool = {"alpha.jobset.sigs.k8s.io/exclusive-topology": "cloud.google.com/gke-nodepool"}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": given.name, "namespace": given.namespace} | ({"annotations": pool} if given.tpu else {}),
        "spec": {
            "network": {"enableDNSHostnames": True, "publishNotReadyAddresses": True},
            "failurePolicy": {
                "maxRestarts": given.max_restarts,
                "rules": [{"action": "FailJobSet", "onJobFailureReasons": ["PodFailurePolicy"]}],
            },
            "replicatedJobs": [{"name": "workers", "replicas": 1, "template": {"spec": job}}],
        },
    }


class Readable(yaml.SafeDumper):
    """Several lines as several lines."""


Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def main() -> int:
    """Render, and apply unless told not to."""
    given = parse()
    text = yaml.dump(manifest(given), Dumper=Readable, sort_keys=False, width=1000)
    command = ["kubectl", "apply", "--filename", "-"]
    if given.dry_run:
        print(f"# {shlex.join(command)}   # of what follows\n{text}", end="")
        return 0
    if shutil.which("kubectl") is None:
        fail("kubectl is not on the PATH; --dry-run prints the manifest without it")
    return subprocess.run(command, input=text, text=True, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
