"""Who must make room for whom: containers that take names, ports or namespaces over from others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from invoke_devstack.planning.graph import bound_to
from invoke_devstack.planning.judge import Scene
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import Action, StartContainer
from invoke_devstack.planning.ports import wanted_ports
from invoke_devstack.planning.steps import Draft


def give_way(
    draft: Draft, scene: Scene, names: tuple[str, ...], leaving: Iterable[ObservedContainer]
) -> None:
    """Adds the needs that follow from what containers hold to a draft that is otherwise complete. `names`
    are the services of the plan, `leaving` containers of no service that are removed."""
    _make_room_for_names(draft, scene)
    _stop_what_follows(draft, scene, names)
    _make_room_for_ports(draft, scene, names, leaving)


def _make_room_for_names(draft: Draft, scene: Scene) -> None:
    """What an interrupted command left over may have the temporary name that a successor gets."""
    for verdict in scene.verdicts.values():
        for container in verdict.of_act("remove"):
            created = f"create {container.name}"
            if created in draft.actions:
                draft.needs_more(created, {f"remove {container.name}"})


def _stop_what_follows(draft: Draft, scene: Scene, names: tuple[str, ...]) -> None:
    """What restarts with another service stops before that one's old container does."""
    for name in names:
        service = scene.definition.services[name]
        stops = [f"stop {container.name}" for container in scene.verdicts[name].of_act("restart")]
        followed = {*bound_to(service), *(key for key, value in service.depends_on.items() if value.restart)}
        for other in sorted(followed & scene.verdicts.keys()) if stops else ():
            for container in scene.verdicts[other].of_act("recreate"):
                _stop_before(draft, stops, f"stop {container.name}")


def _stop_before(draft: Draft, stops: list[str], old: str) -> None:
    """Those that follow go on until the successor of `old` is made."""
    if old not in draft.actions:
        return
    made = _creations(draft.actions[old])
    for stop in stops:
        draft.needs_more(stop, made)
    draft.needs_more(old, stops)


def _make_room_for_ports(
    draft: Draft, scene: Scene, names: tuple[str, ...], leaving: Iterable[ObservedContainer]
) -> None:
    """A port that moves from one service to another is free only once the old container has stopped,
    which then waits for nothing but its successor."""
    going = [item for name in names for item in scene.verdicts[name].of_act("recreate", "remove")]
    for container in (*going, *leaving):
        stop = f"stop {container.name}"
        starts = _starts_of(draft, _takers(scene, names, container))
        if starts and stop in draft.actions:
            _stop_early(draft, stop)
            for start in starts:
                draft.needs_more(start, {stop})


def _takers(scene: Scene, names: tuple[str, ...], container: ObservedContainer) -> set[str]:
    """The other services that want a port which the container holds."""
    held = {(port.protocol, port.host_port) for port in container.ports if port.host_port}
    stand_ins = scene.options.ports
    return {
        port.service
        for port in wanted_ports(scene.definition, names, scene.options.bind)
        if port.service != container.service and (port.protocol, stand_ins.get(port, port.host_port)) in held
    }


def _starts_of(draft: Draft, services: set[str]) -> list[str]:
    return [
        action.id
        for action in draft.actions.values()
        if isinstance(action, StartContainer) and action.service in services
    ]


def _stop_early(draft: Draft, stop: str) -> None:
    """The stop, or the first of the `pre_stop` commands before it, no longer waits for what is ready."""
    first = f"exec pre_stop 1 in {draft.actions[stop].target}"
    head = draft.actions.get(first, draft.actions[stop])
    stops = frozenset(need for need in head.needs if need.startswith("stop "))
    draft.actions[head.id] = replace(head, needs=_creations(head) | stops)


def _creations(action: Action) -> frozenset[str]:
    """The containers that are made before it."""
    return frozenset(need for need in action.needs if need.startswith("create "))
