"""The actions that keep the anonymous volumes of containers that are removed, or remove them too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from invoke_devstack.planning import labels
from invoke_devstack.planning.bodies.anonymous_volumes import (
    Place,
    anonymous_mounts,
    generations_of,
    is_record,
    kept_volumes,
    owns_data,
    record_body,
)
from invoke_devstack.planning.causes import Cause, CauseKind
from invoke_devstack.planning.observed import Observed, ObservedContainer, ObservedMount, ObservedVolume
from invoke_devstack.planning.plan import CreateVolume, RemoveVolume
from invoke_devstack.planning.plans.container_steps import Needs, PlanBuilder

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition

_KEPT = Cause(CauseKind.VOLUME, "notes which anonymous volume has the data")
_STALE = Cause(CauseKind.VOLUME, "another volume has the data now")
_SUPERSEDED = Cause(CauseKind.VOLUME, "replaced at an earlier rebuild")


def keep_steps(
    builder: PlanBuilder, definition: Definition | None, observed: Observed, container: ObservedContainer
) -> Needs:
    """What must be done before `container` is removed, so that its successor finds its anonymous volumes:
    nothing for those with our labels."""
    if container.oneoff or not container.service:
        return frozenset()
    known = kept_volumes(observed, container.service, container.number)
    needs: set[str] = set()
    for mount in anonymous_mounts(definition, observed, container):
        if known.get(mount.target) != mount.name:
            place = Place(container.service, container.number, mount.target)
            needs.add(_record_step(builder, definition, observed, place, mount))
    return frozenset(needs)


def _record_step(
    builder: PlanBuilder,
    definition: Definition | None,
    observed: Observed,
    place: Place,
    mount: ObservedMount,
) -> str:
    """A record replaces an older one. Should that be interrupted, the container still shows the volume."""
    removed = frozenset(
        builder.add(RemoveVolume(target=item.name, cause=_STALE, service=place.service, record=True))
        for item in _records(observed, place)
    )
    body = record_body(definition, observed, place, mount)
    return builder.add(
        CreateVolume(target=body["Name"], cause=_KEPT, service=place.service, body=body, needs=removed)
    )


def _records(observed: Observed, place: Place) -> tuple[ObservedVolume, ...]:
    return tuple(
        item
        for item in observed.volumes.values()
        if is_record(item)
        and item.labels.get(labels.PROJECT) == observed.project
        and item.labels.get(labels.VOLUME) == str(place)
    )


def superseded_steps(
    builder: PlanBuilder, observed: Observed, container: ObservedContainer, path: str, needs: Needs
) -> None:
    """When the volume of `container` at `path` is renewed, it stays until the next renewal: those that
    were replaced earlier are removed."""
    mounted = {mount.name for item in observed.containers for mount in item.mounts}
    place = Place(container.service, container.number, path)
    old = {item.name: str(place) for item in generations_of(observed, place) if item.name not in mounted}
    remove_volume_steps(builder, old, _SUPERSEDED, needs)


def volumes_of(
    definition: Definition | None, observed: Observed, containers: Iterable[ObservedContainer]
) -> dict[str, str]:
    """Name -> place of the anonymous volumes that are deleted with the containers; "" for records, which have
    no data. External volumes are not among them."""
    found: dict[str, str] = {}
    for item in containers:
        for mount in anonymous_mounts(definition, observed, item):
            if owns_data(observed, mount):
                found[mount.name] = str(Place(item.service, item.number, mount.target))
        places = (item.service, str(item.number))
        for volume in observed.volumes.values():
            own = (volume.labels.get(labels.SERVICE), volume.labels.get(labels.NUMBER))
            if own == places and not item.oneoff:
                found |= labelled_volumes(definition, observed, (volume,))
    return found


def labelled_volumes(
    definition: Definition | None, observed: Observed, volumes: Iterable[ObservedVolume]
) -> dict[str, str]:
    """The same for those of `volumes` that have labels of a place in the project, and those that records
    say it owns."""
    external = {item.name for item in definition.volumes.values()} if definition else set()
    found: dict[str, str] = {}
    for volume in volumes:
        own = volume.labels
        if labels.ANONYMOUS not in own or own.get(labels.PROJECT) != observed.project:
            continue
        held = own.get(labels.HOLDS, "")
        if held and labels.OWNS in own and held not in external:
            found[held] = own.get(labels.VOLUME, "")
        if volume.name not in external:
            found[volume.name] = "" if held else own.get(labels.VOLUME, "")
    return found


def remove_volume_steps(builder: PlanBuilder, volumes: dict[str, str], cause: Cause, needs: Needs) -> None:
    """Removes `volumes` (name -> place): a record only after all others, for it says where data is."""
    data = frozenset(
        builder.add(RemoveVolume(target=name, cause=cause, needs=needs, place=place))
        for name, place in sorted(volumes.items())
        if place
    )
    for name, place in sorted(volumes.items()):
        if not place:
            builder.add(RemoveVolume(target=name, cause=cause, needs=needs | data, record=True))
