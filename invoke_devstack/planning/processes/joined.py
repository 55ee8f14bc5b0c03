"""The processes of `x-devstack.processes` among the services of a definition.

    x-devstack:
      processes:
        frontend:
          command: npm run dev
          depends_on: {api: {condition: service_healthy}}

A service waits for a process by its own `x-devstack.depends_on`, which Docker Compose passes over.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoke_devstack.definition.attributes.service_parts import DEPENDS_ON, Dependency
from invoke_devstack.definition.reading.block import position_of, read_process, read_value
from invoke_devstack.definition.reading.unset import UnsetVariables
from invoke_devstack.errors import DefinitionError, did_you_mean
from invoke_devstack.planning.connections import EXTENSION
from invoke_devstack.planning.processes.as_service import process_service
from invoke_devstack.planning.processes.image import is_process

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.part import ValueType
    from invoke_devstack.definition.model import Definition, Service
    from invoke_devstack.definition.processes.process import Process

_BLOCK = (EXTENSION, "processes")
_DEPENDS_ON: ValueType[Mapping[str, Dependency]] = DEPENDS_ON


def with_processes(
    definition: Definition, declared: Mapping[str, Mapping[str, Any]] | None = None
) -> Definition:
    """The definition with its processes as services, and those `declared` in tasks.py. Raises
    DefinitionError."""
    values = {**_own_block(definition), **(declared or {})}
    if not values and not _waiting(definition.all_services):
        return definition
    if values and sys.platform == "win32":
        raise DefinitionError(
            "processes of this machine are not supported on Windows: their supervisor does not run there",
            hint="Start them yourself, or run the stack in WSL 2.",
            position=position_of(definition, _BLOCK),
        )
    unset = UnsetVariables(definition.unset)
    read = {
        name: read_process(definition, name, value, (*_BLOCK, name), unset.add_at)
        for name, value in values.items()
    }
    processes = {name: process_service(_in_project(definition, process)) for name, process in read.items()}
    for name in processes.keys() & definition.all_services.keys():
        raise DefinitionError(
            f"the process `{name}` has the name of a service",
            hint=f"Rename it. To run the service on this machine, use `{EXTENSION}.host` in the service.",
            position=position_of(definition, (*_BLOCK, name)),
        )
    services = {name: _with_waits(definition, item) for name, item in definition.services.items()} | processes
    known = {*services, *definition.disabled_services}
    for service in services.values():
        _check_names(definition, service, known)
    return definition.copy_with({"services": services, "unset": unset.positions()})


def _in_project(definition: Definition, process: Process) -> Process:
    """It runs in the project's directory if nothing else is said."""
    return process.copy_with({"working_dir": process.working_dir or str(definition.working_dir)})


def _own_block(definition: Definition) -> Mapping[str, Any]:
    block = definition.extensions.get(EXTENSION)
    found = block.get("processes") if isinstance(block, Mapping) else None
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise DefinitionError(
            f"`{EXTENSION}.processes` must be a mapping of names to processes",
            hint=f"Write `{EXTENSION}: {{processes: {{frontend: {{command: npm run dev}}}}}}`.",
            position=position_of(definition, _BLOCK),
        )
    return found


def _waiting(services: Mapping[str, Service]) -> bool:
    return any(_own_waits(service) is not None for service in services.values())


def _own_waits(service: Service) -> Any:
    block = service.extensions.get(EXTENSION)
    return block.get("depends_on") if isinstance(block, Mapping) else None


def _with_waits(definition: Definition, service: Service) -> Service:
    waits = _own_waits(service)
    if waits is None:
        return service
    steps = ("services", service.name, EXTENSION, "depends_on")
    more = read_value(definition, waits, _DEPENDS_ON, steps) or {}
    return service.copy_with({"depends_on": {**service.depends_on, **more}})


def _check_names(definition: Definition, service: Service, known: set[str]) -> None:
    for name, steps in _names(service):
        if name not in known:
            raise DefinitionError(
                f"`{service.name}` depends on `{name}`, which is neither a service nor a process",
                hint=did_you_mean(name, known),
                position=position_of(definition, steps),
            )


def _names(service: Service) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What a process, or a service in `x-devstack`, waits for, and where that is written."""
    if is_process(service):
        place: tuple[str, ...] = (*_BLOCK, service.name, "depends_on")
        names = tuple(service.depends_on)
    else:
        place = ("services", service.name, EXTENSION, "depends_on")
        names = tuple(_own_waits(service) or ())
    for name in names:
        yield name, (*place, name)
