"""The exit code of a command whose output has ended."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from invoke_devstack.engine.containers.execs import exec_code
from invoke_devstack.engine.transport.api import Api
from invoke_devstack.engine.transport.traffic import Traffic
from invoke_devstack.errors import Interrupted


def api(*states: dict[str, Any], traffic: Traffic) -> Api:
    """Answers with the states, and with the last one from then on."""
    left = list(states)
    answer = lambda *_: left.pop(0) if len(left) > 1 else left[0]  # noqa: E731
    return cast(Api, SimpleNamespace(get=answer, traffic=traffic, url="unix://engine"))


def test_the_code_that_comes_a_moment_later_is_given_after_a_signal_too() -> None:
    traffic = Traffic()
    traffic.break_off(lambda: Interrupted(2), before=time.monotonic())
    running, ended = {"Running": True, "ExitCode": None}, {"Running": False, "ExitCode": 3}
    assert exec_code(api(running, running, ended, traffic=traffic), "id") == 3


def test_a_signal_ends_the_wait_for_a_code_that_does_not_come() -> None:
    traffic = Traffic()
    traffic.break_off(lambda: Interrupted(2), before=time.monotonic())
    began = time.monotonic()
    with pytest.raises(Interrupted):
        exec_code(api({"Running": False, "ExitCode": None}, traffic=traffic), "id")
    assert time.monotonic() - began < 5
