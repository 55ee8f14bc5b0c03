"""The containers that pass connections on to the process of a hosted service `web`: `web-forwarder` takes
them under the service's names and ports, `web-forwarder-host` hands them to the process.

The second one is in the network of this machine, so the process may listen on 127.0.0.1 alone, and nothing
listens on an address that others could reach. Between the two there is a socket in their shared /dev/shm: no
volume, no port. An engine in a virtual machine of its own (Docker Desktop) has a name for this machine
instead. The first one also opens ports of services that publish none, on 127.0.0.1, for the process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.model import Port, Service, ServiceNetwork
from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.connections import EXTENSION
from invoke_devstack.planning.hosting.hosted import HostedService
from invoke_devstack.records import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invoke_devstack.definition.model import Definition

_SOCKETS = "/dev/shm/host-"
_DESKTOP_NAME = "host.docker.internal"
_LOOPBACK = "127.0.0.1"
_LAST = 9
"""The forwarder listens at this port once it does at all others. Nothing answers there (RFC 863: discard)."""


@record
class Relay:
    """A program that passes connections on, and an image of the engine that can run it. `words` come before
    its routes; `volumes` are the image's, which the forwarder must not have. `desktop`: the engine is in a
    virtual machine."""

    image: str
    words: tuple[str, ...]
    volumes: tuple[str, ...] = ()
    desktop: bool = False


_LOW_PORTS = ("NET_BIND_SERVICE",)
"""Podman keeps ports below 1024 from root without it; Docker opens them to everyone in a container."""


def forwarders(definition: Definition, name: str, hosted: HostedService, relay: Relay) -> dict[str, Service]:
    """The services that forward to the process of `name`, by name. Raises UsageError if one of them would be
    called like a service of the definition."""
    first, second = f"{name}-forwarder", f"{name}-forwarder-host"
    found = {first: _forwarder(definition.services[name], first, hosted, relay)}
    if hosted.served and not relay.desktop:
        found[second] = _other_end(first, second, hosted, relay)
    for taken in sorted(found.keys() & definition.all_services.keys()):
        raise UsageError(
            f"`{name}` cannot run on the host: its forwarder needs the name `{taken}`",
            hint=f"Rename the service `{taken}`.",
        )
    return found


def _forwarder(service: Service, name: str, hosted: HostedService, relay: Relay) -> Service:
    """In the same networks under the same names. Its ports are those of the service that the process does
    not take itself, and those that it opens."""
    routes = [f"{port}={_target(mine, relay)}" for port, mine in hosted.served.items()]
    routes += [f"{port}={other}:{theirs}" for port, (other, theirs) in hosted.opened.items()]
    opened = [
        Port(target=port, published=str(port), host_ip=_LOOPBACK, protocol="tcp", mode="ingress")
        for port in hosted.opened
    ]
    kept = [port for port in service.ports if _is_forwarded(port, hosted.served)]
    values: dict[str, Any] = {
        "command": (*routes, f"{_LAST}={_LOOPBACK}:{_LAST}"),
        "extensions": {EXTENSION: {"ready": _LAST}},
        "networks": {key: _joined(service.name, network) for key, network in service.networks.items()},
        "ipc": "shareable",
        "cap_add": _LOW_PORTS,
        "ports": (*kept, *opened),
        "labels": {labels.FORWARDER: " ".join(routes)},
    }
    if relay.desktop:
        values["extra_hosts"] = (f"{_DESKTOP_NAME}=host-gateway",)
    return _relay_service(name, relay, routes).copy_with(values)


def opened_before(routes: str) -> dict[tuple[str, int], int]:
    """(service, port) -> the port of this machine, from the label of a forwarder."""
    found = {}
    for route in routes.split():
        mine, _, place = route.partition("=")
        service, colon, port = place.rpartition(":")
        if colon and mine.isdecimal() and port.isdecimal():
            found[service, int(port)] = int(mine)
    return found


def _target(port: int, relay: Relay) -> str:
    return f"{_DESKTOP_NAME}:{port}" if relay.desktop else f"{_SOCKETS}{port}"


def _is_forwarded(port: Port, served: Mapping[int, int]) -> bool:
    mine = served.get(port.target)
    return port.protocol == "tcp" and mine is not None and port.published != str(mine)


def _joined(name: str, network: ServiceNetwork | None) -> ServiceNetwork:
    """The aliases alone: fixed addresses belong to the real container."""
    return ServiceNetwork(aliases=(name, *(network.aliases if network else ())))


def _other_end(first: str, second: str, hosted: HostedService, relay: Relay) -> Service:
    routes = [f"{_SOCKETS}{port}={_LOOPBACK}:{port}" for port in sorted({*hosted.served.values()})]
    return _relay_service(second, relay, routes).copy_with(
        {
            "network_mode": "host",
            "ipc": f"service:{first}",
            "labels": {labels.FORWARDER: " ".join(routes)},
        }
    )


def _relay_service(name: str, relay: Relay, routes: list[str]) -> Service:
    """It holds nothing, and may do nothing."""
    values: dict[str, Any] = {
        "name": name,
        "image": relay.image,
        "entrypoint": relay.words,
        "command": tuple(routes),
        "user": "0:0",
        "cap_drop": ("ALL",),
        "security_opt": ("no-new-privileges:true",),
        "read_only": True,
        "tmpfs": relay.volumes,
        "stop_grace_period": 1.0,
        "pull_policy": "never",
        "extensions": {EXTENSION: {"ready": "running"}},
    }
    return Service(**{key: value for key, value in values.items() if value != ()})
