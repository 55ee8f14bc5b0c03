"""What `up` does with each existing container of a service (keep, start, recreate, remove…), and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from invoke_devstack.planning.bodies.anonymous_volumes import anonymous_paths, kept_numbers
from invoke_devstack.planning.causes import Cause, CauseKind, by_state, missing
from invoke_devstack.planning.graph import namespaces
from invoke_devstack.planning.names import container_name
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.verdicts.one_shots import has_completed, is_awaited_to_end, newer_data, restarts
from invoke_devstack.planning.verdicts.recreation import recreate_cause
from invoke_devstack.planning.verdicts.verdict import ContainerVerdict, ServiceVerdict, UpState

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

_LEFTOVER = Cause(CauseKind.LEFTOVER, "left over from an interrupted command")
_TEMPORARY = re.compile(r"[0-9a-f]{12}_(.+)")


def service_verdict(up: UpState, service: Service) -> ServiceVerdict:
    """The verdict on one service. `up` must have those on the services that it depends on."""
    return _restarted_with_others(up, service, _own_verdict(up, service))


def settled_verdict(up: UpState, service: Service) -> ServiceVerdict:
    """The same for a service that is only needed: what is there is started, but neither recreated nor
    removed."""
    found = (verdict_by_state(up, service, item) for item in up.observed.of_service(service.name))
    return ServiceVerdict(tuple(item for item in found if item.act != "recreate"))


def _own_verdict(up: UpState, service: Service) -> ServiceVerdict:
    verdicts = [_container_verdict(up, service, item) for item in up.observed.of_service(service.name)]
    verdicts = _without_leftovers(up.definition.name, service, verdicts)
    wanted = service.scale_count()
    # As in Compose, of too many containers the outdated go first, then those with the highest numbers. But a
    # container with data of its own is not removed in favour of an empty one with a higher number.
    has_data = bool(anonymous_paths(service, up.observed.images.get(service.image_name(up.definition.name))))
    staying = sorted(
        (item for item in verdicts if item.act != "remove"),
        key=lambda item: (item.act == "recreate" and not has_data, item.container.number),
    )
    scaled = Cause(CauseKind.SCALE, f"scale {len(staying)} -> {wanted}")
    surplus = [ContainerVerdict(item.container, "remove", scaled) for item in staying[wanted:]]
    containers = sorted(
        [*staying[:wanted], *surplus, *(item for item in verdicts if item.act == "remove")],
        key=lambda item: (item.container.number, item.container.name),
    )
    used = {item.container.number for item in staying}
    added = _new_numbers(up, service.name, used, wanted - len(staying))
    return ServiceVerdict(tuple(containers), added, scaled if staying else missing("container"))


def _new_numbers(up: UpState, service: str, used: set[int], count: int) -> tuple[int, ...]:
    """As in Compose, numbers go on after the highest in use. But a lower one comes first if there is data of
    a container with that number: else it would never be mounted again."""
    first = max(used, default=0) + 1
    with_data = kept_numbers(up.observed, service) - used
    lower = sorted(number for number in with_data if 0 < number < first)
    return tuple([*lower, *range(first, first + max(count, 0))][: max(count, 0)])


def _restarted_with_others(up: UpState, service: Service, verdict: ServiceVerdict) -> ServiceVerdict:
    """Restarts what runs if a service that it follows is recreated or started."""
    cause = _restart_cause(up, service)
    if cause is None:
        return verdict
    containers = tuple(
        ContainerVerdict(item.container, "restart", cause)
        if item.act in ("keep", "await") and item.container.is_running
        else item
        for item in verdict.containers
    )
    return ServiceVerdict(containers, verdict.added, verdict.added_cause)


def _restart_cause(up: UpState, service: Service) -> Cause | None:
    for name, dependency in sorted(service.depends_on.items()):
        other = up.verdicts.get(name)
        if dependency.restart and other and other.recreated:
            text = f"depends_on.{name}.restart: `{name}` is recreated"
            return Cause(CauseKind.DEPENDENCY, text)
    for name in namespaces(service):
        other = up.verdicts.get(name)
        if other and other.started:
            return Cause(CauseKind.DEPENDENCY, f"shares the container of `{name}`, which is started")
    return None


def _without_leftovers(
    project: str, service: Service, verdicts: list[ContainerVerdict]
) -> list[ContainerVerdict]:
    """An `up` that was killed while it replaced a container leaves the new one under its temporary name.
    If the old one is gone the new one takes its place; otherwise it is removed."""
    names = {item.container.name for item in verdicts}
    result: list[ContainerVerdict] = []
    for item in verdicts:
        match = _TEMPORARY.fullmatch(item.container.name)
        final = container_name(project, service, item.container.number)
        if not match or match[1] != final:
            result.append(item)
        elif final in names or item.act == "recreate":
            result.append(ContainerVerdict(item.container, "remove", _LEFTOVER))
        else:
            cause = Cause(CauseKind.LEFTOVER, "created by an interrupted command")
            result.append(ContainerVerdict(item.container, "rename", cause))
    return result


def _container_verdict(up: UpState, service: Service, container: ObservedContainer) -> ContainerVerdict:
    cause = recreate_cause(up, service, container)
    if cause and not (up.options.keep_existing and cause.kind not in (CauseKind.NETWORK, CauseKind.STATE)):
        return ContainerVerdict(container, "recreate", cause)
    return verdict_by_state(up, service, container)


def verdict_by_state(up: UpState, service: Service, container: ObservedContainer) -> ContainerVerdict:
    """What an unchanged container needs in order to be up."""
    match container.state:
        case "running":
            return _verdict_on_running(up, service, container)
        case "restarting":
            return ContainerVerdict(container, "await", by_state("restarting"))
        case "paused":
            return ContainerVerdict(container, "unpause", by_state("paused"))
        case "dead" | "removing":
            return ContainerVerdict(container, "recreate", by_state(container.state))
        case "created":
            return ContainerVerdict(container, "start", by_state("never started"))
    if has_completed(up.definition, service, container, up.observed, _run_again(up)):
        if name := newer_data(up.definition, service, container, up.observed):
            cause = Cause(CauseKind.VOLUME, f"the data of `{name}` is newer than its last run")
            return ContainerVerdict(container, "recreate", cause)
        return ContainerVerdict(container, "done")
    return ContainerVerdict(container, "start", by_state(f"exited with code {container.exit_code}"))


def _run_again(up: UpState) -> tuple[str, ...]:
    return (*up.options.services, *up.options.rerun)


def _verdict_on_running(up: UpState, service: Service, container: ObservedContainer) -> ContainerVerdict:
    if is_awaited_to_end(up.definition, service.name):
        return ContainerVerdict(container, "await", by_state("not completed yet"))
    if container.cut_off:
        cause = Cause(CauseKind.NETWORK, "the engine took it off its networks")
        return ContainerVerdict(container, "restart", cause)
    if container.health in ("starting", "unhealthy"):
        return ContainerVerdict(container, "await", by_state(container.health))
    if container.started_again and restarts(service):
        return ContainerVerdict(container, "await", by_state("restarted just now"))
    return ContainerVerdict(container, "keep")
