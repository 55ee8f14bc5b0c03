"""The end of the server in the middle of a measurement is no fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from invoke_devstack.acting.host import Host
from invoke_devstack.dashboard.hub import Hub
from invoke_devstack.dashboard.watching.meters import Meters
from invoke_devstack.dashboard.watching.stack import Stack
from invoke_devstack.errors import EngineUnavailableError
from invoke_devstack.secrets import SecretValues


class _NoHost:
    project = "shop"
    directory = Path("/shop")
    task_prefix = ""
    secrets = SecretValues()

    def session(self, emit: Any = None) -> Any:
        raise EngineUnavailableError("no engine", reason="not-running")


def test_a_measurement_that_the_end_breaks_off_says_nothing() -> None:
    hub = Hub()
    stack = Stack(cast("Host", _NoHost()), hub, {})
    meters = Meters(stack, hub)
    running = [{"service": "web", "container": f"shop-web-{number}"} for number in range(50)]
    meters.stop()
    meters._measure(running)
    assert meters.rows() == []


def test_without_an_engine_it_says_so_and_goes_on() -> None:
    stack = Stack(cast("Host", _NoHost()), Hub(), {"read_only": False})
    stack.start()
    stack.wait_until_seen(30)
    state = stack.project()
    stack.stop()
    assert (state["engine"]["state"], state["engine"]["error"]) == ("away", "no engine")
    assert (state["project"], state["stack"], state["read_only"]) == ("shop", "unknown", False)
