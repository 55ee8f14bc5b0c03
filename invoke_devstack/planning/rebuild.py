"""One turn of the watch: an image is built while the old container runs, then the container is replaced.

Two plans, because what comes second depends on what the build makes: `plan_build`, and after another
observation `plan_replace`. A build that changes nothing leaves the second one empty.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from invoke_devstack.planning.graph import bound_to
from invoke_devstack.planning.images import BuildFlags, build_action, with_build_order
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import UpOptions
from invoke_devstack.planning.plan import Action, CreateContainer, Plan, RemoveContainer, RemoveImage
from invoke_devstack.planning.select import check_names
from invoke_devstack.planning.up import plan_up

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def plan_build(
    definition: Definition, services: Iterable[str], flags: BuildFlags | None = None, *, cause: str = "build"
) -> Plan:
    """Builds the images of those of `services` (none: all) that have a `build`, at once. An image that
    several of them share is built once. Raises UsageError for an unknown service."""
    names = tuple(services) or tuple(definition.services)
    check_names(names, definition.services)
    actions: dict[str, Action] = {}
    for name in names:
        service = definition.services[name]
        if service.build is not None:
            action = build_action(definition, service, cause, flags)
            actions.setdefault(action.target, action)
    ordered = with_build_order(actions)
    return Plan(tuple(ordered.values()), project=definition.name, replan=True)


def plan_replace(
    definition: Definition, observed: Observed, services: Iterable[str], options: UpOptions
) -> Plan:
    """Replaces the containers of `services` whose image (or definition) changed, and of nothing that they
    depend on. Dependents follow where `depends_on.restart` says so, or where they live in the container
    that is replaced. Anonymous volumes are renewed; images that were superseded are removed."""
    names = tuple(services)
    check_names(names, definition.services)
    running = {item.service for item in observed.containers if item.state == "running" and not item.oneoff}
    followers = tuple(name for name in _followers(definition, names) if name in running)
    plan = plan_up(
        definition,
        observed,
        replace(
            options,
            services=(*names, *followers),
            dependencies=False,
            images_ready=True,
            build=False,
            renew_volumes=True,
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


def _followers(definition: Definition, names: tuple[str, ...]) -> tuple[str, ...]:
    """The services that are replaced or restarted with one of `names`, however far."""
    found = list(names)
    for name in found:
        for other, service in definition.services.items():
            dependency = service.depends_on.get(name)
            follows = name in bound_to(service) or (dependency and dependency.restart and name in names)
            if follows and other not in found:
                found.append(other)
    return tuple(found[len(names) :])


def _superseded(observed: Observed, plan: Plan) -> tuple[Action, ...]:
    """Removes each image that only the replaced containers used, once the last of them is gone."""
    removed = {action.target: action.id for action in plan if isinstance(action, RemoveContainer)}
    made = {action.service for action in plan if isinstance(action, CreateContainer)}
    kept = {item.image_id for item in observed.containers if item.name not in removed}
    kept |= {image.id for image in observed.images.values()}
    users: dict[str, list[str]] = {}
    for item in observed.containers:
        if item.name in removed and item.service in made and item.image_id and item.image_id not in kept:
            users.setdefault(item.image_id, []).append(removed[item.name])
    return tuple(
        RemoveImage(target=image, cause="superseded", needs=frozenset(needs), only_untagged=True)
        for image, needs in sorted(users.items())
    )
