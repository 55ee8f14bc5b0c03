"""What a service gets so that it sends its traces, with `up --trace`: variables that every SDK of
OpenTelemetry reads. Without the flag there are none.

They are not in Compose's hash, as those of `x-devstack.connect` are not, but in our fingerprint. What the
service's own `environment` sets stays as it is.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from invoke_devstack.planning.labels import FORWARDER
from invoke_devstack.planning.names import container_name
from invoke_devstack.planning.processes.image import is_process
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


@record(kw_only=True)
class Receiver:
    """Where traces are sent: `endpoint` for a container, `local_endpoint` for what is in
    this machine's network.
    `header` is `NAME=KEY`."""

    endpoint: str
    local_endpoint: str
    header: str


def traced(definition: Definition, receiver: Receiver) -> Definition:
    """The definition whose services send their traces there."""
    return definition.copy_with({"receiver": receiver})


def trace_variables(definition: Definition, service: Service, number: int = 0) -> dict[str, str]:
    """The variables of a service, or of its container `number` (0: of all of them, without its name)."""
    receiver = definition.receiver
    if receiver is None or FORWARDER in service.labels or not _has_network(service):
        return {}
    local = is_process(service) or service.network_mode == "host"
    resource = {"devstack.project": definition.name}
    if number:
        resource["service.instance.id"] = container_name(definition.name, service, number)
    values = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.local_endpoint if local else receiver.endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_HEADERS": receiver.header,
        "OTEL_SERVICE_NAME": service.name,
        "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"{key}={quote(value)}" for key, value in resource.items()),
    }
    return {name: value for name, value in values.items() if name not in service.environment}


def _has_network(service: Service) -> bool:
    return service.network_mode not in ("none", "disabled")
