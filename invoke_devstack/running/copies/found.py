"""Which copies an engine has, by the labels of whatever is left of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.planning import labels
from invoke_devstack.planning.copies.copies import Copy, copies_among
from invoke_devstack.planning.plan import Body
from invoke_devstack.running.copies.folder import find


@dataclass
class FoundCopy:
    """`filled`: the data of its snapshot is in place, or it began without one."""

    copy: Copy
    containers: int = 0
    running: int = 0
    filled: bool = False

    @property
    def state(self) -> str:
        """incomplete (the command that added it was killed before its data was in place), running, stopped,
        or empty (it has no containers)."""
        if not self.filled:
            return "incomplete"
        if self.running:
            return "running"
        return "stopped" if self.containers else "empty"


def copies_with_volumes(engine: Engine) -> tuple[FoundCopy, ...]:
    """The copies whose marks or volumes there are: all, unless somebody removed these. Takes one request;
    `containers` and `running` are not counted."""
    volumes = engine.list_volumes({"label": [labels.COPY]})
    names = {str(entry["Name"]) for entry in volumes}
    return tuple(_found(copy, names) for copy in copies_among(map(_labels_of, volumes)))


def all_copies(engine: Engine) -> tuple[FoundCopy, ...]:
    """Every copy on the engine, the oldest first. Takes three requests, for any number of copies."""
    wanted = {"label": [labels.COPY]}
    found = {one.copy.project: one for one in copies_with_volumes(engine)}
    containers = engine.list_containers(wanted)
    for copy in copies_among(map(_labels_of, (*engine.list_networks(wanted), *containers))):
        found.setdefault(copy.project, _found(copy, set()))
    for entry in containers:
        for copy in copies_among([_labels_of(entry)]):
            found[copy.project].containers += 1
            found[copy.project].running += entry["State"] == "running"
    return tuple(sorted(found.values(), key=lambda one: (one.copy.created_at, one.copy.project)))


def _found(copy: Copy, volumes: Set[str]) -> FoundCopy:
    return FoundCopy(copy, filled=not copy.snapshot or copy.filled_mark in volumes)


def _labels_of(entry: Body) -> Mapping[str, str]:
    return entry.get("Labels") or {}


def rows(copies: Iterable[FoundCopy]) -> list[dict[str, object]]:
    """Rows for a table. `directory` is that of its files, `there` whether it exists on this machine; `folder`
    is that of the copy, "" where it has none here."""
    return [
        {
            "copy": one.copy.name,
            "project": one.copy.project,
            "of": one.copy.of,
            "state": one.state,
            "running": one.running,
            "containers": one.containers,
            "created_at": one.copy.created_at,
            "expires_at": one.copy.expires_at,
            "snapshot": one.copy.snapshot,
            "directory": one.copy.directory,
            "folder": find(one.copy),
            "there": bool(one.copy.directory) and Path(one.copy.directory).is_dir(),
        }
        for one in copies
    ]
