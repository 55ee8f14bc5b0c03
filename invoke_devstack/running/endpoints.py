"""Where a container's port can be reached from here, and the addresses that a person opens."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from invoke_devstack.planning.observed import PublishedPort
from invoke_devstack.records import record

_WEB_PORTS = frozenset({80, 3000, 4200, 5000, 5173, 8000, 8025, 8080, 8081, 8888, 9000, 9001, 15672})
_ANY_ADDRESS = {"", "0.0.0.0", "::"}


@record
class Endpoint:
    """`proxied`: the engine's proxy accepts connections there before the server listens."""

    host: str
    port: int
    proxied: bool = False


def reachable(inspected: Mapping[str, Any], port: int) -> Endpoint | None:
    """Where TCP `port` of the container answers from here, else None: the container's own address
    where its network is one of this machine's, else where the port is published."""
    settings = inspected.get("NetworkSettings") or {}
    for network in (settings.get("Networks") or {}).values():
        address, gateway = network.get("IPAddress"), network.get("Gateway")
        if address and gateway and _is_own_address(gateway):
            return Endpoint(address, port)
    if (inspected.get("HostConfig") or {}).get("NetworkMode") == "host":
        return Endpoint("127.0.0.1", port)
    for binding in (settings.get("Ports") or {}).get(f"{port}/tcp") or ():
        return Endpoint(_host(binding.get("HostIp", "")), int(binding["HostPort"]), proxied=True)
    return None


def first_port(inspected: Mapping[str, Any]) -> int:
    """The TCP port that the container most likely serves: a published one, else an exposed one, else 0."""
    bound = (inspected.get("HostConfig") or {}).get("PortBindings") or {}
    exposed = (inspected.get("Config") or {}).get("ExposedPorts") or {}
    for names in (bound, exposed):
        numbers = [int(name.split("/")[0]) for name in names if name.endswith("/tcp")]
        if numbers:
            return min(numbers)
    return 0


@lru_cache(maxsize=64)
def _is_own_address(address: str) -> bool:
    """Only an address of this machine can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _host(host_ip: str) -> str:
    return "127.0.0.1" if host_ip in _ANY_ADDRESS else host_ip


def published_ports(inspected: Mapping[str, Any]) -> tuple[PublishedPort, ...]:
    """The ports that the engine has bound for a container."""
    ports = (inspected.get("NetworkSettings") or {}).get("Ports") or {}
    return tuple(
        PublishedPort(
            binding.get("HostIp", ""), int(binding["HostPort"]), int(name.split("/")[0]), name.split("/")[1]
        )
        for name, bindings in sorted(ports.items())
        for binding in bindings or ()
    )


def to_open(ports: Iterable[PublishedPort], *, web: bool = False) -> tuple[str, ...]:
    """What a person opens or connects to: `http://localhost:8080`, `localhost:6379`; each once.

    `web` says that the service is known to speak HTTP; well-known ports of web servers are taken to.
    """
    found = dict.fromkeys(_address(port, web) for port in ports if port.host_port)
    return tuple(found)


def _address(port: PublishedPort, web: bool) -> str:
    local = port.host_ip in _ANY_ADDRESS or port.host_ip in ("127.0.0.1", "::1")
    host = "localhost" if local else f"[{port.host_ip}]" if ":" in port.host_ip else port.host_ip
    place = f"{host}:{port.host_port}"
    if port.protocol != "tcp":
        return f"{place}/{port.protocol}"
    if port.container_port in (443, 8443):
        return f"https://{place}"
    return f"http://{place}" if web or port.container_port in _WEB_PORTS else place
