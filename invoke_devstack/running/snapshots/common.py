"""Shared by taking, restoring and resetting."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import ActionFailed, ActionFinished, ActionStarted
from invoke_devstack.planning.causes import CauseKind
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plans.snapshots import PROJECT, Snapshot, complete_snapshots, volumes_of
from invoke_devstack.planning.selection import activated
from invoke_devstack.running.executing.leftovers import end_leftovers
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.selection import find_service
from invoke_devstack.running.session import Session
from invoke_devstack.running.stack import up

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def list_snapshots(engine: Engine, project: str) -> tuple[Snapshot, ...]:
    """The project's complete snapshots, the oldest first."""
    return complete_snapshots(engine.list_volumes({"label": [f"{PROJECT}={project}"]}))


def observe_settled(session: Session) -> Observed:
    """What the engine has, after interrupted snapshots and restores have been ended."""
    observed = observe(session.definition, session.engine, inspect=True)
    if end_leftovers(session, observed):
        observed = observe(session.definition, session.engine, inspect=True)
    return observed


def definition_of(session: Session, service: str) -> Definition:
    """The definition with the service enabled, whatever its profiles."""
    return activated(session.definition, (service,))


def volumes_named(session: Session, service: str) -> dict[str, str]:
    """Key -> the engine's name of each volume of the service. Raises ServiceError if it has none."""
    return volumes_of(definition_of(session, service), find_service(session.definition, service))


def bring_up_again(session: Session, services: tuple[str, ...], *, ports: str) -> None:
    """Starts what was running, with the team's hooks: restored data may need their migrations."""
    known = session.definition.all_services
    wanted = tuple(name for name in services if name in known)
    if wanted:
        up.bring_up(session, UpOptions(services=wanted, ports=ports))


@contextmanager
def reported(session: Session, action: str, service: str, target: str) -> Iterator[list[str]]:
    """Emits the events of an action that the body carries out. What it adds to the list is the result's
    text."""
    began = time.monotonic()
    results: list[str] = []
    session.emit(
        ActionStarted(
            action=action, target=target, cause=action, cause_kind=CauseKind.COMMAND, service=service
        )
    )
    try:
        yield results
    except DevstackError as error:
        seconds = time.monotonic() - began
        session.emit(
            ActionFailed(action=action, target=target, seconds=seconds, error=error.message, service=service)
        )
        raise
    seconds = time.monotonic() - began
    session.emit(
        ActionFinished(
            action=action, target=target, seconds=seconds, service=service, text="; ".join(results)
        )
    )
