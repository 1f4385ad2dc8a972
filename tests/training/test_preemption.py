"""Signals of one process: they ask once, and are given back."""

from __future__ import annotations

import signal

import pytest

from melama_jax.training.preemption import SIGNALS, StopRequest


@pytest.fixture(params=[signal.SIGTERM, signal.SIGUSR1])
def number(request: pytest.FixtureRequest) -> signal.Signals:
    return request.param


def test_signal_asks_to_stop(number: signal.Signals) -> None:
    stop = StopRequest()
    try:
        assert not stop.reached()
        signal.raise_signal(number)
        assert stop.reached()
        assert stop.reached()
        signal.raise_signal(number)  # a second one must not end the process while it saves
        assert stop.reached()
    finally:
        stop.close()


def test_handlers_are_given_back(number: signal.Signals) -> None:
    caught: list[int] = []
    before = signal.signal(number, lambda which, frame: caught.append(which))
    try:
        StopRequest().close()
        signal.raise_signal(number)
        assert caught == [number]
    finally:
        signal.signal(number, before)


def test_handlers_are_given_back_to_the_default() -> None:
    before = {number: signal.getsignal(number) for number in SIGNALS}
    stop = StopRequest()
    assert all(signal.getsignal(number) != before[number] for number in SIGNALS)
    stop.close()
    assert {number: signal.getsignal(number) for number in SIGNALS} == before


def test_new_request_starts_unasked(number: signal.Signals) -> None:
    first = StopRequest()
    signal.raise_signal(number)
    first.close()
    second = StopRequest()
    assert not second.reached()
    second.close()


def test_interrupt_from_the_keyboard_is_left_alone() -> None:
    # A process started in the background inherits an ignored SIGINT.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    stop = StopRequest()
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert not stop.reached()
    finally:
        stop.close()
        signal.signal(signal.SIGINT, before)
