"""The normalised Compose model: every key in its long form, as `docker compose config` shows it.

The parts are declared in `attributes/`; the rooms above import them from here. Durations are seconds, sizes
are bytes. A key that the files leave out is None, empty or False.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from invoke_devstack.definition.attributes.build import Build, Develop, SshKey, WatchRule
from invoke_devstack.definition.attributes.deploy import (
    Deploy,
    DeviceRequest,
    Limits,
    Reservations,
    Resources,
    RestartPolicy,
)
from invoke_devstack.definition.attributes.mounts import BindOptions, Mount, VolumeOptions
from invoke_devstack.definition.attributes.networks import Ipam, IpamPool, Network, ServiceNetwork
from invoke_devstack.definition.attributes.part import Part
from invoke_devstack.definition.attributes.ports import Port
from invoke_devstack.definition.attributes.resources import Config, FileObject, Model, Secret, Volume
from invoke_devstack.definition.attributes.service import Service
from invoke_devstack.definition.attributes.service_parts import (
    BlkioConfig,
    Dependency,
    Device,
    EnvFile,
    FileReference,
    Healthcheck,
    Hook,
    Logging,
    PreStartHook,
    ThrottleDevice,
    Ulimit,
)
from invoke_devstack.definition.syntax.tree import Origin
from invoke_devstack.definition.syntax.units import Bytes, Seconds
from invoke_devstack.errors import DefinitionError, Position
from invoke_devstack.records import record

__all__ = [
    "BindOptions",
    "BlkioConfig",
    "Build",
    "Bytes",
    "Config",
    "Definition",
    "Dependency",
    "Deploy",
    "Develop",
    "Device",
    "DeviceRequest",
    "EnvFile",
    "FileObject",
    "FileReference",
    "Healthcheck",
    "Hook",
    "Ipam",
    "IpamPool",
    "Limits",
    "Logging",
    "Model",
    "Mount",
    "Network",
    "Part",
    "Port",
    "PreStartHook",
    "Reservations",
    "Resources",
    "RestartPolicy",
    "Seconds",
    "Secret",
    "Service",
    "ServiceNetwork",
    "SshKey",
    "ThrottleDevice",
    "Ulimit",
    "Volume",
    "VolumeOptions",
    "WatchRule",
]


@record(kw_only=True)
class Definition:
    """All that a project's files say: read, merged and checked."""

    name: str
    working_dir: Path
    files: tuple[Path, ...] = ()  # absolute, in the order in which they were merged
    env_files: tuple[Path, ...] = ()  # the `.env` files that were read
    read_files: tuple[Path, ...] = ()  # `files`, and those that they include and extend
    profiles: tuple[str, ...] = ()  # the active ones
    services: Mapping[str, Service] = field(default_factory=dict)  # of the active profiles
    disabled_services: Mapping[str, Service] = field(default_factory=dict)
    networks: Mapping[str, Network] = field(default_factory=dict)
    volumes: Mapping[str, Volume] = field(default_factory=dict)
    secrets: Mapping[str, Secret] = field(default_factory=dict)
    configs: Mapping[str, Config] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)  # top-level `x-*` keys
    not_carried_out: tuple[str, ...] = ()  # dotted keys without effect on a single engine
    origins: Mapping[str, Origin] = field(default_factory=dict)  # where values come from, by dotted key
    environment: Mapping[str, str] = field(default_factory=dict)  # the process's, and of the `.env` files
    unset: Mapping[str, tuple[Position, ...]] = field(default_factory=dict)  # variables that are set nowhere
    missing: tuple[DefinitionError, ...] = ()  # what must be set or be there, and is not: see `load`
    receiver: Any = None  # of traces, with `up --trace`: see `planning.bodies.tracing`

    @property
    def all_services(self) -> Mapping[str, Service]:
        """`services` and `disabled_services` together."""
        return {**self.disabled_services, **self.services}

    def copy_with(self, changes: Mapping[str, Any]) -> Definition:
        """The same definition with other values for some fields."""
        return Definition(**{**self.__dict__, **changes})

    def __repr__(self) -> str:
        return f"Definition({self.name!r}, services={list(self.services)})"
