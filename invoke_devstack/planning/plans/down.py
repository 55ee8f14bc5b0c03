"""Observed -> the plan that ends a stack: dependents first, independent services at once.

The definition adds hooks and grace periods but is not required: labels say which container depends on
which, so a stack started by Compose, or one whose files are gone, can be stopped too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning import labels
from invoke_devstack.planning.causes import Cause, by_command, by_option
from invoke_devstack.planning.graph import dependencies, in_order
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plan import Plan, RemoveImage, RemoveNetwork, RemoveVolume, StopContainer
from invoke_devstack.planning.plans.anonymous_volumes import (
    keep_steps,
    labelled_volumes,
    remove_volume_steps,
    volumes_of,
)
from invoke_devstack.planning.plans.container_steps import (
    Needs,
    PlanBuilder,
    pre_stop_steps,
    remove_step,
    stop_step,
)
from invoke_devstack.planning.plans.hooks import due_hooks
from invoke_devstack.planning.processes.image import is_process

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

Graph = Mapping[str, tuple[str, ...]]
"""Service -> the services that it depends on."""

_DOWN = by_command("down")


def plan_down(
    definition: Definition | None,
    observed: Observed,
    *,
    volumes: bool = False,
    timeout: float | None = None,
    images: Literal["", "built", "all"] = "",
    hooks: frozenset[str] = frozenset(),
    always_hooks: frozenset[str] = frozenset(),
) -> Plan:
    """Removes the project: all its containers, including orphans and one-off ones, then its networks, and
    with `volumes` its named and anonymous volumes. External ones stay. `timeout` (seconds) overrides every
    `stop_grace_period`; `images` says which of its services' images go too; `hooks` and `always_hooks` are as
    in `PlanningOptions`."""
    builder = PlanBuilder()
    stopped = stop_all(builder, definition, observed, observed.containers, _DOWN, timeout=timeout)
    removed: dict[str, str] = {}
    for item in observed.containers:
        needs = frozenset({stopped[item.name]} if item.name in stopped else ())
        if not volumes:
            needs |= keep_steps(builder, definition, observed, item)
        step = remove_step(item, _DOWN, volumes=volumes or item.oneoff, needs=needs)
        removed[item.name] = builder.add(step)
    # Docker frees a network when its containers have stopped, Podman when they are removed.
    _remove_networks(builder, observed, removed if observed.engine.name == "Podman" else stopped)
    if volumes:
        _remove_volumes(builder, definition, observed, frozenset(removed.values()))
    if images and definition:
        _remove_images(builder, definition, observed, frozenset(removed.values()), every=images == "all")
    due = due_hooks(observed)
    actions = builder.sorted_with_hooks("down", hooks, always_hooks, due)
    return Plan(actions, project=observed.project, obsolete=due - {"after down"})


def _remove_volumes(
    builder: PlanBuilder, definition: Definition | None, observed: Observed, needs: Needs
) -> None:
    cause = by_option("--volumes")
    for name in own_volumes(observed, definition):
        builder.add(RemoveVolume(target=name, cause=cause, needs=needs))
    remove_volume_steps(builder, own_anonymous_volumes(definition, observed), cause, needs)


def _remove_images(
    builder: PlanBuilder, definition: Definition, observed: Observed, needs: Needs, *, every: bool
) -> None:
    """`every`: also those that come from a registry, or have a name of their own."""
    cause = by_option(f"--rmi {'all' if every else 'local'}")
    for service in definition.all_services.values():
        name = service.image_name(definition.name)
        if name in observed.images and (every or service.image is None) and not is_process(service):
            builder.add(RemoveImage(target=name, cause=cause, needs=needs))


def own_volumes(observed: Observed, definition: Definition | None = None) -> tuple[str, ...]:
    """The named volumes that belong to the project, sorted."""
    external = {item.name for item in definition.volumes.values() if item.external} if definition else set()
    return tuple(
        sorted(
            item.name
            for item in observed.volumes.values()
            if item.labels.get(labels.PROJECT) == observed.project
            and labels.ANONYMOUS not in item.labels
            and item.name not in external
        )
    )


def own_anonymous_volumes(definition: Definition | None, observed: Observed) -> dict[str, str]:
    """Name -> place of the anonymous volumes that belong to the project; "" for records."""
    return {
        **volumes_of(definition, observed, observed.containers),
        **labelled_volumes(definition, observed, observed.volumes.values()),
    }


def _remove_networks(builder: PlanBuilder, observed: Observed, free: Mapping[str, str]) -> None:
    """`free` is container's name -> the id of the action after which it uses no network."""
    for name, network in sorted(observed.networks.items()):
        if network.labels.get(labels.PROJECT) != observed.project:
            continue
        on_it = (item for item in observed.containers if name in item.networks or not item.networks)
        needs = frozenset(free[item.name] for item in on_it if item.name in free)
        builder.add(RemoveNetwork(target=name, cause=_DOWN, needs=needs))


def stop_all(
    builder: PlanBuilder,
    definition: Definition | None,
    observed: Observed,
    containers: Iterable[ObservedContainer],
    cause: Cause,
    *,
    timeout: float | None = None,
) -> dict[str, str]:
    """Stops those of `containers` that are active: each, with its `pre_stop` hooks before it, as soon as the
    processes of its dependents have ended. Returns container's name -> the id of its stop."""
    active = [item for item in containers if item.is_active]
    graph = dependency_graph(definition, observed)
    stops: dict[str, str] = {}
    for item in active:
        service = known_service(definition, item)
        stops[item.name] = builder.add(stop_step(item, service, cause, timeout=timeout))
        needs = builder.add_chain(pre_stop_steps(item, service), _ends_of_dependents(item, active, graph))
        builder.add_needs(stops[item.name], needs)
    return stops


def _ends_of_dependents(
    container: ObservedContainer, active: Iterable[ObservedContainer], graph: Graph
) -> Needs:
    if container.oneoff:
        return frozenset()
    return frozenset(
        StopContainer.end_of(other.name)
        for other in active
        if container.service in graph.get(other.service, ()) and other is not container
    )


def known_service(definition: Definition | None, container: ObservedContainer) -> Service | None:
    """The container's service, if the definition has it."""
    return definition.services.get(container.service) if definition else None


def dependency_graph(definition: Definition | None, observed: Observed) -> Graph:
    """Which service depends on which: by the definition, and by labels for services that it does not have.
    If the two contradict each other (the files changed since), by labels alone."""
    labelled: dict[str, tuple[str, ...]] = {}
    for item in observed.containers:
        labelled[item.service] = (*labelled.get(item.service, ()), *labels.read_depends_on(item.labels))
    services = definition.services if definition else {}
    both = labelled | {name: dependencies(service) for name, service in services.items()}
    return next((graph for graph in (both, labelled) if _has_order(graph)), {})


def _has_order(graph: Graph) -> bool:
    try:
        in_order(graph)
    except DefinitionError:
        return False
    return True
