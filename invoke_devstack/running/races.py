"""Actions that meet what is already so: made, gone, or not gone yet. Each ends as the plan wanted it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.errors import ConflictError, EngineError, EngineUnavailableError, NotFoundError
from invoke_devstack.planning import labels
from invoke_devstack.planning.plan import CreateContainer, RemoveContainer, RemoveNetwork, RemoveVolume

_PATIENCE = 5.0  # seconds for the engine to finish what it has begun
_PAUSE = 0.05


def create(engine: Engine, action: CreateContainer) -> str:
    """Makes the container; a half-made one of the same project that has its name is removed first.

    After a command was killed the engine may hold the name for a container that nobody can see yet: it is
    waited for.
    """
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return engine.create_container(action.target, action.body, platform=action.platform)
        except ConflictError as error:
            _remove_half_made(engine, action, error)
            if time.monotonic() > until:
                raise
        time.sleep(_PAUSE)


def _remove_half_made(engine: Engine, action: CreateContainer, conflict: ConflictError) -> None:
    with suppress(NotFoundError):
        found = engine.inspect_container(action.target)
        ours: Mapping[str, str] = action.body.get("Labels") or {}
        theirs: Mapping[str, str] = (found.get("Config") or {}).get("Labels") or {}
        if theirs.get(labels.PROJECT) != ours.get(labels.PROJECT):
            raise ConflictError(
                f"the name {action.target} is taken by {_owner(found, theirs)}",
                hint=f"Remove it (`docker rm {action.target}`), or choose another `container_name:`.",
                status=conflict.status,
            ) from conflict
        if (found.get("State") or {}).get("Status") not in ("created", "dead"):
            raise conflict
        remove_container(engine, found["Id"], volumes=False, force=True)


def _owner(found: Mapping[str, Any], theirs: Mapping[str, str]) -> str:
    project = theirs.get(labels.PROJECT)
    state = (found.get("State") or {}).get("Status", "")
    whose = f"of project {project}" if project else "that belongs to no project"
    return f"a container ({state}) {whose}"


def remove(engine: Engine, action: RemoveContainer) -> None:
    """Removes the container; one that is gone, or is being removed, is as good."""
    remove_container(engine, action.target, volumes=action.volumes, force=action.force)


def remove_container(engine: Engine, container: str, *, volumes: bool, force: bool) -> None:
    """Removes and waits until it is gone."""
    try:
        engine.remove_container(container, volumes=volumes, force=force)
    except NotFoundError:
        return
    except ConflictError as error:
        if "in progress" not in error.message:
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


def remove_network(engine: Engine, action: RemoveNetwork) -> str:
    """Removes the network. Where others still use it, it stays, and the answer says who they are."""
    error = _retried(lambda: engine.remove_network(action.target))
    if error is None:
        return ""
    users = _users(engine, "network", action.target)
    if not users:
        raise error
    return f"network {action.target} stays: still used by {users}"


def remove_volume(engine: Engine, action: RemoveVolume) -> str:
    """Removes the volume. Where others still use it, it stays, and the answer says who they are."""
    error = _retried(lambda: engine.remove_volume(action.target))
    if error is None:
        return ""
    users = _users(engine, "volume", action.target)
    if not users:
        raise error
    return f"volume {action.target} stays: still used by {users}"


def _retried(attempt: Callable[[], None]) -> EngineError | None:
    """The engine frees networks and volumes a moment after it has removed their last container."""
    until = time.monotonic() + 1.0
    while True:
        try:
            attempt()
        except NotFoundError:
            return None
        except EngineUnavailableError:
            raise
        except EngineError as error:
            if time.monotonic() > until:
                return error
            time.sleep(_PAUSE)
        else:
            return None


def _users(engine: Engine, kind: str, name: str) -> str:
    names = (item.get("Names") or [item["Id"][:12]] for item in engine.list_containers({kind: (name,)}))
    return ", ".join(sorted(found[0].lstrip("/") for found in names))
