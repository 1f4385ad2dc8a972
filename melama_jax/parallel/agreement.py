"""Small facts that the processes of a job tell each other, without any device: who failed, and how.

A collective on devices would hang when one process has gone another way; these go through JAX's coordination service.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import TypeVar

import jax

from melama_jax import errors
from melama_jax.errors import MelamaError, MeshError

Result = TypeVar("Result")
_calls = itertools.count()
_WEEK = 7 * 24 * 3600.0


def gather(name: str, value: str, *, timeout_seconds: float = 3600.0) -> list[str]:
    """Every process's value, by process; all processes must call this in the same order.

    Args:
        name: What the exchange is about, for the message when it fails.
        value: This process's word.
        timeout_seconds: How long to wait for the others.

    Raises:
        MeshError: Another process ended, or did not come in time.
    """
    if jax.process_count() == 1:
        return [value]
    # The coordination service has no public handle.
    from jax._src import distributed as jax_distributed

    client = jax_distributed.global_state.client
    assert client is not None
    place = f"melama/{next(_calls)}-{name}"
    client.key_value_set(f"{place}/{jax.process_index()}", value)
    try:
        client.wait_at_barrier(place, int(timeout_seconds * 1000))
    except jax.errors.JaxRuntimeError:
        raise MeshError(f"{name}: another process ended, or did not come in {timeout_seconds:g} s") from None
    found = {int(key.rsplit("/", 1)[1]): said for key, said in client.key_value_dir_get(f"{place}/")}
    return [found[process] for process in range(jax.process_count())]


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
    if failure is not None:
        raise failure
    for outcome in filter(None, outcomes):
        told = json.loads(outcome)
        raise getattr(errors, told["type"], MeshError)(told["message"])
    return result
