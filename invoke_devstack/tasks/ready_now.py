"""How a container is at this moment, by what `up` would wait for: asked once, without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.errors import EngineError

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.observed import Observed, ObservedContainer
    from invoke_devstack.planning.plan import Probe

_PATIENCE = 1.0  # seconds for an answer over a port


DONE = "done"


def state_now(definition: Definition, container: ObservedContainer, observed: Observed) -> str:
    """`done` for a one-shot that ended well, else its health, else the engine's word. A server that was
    stopped is `exited`, whatever its exit code."""
    from invoke_devstack.planning.oneshots import counts_as_done

    service = {**definition.disabled_services, **definition.services}.get(container.service)
    ended = container.state == "exited" and service is not None
    if ended and service and counts_as_done(definition, service, container, observed, ()):
        return DONE
    return container.health or container.state


def ready_now(engine: Engine, container: ObservedContainer) -> bool:
    """A container that runs is asked, unless the engine knows its health already."""
    if container.state != "running":
        return False
    if container.health in ("healthy", "unhealthy"):
        return container.health == "healthy"
    from invoke_devstack.planning.probes import probe_of_container
    from invoke_devstack.running import endpoints, probes

    inspected = engine.inspect_container(container.id)
    probe = probe_of_container(inspected)
    if probe.kind == "healthcheck":
        return _passes(engine, container.id, probe)
    place = endpoints.reachable(inspected, probe.port) if probe.port else None
    if place is None:
        return True
    return probes.ask(probe.kind, place, path=probe.path, timeout=_PATIENCE).ready


def _passes(engine: Engine, container: str, probe: Probe) -> bool:
    kind, *words = probe.command
    command = ["/bin/sh", "-c", *words] if kind == "CMD-SHELL" else words
    try:
        return engine.exec(container, command, timeout=probe.timeout).exit_code == 0
    except (EngineError, TimeoutError):
        return False
