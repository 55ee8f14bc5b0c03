"""Where a container's port can be reached from this machine, and the addresses that a person opens."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from invoke_devstack.engine.containers.port_holders import UNLISTED, find_holder
from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import PortTakenError
from invoke_devstack.planning.observed import PublishedPort
from invoke_devstack.planning.probe_choice import CONSOLE_PORTS, HTTP_PORTS
from invoke_devstack.records import record
from invoke_devstack.running.ports.reach import ANY_ADDRESS, HERE, Reach

_WEB_PORTS = HTTP_PORTS | CONSOLE_PORTS


@record
class Address:
    """`proxied`: the engine's proxy listens there and accepts connections before the server does."""

    host: str
    port: int
    proxied: bool = False


def reachable(inspected: Mapping[str, Any], port: int, reach: Reach = HERE) -> Address | None:
    """Where TCP `port` of the container can be reached: the container's own address if its network is on
    this machine, else the published port, else None."""
    settings = inspected.get("NetworkSettings") or {}
    for network in () if reach.host else (settings.get("Networks") or {}).values():
        address, gateway = network.get("IPAddress"), network.get("Gateway")
        if address and gateway and _is_own_address(gateway):
            return Address(address, port)
    if (inspected.get("HostConfig") or {}).get("NetworkMode") == "host":
        return Address(reach.host or "127.0.0.1", port)
    for binding in (settings.get("Ports") or {}).get(f"{port}/tcp") or ():
        if place := reach.place(binding.get("HostIp", ""), int(binding["HostPort"])):
            return Address(*place, proxied=True)
    return None


def first_port(inspected: Mapping[str, Any]) -> int:
    """The TCP port that the container most likely serves: published, else exposed, else 0."""
    bound = (inspected.get("HostConfig") or {}).get("PortBindings") or {}
    exposed = (inspected.get("Config") or {}).get("ExposedPorts") or {}
    for names in (bound, exposed):
        numbers = [int(name.split("/")[0]) for name in names if name.endswith("/tcp")]
        if numbers:
            return min(numbers)
    return 0


@lru_cache(maxsize=64)
def _is_own_address(address: str) -> bool:
    """Only an address of this machine can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def published_ports(inspected: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    """The ports that the engine has published for a container."""
    ports = (inspected.get("NetworkSettings") or {}).get("Ports") or {}
    return tuple(
        PublishedPort(
            binding.get("HostIp", ""), int(binding["HostPort"]), int(name.split("/")[0]), name.split("/")[1]
        )
        for name, bindings in sorted(ports.items())
        for binding in bindings or ()
    )


def to_open(ports: Iterable[PublishedPort], *, web: bool = False, reach: Reach = HERE) -> tuple[str, ...]:
    """What a person opens or connects to: `http://localhost:8080`, `localhost:6379`, without duplicates and
    without what cannot be reached from here. `web`: the service is known to speak HTTP, not only guessed to
    by its ports."""
    links = (_link(port, web, reach) for port in ports if port.host_port)
    return tuple(dict.fromkeys(filter(None, links)))


def _link(port: PublishedPort, web: bool, reach: Reach) -> str:
    if port.protocol != "tcp" and reach.host and port.host_ip not in ANY_ADDRESS:
        return ""
    place = reach.place(port.host_ip, port.host_port)
    if place is None:
        return ""
    address, number = place
    host = "localhost" if address in ("127.0.0.1", "::1") else f"[{address}]" if ":" in address else address
    text = f"{host}:{number}"
    if port.protocol != "tcp":
        return f"{text}/{port.protocol}"
    if port.container_port in (443, 8443):
        return f"https://{text}"
    return f"http://{text}" if web or port.container_port in _WEB_PORTS else text


def with_holder(error: PortTakenError, engine: Engine, service: str) -> PortTakenError:
    """The same error, with the service that wants the port and who uses it."""
    holder = find_holder(engine, error.port) if error.port else ""
    lost = "If no other engine runs here, restart the engine, which lost it: `sudo systemctl restart docker`."
    return PortTakenError(
        f"{service} cannot publish port {error.port}: it is already in use"
        + (f" by {holder}" if holder else ""),
        hint=f"{lost} {error.hint}".rstrip() if holder == UNLISTED else error.hint,
        status=error.status,
        host_ip=error.host_ip,
        port=error.port,
    )
