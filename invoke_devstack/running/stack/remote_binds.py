"""Bind mounts whose source a remote engine's host does not have: named before anything starts."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from invoke_devstack.engine.remote_host import address_of, missing_paths
from invoke_devstack.events import Notice
from invoke_devstack.planning.plan import CreateContainer, Plan
from invoke_devstack.records import record
from invoke_devstack.running.session import Session

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Mount, Service


@record
class RemoteBind:
    """A bind mount that the watch does not fill."""

    service: str
    index: int
    mount: Mount

    @property
    def source(self) -> str:
        return self.mount.source or ""


def name_missing_binds(session: Session, plan: Plan) -> None:
    """Warns of each bind mount of new containers whose source is not on the engine's host; where the host
    cannot be asked, of those in the project."""
    endpoint, definition = session.engine.endpoint, session.definition
    if endpoint.is_local:
        return
    names = {action.service for action in plan if isinstance(action, CreateContainer)}
    binds = [bind for name in sorted(names) for bind in binds_to_check(definition, name)]
    missing = missing_paths(endpoint, sorted({bind.source for bind in binds}))
    for bind in binds:
        if missing is None and not Path(bind.source).is_relative_to(definition.working_dir):
            continue
        if missing is None or bind.source in missing:
            text = describe(definition, bind, address_of(endpoint), certain=missing is not None)
            session.emit(Notice(text=text, level="warning", service=bind.service))


def binds_to_check(definition: Definition, name: str) -> Iterator[RemoteBind]:
    """The bind mounts of a service, without those whose target the watch syncs to from the start."""
    service = definition.all_services.get(name)
    for index, mount in enumerate(service.volumes if service else ()):
        if service and mount.type == "bind" and mount.source and not _is_synced(service, mount):
            yield RemoteBind(name, index, mount)


def _is_synced(service: Service, mount: Mount) -> bool:
    rules = service.develop.watch if service.develop else ()
    target = PurePosixPath(mount.target or "/")
    return any(
        rule.action.startswith("sync") and rule.initial_sync and PurePosixPath(rule.target or "/") == target
        for rule in rules
    )


def describe(definition: Definition, bind: RemoteBind, host: str, *, certain: bool) -> str:
    """What is wrong with a bind mount, and the rule of the watch that replaces it."""
    origin = definition.origins.get(f"services.{bind.service}.volumes[{bind.index}]")
    place = f" ({origin.position.file.name}:{origin.position.line})" if origin else ""
    state = (
        f"is not on {host}, so the container gets an empty directory" if certain else f"may not be on {host}"
    )
    source, target = shlex.quote(_relative(bind.source, definition)), bind.mount.target
    rule = f"{{path: {source}, target: {target}, action: sync, initial_sync: true}}"
    way = f"Sync it instead: develop: {{watch: [{rule}]}}"
    return f"{bind.service} mounts {bind.source}{place}, which {state}. {way}"


def _relative(source: str, definition: Definition) -> str:
    path = Path(source)
    inside = path.is_relative_to(definition.working_dir)
    return f"./{path.relative_to(definition.working_dir)}" if inside else source
