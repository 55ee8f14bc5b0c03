"""Operations that change data in several steps: their mark on the engine, and how the next command settles
one that was interrupted. docs/contributing/protocols.md has the states.

A mark is created before the first change and removed after the last, so whatever happens in between (a kill,
an engine that stops, a full disk), the next command sees it. Until it is settled, nothing starts.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress

from invoke_devstack.errors import DevstackError, EngineError, EngineUnavailableError, NotFoundError
from invoke_devstack.events import Notice
from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import Observed, ObservedContainer
from invoke_devstack.planning.plan import Body
from invoke_devstack.planning.plans.snapshots import (
    Mark,
    copy_container_mounts,
    marks,
)
from invoke_devstack.running import copy_container
from invoke_devstack.running.session import Session

RESTORE, RESET = "restore", "reset"


class UnfinishedError(DevstackError):
    """An interrupted operation that cannot be finished now."""

    reason = "unfinished"


def begin(session: Session, operation: str, service: str, volumes: Mapping[str, str]) -> Mark:
    """Creates the mark, and keeps the engine from starting the volumes' containers: with `restart: always` it
    would start them when it starts itself, in the middle of the operation. Raises EngineError."""
    policies = _policies(session, volumes) if operation == RESTORE else {}
    mark = Mark(session.project, service, operation, dict(volumes), policies, secrets.token_hex(4))
    session.engine.create_volume(mark.name, mark.body())
    try:
        for container in policies:
            _set_policy(session, container, {"Name": "no"})
    except EngineError:
        end(session, mark)
        raise
    return mark


def end(session: Session, mark: Mark) -> None:
    """All is done: undoes what `begin` did, and removes the mark last. Raises EngineError; the mark stays."""
    for entry in _copy_containers(session):
        copy_container.remove(session, entry["Id"])
    for container, policy in mark.policies.items():
        _set_policy(session, container, policy)
    with suppress(NotFoundError):
        session.engine.remove_volume(mark.name)


def has_ended(session: Session, project: str) -> bool:
    """Whether the project has no mark. False if the engine does not answer: it may have one."""
    try:
        entries = session.engine.list_volumes({"label": [labels.UNFINISHED]})
    except DevstackError:
        return False
    return not any(entry["Name"].startswith(f"{project}.unfinished.") for entry in entries)


def settle_all(session: Session, observed: Observed, left: list[ObservedContainer]) -> None:
    """Settles what killed commands left: undoes copies, and finishes restores and resets. `left` are their
    copy containers. Raises UnfinishedError if one cannot be settled now, Interrupted after a signal."""
    found = marks(observed) or _mark_for(session, left)
    for mark in sorted(found, key=lambda mark: mark.project != session.project):
        session.interrupt.check()
        _check_own(session, mark)
        _settle_told(session, mark)
    for item in left:
        copy_container.remove(session, item.id)
    for name in copy_container.remove_incomplete_snapshots(session):
        session.emit(Notice(text=f"removed an interrupted snapshot: {name}", level="warning"))


def _mark_for(session: Session, left: list[ObservedContainer]) -> tuple[Mark, ...]:
    """Version 1.0 had no marks: the copy container alone says that a restore is not finished."""
    for item in left:
        if item.labels[labels.COPY_CONTAINER] == RESTORE:
            mounts = copy_container_mounts(item.labels)
            targets = {k.removeprefix("/to/"): v for k, v in mounts.items() if k.startswith("/to/")}
            return (begin(session, RESTORE, item.service, targets),)
    return ()


def _check_own(session: Session, mark: Mark) -> None:
    if mark.project != session.project:
        volume = min(mark.volumes.values())
        raise UnfinishedError(
            f"project {mark.project} has not finished a {mark.operation} of the volume {volume}",
            hint=f"Finish it: `invoke up` in the directory of {mark.project}.",
        )


def _settle_told(session: Session, mark: Mark) -> None:
    text = f"finishing an interrupted {mark.operation}"
    session.emit(Notice(text=text, level="warning", service=mark.service))
    settle(session, mark)


def settle(session: Session, mark: Mark) -> str:
    """Finishes an interrupted operation and removes its mark. Returns which data is in place: `old`, `new`,
    or `none` if there was nothing left to do. Raises UnfinishedError if it cannot be finished now."""
    try:
        result = _finish_reset(session, mark) if mark.operation == RESET else _finish_restore(session, mark)
        end(session, mark)
    except EngineUnavailableError:
        raise
    except (EngineError, copy_container.CopyError) as error:
        raise _cannot_finish(mark, error) from error
    return result


def _cannot_finish(mark: Mark, error: DevstackError) -> UnfinishedError:
    return UnfinishedError(
        f"cannot finish the {mark.operation} of `{mark.service}`: {error.message}",
        details=error.details,
        hint="Its data is incomplete until then, so nothing is started. Fix the cause, then `invoke up`.",
    )


def _finish_restore(session: Session, mark: Mark) -> str:
    for entry in _copy_containers(session):
        copy_container.kill(session, entry["Id"])  # it stays until the end: two may not work at a time
    there = {entry["Name"] for entry in session.engine.list_volumes({})}
    volumes = {key: name for key, name in mark.volumes.items() if name in there}
    return copy_container.finish(session, mark.service, volumes, mark.name) if volumes else "none"


def _finish_reset(session: Session, mark: Mark) -> str:
    """Removes the volumes, and their containers: the engine copies an image's files into a new volume only
    when it creates the container."""
    engine = session.engine
    names = set(mark.volumes.values())
    for name in names:
        for entry in engine.list_containers({"volume": [name]}):
            if (entry.get("Labels") or {}).get(labels.PROJECT) == mark.project:
                copy_container.remove(session, entry["Id"])
    for name in sorted(names):
        with suppress(NotFoundError):
            engine.remove_volume(name)
    return "new"


def _copy_containers(session: Session) -> list[Body]:
    wanted = [f"{labels.PROJECT}={session.project}", f"{labels.COPY_CONTAINER}={RESTORE}"]
    return session.engine.list_containers({"label": wanted})


def _policies(session: Session, volumes: Mapping[str, str]) -> dict[str, Body]:
    """The restart policies of all containers that mount the volumes, where they have one."""
    found: dict[str, Body] = {}
    for name in volumes.values():
        for entry in session.engine.list_containers({"volume": [name]}):
            with suppress(NotFoundError):
                inspected = session.engine.inspect_container(entry["Id"])
                found[entry["Id"]] = inspected["HostConfig"].get("RestartPolicy") or {}
    return {container: policy for container, policy in found.items() if policy.get("Name") not in ("", "no")}


def _set_policy(session: Session, container: str, policy: Body) -> None:
    with suppress(NotFoundError):  # removed meanwhile
        session.engine.set_restart_policy(container, policy)
