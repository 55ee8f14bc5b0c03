"""The names that a container of a service can resolve, and the ports behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from invoke_devstack.planning.connections import inside
from invoke_devstack.planning.hosting.addresses import Known
from invoke_devstack.planning.names import container_name

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


def known_names(definition: Definition, service: Service) -> dict[str, Known]:
    """Every name of the stack's services that the container of `service` can resolve."""
    found: dict[str, Known] = {}
    for other in definition.services.values():
        shared = service.networks.keys() & other.networks.keys()
        if other.name == service.name or shared:
            known = Known(other.name, tcp_ports(definition, other))
            found |= dict.fromkeys(_names(definition, other, shared), known)
    for link in service.links:
        name, _, alias = link.partition(":")
        if alias and name in definition.services:
            found[alias] = Known(name, tcp_ports(definition, definition.services[name]))
    return found


def _names(definition: Definition, service: Service, networks: set[str]) -> Iterator[str]:
    yield service.name
    yield container_name(definition.name, service, 1)
    for key in networks:
        joined = service.networks[key]
        yield from joined.aliases if joined else ()


def tcp_ports(definition: Definition, service: Service) -> tuple[int, ...]:
    """The TCP ports that the definition knows of, the main one first."""
    main = inside(definition, service)
    published = [port.target for port in service.ports if port.protocol == "tcp"]
    exposed = [entry.partition("/")[0] for entry in service.expose if not entry.endswith("/udp")]
    numbers = [*([main.port] if main else []), *published, *map(int, filter(str.isdecimal, exposed))]
    return tuple(dict.fromkeys(numbers))
