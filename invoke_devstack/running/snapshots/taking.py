"""Takes a snapshot of a service's volumes, and removes one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.snapshots import Snapshot, check_name, find_snapshot
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import helper, holding
from invoke_devstack.running.snapshots.common import announced, every, settled, volumes_named


def take(session: Session, service: str, name: str = "") -> Snapshot:
    """Copies the service's named volumes, while it is stopped, into a new snapshot; by default it is called
    by the time. Raises UsageError for a name that is taken, DevstackError for data that are not there."""
    with project_lock(session):
        observed = settled(session)
        return take_settled(session, observed, service, name)


def take_settled(session: Session, observed: Observed, service: str, name: str) -> Snapshot:
    """The same while the project is locked and `settled`."""
    volumes = volumes_named(session, service)
    snapshot = new_snapshot(session, service, name, volumes)
    _check_there(observed, service, volumes.values())
    users = holding.users_of(session, observed, volumes.values())
    with holding.held_still(session, users), announced(session, "snapshot", service, snapshot.name) as told:
        made = _copy(session, snapshot, volumes)
        told.append(f"{made.size / 1e6:.1f} MB")
    return made


def new_snapshot(session: Session, service: str, name: str, volumes: Iterable[str]) -> Snapshot:
    """One that is not there yet. Raises UsageError where its name is taken."""
    now = datetime.now(UTC)
    snapshot = Snapshot(
        session.project,
        service,
        check_name(name) if name else now.astimezone().strftime("%Y%m%d-%H%M%S"),
        tuple(volumes),
        now.isoformat(timespec="milliseconds"),
    )
    taken = {snapshot.data_volume, snapshot.mark_volume}
    for entry in session.engine.list_volumes({"name": [f"{session.project}.snapshot"]}):
        if entry["Name"] in taken:
            raise UsageError(
                f"there is a snapshot `{snapshot.name}` of {service} already",
                hint=f"Take another name, or remove that one: `invoke snapshots.rm {snapshot.name}`.",
            )
    return snapshot


def _check_there(observed: Observed, service: str, volumes: Iterable[str]) -> None:
    for name in volumes:
        if name not in observed.volumes:
            raise DevstackError(
                f"`{service}` has no data yet: the volume {name} is not there",
                hint=f"`invoke up -s {service}` makes it.",
            )


def _copy(session: Session, snapshot: Snapshot, volumes: dict[str, str]) -> Snapshot:
    engine = session.engine
    engine.create_volume(snapshot.data_volume, snapshot.data_body())
    binds = {"/to": snapshot.data_volume, **{f"/from/{key}": f"{name}:ro" for key, name in volumes.items()}}
    try:
        output = helper.run(session, snapshot.service, helper.COPY, (), binds)
    except BaseException:
        helper.remove_half_snapshots(session)
        raise
    return complete(session, snapshot, _bytes_in(output))


def complete(session: Session, snapshot: Snapshot, size: int) -> Snapshot:
    """Marks it as whole: from now on it is offered."""
    whole = replace(snapshot, size=max(size, 1))
    session.engine.create_volume(whole.mark_volume, whole.mark_body())
    return whole


def _bytes_in(output: str) -> int:
    found = re.search(r"^bytes (\d+)$", output, re.MULTILINE)
    return int(found[1]) if found else 0


def remove(session: Session, name: str, service: str = "") -> Snapshot:
    """Removes a snapshot: first its mark, then its data. Raises UsageError for one that is not there."""
    with project_lock(session):
        snapshot = find_snapshot(every(session.engine, session.project), name, service)
        session.engine.remove_volume(snapshot.mark_volume)
        session.engine.remove_volume(snapshot.data_volume)
    return snapshot
