"""A project's files, merged and decoded, before it is checked and narrowed to a `Definition`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.syntax.tree import Steps, Table, location_at
from invoke_devstack.records import record

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.networks import Network
    from invoke_devstack.definition.attributes.resources import Config, Model, Secret, Volume
    from invoke_devstack.definition.attributes.service import Service
    from invoke_devstack.errors import Position


@record(kw_only=True)
class MergedFiles:
    """What the files say. `root` is the tree that it was decoded from, which knows positions."""

    root: Table
    services: Mapping[str, Service]
    disabled_services: Mapping[str, Service]
    networks: Mapping[str, Network]
    volumes: Mapping[str, Volume]
    secrets: Mapping[str, Secret]
    configs: Mapping[str, Config]
    models: Mapping[str, Model]
    extensions: Mapping[str, Any]

    def position(self, steps: Steps) -> Position:
        """Where the value at `steps` was written, or the closest thing around it that was."""
        return location_at(self.root, steps, self.root.location).position(steps)
