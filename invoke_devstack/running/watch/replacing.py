"""The turns of a watch that change containers: rebuild and restart."""

from __future__ import annotations

import time
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
from invoke_devstack.planning.options import UpOptions as PlanningOptions
from invoke_devstack.planning.rebuild import plan_build, plan_replace
from invoke_devstack.running import lifecycle
from invoke_devstack.running.executor import execute
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.up import planning_options

_ACTIONS = (ActionStarted, ActionProgress, ActionFinished, ActionFailed)


def rebuild(session: Session, service: str, paths: tuple[str, ...]) -> bool:
    """Builds the service's image while its containers go on, then replaces them, and nothing of what
    they depend on. Returns False when the build made the same image. Raises what the build or the new
    container fails with; a failed build leaves the old container running."""
    began = time.monotonic()
    quiet = _with_builds_only(session)
    cause = ", ".join(paths)
    execute(plan_build(session.definition, (service,), cause=cause), quiet)
    with project_lock(quiet):
        observed = observe(session.definition, session.engine)
        options: PlanningOptions = planning_options(
            session, UpOptions(services=(service,)), session.definition, observed, images_ready=True
        )
        plan = plan_replace(session.definition, observed, (service,), options)
        execute(plan, quiet)
    changed = len(plan) > 0
    if changed:
        session.emit(Rebuilt(service=service, seconds=time.monotonic() - began, paths=paths))
    return changed


def restart(session: Session, service: str) -> None:
    """Restarts the service's containers and waits until they are ready."""
    lifecycle.restart(_with_restarts_only(session), (service,))


def _with_builds_only(session: Session) -> Session:
    """A turn says what came of it in one line; of its actions only the build is worth watching."""

    def emit(event: Event) -> None:
        building = isinstance(event, _ACTIONS) and event.action == "build"
        if building or isinstance(event, Notice | Explained | LogBlock):
            session.emit(event)

    return replace(session, emit=emit, began=time.monotonic())


def _with_restarts_only(session: Session) -> Session:
    def emit(event: Event) -> None:
        restarting = isinstance(event, ActionFinished | ActionFailed) and event.action == "restart"
        if restarting or isinstance(event, Notice | Explained | LogBlock):
            session.emit(event)

    return replace(session, emit=emit, began=time.monotonic())
