"""Gets the images of services from a registry, and brings them there; all at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from invoke_devstack.errors import UsageError
from invoke_devstack.events import Notice, PlanMade
from invoke_devstack.planning.plan import Action, Plan, PullImage, PushImage
from invoke_devstack.planning.select import activated
from invoke_devstack.running.executor import execute
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Service


def pull(session: Session, services: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Gets the images of the services (all, if empty) anew; those that are built here are left out
    unless they are asked for. Returns the images. Raises ImageUnavailableError."""

    def action(service: Service, image: str) -> Action | None:
        if service.build is not None and (not services or service.image is None):
            return None
        return PullImage(target=image, cause="pull", service=service.name, platform=service.platform or "")

    return _transfer(session, services, action, "nothing to pull: every image is built here")


def push(session: Session, services: tuple[str, ...] = (), *, tag: str = "") -> tuple[str, ...]:
    """Brings the images that are built here to their registry; under the name `tag`, if one is given.
    Returns the images.

    Raises UsageError for a service that was asked for and has no `build`, or no `image` to name the
    registry.
    """

    def action(service: Service, image: str) -> Action | None:
        if service.build is None or not (service.image or tag):
            _refuse_push(service, asked=service.name in services)
            return None
        return PushImage(target=tag or image, cause="push", service=service.name)

    nothing = "nothing to push: no service has an `image` beside its `build`, which would say where to"
    return _transfer(session, services, action, nothing)


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


def _transfer(
    session: Session,
    services: tuple[str, ...],
    make: Callable[[Service, str], Action | None],
    nothing: str,
) -> tuple[str, ...]:
    definition = activated(session.definition, services)
    actions: dict[str, Action] = {}
    for name in services or tuple(definition.services):
        service = definition.services[name]
        action = make(service, service.image_name(definition.name))
        if action is not None:
            actions.setdefault(action.target, action)
    plan = Plan(tuple(actions.values()), project=definition.name)
    if not actions:
        session.emit(Notice(text=nothing))
        return ()
    names = tuple(action.service for action in plan)
    session.emit(PlanMade(project=session.project, services=names, lines=plan.lines()))
    execute(plan, session)
    return tuple(actions)
