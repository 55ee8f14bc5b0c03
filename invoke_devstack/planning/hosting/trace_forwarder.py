"""The forwarder through which traces reach this machine where containers cannot reach it themselves:
because of a firewall, or because the engine's networks are not of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.definition.model import Service
from invoke_devstack.definition.processes.process import Process
from invoke_devstack.errors import UsageError
from invoke_devstack.planning.hosting.forwarder import Relay, forwarders
from invoke_devstack.planning.hosting.hosted import HostedService

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

PORT = 4318
"""OTLP's own for HTTP."""
_NAME = "traces"
HOST = f"{_NAME}-forwarder"
_OTHER = f"{_NAME}-forwarder-host"


def with_trace_forwarder(definition: Definition, port: int, relay: Relay) -> Definition:
    """The definition with services that pass on to `port` of this machine, in every network of the others.
    Raises UsageError if a service has one of their names."""
    for taken in sorted({HOST, _OTHER} & definition.all_services.keys()):
        raise UsageError(
            f"traces need the name `{taken}` for their forwarder", hint=f"Rename the service `{taken}`."
        )
    networks = {
        key: None
        for service in definition.services.values()
        if not service.network_mode
        for key in (service.networks or ("default",))
    }
    place = Service(name=_NAME, networks=networks)
    around = definition.copy_with({"services": {**definition.services, _NAME: place}})
    hosted = HostedService(process=Process(), variables={}, served={PORT: port})
    return definition.copy_with(
        {"services": {**definition.services, **forwarders(around, _NAME, hosted, relay)}}
    )
