"""Processes, here threads, that come to one port: all of them, or not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence

import pytest

from melama_jax.errors import MeshError
from melama_jax.parallel import rendezvous
from melama_jax.parallel.rendezvous import meet


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def come(port: int, processes: Sequence[int], count: int, timeout: float) -> dict[int, str | None]:
    """What each of the processes that come is told; None when all met."""
    told: dict[int, str | None] = {}

    def one(process: int) -> None:
        try:
            meet(f"127.0.0.1:{port}", count, process, timeout_seconds=timeout)
            told[process] = None
        except MeshError as error:
            told[process] = str(error)

    threads = [threading.Thread(target=one, args=(process,)) for process in processes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return told


def test_all_meet_and_leave_the_port_free() -> None:
    port = free_port()
    for _ in range(2):
        assert come(port, [2, 1, 0, 3], 4, 10) == dict.fromkeys(range(4))
    with socket.create_server(("127.0.0.1", port)):
        pass


def test_all_that_came_are_told_who_is_missing() -> None:
    told = come(free_port(), [0, 1, 4], 5, 4.0)
    assert told.keys() == {0, 1, 4}
    for message in told.values():
        assert message is not None
        assert message.startswith("processes 2, 3 of 5 did not come to 127.0.0.1:")


def test_without_process_0_it_is_missing() -> None:
    [message] = come(free_port(), [1], 2, 0.6).values()
    assert message is not None
    assert message.startswith("process 0 of 2 did not come")


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MeshError, match=rf"cannot listen on port {port}: Address already in use.*COORDINATOR_PORT"):
            meet(f"127.0.0.1:{port}", 2, 0, timeout_seconds=5)


def test_a_stranger_at_the_port_is_left_aside() -> None:
    port = free_port()
    told: dict[int, str | None] = {}
    first = threading.Thread(target=lambda: told.update(come(port, [0], 2, 10)))
    first.start()
    for word in (b"GET / HTTP/1.0\r\n\r\n", b'{"processes": 9, "process": 1}\n', b"\xff\n"):
        for _ in range(100):
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as stranger:
                    stranger.sendall(word)
                break
            except ConnectionRefusedError:
                threading.Event().wait(0.05)
    assert come(port, [1], 2, 10) == {1: None}
    first.join(10)
    assert told == {0: None}


def test_something_else_at_the_port_is_told_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendezvous, "_ANSWER", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as other:  # takes connections and never says a word
        [message] = come(other.getsockname()[1], [1], 2, 1.5).values()
    assert message is not None
    assert "did not come" in message
    assert "something else listens there" in message
