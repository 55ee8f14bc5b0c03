"""Published ports: what a service wants, and which host port it gets.

The wanted port is the same for everybody; under `--ports auto` a free one stands in where it is
taken, the same one next time: remembered in a label of the container, or else found from the names.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.observed import ObservedContainer

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Port, Service

_FIRST, _LAST = 20000, 32000
"""Stand-ins come from below the range that the kernel gives to outgoing connections (from 32768)."""


@dataclass(frozen=True, slots=True, order=True)
class WantedPort:
    """A host port that a service publishes. `host_ip` "" is every address."""

    service: str
    host_port: int
    container_port: int
    protocol: str = "tcp"
    host_ip: str = ""

    @property
    def key(self) -> str:
        """Its text in the label: `8080:80/tcp`."""
        return f"{self.host_port}:{self.container_port}/{self.protocol}"


def wanted_ports(definition: Definition, services: Iterable[str], bind: str) -> tuple[WantedPort, ...]:
    """The fixed host ports of `services`; ranges and ports that the engine may choose are not among them."""
    return tuple(
        wanted
        for name in services
        for port in definition.services[name].ports
        if (wanted := _wanted(definition.services[name], port, bind))
    )


def _wanted(service: Service, port: Port, bind: str) -> WantedPort | None:
    if not (port.published and port.published.isdecimal() and int(port.published)):
        return None
    return WantedPort(service.name, int(port.published), port.target, port.protocol, port.host_ip or bind)


def remembered_ports(containers: Iterable[ObservedContainer]) -> dict[tuple[str, str], int]:
    """(service, wanted port's key) -> the host port that stood in for it, from the containers' labels."""
    return {
        (container.service, key): port
        for container in containers
        for key, port in _read_label(container.labels.get(label.PORTS, "")).items()
    }


def _read_label(text: str) -> dict[str, int]:
    try:
        values = json.loads(text or "{}")
        return {str(key): int(port) for key, port in values.items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def ports_label(service: Service, ports: Mapping[WantedPort, int]) -> str:
    """The label that remembers which ports stand in, or "" where none does."""
    stand_ins = {
        wanted.key: port
        for wanted, port in sorted(ports.items())
        if wanted.service == service.name and port != wanted.host_port
    }
    return json.dumps(stand_ins, separators=(",", ":")) if stand_ins else ""


def choose_ports(
    project: str,
    wanted: Iterable[WantedPort],
    taken: Iterable[tuple[str, int]],
    remembered: Mapping[tuple[str, str], int],
) -> dict[WantedPort, int]:
    """A host port for each wanted one. `taken` are (protocol, port) held by others than the project.

    A remembered port goes first, then the wanted one, then the first free one from a place that
    depends on the names alone. Raises DevstackError when none is free.
    """
    used = set(taken)
    chosen: dict[WantedPort, int] = {}
    for port in sorted(wanted, key=lambda item: ((item.service, item.key) not in remembered, item)):
        candidates = _candidates(project, port, remembered.get((port.service, port.key)))
        free = next((number for number in candidates if (port.protocol, number) not in used), None)
        if free is None:
            raise DevstackError(
                f"no free port for {port.service}, port {port.container_port}",
                hint=f"Free a port between {_FIRST} and {_LAST}, or end another stack: `invoke stacks`.",
            )
        used.add((port.protocol, free))
        chosen[port] = free
    return chosen


def _candidates(project: str, port: WantedPort, remembered: int | None) -> Iterator[int]:
    if remembered:
        yield remembered
    yield port.host_port
    span = _LAST - _FIRST
    start = zlib.crc32(f"{project}/{port.service}/{port.key}".encode()) % span
    yield from (_FIRST + (start + step) % span for step in range(span))


def exposed_ports(service: Service) -> dict[str, dict[str, Any]]:
    """`ExposedPorts`: what `expose` and `ports` name, as `PORT/PROTOCOL`."""
    published = (f"{port.target}/{port.protocol}" for port in service.ports)
    return {name: {} for name in (*service.expose, *published)}


def port_bindings(
    service: Service, bind: str, ports: Mapping[WantedPort, int]
) -> dict[str, list[dict[str, str]]]:
    """`PortBindings`. A port without a host address gets `bind`; one of `ports` its stand-in."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in service.ports:
        wanted = _wanted(service, port, bind)
        number = ports.get(wanted) if wanted else None
        binding = {
            "HostIp": port.host_ip or bind,
            "HostPort": str(number) if number else port.published or "",
        }
        bindings.setdefault(f"{port.target}/{port.protocol}", []).append(binding)
    return bindings
