"""How a process on this machine, or another service, connects to each service. For `invoke env` and tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.engine.endpoints import find_endpoint
from invoke_devstack.errors import EngineUnavailableError
from invoke_devstack.planning import connections
from invoke_devstack.planning.observed import PublishedPort
from invoke_devstack.running.ports.addresses import to_open
from invoke_devstack.running.ports.reach import HERE, Reach, reach_of
from invoke_devstack.tasks.lookup import containers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from invoke_devstack.definition.model import Service
    from invoke_devstack.planning.connections import Connection
    from invoke_devstack.planning.observed import ObservedContainer
    from invoke_devstack.tasks.work import Work


def connections_of(work: Work, names: tuple[str, ...], *, inside: bool) -> Iterator[Connection]:
    """How to connect to the named services (default: all) from this machine, or from `inside` a service."""
    definition = work.definition
    every = definition.all_services
    wanted = work.services(names)
    found, reach = ({}, HERE) if inside else _containers(work, names)
    for name in wanted or tuple(definition.services):
        service = every[name]
        if inside:
            connection = connections.inside(definition, service, _read)
        else:
            connection = _outside(work, service, found.get(name), reach)
        if connection:
            yield connection


def _containers(work: Work, names: tuple[str, ...]) -> tuple[dict[str, ObservedContainer], Reach]:
    """(service -> its first running container, how ports are reached). No containers if no engine
    answers: the definition has the ports."""
    try:
        running = containers(work, names, running=True)
    except EngineUnavailableError:
        return {}, reach_of(find_endpoint(), work.project)
    return {item.service: item for item in reversed(running)}, reach_of(work.engine.endpoint, work.project)


def _outside(
    work: Work, service: Service, container: ObservedContainer | None, reach: Reach
) -> Connection | None:
    """The connection from this machine; None if it reaches no TCP port of the service. The port is that of
    the running container, else the one in the definition."""
    definition = work.definition
    image = connections.image_of(definition, service)
    ports = [port for port in _ports(service, container) if port.host_port and port.protocol == "tcp"]
    chosen = [port for port in ports if image and port.container_port == image.port] or ports
    if not chosen:
        return None
    port = chosen[0]
    place = reach.place(port.host_ip, port.host_port)
    if place is None:
        return None
    page = next((address for address in to_open([port], reach=reach) if "://" in address), "")
    login = connections.service_login(definition, service, _read)
    return connections.Connection(service.name, _in_url(place[0]), place[1], image, login, page)


def _ports(service: Service, container: ObservedContainer | None) -> tuple[PublishedPort, ...]:
    if container:
        return container.ports
    return tuple(
        PublishedPort(port.host_ip or "", int(port.published), port.target, port.protocol)
        for port in service.ports
        if (port.published or "").isdecimal() and port.published
    )


def _in_url(address: str) -> str:
    """An IP address, not `localhost`: some MySQL clients take that for a socket file."""
    return f"[{address}]" if ":" in address else address


def _read(path: str) -> str:
    from invoke_devstack.errors import FileError
    from invoke_devstack.local_files.reading import read_text

    try:
        return re.sub(r"\r?\n\Z", "", read_text(Path(path)))
    except FileError:
        return ""
