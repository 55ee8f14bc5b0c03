"""Snapshots of a service's volumes: what they are called on the engine, which are whole, and which volumes
they are of.

A snapshot is two volumes. The first holds the data, one folder for each of the service's volumes. The
second is empty: it is made when all is copied, and its labels say how large the snapshot is. So a half
snapshot is known by its missing mark, whatever killed the command. Neither carries Compose's labels:
`down --volumes` leaves them alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from invoke_devstack.errors import DevstackError, ServiceError, UsageError
from invoke_devstack.planning import labels as label
from invoke_devstack.planning.mounts import volume_name

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service
    from invoke_devstack.planning.plan import Body

PREFIX = "dev.invoke-devstack.snapshot."
PROJECT = f"{PREFIX}project"
_SERVICE, _NAME, _KEYS = f"{PREFIX}service", f"{PREFIX}name", f"{PREFIX}volumes"
_CREATED, _SIZE = f"{PREFIX}created", f"{PREFIX}size"
_GOOD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`volumes` are the definition's keys of what is in it; `created_at` is RFC 3339; `size` in bytes, 0
    while it is not complete."""

    project: str
    service: str
    name: str
    volumes: tuple[str, ...]
    created_at: str
    size: int = 0

    @property
    def data_volume(self) -> str:
        """No name of a snapshot has a dot, so that no two share a volume."""
        return f"{self.project}.snapshot.{self.service}.{self.name}"

    @property
    def mark_volume(self) -> str:
        return f"{self.project}.snapshot-mark.{self.service}.{self.name}"

    def data_body(self) -> dict[str, Any]:
        """The body of `POST /volumes/create` for the data."""
        labels = {
            PROJECT: self.project,
            _SERVICE: self.service,
            _NAME: self.name,
            _KEYS: ",".join(self.volumes),
            _CREATED: self.created_at,
        }
        return {"Name": self.data_volume, "Labels": labels}

    def mark_body(self) -> dict[str, Any]:
        """The same for the mark of a complete one."""
        labels = self.data_body()["Labels"] | {_SIZE: str(self.size)}
        return {"Name": self.mark_volume, "Labels": labels}


def complete_snapshots(volumes: Iterable[Body]) -> tuple[Snapshot, ...]:
    """Those whose data and mark are both there, the oldest first. `volumes` are entries of `GET /volumes`."""
    entries = {entry["Name"]: entry for entry in volumes}
    found = (_read(entry.get("Labels") or {}) for entry in entries.values())
    whole = {
        item
        for item in found
        if item and item.size and item.mark_volume in entries and item.data_volume in entries
    }
    return tuple(sorted(whole, key=lambda item: (item.created_at, item.service, item.name)))


def half_snapshots(volumes: Iterable[Body]) -> tuple[str, ...]:
    """The names of the volumes that belong to no complete snapshot: what a killed command left."""
    entries = tuple(volumes)
    whole = {name for item in complete_snapshots(entries) for name in (item.data_volume, item.mark_volume)}
    return tuple(sorted(entry["Name"] for entry in entries if entry["Name"] not in whole))


def _read(labels: Mapping[str, str]) -> Snapshot | None:
    """The snapshot that a volume's labels tell of. `size` is at least 1 where they are a mark's."""
    values = [labels.get(key, "") for key in (PROJECT, _SERVICE, _NAME, _KEYS, _CREATED)]
    if not all(values):
        return None
    project, service, name, keys, created = values
    size = labels.get(_SIZE, "")
    return Snapshot(
        project,
        service,
        name,
        tuple(keys.split(",")),
        created,
        max(int(size), 1) if size.isdecimal() else 0,
    )


def check_name(name: str) -> str:
    """The name. Raises UsageError for one that a volume could not have."""
    if not _GOOD_NAME.fullmatch(name):
        raise UsageError(
            f"`{name}` is no name for a snapshot",
            hint="Use letters, digits, `-` and `_`, at most 64 of them: `--name before-migration`.",
        )
    return name


def find_snapshot(snapshots: Iterable[Snapshot], name: str, service: str = "") -> Snapshot:
    """The one of that name, of `service` where it is given. Raises UsageError with the nearest name."""
    every = tuple(item for item in snapshots if not service or item.service == service)
    found = [item for item in every if item.name == name]
    if len(found) == 1:
        return found[0]
    if found:
        services = ", ".join(item.service for item in found)
        raise UsageError(f"several snapshots are called `{name}`: of {services}", hint="Name one with `-s`.")
    of = f" of {service}" if service else ""
    raise UsageError(f"there is no snapshot `{name}`{of}", hint=_others(every, name, service))


def _others(snapshots: Iterable[Snapshot], name: str, service: str) -> str:
    names = [item.name for item in snapshots]
    near = get_close_matches(name, names, n=1)
    if near:
        return f"Did you mean `{near[0]}`?"
    if names:
        return f"There are: {', '.join(dict.fromkeys(names))}."
    return f"There is none yet: `invoke snapshot {service or 'SERVICE'}` makes one."


def volumes_of(definition: Definition, service: Service) -> dict[str, str]:
    """Key -> the engine's name of each named volume that the service mounts. Raises ServiceError for a
    service without one: there is nothing that a snapshot could hold."""
    keys = sorted({mount.source for mount in service.volumes if mount.type == "volume" and mount.source})
    if not keys:
        raise ServiceError(
            f"`{service.name}` has no named volume, so there is no data to keep",
            service=service.name,
            hint=f"Mount one: `volumes: [{service.name}-data:/path/of/its/data]` in the definition.",
        )
    return {key: volume_name(definition, key) for key in keys}


def check_fits(snapshot: Snapshot, volumes: Mapping[str, str]) -> None:
    """Raises DevstackError where the snapshot has data for a volume that the service no longer mounts."""
    homeless = [key for key in snapshot.volumes if key not in volumes]
    if homeless:
        raise DevstackError(
            f"the snapshot `{snapshot.name}` has data of the volume `{homeless[0]}`, which "
            f"`{snapshot.service}` does not mount",
            hint=f"It mounts {', '.join(volumes)}. Give the volume its old name in the definition.",
        )


def helper_body(
    image: str,
    project: str,
    service: str,
    kind: str,
    script: str,
    words: Iterable[str],
    binds: Mapping[str, str],
) -> dict[str, Any]:
    """The body of the short-lived container that copies: `sh` of an image that is there, as root, without a
    network. `binds` are path -> volume's name, `:ro` behind it if need be. Its labels make it a one-off
    container of the service and say what it does, so that it can be ended if we are killed."""
    return {
        "Image": image,
        "Entrypoint": ["sh", "-c", script, "sh"],
        "Cmd": list(words),
        "User": "0:0",
        "WorkingDir": "/",
        "Healthcheck": {"Test": ["NONE"]},
        "Labels": {
            label.PROJECT: project,
            label.SERVICE: service,
            label.ONEOFF: "True",
            label.HELPER: kind,
            label.HELPER_MOUNTS: json.dumps(dict(binds)),
        },
        "HostConfig": {
            "Binds": [_bind(path, source) for path, source in binds.items()],
            "NetworkMode": "none",
            "LogConfig": {"Type": "json-file", "Config": {}},
        },
    }


def _bind(path: str, source: str) -> str:
    volume, _, mode = source.partition(":")
    return f"{volume}:{path}:{mode or 'rw'}"


def helper_mounts(labels: Mapping[str, str]) -> dict[str, str]:
    """The `binds` of the helper that has these labels."""
    mounts: dict[str, str] = json.loads(labels.get(label.HELPER_MOUNTS, "{}"))
    return mounts
