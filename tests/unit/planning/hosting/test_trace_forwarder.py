"""The forwarder of traces: in every network of the stack, and in the way of no service."""

from __future__ import annotations

from typing import Any

import pytest

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.bodies.tracing import Receiver, trace_variables, traced
from invoke_devstack.planning.hosting.forwarder import Relay
from invoke_devstack.planning.hosting.trace_forwarder import HOST, PORT, with_trace_forwarder
from tests.unit.planning.building import stack

RELAY = Relay("relay:1", ("sh", "relay"))


def test_it_is_in_every_network_and_passes_on_to_the_receiver() -> None:
    services: dict[str, dict[str, Any]] = {
        "web": {"networks": {"front": None}},
        "db": {},
        "own": {"network_mode": "host"},
    }
    found = with_trace_forwarder(stack(services, networks={"front": {}}), 12345, RELAY)
    assert {*found.services} == {"web", "db", "own", HOST, "traces-forwarder-host"}
    forwarder, other = found.services[HOST], found.services["traces-forwarder-host"]
    assert {*forwarder.networks} == {"front", "default"}
    assert forwarder.command is not None and forwarder.command[0] == f"{PORT}=/dev/shm/host-12345"
    assert (other.network_mode, other.command) == ("host", ("/dev/shm/host-12345=127.0.0.1:12345",))
    assert not forwarder.ports


def test_it_sends_no_traces_itself() -> None:
    definition = with_trace_forwarder(stack({"web": {}}), 12345, RELAY)
    receiver = Receiver(endpoint="http://x:1", local_endpoint="http://127.0.0.1:1", header="k=v")
    found = traced(definition, receiver)
    having = [name for name, service in found.services.items() if trace_variables(found, service)]
    assert having == ["web"]


def test_a_service_of_its_name_is_named() -> None:
    with pytest.raises(UsageError, match="traces need the name `traces-forwarder`"):
        with_trace_forwarder(stack({HOST: {}}), 1, RELAY)
