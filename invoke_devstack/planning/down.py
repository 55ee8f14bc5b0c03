"""Observed -> the plan that ends a stack: dependents first, what is independent at once.

The definition helps (its hooks and grace periods), but is not needed: the containers' labels say who
depends on whom, so that a stack of Compose's, or one whose files are gone, can be ended too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.graph import dependencies, in_order
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plan import Plan, RemoveNetwork, RemoveVolume
from invoke_devstack.planning.steps import (
    Draft,
    command_steps,
    inherited_volume_steps,
    remove_step,
    stop_step,
    with_hooks,
)
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

Graph = Mapping[str, tuple[str, ...]]
"""Service -> the services that it depends on."""

_RUNNING = ("running", "paused", "restarting")


@record(kw_only=True)
class DownOptions:
    """`volumes` removes named volumes too. `timeout` (seconds) stands for every `stop_grace_period`.
    `hooks` and `always_hooks` are as in `UpOptions`."""

    volumes: bool = False
    timeout: float | None = None
    hooks: frozenset[str] = frozenset()
    always_hooks: frozenset[str] = frozenset()


def plan_down(definition: Definition | None, observed: Observed, options: DownOptions) -> Plan:
    """What ends the project: all its containers with their anonymous volumes, orphans and one-off ones
    too, then its networks, and with `volumes` its named volumes. External ones are left alone."""
    draft = Draft()
    stopped = stop_all(draft, definition, observed, observed.containers, "down", timeout=options.timeout)
    removed: dict[str, str] = {}
    for item in observed.containers:
        removal = remove_step(item, "down", volumes=True)
        needs = frozenset({stopped[item.name]} if item.name in stopped else ())
        removed[item.name] = draft.add(replace(removal, needs=needs))
        for volume in inherited_volume_steps(item, removed[item.name]):
            draft.add(volume)
    free = removed if observed.engine.name == "Podman" else stopped
    _remove_networks(draft, observed, free)
    if options.volumes:
        for name in own_volumes(observed):
            draft.add(RemoveVolume(target=name, cause="--volumes", needs=frozenset(removed.values())))
    return Plan(with_hooks(draft, "down", options.hooks, options.always_hooks), project=observed.project)


def own_volumes(observed: Observed) -> tuple[str, ...]:
    """The named volumes that were made for the project, sorted."""
    owned = (item for item in observed.volumes.values() if item.labels.get(label.PROJECT) == observed.project)
    return tuple(sorted(item.name for item in owned))


def _remove_networks(draft: Draft, observed: Observed, free: Mapping[str, str]) -> None:
    """`free` is container's name -> the id of the action after which it holds no network: with Docker its
    stop, with Podman its removal."""
    for name, network in sorted(observed.networks.items()):
        if network.labels.get(label.PROJECT) != observed.project:
            continue
        on_it = (item for item in observed.containers if name in item.networks or not item.networks)
        needs = frozenset(free[item.name] for item in on_it if item.name in free)
        draft.add(RemoveNetwork(target=name, cause="down", needs=needs))


def stop_all(
    draft: Draft,
    definition: Definition | None,
    observed: Observed,
    containers: Iterable[ObservedContainer],
    cause: str,
    *,
    timeout: float | None = None,
) -> dict[str, str]:
    """Stops those of `containers` that run, each after those of its dependents, and after its `pre_stop`
    hooks. Returns container's name -> the id of its stop."""
    running = [item for item in containers if item.state in _RUNNING]
    graph = dependency_graph(definition, observed)
    stops: dict[str, str] = {}
    for item in running:
        service = known_service(definition, item)
        stops[item.name] = draft.add(stop_step(item, service, cause, timeout=timeout))
    for item in running:
        service = known_service(definition, item)
        needs = frozenset(
            stops[other.name]
            for other in running
            if item.service in graph.get(other.service, ()) and not item.oneoff and other is not item
        )
        if service and item.state == "running":
            hooks = command_steps(service.pre_stop, "pre_stop", item.name, service.name, optional=True)
            needs = draft.add_all(hooks, needs)
        draft.needs_more(stops[item.name], needs)
    return stops


def known_service(definition: Definition | None, container: ObservedContainer) -> Service | None:
    """The container's service, if the definition has it."""
    return definition.services.get(container.service) if definition else None


def dependency_graph(definition: Definition | None, observed: Observed) -> Graph:
    """Who depends on whom: by the definition, and by the labels of what it does not know. Where the two
    contradict each other (files that changed since), the labels alone decide."""
    labelled: dict[str, tuple[str, ...]] = {}
    for item in observed.containers:
        labelled[item.service] = (*labelled.get(item.service, ()), *label.read_depends_on(item.labels))
    services = definition.services if definition else {}
    both = labelled | {name: dependencies(service) for name, service in services.items()}
    for graph in (both, labelled):
        if _has_order(graph):
            return graph
    return {}


def _has_order(graph: Graph) -> bool:
    try:
        in_order(graph)
    except DefinitionError:
        return False
    return True
