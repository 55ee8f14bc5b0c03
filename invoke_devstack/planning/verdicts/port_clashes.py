"""Containers of one stack that want the same host port: refused before anything starts, with their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.planning.graph import dependencies
from invoke_devstack.planning.plan import COMPLETED
from invoke_devstack.planning.ports import WantedPort

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_ANY = ("", "0.0.0.0", "::")
_AUTO = "use a free one: `invoke up --ports auto`"


def port_clashes(
    definition: Definition, wanted: Iterable[WantedPort], chosen: Mapping[WantedPort, int]
) -> Iterator[DefinitionError]:
    """An error for each that wants the port of an earlier one. `chosen` are the ports that replace wanted
    ones. Two services may share a port if one has completed before the other starts."""
    by_port: dict[tuple[str, int], list[WantedPort]] = {}
    for port in wanted:
        if definition.services[port.service].network_mode != "host":  # which publishes nothing
            by_port.setdefault((port.protocol, chosen.get(port, port.host_port)), []).append(port)
    for ports in by_port.values():
        for place, second in enumerate(ports):
            own = [item for item in ports[:place] if item.service == second.service]
            others = [item for item in ports[:place] if item.service != second.service]
            for earlier in (others, own):
                first = next((item for item in earlier if _clashes(definition, item, second)), None)
                if first is not None:
                    yield _clash(definition, first, second)


def _clashes(definition: Definition, first: WantedPort, second: WantedPort) -> bool:
    return _overlap(first.host_ip, second.host_ip) and not _take_turns(definition, first, second)


def narrow_ranges(definition: Definition, names: Iterable[str]) -> Iterator[DefinitionError]:
    """An error for each range of fewer ports than its service has containers: the engine gives each one port
    of it, and refuses the last ones."""
    for name in names:
        service = definition.services[name]
        count = service.scale_count()
        for index, port in enumerate(service.ports):
            low, _, high = (port.published or "").partition("-")
            if not high or service.network_mode == "host" or int(high) - int(low) + 1 >= count:
                continue
            place = definition.origins.get(f"services.{name}.ports[{index}]")
            yield DefinitionError(
                f"the {count} containers of `{name}` need {count} ports; {low}-{high} has "
                f"{int(high) - int(low) + 1}",
                hint=f"Publish a wider range (`{low}-{int(low) + count - 1}`), or let the engine choose: "
                f"`{port.target}` alone.",
                position=place.position if place else None,
            )


def _overlap(one: str, other: str) -> bool:
    if one and other and (":" in one) != (":" in other):
        return False
    return one == other or one in _ANY or other in _ANY


def _take_turns(definition: Definition, first: WantedPort, second: WantedPort) -> bool:
    one, other = first.service, second.service
    services = definition.services
    return one != other and (other in _completed(services, one) or one in _completed(services, other))


def _completed(services: Mapping[str, Service], name: str) -> set[str]:
    """The services that have completed when `name` starts."""
    before: set[str] = set()
    pending = [name]
    while pending:
        current = pending.pop()
        for other in dependencies(services[current]) if current in services else ():
            if other not in before:
                before.add(other)
                pending.append(other)
    edges = (services[item].depends_on.items() for item in (*before, name) if item in services)
    return {other for edge in edges for other, how in edge if how.condition == COMPLETED}


def _clash(definition: Definition, first: WantedPort, second: WantedPort) -> DefinitionError:
    here, there = _position(definition, second), _position(definition, first)
    details = (f"and {there}",) if here and there and here != there else ()
    if first.service != second.service:
        message = f"`{first.service}` and `{second.service}` both publish port {first.host_port}"
        return DefinitionError(message, hint=f"Change one, or {_AUTO}", position=here, details=details)
    if first.number == second.number:
        message = f"`{first.service}` publishes port {first.host_port} twice"
        return DefinitionError(message, hint=f"Change one, or {_AUTO}", position=here, details=details)
    count = definition.services[first.service].scale_count()
    return DefinitionError(
        f"the {count} containers of `{first.service}` cannot all publish port {first.host_port}",
        hint=f"Publish a range (`{first.host_port}-{first.host_port + count - 1}`), or {_AUTO}",
        position=here,
    )


def _position(definition: Definition, port: WantedPort) -> Position | None:
    for place in _entries(definition, port):
        if place in definition.origins:
            return definition.origins[place].position
    return None


def _entries(definition: Definition, wanted: WantedPort) -> Iterator[str]:
    """The keys of the entries that publish the port."""
    for index, port in enumerate(definition.services[wanted.service].ports):
        same = (port.target, port.protocol) == (wanted.container_port, wanted.protocol)
        if same and port.published == str(wanted.host_port):
            yield f"services.{wanted.service}.ports[{index}]"
