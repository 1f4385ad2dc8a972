"""Small facts that the processes of a job tell each other, without any device: who failed, and how.

A collective on devices would hang when one process has gone another way; these go through JAX's coordination service.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

import jax

from melama_jax import errors
from melama_jax.errors import MelamaError, MeshError

Result = TypeVar("Result")
_calls = itertools.count()
_WEEK = 7 * 24 * 3600.0


class PeerLostError(MeshError):
    """Another process is gone: what this process met is the symptom, not the cause."""


def coordination_client() -> Any:
    """The client of JAX's coordination service, or None in a job of one process; it has no public handle."""
    from jax._src import distributed as jax_distributed

    return jax_distributed.global_state.client


def gather(name: str, value: str, *, timeout_seconds: float = 3600.0) -> list[str]:
    """Every process's value, by process; all processes must call this in the same order.

    Args:
        name: What the exchange is about, for the message when it fails.
        value: This process's word.
        timeout_seconds: How long to wait for the others.

    Raises:
        PeerLostError: Another process ended, or did not come in time.
    """
    if jax.process_count() == 1:
        return [value]
    client = coordination_client()
    place = f"melama/{next(_calls)}-{name}"
    client.key_value_set(f"{place}/{jax.process_index()}", value)
    try:
        client.wait_at_barrier(place, int(timeout_seconds * 1000))
    except jax.errors.JaxRuntimeError:
        raise PeerLostError(f"{name}: another process ended, or did not come in {timeout_seconds:g} s") from None
    found = {int(key.rsplit("/", 1)[1]): said for key, said in client.key_value_dir_get(f"{place}/")}
    return [found[process] for process in range(jax.process_count())]


def exchange(name: str, value: str, *, timeout_seconds: float, without: Collection[int] = ()) -> dict[int, str]:
    """The values of the processes that come in time, by process; it waits for nobody longer, and raises nothing.

    Args:
        name: What the exchange is about; used once in a job.
        value: This process's word.
        timeout_seconds: How long to wait for the others.
        without: Processes that are not waited for.
    """
    process, client = jax.process_index(), coordination_client()
    if client is None:
        return {process: value}
    until = time.monotonic() + timeout_seconds
    client.key_value_set(f"melama/{name}/{process}", value)
    awaited = set(range(jax.process_count())) - set(without)
    while True:
        found = {int(key.rsplit("/", 1)[1]): said for key, said in client.key_value_dir_get(f"melama/{name}/")}
        if awaited <= found.keys() or time.monotonic() > until:
            return found
        time.sleep(0.02)


def clock_offsets(*, timeout_seconds: float, rounds: int = 3) -> dict[int, tuple[float, float]]:
    """In process 0: how far the other processes' clocks are ahead, and how sure that is, both in seconds.

    Process 0 asks each in turn for its time, by the coordination service; the true offset lies within half of the
    round trip, of which the shortest counts. All processes must call this once; the others get nothing.

    Raises:
        PeerLostError: A process did not answer.
    """
    client, process = coordination_client(), jax.process_index()
    offsets: dict[int, tuple[float, float]] = {}
    limit = int(timeout_seconds * 1000)
    try:
        for other in range(1, jax.process_count()):
            for number in range(rounds):
                ask, answer = (f"melama/clock-{word}/{other}/{number}" for word in ("ask", "answer"))
                if process == other:
                    client.blocking_key_value_get(ask, limit)
                    client.key_value_set(answer, repr(time.time()))
                elif process == 0:
                    before = time.time()
                    client.key_value_set(ask, "")
                    there = float(client.blocking_key_value_get(answer, limit))
                    after = time.time()
                    found = there - (before + after) / 2, (after - before) / 2
                    offsets[other] = min(found, offsets.get(other, found), key=lambda pair: pair[1])
    except jax.errors.JaxRuntimeError:
        raise PeerLostError(f"clocks: a process did not answer in {timeout_seconds:g} s") from None
    return offsets


def together(
    name: str, action: Callable[[], Result], *, only_first: bool = False, timeout_seconds: float = _WEEK
) -> Result | None:
    """Run something in every process (or in the first alone), and raise its error in all of them.

    Args:
        name: What is done, for messages.
        action: Raises a `MelamaError` when it cannot work.
        only_first: Process 0 alone runs it; the others get None.
        timeout_seconds: How long the others wait.

    Returns:
        This process's result.

    Raises:
        MelamaError: The first one that any process raised.
    """
    result, failure, said = None, None, ""
    if jax.process_index() == 0 or not only_first:
        try:
            result = action()
        except MelamaError as error:
            failure = error
            said = json.dumps({"type": type(error).__name__, "message": str(error)})
        except BaseException as error:
            failure = error
            message = f"{name}: process {jax.process_index()} failed with {type(error).__name__}; see its log"
            said = json.dumps({"type": "MeshError", "message": message})
    outcomes = gather(name, said, timeout_seconds=timeout_seconds)
    for outcome in filter(None, outcomes):
        told = json.loads(outcome)
        error: Any = failure or getattr(errors, told["type"], MeshError)(told["message"])
        error.agreed = True
        raise error
    return result


def some(processes: Iterable[int]) -> str:
    """Processes in words: a few by number, the rest counted."""
    numbers = sorted(processes)
    shown = ", ".join(map(str, numbers[:6])) + (f" and {len(numbers) - 6} more" if len(numbers) > 6 else "")
    return f"process{'es' if len(numbers) > 1 else ''} {shown}"
