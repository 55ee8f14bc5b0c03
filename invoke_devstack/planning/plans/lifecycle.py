"""Plans for existing containers: start, stop, restart, pause, unpause, kill, remove.

Each takes the services that it is for (all that have containers, if empty) and works from labels alone if
there is no definition.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.planning import labels
from invoke_devstack.planning.causes import Cause, CauseKind, by_command
from invoke_devstack.planning.graph import closure, in_order, sharing
from invoke_devstack.planning.labels import LabelledDependency
from invoke_devstack.planning.observed import REMOVABLE, STARTABLE, Observed, ObservedContainer
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plan import (
    COMPLETED,
    HEALTHY,
    STARTED,
    Action,
    AwaitReady,
    Condition,
    KillContainer,
    PauseContainer,
    Plan,
    RestartContainer,
    StartContainer,
    UnpauseContainer,
)
from invoke_devstack.planning.plans.anonymous_volumes import keep_steps, remove_volume_steps, volumes_of
from invoke_devstack.planning.plans.container_steps import (
    NOTHING,
    Need,
    Needs,
    PlanBuilder,
    await_step,
    await_steps,
    await_unknown,
    hook_step,
    left_post_start,
    post_start_steps,
    pre_stop_steps,
    remove_step,
    stop_step,
)
from invoke_devstack.planning.plans.down import dependency_graph, known_service, stop_all
from invoke_devstack.planning.plans.hooks import due_hooks, pre_start_of
from invoke_devstack.planning.selection import check_names, is_wanted
from invoke_devstack.planning.verdicts.existing_containers import verdict_by_state
from invoke_devstack.planning.verdicts.verdict import Act, ContainerVerdict, UpState

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_RESTART = by_command("restart")
_WITH_DEPENDENCY = Cause(CauseKind.DEPENDENCY, "restarts with its dependency")


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The containers that a command is for, in the order in which they start. `wait_timeout` in seconds."""

    definition: Definition | None
    observed: Observed
    services: tuple[str, ...]  # that the command names
    containers: tuple[ObservedContainer, ...]
    wait_timeout: float = 0.0
    hooks: frozenset[str] = frozenset()  # of tasks.py: those of them that are due run

    def plan(self, builder: PlanBuilder) -> Plan:
        touched = {action.service for action in builder.actions.values()}
        same = tuple(sorted({item.service for item in self.containers} - touched))
        return builder.plan(self.observed.project, unchanged=same)

    def needs_of(self, container: ObservedContainer) -> dict[str, Need]:
        """What must run before the container starts, by service."""
        service = known_service(self.definition, container)
        shared = {name: LabelledDependency() for name in (sharing(service) if service else ())}
        return {**shared, **_needs_of(self.definition, container)}


def plan_start(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    *,
    wait_timeout: float,
    hooks: frozenset[str] = frozenset(),
) -> Plan:
    """Starts stopped containers, dependencies first, and waits up to `wait_timeout` seconds until ready: also
    for those that run, but not well. What they need is started too. Runs those of the team's `hooks` that
    are due."""
    chosen = _choose(definition, observed, services, wait_timeout, hooks)
    starts = {
        item.name: StartContainer(target=item.name, cause=by_command("start"), service=item.service)
        for item in chosen.containers
        if item.state in STARTABLE
    }
    return _begin_in_order(
        chosen, PlanBuilder(), starts, settled={item.service for item in chosen.containers}
    )


def plan_stop(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    *,
    timeout: float | None = None,
) -> Plan:
    """Stops active containers, dependents first. `timeout` (seconds) overrides `stop_grace_period`."""
    chosen = _choose(definition, observed, services)
    builder = PlanBuilder()
    stop_all(builder, definition, observed, chosen.containers, by_command("stop"), timeout=timeout)
    return chosen.plan(builder)


def plan_restart(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    *,
    wait_timeout: float,
    timeout: float | None = None,
    alone: bool = False,
    hooks: frozenset[str] = frozenset(),
) -> Plan:
    """Restarts the services, and unless they are to restart `alone`, dependents that have
    `depends_on.restart`. Runs those of the team's `hooks` that are due."""
    names = services if alone else (*services, *_followers(definition, observed, services))
    chosen = _choose(definition, observed, names, wait_timeout, hooks)
    builder = PlanBuilder()
    restarts: dict[str, Action] = {}
    for item in chosen.containers:
        service = known_service(definition, item)
        stop = stop_step(item, service, _RESTART, timeout=timeout)
        restarts[item.name] = RestartContainer(
            target=item.name,
            name=item.name,
            cause=_RESTART if not services or item.service in services else _WITH_DEPENDENCY,
            service=item.service,
            signal=stop.signal,
            grace=stop.grace,
            needs=builder.add_chain(pre_stop_steps(item, service), frozenset()),
        )
    return _begin_in_order(chosen, builder, restarts)


def plan_pause(observed: Observed, services: tuple[str, ...]) -> Plan:
    """Pauses running containers."""
    return _for_each(observed, services, lambda item: item.is_running, PauseContainer, by_command("pause"))


def plan_unpause(observed: Observed, services: tuple[str, ...]) -> Plan:
    """Resumes paused containers."""
    cause = by_command("unpause")
    return _for_each(observed, services, lambda item: item.state == "paused", UnpauseContainer, cause)


def plan_kill(observed: Observed, services: tuple[str, ...], *, signal: str = "SIGKILL") -> Plan:
    """Sends a signal to active containers."""
    kill = partial(KillContainer, signal=signal)
    return _for_each(observed, services, lambda item: item.is_active, kill, by_command("kill"))


def plan_remove(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    *,
    stop: bool = False,
    volumes: bool = False,
) -> Plan:
    """Removes stopped containers; with `stop` also active ones, with `volumes` also anonymous volumes."""
    chosen = _choose(definition, observed, services)
    builder = PlanBuilder()
    cause = by_command("remove")
    stops = stop_all(builder, definition, observed, chosen.containers, cause) if stop else {}
    for item in chosen.containers:
        if stop or item.state in REMOVABLE:
            needs = frozenset({stops[item.name]} if item.name in stops else ())
            if not volumes:
                needs |= keep_steps(builder, definition, observed, item)
            removed = builder.add(remove_step(item, cause, volumes=volumes, needs=needs))
            if volumes:
                own = volumes_of(definition, observed, (item,))
                remove_volume_steps(builder, own, cause, frozenset({removed}))
    return chosen.plan(builder)


def _for_each(
    observed: Observed,
    services: tuple[str, ...],
    concerned: Callable[[ObservedContainer], bool],
    act: Callable[..., Action],
    cause: Cause,
) -> Plan:
    """One action for each container that is `concerned`."""
    chosen = _choose(None, observed, services)
    builder = PlanBuilder()
    for item in chosen.containers:
        if concerned(item):
            builder.add(act(target=item.name, cause=cause, service=item.service))
    return chosen.plan(builder)


def _choose(
    definition: Definition | None,
    observed: Observed,
    services: tuple[str, ...],
    wait_timeout: float = 0.0,
    hooks: frozenset[str] = frozenset(),
) -> _Chosen:
    """Raises UsageError for an unknown service, and for one that has no container."""
    present = {item.service for item in observed.containers if not item.oneoff}
    check_names(services, present | set(definition.services if definition else ()))
    for name in services:
        if name not in present:
            raise UsageError(
                f"`{name}` has no container", hint=f"Create and start it: `invoke up -s {name}`."
            )
    graph = dependency_graph(definition, observed)
    order = in_order({name: graph.get(name, ()) for name in present})
    containers = tuple(
        item for name in order if not services or name in services for item in observed.of_service(name)
    )
    return _Chosen(definition, observed, services, containers, wait_timeout, hooks)


def _followers(
    definition: Definition | None, observed: Observed, services: tuple[str, ...]
) -> tuple[str, ...]:
    """The services that restart when one of `services` does, directly or not."""

    def following(name: str) -> Iterable[str]:
        for item in observed.containers:
            need = _needs_of(definition, item).get(name)
            if need and need.restart and not item.oneoff:
                yield item.service

    return tuple(name for name in closure(services, following) if name not in services)


def _needs_of(definition: Definition | None, container: ObservedContainer) -> Mapping[str, Need]:
    """What the container needs of other services: by the definition, else by its label."""
    service = known_service(definition, container)
    return service.depends_on if service else labels.read_depends_on(container.labels)


# containers begin to run, and others wait for them


def _begin_in_order(
    chosen: _Chosen,
    builder: PlanBuilder,
    actions: Mapping[str, Action],
    *,
    settled: Collection[str] = (),
) -> Plan:
    """`actions` is container -> what starts it. Whatever they need beside each other is started and awaited
    too, as `up` would; so are the `settled` services, and what these need. Hooks that are due run as well."""
    beginning = _Beginning(chosen, builder, {action.service for action in actions.values()}, settled)
    for name in beginning.order:
        for item in chosen.observed.of_service(name):
            if item.name in actions:
                beginning.begin(item, actions[item.name])
            elif name in beginning.needed:
                beginning.settle(item)
        beginning.run_left(name)
    if "after up" in beginning.left:
        builder.add(hook_step("after", "up", tuple(builder.actions), left=True))
    return chosen.plan(builder)


class _Beginning:
    """Adds what starts containers, their hooks before and after, and the waits for them."""

    def __init__(
        self, chosen: _Chosen, builder: PlanBuilder, starting: set[str], settled: Collection[str]
    ) -> None:
        self._chosen = chosen
        self._builder = builder
        self._observed = chosen.observed
        self._ready: dict[tuple[str, str], Needs] = {}
        own = [item for item in self._observed.containers if not item.oneoff]
        self._dependencies = {item.service: chosen.needs_of(item) for item in own}
        self._check_present(self._closure(starting))
        self.needed = self._closure({*starting, *settled})
        """The services that are to run, and those that they need."""
        graph = dependency_graph(chosen.definition, self._observed)
        self.order = in_order({name: graph.get(name, ()) for name in self._dependencies})
        self.left = chosen.hooks & due_hooks(self._observed)
        """The team's hooks that have not succeeded yet."""

    def _closure(self, services: set[str]) -> Collection[str]:
        return closure(services, lambda name: self._dependencies.get(name, ()))

    def _check_present(self, starting: Collection[str]) -> None:
        """Raises UsageError for a service that is waited for and has no container."""
        definition = self._chosen.definition
        for name in starting:
            for other, need in self._dependencies.get(name, {}).items():
                wanted = definition.services.get(other) if definition else None
                waits = need.required and need.condition in (HEALTHY, COMPLETED)
                if waits and other not in self._dependencies and wanted and is_wanted(wanted):
                    raise UsageError(
                        f"`{name}` waits for `{other}`, which has no container",
                        hint=f"Create and start it: `invoke up -s {name}`.",
                    )

    def begin(self, container: ObservedContainer, action: Action) -> None:
        """The container starts by `action`."""
        service = known_service(self._chosen.definition, container)
        waits = frozenset[str]().union(
            *(
                self._ready.get((name, need.condition or HEALTHY), ())
                for name, need in self._dependencies[container.service].items()
            )
        )
        if service and isinstance(action, StartContainer):
            timeout = self._chosen.wait_timeout
            steps = pre_start_of(self._chosen.definition, service, container, self._observed, timeout)
            waits = self._builder.add_chain(steps, waits)
        started = frozenset({self._builder.add(replace(action, needs=action.needs | waits))})
        if service:
            started = self._builder.add_chain(post_start_steps(service, container.name), started)
        self._await(container, action.cause, started)

    def settle(self, container: ObservedContainer) -> None:
        """The container is only needed: it is started if it has stopped, and awaited until it is ready."""
        verdict = self._verdict(container)
        target, cause, service = container.name, verdict.cause, container.service
        match verdict.act:
            case "start":
                self.begin(container, StartContainer(target=target, cause=cause, service=service))
            case "unpause":
                unpause = UnpauseContainer(target=target, cause=cause, service=service)
                self._await(container, cause, frozenset({self._builder.add(unpause)}))
            case "await":
                self._await(container, cause, self._left_post_start(container))
            case "keep":
                if left := self._left_post_start(container):
                    self._await(container, by_command("start"), left)

    def run_left(self, name: str) -> None:
        """The team's hook after the service, if it is due. Who depends on the service waits for it."""
        if name in self.needed and f"after {name}" in self.left:
            keys = [(name, condition) for condition in (STARTED, HEALTHY, COMPLETED)]
            needs = NOTHING.union(*(self._ready.get(key, NOTHING) for key in keys))
            done = self._builder.add(hook_step("after", name, needs, name, left=True))
            self._ready.update(dict.fromkeys(keys, frozenset({done})))

    def _left_post_start(self, container: ObservedContainer) -> Needs:
        """Adds the `post_start` hooks of a running container that have not succeeded yet."""
        service = known_service(self._chosen.definition, container)
        left = left_post_start(service, container.name, due_hooks(self._observed)) if service else ()
        return self._builder.add_chain(left, frozenset())

    def _verdict(self, container: ObservedContainer) -> ContainerVerdict:
        definition = self._chosen.definition
        service = known_service(definition, container)
        if definition is None or service is None:
            act: Act = "start" if container.state in STARTABLE else "keep"
            return ContainerVerdict(container, act, by_command("start"))
        return verdict_by_state(UpState(definition, self._observed, PlanningOptions()), service, container)

    def _await(self, container: ObservedContainer, cause: Cause, started: Needs) -> None:
        name = container.service
        self._ready[name, STARTED] = self._ready.get((name, STARTED), frozenset()) | started
        waiting = {
            other: needs[name]
            for other, needs in self._dependencies.items()
            if name in needs and other in self.needed
        }
        first = self._wait(container, cause)
        for step in await_steps(first, waiting, asked_for=name in self._chosen.services):
            awaited = self._builder.add(replace(step, needs=started))
            known = self._ready.get((name, step.condition), frozenset())
            self._ready[name, step.condition] = known | {awaited}

    def _wait(self, container: ObservedContainer, cause: Cause) -> AwaitReady:
        """The wait for one container; for a one-shot, until it has completed."""
        definition, timeout = self._chosen.definition, self._chosen.wait_timeout
        service = known_service(definition, container)
        conditions = {
            needs[container.service].condition
            for needs in self._dependencies.values()
            if container.service in needs
        }
        completes = COMPLETED in conditions and HEALTHY not in conditions
        condition: Condition = COMPLETED if completes else HEALTHY
        if definition and service:
            return await_step(definition, service, container.name, condition, cause, self._observed, timeout)
        return await_unknown(container, condition, cause, timeout)
