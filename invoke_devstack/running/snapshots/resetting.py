"""Empties the volumes of services, after a snapshot of each."""

from __future__ import annotations

from datetime import datetime

from invoke_devstack.errors import DevstackError
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed
from invoke_devstack.planning.plans.snapshots import Snapshot
from invoke_devstack.running import unfinished
from invoke_devstack.running.locks import project_lock
from invoke_devstack.running.observing import observe
from invoke_devstack.running.session import Session
from invoke_devstack.running.snapshots import quiesce
from invoke_devstack.running.snapshots.common import bring_up_again, observe_settled, volumes_named
from invoke_devstack.running.snapshots.taking import take_locked


def reset(session: Session, services: tuple[str, ...]) -> tuple[Snapshot, ...]:
    """Takes a snapshot of each of `services` (see `resettable`), removes their volumes, and brings up what
    was running: on empty volumes, with the hooks that fill them. Returns the snapshots."""
    with project_lock(session):
        observed = observe_settled(session)
        volumes = {name: _own_volumes(session, observed, name, asked=True) for name in services}
        doomed = {name for found in volumes.values() for name in found.values()}
        _check_removable(session, doomed)
        users = quiesce.users_of(session, observed, doomed)
        quiesce.stop(session, users.services)
        try:
            taken = tuple(_take_before_reset(session, name) for name, found in volumes.items() if found)
        except BaseException:
            quiesce.start_again(session, users)
            raise
        _empty(session, services, doomed)
    remapped = any(labels.PORTS in item.labels for item in observed.containers)
    bring_up_again(session, users.services, ports="auto" if remapped else "")
    return taken


def resettable(session: Session, services: tuple[str, ...]) -> tuple[str, ...]:
    """The services to reset: those of `services`, by default all, that have named volumes of the project's
    own. Raises what `reset` raises for them."""
    observed = observe(session.definition, session.engine)
    names = services or tuple(
        name
        for name, service in session.definition.services.items()
        if any(mount.type == "volume" and mount.source for mount in service.volumes)
    )
    return tuple(name for name in names if _own_volumes(session, observed, name, asked=bool(services)))


def _own_volumes(session: Session, observed: Observed, service: str, *, asked: bool) -> dict[str, str]:
    """The service's existing volumes that belong to the project. External volumes are never emptied."""
    there = {key: name for key, name in volumes_named(session, service).items() if name in observed.volumes}
    own = {
        key: name
        for key, name in there.items()
        if observed.volumes[name].labels.get(labels.PROJECT) == session.project
    }
    strangers = [name for name in there.values() if name not in own.values()]
    if strangers and asked:
        raise DevstackError(
            f"the volume {strangers[0]} of `{service}` does not belong to this project, so it is not emptied",
            hint=f"If nobody needs its data: `docker volume rm {strangers[0]}`.",
        )
    return own


def _take_before_reset(session: Session, service: str) -> Snapshot:
    observed = observe(session.definition, session.engine, inspect=True)
    name = datetime.now().strftime("before-reset-%Y%m%d-%H%M%S")
    return take_locked(session, observed, service, name)


def _check_removable(session: Session, volumes: set[str]) -> None:
    """Raises DevstackError if a container of another project mounts one of `volumes`, running or not."""
    for name in sorted(volumes):
        for entry in session.engine.list_containers({"volume": [name]}):
            if (entry.get("Labels") or {}).get(labels.PROJECT) != session.project:
                container = (entry.get("Names") or [entry["Id"][:12]])[0].lstrip("/")
                raise DevstackError(
                    f"the container {container} also uses the volume {name}, so it cannot be emptied",
                    hint=f"Remove it: `docker rm -f {container}`.",
                )


def _empty(session: Session, services: tuple[str, ...], volumes: set[str]) -> None:
    session.interrupt.check()
    names = {name: name for name in sorted(volumes)}
    mark = unfinished.begin(session, unfinished.RESET, ", ".join(services), names)
    unfinished.settle(session, mark)
