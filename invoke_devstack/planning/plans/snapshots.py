"""Snapshots of a service's volumes: their names on the engine, which are complete, and what they contain.

A snapshot is two volumes. The first holds the data, one folder for each volume of the service. The second
is an empty marker, created once everything is copied; its labels hold the snapshot's size. A snapshot
without a marker is incomplete. Neither has Compose's labels, so `down --volumes` keeps them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DevstackError, ServiceError, UsageError, did_you_mean
from invoke_devstack.late_patterns import late
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.mounts import volume_name
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service
    from invoke_devstack.planning.observed import Observed
    from invoke_devstack.planning.plan import Body

PREFIX = "dev.invoke-devstack.snapshot."
PROJECT = f"{PREFIX}project"
_SERVICE, _NAME, _KEYS = f"{PREFIX}service", f"{PREFIX}name", f"{PREFIX}volumes"
_CREATED, _SIZE, _ENTRIES = f"{PREFIX}created", f"{PREFIX}size", f"{PREFIX}entries"
_GOOD_NAME = late(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@record
class Snapshot:
    """`volumes` are keys of the definition; `created_at` is RFC 3339; `size` is in bytes, 0 while it is
    incomplete; `entries` is the number of its files and directories, 0 if it is not known."""

    project: str
    service: str
    name: str
    volumes: tuple[str, ...]
    created_at: str
    size: int = 0
    entries: int = 0

    @property
    def data_volume(self) -> str:
        """Snapshot names have no dot, so no two share a volume."""
        return f"{self.project}.snapshot.{self.service}.{self.name}"

    @property
    def marker_volume(self) -> str:
        return f"{self.project}.snapshot-mark.{self.service}.{self.name}"

    def data_body(self) -> dict[str, Any]:
        """The body of `POST /volumes/create` for the data."""
        own = {
            PROJECT: self.project,
            _SERVICE: self.service,
            _NAME: self.name,
            _KEYS: ",".join(self.volumes),
            _CREATED: self.created_at,
        }
        return {"Name": self.data_volume, "Labels": own}

    def marker_body(self) -> dict[str, Any]:
        """The same for the marker of a complete snapshot."""
        own = self.data_body()["Labels"] | {_SIZE: str(self.size), _ENTRIES: str(self.entries)}
        return {"Name": self.marker_volume, "Labels": own}


def complete_snapshots(volumes: Iterable[Body]) -> tuple[Snapshot, ...]:
    """Snapshots that have both volumes, the oldest first. `volumes` are entries of `GET /volumes`."""
    entries = {entry["Name"]: entry for entry in volumes}
    found = (_read(entry.get("Labels") or {}) for entry in entries.values())
    whole = {
        item
        for item in found
        if item and item.size and item.marker_volume in entries and item.data_volume in entries
    }
    return tuple(sorted(whole, key=lambda item: (item.created_at, item.service, item.name)))


def incomplete_snapshots(volumes: Iterable[Body]) -> tuple[str, ...]:
    """The names of volumes that belong to no complete snapshot: leftovers of a killed command."""
    entries = tuple(volumes)
    whole = {name for item in complete_snapshots(entries) for name in (item.data_volume, item.marker_volume)}
    return tuple(sorted(entry["Name"] for entry in entries if entry["Name"] not in whole))


def _read(values: Mapping[str, str]) -> Snapshot | None:
    """The snapshot that a volume belongs to, by its labels. `size` is at least 1 for a marker."""
    parts = [values.get(key, "") for key in (PROJECT, _SERVICE, _NAME, _KEYS, _CREATED)]
    if not all(parts):
        return None
    project, service, name, keys, created = parts
    size, entries = values.get(_SIZE, ""), values.get(_ENTRIES, "")
    return Snapshot(
        project,
        service,
        name,
        tuple(keys.split(",")),
        created,
        max(int(size), 1) if size.isdecimal() else 0,
        int(entries) if entries.isdecimal() else 0,
    )


@record
class Mark:
    """Says on the engine that an operation on the data of `service` is not finished: an empty volume with
    one label, created before the first change and removed after the last.

    `operation` is `restore` or `reset`; `volumes` are key -> name on the engine; `policies` are the restart
    policies that containers had before (id -> policy), because none may start in the middle."""

    project: str
    service: str
    operation: str
    volumes: Mapping[str, str]
    policies: Mapping[str, Body]
    token: str

    @property
    def name(self) -> str:
        return f"{self.project}.unfinished.{self.token}"

    def body(self) -> dict[str, Any]:
        """The body of `POST /volumes/create`."""
        return {"Name": self.name, "Labels": {labels.UNFINISHED: json.dumps(asdict(self))}}


def marks(observed: Observed) -> tuple[Mark, ...]:
    """The marks of the project, and those of others on volumes that it uses too."""
    labelled = (item for item in observed.ours if labels.UNFINISHED in item.labels)
    found = (Mark(**json.loads(item.labels[labels.UNFINISHED])) for item in labelled)
    names = observed.volumes.keys()
    return tuple(
        mark for mark in found if mark.project == observed.project or names & set(mark.volumes.values())
    )


def is_interrupted(observed: Observed) -> bool:
    """Whether a killed command left a mark or a snapshot that is not complete."""
    return bool(marks(observed)) or _has_incomplete_snapshots(observed)


def _has_incomplete_snapshots(observed: Observed) -> bool:
    own = (item for item in observed.ours if item.labels.get(PROJECT) == observed.project)
    return bool(incomplete_snapshots({"Name": item.name, "Labels": item.labels} for item in own))


def check_name(name: str) -> str:
    """Returns the name. Raises UsageError if a volume could not have it."""
    if not _GOOD_NAME.fullmatch(name):
        raise UsageError(
            f"invalid snapshot name `{name}`",
            hint="Use at most 64 letters, digits, `-` and `_`: `--name before-migration`.",
        )
    return name


def find_snapshot(snapshots: Iterable[Snapshot], name: str, service: str = "") -> Snapshot:
    """The snapshot `name` (of `service`, if given). Raises UsageError, with the most similar name."""
    every = tuple(item for item in snapshots if not service or item.service == service)
    found = [item for item in every if item.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        services = ", ".join(item.service for item in found)
        raise UsageError(f"several services have a snapshot `{name}`: {services}", hint="Add `-s SERVICE`.")
    of = f" of {service}" if service else ""
    raise UsageError(f"unknown snapshot `{name}`{of}", hint=_others(every, name, service))


def _others(snapshots: Iterable[Snapshot], name: str, service: str) -> str:
    names = [item.name for item in snapshots]
    if names:
        return did_you_mean(name, names, f"Snapshots: {', '.join(dict.fromkeys(names))}.")
    return f"There are no snapshots yet. Take one: `invoke snapshot {service or 'SERVICE'}`"


def volumes_of(definition: Definition, service: Service) -> dict[str, str]:
    """Key -> name on the engine, for each named volume that the service mounts. Raises ServiceError if there
    is none."""
    keys = sorted({mount.source for mount in service.volumes if mount.type == "volume" and mount.source})
    if not keys:
        raise ServiceError(
            f"`{service.name}` has no named volume, so there is no data to save",
            service=service.name,
            hint=f"Add one in the Compose file: `volumes: [{service.name}-data:/path/of/its/data]`.",
        )
    return {key: volume_name(definition, key) for key in keys}


def check_fits(snapshot: Snapshot, volumes: Mapping[str, str]) -> None:
    """Raises DevstackError if the snapshot has data of a volume that the service does not mount."""
    unknown = [key for key in snapshot.volumes if key not in volumes]
    if unknown:
        raise DevstackError(
            f"snapshot `{snapshot.name}` has data of volume `{unknown[0]}`, which `{snapshot.service}` does"
            f" not mount (it mounts {', '.join(volumes)})",
            hint=f"Restore the volume's old name, `{unknown[0]}`, in the Compose file.",
        )


def copy_container_body(
    image: str,
    project: str,
    service: str,
    kind: str,
    script: str,
    arguments: Iterable[str],
    mounts: Mapping[str, str],
) -> dict[str, Any]:
    """The body of the short-lived container that copies: `sh` of a local image, as root, without a network.
    `mounts` are path -> volume, with `:ro` if it is only read. Its labels make it a one-off container of the
    service and say what it does, so that a later command can end it if this one is killed."""
    return {
        "Image": image,
        "Entrypoint": ["sh", "-c", script, "sh"],
        "Cmd": list(arguments),
        "User": "0:0",
        "WorkingDir": "/",
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": {
            labels.PROJECT: project,
            labels.SERVICE: service,
            labels.ONEOFF: "True",
            labels.COPY_CONTAINER: kind,
            labels.COPY_CONTAINER_MOUNTS: json.dumps(dict(mounts)),
        },
        "HostConfig": {
            "Binds": [_bind(path, source) for path, source in mounts.items()],
            "NetworkMode": "none",
            "LogConfig": {"Type": "json-file", "Config": {}},
        },
    }


def _bind(path: str, source: str) -> str:
    volume, _, mode = source.partition(":")
    return f"{volume}:{path}:{mode or 'rw'}"


def copy_container_mounts(own: Mapping[str, str]) -> dict[str, str]:
    """The `mounts` of the copy container that has these labels."""
    mounts: dict[str, str] = json.loads(own.get(labels.COPY_CONTAINER_MOUNTS, "{}"))
    return mounts
