"""Which services are one-shots: they do their work, end with 0, and are not run again at each `up`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.planning.observed import Observed, ObservedContainer

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_COMPLETED = "service_completed_successfully"


def counts_as_done(
    definition: Definition,
    service: Service,
    container: ObservedContainer,
    observed: Observed,
    asked_for: tuple[str, ...],
) -> bool:
    """Whether an unchanged container that ended with 0 has done what it is for.

    That another service waits for its completion settles it. Otherwise a server that was stopped looks
    the same as a one-shot that is done, so it must not look like a server, and the rest of the stack
    must be up. A service that is asked for by name runs again.
    """
    if container.exit_code != 0 or service.name in asked_for:
        return False
    if is_awaited_to_end(definition, service.name):
        return True
    others = (item for item in observed.containers if item.service != service.name and not item.oneoff)
    return not _serves(definition, service, observed) and any(item.state == "running" for item in others)


def is_awaited_to_end(definition: Definition, name: str) -> bool:
    """Whether a service waits until `name` has ended with 0."""
    return any(
        dependency.condition == _COMPLETED
        for service in definition.services.values()
        for other, dependency in service.depends_on.items()
        if other == name
    )


def _serves(definition: Definition, service: Service, observed: Observed) -> bool:
    """Whether it looks like something that is meant to go on running."""
    restart = (
        service.deploy.restart_policy.condition if service.deploy and service.deploy.restart_policy else None
    )
    if (restart or service.restart or "no").partition(":")[0] in ("any", "always", "unless-stopped"):
        return True
    if service.ports or service.expose or service.healthcheck or service.develop or service.stdin_open:
        return True
    image = observed.images.get(service.image_name(definition.name))
    if service.command is None and service.entrypoint is None and image and image.exposed_ports:
        return True
    return any(
        dependency.condition == "service_healthy"
        for other in definition.services.values()
        for name, dependency in other.depends_on.items()
        if name == service.name
    )
