"""Several calls at once."""

from __future__ import annotations

import threading

import pytest

from invoke_devstack.running.workers import at_once


def test_calls_run_at_once_and_their_results_are_in_order() -> None:
    together = threading.Barrier(3, timeout=10)

    def call(number: int) -> int:
        together.wait()
        return number

    assert at_once([lambda number=number: call(number) for number in range(3)]) == [0, 1, 2]  # type: ignore[misc]
    assert at_once([lambda: 5]) == [5]


def test_the_error_of_a_call_is_raised_while_others_hang() -> None:
    hang = threading.Event()

    def fail() -> bool:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        at_once([hang.wait, fail])
    hang.set()
