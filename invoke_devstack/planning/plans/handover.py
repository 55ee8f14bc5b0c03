"""Which actions must wait because one container takes over a name, port or namespace from another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from invoke_devstack.planning.graph import bound_to
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import (
    Action,
    CreateContainer,
    RemoveContainer,
    StartContainer,
    StopContainer,
)
from invoke_devstack.planning.plans.container_steps import PlanBuilder, pre_stop_steps
from invoke_devstack.planning.ports import wanted_ports
from invoke_devstack.planning.verdicts.verdict import UpState


def order_handovers(
    builder: PlanBuilder, up: UpState, names: tuple[str, ...], orphans: Iterable[ObservedContainer]
) -> None:
    """Adds needs to actions that are otherwise complete. `names` are the services of the plan, `orphans`
    containers of no service that are removed."""
    _free_names(builder, up)
    for name in names:
        _stop_followers(builder, up, name)
    going = [item for name in names for item in up.verdicts[name].of_act("recreate", "remove")]
    for container in (*going, *orphans):
        _free_ports(builder, up, names, container)


def _free_names(builder: PlanBuilder, up: UpState) -> None:
    """A leftover of an interrupted command may have the temporary name that a new container gets."""
    for verdict in up.verdicts.values():
        for container in verdict.of_act("remove"):
            created = CreateContainer.id_of(container.name)
            if created in builder.actions:
                builder.add_needs(created, {RemoveContainer.id_of(container.name)})


def _stop_followers(builder: PlanBuilder, up: UpState, name: str) -> None:
    """What restarts with another service stops before that one's old container."""
    service = up.definition.services[name]
    restarting = up.verdicts[name].of_act("restart")
    followed = {*bound_to(service), *(key for key, value in service.depends_on.items() if value.restart)}
    for other in sorted(followed & up.verdicts.keys()) if restarting else ():
        for container in up.verdicts[other].of_act("recreate"):
            _stop_before(builder, restarting, StopContainer.id_of(container.name))


def _stop_before(builder: PlanBuilder, followers: Iterable[ObservedContainer], old: str) -> None:
    """The followers run until the container that replaces `old` is created."""
    if old not in builder.actions:
        return
    created = _needed(builder, builder.actions[old], CreateContainer)
    for container in followers:
        builder.add_needs(StopContainer.id_of(container.name), created)
        builder.add_needs(old, {StopContainer.end_of(container.name)})


def _free_ports(
    builder: PlanBuilder, up: UpState, names: tuple[str, ...], container: ObservedContainer
) -> None:
    """A port that moves to another service is free only once the old container has stopped. That one then
    waits only for the creation of the container that replaces it."""
    stop = StopContainer.id_of(container.name)
    takers = _takers(up, names, container)
    starts = [
        action.id
        for action in builder.actions.values()
        if isinstance(action, StartContainer) and action.service in takers
    ]
    if starts and stop in builder.actions:
        _stop_early(builder, stop, container, up)
        for start in starts:
            builder.add_needs(start, {stop})


def _takers(up: UpState, names: tuple[str, ...], container: ObservedContainer) -> set[str]:
    """The other services that want a port which the container holds."""
    held = {(port.protocol, port.host_port) for port in container.ports if port.host_port}
    chosen = up.options.ports
    return {
        port.service
        for port in wanted_ports(up.definition, names, up.options.bind, up.observed.containers)
        if port.service != container.service and (port.protocol, chosen.get(port, port.host_port)) in held
    }


def _stop_early(builder: PlanBuilder, stop: str, container: ObservedContainer, up: UpState) -> None:
    """The stop, or the first `pre_stop` hook before it, no longer waits until other services are ready."""
    hooks = pre_stop_steps(container, up.definition.services.get(container.service))
    first = next((hook.id for hook in hooks if hook.id in builder.actions), stop)
    head = builder.actions[first]
    ends = frozenset(need for need in head.needs if need not in builder.actions)
    needs = ends | _needed(builder, head, CreateContainer) | _needed(builder, head, StopContainer)
    builder.actions[first] = replace(head, needs=needs)


def _needed(builder: PlanBuilder, action: Action, kind: type[Action]) -> frozenset[str]:
    """Those of the action's needs that are of a kind."""
    return frozenset(need for need in action.needs if isinstance(builder.actions.get(need), kind))
