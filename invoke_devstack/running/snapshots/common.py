"""What taking, restoring and resetting share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import DevstackError
from invoke_devstack.events import ActionFailed, ActionFinished, ActionStarted
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.select import activated
from invoke_devstack.planning.snapshots import PROJECT, Snapshot, complete_snapshots, volumes_of
from invoke_devstack.running import up
from invoke_devstack.running.choosing import find_service
from invoke_devstack.running.leftovers import settle_leftovers
from invoke_devstack.running.observing import observe
from invoke_devstack.running.options import UpOptions
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import helper

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def every(engine: Engine, project: str) -> tuple[Snapshot, ...]:
    """The project's complete snapshots, the oldest first."""
    return complete_snapshots(engine.list_volumes({"label": [f"{PROJECT}={project}"]}))


def settled(session: Session) -> Observed:
    """What is on the engine, once the traces of killed snapshots and restores are cleared away."""
    observed = observe(session.definition, session.engine, inspect=True)
    if settle_leftovers(session, observed):
        observed = observe(session.definition, session.engine, inspect=True)
    helper.remove_half_snapshots(session)
    return observed


def definition_of(session: Session, service: str) -> Definition:
    """The definition with the service, of an active profile or not."""
    return activated(session.definition, (service,))


def volumes_named(session: Session, service: str) -> dict[str, str]:
    """Key -> the engine's name of the service's volumes. Raises ServiceError where it has none."""
    return volumes_of(definition_of(session, service), find_service(session.definition, service))


def bring_back(session: Session, services: tuple[str, ...], *, ports: str) -> None:
    """Starts what ran, with the team's hooks: data that came back may need their migrations."""
    known = {*session.definition.services, *session.definition.disabled_services}
    wanted = tuple(name for name in services if name in known)
    if wanted:
        up.bring_up(session, UpOptions(services=wanted, ports=ports))


@contextmanager
def announced(session: Session, action: str, service: str, target: str) -> Iterator[list[str]]:
    """Tells of the start and the end of what is done in it; the list takes a result worth a word."""
    began = time.monotonic()
    told: list[str] = []
    session.emit(ActionStarted(action=action, target=target, cause="asked for", service=service))
    try:
        yield told
    except DevstackError as error:
        seconds = time.monotonic() - began
        session.emit(
            ActionFailed(action=action, target=target, seconds=seconds, error=error.message, service=service)
        )
        raise
    seconds = time.monotonic() - began
    session.emit(
        ActionFinished(action=action, target=target, seconds=seconds, service=service, text="; ".join(told))
    )
