"""Replaces a service's data with a snapshot."""

from __future__ import annotations

from invoke_devstack.errors import Interrupted
from invoke_devstack.events import Notice
from invoke_devstack.planning.bodies.mounts import volume_body
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plans.snapshots import Snapshot, check_fits, find_snapshot
from invoke_devstack.running import copy_container, unfinished
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import quiesce
from invoke_devstack.running.snapshots.common import (
    bring_up_again,
    definition_of,
    list_snapshots,
    observe_settled,
    reported,
    volumes_named,
)


def restore(session: Session, service: str, name: str) -> None:
    """Replaces the service's data with a snapshot, and starts what was running. The old data stays until the
    new data is complete. Raises UsageError for an unknown name."""
    with project_lock(session):
        observed = observe_settled(session)
        volumes = volumes_named(session, service)
        snapshot = find_snapshot(list_snapshots(session.engine, session.project), name, service)
        users = _restore(session, observed, snapshot, volumes)
    bring_up_again(session, users.services, ports="")


def fill(session: Session, snapshot: Snapshot) -> None:
    """Puts a snapshot, which may be another project's, into the volumes of the same service of this one.
    Starts nothing."""
    with project_lock(session):
        observed = observe_settled(session)
        _restore(session, observed, snapshot, volumes_named(session, snapshot.service))


def _restore(
    session: Session, observed: Observed, snapshot: Snapshot, volumes: dict[str, str]
) -> quiesce.Users:
    """Returns what used the volumes, and was stopped."""
    check_fits(snapshot, volumes)
    chosen = {key: volumes[key] for key in snapshot.volumes}
    _create_missing(session, observed, snapshot.service, chosen)
    users = quiesce.users_of(session, observed, chosen.values())
    _put_back(session, snapshot, chosen, users)
    return users


def _put_back(session: Session, snapshot: Snapshot, volumes: dict[str, str], users: quiesce.Users) -> None:
    quiesce.stop(session, users.services)
    try:
        with reported(session, "restore", snapshot.service, snapshot.name):
            _replace(session, snapshot, volumes)
    except BaseException:
        if unfinished.has_ended(session, session.project):
            quiesce.start_again(session, users)
        else:
            text = "the restore is not finished, so nothing is started; the next `invoke up` finishes it"
            session.emit(Notice(text=text, level="warning", service=snapshot.service))
        raise


def _replace(session: Session, snapshot: Snapshot, volumes: dict[str, str]) -> None:
    mark = unfinished.begin(session, unfinished.RESTORE, snapshot.service, volumes)
    try:
        copy_container.restore(session, snapshot, volumes, mark.name)
    except copy_container.CopyError as error:
        if error.undone:
            unfinished.end(session, mark)
            raise error.unchanged() from error
        if (result := unfinished.settle(session, mark)) != "new":
            raise (error.unchanged() if result == "old" else error) from error
    except Interrupted:
        _tell(session, snapshot, unfinished.settle(session, mark))
        raise
    else:
        unfinished.end(session, mark)


def _tell(session: Session, snapshot: Snapshot, result: str) -> None:
    """After a signal: which data is in place."""
    text = f"{snapshot.name} is in place" if result == "new" else "its data is unchanged"
    if result != "none":
        session.emit(Notice(text=text, service=snapshot.service))


def _create_missing(session: Session, observed: Observed, service: str, volumes: dict[str, str]) -> None:
    """Missing volumes (after `down --volumes`) are created as `up` would create them."""
    definition = definition_of(session, service)
    for key, name in volumes.items():
        if name not in observed.volumes and key in definition.volumes:
            body = volume_body(definition, key, definition.volumes[key])
            session.engine.create_volume(name, body)
