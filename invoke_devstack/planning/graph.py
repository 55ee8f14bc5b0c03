"""Which service depends on which, and the order in which they start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.names import shared_service

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service


def sharing(service: Service) -> tuple[str, ...]:
    """The services whose containers must exist before one of `service` is created: it shares their network,
    ipc or pid, mounts their volumes, or links to them."""
    modes = (shared_service(mode) for mode in (service.network_mode, service.ipc, service.pid))
    volumes = (entry.partition(":")[0] for entry in service.volumes_from)
    links = (link.partition(":")[0] for link in service.links)
    names = [*modes, *(name for name in volumes if name != "container"), *links]
    return tuple(dict.fromkeys(name for name in names if name))


def bound_to(service: Service) -> tuple[str, ...]:
    """The services whose container this one refers to by id: if that is recreated, so is this one."""
    volumes = (entry.partition(":")[0] for entry in service.volumes_from)
    names = [*namespaces(service), *(name for name in volumes if name != "container")]
    return tuple(dict.fromkeys(names))


def namespaces(service: Service) -> tuple[str, ...]:
    """The services whose network, ipc or pid it shares: if their container starts, this one must restart."""
    modes = (shared_service(mode) for mode in (service.network_mode, service.ipc, service.pid))
    return tuple(dict.fromkeys(name for name in modes if name))


def dependencies(service: Service) -> tuple[str, ...]:
    """All services that start before `service`."""
    return tuple(dict.fromkeys((*service.depends_on, *sharing(service))))


def in_order(graph: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The keys of `graph`, each after those of its values that are also keys, otherwise alphabetical. Raises
    DefinitionError, which shows the path, for a circular dependency."""
    known = {name: sorted(set(before) & graph.keys()) for name, before in sorted(graph.items())}
    try:
        sorter = TopologicalSorter(known)
        sorter.prepare()
    except CycleError as error:
        path = " -> ".join(reversed(error.args[1]))
        raise DefinitionError(
            f"circular dependency: {path}",
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
    """`names` and the services that they need, directly or not. Raises DefinitionError for a required
    dependency that is not in `services`."""
    return frozenset(
        closure(
            names,
            lambda name: (other for other in dependencies(services[name]) if _exists(services, name, other)),
        )
    )


def closure(names: Iterable[str], following: Callable[[str], Iterable[str]]) -> tuple[str, ...]:
    """`names` and all names that follow from them, directly or not, in the order in which they are found."""
    found = list(dict.fromkeys(names))
    for name in found:
        found += [other for other in dict.fromkeys(following(name)) if other not in found]
    return tuple(found)


def _exists(services: Mapping[str, Service], name: str, other: str) -> bool:
    if other in services:
        return True
    dependency = services[name].depends_on.get(other)
    if dependency is not None and not dependency.required:
        return False
    raise DefinitionError(
        f"`{name}` depends on unknown service `{other}`",
        hint=f"Add the service `{other}`, or activate its profile with COMPOSE_PROFILES.",
    )
