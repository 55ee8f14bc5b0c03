"""The labels that say which project owns a container, network or volume.

`com.docker.compose.*` are Compose's, with its values, so that every tool that knows Compose sees the stack;
`dev.invoke-devstack.*` are ours. Labels of snapshots are in `plans/snapshots.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from invoke_devstack.records import record

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
COPY_CONTAINER = "dev.invoke-devstack.helper"
COPY_CONTAINER_MOUNTS = "dev.invoke-devstack.helper.mounts"
OWN = "dev.invoke-devstack."
HOOK_DUE = "dev.invoke-devstack.hook-due"
HOOK_DUE_PROJECT = "dev.invoke-devstack.hook-due.project"
UNFINISHED = "dev.invoke-devstack.unfinished"
LOCK = "dev.invoke-devstack.lock"
LOCK_HOLDER = "dev.invoke-devstack.lock.holder"
ANONYMOUS = "dev.invoke-devstack.anonymous"
"""On anonymous volumes: the path at which they are mounted."""
GENERATION = "dev.invoke-devstack.anonymous.generation"
"""On renewed ones: a higher number than the previous volume's."""
HOLDS = "dev.invoke-devstack.anonymous.holds"
"""On records: the name of the volume that has the data."""
OWNS = "dev.invoke-devstack.anonymous.owns"
"""On records: the engine created that volume for a container of ours, so `down --volumes` may delete it."""
FORWARDER = "dev.invoke-devstack.forwarder"
"""On containers that forward to the process of a hosted service: their routes."""
PROCESS_PORTS = "dev.invoke-devstack.process.ports"
"""On processes of this machine: `PORT-OF-THE-PROCESS:PORT-IT-STANDS-FOR`, with commas."""
STAND_IN = "dev.invoke-devstack.standin"
COPY = "dev.invoke-devstack.copy"
"""On all that belongs to an isolated copy of a stack: the copy's name. Its other labels are in
`copies/copies.py`."""
COPY_OF = "dev.invoke-devstack.copy.of"
"""On the same: the project that it is a copy of."""

COMPOSE_VERSION = "2.40.3"
"""The Compose release whose containers ours equal."""


def project_labels(definition: Definition, service: str, *, oneoff: bool = False) -> dict[str, str]:
    """The labels of every container of a service."""
    working_dir = definition.working_dir
    labels = {
        PROJECT: definition.name,
        SERVICE: service,
        VERSION: COMPOSE_VERSION,
        WORKING_DIR: str(working_dir),
        CONFIG_FILES: ",".join(str(file) for file in definition.files),
        ONEOFF: "True" if oneoff else "False",
    }
    # Compose names environment files only if they were given, never a `.env` that it finds itself.
    if any(
        file.name != ".env" or working_dir not in (file.parent, *file.parents)
        for file in definition.env_files
    ):
        labels[ENVIRONMENT_FILE] = ",".join(str(file) for file in definition.env_files)
    return labels


def depends_on_label(definition: Definition, service: Service) -> str:
    """`SERVICE:CONDITION:RESTART`, joined by commas. Not of optional services in inactive profiles: Compose
    would look for them at `start`."""
    parts = (
        f"{name}:{dependency.condition}:{str(dependency.restart).lower()}"
        for name, dependency in sorted(service.depends_on.items())
        if dependency.required or name in definition.services
    )
    return ",".join(parts)


@record
class LabelledDependency:
    """What `Dependency` is in a definition. `condition` is "" in an old label."""

    condition: str = "service_started"
    restart: bool = False
    required: bool = True


def read_depends_on(labels: Mapping[str, str]) -> dict[str, LabelledDependency]:
    """The `depends_on` label, by service."""
    found: dict[str, LabelledDependency] = {}
    for part in labels.get(DEPENDS_ON, "").split(","):
        name, _, rest = part.partition(":")
        condition, _, restart = rest.partition(":")
        if name:
            found[name] = LabelledDependency(condition, restart == "true")
    return found
