"""Anonymous volumes: of the image's VOLUME instructions, and of `volumes: [/path]`.

What a service writes there must survive its container. So the engine creates each with labels that say
its place: service, container number and path. The next container with this place mounts it again. An
anonymous volume that Compose created has no labels and cannot get any: before its container is removed, a
*record*, an empty volume with the labels of the place, notes its name. `protocols.md` has all states.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from invoke_devstack.planning import labels
from invoke_devstack.planning.observed import (
    Observed,
    ObservedContainer,
    ObservedImage,
    ObservedMount,
    ObservedVolume,
)
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

_INHERITED = "dev.invoke-devstack."
"""Our labels of a service are also those of its volumes: a copy for tests finds all that is its own."""


@record
class Place:
    """Where an anonymous volume is mounted."""

    service: str
    number: int
    path: str

    def __str__(self) -> str:
        return f"{self.service}-{self.number}:{self.path}"


@record
class AnonymousVolumes:
    """What a new container mounts at its anonymous paths: the volumes in `found` (path -> name), else new
    ones. `generations` are those of renewed volumes. If `only_found`, the image's paths get no new ones,
    because `volumes_from` may bring them."""

    own_labels: Mapping[str, str]
    found: Mapping[str, str] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)
    only_found: bool = False

    def mount(self, path: str) -> dict[str, Any]:
        """An entry of `Mounts`. Labels of a volume that exists already stay as they are."""
        own = {**self.own_labels, labels.ANONYMOUS: path}
        own[labels.VOLUME] = f"{own[labels.SERVICE]}-{own[labels.NUMBER]}:{path}"
        if path in self.generations:
            own[labels.GENERATION] = str(self.generations[path])
        source = {"Source": self.found[path]} if path in self.found else {}
        return {"Type": "volume", **source, "Target": path, "VolumeOptions": {"Labels": own}}

    def image_mounts(self, paths: Iterable[str], taken: Iterable[str]) -> list[dict[str, Any]]:
        """The mounts for the image's VOLUME `paths`, except those that are `taken`."""
        wanted = sorted({clean(path) for path in paths} - {clean(path) for path in taken})
        return [self.mount(path) for path in wanted if path in self.found or not self.only_found]


def clean(path: str | None) -> str:
    """A container's path as the engine shows it."""
    return posixpath.normpath(path) if path else ""


def place_labels(definition: Definition, service: str, number: int) -> dict[str, str]:
    """The labels of all anonymous volumes of one container."""
    found = definition.all_services.get(service)
    own = found.labels if found else {}
    return {
        **{key: value for key, value in own.items() if key.startswith(_INHERITED)},
        labels.PROJECT: definition.name,
        labels.SERVICE: service,
        labels.NUMBER: str(number),
        labels.DIRECTORY: str(definition.working_dir),
    }


def anonymous_paths(service: Service, image: ObservedImage | None) -> frozenset[str]:
    """The paths at which the service mounts something that no definition names."""
    declared = {
        clean(mount.target) for mount in service.volumes if mount.type == "volume" and not mount.source
    }
    named = {clean(mount.target) for mount in service.volumes} - declared
    named |= {clean(entry.partition(":")[0]) for entry in service.tmpfs}
    return frozenset((declared | {clean(path) for path in (image.volumes if image else ())}) - named)


def volumes_for(
    definition: Definition,
    observed: Observed,
    service: Service,
    number: int,
    *,
    replaces: ObservedContainer | None = None,
    renewed: frozenset[str] = frozenset(),
) -> AnonymousVolumes:
    """What container `number` of `service` mounts. At the paths in `renewed` it gets new volumes."""
    found = last_volumes(definition, observed, service, number, replaces=replaces)
    return AnonymousVolumes(
        place_labels(definition, service.name, number),
        {path: name for path, name in found.items() if path not in renewed},
        {path: _next_generation(observed, Place(service.name, number, path)) for path in renewed},
        only_found=bool(service.volumes_from),
    )


def last_volumes(
    definition: Definition,
    observed: Observed,
    service: Service,
    number: int,
    *,
    replaces: ObservedContainer | None = None,
) -> dict[str, str]:
    """Path -> name of the anonymous volumes that the container of this number has, or had last."""
    return {
        **kept_volumes(observed, service.name, number),
        **_attached(definition, observed, service.name, number, replaces),
    }


def kept_volumes(observed: Observed, service: str, number: int) -> dict[str, str]:
    """Path -> name of the volumes that a container of this number had last, by records and labels alone."""
    own = [item for item in observed.volumes.values() if _is_of(observed, item, service, number)]
    own.sort(key=lambda item: (is_record(item), _generation(item), item.name))
    return {item.labels[labels.ANONYMOUS]: item.labels.get(labels.HOLDS) or item.name for item in own}


def kept_numbers(observed: Observed, service: str) -> frozenset[int]:
    """The numbers of the service's containers that have anonymous volumes."""
    own = (item.labels for item in observed.volumes.values() if labels.ANONYMOUS in item.labels)
    return frozenset(
        int(item[labels.NUMBER])
        for item in own
        if (item.get(labels.PROJECT), item.get(labels.SERVICE)) == (observed.project, service)
        and item.get(labels.NUMBER, "").isdecimal()
    )


def is_record(volume: ObservedVolume) -> bool:
    return labels.HOLDS in volume.labels


def _is_of(observed: Observed, volume: ObservedVolume, service: str, number: int) -> bool:
    own = volume.labels
    place = (own.get(labels.PROJECT), own.get(labels.SERVICE), own.get(labels.NUMBER))
    return labels.ANONYMOUS in own and place == (observed.project, service, str(number))


def _generation(volume: ObservedVolume) -> int:
    text = volume.labels.get(labels.GENERATION, "")
    return int(text) if text.isdecimal() else 0


def _next_generation(observed: Observed, place: Place) -> int:
    return max((_generation(item) for item in generations_of(observed, place)), default=0) + 1


def generations_of(observed: Observed, place: Place) -> tuple[ObservedVolume, ...]:
    """All volumes with the labels of the place, without records."""
    return tuple(
        item
        for item in observed.volumes.values()
        if _is_of(observed, item, place.service, place.number)
        and item.labels[labels.ANONYMOUS] == place.path
        and not is_record(item)
    )


def _attached(
    definition: Definition,
    observed: Observed,
    service: str,
    number: int,
    replaces: ObservedContainer | None,
) -> dict[str, str]:
    """Path -> name of what the containers of this number have now: the one that is replaced, else one that
    an interrupted command created in its place."""
    same = [item for item in observed.of_service(service) if item.number == number]
    same.sort(key=lambda item: (item is not replaces, item.state == "created"))
    found: dict[str, str] = {}
    for container in same:
        for mount in anonymous_mounts(definition, observed, container):
            found.setdefault(mount.target, mount.name)
    return found


def anonymous_mounts(
    definition: Definition | None, observed: Observed, container: ObservedContainer
) -> tuple[ObservedMount, ...]:
    """The anonymous volumes of the container, without those that it shares with another one."""
    return tuple(mount for mount in container.mounts if _is_anonymous(definition, observed, container, mount))


def _is_anonymous(
    definition: Definition | None, observed: Observed, container: ObservedContainer, mount: ObservedMount
) -> bool:
    """By labels, by how the container was created, and by the definition. Never by the shape of its name:
    an external volume may have any."""
    if mount.type != "volume" or not mount.name or _is_named(definition, observed, mount):
        return False
    own = _labels_of(observed, mount)
    if labels.ANONYMOUS in own:
        return (own[labels.ANONYMOUS], own.get(labels.SERVICE)) == (mount.target, container.service)
    return owns_data(observed, mount) or _is_declared_anonymous(definition, observed, container, mount)


def _labels_of(observed: Observed, mount: ObservedMount) -> Mapping[str, str]:
    volume = observed.volumes.get(mount.name)
    return volume.labels if volume else {}


def owns_data(observed: Observed, mount: ObservedMount) -> bool:
    """Whether the volume was created for a container of the project, so that it is deleted with the
    project's data. Unknown, and so False, where Compose has passed it on from container to container."""
    own = _labels_of(observed, mount)
    ours = labels.ANONYMOUS in own and own.get(labels.PROJECT) == observed.project
    return mount.anonymous or ours or _is_held(observed, mount, labels.OWNS)


def _is_held(observed: Observed, mount: ObservedMount, label: str = labels.HOLDS) -> bool:
    return any(
        item.labels.get(labels.HOLDS) == mount.name and label in item.labels
        for item in observed.volumes.values()
    )


def _is_named(definition: Definition | None, observed: Observed, mount: ObservedMount) -> bool:
    """Whether a definition names the volume, as far as this one and labels say."""
    if definition and mount.name in {item.name for item in definition.volumes.values()}:
        return True
    own = _labels_of(observed, mount)
    return labels.PROJECT in own and labels.ANONYMOUS not in own


def _is_declared_anonymous(
    definition: Definition | None, observed: Observed, container: ObservedContainer, mount: ObservedMount
) -> bool:
    service = definition.all_services.get(container.service) if definition else None
    if definition is None or service is None:
        return False
    image = observed.images.get(service.image_name(definition.name))
    return mount.target in anonymous_paths(service, image)


def needs_inspection(
    definition: Definition | None, observed: Observed, containers: Iterable[ObservedContainer]
) -> bool:
    """Whether only an inspection shows which mounts of the containers are anonymous: those of volumes without
    labels, as Compose has them created."""
    return any(
        mount.type == "volume"
        and not owns_data(observed, mount)
        and not _is_held(observed, mount)
        and not _is_named(definition, observed, mount)
        for container in containers
        for mount in container.mounts
    )


def record_body(
    definition: Definition | None, observed: Observed, place: Place, mount: ObservedMount
) -> dict[str, Any]:
    """The body of `POST /volumes/create` of the record that `place` has the volume of `mount`."""
    digest = hashlib.sha256(f"{place} {mount.name}".encode()).hexdigest()[:12]
    own = {
        **(place_labels(definition, place.service, place.number) if definition else {}),
        labels.PROJECT: observed.project,
        labels.SERVICE: place.service,
        labels.NUMBER: str(place.number),
        labels.ANONYMOUS: place.path,
        labels.VOLUME: str(place),
        labels.HOLDS: mount.name,
    }
    if owns_data(observed, mount):
        own[labels.OWNS] = "true"
    return {"Name": f"{observed.project}_{place.service}-{place.number}_record-{digest}", "Labels": own}
