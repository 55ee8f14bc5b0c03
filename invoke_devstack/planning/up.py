"""Definition + Observed -> the plan that brings a stack up, and nothing more than that.

Everything that can run at once does: images, networks and volumes; then all containers are made; then
each starts as soon as what it waits for is ready. A container that is replaced goes on until its
successor is made and what that waits for is ready.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from invoke_devstack.planning.creation import Creation
from invoke_devstack.planning.graph import dependencies, in_order, sharing, with_dependencies
from invoke_devstack.planning.images import image_actions, other_images
from invoke_devstack.planning.judge import (
    LEFT_OVER,
    Judged,
    Scene,
    Verdict,
    has_to_stop,
    judge,
    restarted_with,
)
from invoke_devstack.planning.names import container_name, temporary_name
from invoke_devstack.planning.networks import network_name
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.options import UpOptions
from invoke_devstack.planning.plan import (
    Action,
    Plan,
    RenameContainer,
    StartContainer,
    UnpauseContainer,
)
from invoke_devstack.planning.prestart import pre_start_steps
from invoke_devstack.planning.select import activated
from invoke_devstack.planning.steps import (
    Draft,
    await_step,
    command_steps,
    hook_step,
    inherited_volume_steps,
    remove_step,
    stop_step,
    with_hooks,
)
from invoke_devstack.planning.surroundings import Surroundings, remove_network, surroundings
from invoke_devstack.planning.yielding import give_way

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_STARTED: Final = "service_started"
_HEALTHY: Final = "service_healthy"
_COMPLETED: Final = "service_completed_successfully"
_CONDITIONS = (_STARTED, _HEALTHY, _COMPLETED)

Needs = frozenset[str]
_NOTHING: Needs = frozenset()


def plan_up(definition: Definition, observed: Observed, options: UpOptions) -> Plan:
    """What brings `options.services` (all, if empty) and what they depend on up.

    With `replan` in the result, the images come first: carry it out, observe again, and plan again with
    `images_ready`. Raises UsageError for an unknown service, DefinitionError for a cycle, DevstackError
    for an external network or volume that is not there, ImageUnavailableError for an image that may not
    be pulled, EngineError for what the engine is too old for.
    """
    definition = activated(definition, options.services)
    names = selected_services(definition, options)
    images = image_actions(definition, names, observed, options)
    orphans = orphans_of(definition, observed)
    pending = _pending(definition, names, observed, images)
    if pending and not options.images_ready:
        return Plan(
            tuple(_with_consequence(definition, action, pending) for action in images.values()),
            project=definition.name,
            orphans=tuple(item.name for item in orphans),
            replan=True,
        )
    return _Up(definition, observed, options, names, images, orphans).plan()


def selected_services(definition: Definition, options: UpOptions) -> tuple[str, ...]:
    """The services that a command is about, dependencies first."""
    asked = options.services or tuple(definition.services)
    names = with_dependencies(definition.services, asked) if options.dependencies else frozenset(asked)
    services = {name: definition.services[name] for name in names}
    # A service that another program provides has no containers, and nobody waits for it.
    own = {name: service for name, service in services.items() if service.provider is None}
    return in_order({name: dependencies(service) for name, service in own.items()})


def orphans_of(definition: Definition, observed: Observed) -> tuple[ObservedContainer, ...]:
    """Containers of services that the definition does not have."""
    known = {*definition.services, *definition.disabled_services}
    return tuple(item for item in observed.containers if item.service not in known and not item.oneoff)


def _pending(
    definition: Definition, names: tuple[str, ...], observed: Observed, images: dict[str, Action]
) -> tuple[str, ...]:
    """Services with containers whose fate depends on an image that is yet to come."""
    return tuple(
        name
        for name in names
        if definition.services[name].image_name(definition.name) in images and observed.of_service(name)
    )


def _with_consequence(definition: Definition, action: Action, pending: tuple[str, ...]) -> Action:
    """The action of an image, with who is made anew if the image turns out to be another."""
    services = [
        name for name in pending if definition.services[name].image_name(definition.name) == action.target
    ]
    if not services:
        return action
    verb = "is" if len(services) == 1 else "are"
    return replace(action, cause=f"{action.cause}; if it changes, {' and '.join(services)} {verb} made anew")


class _Up:
    """One plan in the making. `ready` is (service, condition) -> the actions that bring it about."""

    def __init__(
        self,
        definition: Definition,
        observed: Observed,
        options: UpOptions,
        names: tuple[str, ...],
        images: dict[str, Action],
        orphans: tuple[ObservedContainer, ...],
    ) -> None:
        self.definition = definition
        self.observed = observed
        self.options = options
        self.names = names
        self.images = images
        self.draft = Draft()
        self.ready: dict[tuple[str, str], Needs] = {}
        self.created: dict[str, Needs] = {}
        self.prepared: dict[str, Needs] = {}
        self.containers: dict[str, str] = {}
        leaving = frozenset(item.name for item in orphans) if options.remove_orphans else frozenset[str]()
        self.orphans = orphans
        self.around: Surroundings = surroundings(definition, self._services(), observed, leaving)
        self.scene = Scene(definition, observed, options, self.around.remade)
        self.creation = Creation(
            definition, observed, options, self.containers, self.scene.ids, frozenset(images)
        )

    def _services(self) -> tuple[Service, ...]:
        return tuple(self.definition.services[name] for name in self.names)

    def plan(self) -> Plan:
        self._judge_all()
        for action in (*self.images.values(), *self.around.volumes.values()):
            self.draft.add(action)
        self._remake_networks()
        for name in self.names:
            self._add_service(self.definition.services[name], self.scene.verdicts[name])
        leaving = self._remove_orphans()
        give_way(self.draft, self.scene, self.names, leaving)
        verdicts = self.scene.verdicts
        return Plan(
            with_hooks(self.draft, "up", self.options.hooks, self.options.always_hooks),
            project=self.definition.name,
            unchanged=tuple(name for name in self.names if verdicts[name].settled),
            done=tuple(name for name in self.names if verdicts[name].done),
            orphans=() if self.options.remove_orphans else tuple(item.name for item in self.orphans),
            notices=self.around.notices,
        )

    def _remove_orphans(self) -> tuple[ObservedContainer, ...]:
        """Returns those that go."""
        leaving = self.orphans if self.options.remove_orphans else ()
        for item in leaving:
            self._remove(Judged(item, "remove", "its service is not in the definition"), None)
        return leaving

    def _judge_all(self) -> None:
        scene = self.scene
        for name in self.definition.services:
            first = next(iter(self.observed.of_service(name)), None)
            if first:
                scene.ids[name] = self.containers[name] = first.id
        for name in self.names:
            service = self.definition.services[name]
            scene.ids.pop(name, None)
            verdict = restarted_with(scene, service, judge(scene, service))
            scene.verdicts[name] = verdict
            self._note_container(service, verdict)

    def _note_container(self, service: Service, verdict: Verdict) -> None:
        """Which container stands for the service in `service:x`: its first."""
        self.containers.pop(service.name, None)
        first = next((item for item in verdict.containers if item.act != "remove"), None)
        if first and first.act == "recreate":
            self.containers[service.name] = self._successor_name(service, first.container)
        elif first:
            self.scene.ids[service.name] = self.containers[service.name] = first.container.id
        elif verdict.added:
            self.containers[service.name] = self._name(service, verdict.added[0])

    def _name(self, service: Service, number: int) -> str:
        return container_name(self.definition.name, service, number)

    def _successor_name(self, service: Service, old: ObservedContainer) -> str:
        return temporary_name(self._name(service, old.number), old.id)

    def _remake_networks(self) -> None:
        """A network that changed is removed once the containers on it have stopped, and made again."""
        for key, action in self.around.networks.items():
            if key not in self.around.remade:
                self.draft.add(action)
                continue
            stops = {
                f"stop {item.container.name}"
                for verdict in self.scene.verdicts.values()
                for item in verdict.containers
                if item.act in ("recreate", "remove")
                and action.target in item.container.networks
                and has_to_stop(item.container)
            }
            stops |= {
                f"stop {item.name}"
                for item in self.orphans
                if action.target in item.networks and has_to_stop(item)
            }
            removed = self.draft.add(remove_network(action.target, frozenset(stops)))
            self.draft.add(replace(action, needs=action.needs | {removed}))

    def _add_service(self, service: Service, verdict: Verdict) -> None:
        waits = self._dependency_needs(service)
        if self._has_hook("before", service.name, verdict):
            waits |= {self.draft.add(hook_step("before", service.name, waits, service.name))}
        for condition in (_STARTED, _HEALTHY, _COMPLETED):
            self.ready[service.name, condition] = _NOTHING
        self.created[service.name] = _NOTHING
        for item in verdict.containers:
            self._add_existing(service, item, waits)
        for number in verdict.added:
            name = self._name(service, number)
            created = self._create(service, number, name, verdict.added_cause)
            self._start(service, name, verdict.added_cause, waits | created)
        if self._has_hook("after", service.name, verdict):
            needs = _NOTHING.union(*(self.ready[service.name, condition] for condition in _CONDITIONS))
            after = frozenset(
                {self.draft.add(hook_step("after", service.name, needs or waits, service.name))}
            )
            for condition in _CONDITIONS:
                self.ready[service.name, condition] = after

    def _has_hook(self, when: str, name: str, verdict: Verdict) -> bool:
        hook = f"{when} {name}"
        return hook in self.options.always_hooks or (verdict.changed and hook in self.options.hooks)

    def _add_existing(self, service: Service, item: Judged, waits: Needs) -> None:
        container = item.container
        match item.act:
            case "recreate":
                self._recreate(service, item, waits)
            case "remove":
                self._remove(item, service)
            case "rename":
                final = self._name(service, container.number)
                rename = RenameContainer(
                    target=container.name, new_name=final, cause=item.cause, service=service.name
                )
                self._start(service, final, item.cause, waits | {self.draft.add(rename)})
            case "start":
                self._start(service, container.name, item.cause, waits)
            case "restart":
                stop = self.draft.add(stop_step(container, service, item.cause))
                self._start(service, container.name, item.cause, waits | {stop})
            case "unpause":
                unpause = UnpauseContainer(target=container.name, cause=item.cause, service=service.name)
                self._await(service, container.name, item.cause, frozenset({self.draft.add(unpause)}))
            case "await":
                self._await(service, container.name, item.cause, _NOTHING)

    def _dependency_needs(self, service: Service) -> Needs:
        needs = _NOTHING
        for name in dependencies(service):
            dependency = service.depends_on.get(name)
            condition = dependency.condition if dependency else _STARTED
            needs |= self.ready.get((name, condition), _NOTHING)
        return needs

    def _create(
        self, service: Service, number: int, name: str, cause: str, replaces: ObservedContainer | None = None
    ) -> Needs:
        action = self.creation.step(service, number, name, replaces=replaces)
        needs = self._surrounding_needs(service).union(
            *(self.created.get(other, ()) for other in sharing(service))
        )
        created = frozenset({self.draft.add(replace(action, cause=cause, needs=needs))})
        for other in action.late.containers if action.late else ():
            # The name under which it is looked up must last until then.
            if f"rename {other}" in self.draft.actions:
                self.draft.needs_more(f"rename {other}", created)
        self.created[service.name] |= created
        return created

    def _surrounding_needs(self, service: Service) -> Needs:
        images = {service.image_name(self.definition.name)}
        images |= set(other_images(service))
        volumes = {mount.source for mount in service.volumes if mount.type == "volume"}
        networks = set() if service.network_mode else set(service.networks) or {"default"}
        return frozenset(
            action.id
            for wanted, actions in (
                (images, self.images),
                (volumes, self.around.volumes),
                (networks, self.around.networks),
            )
            for key, action in actions.items()
            if key in wanted
        )

    def _recreate(self, service: Service, item: Judged, waits: Needs) -> None:
        """Successor made, old one stopped and removed, successor renamed and started."""
        old = item.container
        temporary, final = self._successor_name(service, old), self._name(service, old.number)
        created = self._create(service, old.number, temporary, item.cause, replaces=old)
        gone = self._stop(item, service, _NOTHING if self._stops_early(old) else waits | created)
        removal = remove_step(old, "its successor is made", volumes=self.options.renew_volumes)
        removed = self.draft.add(replace(removal, needs=gone | created))
        if self.options.renew_volumes:
            self._drop_inherited(old, removed)
        rename = RenameContainer(
            target=temporary,
            new_name=final,
            cause="the old one is gone",
            service=service.name,
            needs=frozenset({removed}),
        )
        self._start(service, final, item.cause, waits | {self.draft.add(rename)})

    def _stops_early(self, container: ObservedContainer) -> bool:
        """A container on a network that is made anew cannot wait for its successor."""
        remade = {network_name(self.definition, key) for key in self.around.remade}
        return not remade.isdisjoint(container.networks)

    def _stop(self, item: Judged, service: Service | None, needs: Needs) -> Needs:
        """Stops the container if it runs, after its `pre_stop` hooks."""
        container = item.container
        if not has_to_stop(container):
            return needs
        if service and container.state == "running":
            steps = command_steps(service.pre_stop, "pre_stop", container.name, service.name, optional=True)
            needs = self.draft.add_all(steps, needs)
        stop = stop_step(container, service, item.cause)
        return frozenset({self.draft.add(replace(stop, needs=needs))})

    def _remove(self, item: Judged, service: Service | None) -> None:
        stopped = self._stop(item, service, _NOTHING)
        # What an interrupted command left over may share its anonymous volumes with the one that stays.
        left_over = item.cause == LEFT_OVER
        removal = remove_step(item.container, item.cause, volumes=not left_over)
        removed = self.draft.add(replace(removal, needs=stopped))
        if not left_over:
            self._drop_inherited(item.container, removed)

    def _drop_inherited(self, container: ObservedContainer, removed: str) -> None:
        for step in inherited_volume_steps(container, removed):
            self.draft.add(step)

    def _start(self, service: Service, name: str, cause: str, needs: Needs) -> None:
        needs |= self._pre_start(service, name, needs)
        start = StartContainer(target=name, cause=cause, service=service.name, needs=needs)
        started = frozenset({self.draft.add(start)})
        started = self.draft.add_all(
            command_steps(service.post_start, "post_start", name, service.name), started
        )
        self.ready[service.name, _STARTED] |= started
        self._await(service, name, cause, started)

    def _pre_start(self, service: Service, name: str, needs: Needs) -> Needs:
        """The service's `pre_start` hooks, once, in the first container's company, or for each of them."""
        prepared = self.prepared.get(service.name)
        if prepared is not None and not any(hook.per_replica for hook in service.pre_start):
            return prepared
        steps = pre_start_steps(
            self.definition, service, name, self.observed, self.containers, self.options.wait_timeout
        )
        self.prepared[service.name] = self.draft.add_all(steps, needs) if service.pre_start else _NOTHING
        return self.prepared[service.name]

    def _await(self, service: Service, name: str, cause: str, needs: Needs) -> None:
        """Waits as those who depend on it ask, and in any case until it is ready or done."""
        waiting = {
            other.name: other.depends_on[service.name]
            for other in self._services()
            if service.name in other.depends_on
        }
        conditions = {dependency.condition for dependency in waiting.values()} & {_HEALTHY, _COMPLETED}
        optional = bool(waiting) and not any(dependency.required for dependency in waiting.values())
        for condition in conditions or {_HEALTHY}:
            step = await_step(
                self.definition, service, name, condition, cause, self.observed, self.options.wait_timeout
            )
            step = replace(
                step,
                needs=needs,
                waited_for_by=tuple(sorted(waiting)),
                optional=optional and service.name not in self.options.services,
            )
            self.ready[service.name, condition] |= {self.draft.add(step)}
