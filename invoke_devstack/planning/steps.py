"""The actions by which one container is made, replaced, started, stopped or removed.

Whatever plans, takes its actions from here, so that each of them is spelt in one place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from invoke_devstack.planning import labels as label
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plan import (
    Action,
    AwaitReady,
    RemoveContainer,
    RemoveVolume,
    RunCommand,
    RunHook,
    StopContainer,
)
from invoke_devstack.planning.probes import probe_of

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Hook, Service

_ANONYMOUS = re.compile(r"[0-9a-f]{64}")

DEFAULT_GRACE = 10.0
"""Seconds between the stop signal and SIGKILL: Compose's, where a service says nothing."""


class Draft:
    """The actions of a plan while it is made, by id."""

    def __init__(self) -> None:
        self.actions: dict[str, Action] = {}

    def add(self, action: Action) -> str:
        """Returns the action's id. One that is there already is joined: its needs grow."""
        known = self.actions.get(action.id)
        needs = action.needs | known.needs if known else action.needs
        self.actions[action.id] = replace(action, needs=needs)
        return action.id

    def needs_more(self, action_id: str, needs: Iterable[str]) -> None:
        action = self.actions[action_id]
        self.actions[action_id] = replace(action, needs=action.needs | frozenset(needs))

    def add_all(self, actions: Iterable[Action], needs: frozenset[str]) -> frozenset[str]:
        """One after the other, the first after `needs`. Returns the id of the last (`needs` if none)."""
        for action in actions:
            needs = frozenset({self.add(replace(action, needs=action.needs | needs))})
        return needs

    def finished(self) -> tuple[Action, ...]:
        return tuple(self.actions[action_id] for action_id in sorted(self.actions))


def stop_step(
    container: ObservedContainer, service: Service | None, cause: str, *, timeout: float | None = None
) -> StopContainer:
    """Stops it as the definition says, else as the container itself says. `timeout` stands for both."""
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


def remove_step(
    container: ObservedContainer, cause: str, *, volumes: bool, force: bool = False
) -> RemoveContainer:
    return RemoveContainer(
        target=container.name,
        name=container.name,
        cause=cause,
        service=container.service,
        volumes=volumes,
        force=force,
    )


def inherited_volume_steps(container: ObservedContainer, removal: str) -> tuple[RemoveVolume, ...]:
    """Removes the anonymous volumes that the container took over from the one that it replaced: to the
    engine these have a name since, so that they do not go with the container. `removal` is its id."""
    if label.REPLACE not in container.labels:
        return ()
    return tuple(
        RemoveVolume(
            target=mount.name,
            cause=f"anonymous, of {container.name}",
            service=container.service,
            needs=frozenset({removal}),
            anonymous=True,
        )
        for mount in container.mounts
        if mount.type == "volume" and _ANONYMOUS.fullmatch(mount.name)
    )


def command_steps(
    hooks: tuple[Hook, ...], when: str, container: str, service: str, *, optional: bool = False
) -> tuple[RunCommand, ...]:
    """The lifecycle hooks `post_start` or `pre_stop` in a container, one after the other."""
    return tuple(
        RunCommand(
            target=f"{when} {index} in {container}",
            cause=f"`{when}` of {service}",
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


def hook_step(when: str, name: str, needs: Iterable[str], service: str = "") -> RunHook:
    """A function of the team's, registered for `before` or `after` of `name`."""
    return RunHook(
        target=f"{when} {name}",
        cause="a hook of tasks.py",
        when=when,
        service=service,
        needs=frozenset(needs),
    )


def await_step(
    definition: Definition,
    service: Service,
    container: str,
    condition: str,
    cause: str,
    observed: Observed,
    timeout: float,
) -> AwaitReady:
    """Waits for the container. `waited_for_by` and `optional` are the caller's."""
    image = observed.images.get(service.image_name(definition.name))
    return AwaitReady(
        target=container,
        cause=cause,
        service=service.name,
        condition=condition,
        probe=probe_of(service, image),
        timeout=timeout,
        late_probe=image is None and service.healthcheck is None,
    )


def with_hooks(
    draft: Draft, name: str, hooks: frozenset[str], always_hooks: frozenset[str]
) -> tuple[Action, ...]:
    """The actions, with the team's hooks for `name` (`up`, `down`) before the first and after the last.
    `hooks` run when there is anything to do, `always_hooks` in any case."""
    actions = draft.finished()
    due = always_hooks | (hooks if actions else frozenset())
    if f"before {name}" in due:
        before = hook_step("before", name, ())
        actions = (before, *(replace(item, needs=item.needs | {before.id}) for item in actions))
    if f"after {name}" in due:
        actions = (*actions, hook_step("after", name, (item.id for item in actions)))
    return actions
