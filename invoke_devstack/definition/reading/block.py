"""Reads a process below `x-devstack` with the steps by which a whole file is read: its short forms are the
same, and its errors have positions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from invoke_devstack.definition.attributes.decode import decode
from invoke_devstack.definition.attributes.paths import Base
from invoke_devstack.definition.attributes.types import part
from invoke_devstack.definition.processes.process import Process
from invoke_devstack.definition.reading.check import check
from invoke_devstack.definition.reading.env_files import variables_of
from invoke_devstack.definition.reading.interpolate import rewrite
from invoke_devstack.definition.syntax.dotenv import OnBlank
from invoke_devstack.definition.syntax.tree import Items, Location, Origin, Steps, Table, dotted

if TYPE_CHECKING:
    from invoke_devstack.definition.attributes.part import ValueType
    from invoke_devstack.definition.model import Definition
    from invoke_devstack.errors import Position

T = TypeVar("T")
_PROCESS: ValueType[Process | None] = part(Process)


def read_process(
    definition: Definition, name: str, value: Any, steps: Steps, on_blank: OnBlank | None = None
) -> Process:
    """The process that `value`, at `steps` in the files, describes; its paths are absolute and its
    `environment` is complete. `on_blank` is as for `read_env_file`. Raises DefinitionError."""
    process = read_value(definition, value, _PROCESS, steps) or Process()
    process = process.copy_with({"name": name})
    variables = variables_of(
        process,
        definition.environment,
        lambda place: _location(definition, place).position(place),
        steps,
        on_blank=on_blank,
    )
    return process.copy_with({"environment": variables})


def read_value(definition: Definition, value: Any, kind: ValueType[T], steps: Steps) -> T:
    """The value at `steps` below an `x-devstack`, of that kind; its paths are absolute. Raises
    DefinitionError."""
    location = _location(definition, steps)
    tree = _tree(definition, value, steps)
    check(tree, kind, location, steps)
    for step in ("expand", "complete", "verify"):
        tree = rewrite(step, tree, kind, location, steps)
    base = Base(definition.working_dir, definition.environment.get("HOME"))
    tree = rewrite("resolve", tree, kind, location, steps, base)
    return decode(tree, kind.decode, location, steps)


def position_of(definition: Definition, steps: Steps) -> Position:
    """Where the value at `steps`, or the closest thing around it, was written."""
    return _location(definition, steps).position(steps)


def _tree(definition: Definition, value: Any, steps: Steps) -> Any:
    """The plain value as a tree that knows where it was written."""
    location = _location(definition, steps)
    if isinstance(value, Mapping):
        table = Table(location)
        for key, item in value.items():
            own = (*steps, str(key))
            table.put(str(key), _tree(definition, item, own), _location(definition, own))
        return table
    if isinstance(value, list | tuple):
        items = Items(location)
        for index, item in enumerate(value):
            own = (*steps, f"[{index}]")
            items.add(_tree(definition, item, own), _location(definition, own))
        return items
    return value


def _location(definition: Definition, steps: Steps) -> Location:
    for length in range(len(steps), 0, -1):
        origin = definition.origins.get(dotted(steps[:length]))
        if origin is not None:
            return _at(origin)
    return Location(next(iter(definition.files), Path("compose.yaml")), 1, 1, 1, 1)


def _at(origin: Origin) -> Location:
    line, column = origin.position.line or 1, origin.position.column or 1
    return Location(origin.position.file, line, column, line, column, origin.raw, origin.variables)
