"""How a container is at this moment, by what `up` would wait for: asked once, without waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke_devstack.planning.oneshots import counts_as_done
from invoke_devstack.planning.probes import probe_of_container
from invoke_devstack.running import endpoints, probes

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.engine.protocol import Engine
    from invoke_devstack.planning.observed import Observed, ObservedContainer

_PATIENCE = 1.0  # seconds for an answer over a port
DONE = "done"


def state_now(definition: Definition, container: ObservedContainer, observed: Observed) -> str:
    """`done` for a one-shot that ended well, else its health, else the engine's word. A server that was
    stopped is `exited`, whatever its exit code."""
    service = {**definition.disabled_services, **definition.services}.get(container.service)
    ended = container.state == "exited" and service is not None
    if ended and service and counts_as_done(definition, service, container, observed, ()):
        return DONE
    return container.health or container.state


def ready_now(
    engine: Engine, definition: Definition, container: ObservedContainer, observed: Observed
) -> tuple[str, bool]:
    """(state, whether it is ready). One that answers its healthcheck is healthy, as `up` says, before the
    engine has asked it."""
    state = state_now(definition, container, observed)
    if state == DONE:
        return state, True
    ready = _answers(engine, container)
    return "healthy" if ready and state == "starting" else state, ready


def _answers(engine: Engine, container: ObservedContainer) -> bool:
    """A container that runs is asked, unless the engine knows its health already."""
    if container.state != "running":
        return False
    if container.health in ("healthy", "unhealthy"):
        return container.health == "healthy"
    inspected = engine.inspect_container(container.id)
    probe = probe_of_container(inspected)
    if probe.kind == "healthcheck":
        return probes.run_healthcheck(engine, container.id, probe).ready
    place = endpoints.reachable(inspected, probe.port) if probe.port else None
    if place is None:
        return True
    return probes.ask(probe.kind, place, path=probe.path, timeout=_PATIENCE).ready
