"""Definition + Observed -> the plan that brings a stack up.

Whatever can run at once does: images, networks and volumes; then all containers are created; then each
starts as soon as what it waits for is ready. A container that is replaced runs until its replacement is
created and what that waits for is ready.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from invoke_devstack.errors import blocked
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.api_socket import with_api_socket
from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.graph import dependencies, in_order, with_dependencies
from invoke_devstack.planning.names import container_name, temporary_name
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import Action, Plan, RemoveNetwork, StopContainer
from invoke_devstack.planning.plans.container_steps import PlanBuilder
from invoke_devstack.planning.plans.creation import Creation
from invoke_devstack.planning.plans.handover import order_handovers
from invoke_devstack.planning.plans.hooks import due_hooks
from invoke_devstack.planning.plans.images import image_actions
from invoke_devstack.planning.plans.networks_and_volumes import NetworksAndVolumes, networks_and_volumes
from invoke_devstack.planning.plans.up_steps import UpSteps
from invoke_devstack.planning.ports import wanted_ports
from invoke_devstack.planning.selection import activated
from invoke_devstack.planning.verdicts.existing_containers import service_verdict, settled_verdict
from invoke_devstack.planning.verdicts.ignored import ignored_notices
from invoke_devstack.planning.verdicts.port_clashes import narrow_ranges, port_clashes
from invoke_devstack.planning.verdicts.verdict import ContainerVerdict, ServiceVerdict, UpState

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_ORPHAN = Cause(CauseKind.ORPHAN, "its service is not in the Compose files")
_FORWARDS = Cause(CauseKind.LEFTOVER, "its service does not run on this machine any more")
_RECREATED = Cause(CauseKind.REPLACEMENT, "recreating")


def plan_up(definition: Definition, observed: Observed, options: PlanningOptions) -> Plan:
    """What brings up `options.services` (all, if empty) and what they depend on: see `options.dependencies`.

    With `replan` in the result, the images come first: execute it, observe again, and plan again with
    `images_ready`. Raises UsageError for an unknown service, DefinitionError for a circular dependency
    and for two containers that want one port, DevstackError for an external network or volume that does
    not exist, ImageUnavailableError for an image that may not be pulled, EngineError for what the engine
    is too old for.
    """
    definition = with_api_socket(activated(definition, options.services), options.logins)
    chosen = selected_services(definition, options.services)
    names = brought_up(chosen, options)
    ports = wanted_ports(definition, names, options.bind, observed.containers)
    problems = (*port_clashes(definition, ports, options.ports), *narrow_ranges(definition, names))
    if problems:
        raise blocked(problems)
    images = image_actions(definition, names, observed, options)
    orphans = orphans_of(definition, observed)
    pending = _pending(definition, names, observed, images)
    if pending and not options.images_ready:
        return Plan(
            tuple(_with_consequence(definition, action, pending) for action in images.values()),
            project=definition.name,
            orphans=tuple(item.name for item in orphans if not _is_forwarder(item)),
            replan=True,
        )
    settled = tuple(name for name in chosen if name not in names) if options.dependencies == "settle" else ()
    return _plan(definition, observed, options, names, settled, images, orphans)


def brought_up(chosen: tuple[str, ...], options: PlanningOptions) -> tuple[str, ...]:
    """Those of the chosen services that the plan brings up."""
    match options.dependencies:
        case "only":
            return tuple(name for name in chosen if name not in options.services)
        case "settle":
            return tuple(name for name in chosen if name in options.services)
    return chosen


def selected_services(definition: Definition, services: tuple[str, ...]) -> tuple[str, ...]:
    """`services` (all, if empty) with what they depend on, dependencies first."""
    names = with_dependencies(definition.services, services or tuple(definition.services))
    selected = {name: definition.services[name] for name in names}
    # A service that another program provides has no containers, and nobody waits for it.
    own = {name: service for name, service in selected.items() if service.provider is None}
    return in_order({name: dependencies(service) for name, service in own.items()})


def orphans_of(definition: Definition, observed: Observed) -> tuple[ObservedContainer, ...]:
    """Containers of services that the definition does not have."""
    known = definition.all_services
    return tuple(item for item in observed.containers if item.service not in known and not item.oneoff)


def _is_forwarder(container: ObservedContainer) -> bool:
    return labels.FORWARDER in container.labels


def _pending(
    definition: Definition, names: tuple[str, ...], observed: Observed, images: dict[str, Action]
) -> tuple[str, ...]:
    """Services whose containers are kept or recreated depending on an image that is pulled or built first."""
    return tuple(
        name
        for name in names
        if definition.services[name].image_name(definition.name) in images and observed.of_service(name)
    )


def _with_consequence(definition: Definition, action: Action, pending: tuple[str, ...]) -> Action:
    """The action of an image; its cause says what is recreated if the image changes."""
    services = [
        name for name in pending if definition.services[name].image_name(definition.name) == action.target
    ]
    if not services:
        return action
    verb = "is" if len(services) == 1 else "are"
    text = f"{action.cause}; if it changes, {' and '.join(services)} {verb} recreated"
    return replace(action, cause=replace(action.cause, text=text))


def _plan(
    definition: Definition,
    observed: Observed,
    options: PlanningOptions,
    names: tuple[str, ...],
    settled: tuple[str, ...],
    images: dict[str, Action],
    orphans: tuple[ObservedContainer, ...],
) -> Plan:
    leaving = tuple(item for item in orphans if options.remove_orphans or _is_forwarder(item))
    services = tuple(definition.services[name] for name in names)
    waiting = definition.services.keys() & {*names, *options.services}
    around = networks_and_volumes(definition, services, observed, frozenset(item.name for item in leaving))
    up = UpState(definition, observed, options, around.recreated)
    up.verdicts.update({name: settled_verdict(up, definition.services[name]) for name in settled})
    containers = _decide(up, services)
    builder = PlanBuilder()
    for action in (*images.values(), *around.volumes.values()):
        builder.add(action)
    _add_networks(builder, up, around, leaving)
    creation = Creation(definition, observed, options, containers, up.ids, frozenset(images))
    steps = UpSteps(builder, up, waiting, creation, images, around)
    for name in selected_services(definition, (*names, *settled)) if names else ():
        if name in up.verdicts:
            steps.add(definition.services[name], up.verdicts[name])
    for item in leaving:
        steps.remove(ContainerVerdict(item, "remove", _FORWARDS if _is_forwarder(item) else _ORPHAN), None)
    order_handovers(builder, up, names, leaving)
    return Plan(
        builder.sorted_with_hooks("up", options.hooks, options.always_hooks, due_hooks(observed))
        if options.start
        else builder.sorted(),
        project=definition.name,
        unchanged=tuple(name for name in names if up.verdicts[name].up_to_date),
        done=tuple(name for name in names if up.verdicts[name].done),
        orphans=tuple(item.name for item in orphans if item not in leaving),
        notices=(
            *around.notices,
            *steps.notices,
            *ignored_notices(definition, observed.engine, options.host_files),
        ),
        obsolete=_obsolete_hooks(observed, options) if options.start else frozenset(),
    )


def _obsolete_hooks(observed: Observed, options: PlanningOptions) -> frozenset[str]:
    """Hooks that are due and not in tasks.py any more, and those of a `down` that is over."""
    due = (hook for hook in due_hooks(observed) if not hook.startswith("post_start "))
    return frozenset(hook for hook in due if hook not in options.hooks or hook == "after down")


def _decide(up: UpState, services: tuple[Service, ...]) -> dict[str, str]:
    """Adds the verdicts and ids to `up`. Returns service -> the name or id of its first container, which
    others mean by `service:NAME`."""
    containers: dict[str, str] = {}
    for name in up.definition.services:
        first = next(iter(up.observed.of_service(name)), None)
        if first:
            up.ids[name] = containers[name] = first.id
    for service in services:
        up.ids.pop(service.name, None)
        containers.pop(service.name, None)
        verdict = up.verdicts[service.name] = service_verdict(up, service)
        first_staying = next((item for item in verdict.containers if item.act != "remove"), None)
        if first_staying and first_staying.act != "recreate":
            up.ids[service.name] = first_staying.container.id
        if container := _first_container(up.definition, service, verdict, first_staying):
            containers[service.name] = container
    return containers


def _first_container(
    definition: Definition, service: Service, verdict: ServiceVerdict, first: ContainerVerdict | None
) -> str:
    """The name or id of the service's first container, "" if it gets none."""
    if first and first.act == "recreate":
        name = container_name(definition.name, service, first.container.number)
        return temporary_name(name, first.container.id)
    if first:
        return first.container.id
    return container_name(definition.name, service, verdict.added[0]) if verdict.added else ""


def _add_networks(
    builder: PlanBuilder, up: UpState, around: NetworksAndVolumes, orphans: tuple[ObservedContainer, ...]
) -> None:
    """A network that changed is removed once the containers on it have stopped, and created again."""
    going = [item for verdict in up.verdicts.values() for item in verdict.of_act("recreate", "remove")]
    for key, action in around.networks.items():
        needs = action.needs
        if key in around.recreated:
            stops = frozenset(
                StopContainer.id_of(item.name)
                for item in (*going, *orphans)
                if action.target in item.networks and item.is_active
            )
            removal = RemoveNetwork(target=action.target, cause=_RECREATED, needs=stops)
            needs |= {builder.add(removal)}
        builder.add(replace(action, needs=needs))
