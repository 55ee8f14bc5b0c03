"""Which services a command is for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError, did_you_mean
from invoke_devstack.planning.graph import closure, dependencies
from invoke_devstack.planning.processes.image import is_process

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


def check_names(names: Iterable[str], known: Iterable[str]) -> None:
    """Raises UsageError for the first unknown name, with the most similar known one."""
    available = sorted(known)
    for name in names:
        if name not in available:
            hint = did_you_mean(name, available, f"Services: {', '.join(available) or 'none'}.")
            raise UsageError(f"unknown service `{name}`", hint=hint)


def is_wanted(service: Service) -> bool:
    """Whether it is to have containers: not if another program provides it, or with `scale: 0`."""
    return service.provider is None and service.scale_count() > 0


def activated(definition: Definition, names: Iterable[str]) -> Definition:
    """The definition with `names` and what they need activated, whatever their profiles: naming a service
    activates it (Compose Specification, "profiles"). Raises UsageError for an unknown name."""
    everything = definition.all_services
    check_names(names, everything)
    services = definition.services

    def needed(name: str) -> Iterable[str]:
        if name in services:
            return ()
        others = dependencies(everything[name])
        return (other for other in others if other in everything and _is_needed(everything[name], other))

    wanted = {*services, *closure(names, needed)}
    if wanted == services.keys():
        return definition
    enabled = {name: service for name, service in everything.items() if name in wanted}
    disabled = {name: service for name, service in everything.items() if name not in wanted}
    return definition.copy_with({"services": enabled, "disabled_services": disabled})


def scaled(definition: Definition, counts: Mapping[str, int]) -> Definition:
    """The definition with other numbers of containers, by service. Raises UsageError for an unknown service,
    and for one that cannot have that many."""
    check_names(counts, definition.all_services)
    for name, count in counts.items():
        _check_scale(definition.all_services[name], count)

    def changed(services: Mapping[str, Service]) -> dict[str, Service]:
        return {
            name: service.copy_with({"scale": counts[name]}) if name in counts else service
            for name, service in services.items()
        }

    return definition.copy_with(
        {
            "services": changed(definition.services),
            "disabled_services": changed(definition.disabled_services),
        }
    )


def _check_scale(service: Service, count: int) -> None:
    if is_process(service) and count != 1:
        raise UsageError(
            f"`{service.name}` is a process of this machine, which runs once",
            hint=f"To stop it: `invoke stop {service.name}`.",
        )
    if service.container_name and count > 1:
        raise UsageError(
            f"`{service.name}` cannot have {count} containers with one `container_name`",
            hint="Remove `container_name` from the service.",
        )


def _is_needed(service: Service, other: str) -> bool:
    dependency = service.depends_on.get(other)
    return dependency is None or dependency.required
