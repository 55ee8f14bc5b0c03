"""The steps of `up` for the containers of one service after the other, dependencies first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from invoke_devstack.planning.bodies.networks import network_name
from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.graph import dependencies, sharing
from invoke_devstack.planning.names import container_name, temporary_name
from invoke_devstack.planning.observed import ObservedContainer
from invoke_devstack.planning.plan import (
    COMPLETED,
    HEALTHY,
    STARTED,
    Action,
    Condition,
    RenameContainer,
    StartContainer,
    UnpauseContainer,
)
from invoke_devstack.planning.plans.anonymous_volumes import keep_steps, superseded_steps
from invoke_devstack.planning.plans.container_steps import (
    NOTHING,
    Needs,
    PlanBuilder,
    await_step,
    await_steps,
    hook_step,
    left_post_start,
    post_start_steps,
    pre_stop_steps,
    remove_step,
    stop_step,
)
from invoke_devstack.planning.plans.creation import Creation
from invoke_devstack.planning.plans.hooks import due_hooks, pre_start_steps
from invoke_devstack.planning.plans.images import other_images
from invoke_devstack.planning.plans.networks_and_volumes import (
    NetworksAndVolumes,
    used_networks,
    used_volumes,
)
from invoke_devstack.planning.verdicts.verdict import ContainerVerdict, ServiceVerdict, UpState

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service

_CONDITIONS: tuple[Condition, ...] = (STARTED, HEALTHY, COMPLETED)
_REPLACED = Cause(CauseKind.REPLACEMENT, "replaced by the new container")
_TAKES_NAME = Cause(CauseKind.REPLACEMENT, "takes the name of the old container")


class UpSteps:
    """Adds the steps to `builder`. `waiting` are the services that wait for their dependencies. What an
    earlier service's steps bring about, the steps of those that depend on it need."""

    def __init__(
        self,
        builder: PlanBuilder,
        up: UpState,
        waiting: Collection[str],
        creation: Creation,
        images: dict[str, Action],
        around: NetworksAndVolumes,
    ) -> None:
        self._builder = builder
        self._up = up
        self._definition = up.definition
        self._options = up.options
        self._waiting = tuple(up.definition.services[name] for name in sorted(waiting))
        self._creation = creation
        self._images = images
        self._around = around
        self._due = due_hooks(up.observed)
        self._ready: dict[tuple[str, Condition], Needs] = {}
        self._created: dict[str, Needs] = {}
        self._prepared: dict[str, Needs] = {}
        self.notices: list[str] = []
        """What a person must know of the steps so far."""

    def add(self, service: Service, verdict: ServiceVerdict) -> None:
        """All steps of a service. Those of its dependencies come before it."""
        waits = self._dependency_needs(service)
        if self._has_hook("before", service.name, verdict):
            waits |= {self._builder.add(hook_step("before", service.name, waits, service.name))}
        for condition in _CONDITIONS:
            self._ready[service.name, condition] = NOTHING
        self._created[service.name] = NOTHING
        for item in verdict.containers:
            if self._options.start:
                self._add_existing(service, item, waits)
            else:
                self._add_unstarted(service, item)
        for number in verdict.added:
            name = self._name(service, number)
            created = self._create(service, number, name, verdict.added_cause)
            self._start(service, name, verdict.added_cause, waits | created)
        if self._has_hook("after", service.name, verdict):
            needs = NOTHING.union(*(self._ready[service.name, condition] for condition in _CONDITIONS))
            left = f"after {service.name}" in self._due and not verdict.changed
            after = hook_step("after", service.name, needs or waits, service.name, left=left)
            if after.target in self._options.always_hooks:
                after = replace(after, mark="")
            done = frozenset({self._builder.add(after)})
            self._ready.update({(service.name, condition): done for condition in _CONDITIONS})

    def remove(self, item: ContainerVerdict, service: Service | None) -> None:
        stopped = self._stop(item, service, NOTHING)
        # A leftover of an interrupted command shares its anonymous volumes with the container that stays.
        # What was created for it alone goes with it, for it never ran.
        leftover = item.cause.kind is CauseKind.LEFTOVER
        volumes = leftover and item.container.state == "created"
        needs = stopped if leftover else stopped | self._keep_volumes(item.container)
        self._builder.add(remove_step(item.container, item.cause, volumes=volumes, needs=needs))

    def _keep_volumes(self, container: ObservedContainer) -> Needs:
        return keep_steps(self._builder, self._definition, self._up.observed, container)

    def _has_hook(self, when: str, name: str, verdict: ServiceVerdict) -> bool:
        hook = f"{when} {name}"
        if not self._options.start:
            return False
        due = verdict.changed or hook in self._due
        return hook in self._options.always_hooks or (due and hook in self._options.hooks)

    def _add_existing(self, service: Service, item: ContainerVerdict, waits: Needs) -> None:
        container, cause = item.container, item.cause
        match item.act:
            case "recreate":
                self._recreate(service, item, waits)
            case "remove":
                self.remove(item, service)
            case "rename":
                final = self._name(service, container.number)
                self._start(
                    service, final, cause, waits | self._rename(service, container.name, final, cause)
                )
            case "start":
                self._start(service, container.name, cause, waits)
            case "restart":
                stop = self._builder.add(stop_step(container, service, cause, timeout=self._options.timeout))
                self._start(service, container.name, cause, waits | {stop})
            case "unpause":
                unpause = UnpauseContainer(target=container.name, cause=cause, service=service.name)
                self._await(service, container.name, cause, frozenset({self._builder.add(unpause)}))
            case "await":
                self._await(service, container.name, cause, self._left_post_start(service, container.name))
            case "keep":
                left = self._left_post_start(service, container.name)
                for condition in _CONDITIONS:
                    self._ready[service.name, condition] |= left

    def _add_unstarted(self, service: Service, item: ContainerVerdict) -> None:
        """The same if nothing is to be started: what exists stays as it is, unless it is replaced."""
        match item.act:
            case "recreate":
                self._recreate(service, item, NOTHING)
            case "remove":
                self.remove(item, service)
            case "rename":
                final = self._name(service, item.container.number)
                self._rename(service, item.container.name, final, item.cause)

    def _left_post_start(self, service: Service, name: str) -> Needs:
        """The `post_start` hooks of a running container, if they have not succeeded yet."""
        return self._builder.add_chain(left_post_start(service, name, self._due), NOTHING)

    def _name(self, service: Service, number: int) -> str:
        return container_name(self._definition.name, service, number)

    def _dependency_needs(self, service: Service) -> Needs:
        needs = NOTHING
        for name in dependencies(service):
            dependency = service.depends_on.get(name)
            condition = dependency.condition if dependency else STARTED
            needs |= self._ready.get((name, condition), NOTHING)
        return needs

    def _create(
        self,
        service: Service,
        number: int,
        name: str,
        cause: Cause,
        replaces: ObservedContainer | None = None,
    ) -> Needs:
        shared = (self._created.get(other, NOTHING) for other in sharing(service))
        needs = self._resource_needs(service).union(*shared)
        action = self._creation.step(service, number, name, cause, needs=needs, replaces=replaces)
        created = frozenset({self._builder.add(action)})
        for path, volume in self._creation.left_volumes(service, number, replaces).items():
            self.notices.append(
                f"{service.name}-{number}:{path} gets a new volume; its data so far stays: "
                f"`docker volume rm {volume}` deletes it"
            )
        for other in action.late.containers if action.late else ():
            # It is looked up by this name, which must last until then.
            rename = RenameContainer.id_of(other)
            if rename in self._builder.actions:
                self._builder.add_needs(rename, created)
        self._created[service.name] |= created
        return created

    def _resource_needs(self, service: Service) -> Needs:
        """The actions that bring its images, networks and volumes."""
        image = service.image_name(self._definition.name)
        return frozenset(
            action.id
            for used, actions in (
                ({image, *other_images(service)}, self._images),
                (used_volumes(service), self._around.volumes),
                (used_networks(service), self._around.networks),
            )
            for key, action in actions.items()
            if key in used
        )

    def _recreate(self, service: Service, item: ContainerVerdict, waits: Needs) -> None:
        """Creates the new container, stops and removes the old one, renames and starts the new one."""
        old = item.container
        final = self._name(service, old.number)
        temporary = temporary_name(final, old.id)
        created = self._create(service, old.number, temporary, item.cause, replaces=old)
        stopped = self._stop(item, service, NOTHING if self._stops_early(old) else waits | created)
        needs = stopped | created | self._keep_volumes(old)
        removed = self._builder.add(remove_step(old, _REPLACED, volumes=False, needs=needs))
        for name, path in self._options.renewed_volumes:
            if name == service.name:
                superseded_steps(self._builder, self._up.observed, old, path, created)
        renamed = self._rename(service, temporary, final, _TAKES_NAME, frozenset({removed}))
        self._start(service, final, item.cause, waits | renamed)

    def _rename(
        self, service: Service, name: str, new_name: str, cause: Cause, needs: Needs = NOTHING
    ) -> Needs:
        rename = RenameContainer(
            target=name, new_name=new_name, cause=cause, service=service.name, needs=needs
        )
        return frozenset({self._builder.add(rename)})

    def _stops_early(self, container: ObservedContainer) -> bool:
        """A container on a network that is recreated cannot wait for its replacement."""
        recreated = {network_name(self._definition, key) for key in self._around.recreated}
        return not recreated.isdisjoint(container.networks)

    def _stop(self, item: ContainerVerdict, service: Service | None, needs: Needs) -> Needs:
        """Stops the container if it is active, after its `pre_stop` hooks."""
        if not item.container.is_active:
            return needs
        needs = self._builder.add_chain(pre_stop_steps(item.container, service), needs)
        stop = stop_step(item.container, service, item.cause, timeout=self._options.timeout)
        return frozenset({self._builder.add(replace(stop, needs=needs))})

    def _start(self, service: Service, name: str, cause: Cause, needs: Needs) -> None:
        if not self._options.start:
            return
        needs |= self._pre_start(service, name, needs)
        start = StartContainer(target=name, cause=cause, service=service.name, needs=needs)
        started = frozenset({self._builder.add(start)})
        started = self._builder.add_chain(post_start_steps(service, name), started)
        self._ready[service.name, STARTED] |= started
        self._await(service, name, cause, started)

    def _pre_start(self, service: Service, name: str, needs: Needs) -> Needs:
        """The service's `pre_start` hooks: once, before its first container, or before each of them."""
        prepared = self._prepared.get(service.name)
        if prepared is not None and not any(hook.per_replica for hook in service.pre_start):
            return prepared
        steps = pre_start_steps(
            self._definition,
            service,
            name,
            self._up.observed,
            self._creation.containers,
            self._options.wait_timeout,
        )
        self._prepared[service.name] = self._builder.add_chain(steps, needs) if service.pre_start else NOTHING
        return self._prepared[service.name]

    def _await(self, service: Service, name: str, cause: Cause, needs: Needs) -> None:
        waiting = {
            other.name: other.depends_on[service.name]
            for other in self._waiting
            if service.name in other.depends_on
        }
        first = await_step(
            self._definition, service, name, HEALTHY, cause, self._up.observed, self._options.wait_timeout
        )
        for step in await_steps(first, waiting, asked_for=service.name in self._options.services):
            self._ready[service.name, step.condition] |= {self._builder.add(replace(step, needs=needs))}
