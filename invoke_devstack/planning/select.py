"""Which services a command is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.graph import dependencies

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


def check_names(names: Iterable[str], known: Iterable[str]) -> None:
    """Raises UsageError for the first name that is not known, with the nearest that is."""
    available = sorted(known)
    for name in names:
        if name not in available:
            near = get_close_matches(name, available, n=1)
            hint = f"Did you mean `{near[0]}`?" if near else f"Services: {', '.join(available) or 'none'}."
            raise UsageError(f"no service is called `{name}`", hint=hint)


def activated(definition: Definition, names: Iterable[str]) -> Definition:
    """The definition with those of `names` that no active profile has, and what they need: naming a
    service activates it (Compose Specification, "profiles"). Raises UsageError for an unknown name."""
    everything: Mapping[str, Service] = {**definition.disabled_services, **definition.services}
    check_names(names, everything)
    wanted = set(definition.services)
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in wanted:
            continue
        wanted.add(name)
        waiting += [
            other
            for other in dependencies(everything[name])
            if other in everything and _is_needed(everything[name], other)
        ]
    if wanted == set(definition.services):
        return definition
    services = {name: service for name, service in everything.items() if name in wanted}
    disabled = {name: service for name, service in everything.items() if name not in wanted}
    return definition.copy_with({"services": services, "disabled_services": disabled})


def _is_needed(service: Service, other: str) -> bool:
    dependency = service.depends_on.get(other)
    return dependency is None or dependency.required
