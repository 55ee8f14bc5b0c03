"""What becomes of a stack's definition in a copy of it, for tests or for a job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Network, Service, Volume
    from invoke_devstack.planning.copies.copies import Copy

    Resource = TypeVar("Resource", Network, Volume)

ServiceChanges = Callable[["Service"], Mapping[str, Any]]


def isolated(definition: Definition, labels: Mapping[str, str], changes: ServiceChanges) -> Definition:
    """The copy's definition. `definition` was loaded under the copy's project name. `changes` says what else
    changes of a service.

    Published ports become free ones. Fixed names of containers, volumes and networks (external ones too)
    become names of the copy, and fixed addresses in its networks become free ones. Everything gets `labels`.
    Bind mounts stay.
    """
    project = definition.name

    def service(found: Service) -> Service:
        return _service(found, labels, changes(found))

    return definition.copy_with(
        {
            "services": {name: service(item) for name, item in definition.services.items()},
            "disabled_services": {name: service(item) for name, item in definition.disabled_services.items()},
            "volumes": {
                key: _own(volume, f"{project}_{key}", labels) for key, volume in definition.volumes.items()
            },
            "networks": {
                key: _without_addresses(_own(network, f"{project}_{key}", labels))
                for key, network in definition.networks.items()
            },
        }
    )


def isolated_for(definition: Definition, copy: Copy) -> Definition:
    """The same for a copy for a job. What is built gets a tag of the copy, so that the stack's images stay as
    they are."""
    built = _own_tags(definition)

    def changes(service: Service) -> Mapping[str, Any]:
        image = built.get(service.image or "", service.image)
        if service.build is None:
            return {"image": image}
        return {"image": image, "build": service.build.copy_with({"tags": ()})}

    return isolated(definition, copy.labels(), changes)


def _own_tags(definition: Definition) -> dict[str, str]:
    """Tag in the files -> the copy's, of the images that are built; other services may use them too."""
    return {
        service.image: f"{definition.name}-{name}"
        for name, service in reversed([*definition.all_services.items()])
        if service.build is not None and service.image
    }


def _service(service: Service, labels: Mapping[str, str], changes: Mapping[str, Any]) -> Service:
    return service.copy_with(
        {
            "container_name": None,
            "labels": {**service.labels, **labels},
            "ports": tuple(port.copy_with({"published": None}) for port in service.ports),
            "networks": {
                key: joined and joined.copy_with({"ipv4_address": None, "ipv6_address": None})
                for key, joined in service.networks.items()
            },
            **changes,
        }
    )


def _own(resource: Resource, name: str, labels: Mapping[str, str]) -> Resource:
    changes = {"name": name, "external": False, "labels": {**resource.labels, **labels}}
    return resource.copy_with(changes)


def _without_addresses(network: Network) -> Network:
    """Two networks of one engine cannot have the same addresses."""
    return network.copy_with({"ipam": network.ipam.copy_with({"config": ()})})


def shared_folders(definition: Definition) -> Iterator[tuple[str, str]]:
    """(service, path) of what a copy can change on this machine: bind mounts that are not read-only."""
    for name, service in definition.services.items():
        for mount in service.volumes:
            if mount.type == "bind" and mount.source and not mount.read_only:
                yield name, mount.source
