"""Who is named for a port that is in use, and what helps."""

from __future__ import annotations

import pytest

from invoke_devstack.engine.containers import port_holders
from invoke_devstack.errors import PortTakenError
from invoke_devstack.running.ports.addresses import with_holder
from tests.fakes import FakeEngine

AUTO = "Use a free one: `invoke up --ports auto`"


def test_a_proxy_without_a_container_is_what_an_engine_that_was_killed_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(port_holders, "_listening", lambda port: 4711)
    monkeypatch.setattr(
        port_holders, "_command_of_proxy", lambda pid: ["docker-proxy", "-container-ip", "9.9"]
    )
    error = with_holder(PortTakenError("", hint=AUTO, host_ip="", port=6379), FakeEngine(), "redis")
    assert error.message.endswith("already in use by a container that this engine does not list")
    assert "sudo systemctl restart docker" in error.hint
    assert error.hint.endswith(AUTO)


def test_of_any_other_program_only_what_was_known_is_advised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port_holders, "_listening", lambda port: 0)
    error = with_holder(PortTakenError("", hint=AUTO, host_ip="", port=6379), FakeEngine(), "redis")
    assert error.message.endswith("already in use by a process of another user")
    assert error.hint == AUTO
