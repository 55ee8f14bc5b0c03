"""The same stack under another name, sharing nothing that it could change. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from invoke_devstack.definition.model import Definition, Network, Service, Volume

Resource = TypeVar("Resource", Network, Volume)


def isolated(definition: Definition, original: str, labels: Mapping[str, str]) -> Definition:
    """`definition` was loaded under the copy's project name; `original` is the stack's own.

    Published ports become any free ones, names that a file fixes (containers, volumes, networks, external
    ones too) become the copy's, everything carries `labels`. Built images are those of the original: they
    are only read. What is bind-mounted stays what it is.
    """
    project = definition.name
    return definition.copy_with(
        {
            "services": {
                name: _service(service, original, labels) for name, service in definition.services.items()
            },
            "disabled_services": {
                name: _service(service, original, labels)
                for name, service in definition.disabled_services.items()
            },
            "volumes": {
                key: _own(volume, f"{project}_{key}", labels) for key, volume in definition.volumes.items()
            },
            "networks": {
                key: _own(network, f"{project}_{key}", labels) for key, network in definition.networks.items()
            },
        }
    )


def _service(service: Service, original: str, labels: Mapping[str, str]) -> Service:
    ports = tuple(port.copy_with({"published": None}) for port in service.ports)
    return service.copy_with(
        {
            "container_name": None,
            "image": service.image_name(original),
            "labels": {**service.labels, **labels},
            "ports": ports,
            "restart": None,
        }
    )


def _own(resource: Resource, name: str, labels: Mapping[str, str]) -> Resource:
    changes = {"name": name, "external": False, "labels": {**resource.labels, **labels}}
    return resource.copy_with(changes)
