"""What is known to prevent a process of this machine from starting: its folder or its program is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invoke_devstack.definition.reading.block import position_of
from invoke_devstack.errors import DefinitionError
from invoke_devstack.planning.connections import EXTENSION
from invoke_devstack.planning.processes.image import is_process

if TYPE_CHECKING:
    from invoke_devstack.definition.model import Definition, Service


def unable_processes(definition: Definition, names: Sequence[str]) -> Iterator[DefinitionError]:
    """An error for each process among the services `names` that cannot start."""
    for name in names:
        service = definition.services[name]
        if not is_process(service):
            continue
        folder = service.working_dir or ""
        if folder and not Path(folder).is_dir():
            yield _error(
                definition,
                name,
                "working_dir",
                f"the process `{name}` cannot run in {folder}: there is no such folder",
                "Create it, or fix `working_dir`.",
            )
        elif service.command and not _finds(service, service.command[0]):
            yield _error(
                definition,
                name,
                "command",
                f"the process `{name}` cannot start: this machine does not have the command "
                f"`{service.command[0]}`",
                "Install it, or fix `command`.",
            )


def _finds(service: Service, program: str) -> bool:
    """As the recorder will: a path is relative to the folder of the process."""
    path = {**os.environ, **service.environment}.get("PATH")
    if "/" in program:
        return Path(service.working_dir or "", program).exists()
    return shutil.which(program, path=path) is not None


def _error(definition: Definition, name: str, key: str, text: str, hint: str) -> DefinitionError:
    places = ((EXTENSION, "processes", name, key), ("services", name, EXTENSION, "host", key))
    known = [steps for steps in places if ".".join(steps[:-1]) in definition.origins]
    position = position_of(definition, known[0]) if known else None  # unknown of a process of tasks.py
    return DefinitionError(text, hint=hint, position=position)
