"""What a watch does to containers: rebuild and restart."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from invoke_devstack.events import (
    ActionFailed,
    ActionFinished,
    ActionProgress,
    ActionStarted,
    Event,
    Explained,
    LogBlock,
    Notice,
    Rebuilt,
)
from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.options import PlanningOptions
from invoke_devstack.planning.plans.rebuild import looked_into, plan_build, plan_replace, renewable_paths
from invoke_devstack.running.executing.executor import execute
from invoke_devstack.running.executing.leftovers import end_leftovers
from invoke_devstack.running.images.contents import paths_with_content
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import lifecycle
from invoke_devstack.running.stack.up import planning_options

_BUILD_EVENTS = (ActionStarted, ActionProgress, ActionFinished, ActionFailed)


def rebuild(session: Session, service: str, paths: tuple[str, ...]) -> bool:
    """Builds the service's image while its containers keep running, then recreates them, but not their
    dependencies. `paths` are the reason. Returns False if the image is the same as before. Raises the error
    of the build or of the new container; a failed build leaves the old container running."""
    began = time.monotonic()
    # `Rebuilt` says the result in one line; of the actions only the progress of the build is shown.
    quiet = _showing(session, lambda event: isinstance(event, _BUILD_EVENTS) and event.action == "build")
    cause = Cause(CauseKind.FILES, ", ".join(paths))
    execute(plan_build(session.definition, (service,), cause=cause), quiet)
    with project_lock(quiet):
        observed = observe(session.definition, session.engine)
        if end_leftovers(session, observed):
            observed = observe(session.definition, session.engine)
        options: PlanningOptions = planning_options(
            session, UpOptions(services=(service,)), session.definition, observed, images_ready=True
        )
        renewed = _paths_to_renew(session, observed, service)
        options = replace(options, renewed_volumes=frozenset((service, path) for path in renewed))
        plan = plan_replace(session.definition, observed, (service,), options)
        execute(plan, quiet)
    _tell_renewed(session, observed, service, renewed)
    changed = len(plan) > 0
    if changed:
        session.emit(Rebuilt(service=service, seconds=time.monotonic() - began, paths=paths))
    return changed


def _paths_to_renew(session: Session, observed: Observed, service: str) -> frozenset[str]:
    """The anonymous volumes that the new image has content for, such as `node_modules`: what the old one put
    there would hide it. All others have only what the service wrote, and stay."""
    paths = renewable_paths(session.definition, observed, service)
    if not paths:
        return frozenset()
    return paths_with_content(session.engine, looked_into(session.definition, service), paths)


def _tell_renewed(session: Session, observed: Observed, service: str, paths: frozenset[str]) -> None:
    for container in observed.of_service(service):
        for mount in container.mounts:
            if mount.type == "volume" and mount.target in paths:
                text = (
                    f"{mount.target} has the content of the new image;"
                    f" until the next rebuild, volume {mount.name} keeps what was there"
                )
                session.emit(Notice(text=text, service=service))


def restart(session: Session, service: str) -> None:
    """Restarts the service's containers and waits until they are ready."""
    lifecycle.restart(_with_restarts_only(session), (service,))


def _with_restarts_only(session: Session) -> Session:
    return _showing(
        session, lambda event: isinstance(event, ActionFinished | ActionFailed) and event.action == "restart"
    )


def _showing(session: Session, is_shown: Callable[[Event], bool]) -> Session:
    def emit(event: Event) -> None:
        if isinstance(event, Notice | Explained | LogBlock) or is_shown(event):
            session.emit(event)

    return replace(session, emit=emit, began=time.monotonic())
