"""The labels by which a container, network or volume is known to be a project's.

`com.docker.compose.*` are Compose's own, with its values, so that every tool that knows Compose
sees the stack; `dev.invoke-devstack.*` are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
NUMBER = "com.docker.compose.container-number"
ONEOFF = "com.docker.compose.oneoff"
SLUG = "com.docker.compose.slug"
WORKING_DIR = "com.docker.compose.project.working_dir"
CONFIG_FILES = "com.docker.compose.project.config_files"
ENVIRONMENT_FILE = "com.docker.compose.project.environment_file"
CONFIG_HASH = "com.docker.compose.config-hash"
IMAGE = "com.docker.compose.image"
DEPENDS_ON = "com.docker.compose.depends_on"
HOOK = "com.docker.compose.hook"
REPLACE = "com.docker.compose.replace"
VERSION = "com.docker.compose.version"
NETWORK = "com.docker.compose.network"
VOLUME = "com.docker.compose.volume"

INPUTS = "dev.invoke-devstack.inputs"
PORTS = "dev.invoke-devstack.ports"
DIRECTORY = "dev.invoke-devstack.working_dir"
HELPER = "dev.invoke-devstack.helper"
HELPER_MOUNTS = "dev.invoke-devstack.helper.mounts"
STAND_IN = "dev.invoke-devstack.standin"

COMPOSE_VERSION = "2.40.3"
"""The Compose release whose containers ours are equal to."""


def project_labels(definition: Definition, service: str, *, oneoff: bool = False) -> dict[str, str]:
    """What every container of a service carries, whatever its number."""
    labels = {
        PROJECT: definition.name,
        SERVICE: service,
        VERSION: COMPOSE_VERSION,
        WORKING_DIR: str(definition.working_dir),
        CONFIG_FILES: ",".join(str(file) for file in definition.files),
        ONEOFF: "True" if oneoff else "False",
    }
    # Compose names environment files only when they were asked for, never the `.env` it finds by itself.
    if definition.env_files and definition.env_files != (definition.working_dir / ".env",):
        labels[ENVIRONMENT_FILE] = ",".join(str(file) for file in definition.env_files)
    return labels


def depends_on_label(service: Service) -> str:
    """`SERVICE:CONDITION:RESTART`, joined by commas."""
    parts = (
        f"{name}:{dependency.condition}:{str(dependency.restart).lower()}"
        for name, dependency in sorted(service.depends_on.items())
    )
    return ",".join(parts)


def read_depends_on(labels: Mapping[str, str]) -> dict[str, tuple[str, bool]]:
    """The `depends_on` label as service -> (condition, restart). Old forms give condition "" and False."""
    found: dict[str, tuple[str, bool]] = {}
    for part in labels.get(DEPENDS_ON, "").split(","):
        name, _, rest = part.partition(":")
        condition, _, restart = rest.partition(":")
        if name:
            found[name] = (condition, restart == "true")
    return found
