"""Which images a `pull` gets and a `push` brings to a registry: each once, all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.planning.plan import Action, Plan, PullImage, PushImage
from invoke_devstack.planning.select import activated

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


def plan_pull(definition: Definition, services: tuple[str, ...]) -> Plan:
    """Gets the images of the services (all, if empty) anew; those that are built here are left out unless
    they are asked for."""

    def action(service: Service, image: str) -> Action | None:
        if service.build is not None and (not services or service.image is None):
            return None
        return PullImage(target=image, cause="pull", service=service.name, platform=service.platform or "")

    return _plan(definition, services, action)


def plan_push(definition: Definition, services: tuple[str, ...], *, tag: str = "") -> Plan:
    """Brings the images that are built here to their registry; under the name `tag`, if one is given.

    Raises UsageError for a service that was asked for and has no `build`, or no `image` to name the
    registry.
    """

    def action(service: Service, image: str) -> Action | None:
        if service.build is None or not (service.image or tag):
            _refuse_push(service, asked=service.name in services)
            return None
        return PushImage(target=tag or image, cause="push", service=service.name)

    return _plan(definition, services, action)


def _refuse_push(service: Service, *, asked: bool) -> None:
    if not asked:
        return
    if service.build is None:
        raise UsageError(
            f"`{service.name}` has no `build`: its image comes from a registry",
            hint="Only images that are built here are pushed.",
        )
    raise UsageError(
        f"`{service.name}` has no `image`, which would say where to push it",
        hint="Set `image: registry.example.com/name:tag` beside its `build`.",
    )


def _plan(
    definition: Definition, services: tuple[str, ...], make: Callable[[Service, str], Action | None]
) -> Plan:
    active = activated(definition, services)
    actions: dict[str, Action] = {}
    for name in services or tuple(active.services):
        service = active.services[name]
        action = make(service, service.image_name(active.name))
        if action is not None:
            actions.setdefault(action.target, action)
    return Plan(tuple(actions.values()), project=active.name)
