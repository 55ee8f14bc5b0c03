"""Who depends on whom, and in which order that lets services start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.networks import shared_service

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service


def sharing(service: Service) -> tuple[str, ...]:
    """The services whose containers must be there before one of `service` can be made: it shares their
    network, ipc or pid, mounts their volumes, or links to them."""
    modes = (shared_service(mode) for mode in (service.network_mode, service.ipc, service.pid))
    volumes = (entry.partition(":")[0] for entry in service.volumes_from)
    links = (link.partition(":")[0] for link in service.links)
    names = [*modes, *(name for name in volumes if name != "container"), *links]
    return tuple(dict.fromkeys(name for name in names if name))


def bound_to(service: Service) -> tuple[str, ...]:
    """The services to whose very container this one is bound: if that is made anew, so is this."""
    volumes = (entry.partition(":")[0] for entry in service.volumes_from)
    names = [*namespaces(service), *(name for name in volumes if name != "container")]
    return tuple(dict.fromkeys(names))


def namespaces(service: Service) -> tuple[str, ...]:
    """The services whose network, ipc or pid it shares: if their container starts, this one must too."""
    modes = (shared_service(mode) for mode in (service.network_mode, service.ipc, service.pid))
    return tuple(dict.fromkeys(name for name in modes if name))


def dependencies(service: Service) -> tuple[str, ...]:
    """All services that come before `service`."""
    return tuple(dict.fromkeys((*service.depends_on, *sharing(service))))


def in_order(graph: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The keys of `graph`, each after those of its values that are keys too; alphabetical where nothing
    else decides. Raises DefinitionError, which names the path, on a cycle."""
    known = {name: sorted(set(before) & graph.keys()) for name, before in sorted(graph.items())}
    try:
        sorter = TopologicalSorter(known)
        sorter.prepare()
    except CycleError as error:
        path = " -> ".join(reversed(error.args[1]))
        raise DefinitionError(
            f"services wait for each other: {path}",
            hint="Remove one of these dependencies from `depends_on`, `links` or `network_mode`.",
        ) from None
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return tuple(order)


def start_order(services: Mapping[str, Service]) -> tuple[str, ...]:
    """The services' names, dependencies first."""
    return in_order({name: dependencies(service) for name, service in services.items()})


def with_dependencies(services: Mapping[str, Service], names: Iterable[str]) -> frozenset[str]:
    """`names` and all that they need, however far, of those in `services`. A dependency that is not
    there raises DefinitionError, unless it is not required."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += [other for other in dependencies(services[name]) if _is_there(services, name, other)]
    return frozenset(found)


def _is_there(services: Mapping[str, Service], name: str, other: str) -> bool:
    if other in services:
        return True
    dependency = services[name].depends_on.get(other)
    if dependency is not None and not dependency.required:
        return False
    raise DefinitionError(
        f"`{name}` depends on `{other}`, which is not there",
        hint=f"Add the service `{other}`, or activate its profile with COMPOSE_PROFILES.",
    )
