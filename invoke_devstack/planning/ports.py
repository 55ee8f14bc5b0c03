"""Published ports: the one that a service wants, and the one that it gets.

With `--ports auto`, a free port replaces a wanted one that is in use. It is the same one next time: it is
stored in a label of the container, and otherwise derived from the names.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import ObservedContainer

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Port, Service

_FIRST, _LAST = 20000, 32000
"""Below the range that the kernel uses for outgoing connections (from 32768)."""


class WantedPort(NamedTuple):
    """A host port that container `number` of a service publishes. `host_ip` "" means all addresses."""

    service: str
    host_port: int
    container_port: int
    protocol: str = "tcp"
    host_ip: str = ""
    number: int = 1

    @property
    def key(self) -> str:
        """How the label writes it: `8080:80/tcp`."""
        return f"{self.host_port}:{self.container_port}/{self.protocol}"

    @property
    def slot(self) -> tuple[str, int, str]:
        """What is remembered from one container to the one that replaces it."""
        return self.service, self.number, self.key


def wanted_ports(
    definition: Definition, services: Iterable[str], bind: str, containers: Iterable[ObservedContainer] = ()
) -> tuple[WantedPort, ...]:
    """The fixed host ports of all containers of `services`, without ranges and ports that the engine
    chooses. `containers` are those that exist; others are numbered as `up` will."""
    existing = tuple(containers)
    return tuple(
        wanted
        for name in services
        for number in _numbers(definition.services[name], existing)
        for port in definition.services[name].ports
        if (wanted := wanted_port(definition.services[name], port, bind, number))
    )


def _numbers(service: Service, containers: tuple[ObservedContainer, ...]) -> list[int]:
    own = sorted(item.number for item in containers if item.service == service.name and not item.oneoff)
    first = max(own, default=0) + 1
    return [*own, *range(first, first + service.scale_count())][: service.scale_count()]


def wanted_port(service: Service, port: Port, bind: str, number: int) -> WantedPort | None:
    """The host port of an entry of `ports`; None if the entry leaves the engine a choice."""
    if not (port.published and port.published.isdecimal() and int(port.published)):
        return None
    address = port.host_ip or bind
    return WantedPort(service.name, int(port.published), port.target, port.protocol, address, number)


def remembered_ports(containers: Iterable[ObservedContainer]) -> dict[tuple[str, int, str], int]:
    """(service, container's number, wanted port's key) -> the host port that replaced it, from labels."""
    return {
        (container.service, container.number, key): port
        for container in containers
        for key, port in _read_label(container.labels.get(labels.PORTS, "")).items()
    }


def _read_label(text: str) -> dict[str, int]:
    try:
        values = json.loads(text or "{}")
        return {str(key): int(port) for key, port in values.items()}
    except (ValueError, AttributeError, TypeError):
        return {}


def ports_label(service: Service, ports: Mapping[WantedPort, int], number: int) -> str:
    """The label of container `number` that stores which ports replace wanted ones; "" if none does."""
    replaced = {
        wanted.key: port
        for wanted, port in sorted(ports.items())
        if (wanted.service, wanted.number) == (service.name, number) and port != wanted.host_port
    }
    return json.dumps(replaced, separators=(",", ":")) if replaced else ""


def choose_ports(
    project: str,
    wanted: Iterable[WantedPort],
    taken: Iterable[tuple[str, int]],
    remembered: Mapping[tuple[str, int, str], int],
) -> dict[WantedPort, int]:
    """A host port for each wanted one. `taken` are (protocol, port) in use outside the project.

    A remembered port comes first, then the wanted one, then the first free one, starting at a place that
    depends only on the names. Raises DevstackError if none is free.
    """
    used = set(taken)
    chosen: dict[WantedPort, int] = {}
    for port in sorted(wanted, key=lambda item: (item.slot not in remembered, item)):
        candidates = _candidates(project, port, remembered.get(port.slot))
        free = next((number for number in candidates if (port.protocol, number) not in used), None)
        if free is None:
            raise DevstackError(
                f"no free host port for port {port.container_port} of {port.service}",
                hint=f"Free a port between {_FIRST} and {_LAST}, or stop another stack: `invoke stacks`.",
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
    """`ExposedPorts`: the ports in `expose` and `ports`, as `PORT/PROTOCOL`."""
    published = (f"{port.target}/{port.protocol}" for port in service.ports)
    return {name: {} for name in (*service.expose, *published)}


def port_bindings(
    service: Service, bind: str, ports: Mapping[WantedPort, int], number: int
) -> dict[str, list[dict[str, str]]]:
    """`PortBindings` of container `number`. A port without a host address gets `bind`; `ports` replace
    wanted ones."""
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in service.ports:
        wanted = wanted_port(service, port, bind, number)
        chosen = ports.get(wanted) if wanted else None
        binding = {
            "HostIp": port.host_ip or bind,
            "HostPort": str(chosen) if chosen else port.published or "",
        }
        bindings.setdefault(f"{port.target}/{port.protocol}", []).append(binding)
    return bindings
