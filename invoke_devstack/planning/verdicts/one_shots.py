"""Which services are one-shots: they exit with 0 and are not run again by each `up`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from invoke_devstack.planning.bodies.mounts import volume_name
from invoke_devstack.planning.graph import closure, dependencies
from invoke_devstack.planning.observed import Observed, ObservedContainer, seconds_of
from invoke_devstack.planning.plan import COMPLETED, HEALTHY

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


def has_completed(
    definition: Definition,
    service: Service,
    container: ObservedContainer,
    observed: Observed,
    named: tuple[str, ...],
) -> bool:
    """Whether an unchanged container that has exited is a one-shot that has done its work.

    It is if another service waits for its completion. Otherwise a stopped server looks the same as a
    completed one-shot, so the service must not look like a server, and another service must be running.
    A service that is `named` in the command runs again.
    """
    if container.exit_code != 0 or service.name in named:
        return False
    if is_awaited_to_end(definition, service.name):
        return True
    others = (item for item in observed.containers if item.service != service.name and not item.oneoff)
    return not _serves(definition, service, observed) and any(item.is_running for item in others)


def newer_data(
    definition: Definition, service: Service, container: ObservedContainer, observed: Observed
) -> str:
    """The service, of those that the one-shot depends on, whose volume was made after the one-shot last
    ran, or is still to be made: what the one-shot put there is gone. "" if there is none."""
    ran = seconds_of(container.started_at) or seconds_of(container.created_at) or math.inf
    for name in closure(dependencies(service), lambda name: _needed_by(definition, name)):
        for mount in definition.all_services[name].volumes if name in definition.all_services else ():
            if mount.type != "volume" or not mount.source:
                continue
            volume = volume_name(definition, mount.source)
            if not _was_there(observed, volume, ran):
                return name
    return ""


def _was_there(observed: Observed, name: str, moment: float) -> bool:
    """Whether the volume exists and already did at this moment, in seconds since the epoch. Engine 20.10
    takes each change of what is in the volume for its creation, so a container that is older than the moment
    and mounts it counts as well: a volume cannot be removed as long as a container mounts it."""
    volume = observed.volumes.get(name)
    if volume is None:
        return False
    users = (item for item in observed.containers if any(mount.name == name for mount in item.mounts))
    created = [seconds_of(volume.created_at), *(seconds_of(item.created_at) for item in users)]
    return min(filter(None, created), default=0.0) <= moment


def _needed_by(definition: Definition, name: str) -> tuple[str, ...]:
    service = definition.all_services.get(name)
    return dependencies(service) if service else ()


def is_awaited_to_end(definition: Definition, name: str) -> bool:
    """Whether a service waits until `name` has completed."""
    return any(
        dependency.condition == COMPLETED
        for service in definition.services.values()
        for other, dependency in service.depends_on.items()
        if other == name
    )


def restarts(service: Service) -> bool:
    """Whether the engine restarts its containers when they exit, at least after a failure."""
    return _restart_policy(service) != "no"


def _restart_policy(service: Service) -> str:
    policy = service.deploy.restart_policy if service.deploy else None
    return ((policy.condition if policy else None) or service.restart or "no").partition(":")[0]


def _serves(definition: Definition, service: Service, observed: Observed) -> bool:
    """Whether it looks like a server."""
    if _restart_policy(service) in ("any", "always", "unless-stopped"):
        return True
    if service.ports or service.expose or service.healthcheck or service.develop or service.stdin_open:
        return True
    image = observed.images.get(service.image_name(definition.name))
    if service.command is None and service.entrypoint is None and image and image.exposed_ports:
        return True
    return any(
        dependency.condition == HEALTHY
        for other in definition.services.values()
        for name, dependency in other.depends_on.items()
        if name == service.name
    )
