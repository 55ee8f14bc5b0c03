"""The services that a task was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


def check_services(definition: Definition, names: Iterable[str]) -> None:
    """Raises UsageError, with the nearest right name, for a service that the files do not have."""
    for name in names:
        find_service(definition, name)


def find_service(definition: Definition, name: str) -> Service:
    """The service, of an active profile or not. Raises UsageError."""
    services = {**definition.disabled_services, **definition.services}
    if name in services:
        return services[name]
    near = get_close_matches(name, services, n=1)
    hint = f"Did you mean `{near[0]}`?" if near else f"Services: {', '.join(sorted(services)) or 'none'}."
    raise UsageError(f"there is no service `{name}`", hint=hint)
