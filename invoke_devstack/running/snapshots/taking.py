"""Takes a snapshot of a service's volumes, and removes one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from invoke_devstack.errors import DevstackError, UsageError
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plans.snapshots import Snapshot, check_name, find_snapshot
from invoke_devstack.running import copy_container
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import quiesce
from invoke_devstack.running.snapshots.common import list_snapshots, observe_settled, reported, volumes_named


def take(session: Session, service: str, name: str = "") -> Snapshot:
    """Stops the service, copies its named volumes into a new snapshot, and starts it again. The default name
    is the time. Raises UsageError for a name that is taken, DevstackError if there is no data."""
    with project_lock(session):
        observed = observe_settled(session)
        return take_locked(session, observed, service, name)


def take_locked(session: Session, observed: Observed, service: str, name: str) -> Snapshot:
    """The same while the project is locked, on what `observe_settled` returned."""
    volumes = volumes_named(session, service)
    snapshot = new_snapshot(session, service, name, volumes)
    _check_there(observed, service, volumes.values())
    users = quiesce.users_of(session, observed, volumes.values())
    with quiesce.quiesced(session, users), reported(session, "snapshot", service, snapshot.name) as results:
        made = _copy(session, snapshot, volumes)
        results.append(f"{made.size / 1e6:.1f} MB")
    return made


def new_snapshot(session: Session, service: str, name: str, volumes: Iterable[str]) -> Snapshot:
    """Raises UsageError if its name is taken."""
    now = datetime.now(UTC)
    snapshot = Snapshot(
        session.project,
        service,
        check_name(name) if name else now.astimezone().strftime("%Y%m%d-%H%M%S"),
        tuple(volumes),
        now.isoformat(timespec="milliseconds"),
    )
    taken = {snapshot.data_volume, snapshot.marker_volume}
    for entry in session.engine.list_volumes({"name": [f"{session.project}.snapshot"]}):
        if entry["Name"] in taken:
            raise UsageError(
                f"{service} already has a snapshot `{snapshot.name}`",
                hint=f"Choose another name, or remove it: `invoke snapshots.rm {snapshot.name}`.",
            )
    return snapshot


def _check_there(observed: Observed, service: str, volumes: Iterable[str]) -> None:
    for name in volumes:
        if name not in observed.volumes:
            raise DevstackError(
                f"`{service}` has no data yet: the volume {name} does not exist",
                hint=f"Create it: `invoke up -s {service}`.",
            )


def _copy(session: Session, snapshot: Snapshot, volumes: dict[str, str]) -> Snapshot:
    engine = session.engine
    engine.create_volume(snapshot.data_volume, snapshot.data_body())
    binds = {"/to": snapshot.data_volume, **{f"/from/{key}": f"{name}:ro" for key, name in volumes.items()}}
    try:
        output = copy_container.copy(session, snapshot.service, binds)
    except BaseException:
        copy_container.remove_incomplete_snapshots(session)
        raise
    return complete(session, snapshot, _number(output, "bytes"), _number(output, "entries"))


def complete(session: Session, snapshot: Snapshot, size: int, entries: int) -> Snapshot:
    """Marks the snapshot as complete; from now on it is listed."""
    whole = replace(snapshot, size=max(size, 1), entries=entries)
    session.engine.create_volume(whole.marker_volume, whole.marker_body())
    return whole


def _number(output: str, unit: str) -> int:
    found = re.search(rf"^{unit} (\d+)$", output, re.MULTILINE)
    return int(found[1]) if found else 0


def remove(session: Session, name: str, service: str = "") -> Snapshot:
    """Removes a snapshot: first its mark, then its data. Raises UsageError for an unknown one."""
    with project_lock(session):
        snapshot = find_snapshot(list_snapshots(session.engine, session.project), name, service)
        session.engine.remove_volume(snapshot.marker_volume)
        session.engine.remove_volume(snapshot.data_volume)
    return snapshot
