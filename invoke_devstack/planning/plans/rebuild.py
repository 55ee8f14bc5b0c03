"""A rebuild by the watch: the image is built while the old container runs, then the container is replaced.

Two plans, because the second depends on the result of the build: `plan_build`, and after another
observation `plan_replace`, which is empty if the image did not change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.anonymous_volumes import anonymous_paths
from invoke_devstack.planning.causes import Cause, CauseKind, by_command
from invoke_devstack.planning.graph import bound_to, closure
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import BuildFlags, PlanningOptions
from invoke_devstack.planning.plan import Action, CreateContainer, Plan, RemoveContainer, RemoveImage
from invoke_devstack.planning.plans.images import build_action, built_before, with_build_order
from invoke_devstack.planning.plans.up import plan_up
from invoke_devstack.planning.selection import check_names

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_BUILD = by_command("build")
_SUPERSEDED = Cause(CauseKind.IMAGE, "replaced by a newer image")


def plan_build(
    definition: Definition,
    services: Iterable[str],
    flags: BuildFlags | None = None,
    *,
    cause: Cause = _BUILD,
) -> Plan:
    """Builds the images of `services` (all, if empty) that have a `build`, and those that their builds use,
    in parallel. An image that several share is built once. Raises UsageError for an unknown service."""
    names = tuple(services) or tuple(definition.services)
    check_names(names, definition.services)
    everything = definition.all_services
    of_base = replace(flags, tag="", target="") if flags else None
    actions: dict[str, Action] = {}
    for name in closure(names, lambda name: built_before(definition, everything[name])):
        if everything[name].build is not None:
            own = flags if name in names else of_base
            action = build_action(definition, everything[name], cause, own)
            actions.setdefault(action.target, action)
    ordered = with_build_order(actions)
    return Plan(tuple(ordered.values()), project=definition.name, replan=True)


def plan_replace(
    definition: Definition, observed: Observed, services: Iterable[str], options: PlanningOptions
) -> Plan:
    """Replaces the containers of `services` whose image or definition changed, but not those of their
    dependencies. Dependents follow if `depends_on.restart` says so, or if they share the replaced container.
    Images that nothing uses any more are removed. `options.renewed_volumes` says which anonymous volumes are
    filled from the new image: `renewable_paths` of which it has content."""
    names = tuple(services)
    check_names(names, definition.services)
    running = {item.service for item in observed.containers if item.is_running and not item.oneoff}
    followers = tuple(name for name in _followers(definition, names) if name in running)
    plan = plan_up(
        definition,
        observed,
        replace(
            options,
            services=(*names, *followers),
            dependencies="settle",
            images_ready=True,
            build=False,
        ),
    )
    removals = _superseded(observed, plan)
    if not removals:
        return plan
    return Plan(
        (*plan, *removals),
        project=plan.project,
        unchanged=plan.unchanged,
        orphans=plan.orphans,
        notices=plan.notices,
    )


def renewable_paths(definition: Definition, observed: Observed, service: str) -> tuple[str, ...]:
    """The paths of the service's anonymous volumes whose content may come from its image."""
    found = definition.services[service]
    image = observed.images.get(found.image_name(definition.name))
    replaced = any(image and item.image_id != image.id for item in observed.of_service(service))
    return tuple(sorted(anonymous_paths(found, image))) if replaced else ()


def looked_into(definition: Definition, service: str) -> CreateContainer:
    """A container of the service's image that is never started. Its labels make it a one-off one that only
    copies, so that the next command removes it if we are killed."""
    return CreateContainer(
        target=f"{definition.name}-{service}-content",
        cause=_BUILD,
        service=service,
        body={
            "Image": definition.services[service].image_name(definition.name),
            "Cmd": ["-"],  # the engine needs some command
            "Labels": {
                **labels.project_labels(definition, service, oneoff=True),
                labels.COPY_CONTAINER: "look",
            },
            "HostConfig": {"NetworkMode": "none"},
        },
    )


def _followers(definition: Definition, names: tuple[str, ...]) -> tuple[str, ...]:
    """The services that are replaced or restarted with one of `names`, directly or not."""

    def following(name: str) -> Iterable[str]:
        for other, service in definition.services.items():
            dependency = service.depends_on.get(name)
            if name in bound_to(service) or (dependency and dependency.restart and name in names):
                yield other

    return tuple(name for name in closure(names, following) if name not in names)


def _superseded(observed: Observed, plan: Plan) -> tuple[Action, ...]:
    """Removes each image that only replaced containers used, once the last of them is gone."""
    removed = {action.target: action.id for action in plan if isinstance(action, RemoveContainer)}
    made = {action.service for action in plan if isinstance(action, CreateContainer)}
    kept = {item.image_id for item in observed.containers if item.name not in removed}
    kept |= {image.id for image in observed.images.values()}
    users: dict[str, list[str]] = {}
    for item in observed.containers:
        if item.name in removed and item.service in made and item.image_id and item.image_id not in kept:
            users.setdefault(item.image_id, []).append(removed[item.name])
    return tuple(
        RemoveImage(target=image, cause=_SUPERSEDED, needs=frozenset(needs), only_untagged=True)
        for image, needs in sorted(users.items())
    )
