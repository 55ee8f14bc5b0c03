"""Plans for containers that are there: start, stop, restart, pause, unpause, kill, remove.

Each takes the services that it is about (none: all that have containers) and works without a
definition too, from labels alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.down import dependency_graph, known_service, stop_all
from invoke_devstack.planning.graph import in_order
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    KillContainer,
    PauseContainer,
    Plan,
    Probe,
    RestartContainer,
    StartContainer,
    UnpauseContainer,
)
from invoke_devstack.planning.prestart import pre_start_steps
from invoke_devstack.planning.select import check_names
from invoke_devstack.planning.steps import (
    Draft,
    await_step,
    command_steps,
    inherited_volume_steps,
    remove_step,
    stop_step,
)

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_STOPPED = ("created", "exited")
_HEALTHY = "service_healthy"
_COMPLETED = "service_completed_successfully"


@dataclass(frozen=True, slots=True)
class _Turn:
    """One command on the chosen containers, in the order in which they start."""

    definition: Definition | None
    observed: Observed
    chosen: tuple[ObservedContainer, ...]
    wait_timeout: float

    def plan(self, draft: Draft) -> Plan:
        touched = {action.service for action in draft.actions.values()}
        same = tuple(sorted({item.service for item in self.chosen} - touched))
        return Plan(draft.finished(), project=self.observed.project, unchanged=same)


def plan_start(
    definition: Definition | None, observed: Observed, services: tuple[str, ...], *, wait_timeout: float
) -> Plan:
    """Starts what is stopped, dependencies first, and waits until it is ready (`wait_timeout` seconds)."""
    turn = _turn(definition, observed, services, wait_timeout)
    draft = Draft()
    ready: dict[str, frozenset[str]] = {}
    for item in turn.chosen:
        if item.state in _STOPPED:
            start = StartContainer(target=item.name, cause="start", service=item.service)
            _begin(turn, draft, item, start, ready)
    return turn.plan(draft)


def plan_stop(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    *,
    timeout: float | None = None,
) -> Plan:
    """Stops what runs, dependents first. `timeout` (seconds) stands for `stop_grace_period`."""
    turn = _turn(definition, observed, services)
    draft = Draft()
    stop_all(draft, definition, observed, turn.chosen, "stop", timeout=timeout)
    return turn.plan(draft)


def plan_restart(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    *,
    wait_timeout: float,
    timeout: float | None = None,
) -> Plan:
    """Restarts the services, and with them those that say so by `depends_on.restart`."""
    turn = _turn(definition, observed, (*services, *_followers(definition, observed, services)), wait_timeout)
    draft = Draft()
    ready: dict[str, frozenset[str]] = {}
    for item in turn.chosen:
        service = known_service(definition, item)
        needs: frozenset[str] = frozenset()
        if service and item.state == "running":
            hooks = command_steps(service.pre_stop, "pre_stop", item.name, service.name, optional=True)
            needs = draft.add_all(hooks, needs)
        stop = stop_step(item, service, "restart", timeout=timeout)
        restart = RestartContainer(
            target=item.name,
            name=item.name,
            cause="restart"
            if not services or item.service in services
            else "it restarts with its dependency",
            service=item.service,
            signal=stop.signal,
            grace=stop.grace,
            needs=needs,
        )
        _begin(turn, draft, item, restart, ready)
    return turn.plan(draft)


def plan_pause(observed: Observed, services: tuple[str, ...]) -> Plan:
    """Pauses what runs."""
    turn = _turn(None, observed, services)
    draft = Draft()
    for item in turn.chosen:
        if item.state == "running":
            draft.add(PauseContainer(target=item.name, cause="pause", service=item.service))
    return turn.plan(draft)


def plan_unpause(observed: Observed, services: tuple[str, ...]) -> Plan:
    """Lets what is paused go on."""
    turn = _turn(None, observed, services)
    draft = Draft()
    for item in turn.chosen:
        if item.state == "paused":
            draft.add(UnpauseContainer(target=item.name, cause="unpause", service=item.service))
    return turn.plan(draft)


def plan_kill(observed: Observed, services: tuple[str, ...], *, signal: str = "SIGKILL") -> Plan:
    """Sends a signal to what runs."""
    turn = _turn(None, observed, services)
    draft = Draft()
    for item in turn.chosen:
        if item.state in ("running", "paused", "restarting"):
            draft.add(KillContainer(target=item.name, cause="kill", service=item.service, signal=signal))
    return turn.plan(draft)


def plan_remove(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    *,
    stop: bool = False,
    volumes: bool = False,
) -> Plan:
    """Removes what is stopped, with `stop` what runs too. `volumes`: with anonymous volumes."""
    turn = _turn(definition, observed, services)
    draft = Draft()
    stops = stop_all(draft, definition, observed, turn.chosen, "remove") if stop else {}
    for item in turn.chosen:
        if stop or item.state in ("created", "exited", "dead"):
            needs = frozenset({stops[item.name]} if item.name in stops else ())
            removed = draft.add(replace(remove_step(item, "remove", volumes=volumes), needs=needs))
            for step in inherited_volume_steps(item, removed) if volumes else ():
                draft.add(step)
    return turn.plan(draft)


def _turn(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    wait_timeout: float = 0.0,
) -> _Turn:
    """Raises UsageError for a name that is no service, or a service that has no container."""
    present = {item.service for item in observed.containers if not item.oneoff}
    check_names(services, present | set(definition.services if definition else ()))
    for name in services:
        if name not in present:
            raise UsageError(f"`{name}` has no container", hint=f"`invoke up -s {name}` makes and starts it.")
    graph = dependency_graph(definition, observed)
    order = in_order({name: graph.get(name, ()) for name in present})
    chosen = tuple(
        item for name in order if not services or name in services for item in observed.of_service(name)
    )
    return _Turn(definition, observed, chosen, wait_timeout)


def _followers(definition: Definition | None, observed: Observed, services: Iterable[str]) -> tuple[str, ...]:
    """The services with containers that restart when one of `services` does, however far."""
    names = list(services)
    for name in names:
        for item in observed.containers:
            _, restart = _conditions(definition, item).get(name, ("", False))
            if restart and item.service not in names and not item.oneoff:
                names.append(item.service)
    return tuple(name for name in names if name not in set(services))


def _conditions(definition: Definition | None, container: ObservedContainer) -> dict[str, tuple[str, bool]]:
    """Service -> (condition, restart) of what the container depends on."""
    service = known_service(definition, container)
    if service is None:
        return label.read_depends_on(container.labels)
    return {name: (item.condition, item.restart) for name, item in service.depends_on.items()}


def _begin(
    turn: _Turn,
    draft: Draft,
    container: ObservedContainer,
    action: Action,
    ready: dict[str, frozenset[str]],
) -> None:
    """Adds what starts a container, after what it depends on, its `post_start` hooks, and the wait for it.
    `ready` is service -> what must be done until it is as its dependents ask."""
    service = known_service(turn.definition, container)
    waits = frozenset[str]().union(*(ready.get(name, ()) for name in _conditions(turn.definition, container)))
    if service and isinstance(action, StartContainer):
        waits = draft.add_all(_pre_start(turn, service, container), waits)
    started = frozenset({draft.add(replace(action, needs=action.needs | waits))})
    if service:
        hooks = command_steps(service.post_start, "post_start", container.name, service.name)
        started = draft.add_all(hooks, started)
    step = _await(turn, container, service, action.cause)
    awaited = draft.add(replace(step, needs=started))
    ready[container.service] = ready.get(container.service, frozenset()) | {awaited}


def _pre_start(turn: _Turn, service: Service, container: ObservedContainer) -> tuple[Action, ...]:
    """The `pre_start` hooks: with the first container that starts, or with each of them."""
    starting = [item.name for item in turn.chosen if item.service == service.name and item.state in _STOPPED]
    each = any(hook.per_replica for hook in service.pre_start)
    if turn.definition is None or not (each or container.name == starting[0]):
        return ()
    ids = {item.service: item.id for item in reversed(turn.observed.containers) if not item.oneoff}
    steps = pre_start_steps(turn.definition, service, container.name, turn.observed, ids, turn.wait_timeout)
    return tuple(steps)


def _await(turn: _Turn, container: ObservedContainer, service: Service | None, cause: str) -> AwaitReady:
    """The wait for one container; a one-shot is waited for until it is done."""
    asked = {
        _conditions(turn.definition, other).get(container.service, ("", False))[0]
        for other in turn.observed.containers
    }
    condition = _COMPLETED if _COMPLETED in asked and _HEALTHY not in asked else _HEALTHY
    if turn.definition and service:
        return await_step(
            turn.definition, service, container.name, condition, cause, turn.observed, turn.wait_timeout
        )
    return AwaitReady(
        target=container.name,
        cause=cause,
        service=container.service,
        condition=condition,
        probe=Probe("running"),
        timeout=turn.wait_timeout,
        late_probe=True,
    )
