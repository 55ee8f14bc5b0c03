"""The actions that create, replace, start, stop or remove one container. All plans share them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Union

from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.known_images import ProbeKind
from invoke_devstack.planning.labels import LabelledDependency
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plan import (
    COMPLETED,
    HEALTHY,
    Action,
    AwaitReady,
    Condition,
    Plan,
    Probe,
    RemoveContainer,
    RunCommand,
    RunHook,
    StopContainer,
)

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Dependency, Hook, Service

Needs = frozenset[str]
Need = Union["Dependency", LabelledDependency]
"""What one service needs of another."""
NOTHING: Needs = frozenset()

_TEAM_HOOK = Cause(CauseKind.HOOK, "hook in tasks.py")
_LEFT_HOOK = Cause(CauseKind.HOOK, "due: it has not succeeded yet")

DEFAULT_GRACE = 10.0
"""Seconds between the stop signal and SIGKILL, as in Compose, where a service sets none."""


class PlanBuilder:
    """Collects the actions of a plan, by id."""

    def __init__(self) -> None:
        self.actions: dict[str, Action] = {}

    def add(self, action: Action) -> str:
        """Returns the action's id. If there is one with that id, their needs are merged."""
        known = self.actions.get(action.id)
        needs = action.needs | known.needs if known else action.needs
        self.actions[action.id] = replace(action, needs=needs)
        return action.id

    def add_needs(self, action_id: str, needs: Iterable[str]) -> None:
        action = self.actions[action_id]
        self.actions[action_id] = replace(action, needs=action.needs | frozenset(needs))

    def add_chain(self, actions: Iterable[Action], needs: Needs) -> Needs:
        """Adds the actions one after the other, the first after `needs`. Returns the id of the last
        (`needs`, if there are no actions)."""
        for action in actions:
            needs = frozenset({self.add(replace(action, needs=action.needs | needs))})
        return needs

    def plan(self, project: str, **details: Any) -> Plan:
        """`details` are those of `Plan`."""
        return Plan(self.sorted(), project=project, **details)

    def sorted(self) -> tuple[Action, ...]:
        return tuple(self.actions[action_id] for action_id in sorted(self.actions))

    def sorted_with_hooks(
        self, name: str, hooks: frozenset[str], always_hooks: frozenset[str], due: frozenset[str]
    ) -> tuple[Action, ...]:
        """With the team's hooks for the command `name` before the first action and after the last: those
        of `always_hooks`, and those of `hooks` that are `due`, or all if there is any action."""
        actions = self.sorted()
        left = hooks & due if not actions else frozenset()
        due = always_hooks | (hooks if actions else left)
        if f"before {name}" in due:
            before = hook_step("before", name, ())
            actions = (before, *(replace(item, needs=item.needs | {before.id}) for item in actions))
        if f"after {name}" in due:
            after = hook_step("after", name, (item.id for item in actions), left=bool(left))
            actions = (*actions, after if f"after {name}" in hooks else replace(after, mark=""))
        return actions


def stop_step(
    container: ObservedContainer, service: Service | None, cause: Cause, *, timeout: float | None = None
) -> StopContainer:
    """Stops the container as the definition says, else as the container itself says. `timeout` (seconds)
    overrides both."""
    grace = service.stop_grace_period if service else None
    known = grace if grace is not None else container.stop_timeout
    return StopContainer(
        target=container.name,
        name=container.name,
        cause=cause,
        service=container.service,
        signal=(service.stop_signal if service else None) or container.stop_signal,
        grace=timeout if timeout is not None else DEFAULT_GRACE if known is None else float(known),
    )


def pre_stop_steps(container: ObservedContainer, service: Service | None) -> tuple[RunCommand, ...]:
    """The container's `pre_stop` hooks, if it runs."""
    if service is None or not container.is_running:
        return ()
    return command_steps(service.pre_stop, "pre_stop", container.name, service.name, optional=True)


def remove_step(
    container: ObservedContainer, cause: Cause, *, volumes: bool, needs: Needs = NOTHING
) -> RemoveContainer:
    return RemoveContainer(
        target=container.name,
        name=container.name,
        cause=cause,
        service=container.service,
        volumes=volumes,
        needs=needs,
    )


def command_steps(
    hooks: tuple[Hook, ...], when: str, container: str, service: str, *, optional: bool = False
) -> tuple[RunCommand, ...]:
    """The lifecycle hooks `post_start` or `pre_stop` in a container, in order."""
    return tuple(
        RunCommand(
            target=f"{when} {index} in {container}",
            cause=Cause(CauseKind.HOOK, f"{when} of {service}"),
            service=service,
            container=container,
            command=hook.command or (),
            user=hook.user or "",
            privileged=hook.privileged,
            working_dir=hook.working_dir or "",
            environment=tuple(
                name if value is None else f"{name}={value}" for name, value in hook.environment.items()
            ),
            optional=optional,
        )
        for index, hook in enumerate(hooks, start=1)
    )


def post_start_steps(service: Service, container: str) -> tuple[RunCommand, ...]:
    """The container's `post_start` hooks. They are due until the last has succeeded."""
    steps = command_steps(service.post_start, "post_start", container, service.name)
    return (*steps[:-1], *(replace(step, mark=f"post_start {container}") for step in steps[-1:]))


def left_post_start(service: Service, container: str, due: frozenset[str]) -> tuple[RunCommand, ...]:
    """Those of a running container, if they have not succeeded yet."""
    steps = post_start_steps(service, container)
    return steps if any(step.mark in due for step in steps) else ()


def hook_step(
    when: str, name: str, needs: Iterable[str], service: str = "", *, left: bool = False
) -> RunHook:
    """A function in the team's tasks.py, registered for `before` or `after` of `name`. `left`: it has not
    succeeded since its service started."""
    target = f"{when} {name}"
    return RunHook(
        target=target,
        cause=_LEFT_HOOK if left else _TEAM_HOOK,
        when=when,
        service=service,
        needs=frozenset(needs),
        mark=target if when == "after" else "",
    )


def await_step(
    definition: Definition,
    service: Service,
    container: str,
    condition: Condition,
    cause: Cause,
    observed: Observed,
    timeout: float,
) -> AwaitReady:
    """Waits for the container, `timeout` seconds. The caller sets `waited_for_by` and `optional`."""
    image = observed.images.get(service.image_name(definition.name))
    from invoke_devstack.planning.probe_choice import declared_probe, probe_of  # a `down` probes nothing

    declared = declared_probe(definition, service)
    return AwaitReady(
        target=container,
        cause=cause,
        service=service.name,
        condition=condition,
        probe=declared or probe_of(service, image),
        timeout=timeout,
        late_probe=image is None and service.healthcheck is None and declared is None,
    )


def await_unknown(
    container: ObservedContainer, condition: Condition, cause: Cause, timeout: float
) -> AwaitReady:
    """The same for a container of which there is no definition."""
    return AwaitReady(
        target=container.name,
        cause=cause,
        service=container.service,
        condition=condition,
        probe=Probe(ProbeKind.RUNNING),
        timeout=timeout,
        late_probe=True,
    )


def await_steps(step: AwaitReady, waiting: Mapping[str, Need], *, asked_for: bool) -> tuple[AwaitReady, ...]:
    """The wait for each condition that the `waiting` services have; without one, for that of `step`. It may
    fail if all of them can do without it and nobody `asked_for` it."""
    waits = {name: need.condition for name, need in waiting.items() if need.condition in (HEALTHY, COMPLETED)}
    order: tuple[Condition, ...] = (HEALTHY, COMPLETED)
    conditions = [condition for condition in order if condition in waits.values()]
    needed = asked_for or not waiting or any(need.required for need in waiting.values())
    return tuple(
        replace(step, condition=condition, waited_for_by=tuple(sorted(waits)), optional=not needed)
        for condition in conditions or [step.condition]
    )
