"""Actions whose result is already there, or not there yet: each ends as the plan wanted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from invoke_devstack.engine.protocol import Engine, OnWarning
from invoke_devstack.errors import ConflictError, EngineError, EngineUnavailableError, NotFoundError
from invoke_devstack.planning import labels
from invoke_devstack.planning.plan import CreateContainer, RemoveContainer, RemoveNetwork, RemoveVolume
from invoke_devstack.records import record

_PATIENCE = 5.0  # seconds for the engine to finish what it has begun
_PAUSE = 0.05
_FREED = 5.0  # seconds for the engine to let go of what its last container used


def create(engine: Engine, action: CreateContainer, on_warning: OnWarning | None = None) -> str:
    """Creates the container. If an unstarted one of the same project has its name, removes that first.

    After a command was killed, the engine may reserve the name for a container that is not visible yet;
    this waits for it.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return engine.create_container(
                action.target, action.body, platform=action.platform, on_warning=on_warning
            )
        except ConflictError as error:
            _remove_unstarted(engine, action, error)
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE)


def _remove_unstarted(engine: Engine, action: CreateContainer, conflict: ConflictError) -> None:
    with suppress(NotFoundError):
        found = engine.inspect_container(action.target)
        ours: Mapping[str, str] = action.body.get("Labels") or {}
        theirs: Mapping[str, str] = (found.get("Config") or {}).get("Labels") or {}
        if theirs.get(labels.PROJECT) != ours.get(labels.PROJECT):
            raise ConflictError(
                f"container name {action.target} is in use by {_owner(found, theirs)}",
                hint=f"Remove it with `docker rm {action.target}`, or set another `container_name:`.",
                status=conflict.status,
            ) from conflict
        status = (found.get("State") or {}).get("Status")
        if status not in ("created", "dead"):
            raise conflict
        # Volumes that were created for a container that never ran have no data.
        remove_container(engine, found["Id"], volumes=status == "created", force=True)


def _owner(found: Mapping[str, Any], theirs: Mapping[str, str]) -> str:
    project = theirs.get(labels.PROJECT)
    state = (found.get("State") or {}).get("Status", "")
    whose = f"of project {project}" if project else "of no project"
    return f"a container ({state}) {whose}"


def remove(engine: Engine, action: RemoveContainer) -> None:
    """Removes the container, unless it is already removed or being removed."""
    remove_container(engine, action.target, volumes=action.volumes, force=action.force)


def remove_container(engine: Engine, container: str, *, volumes: bool, force: bool) -> None:
    """Removes and waits until it is gone."""
    try:
        engine.remove_container(container, volumes=volumes, force=force)
    except NotFoundError:
        return
    except ConflictError as error:
        if error.reason != "being-removed":
            raise
        _wait_until_gone(lambda: engine.inspect_container(container), error)


def _wait_until_gone(look: Callable[[], object], otherwise: EngineError) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        try:
            look()
        except NotFoundError:
            return
        time.sleep(_PAUSE)
    raise otherwise


def remove_network(engine: Engine, action: RemoveNetwork, project: str) -> str:
    """Removes the network. If others still use it, it is kept and the result names them."""
    return _remove_unless_used(engine, _Used("network", action.target, project), engine.remove_network)


def remove_volume(engine: Engine, action: RemoveVolume, project: str) -> str:
    """Removes the volume. If others still use it, it is kept and the result names them."""
    return _remove_unless_used(engine, _Used("volume", action.target, project), engine.remove_volume)


@record
class _Used:
    """A network or volume of a project, which containers may use."""

    kind: str
    name: str
    project: str


def _remove_unless_used(engine: Engine, used: _Used, remove: Callable[[str], None]) -> str:
    error = _retried(lambda: remove(used.name), lambda: bool(_users(engine, used, foreign=True)))
    if error is None:
        return ""
    # The engine may not have let go of our own containers yet: they are removed.
    users = _users(engine, used, foreign=True) or _users(engine, used, foreign=False)
    if not users:
        raise error
    return f"{used.kind} {used.name} was not removed: it is still used by {users}"


def _retried(attempt: Callable[[], None], is_hopeless: Callable[[], bool]) -> EngineError | None:
    """The engine frees networks and volumes shortly after it has removed their last container; later where a
    command was killed while it started one."""
    until = time.monotonic() + _FREED
    while True:
        try:
            attempt()
        except NotFoundError:
            return None
        except EngineUnavailableError:
            raise
        except EngineError as error:
            if time.monotonic() > until or is_hopeless():
                return error
            time.sleep(_PAUSE)
        else:
            return None


def _users(engine: Engine, used: _Used, *, foreign: bool) -> str:
    """The containers that use it; with `foreign`, only those of other projects or of none, which stay."""
    names = (
        item.get("Names") or [item["Id"][:12]]
        for item in engine.list_containers({used.kind: (used.name,)})
        if not foreign or (item.get("Labels") or {}).get(labels.PROJECT) != used.project
    )
    return ", ".join(sorted(found[0].lstrip("/") for found in names))
