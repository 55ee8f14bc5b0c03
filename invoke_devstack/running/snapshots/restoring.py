"""Puts a snapshot back in place of a service's data."""

from __future__ import annotations

from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.snapshots import Snapshot, check_fits, find_snapshot
from invoke_devstack.planning.surroundings import volume_body
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import helper, holding
from invoke_devstack.running.snapshots.common import (
    announced,
    bring_back,
    definition_of,
    every,
    settled,
    volumes_named,
)


def restore(session: Session, service: str, name: str) -> None:
    """Puts the data of a snapshot in place of the service's, and starts again what ran. The old data stay
    until the new are complete. Raises UsageError for a name that is not there."""
    with project_lock(session):
        observed = settled(session)
        volumes = volumes_named(session, service)
        snapshot = find_snapshot(every(session.engine, session.project), name, service)
        check_fits(snapshot, volumes)
        chosen = {key: volumes[key] for key in snapshot.volumes}
        _make_missing(session, observed, service, chosen)
        users = holding.users_of(session, observed, chosen.values())
        _put_back(session, snapshot, chosen, users)
    bring_back(session, users.services, ports="")


def _put_back(session: Session, snapshot: Snapshot, volumes: dict[str, str], users: holding.Users) -> None:
    targets = {f"/to/{key}": name for key, name in volumes.items()}
    binds = {"/from": f"{snapshot.data_volume}:ro", **targets}
    words = ("restore", *volumes)
    holding.stop(session, users.services)
    try:
        with announced(session, "restore", snapshot.service, snapshot.name):
            helper.run(session, snapshot.service, helper.RESTORE, words, binds)
    except BaseException:
        holding.start_again(session, users)
        raise


def _make_missing(session: Session, observed: Observed, service: str, volumes: dict[str, str]) -> None:
    """Volumes that are not there (after `down --volumes`) are made as `up` would make them."""
    definition = definition_of(session, service)
    for key, name in volumes.items():
        if name not in observed.volumes and key in definition.volumes:
            body = volume_body(definition, key, definition.volumes[key])
            session.engine.create_volume(name, body)
