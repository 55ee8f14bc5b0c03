"""The volumes of a stack: how large they are, and who uses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.engine.protocol import Engine
from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.anonymous_volumes import is_record
from invoke_devstack.planning.observed import Observed, ObservedVolume
from invoke_devstack.running.observing import observe

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition


def listing(
    engine: Engine, definition: Definition, services: tuple[str, ...] = (), *, sizes: bool = True
) -> tuple[dict[str, object], ...]:
    """A row for each volume on the engine that the stack owns or its containers mount (only those of
    `services`, if any): volume, size (bytes; None if unknown or without `sizes`), kind (named, anonymous,
    external), used_by (services that have it mounted), place (of an anonymous one: `SERVICE-NUMBER:PATH`),
    driver."""
    observed = observe(definition, engine, inspect=True)
    users = _users(observed)
    found = [
        item
        for name, item in sorted(observed.volumes.items())
        if not is_record(item)
        and (item.labels.get(labels.PROJECT) == observed.project or name in users)
        and (not services or {*services} & users.get(name, {}).keys())
    ]
    known = _sizes(engine) if sizes and found else {}
    return tuple(_row(definition, item, users.get(item.name, {}), known.get(item.name)) for item in found)


def _users(observed: Observed) -> dict[str, dict[str, str]]:
    """Volume -> service -> where its first container mounts it: `SERVICE-NUMBER:PATH`."""
    users: dict[str, dict[str, str]] = {}
    for container in observed.containers:
        for mount in container.mounts:
            if mount.type == "volume" and mount.name:
                place = f"{container.service}-{container.number}:{mount.target}"
                users.setdefault(mount.name, {}).setdefault(container.service, place)
    return users


def _sizes(engine: Engine) -> Mapping[str, int | None]:
    """The engine knows them only of volumes of its own driver; -1 is unknown."""
    volumes = engine.disk_usage().get("Volumes") or ()
    sizes = {str(item["Name"]): int((item.get("UsageData") or {}).get("Size", -1)) for item in volumes}
    return {name: size if size >= 0 else None for name, size in sizes.items()}


def _row(
    definition: Definition, volume: ObservedVolume, users: Mapping[str, str], size: int | None
) -> dict[str, object]:
    external = {item.name for item in definition.volumes.values() if item.external}
    named = {item.name for item in definition.volumes.values()}
    is_named = volume.name in named or (
        labels.ANONYMOUS not in volume.labels and labels.VOLUME in volume.labels
    )
    kind = "external" if volume.name in external else "named" if is_named else "anonymous"
    place = volume.labels.get(labels.VOLUME, "") or next(iter(users.values()), "")
    return {
        "volume": volume.name,
        "size": size,
        "kind": kind,
        "used_by": sorted(users),
        "place": place if kind == "anonymous" else "",
        "driver": volume.driver,
    }
