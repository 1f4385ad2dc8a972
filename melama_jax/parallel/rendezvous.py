"""All processes of a job come together at the coordinator's port before JAX does, so that a missing one has a name.

JAX's own meeting ends, when a process does not come, in an abort after minutes that does not say which one.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from typing import Any, BinaryIO

from melama_jax.errors import MeshError
from melama_jax.parallel.agreement import some

_TURN = 2.0  # longest wait on one connection, so that a stranger at the port holds nobody up
_ANSWER = 5 * _TURN  # process 0 answers a greeting at once, but strangers may come before


def meet(coordinator: str, num_processes: int, process_id: int, *, timeout_seconds: float) -> None:
    """Wait until every process of the job is there; the port is free again afterwards.

    Args:
        coordinator: host:port; process 0 listens on that port, on all its addresses.
        num_processes: Processes of the job.
        process_id: This one.
        timeout_seconds: How long to wait.

    Raises:
        MeshError: Processes did not come (naming them), or the port cannot be used.
    """
    host, _, port = coordinator.rpartition(":")
    until = time.monotonic() + timeout_seconds
    greeting = {"processes": num_processes, "process": process_id, "host": socket.gethostname()}
    stranger = False
    if process_id == 0:
        missing = _receive(int(port), greeting, until)
    else:
        missing, stranger = _join(host.strip("[]"), int(port), greeting, until)
    if stranger:
        raise MeshError(
            f"process 0 of {num_processes} did not come to {coordinator} in {timeout_seconds:g} s, but something else "
            f"listens there; set JAX_COORDINATOR_PORT (or JAX_COORDINATOR_ADDRESS) to a free port"
        )
    if missing:
        raise MeshError(
            f"{some(missing)} of {num_processes} did not come to {coordinator} in {timeout_seconds:g} s; look at the "
            f"output of {'its host' if len(missing) == 1 else 'their hosts'}, and whether that host and port is "
            f"reachable from there"
        )


def _receive(port: int, greeting: dict[str, Any], until: float) -> list[int]:
    """Process 0: collect the others, then send all of them on, or tell them who is missing."""
    processes = greeting["processes"]
    there: dict[int, socket.socket] = {}
    try:
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        server = socket.create_server(("", port), family=family, dualstack_ipv6=both, backlog=processes)
    except OSError as error:
        raise MeshError(
            f"process 0 cannot listen on port {port}: {error.strerror}; set JAX_COORDINATOR_PORT to a free one"
        ) from None
    with server, contextlib.ExitStack() as closing:
        while len(there) < processes - 1 and (left := until - time.monotonic()) > 0:
            server.settimeout(left)
            try:
                connection, _ = server.accept()
            except TimeoutError:
                break
            connection.settimeout(_TURN)
            said = _read(closing.enter_context(closing.enter_context(connection).makefile("rb")))
            process = said.get("process")
            if said.get("processes") == processes and isinstance(process, int) and 0 < process < processes:
                with contextlib.suppress(OSError):  # who has left comes again
                    connection.sendall(b'{"wait": true}\n')
                    there[process] = connection
        missing = [process for process in range(1, processes) if process not in there]
        for connection in there.values():
            with contextlib.suppress(OSError):
                connection.sendall(json.dumps({"missing": missing}).encode() + b"\n")
        for connection in there.values():
            with contextlib.suppress(OSError):
                connection.recv(1)  # the other side closes first, so that the port is free at once
    return missing


def _join(host: str, port: int, greeting: dict[str, Any], until: float) -> tuple[list[int], bool]:
    """Another process: greet process 0 and wait for its word; also whether a stranger was at its port instead."""
    stranger = False
    while (left := until - time.monotonic()) > 0:
        try:
            with socket.create_connection((host, port), timeout=min(left, _TURN)) as connection:
                connection.sendall(json.dumps(greeting).encode() + b"\n")
                connection.settimeout(_ANSWER)
                with connection.makefile("rb") as stream:
                    stranger = _read(stream).get("wait") is not True
                    if not stranger:
                        # Process 0 tells at its own deadline, which may be later than ours.
                        connection.settimeout(max(until - time.monotonic(), 0.0) + 2 * _TURN)
                        missing = _read(stream).get("missing")
                        if isinstance(missing, list):
                            return missing, False
        except OSError:
            pass
        time.sleep(0.2)
    return [0], stranger


def _read(stream: BinaryIO) -> dict[str, Any]:
    """One line of JSON; empty for anything else."""
    try:
        said = json.loads(stream.readline(1 << 16))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
