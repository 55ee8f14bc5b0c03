"""A container at whose start the engine was killed. Afterwards it cannot be started any more; or a process of
it runs, and the engine takes it for stopped."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from pathlib import Path, PurePosixPath

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import HalfStartedError
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import REMOVABLE, Observed
from invoke_devstack.planning.plan import Body
from invoke_devstack.running.executing.convergence import remove_container
from invoke_devstack.running.session import Session

_FLEETING = ("/tmp", "/run", "/var/run", "/var/tmp")  # what a program writes there it makes again
_CACHES = "__pycache__"
_FORCED = "Recreate it, with the data of its volumes: `invoke up --force-recreate`"
_SHOWN = 5  # changed files that are named
_WHOLE_ID = re.compile(rb"[0-9a-f]{64}")


def end_forgotten(session: Session, observed: Observed) -> bool:
    """Ends the processes of containers that the engine takes for stopped. Call it before any container is
    started or removed: two servers must never write to one volume. An engine that starts such a container
    kills the old process without its stop signal, and may take the network away from the new one later.

    Looks among the processes of this machine; those of a remote engine, or in the virtual machine of Docker
    Desktop, are not seen. Returns whether there were any. Raises HalfStartedError if one cannot be ended."""
    stopped = {item.id: item.service for item in observed.containers if item.state in REMOVABLE}
    if not stopped or not session.engine.endpoint.is_local:
        return False
    forgotten = sorted(stopped.keys() & _containers_with_processes())
    for container in forgotten:
        service = stopped[container]
        why = f"{service} still runs, unknown to the engine since that was killed, and cannot be ended"
        _end_processes(session, service, container, HalfStartedError(why))
    return bool(forgotten)


def _containers_with_processes() -> set[str]:
    """The whole ids of those for which something runs on this machine: the control group of a process has the
    id in its name, with every driver and version of groups."""
    if sys.platform != "linux":
        return set()
    found: set[bytes] = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):  # it has ended since
                found.update(_WHOLE_ID.findall((folder / "cgroup").read_bytes()))
    return {item.decode() for item in found}


def start(session: Session, service: str, container: str) -> None:
    """Starts it, once what may run of it has ended: two servers must never write to one volume. Raises
    HalfStartedError, with its `container`, if it cannot be started any more, and as the engine does."""
    try:
        session.engine.start(container)
    except HalfStartedError as refused:
        whole_id = session.engine.inspect_container(container)["Id"]
        _end_processes(session, service, whole_id, _named(refused, service, whole_id))
        try:
            session.engine.start(container)
        except HalfStartedError as error:
            raise _named(error, service, container) from error


def _end_processes(session: Session, service: str, container: str, refused: HalfStartedError) -> None:
    """Of a container, given by its whole id. Raises `refused`, with what to do, if they cannot be ended."""
    from invoke_devstack.running import copy_container

    try:
        ended = copy_container.end_processes(session, service, container)
    except copy_container.CopyError as error:
        refused.hint = "Restart the machine: a process of it may still run, and write to its volumes."
        refused.details = (*refused.details, error.message)
        refused.container = ""
        raise refused from error
    if ended:
        text = f"the engine was killed while it started {service}: ended the process that it no longer knew"
        session.emit(Notice(text=text, level="warning", service=service))


def _named(error: HalfStartedError, service: str, container: str) -> HalfStartedError:
    return HalfStartedError(
        f"{service} cannot start: {error.message}",
        hint=error.hint,
        details=error.details,
        status=error.status,
        container=container,
    )


def settle(session: Session, error: HalfStartedError) -> str:
    """Removes the container in `error` if it has never run, and returns ""; otherwise returns its id, for it
    to be recreated with its volumes. Raises `error` if that would lose files that are in no volume."""
    if not error.container:
        raise error
    found = session.engine.inspect_container(error.container)
    never_ran = (found.get("State") or {}).get("Status") == "created"
    if never_ran and labels.REPLACE not in ((found.get("Config") or {}).get("Labels") or {}):
        remove_container(session.engine, found["Id"], volumes=True, force=True)
        _tell(session, error, "because it has never run")
        return ""
    if changed := [] if never_ran else _own_files(session.engine, found):
        more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
        lost = f"recreating it loses files that are in no volume: {', '.join(changed[:_SHOWN])}{more}"
        error.details = (*error.details, lost)
        error.hint = _FORCED
        raise error
    _tell(session, error, "with its volumes")
    return str(found["Id"])


def _tell(session: Session, error: HalfStartedError, how: str) -> None:
    session.emit(Notice(text=f"{error.message}; recreating it, {how}", level="warning"))


def _own_files(engine: Engine, found: Body) -> list[str]:
    """Paths that were changed in it outside its mounts, without what programs make again."""
    changed = [str(entry["Path"]) for entry in engine.changes(found["Id"])]
    mounts = tuple(str(mount["Destination"]) for mount in found.get("Mounts") or ())
    kept = [path for path in changed if not _is_replaceable(path, mounts)]
    # A directory is listed too if only something below it changed.
    return [path for path in kept if not any(other.startswith(f"{path}/") for other in (*changed, *mounts))]


def _is_replaceable(path: str, mounts: tuple[str, ...]) -> bool:
    parents = (path, *map(str, PurePosixPath(path).parents))
    return _CACHES in PurePosixPath(path).parts or any(place in parents for place in (*_FLEETING, *mounts))
