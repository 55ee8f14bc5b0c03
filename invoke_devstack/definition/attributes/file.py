"""A whole Compose file: its top-level keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from invoke_devstack.definition.attributes.networks import NETWORKS, Network
from invoke_devstack.definition.attributes.part import Part, ValueType, dropped, key
from invoke_devstack.definition.attributes.resources import (
    CONFIGS,
    MODELS,
    SECRETS,
    VOLUMES,
    Config,
    Model,
    Secret,
    Volume,
)
from invoke_devstack.definition.attributes.service import Service
from invoke_devstack.definition.attributes.types import TEXT, TEXT_OR_LIST, list_of, named, part


class Include(Part, extensible=False):
    """An entry of `include`."""

    path: tuple[str, ...] = key(TEXT_OR_LIST)
    env_file: tuple[str, ...] = key(TEXT_OR_LIST)
    project_directory: str | None = key(TEXT)


INCLUDES: ValueType[tuple[Include, ...]] = list_of(part(Include, text=True))
SERVICES: ValueType[Mapping[str, Service]] = named(part(Service))


class File(Part):
    """What the files of a project say, merged to one."""

    version: None = dropped(TEXT)
    name: None = dropped(TEXT)
    include: None = dropped(INCLUDES)
    services: Mapping[str, Service] = key(SERVICES)
    networks: Mapping[str, Network] = key(NETWORKS)
    volumes: Mapping[str, Volume] = key(VOLUMES)
    secrets: Mapping[str, Secret] = key(SECRETS)
    configs: Mapping[str, Config] = key(CONFIGS)
    models: Mapping[str, Model] = key(MODELS)


FILE: ValueType[Any] = part(File)
RESOURCES = ("services", "volumes", "networks", "secrets", "configs", "models")
"""The top-level keys that hold named things."""
