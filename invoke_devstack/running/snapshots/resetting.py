"""Empties the volumes of services, after a snapshot of each."""

from __future__ import annotations

from datetime import datetime

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.snapshots import Snapshot
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import holding
from invoke_devstack.running.snapshots.common import bring_back, settled, volumes_named
from invoke_devstack.running.snapshots.taking import take_settled


def reset(session: Session, services: tuple[str, ...]) -> tuple[Snapshot, ...]:
    """Takes a snapshot of each of `services` (see `resettable`), removes their volumes, and brings up again
    what ran: on empty volumes, with the hooks after each service that fill them. Returns the snapshots."""
    with project_lock(session):
        observed = settled(session)
        volumes = {name: _own_volumes(session, observed, name, asked=True) for name in services}
        doomed = {name for found in volumes.values() for name in found.values()}
        users = holding.users_of(session, observed, doomed)
        holding.stop(session, users.services)
        try:
            taken = tuple(_take_before_reset(session, name) for name, found in volumes.items() if found)
        except BaseException:
            holding.start_again(session, users)
            raise
        _remove_volumes(session, observed, doomed)
    remapped = any(label.PORTS in item.labels for item in observed.containers)
    bring_back(session, users.services, ports="auto" if remapped else "")
    return taken


def resettable(session: Session, services: tuple[str, ...]) -> tuple[str, ...]:
    """The services that a reset is about: the named ones, else all that have named volumes with data of
    the project's own. Raises what `reset` raises for them."""
    observed = observe(session.definition, session.engine)
    names = services or tuple(
        name
        for name, service in session.definition.services.items()
        if any(mount.type == "volume" and mount.source for mount in service.volumes)
    )
    return tuple(name for name in names if _own_volumes(session, observed, name, asked=bool(services)))


def _own_volumes(session: Session, observed: Observed, service: str, *, asked: bool) -> dict[str, str]:
    """The service's volumes that are there and the project's own; an external one is not ours to empty."""
    there = {key: name for key, name in volumes_named(session, service).items() if name in observed.volumes}
    own = {
        key: name
        for key, name in there.items()
        if observed.volumes[name].labels.get(label.PROJECT) == session.project
    }
    strangers = [name for name in there.values() if name not in own.values()]
    if strangers and asked:
        raise DevstackError(
            f"the volume {strangers[0]} of `{service}` is not this project's, so it is not emptied",
            hint=f"If its data may go: `docker volume rm {strangers[0]}`.",
        )
    return own


def _take_before_reset(session: Session, service: str) -> Snapshot:
    observed = observe(session.definition, session.engine, inspect=True)
    name = datetime.now().strftime("before-reset-%Y%m%d-%H%M%S")
    return take_settled(session, observed, service, name)


def _remove_volumes(session: Session, observed: Observed, volumes: set[str]) -> None:
    """With the containers that mount them: they are made anew, as the files of an image go into a new
    volume only when its container is made."""
    session.interrupt.check()
    for item in observed.containers:
        if volumes & {mount.name for mount in item.mounts}:
            session.engine.remove_container(item.id, force=True)
    for name in sorted(volumes):
        session.engine.remove_volume(name)
